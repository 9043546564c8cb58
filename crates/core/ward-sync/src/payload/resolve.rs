//! A decision between values that contradict each other.

use super::field_key::{FieldKey, FieldKeyWire};
use super::{Decoded, Payload, PayloadError};
use crate::limits::CANDIDATES_MAX;
use alloc::boxed::Box;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, CborError, EntryId};

/// What a decision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// One of the candidates holds.
    Candidate(EntryId),
    /// Another value holds, in the form in which the field is written, replacing nothing by itself.
    Value(Box<Payload>),
}

/// A decision: it names all candidates that its author saw, and what holds. Why stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// Which field.
    pub field: FieldKey,
    /// All candidates that the author saw, sorted.
    pub candidates: Vec<EntryId>,
    /// What holds.
    pub resolution: Resolution,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct ValueWire {
    #[n(0)]
    version: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    payload: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct ResolveWire {
    #[n(0)]
    field: FieldKeyWire,
    #[n(1)]
    candidates: Vec<EntryId>,
    #[n(2)]
    chosen: Option<EntryId>,
    #[n(3)]
    value: Option<ValueWire>,
}

impl Resolve {
    /// A decision for one of the candidates.
    pub fn choosing(field: FieldKey, candidates: Vec<EntryId>, chosen: EntryId) -> Self {
        Self::of(field, candidates, Resolution::Candidate(chosen))
    }

    /// A decision for a value that none of the candidates has.
    pub fn with_value(field: FieldKey, candidates: Vec<EntryId>, value: impl Into<Payload>) -> Self {
        Self::of(field, candidates, Resolution::Value(Box::new(value.into())))
    }

    fn of(field: FieldKey, mut candidates: Vec<EntryId>, resolution: Resolution) -> Self {
        candidates.sort_unstable();
        candidates.dedup();
        Self { field, candidates, resolution }
    }

    pub(super) fn rename(&mut self, new: impl Fn(EntryId) -> Option<EntryId>) {
        for name in &mut self.candidates {
            *name = new(*name).unwrap_or(*name);
        }
        self.candidates.sort_unstable();
        if let Resolution::Candidate(chosen) = &mut self.resolution {
            *chosen = new(*chosen).unwrap_or(*chosen);
        }
    }

    pub(super) const fn version(&self) -> u64 {
        let Self { .. } = self;
        1
    }

    pub(super) fn to_payload(&self) -> Vec<u8> {
        let (chosen, value) = match &self.resolution {
            Resolution::Candidate(chosen) => (Some(*chosen), None),
            Resolution::Value(value) => {
                (None, Some(ValueWire { version: value.version(), payload: value.encode() }))
            }
        };
        let (field, candidates) = (self.field.to_wire(), self.candidates.clone());
        ResolveWire { field, candidates, chosen, value }.to_canonical()
    }

    /// `None` for a version, a field or a form of the value that this version does not know.
    pub(super) fn of_payload(version: u64, bytes: &[u8]) -> Option<Result<Self, CborError>> {
        if version != 1 {
            return None;
        }
        let wire = match ResolveWire::from_canonical(bytes) {
            Ok(wire) => wire,
            Err(error) => return Some(Err(error)),
        };
        let kind = wire.field.kind;
        if !FieldKey::is_known(kind) {
            return None;
        }
        let resolution = match (wire.chosen, wire.value) {
            (Some(chosen), None) => Resolution::Candidate(chosen),
            (None, Some(value)) => match Self::decode_value(kind, &value) {
                Decoded::Known(value) => Resolution::Value(Box::new(value)),
                Decoded::Unknown => return None,
                Decoded::Invalid(_) => return Some(Err(CborError::Malformed)),
            },
            _ => return Some(Err(CborError::Malformed)),
        };
        let field = FieldKey::of_wire(wire.field).ok_or(CborError::Malformed);
        let resolve = field.map(|field| Self { field, candidates: wire.candidates, resolution });
        // A visit's id has one spelling.
        Some(resolve.and_then(|resolve| {
            if resolve.to_payload() == bytes { Ok(resolve) } else { Err(CborError::NotCanonical) }
        }))
    }

    fn decode_value(kind: crate::kind::EntryKind, value: &ValueWire) -> Decoded {
        match Payload::schema_of(kind) {
            Some(schema) => Payload::decode(kind, schema, value.version, &value.payload),
            None => Decoded::Unknown,
        }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        let contradiction = |holds: bool, text: &'static str| {
            if holds { Ok(()) } else { Err(PayloadError::Contradiction(text)) }
        };
        if self.candidates.len() > CANDIDATES_MAX {
            return Err(PayloadError::Size("the list of candidates"));
        }
        contradiction(self.candidates.len() > 1, "a decision is between at least two candidates")?;
        let rising = self.candidates.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        contradiction(rising, "the candidates are not sorted, or one stands twice")?;
        match &self.resolution {
            Resolution::Candidate(chosen) => {
                contradiction(self.candidates.contains(chosen), "what was chosen is none of the candidates")
            }
            Resolution::Value(value) => {
                value.check()?;
                let is_write = !matches!(**value, Payload::Resolve(_));
                let fits = is_write && value.field_key().as_ref() == Some(&self.field);
                contradiction(fits, "the value is one of another field")?;
                contradiction(value.supersedes().is_empty(), "the candidates are named once, not twice")
            }
        }
    }
}
