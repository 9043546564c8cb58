//! Words of the command about a participant's devices.

use clap::{Args, Subcommand};
use ward_id::{ChartId, DeviceId};

/// `ward devices`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DevicesArgs {
    #[command(subcommand)]
    pub command: Option<DevicesCommand>,
    /// The participant's chart; may be left out where there is one.
    #[arg(long)]
    pub chart: Option<ChartId>,
}

/// `ward devices …`.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// Compare the six words with your new device, and sign for it. On a device that you have.
    Approve {
        /// The new device, as `ward devices` names it.
        device: DeviceId,
        /// Your new device shows the same six words.
        #[arg(long, conflicts_with = "different")]
        same: bool,
        /// It shows others, or it is not yours: refuse it.
        #[arg(long)]
        different: bool,
    },
}
