//! What can go wrong in a call of the SDK, with the code that the error pages are named after.

use crate::{DeviceKeyError, Growth, RowStoreError, TransportError};
use std::fmt;
use ward_api::{ErrorCode, Problem, Who};
use ward_crypto::{CryptoError, FormatError, TicketError};
use ward_id::ChartId;
use ward_sync::EntryError;

/// A call that was not done. Nothing was half done: the local store changes as a whole or not at
/// all.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// The local store could not be read or written.
    #[error(transparent)]
    Store(#[from] RowStoreError),
    /// The device key could not be used.
    #[error(transparent)]
    DeviceKey(#[from] DeviceKeyError),
    /// The server could not be reached; what waits stays queued.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server refused; the problem says why and who must act.
    #[error("{}: {}", .0.title, .0.detail)]
    Refused(Box<Problem>),
    /// The answer is not one of a Ward server. The app tries again; if it lasts, the network (a
    /// captive portal, a proxy) or the operator must act.
    #[error("the answer to {path} is not one of a Ward server")]
    BadAnswer {
        /// The path that was asked.
        path: String,
    },
    /// A key or a signature was not accepted.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Something that would be signed or sealed breaks a rule of its format. The app must act.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The entry cannot be made. The app must not offer it.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The invitation cannot be used. The person must act.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The hardware key did not sign. The person must act.
    #[error("this device's key did not sign; unlock it and try again")]
    DeviceKeyFailed,
    /// The store is locked. The person must unlock.
    #[error("this device is locked")]
    Locked,
    /// The device has no site yet. The person must enrol it.
    #[error("this device is not enrolled; enrol it with an invitation first")]
    NotEnrolled,
    /// The device has a site already.
    #[error("this device is enrolled already; one store holds one site")]
    AlreadyEnrolled,
    /// A stored row is not what was stored: it was changed, moved or damaged. The person must act:
    /// what the server has can be fetched again after enrolling anew.
    #[error("a row of the local store ({table}) was changed or damaged")]
    StoreDamaged {
        /// The table.
        table: &'static str,
    },
    /// The store was set back to an older state. The app must sync before it writes.
    #[error(
        "this device's store was set back to an older state; it must meet the server before it writes again"
    )]
    StoreSetBack,
    /// A newer version of Ward wrote this device's store. The person must act: update, or export here.
    #[error("a newer version of Ward wrote this device's store; here it can be read and exported only")]
    StoreIsNewer,
    /// The app is too old to change this. The person must act: update.
    #[error("this app is too old to change this; it shows what it can, and a newer app may change it")]
    NeedsNewerApp,
    /// Other values hold than those that a decision is between. The person must act: look again.
    #[error("other values hold now than those that you decided between; look at them again")]
    ConflictMoved,
    /// The study schema drops what somebody's safety hangs on. The person must act: correct it.
    #[error("the study schema is refused: {0}")]
    SchemaRefused(String),
    /// The alert rules cannot be read by the devices of the care team. The person must act: correct them.
    #[error("the alert rules are refused: {0}")]
    RulesRefused(String),
    /// The device did not meet its server for so long that it opens for writing only, or not at all.
    /// The person must go online; nothing was deleted.
    #[error("this device has not met its server for too long; connect it and sync, nothing is lost")]
    LeaseEnded,
    /// The site has taken this device out and does not trust it any more, or ordered its wipe. The person
    /// must ask the site.
    #[error("the site has taken this device out; it shows and takes nothing more, ask your site")]
    Severed,
    /// The chart is not one that this device may read. The person must act.
    #[error("this device is not a member of chart {0}")]
    UnknownChart(ChartId),
    /// The chart has more entries than a device holds. Nothing more of it is taken, so that no entry is
    /// left out in silence. The operator must act: the server's limits lie below this.
    #[error("chart {0} has more entries than a device can hold")]
    ChartFull(ChartId),
    /// The device's role may not do this, by the rules of the site. The person must act.
    #[error("this device may not do that: {0}")]
    NotAllowed(&'static str),
    /// Nothing by this name is known here. The person must act.
    #[error("{0} is not known on this device")]
    Unknown(&'static str),
    /// The keys or the certificate of an enrolment do not fit the invitation: somebody is in
    /// between. The person must act: decline, and call the site.
    #[error("the enrolment does not fit the invitation; decline it and call the site")]
    EnrolmentMismatch,
    /// The site's root policy or manifest does not verify. Nothing of this server is taken.
    #[error("the server shows another site than the invitation named")]
    WrongSite,
    /// The membership log the server offers does not verify; nothing of it was taken.
    #[error("the membership log offered by the server does not verify: {0}")]
    MlogRefused(&'static str),
    /// The log moved on between signing and sending more often than is tried. The app tries again.
    #[error("others changed the site at the same time; try again")]
    Contended,
    /// The entry was taken but stands under no cosigned head yet. The app tries again; after ten
    /// minutes the operator must act.
    #[error("the site's witnesses have not confirmed the change yet; it is not done")]
    NotConfirmed,
    /// The entry has no effect, by the rules of the log. The person must act.
    #[error("the change has no effect: {0}")]
    Void(String),
    /// The device has no room for this; nothing was changed. The person must act: free some space, or
    /// take what was not sent away in a sealed file.
    #[error(
        "this device has no room left for {0}; free some space, or export what was not sent and bring it to the clinic"
    )]
    NoRoom(Growth),
    /// The content of an attachment is not here. The person must act: fetch it where there is a
    /// network.
    #[error("the attachment is not on this device{}", if *.pending { ", and its author's device has not sent it yet" } else { "" })]
    AttachmentNotHere {
        /// The server does not have it either.
        pending: bool,
    },
    /// What was fetched is not the attachment that the entry names. The app fetches it again; if it
    /// lasts, the operator must act.
    #[error("the attachment is damaged; it is not shown")]
    AttachmentDamaged,
    /// A file of a person that could not be read or written while it was attached or exported.
    #[error("the file could not be read or written: {0}")]
    File(String),
    /// The file holds no unsent work that this device can open. The person must act.
    #[error("the file holds no unsent work that this device can open: {0}")]
    NotAnExport(&'static str),
    /// The device may seal nothing now; the sync report says why.
    #[error("this device may not send entries now; what you write stays saved here")]
    MayNotSeal,
}

/// A code of Ward: `WARD-` and four digits, with a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCode(u16);

impl fmt::Display for ClientCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WARD-{:04}", self.0)
    }
}

