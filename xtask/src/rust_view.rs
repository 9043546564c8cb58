//! A Rust file with code, comments and tests told apart, line by line.
//!
//! The checks need to know whether a word stands in code, in a comment or in a text, and
//! whether it is only compiled for tests. A small scanner is enough for that; it does not parse.

/// One line of a Rust file.
#[derive(Debug, Default, Clone)]
pub struct RustLine {
    /// The code, without comments; the inside of texts is dropped, their quotes stay.
    pub code: String,
    /// The comment on this line, without its slashes.
    pub comment: String,
    /// Compiled for tests only.
    pub is_test: bool,
}

/// A Rust file, taken apart.
#[derive(Debug, Default, Clone)]
pub struct RustView {
    /// Its lines, in order.
    pub lines: Vec<RustLine>,
}

enum State {
    Code,
    LineComment,
    BlockComment(usize),
    Text,
    RawText(usize),
}

impl RustView {
    /// Takes a file apart.
    pub fn new(text: &str) -> Self {
        let mut view = Self { lines: split(text) };
        view.mark_tests();
        view
    }

    /// Names of modules that are declared here, in files of their own, for tests only.
    pub fn test_modules(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|line| line.is_test).filter_map(|line| {
            let declaration = line.code.split("mod ").nth(1)?;
            let name = declaration.trim().strip_suffix(';')?;
            (!name.is_empty() && name.chars().all(is_word)).then_some(name)
        })
    }

    fn mark_tests(&mut self) {
        let mut depth = 0i32;
        let mut region = Region::None;
        for line in &mut self.lines {
            let code = line.code.trim_start();
            if code.starts_with("#![cfg(test)]") {
                region = Region::File;
            }
            let opens = code.contains("#[cfg(test)]")
                || code.contains("#[cfg(all(test")
                || code.contains("#[cfg(any(test")
                || code.contains("#[test]");
            if opens && matches!(region, Region::None) {
                region = Region::Waiting { depth };
            }
            let started_in_test = !matches!(region, Region::None);
            for character in line.code.chars() {
                match character {
                    '{' | '(' | '[' => depth += 1,
                    '}' | ')' | ']' => depth -= 1,
                    _ => {}
                }
                region = region.after(character, depth);
            }
            line.is_test = started_in_test;
        }
    }
}

#[derive(Clone, Copy)]
enum Region {
    None,
    /// After the attribute, before the item's body.
    Waiting {
        depth: i32,
    },
    /// Inside the body, which ends when the depth is back.
    Body {
        depth: i32,
    },
    File,
}

impl Region {
    fn after(self, character: char, depth: i32) -> Self {
        match (self, character) {
            (Self::Waiting { depth: outer }, '{') if depth == outer + 1 => Self::Body { depth: outer },
            (Self::Waiting { depth: outer }, ';') if depth == outer => Self::None,
            (Self::Body { depth: outer }, '}') if depth == outer => Self::None,
            (region, _) => region,
        }
    }
}

/// Letters, digits and `_`: what an identifier is made of.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether `word` stands in `code` with no identifier character on either side.
pub fn has_word(code: &str, word: &str) -> bool {
    let mut from = 0;
    while let Some(at) = code.get(from..).and_then(|rest| rest.find(word)) {
        let start = from + at;
        let end = start + word.len();
        let before = code.get(..start).and_then(|text| text.chars().next_back());
        let after = code.get(end..).and_then(|text| text.chars().next());
        if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
            return true;
        }
        from = end;
    }
    false
}

