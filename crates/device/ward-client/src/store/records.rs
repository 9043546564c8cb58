//! What the rows hold. These forms are for ever: a field is never given another meaning.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use ward_audit::{CosignedHead, TreeHead};
use ward_id::{ChartId, DeviceId, EntryId, MlogEntryHash, PersonId, SiteId, StudyId, TicketId, TimestampMs};
use ward_sync::{EntryChain, TextId};
use ward_text::TextEdit;
use zeroize::Zeroize as _;

/// Bytes inside a record.
pub(crate) type Bytes = ByteVec;

/// Where the server is, as the ticket said.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ServerRecord {
    #[n(0)]
    pub(crate) origin: String,
    #[n(1)]
    pub(crate) spki_pins: Vec<Bytes>,
}

/// An enrolment that waits for the issuer. Row `enrolment`.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct EnrolmentRecord {
    /// The ticket's text; it holds a secret.
    #[n(0)]
    pub(crate) ticket: String,
    /// This device's keys, wrapped.
    #[n(1)]
    pub(crate) keys: Bytes,
    #[n(2)]
    pub(crate) root_policy: Bytes,
    /// Canonical bytes of the device's binding.
    #[n(3)]
    pub(crate) binding: Bytes,
    /// Canonical bytes of the sealed request, so that a repeat sends the same.
    #[n(4)]
    pub(crate) blob: Bytes,
    #[n(5)]
    pub(crate) sent: bool,
}

/// Who this device is. Row `me`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SelfRecord {
    #[n(0)]
    pub(crate) study: StudyId,
    #[n(1)]
    pub(crate) site: SiteId,
    #[n(2)]
    pub(crate) person: PersonId,
    #[n(3)]
    pub(crate) role: u8,
    #[n(4)]
    pub(crate) device: DeviceId,
    #[n(5)]
    pub(crate) chart: Option<ChartId>,
    /// This device's keys, wrapped.
    #[n(6)]
    pub(crate) keys: Bytes,
    #[n(7)]
    pub(crate) root_policy: Bytes,
    #[n(8)]
    pub(crate) server: ServerRecord,
    /// Whether root, admins and witnesses are said to be on different machines.
    #[n(9)]
    pub(crate) independent: bool,
}

/// The refresh token. Row `refresh`.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct SessionRecord {
    #[n(0)]
    pub(crate) refresh_token: String,
}

/// One place of the membership log. Row id: index, big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct MlogRecord {
    /// 48 bytes: subject and entry hash.
    #[n(0)]
    pub(crate) leaf: Bytes,
    /// The entry, if it concerns this device.
    #[n(1)]
    pub(crate) entry: Option<Bytes>,
}

/// The newest verified head of one log. Row id: its name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct HeadRecord {
    /// The signed note with its cosignatures.
    #[n(0)]
    pub(crate) note: String,
    /// The time that the witnesses of then attested, in seconds since 1970.
    #[n(1)]
    pub(crate) attested_s: u64,
}

impl HeadRecord {
    pub(crate) fn of(head: &CosignedHead) -> Self {
        Self { note: head.note().to_string(), attested_s: head.attested_s() }
    }
}

/// Heads of the membership log that other members named and that lie beyond the verified one. Row
/// `mlog-named` beside the heads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct NamedRootsRecord {
    /// Who named which.
    #[n(0)]
    pub(crate) heads: Vec<(DeviceId, TreeHead)>,
}

/// An epoch of a chart. Row id: chart, then epoch big-endian.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct EpochRecord {
    #[n(0)]
    pub(crate) package: Bytes,
    /// The epoch's secret.
    #[n(1)]
    pub(crate) secret: Bytes,
    /// When it was accepted, in trusted time.
    #[n(2)]
    pub(crate) held_since: Option<TimestampMs>,
}

/// This device's chain in a chart. Row id: chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ChainRecord {
    #[n(0)]
    pub(crate) chain: EntryChain,
    /// Entries up to this place of the present incarnation are known to the server.
    #[n(1)]
    pub(crate) receipted: u64,
}

/// One received envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ReceivedRecord {
    #[n(0)]
    pub(crate) index: u64,
    #[n(1)]
    pub(crate) received_at: TimestampMs,
    #[n(2)]
    pub(crate) envelope: Bytes,
    /// What it held, once opened and checked; absent while it cannot be opened.
    #[n(3)]
    pub(crate) opened: Option<Bytes>,
}

