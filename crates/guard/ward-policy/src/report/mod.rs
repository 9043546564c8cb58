//! What a person and a program read about a check.

mod data;
mod html;
mod page;
mod rule_data;
mod rule_text;
mod sarif;
mod source_files;
mod terminal;
mod text;

pub use data::{CheckReport, CitationReport, FindingReport, FindingReports, InputReport, ObservationReport};
pub use html::html;
pub use page::{mapping_page, rule_page};
pub use rule_data::RuleReport;
pub use rule_text::rule_text;
pub use sarif::sarif;
pub use source_files::{NoSourceFiles, SourceFiles};
pub use terminal::Style;
pub use text::{text, text_with_source};

use crate::evaluate::Assessment;
use crate::input_error::InputError;
use crate::verdict::Exit;

/// Why a check with a baseline that is too long does not pass.
pub(crate) const BASELINE_HAS_TO_SHRINK: &str =
    "the baseline has findings that are gone or changed: take them out (ward policy baseline write)";

/// One input with what came of it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The input as the caller named it.
    pub name: &'a str,
    /// How it stands to the rules, or why it was not read.
    pub result: Result<Assessment<'a>, InputError>,
}

impl Checked<'_> {
    /// How the check of this input ends.
    #[must_use]
    pub fn exit(&self, allow_empty: bool) -> Exit {
        match &self.result {
            Ok(assessment) => assessment.exit(allow_empty),
            Err(_) => Exit::NotRead,
        }
    }
}

/// How the check of all inputs ends. No input at all is not a pass.
#[must_use]
pub fn exit_of(inputs: &[Checked<'_>], allow_empty: bool) -> Exit {
    let all = inputs.iter().map(|input| input.exit(allow_empty)).reduce(Exit::and);
    all.unwrap_or(Exit::Indeterminate)
}
