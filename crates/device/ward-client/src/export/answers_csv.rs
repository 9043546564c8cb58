//! Answers as a long table (RFC 4180, UTF-8, CRLF), one answer a row, for statistics.
//!
//! The chart's id is the only name of the participant. Every version that holds is listed; where
//! several corrections hold at once, all are, marked `conflict` in the last column, so that no
//! value is chosen in silence; answers that were sent twice for one planned time are all marked
//! `duplicate-for-review`. Answers that were declared void are one row without an answer, marked
//! `void`, with the reason. Replaced versions are in the audit package.
//!
//! **Spreadsheets.** A text that begins with `=`, `+`, `-` or `@` (also after blanks, and also in
//! full width), or with a tab or a line end, would be run as a formula by common spreadsheet
//! programs. Such a text gets a leading apostrophe. Answers that are numbers never do: `-3` stays
//! `-3`. Who reads the file with a program should take one apostrophe off texts of that form.

use super::answers::answer_rows;
use super::fhir_ndjson::DUPLICATE;
use crate::views::calendar::iso_instant;
use crate::views::{ChartForms, NamedChart, answered_by_code, status_code};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use ward_sync::{Response, ResponseKey, Thread, Void, Written};

/// The columns.
pub const CSV_COLUMNS: [&str; 16] = [
    "chart",
    "occurrence",
    "instrument",
    "version",
    "link_id",
    "question",
    "answer_code",
    "answer",
    "captured_at",
    "received_at",
    "answered_by",
    "status",
    "amended_reason",
    "author_role",
    "entry",
    "standing",
];

/// One cell.
enum Cell<'a> {
    /// Made by Ward, or a number: cannot be a formula.
    Plain(&'a str),
    /// Somebody's words.
    Text(&'a str),
}

/// The answers of charts, in the order in which the charts are given.
pub fn answers_csv(charts: &[NamedChart<'_>]) -> String {
    let mut out = String::new();
    push_row(&mut out, &CSV_COLUMNS.map(Cell::Plain));
    for chart in charts {
        let forms = ChartForms::of(chart.view);
        let twice: BTreeSet<&ResponseKey> = chart.view.duplicate_responses().collect();
        for (key, threads) in chart.view.responses() {
            let standing = if twice.contains(key) { DUPLICATE } else { "current" };
            threads.iter().for_each(|thread| push_thread(&mut out, chart, &forms, thread, standing));
        }
    }
    out
}

fn push_thread(
    out: &mut String,
    chart: &NamedChart<'_>,
    forms: &ChartForms,
    thread: &Thread<'_, Response>,
    standing: &str,
) {
    let standing = if thread.is_conflict() { "conflict" } else { standing };
    for written in thread.values() {
        push_response(out, chart, forms, written, standing);
    }
    let standing = if thread.is_conflict() { "conflict-void" } else { "void" };
    if let Some(first) = thread.first() {
        thread.voids.iter().for_each(|void| push_void(out, chart, forms, first, void, standing));
    }
}

/// Who says that a record does not hold, and why: a row without an answer.
fn push_void(
    out: &mut String,
    chart: &NamedChart<'_>,
    forms: &ChartForms,
    record: &Written<'_, Response>,
    void: &Written<'_, Void>,
    standing: &str,
) {
    let value = record.value;
    let (url, version) = forms.name_of(value);
    let (chart, entry) = (chart.chart.to_string(), void.id().to_string());
    let row = [
        Cell::Plain(&chart),
        Cell::Text(value.occurrence().as_str()),
        Cell::Text(url),
        Cell::Text(version),
        Cell::Plain(""),
        Cell::Plain(""),
        Cell::Plain(""),
        Cell::Plain(""),
        Cell::Plain(&iso_instant(void.captured_at())),
        Cell::Plain(&void.arrival.received_at.map(iso_instant).unwrap_or_default()),
        Cell::Plain(answered_by_code(value.answered_by())),
        Cell::Plain("entered-in-error"),
        Cell::Text(void.entry.body().reason.as_deref().unwrap_or_default()),
        Cell::Plain(crate::views::role_name(void.author.role)),
        Cell::Plain(&entry),
        Cell::Plain(standing),
    ];
    push_row(out, &row);
}

fn push_response(
    out: &mut String,
    chart: &NamedChart<'_>,
    forms: &ChartForms,
    written: &Written<'_, Response>,
    standing: &str,
) {
    let value = written.value;
    let form = forms.form_of(value).ok();
    let (url, version) = forms.name_of(value);
    let (chart, entry) = (chart.chart.to_string(), written.id().to_string());
    let captured = iso_instant(written.captured_at());
    let received = written.arrival.received_at.map(iso_instant).unwrap_or_default();
    let reason = written.entry.body().reason.as_deref().unwrap_or_default();
    let mut push = |link_id: &str, question: &str, code: &str, answer: Cell<'_>, standing: &str| {
        let row = [
            Cell::Plain(&chart),
            Cell::Text(value.occurrence().as_str()),
            Cell::Text(url),
            Cell::Text(version),
            Cell::Text(link_id),
            Cell::Text(question),
            Cell::Text(code),
            answer,
            Cell::Plain(&captured),
            Cell::Plain(&received),
            Cell::Plain(answered_by_code(value.answered_by())),
            Cell::Plain(status_code(value.status())),
            Cell::Text(reason),
            Cell::Plain(crate::views::role_name(written.author.role)),
            Cell::Plain(&entry),
            Cell::Plain(standing),
        ];
        push_row(out, &row);
    };
    let Ok(response) = forms.answers_of(value) else {
        // A response that cannot be read has a row of its own rather than none.
        push("", "", "", Cell::Plain(""), "unreadable");
        return;
    };
    for row in answer_rows(form, &response) {
        let answer = if row.is_number { Cell::Plain(&row.answer) } else { Cell::Text(&row.answer) };
        push(&row.link_id, &row.question, row.code.as_deref().unwrap_or_default(), answer, standing);
    }
}

fn push_row(out: &mut String, cells: &[Cell<'_>]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let (guard, text) = match cell {
            Cell::Plain(text) => ("", *text),
            Cell::Text(text) => (if looks_like_formula(text) { "'" } else { "" }, *text),
        };
        if text.contains(['"', ',', '\r', '\n']) {
            // Writing into a string cannot fail.
            let _ = write!(out, "\"{guard}{}\"", text.replace('"', "\"\""));
        } else {
            out.push_str(guard);
            out.push_str(text);
        }
    }
    out.push_str("\r\n");
}

fn looks_like_formula(text: &str) -> bool {
    let starts = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        for (text, written) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "'+1"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("＝1", "'＝1"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
        ] {
            let mut out = String::new();
            push_row(&mut out, &[Cell::Text(text)]);
            assert_eq!(out, format!("{written}\r\n"));
        }
        let mut out = String::new();
        push_row(&mut out, &[Cell::Plain("-3"), Cell::Text("-3")]);
        assert_eq!(out, "-3,'-3\r\n");
    }
}
