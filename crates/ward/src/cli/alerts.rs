//! Words of the commands about alert rules.

use clap::Subcommand;
use std::path::PathBuf;

/// `ward alerts …`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Say what is wrong with a rule set, and which of its rules could never fire on these
    /// questionnaires. Needs no device and no network.
    Check {
        /// The rule set (JSON).
        rules: PathBuf,
        /// A questionnaire of the study (FHIR JSON); give each of them.
        #[arg(long = "form", value_name = "FILE", required = true)]
        forms: Vec<PathBuf>,
    },
    /// Sign a rule set into the membership log; the devices of every care team follow it. An admin's
    /// device.
    Publish {
        /// The rule set (JSON). Its revision must be the number after the one before; the first is 1.
        rules: PathBuf,
        /// A questionnaire of the study (FHIR JSON); give each of them.
        #[arg(long = "form", value_name = "FILE", required = true)]
        forms: Vec<PathBuf>,
    },
    /// The rules that count here, and those before them, which still look at what was sealed earlier.
    Show,
    /// How many alerts a week there were, how many somebody acted upon, and how soon.
    Report,
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
