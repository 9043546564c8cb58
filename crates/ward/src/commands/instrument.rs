//! `ward instrument`: questionnaires, checked before anybody is asked.

use crate::cli::InstrumentCommand;
use crate::exit::{Done, Failure, Kind};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::Out;
use std::path::PathBuf;
use ward_forms::{CheckedFile, Finding, check_instrument, json_report, sarif_report, text_report};

/// Runs one of the commands.
///
/// # Errors
/// When a file cannot be read, or a questionnaire in it cannot be given to people.
pub fn run(command: &InstrumentCommand, out: &Out) -> Done {
    match command {
        InstrumentCommand::Check { files, sarif } => check(files, *sarif, out),
    }
}

fn check(files: &[PathBuf], sarif: bool, out: &Out) -> Done {
    // All files are read first, so that a report is of all of them.
    let checked = files
        .iter()
        .map(|file| {
            let bytes = super::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
            let check = check_instrument(&bytes);
            Ok(CheckedFile { name: file.display().to_string(), check })
        })
        .collect::<Result<Vec<CheckedFile>, Failure>>()?;
    if sarif {
        out.verbatim(&format!("{}\n", sarif_report(&checked, env!("CARGO_PKG_VERSION"))));
    } else {
        out.line(text_report(&checked).trim_end());
        out.document(&json_report(&checked));
    }
    let refused: Vec<&CheckedFile> = checked.iter().filter(|file| !file.check.can_be_published()).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let why = first.check.findings.iter().find(|finding| finding.is_error()).map(sentence);
    Err(Failure::new(
        Kind::No,
        format!("{} of {} questionnaires cannot be published", refused.len(), checked.len()),
        format!("{}: {}", first.name, why.unwrap_or_default()),
        "correct what is marked as an error",
    ))
}

fn sentence(finding: &Finding) -> String {
    let path = finding.path.to_string();
    if path.is_empty() { finding.message.clone() } else { format!("{path}: {}", finding.message) }
}
