//! Answers that are bound to the entry with their questionnaire.
//!
//! A missing instrument is a missing cause, like any entry that another names, so most answers that
//! lack it never come this far. Here it is decided what becomes of answers whose instrument is here.

use super::place::{Place, QuarantineReason};
use crate::payload::{Instrument, Payload, PayloadError};
use alloc::collections::BTreeMap;
use ward_id::EntryId;

/// The instruments that take part in a chart's values, by their entries.
pub(super) type Instruments<'a> = BTreeMap<EntryId, &'a Instrument>;

/// Where an admitted entry stands whose answers cannot be bound; `None` for every other entry.
/// `places` has the entries that were not admitted, and `is_here` says which entries there are.
pub(super) fn place_of_unbound(
    payload: &Payload,
    instruments: &Instruments<'_>,
    places: &BTreeMap<EntryId, Place>,
    is_here: impl Fn(&EntryId) -> bool,
) -> Option<Place> {
    let Payload::Response(response) = payload else { return None };
    let named = response.instrument().filter(|named| !instruments.contains_key(*named))?;
    Some(match places.get(named) {
        Some(Place::Parked) => Place::Parked,
        // It may still come to stand: its device's certificate may arrive, or staff adopt it.
        Some(Place::Quarantined(_)) => Place::Quarantined(QuarantineReason::InstrumentAside),
        Some(Place::UnknownKind) => Place::UnknownKind,
        // What staff adopted does not wait for its causes, and yet it cannot be read without this one.
        None if !is_here(named) => Place::Parked,
        _ => Place::Invalid(PayloadError::Contradiction("the answers name an entry that is no instrument")),
    })
}
