//! Everything that is printed goes through here: text for people, one JSON document for programs,
//! and progress only where a person watches.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

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

    /// One line for people; nothing in JSON mode.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.raw(text.as_ref());
        }
    }

    /// Text exactly as it is: data that was asked for.
    pub fn verbatim(&self, text: &str) {
        // As in `raw`.
        let _ = std::io::stdout().write_all(text.as_bytes());
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
            self.raw(&value.to_string());
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
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let print = |cells: &[String]| {
            let padded: Vec<String> = cells
                .iter()
                .enumerate()
                .map(|(i, cell)| {
                    format!("{cell}{}", " ".repeat(width(i).saturating_sub(cell.chars().count())))
                })
                .collect();
            self.raw(padded.join("  ").trim_end());
        };
        print(&heads.iter().map(ToString::to_string).collect::<Vec<_>>());
        for row in rows {
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
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar: Some(bar) }
    }

    /// The three sentences of a failure, on standard error.
    pub fn failure(&self, code: Option<&str>, what: &str, why: &str, next: &str, exit: u8) {
        let text = if self.json {
            serde_json::json!({"error": {"code": code, "what": what, "why": why, "next": next, "exit": exit}})
                .to_string()
        } else {
            let code = code.map(|code| format!("{code}  ")).unwrap_or_default();
            format!("{code}{what}\n  why:  {why}\n  next: {next}")
        };
        // Nothing is left to do when even standard error is gone.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    fn raw(&self, text: &str) {
        // A closed pipe (`ward chart | head`) is not a failure.
        let _ = writeln!(std::io::stdout(), "{text}");
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
            bar.set_message(what.to_owned());
        }
    }

    /// Takes the bar away.
    pub fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
