//! Words of the command about attachments.

use clap::Subcommand;
use std::path::PathBuf;
use ward_id::{ChartId, EntryId};

/// `ward attachment …`.
#[derive(Debug, Subcommand)]
pub enum AttachmentCommand {
    /// Attach a file. It is sealed on this device; `ward sync` sends it after the entries.
    Add {
        /// The file.
        file: PathBuf,
        /// What it is, such as `image/jpeg`; by the end of its name when left out.
        #[arg(long, value_name = "MEDIA TYPE")]
        media_type: Option<String>,
        /// A name for it; that of the file when left out.
        #[arg(long)]
        name: Option<String>,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// The attachments of a chart, and where their contents are.
    List {
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Fetch the content of an attachment and write it to a new file, once it is checked.
    Fetch {
        /// The attachment, as `ward attachment list` names it.
        entry: EntryId,
        /// File to write.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
}
