//! Everything that is printed goes through here: text for people, one JSON document for programs,
//! and progress only where a person watches.

use indicatif::{ProgressBar, ProgressStyle};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{BufWriter, IsTerminal as _, Write as _};
use std::time::Duration;
use ward_policy::shown_text::{is_plain, one_line, steers};

/// Bytes of a document that are written at once.
const STREAMED_BYTES: usize = 64 * 1024;

/// Text as it may go to a terminal: what would steer it is shown as `�`. Lines and tabs stay. Names, notes
/// and forms come from elsewhere; none of them may rewrite the screen or paste into a shell.
pub fn shown(text: &str) -> Cow<'_, str> {
    let refused = |c: char| steers(c) && !matches!(c, '\n' | '\t');
    if !text.contains(refused) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if refused(c) { '\u{fffd}' } else { c }).collect())
}

/// JSON in which the same characters stand as escapes. JSON itself asks for that below U+0020 only;
/// the others can only stand inside its texts, so the meaning does not change.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if is_plain(json) || !json.contains(steers) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if steers(c) {
            // Writing to a text does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Writes JSON as [`escaped`] has it.
struct Inert;

impl serde_json::ser::Formatter for Inert {
    fn write_string_fragment<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> std::io::Result<()> {
        writer.write_all(escaped(fragment).as_bytes())
    }
}

/// An instant as ISO 8601 in UTC.
pub fn instant(at: ward_id::TimestampMs) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The UTC day of an instant, as ISO 8601.
pub fn day(at: ward_id::TimestampMs) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Where output goes.
pub struct Out {
    json: bool,
    terminal: bool,
}

impl Out {
    /// Text, or JSON.
    pub fn new(json: bool) -> Self {
        Self { json, terminal: std::io::stderr().is_terminal() }
    }

    /// Whether the person asked for JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Where a person is asked: with JSON, standard output holds the document alone.
    pub fn for_people(&self) -> Box<dyn std::io::Write> {
        if self.json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) }
    }

    /// Whether a person sits at the terminal who can be asked.
    pub fn is_watched(&self) -> bool {
        !self.json && self.terminal && std::io::stdin().is_terminal()
    }

    /// One line for people; nothing in JSON mode.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.raw(text.as_ref());
        }
    }

    /// Data that was asked for: exactly as it is into a file or a program, and without what would
    /// steer it onto a terminal.
    pub fn verbatim(&self, text: &str) {
        let mut stdout = std::io::stdout();
        let watched = stdout.is_terminal();
        let text = if watched { shown(text) } else { Cow::Borrowed(text) };
        // As in `raw`.
        let _ = stdout.write_all(text.as_bytes());
    }

    /// A document of JSON on a line of its own, as [`verbatim`](Self::verbatim). Into a file or a program it
    /// goes piece by piece: a large report does not stand in memory first.
    pub fn streamed(&self, document: &impl serde::Serialize) -> serde_json::Result<()> {
        let stdout = std::io::stdout();
        if stdout.is_terminal() {
            self.verbatim(&format!("{}\n", escaped(&serde_json::to_string(document)?)));
            return Ok(());
        }
        let mut pieces = BufWriter::with_capacity(STREAMED_BYTES, stdout.lock());
        let mut writer = serde_json::Serializer::with_formatter(&mut pieces, Inert);
        match document.serialize(&mut writer) {
            // As in `raw`.
            Err(error) if error.is_io() => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                let _ = pieces.write_all(b"\n").and_then(|()| pieces.flush());
                Ok(())
            }
        }
    }

    /// A heading with an empty line before it.
    pub fn heading(&self, text: &str) {
        if !self.json {
            self.raw(&format!("\n{}\n{}", text, "─".repeat(text.chars().count())));
        }
    }

    /// The document of JSON mode; nothing in text mode.
    pub fn document(&self, value: &serde_json::Value) {
        if self.json {
            self.raw(&escaped(&value.to_string()));
        }
    }

    /// Text and document of one result.
    pub fn both(&self, text: impl AsRef<str>, value: &serde_json::Value) {
        self.line(text);
        self.document(value);
    }

    /// A table with aligned columns.
    pub fn table(&self, heads: &[&str], rows: &[Vec<String>]) {
        if self.json {
            return;
        }
        let rows: Vec<Vec<Cow<'_, str>>> =
            rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let print = |cells: &[Cow<'_, str>]| {
            let padded: Vec<String> = cells
                .iter()
                .enumerate()
                .map(|(i, cell)| {
                    format!("{cell}{}", " ".repeat(width(i).saturating_sub(cell.chars().count())))
                })
                .collect();
            self.raw(padded.join("  ").trim_end());
        };
        print(&heads.iter().map(|head| Cow::Borrowed(*head)).collect::<Vec<_>>());
        for row in &rows {
            print(row);
        }
    }

    /// A progress bar on a terminal, else nothing until [`Progress::done`].
    pub fn progress(&self, what: &str, steps: u64) -> Progress {
        if self.json || !self.terminal {
            return Progress { bar: None };
        }
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template("{msg:32} {bar:30} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(shown(what).into_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar: Some(bar) }
    }

    /// The three sentences of a failure, on standard error.
    pub fn failure(&self, code: Option<&str>, what: &str, why: &str, next: &str, exit: u8) {
        let text = if self.json {
            let error = serde_json::json!({"error": {"code": code, "what": what, "why": why, "next": next, "exit": exit}});
            escaped(&error.to_string()).into_owned()
        } else {
            let code = code.map(|code| format!("{code}  ")).unwrap_or_default();
            // What goes on in a new line stands under its own sentence.
            let [what, why, next] = [what, why, next].map(|text| text.replace('\n', "\n        "));
            format!("{code}{what}\n  why:  {why}\n  next: {next}")
        };
        // Nothing is left to do when even standard error is gone.
        let _ = writeln!(std::io::stderr(), "{}", shown(&text));
    }

    /// One line for people beside the result, on standard error; nothing in JSON mode.
    pub fn aside(&self, text: &str) {
        if !self.json {
            // As in `failure`.
            let _ = writeln!(std::io::stderr(), "{}", one_line(text));
        }
    }

    fn raw(&self, text: &str) {
        // A closed pipe (`ward chart | head`) is not a failure.
        let _ = writeln!(std::io::stdout(), "{}", shown(text));
    }
}

/// Progress of long work.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// One step further.
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// What is being done now.
    pub fn now(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(shown(what).into_owned());
        }
    }

    /// Takes the bar away.
    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_steers_the_terminal() {
        let name = "Ada\u{1b}[31m\u{9b}2J\u{202e}nirps\u{7f}\u{2066}\r\u{7}";
        let plain = shown(name);
        assert!(!plain.contains(steers), "{plain:?}");
        assert!(plain.starts_with("Ada\u{fffd}[31m"));
        assert_eq!(shown("Zoë\n\tÅ 你好 🙂"), "Zoë\n\tÅ 你好 🙂", "names of all people stay as they are");
    }

    #[test]
    fn json_escapes_c1_and_directions_and_means_the_same() {
        let value = serde_json::json!({"name": "Ada\u{9b}2J\u{202e}\u{7f}\u{1b}", "n\u{85}": 1});
        let text = value.to_string();
        let safe = escaped(&text);
        assert!(!safe.contains(steers), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
