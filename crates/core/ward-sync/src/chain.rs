//! One device's chain in one chart: the next place, the entry before, the logical clock and what
//! of other chains was already named as seen.

use crate::entry::{BootEvidence, EntryBody, EntryError, EntryFrame, SignedEntry};
use crate::limits::{DEPS_MAX, LAMPORT_MAX};
use crate::payload::Payload;
use crate::permission::may_write;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_audit::TreeHead;
use ward_crypto::{CaptureSignature, CryptoError, Role};
use ward_id::{
    ChartId, DeviceId, EntryId, Head, Incarnation, SiteId, TimestampMs, VersionVector, VersionVectorError,
};

/// What a person wants to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it says.
    pub payload: Payload,
    /// The record it amends, if any.
    pub amends: Option<EntryId>,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

impl Draft {
    /// A draft that amends nothing.
    pub fn new(payload: impl Into<Payload>) -> Self {
        Self { payload: payload.into(), amends: None, reason: None }
    }

    /// A draft that amends a record, with the reason for it (21 CFR 11.10(e)).
    pub fn amending(payload: impl Into<Payload>, record: EntryId, reason: impl Into<String>) -> Self {
        Self { payload: payload.into(), amends: Some(record), reason: Some(reason.into()) }
    }

    /// A draft that amends nothing and says why it is written.
    pub fn because(payload: impl Into<Payload>, reason: impl Into<String>) -> Self {
        Self { payload: payload.into(), amends: None, reason: Some(reason.into()) }
    }

    /// Names other entries in place of those for which `new` has one: for writing again what was
    /// written before under another name.
    pub fn rename(&mut self, new: impl Fn(EntryId) -> Option<EntryId>) {
        self.amends = self.amends.map(|amended| new(amended).unwrap_or(amended));
        self.payload.rename(new);
    }
}

/// What surrounds the act and comes from outside the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Fresh randomness.
    pub random16: [u8; 16],
    /// What the wall clock says.
    pub captured_at: TimestampMs,
    /// The time zone, as an IANA name.
    pub zone: String,
    /// The device's own clockwork.
    pub evidence: BootEvidence,
    /// The newest head of the operation log that the device verified.
    pub olog: Option<TreeHead>,
}

/// What the author has seen of the chart.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The heads of all chains.
    pub heads: &'a VersionVector,
    /// The highest logical clock.
    pub lamport: u64,
}

/// A device's own chain in one chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EntryChain {
    #[n(0)]
    site: SiteId,
    #[n(1)]
    chart: ChartId,
    #[n(2)]
    device: DeviceId,
    #[n(3)]
    role: Role,
    #[n(4)]
    incarnation: Incarnation,
    #[n(5)]
    head: Option<Head>,
    #[n(6)]
    lamport: u64,
    #[n(7)]
    named: VersionVector,
    #[n(8)]
    olog: Option<TreeHead>,
}

impl EntryChain {
    /// A chain without entries, for a new life of the device's store.
    pub const fn open(
        site: SiteId,
        chart: ChartId,
        device: DeviceId,
        role: Role,
        incarnation: Incarnation,
    ) -> Self {
        Self {
            site,
            chart,
            device,
            role,
            incarnation,
            head: None,
            lamport: 0,
            named: VersionVector::new(),
            olog: None,
        }
    }

    /// The newest entry of the chain.
    pub const fn head(&self) -> Option<Head> {
        self.head
    }

    /// The life of the device's store.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The chart.
    pub const fn chart(&self) -> ChartId {
        self.chart
    }

    /// Makes, chains and signs the next entry. `sign` gets its name.
    ///
    /// The chain moves on only if the entry was made. It must be stored with the entry in one
    /// transaction, or the next entry would take the same place.
    ///
    /// # Errors
    /// A payload that breaks a rule, a role that may not write it, a limit, or a key that refuses.
    pub fn append(
        &mut self,
        draft: &Draft,
        moment: &Moment,
        seen: Seen<'_>,
        sign: impl FnOnce(EntryId) -> Result<CaptureSignature, CryptoError>,
    ) -> Result<SignedEntry, EntryError> {
        let Draft { payload, amends, reason } = draft;
        payload.check()?;
        payload.check_reason(reason.as_deref())?;
        if !may_write(self.role, payload) {
            return Err(EntryError::NotPermitted { role: self.role, kind: payload.kind() });
        }
        let (deps, named) =
            self.unnamed_heads(seen.heads).map_err(|_| EntryError::TooLarge("the list of chains"))?;
        let lamport = self.lamport.max(seen.lamport).saturating_add(1).min(LAMPORT_MAX);
        let seq = self.head.map_or(1, |head| head.seq.saturating_add(1));
        let olog = moment.olog.filter(|head| self.olog.as_ref() != Some(head));
        let frame = EntryFrame {
            site: self.site,
            chart: self.chart,
            device: self.device,
            incarnation: self.incarnation,
            seq,
            prev: self.head.map(|head| head.entry),
            body: EntryBody {
                random16: moment.random16,
                deps,
                lamport,
                kind: payload.kind(),
                schema: payload.schema().into(),
                version: payload.version(),
                captured_at: moment.captured_at,
                zone: moment.zone.clone(),
                evidence: moment.evidence,
                olog,
                amends: *amends,
                reason: reason.clone(),
                payload: payload.encode(),
            },
        };
        let entry = SignedEntry::sign(frame, sign)?;
        self.head = Some(Head { seq, entry: entry.id() });
        self.lamport = lamport;
        self.named = named;
        self.olog = olog.or(self.olog);
        Ok(entry)
    }

    /// Heads of other chains that moved since they were last named, and the heads named with them.
    /// What does not fit into one entry is left to the next.
    fn unnamed_heads(
        &self,
        heads: &VersionVector,
    ) -> Result<(Vec<EntryId>, VersionVector), VersionVectorError> {
        let mut named = self.named.clone();
        let mut deps = Vec::new();
        for (device, incarnation, head) in heads.iter() {
            let own = device == self.device && incarnation == self.incarnation;
            let old = self.named.head(device, incarnation).is_some_and(|known| known.seq >= head.seq);
            if own || old || deps.len() == DEPS_MAX {
                continue;
            }
            named.observe(device, incarnation, head)?;
            deps.push(head.entry);
        }
        deps.sort_unstable();
        Ok((deps, named))
    }
}