/// A page of envelopes. Row id: chart, then the first olog index big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PageRecord {
    #[n(0)]
    pub(crate) rows: Vec<ReceivedRecord>,
}

/// How far a chart was read. Row id: chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct CursorRecord {
    /// Ask after this olog index.
    #[n(0)]
    pub(crate) after: Option<u64>,
}

/// A receipt of the server. Row id: chart, incarnation, first place, big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ReceiptRecord {
    #[n(0)]
    pub(crate) receipt: Bytes,
    /// Inclusion was checked under a cosigned head of this size.
    #[n(1)]
    pub(crate) checked_at_size: Option<u64>,
    /// The entry in each envelope, in order.
    #[n(2)]
    pub(crate) entries: Vec<EntryId>,
}

/// A draft of answers. Row id: random.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DraftRecord {
    #[n(0)]
    pub(crate) chart: ChartId,
    #[n(1)]
    pub(crate) instrument_url: String,
    #[n(2)]
    pub(crate) instrument_version: String,
    #[n(3)]
    pub(crate) occurrence: String,
    #[n(4)]
    pub(crate) response: Bytes,
    /// The response that it corrects; absent for new answers.
    #[n(5)]
    pub(crate) amends: Option<EntryId>,
}

/// A burst of writing in a text that was not handed over yet. Row id: chart and text.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct TextBurstRecord {
    #[n(0)]
    pub(crate) chart: ChartId,
    #[n(1)]
    pub(crate) document: TextId,
    /// The version that the person sees and writes in.
    #[n(2)]
    pub(crate) parents: Vec<EntryId>,
    #[n(3)]
    pub(crate) edit: TextEdit,
}

/// Accesses of one day that wait to be written. Row id: chart, day and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct AccessRecord {
    #[n(0)]
    pub(crate) chart: ChartId,
    #[n(1)]
    pub(crate) purpose: u8,
    #[n(2)]
    pub(crate) day: i64,
    #[n(3)]
    pub(crate) first_at: TimestampMs,
    #[n(4)]
    pub(crate) last_at: TimestampMs,
    #[n(5)]
    pub(crate) count: u64,
}

/// A ticket that this device issued. Row id: the ticket.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct TicketRecord {
    #[n(0)]
    pub(crate) ticket: TicketId,
    /// The ticket's text; it holds a secret.
    #[n(1)]
    pub(crate) text: String,
    /// The certificate was proposed with this entry and waits for a second signature.
    #[n(2)]
    pub(crate) proposed: Option<MlogEntryHash>,
}

impl TicketRecord {
    pub(crate) fn proposed_as(&self, proposed: Option<MlogEntryHash>) -> Self {
        let mut out = self.clone();
        out.proposed = proposed;
        out
    }
}

/// Evidence that is kept until a person decides. Row id: random.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct EvidenceRecord {
    /// What it proves, as a stable word.
    #[n(0)]
    pub(crate) kind: String,
    #[n(1)]
    pub(crate) found_at: TimestampMs,
    /// Both sides, as they were signed.
    #[n(2)]
    pub(crate) sides: Vec<Bytes>,
}

/// Up to which size the heads of the operation log were compared that others named. Row
/// `olog-compared` beside the heads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ComparedRecord {
    /// Authors of entries.
    #[n(0)]
    pub(crate) authors: Vec<(DeviceId, u64)>,
    /// Devices whose revocation names a cut-off.
    #[n(1)]
    pub(crate) revoked: Vec<(DeviceId, u64)>,
}

/// A proved place of an entry's envelope. Row id: chart, then entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ProvedRecord {
    #[n(0)]
    pub(crate) index: u64,
}

/// Records that hold a secret wipe it when they go.
macro_rules! wiped {
    ($($record:ident.$field:ident)*) => {
        $(impl Drop for $record {
            fn drop(&mut self) {
                self.$field.zeroize();
            }
        })*
    };
}

wiped! {
    EnrolmentRecord.ticket
    SessionRecord.refresh_token
    EpochRecord.secret
    TicketRecord.text
}

/// Joins parts of a row id.
pub(crate) fn row_id(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
