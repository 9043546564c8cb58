//! The client: one device of one site, its local store, and its way to the server.

mod as_if_trusted;
mod base_rows;
mod base_verify;
mod bind_answers;
mod capture;
mod carried;
mod chart_pages;
mod checkpoints;
mod cold_start;
mod commit;
mod compare_checkpoint;
mod decide;
mod drafts;
mod edit_text;
mod ended_logs;
mod enrol;
mod fetch_proofs;
mod follow_mlog;
mod foresee;
mod give_back_branches;
mod give_back_mlog;
mod greeting;
mod hand_over;
mod hints;
mod incidents;
mod keep_epochs;
mod kept_submissions;
mod load;
mod look_through;
mod meet_chart;
mod mend_places;
mod next_device;
mod olog_proofs;
mod open_device;
mod opened;
mod orders;
mod problem;
mod pull;
mod push;
mod read_base;
mod receipts;
mod receive_drops;
mod relay;
mod renew;
mod reopened_log;
mod repair;
mod repair_blobs;
mod same_occurrence;
pub(crate) mod site_trust;
mod submit;
mod surplus;
mod sync;
mod sync_memory;
mod trusted_time;
mod wipe;
mod zones_seen;

pub use base_verify::ChartTrust;
pub(crate) use capture::{Rewrite, stage};
pub(crate) use carried::{carried_names, carries_rightly, innermost_kind};
pub use drafts::{DraftKey, OpenDraft};
pub use enrol::{EnrolOutcome, PendingEnrolment};
pub(crate) use incidents::event_name;
pub use next_device::{DeviceAnswer, WaitingDevice};
pub use olog_proofs::NamedBy;
pub use open_device::Me;
pub(crate) use open_device::{LocalChart, OpenDevice, Unopened};
pub use orders::DeviceOrder;
pub use problem::{Evidence, SyncProblem};
pub(crate) use push::is_fresh;
pub use receive_drops::WaitingDrop;
pub(crate) use repair::counted as counted_losses;
pub use repair::{LostEntries, RepairReport};
pub use submit::Outcome;
pub(crate) use submit::as_error;
pub use sync::SyncReport;
pub use wipe::OnlyHere;

use crate::store::SealedRows;
use crate::wire::Wire;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, ServerAddress, Transport};
use enrol::Enrolling;

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Nothing is stored yet.
    New,
    /// Something is stored, and locked.
    Locked,
    /// An invitation was taken; the issuer has not signed yet.
    Enrolling,
    /// Enrolled and unlocked.
    Ready,
    /// Enrolled and unlocked, but the store was set back: it must sync before it writes.
    SetBack,
}

enum Phase {
    New,
    Locked,
    Enrolling(Box<Enrolling>),
    Ready(Box<OpenDevice>),
}

/// One device of one site.
///
/// The client is one task: calls that change something take `&mut self`. Keys never leave it.
pub struct Client<S, T, E, K> {
    rows: SealedRows<S>,
    transport: T,
    env: E,
    device_key: K,
    phase: Phase,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes the four ports and looks whether the store is empty. Nothing is unlocked.
    ///
    /// # Errors
    /// [`ClientError::Store`].
    pub async fn open(rows: S, transport: T, env: E, device_key: K) -> Result<Self, ClientError> {
        let mut rows = SealedRows::new(rows);
        if rows.is_wiping().await? {
            // A wipe that was cut off is carried to its end before anything else.
            wipe::carry_out(&mut rows, &device_key).await?;
        }
        let phase = if rows.wrapped_key().await?.is_some() { Phase::Locked } else { Phase::New };
        Ok(Self { rows, transport, env, device_key, phase })
    }

    /// Where this device stands.
    pub fn state(&self) -> DeviceState {
        match &self.phase {
            Phase::New => DeviceState::New,
            Phase::Locked => DeviceState::Locked,
            Phase::Enrolling(_) => DeviceState::Enrolling,
            Phase::Ready(open) if open.set_back => DeviceState::SetBack,
            Phase::Ready(_) => DeviceState::Ready,
        }
    }

    /// Forgets all keys and everything opened.
    pub fn lock(&mut self) {
        if !matches!(self.phase, Phase::New) {
            self.phase = Phase::Locked;
        }
        self.rows.lock();
    }

    /// Ends the client and gives the ports back.
    pub fn into_ports(self) -> (S, T, E, K) {
        (self.rows.into_rows(), self.transport, self.env, self.device_key)
    }

    /// The clocks and the entropy that the client was given.
    pub const fn environment(&self) -> &E {
        &self.env
    }

    /// The same, to draw randomness for ids.
    pub const fn environment_mut(&mut self) -> &mut E {
        &mut self.env
    }

    /// The transport that the client was given.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// Who this device is.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn me(&self) -> Result<&Me, ClientError> {
        Ok(&self.device()?.me)
    }

    /// Where the server is.
    ///
    /// # Errors
    /// As [`Client::me`].
    pub fn server(&self) -> Result<&ServerAddress, ClientError> {
        Ok(&self.device()?.server)
    }

    /// Whether a newer version of Ward wrote this store: it can be read and exported here, and
    /// nothing is written or sent.
    pub fn is_read_only(&self) -> bool {
        self.rows.is_read_only()
    }

    pub(crate) const fn rows(&self) -> &SealedRows<S> {
        &self.rows
    }

    pub(crate) fn device(&self) -> Result<&OpenDevice, ClientError> {
        match &self.phase {
            Phase::Ready(open) => Ok(open),
            Phase::Locked => Err(ClientError::Locked),
            Phase::New | Phase::Enrolling(_) => Err(ClientError::NotEnrolled),
        }
    }

    pub(crate) fn device_mut(&mut self) -> Result<&mut OpenDevice, ClientError> {
        match &mut self.phase {
            Phase::Ready(open) => Ok(open),
            Phase::Locked => Err(ClientError::Locked),
            Phase::New | Phase::Enrolling(_) => Err(ClientError::NotEnrolled),
        }
    }

    /// Borrows the device and the environment apart, for work that needs keys and entropy.
    pub(crate) fn device_and_env(&mut self) -> Result<(&mut OpenDevice, &mut E), ClientError> {
        match &mut self.phase {
            Phase::Ready(open) => Ok((open, &mut self.env)),
            Phase::Locked => Err(ClientError::Locked),
            Phase::New | Phase::Enrolling(_) => Err(ClientError::NotEnrolled),
        }
    }

    /// The way to the server for one call.
    pub(crate) fn wire(&mut self) -> Result<Wire<'_, T, E>, ClientError> {
        let open = match &mut self.phase {
            Phase::Ready(open) => open,
            Phase::Locked => return Err(ClientError::Locked),
            Phase::New | Phase::Enrolling(_) => return Err(ClientError::NotEnrolled),
        };
        let OpenDevice { server, session, keys, me, .. } = &mut **open;
        Ok(Wire { transport: &self.transport, env: &mut self.env, server, session, keys, device: me.device })
    }
}
