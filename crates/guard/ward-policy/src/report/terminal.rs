//! A page for a terminal: labelled texts that wrap, colours, and nothing in it that steers.

use crate::shown_text::one_line;
use std::fmt::Write as _;

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
/// Least width of a text beside its label.
const LEAST_CHARS: usize = 30;

/// A page that is being written.
pub(super) struct Page {
    pub(super) out: String,
    pub(super) style: Style,
}

impl Page {
    /// An empty page.
    pub(super) const fn new(style: Style) -> Self {
        Self { out: String::new(), style }
    }

    /// A line whose texts were cleaned; white space at its end goes.
    pub(super) fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A text in a colour, if the page has any, and without what would steer.
    pub(super) fn paint(&self, colour: &str, text: &str) -> String {
        let text = one_line(text);
        if self.style.has_colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.into_owned() }
    }

    /// A label and a text that wraps beside it.
    pub(super) fn labelled(&mut self, label: &str, text: &str) {
        let room = self.style.width.saturating_sub(LABEL_CHARS + 4).max(LEAST_CHARS);
        let label = format!("{label:<LABEL_CHARS$}");
        let painted = self.paint(FAINT, &label);
        for (place, part) in wrap(&one_line(text), room).into_iter().enumerate() {
            let before = if place == 0 { painted.clone() } else { " ".repeat(LABEL_CHARS) };
            self.line(&format!("    {before}{part}"));
        }
    }
}

/// Breaks a text at spaces into lines of at most so many characters, if its words allow it.
fn wrap(text: &str, chars: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split_whitespace() {
        let word_chars = word.chars().count();
        if width > 0 && width + 1 + word_chars > chars {
            lines.push(String::new());
            width = 0;
        }
        if let Some(line) = lines.last_mut() {
            // Writing to a text does not fail.
            let _ = write!(line, "{}{word}", if width > 0 { " " } else { "" });
        }
        width += word_chars + usize::from(width > 0);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("wonderful", 4), ["wonderful"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
