//! Words of the command about alert rules.

use clap::Subcommand;
use std::path::PathBuf;

/// `ward alerts …`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Replay past answers under a rule set: how many alerts a week would each rule have raised?
    /// Needs no device and no network. An export does not hold what was planned, so rules about
    /// missed questionnaires are named and not tried.
    Try {
        /// The rule set (JSON).
        rules: PathBuf,
        /// The past answers, as `ward export` writes them (FHIR NDJSON).
        #[arg(long, value_name = "EXPORT")]
        on: PathBuf,
        /// A questionnaire that the answers belong to (FHIR JSON); give each version that was used.
        #[arg(long = "form", value_name = "FILE", required = true)]
        forms: Vec<PathBuf>,
        /// Which questions of the questionnaires are which items of the EORTC QLQ-C30 (JSON); for
        /// rules about its scales.
        #[arg(long, value_name = "FILE")]
        score_map: Option<PathBuf>,
    },
}
