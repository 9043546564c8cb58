//! Words of the command about questionnaires before anybody is asked.

use clap::Subcommand;
use std::path::PathBuf;

/// `ward instrument …`.
#[derive(Debug, Subcommand)]
pub enum InstrumentCommand {
    /// Say what is wrong with questionnaires, item by item. Needs no device and no network.
    Check {
        /// The questionnaires (FHIR R4 JSON).
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print SARIF 2.1.0, as code-scanning tools read it, instead of text or the JSON report.
        #[arg(long)]
        sarif: bool,
    },
}
