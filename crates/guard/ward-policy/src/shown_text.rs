//! Texts of others as they may be shown: names, titles, paths and values come from whoever wrote the code that
//! is judged, and none of them may rewrite a screen, turn a line around or pass for a line of Ward's own.

use std::borrow::Cow;

/// Whether a character steers a terminal or turns text around instead of being shown: control characters (C0,
/// DEL, C1), separators of lines, and those that change the direction of writing.
#[must_use]
pub const fn steers(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text is of visible ASCII and spaces only, as most are: nothing in it steers. Without a way out of the
/// loop it is looked through in one go.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'))
}

/// A text as a part of one line: what steers, line breaks and tabs among it, is shown as `�`.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect())
}

/// A path as the head of a diff names it: in quotes with escapes, as Git has it, if anything in it could be read
/// as more than a name.
#[must_use]
pub fn diff_path(path: &str) -> Cow<'_, str> {
    if !path.contains(|c| steers(c) || matches!(c, '"' | '\\')) {
        return Cow::Borrowed(path);
    }
    let mut out = String::from('"');
    for c in path.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if steers(c) => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("\\{byte:03o}")));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_not_shown() {
        assert_eq!(
            one_line("a\u{1b}[2Jb\u{202e}c\n\td\u{9b}\u{2028}"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}d\u{fffd}\u{fffd}"
        );
        assert_eq!(one_line("größe 你好"), "größe 你好");
    }

    #[test]
    fn a_path_in_a_diff_is_one_name() {
        assert_eq!(diff_path("a/größe.tf"), "a/größe.tf");
        assert_eq!(diff_path("a/x\n+++ \"b\\\u{202e}.tf"), r#""a/x\012+++ \"b\\\342\200\256.tf""#);
    }
}
