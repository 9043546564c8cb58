//! Words of the commands that check a trail.

use clap::{Args, Subcommand};
use std::path::PathBuf;
use ward_id::ChartId;

/// `ward audit chart`.
#[derive(Debug, Args)]
pub struct AuditChartArgs {
    /// The chart.
    pub chart: ChartId,
    /// Print a table (CSV) instead. Staff: this leaves a receipt in the chart, as every export does.
    #[arg(long, conflicts_with = "balp")]
    pub csv: bool,
    /// Write FHIR audit events (IHE BALP, one a line) to this file; `-` for standard output. Staff:
    /// this leaves a receipt in the chart.
    #[arg(long, value_name = "FILE")]
    pub balp: Option<String>,
}

/// `ward audit …`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check both logs, every receipt and every chain that this device holds.
    Verify {
        /// Check the server's whole database as well (its configuration file).
        #[arg(long, value_name = "FILE")]
        server: Option<PathBuf>,
    },
    /// Check an audit package offline: no key, no device of the site and no network are needed.
    Check {
        /// The package's folder.
        dir: PathBuf,
        /// The fingerprint of the site's root, as the site gave it out (64 hexadecimal digits).
        #[arg(long, value_name = "FINGERPRINT")]
        root: Option<ward_id::RootFingerprint>,
    },
    /// Print the proof that an entry stands in the log.
    Prove {
        /// The entry.
        entry: ward_id::EntryId,
    },
    /// The complete trail of a chart: who, what, before and after, why, when by whose word, where it
    /// stands. Works without a network.
    Chart(AuditChartArgs),
    /// A chart's data, checkpoint and proofs for an inspector, with a page that says how to verify.
    Package {
        /// The chart.
        chart: ChartId,
        /// Folder to make.
        dir: PathBuf,
    },
}
