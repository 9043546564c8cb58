//! Words of the command about lists of a chart.

use clap::Subcommand;
use ward_id::ChartId;

/// `ward set …`.
#[derive(Debug, Subcommand)]
pub enum SetCommand {
    /// Put something into a list.
    Add {
        /// The list, such as `allergies`.
        set: String,
        /// What to put in.
        element: String,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Take something out of a list. What somebody puts in meanwhile stays.
    Remove {
        /// The list.
        set: String,
        /// What to take out.
        element: String,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// The lists of a chart.
    List {
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
}
