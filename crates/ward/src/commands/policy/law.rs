//! `ward policy law`: what Ward cites beside an official edition.

use super::own_rules::rules_with;
use super::print_json;
use crate::cli::{ListFormat, PolicyLawCommand};
use crate::exit::Failure;
use crate::print::Out;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use ward_policy::Day;
use ward_policy::law::{CheckedCitation, Edition, ParagraphState, Review, verify_law};
use ward_policy::limits::{MAX_EDITION_BYTES, REVIEW_INTERVAL_DAYS};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Runs one of the commands.
///
/// # Errors
/// When the edition is not read.
pub fn run(command: &PolicyLawCommand, out: &Out) -> Result<ExitCode, Failure> {
    match command {
        PolicyLawCommand::Verify { law, format } => verify(law, *format, out),
    }
}

/// Today, in UTC.
pub fn today() -> Day {
    Day::from_number(jiff::Timestamp::now().as_second().div_euclid(DAY_S))
}

/// Reads every list of paragraphs in a folder.
///
/// # Errors
/// When there is none, or one has a fault.
pub fn read_edition(dir: &Path) -> Result<Edition, Failure> {
    let unread = |place: &Path, error: &dyn std::fmt::Display| {
        Failure::input(
            format!("{} is no edition of law", place.display()),
            error,
            "give a folder with lists of paragraphs as JSON, each with cite and text",
        )
    };
    let entries = std::fs::read_dir(dir).map_err(|error| unread(dir, &error))?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unread(dir, &error))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut edition = Edition::default();
    for file in &files {
        let bytes = crate::commands::read_input_file(file, MAX_EDITION_BYTES as u64)?;
        edition.add(&bytes).map_err(|error| unread(file, &error))?;
    }
    if edition.is_empty() {
        return Err(unread(dir, &"it holds no paragraph"));
    }
    Ok(edition)
}

fn verify(law: &Path, format: ListFormat, out: &Out) -> Result<ExitCode, Failure> {
    let edition = read_edition(law)?;
    let rules = rules_with(None)?;
    let checked = verify_law(rules.law(), &edition, today());
    if out.is_json() || format == ListFormat::Json {
        let rows: Vec<serde_json::Value> = checked.iter().map(row_for_programs).collect();
        print_json(&serde_json::json!({"format": 1, "citations": rows}), out)?;
    } else {
        print_rows(&checked, &edition, out);
    }
    let is_changed = |one: &CheckedCitation<'_>| {
        matches!(one.paragraph, ParagraphState::Changed { .. }) || matches!(one.review, Review::Due(_))
    };
    let is_missing = |one: &CheckedCitation<'_>| one.paragraph == ParagraphState::Missing;
    Ok(ExitCode::from(if checked.iter().any(is_changed) {
        1
    } else if checked.iter().any(is_missing) {
        2
    } else {
        0
    }))
}

fn row_for_programs(one: &CheckedCitation<'_>) -> serde_json::Value {
    serde_json::json!({
        "key": one.citation.key,
        "cite": one.citation.cite,
        "paragraph": one.paragraph.word(),
        "review": one.review.word(),
        "verified": one.citation.verified,
        "effective": one.citation.effective,
        "source": one.citation.source,
    })
}

fn print_rows(checked: &[CheckedCitation<'_>], edition: &Edition, out: &Out) {
    let row = |one: &CheckedCitation<'_>| {
        let because = match &one.paragraph {
            ParagraphState::NotChecked(because) => (*because).to_owned(),
            ParagraphState::Changed { found } => format!("the edition's hash is {found}"),
            ParagraphState::Same | ParagraphState::Missing => String::new(),
        };
        vec![
            one.citation.cite.to_string(),
            one.paragraph.word().to_owned(),
            one.review.word().to_owned(),
            because,
        ]
    };
    let rows: Vec<Vec<String>> = checked.iter().map(row).collect();
    out.table(&["paragraph", "words", "summary", ""], &rows);
    let count = |is: &dyn Fn(&CheckedCitation<'_>) -> bool| checked.iter().filter(|one| is(one)).count();
    out.line(format!(
        "\n{} paragraphs beside an edition of {}: {} the same, {} changed, {} not in the edition, {} not checked",
        checked.len(),
        edition.len(),
        count(&|one| one.paragraph == ParagraphState::Same),
        count(&|one| matches!(one.paragraph, ParagraphState::Changed { .. })),
        count(&|one| one.paragraph == ParagraphState::Missing),
        count(&|one| matches!(one.paragraph, ParagraphState::NotChecked(_))),
    ));
    out.line(format!(
        "Summaries compared with the official text by a person: {}; review due: {}; never: {}. A review counts \
         for {REVIEW_INTERVAL_DAYS} days.",
        count(&|one| matches!(one.review, Review::Current(_))),
        count(&|one| matches!(one.review, Review::Due(_))),
        count(&|one| one.review == Review::Never),
    ));
}