impl ClientCode {
    /// The digits after `WARD-`.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// 6xxx: this device. Numbers are never used again for another cause.
const CLIENT_CODES: &[(&str, u16, Who)] = &[
    ("Store", 6001, Who::Person),
    ("DeviceKey", 6002, Who::Person),
    ("Transport", 6003, Who::App),
    ("BadAnswer", 6004, Who::App),
    ("Crypto", 6005, Who::App),
    ("Format", 6006, Who::App),
    ("Entry", 6007, Who::App),
    ("Ticket", 6008, Who::Person),
    ("DeviceKeyFailed", 6009, Who::Person),
    ("Locked", 6010, Who::Person),
    ("NotEnrolled", 6011, Who::Person),
    ("AlreadyEnrolled", 6012, Who::Person),
    ("StoreDamaged", 6013, Who::Person),
    ("StoreSetBack", 6014, Who::App),
    ("UnknownChart", 6015, Who::Person),
    ("NotAllowed", 6016, Who::Person),
    ("Unknown", 6017, Who::Person),
    ("EnrolmentMismatch", 6018, Who::Person),
    ("WrongSite", 6019, Who::Person),
    ("MlogRefused", 6020, Who::Operator),
    ("Contended", 6021, Who::App),
    ("NotConfirmed", 6022, Who::App),
    ("Void", 6023, Who::Person),
    ("MayNotSeal", 6024, Who::App),
    ("LeaseEnded", 6046, Who::Person),
    ("Severed", 6047, Who::Person),
    ("NoRoom", 6052, Who::Person),
    ("AttachmentNotHere", 6053, Who::Person),
    ("AttachmentDamaged", 6054, Who::App),
    ("NotAnExport", 6055, Who::Person),
    ("File", 6056, Who::Person),
    ("StoreIsNewer", 6060, Who::Person),
    ("NeedsNewerApp", 6061, Who::Person),
    ("ConflictMoved", 6062, Who::Person),
    ("SchemaRefused", 6063, Who::Person),
    ("ChartFull", 6074, Who::Operator),
    ("RulesRefused", 6080, Who::Person),
];

impl ClientError {
    const fn name(&self) -> &'static str {
        match self {
            Self::Store(_) => "Store",
            Self::DeviceKey(_) => "DeviceKey",
            Self::Transport(_) => "Transport",
            Self::Refused(_) => "Refused",
            Self::BadAnswer { .. } => "BadAnswer",
            Self::Crypto(_) => "Crypto",
            Self::Format(_) => "Format",
            Self::Entry(_) => "Entry",
            Self::Ticket(_) => "Ticket",
            Self::DeviceKeyFailed => "DeviceKeyFailed",
            Self::Locked => "Locked",
            Self::NotEnrolled => "NotEnrolled",
            Self::AlreadyEnrolled => "AlreadyEnrolled",
            Self::StoreDamaged { .. } => "StoreDamaged",
            Self::StoreSetBack => "StoreSetBack",
            Self::StoreIsNewer => "StoreIsNewer",
            Self::NeedsNewerApp => "NeedsNewerApp",
            Self::ConflictMoved => "ConflictMoved",
            Self::SchemaRefused(_) => "SchemaRefused",
            Self::RulesRefused(_) => "RulesRefused",
            Self::UnknownChart(_) => "UnknownChart",
            Self::ChartFull(_) => "ChartFull",
            Self::NotAllowed(_) => "NotAllowed",
            Self::Unknown(_) => "Unknown",
            Self::EnrolmentMismatch => "EnrolmentMismatch",
            Self::WrongSite => "WrongSite",
            Self::MlogRefused(_) => "MlogRefused",
            Self::Contended => "Contended",
            Self::NotConfirmed => "NotConfirmed",
            Self::Void(_) => "Void",
            Self::MayNotSeal => "MayNotSeal",
            Self::LeaseEnded => "LeaseEnded",
            Self::Severed => "Severed",
            Self::NoRoom(_) => "NoRoom",
            Self::AttachmentNotHere { .. } => "AttachmentNotHere",
            Self::AttachmentDamaged => "AttachmentDamaged",
            Self::NotAnExport(_) => "NotAnExport",
            Self::File(_) => "File",
        }
    }

