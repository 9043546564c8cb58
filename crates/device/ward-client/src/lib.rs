//! The SDK: enrolment, unlock, local store, sync, decryption.
//!
//! An app gives a [`Client`] four ports: a place for rows, a way to the server, clocks and
//! randomness, and a key outside the store. The client does the rest: it enrols the device, lets
//! people write with or without a network, seals and sends, fetches and verifies, opens and shows.
//! With the feature `native` (on by default) the ports are at hand: one SQLite file, HTTPS with
//! pinned keys, the system's clocks, a key file.
//!
//! Invariant: this crate reads no clock, no randomness, no file and no network but through its
//! ports; keys never leave it; nothing that a person wrote is dropped or changed, whatever the
//! server does.

mod blobs;
pub mod bootstrap;
mod client;
#[doc(hidden)]
pub mod conformance;
mod error;
pub mod export;
pub mod limits;
#[cfg(feature = "native")]
pub mod native;
mod parallel;
mod ports;
mod query;
mod room;
mod staff;
mod store;
mod sync_schedule;
mod unsent;
pub mod views;
mod wire;

pub use blobs::{AttachmentState, AttachmentView};
pub use bootstrap::{AdminSeed, SiteBootstrap, SitePlan, site_bootstrap};
pub use client::{
    ChartTrust, Client, DeviceAnswer, DeviceOrder, DeviceState, DraftKey, EnrolOutcome, Evidence,
    LostEntries, Me, NamedBy, OnlyHere, OpenDraft, Outcome, PendingEnrolment, RepairReport, SyncProblem,
    SyncReport, WaitingDevice, WaitingDrop,
};
pub use error::{ClientCode, ClientError};
pub use ports::{
    DeviceKeyError, DeviceKeyStore, Environment, HighWater, HintStream, HttpMethod, HttpRequest,
    HttpResponse, OwnHead, Row, RowStore, RowStoreError, RowWrite, ServerAddress, StoreSpace, Transport,
    TransportError, WriteBatch,
};
pub use query::{
    ChartAdherence, ChartDelivery, ChartSummary, EntryDelivery, HeadStatus, Losses, OldestUnsent, Status,
    Unchecked, WitnessStatus, stop_words,
};
pub use room::{Growth, RoomStatus, StorageFacts, StorageStep, next_step};
pub use staff::{
    Certified, Comparison, NewInvite, PendingCert, PendingReopening, ProposalView, RecoverRequest, TicketRow,
};
pub use sync_schedule::{SyncEnd, SyncSchedule, SyncSignal};
pub use unsent::{ExportReaders, ExportedWork, ImportKey, ImportStanding, ImportedEntry, ImportedWork};
