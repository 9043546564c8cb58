//! A page for a terminal: labelled texts that wrap, colours, and nothing in it that steers.

use crate::shown_text::{is_plain, one_line};

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it has colours.
    pub has_colour: bool,
    /// Characters in a line, about.
    pub width: usize,
}

impl Style {
    /// Without colours, for a file or another program.
    #[must_use]
    pub const fn plain() -> Self {
        Self { has_colour: false, width: 100 }
    }

    /// With colours, for a terminal.
    #[must_use]
    pub const fn coloured(width: usize) -> Self {
        Self { has_colour: true, width }
    }
}

pub(super) const RED: &str = "31";
pub(super) const YELLOW: &str = "33";
pub(super) const GREEN: &str = "32";
pub(super) const BOLD: &str = "1";
pub(super) const FAINT: &str = "2";
/// Width of the words before the colon.
pub(super) const LABEL_CHARS: usize = 15;
/// As many spaces.
const SPACES: &str = "               ";
/// Least width of a text beside its label.
const LEAST_CHARS: usize = 30;

/// A page that is being written.
pub(super) struct Page {
    pub(super) out: String,
    pub(super) style: Style,
    /// Empty: what is put together for one line takes its room.
    pub(super) held: String,
}

impl Page {
    /// An empty page.
    pub(super) const fn new(style: Style) -> Self {
        Self { out: String::new(), style, held: String::new() }
    }

    /// A line whose texts were cleaned; white space at its end goes.
    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A text in a colour, if the page has any, and without what would steer.
    pub(super) fn paint(&self, colour: &str, text: &str) -> String {
        let mut painted = Self::new(self.style);
        painted.push_painted(colour, text);
        painted.out
    }

    /// Goes on in the line that is being written, in a colour if the page has any, without what would steer.
    pub(super) fn push_painted(&mut self, colour: &str, text: &str) {
        let text = one_line(text);
        let parts = if self.style.has_colour {
            ["\u{1b}[", colour, "m", &text, "\u{1b}[0m"]
        } else {
            ["", "", "", &text, ""]
        };
        self.out.extend(parts);
    }

    /// Ends the line that is being written; white space at its end goes.
    pub(super) fn end_line(&mut self) {
        // Most lines end with a letter.
        if self.out.as_bytes().last().is_some_and(u8::is_ascii_graphic) {
            return self.out.push('\n');
        }
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        let line = self.out.get(start..).unwrap_or_default();
        self.out.truncate(start + line.trim_end().len());
        self.out.push('\n');
    }

    /// A label and a text that wraps beside it, at spaces and if its words allow it.
    pub(super) fn labelled(&mut self, label: &str, text: &str) {
        let room = self.style.width.saturating_sub(LABEL_CHARS + 4).max(LEAST_CHARS);
        let gap = LABEL_CHARS.saturating_sub(label.chars().count());
        self.out.push_str("    ");
        let spaces = SPACES.get(..gap).unwrap_or_default();
        if self.style.has_colour {
            self.push_painted(FAINT, &[label, spaces].concat());
        } else {
            self.out.extend([&*one_line(label), spaces]);
        }
        let text = one_line(text);
        if text.len() <= room && is_plain_line(&text) {
            self.out.push_str(&text);
            return self.end_line();
        }
        let mut width = 0;
        for word in text.split_whitespace() {
            let word_chars = word.chars().count();
            if width > 0 && width + 1 + word_chars > room {
                self.end_line();
                self.out.extend(["    ", SPACES]);
                width = 0;
            }
            if width > 0 {
                self.out.push(' ');
                width += 1;
            }
            self.out.push_str(word);
            width += word_chars;
        }
        self.end_line();
    }
}

/// Whether a text of visible letters has one space between its words, and none around them.
fn is_plain_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_around = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b' ');
    // Without a way out of the loop it is looked through in one go.
    let two_spaces = |is_there: bool, (one, next): (&u8, &u8)| is_there | ((*one == b' ') & (*next == b' '));
    is_plain(text)
        && !is_around(bytes.first())
        && !is_around(bytes.last())
        && !bytes.iter().zip(bytes.iter().skip(1)).fold(false, two_spaces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words() {
        assert_eq!(SPACES.len(), LABEL_CHARS);
        let of = |text: &str| {
            let mut page = Page::new(Style { has_colour: false, width: LEAST_CHARS });
            page.labelled("why", text);
            page.out
        };
        let (room, gap) = ("x".repeat(LEAST_CHARS), " ".repeat(LABEL_CHARS + 4));
        assert_eq!(of("one  two "), "    why            one two\n");
        assert_eq!(
            of(&format!("one {room} two")),
            format!("    why            one\n{gap}{room}\n{gap}two\n")
        );
        assert_eq!(of(&format!("{room}y")), format!("    why            {room}y\n"));
        assert_eq!(of(""), "    why\n");
        // As long as a line, in one word and in two; and with letters that are no ASCII.
        assert_eq!(of(&room), format!("    why            {room}\n"));
        let two = format!("{} y", "x".repeat(LEAST_CHARS - 2));
        assert_eq!(of(&two), format!("    why            {two}\n"));
        assert_eq!(of(" é  one"), "    why            é one\n");
    }
}