    /// The stable code. For a refusal of the server, the server's.
    pub fn code(&self) -> ClientCode {
        if let Self::Refused(problem) = self {
            return ClientCode(problem.code.number());
        }
        let known = CLIENT_CODES.iter().find(|(name, ..)| *name == self.name());
        ClientCode(known.map_or(0, |(_, number, _)| *number))
    }

    /// Who must act.
    pub fn who(&self) -> Who {
        if let Self::Refused(problem) = self {
            return problem.who;
        }
        let known = CLIENT_CODES.iter().find(|(name, ..)| *name == self.name());
        known.map_or(Who::App, |(_, _, who)| *who)
    }

    /// Whether the server refused with this code.
    pub fn is(&self, code: ErrorCode) -> bool {
        matches!(self, Self::Refused(problem) if problem.is(code))
    }

    /// Whether the same call can succeed later without anybody doing anything.
    pub fn passes_by_itself(&self) -> bool {
        match self {
            Self::Transport(error) => !matches!(error, TransportError::WrongServer),
            Self::Refused(problem) => problem.code.known().is_some_and(ErrorCode::passes_by_itself),
            Self::BadAnswer { .. } | Self::Contended | Self::NotConfirmed => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own() {
        let mut numbers: Vec<_> = CLIENT_CODES.iter().map(|(_, number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), CLIENT_CODES.len());
        assert_eq!(ClientError::Locked.code().to_string(), "WARD-6010");
        assert_eq!(ClientError::MayNotSeal.who(), Who::App);
    }
}
