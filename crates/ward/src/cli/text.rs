//! Words of the command about notes that several people edit.

use clap::Subcommand;
use std::path::PathBuf;
use ward_id::{ChartId, hex_decode};
use ward_sync::TextId;

/// `ward text …`.
#[derive(Debug, Subcommand)]
pub enum TextCommand {
    /// The notes of a chart that several people edit.
    List {
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// One note: what it says, what was merged, who signed, what changed since.
    Show {
        /// The note, as `ward text list` names it.
        #[arg(value_parser = text_id)]
        text: TextId,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Let a note say what is in a file. What differs from what you saw is written, nothing else.
    Write {
        /// The note, as `ward text list` names it; a new one when left out.
        #[arg(value_parser = text_id)]
        text: Option<TextId>,
        /// The file, or `-` to read it from standard input.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Add a paragraph at the end of a note.
    Append {
        /// The note, as `ward text list` names it.
        #[arg(value_parser = text_id)]
        text: TextId,
        /// The words.
        words: String,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
    /// Sign a note as it was shown here.
    Sign {
        /// The note, as `ward text list` names it.
        #[arg(value_parser = text_id)]
        text: TextId,
        /// What your signature means, such as `read and agreed`.
        #[arg(long)]
        meaning: String,
        /// The chart; may be left out where there is one.
        #[arg(long)]
        chart: Option<ChartId>,
    },
}

fn text_id(text: &str) -> Result<TextId, String> {
    let bytes = hex_decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes.map(TextId).ok_or_else(|| "a note is named by 32 hexadecimal digits".to_owned())
}
