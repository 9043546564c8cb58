//! What can be seen in the text of an expression without evaluating it: the linkIds it names, the
//! variables it uses, and whether it adds up answers without asking if they are there.
//!
//! Source: FHIRPath 2.0 §Lexical Elements.

/// One word of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    /// A name, a keyword or a number.
    Name(&'a str),
    /// `%name`, without the mark; quotes taken off.
    External(&'a str),
    /// A string, as written between its quotes.
    Text(&'a str),
    /// Anything else, one character.
    Mark(char),
}

/// The words of one expression.
pub(super) struct ExpressionWords<'a> {
    words: Vec<Word<'a>>,
}

impl<'a> ExpressionWords<'a> {
    pub(super) fn of(expression: &'a str) -> Self {
        let mut words = Vec::new();
        let mut rest = expression;
        while let Some(first) = rest.chars().next() {
            let (word, after) = next_word(rest, first);
            words.extend(word);
            rest = after;
        }
        Self { words }
    }

    /// The linkIds it compares with, each as often as it stands there.
    pub(super) fn link_ids(&self) -> Vec<&'a str> {
        let mut out = Vec::new();
        for window in self.words.windows(3) {
            match window {
                [Word::Name("linkId"), Word::Mark('=' | '~'), Word::Text(id)]
                | [Word::Text(id), Word::Mark('=' | '~'), Word::Name("linkId")] => out.push(*id),
                _ => {}
            }
        }
        for (place, window) in self.words.windows(2).enumerate() {
            if window == [Word::Name("linkId"), Word::Name("in")] {
                let list = self.words.get(place + 2..).unwrap_or_default();
                out.extend(list.iter().map_while(listed).flatten());
            }
        }
        out
    }

    /// The names after `%`.
    pub(super) fn externals(&self) -> impl Iterator<Item = &'a str> {
        self.words.iter().filter_map(|word| match word {
            Word::External(name) => Some(*name),
            _ => None,
        })
    }

    /// How it goes on without answers that are missing, in words; `None` if nothing shows that.
    ///
    /// Adding with `+` gives nothing when a part is missing, which is right. A sum over a list
    /// leaves the missing out in silence, and so does putting 0 in their place.
    pub(super) fn ignores_missing(&self) -> Option<&'static str> {
        let calls =
            |name: &str| self.words.windows(2).any(|pair| pair == [Word::Name(name), Word::Mark('(')]);
        let asks =
            ["count", "exists", "empty", "all", "allTrue", "hasValue", "isDistinct"].into_iter().any(calls);
        if !asks && ["sum", "aggregate"].into_iter().any(calls) {
            return Some("it adds up the answers that are there and never asks how many are");
        }
        if !asks && ["avg", "average", "min", "max"].into_iter().any(calls) {
            return Some("it works on the answers that are there and never asks how many are");
        }
        if calls("iif") && (self.has(&[",", "0", ")"]) || self.has(&[",", "0", ","])) {
            return Some("it puts 0 in the place of an answer");
        }
        if calls("coalesce") || self.has(&["|", "0", ")"]) {
            return Some("it puts a number in the place of a missing answer");
        }
        None
    }

    fn has(&self, pattern: &[&str]) -> bool {
        self.words.windows(pattern.len()).any(|window| {
            window.iter().zip(pattern).all(|(word, wanted)| match word {
                Word::Name(name) => name == wanted,
                Word::Mark(mark) => wanted.chars().eq([*mark]),
                Word::External(_) | Word::Text(_) => false,
            })
        })
    }
}

/// A string of a list, or what stands between the strings; `None` behind the list.
#[expect(clippy::option_option, reason = "a string, something between strings, or the end")]
fn listed<'a>(word: &Word<'a>) -> Option<Option<&'a str>> {
    match word {
        Word::Text(id) => Some(Some(id)),
        Word::Mark('(' | '|') => Some(None),
        _ => None,
    }
}

fn next_word(rest: &str, first: char) -> (Option<Word<'_>>, &str) {
    let after_first = rest.get(first.len_utf8()..).unwrap_or_default();
    if rest.starts_with("//") {
        return (None, rest.split_once('\n').map_or("", |(_, after)| after));
    }
    if rest.starts_with("/*") {
        return (None, rest.split_once("*/").map_or("", |(_, after)| after));
    }
    match first {
        c if c.is_whitespace() => (None, after_first),
        '\'' | '"' => {
            let (text, after) = quoted(after_first, first);
            (Some(Word::Text(text)), after)
        }
        '`' => {
            let (text, after) = quoted(after_first, first);
            (Some(Word::Name(text)), after)
        }
        '%' => {
            let quote = after_first.chars().next().filter(|c| matches!(c, '`' | '\'' | '"'));
            let (name, after) = match quote {
                Some(quote) => quoted(after_first.get(1..).unwrap_or_default(), quote),
                None => split(after_first, |c| is_name(c) || c == '-'),
            };
            (Some(Word::External(name)), after)
        }
        c if is_name(c) => {
            let (name, after) = split(rest, is_name);
            (Some(Word::Name(name)), after)
        }
        c => (Some(Word::Mark(c)), after_first),
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn split(rest: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

/// The text up to the closing quote, and what follows.
fn quoted(rest: &str, quote: char) -> (&str, &str) {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    match end {
        Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
        None => (rest, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_ids_and_names_are_found() {
        let text = "%resource.item.where(linkId = 'a-1').answer.value // linkId='no'\n + \
            'linkId = x' & item.where('b'=linkId) & item.where(linkId in ('c' | 'd')) /* %not */ + %`my-x` + %bmi";
        let words = ExpressionWords::of(text);
        assert_eq!(words.link_ids(), ["a-1", "b", "c", "d"]);
        assert_eq!(words.externals().collect::<Vec<_>>(), ["resource", "my-x", "bmi"]);
        for broken in ["'", "%", "%'", "/*", "//", "linkId='", "\\", "é%ü"] {
            let _ = ExpressionWords::of(broken).link_ids();
        }
    }

    #[test]
    fn sums_that_leave_the_missing_out_are_seen() {
        let ignores = |text: &str| ExpressionWords::of(text).ignores_missing().is_some();
        assert!(ignores("%resource.item.answer.value.ordinal().sum()"));
        assert!(ignores("item.answer.value.aggregate($this + $total, 0)"));
        assert!(ignores("iif(%a.exists(), %a, 0) + iif(%b.exists(), %b, 0)"));
        assert!(ignores("iif(%a.empty(), 0, %a)"));
        assert!(ignores("(%a | 0).first()"));
        assert!(ignores("item.answer.value.avg()"));
        assert!(!ignores("iif(%all.count() = 9, %all.sum(), {})"));
        assert!(!ignores("%a + %b + %c"));
        assert!(!ignores("iif(%a > 3, 'sum(', 'low')"));
    }
}
