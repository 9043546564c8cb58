//! Words of the commands that write one entry.

use clap::Subcommand;
use ward_id::ChartId;

/// `ward record …`.
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// A dose taken or skipped.
    Dose {
        /// The medication.
        medication: String,
        /// It was not taken.
        #[arg(long)]
        skipped: bool,
        /// The chart.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// A field of the medication plan.
    Plan {
        /// The medication.
        medication: String,
        /// The field, such as `dose`.
        field: String,
        /// Its value.
        value: String,
        /// Its unit.
        #[arg(long)]
        unit: Option<String>,
        /// The chart.
        #[arg(long)]
        chart: ChartId,
        /// The entry whose value this one replaces. Needed where one came since `ward chart` was last
        /// looked at here. Where several values contradict each other, `ward resolve` decides.
        #[arg(long, value_name = "ENTRY")]
        replaces: Vec<ward_id::EntryId>,
    },
    /// A note.
    Note {
        /// Its text.
        text: String,
        /// The chart.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Mark an entry of this device that was not sent yet as urgent: the care team gets it and is
    /// alerted even if this device cannot send as usual.
    Urgent {
        /// The entry.
        entry: ward_id::EntryId,
        /// The chart.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Consent to a version of the consent form, or its withdrawal.
    Consent {
        /// The version.
        version: String,
        /// Withdraw it.
        #[arg(long)]
        withdraw: bool,
        /// With --withdraw: ask that the data be erased, not kept.
        #[arg(long, requires = "withdraw")]
        erase: bool,
        /// The chart.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Where the participant stands: screened, active, paused, withdrawn, completed.
    Participation {
        /// The state.
        #[arg(value_parser = ["screened", "active", "paused", "withdrawn", "completed"])]
        state: String,
        /// The chart.
        #[arg(long)]
        chart: Option<ChartId>,
    },
}