fn split(text: &str) -> Vec<RustLine> {
    let characters: Vec<char> = text.chars().collect();
    let at = |i: usize| characters.get(i).copied().unwrap_or('\0');
    let mut lines = vec![RustLine::default()];
    let mut state = State::Code;
    let mut i = 0;
    while i < characters.len() {
        let current = at(i);
        if current == '\n' {
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            lines.push(RustLine::default());
            i += 1;
            continue;
        }
        let Some(line) = lines.last_mut() else { break };
        let (next, used) = match state {
            State::Code => in_code(&at, i, &mut line.code),
            State::LineComment => {
                line.comment.push(current);
                (State::LineComment, 1)
            }
            State::BlockComment(depth) => match (current, at(i + 1)) {
                ('/', '*') => (State::BlockComment(depth + 1), 2),
                ('*', '/') if depth == 1 => (State::Code, 2),
                ('*', '/') => (State::BlockComment(depth - 1), 2),
                _ => {
                    line.comment.push(current);
                    (State::BlockComment(depth), 1)
                }
            },
            State::Text => match current {
                // An escaped line end keeps its line end, or the line numbers would shift.
                '\\' if at(i + 1) != '\n' => (State::Text, 2),
                '"' => {
                    line.code.push('"');
                    (State::Code, 1)
                }
                _ => (State::Text, 1),
            },
            State::RawText(hashes) => {
                if current == '"' && (1..=hashes).all(|n| at(i + n) == '#') {
                    line.code.push('"');
                    (State::Code, 1 + hashes)
                } else {
                    (State::RawText(hashes), 1)
                }
            }
        };
        state = next;
        i += used;
    }
    lines
}

/// One step in code: the state after it and how many characters it used.
fn in_code(at: &impl Fn(usize) -> char, i: usize, code: &mut String) -> (State, usize) {
    let current = at(i);
    let glued = code.chars().next_back().is_some_and(is_word);
    match (current, at(i + 1)) {
        ('/', '/') => return (State::LineComment, 2),
        ('/', '*') => return (State::BlockComment(1), 2),
        ('"', _) => {
            code.push('"');
            return (State::Text, 1);
        }
        // A character, or else a lifetime.
        ('\'', '\\') => {
            let close = (i + 3..i + 14).find(|&n| at(n) == '\'').unwrap_or(i + 3);
            code.push_str("''");
            return (State::Code, close + 1 - i);
        }
        ('\'', _) if at(i + 2) == '\'' => {
            code.push_str("''");
            return (State::Code, 3);
        }
        ('r', '"' | '#') if !glued || code.ends_with('b') || code.ends_with('c') => {
            let hashes = (i + 1..).take_while(|&n| at(n) == '#').count();
            if at(i + 1 + hashes) == '"' {
                code.push('"');
                return (State::RawText(hashes), 2 + hashes);
            }
        }
        _ => {}
    }
    code.push(current);
    (State::Code, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_are_not_code() {
        let view = RustView::new(
            "let a = \"tokio // no\"; // RFC 1\nlet b = r#\"x \" y\"#; /* c\nd */ let e = 'x';\n",
        );
        assert_eq!(view.lines[0].code, "let a = \"\"; ");
        assert_eq!(view.lines[0].comment, " RFC 1");
        assert_eq!(view.lines[1].code, "let b = \"\"; ");
        assert_eq!(view.lines[1].comment, " c");
        assert_eq!(view.lines[2].code, " let e = '';");
    }

    #[test]
    fn characters_and_lifetimes_do_not_open_texts() {
        let view = RustView::new("fn f<'a>(x: &'a str) { g('\"', '\\'', '\\u{201c}'); }\nlet z = 1;\n");
        assert_eq!(view.lines[0].code, "fn f<'a>(x: &'a str) { g('', '', ''); }");
        assert_eq!(view.lines[1].code, "let z = 1;");
    }

    #[test]
    fn a_text_over_several_lines_keeps_the_line_numbers() {
        let view = RustView::new("let a = \"one \\\n  two\";\nlet b = 2;\n");
        assert_eq!(view.lines[2].code, "let b = 2;");
    }

    #[test]
    fn test_code_is_marked_and_ends_where_it_ends() {
        let view = RustView::new(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { let x = [1; 2]; }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n",
        );
        let marks: Vec<bool> = view.lines.iter().map(|line| line.is_test).collect();
        assert_eq!(marks, [false, true, true, true, true, false, true, true, false, false]);
        assert_eq!(view.test_modules().collect::<Vec<_>>(), ["more"]);
    }

    #[test]
    fn words_have_edges() {
        assert!(has_word("use tokio::fs;", "tokio"));
        assert!(!has_word("let my_tokio = tokio2;", "tokio"));
        assert!(has_word("tokio_x; std::fs", "std::fs"));
    }
}
