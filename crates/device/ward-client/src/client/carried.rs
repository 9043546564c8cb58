//! What a carry stands for. A store that was copied or set back carries on what it had not sent; where
//! such a carry waits itself, what it carries decides what became of it.

use ward_id::EntryId;
use ward_sync::limits::CARRIES_NESTED_MAX;
use ward_sync::{CarryReason, Decoded, Payload, SignedEntry};

/// The entry that a carry holds; nothing for any other entry.
fn inside(entry: &SignedEntry) -> Option<SignedEntry> {
    match entry.body().decode_payload() {
        // What is declined is brought, not stood for.
        Decoded::Known(Payload::Carry(carry))
            if matches!(carry.why, CarryReason::Adopt | CarryReason::Reauthor) =>
        {
            carry.entry()
        }
        _ => None,
    }
}

/// The names of an entry and of what it carries, the outermost first.
pub(crate) fn carried_names(entry: &SignedEntry) -> Vec<EntryId> {
    let mut names = vec![entry.id()];
    let mut next = inside(entry);
    while let Some(inner) = next.filter(|_| names.len() <= usize::from(CARRIES_NESTED_MAX)) {
        names.push(inner.id());
        next = inside(&inner);
    }
    names
}

/// Whether a carry that stands makes an entry count, however deep it holds it: what a device carries on is
/// its own, layer by layer.
pub(crate) fn carries_rightly(outer: &SignedEntry, entry: EntryId) -> bool {
    let (mut layer, mut depth) = (outer.clone(), 0);
    while let Some(inner) = inside(&layer).filter(|_| depth < CARRIES_NESTED_MAX) {
        let is_own = inner.frame().device == layer.frame().device;
        if !is_own && !is_adoption(&layer) {
            return false;
        }
        if inner.id() == entry {
            return true;
        }
        (layer, depth) = (inner, depth + 1);
    }
    false
}

fn is_adoption(entry: &SignedEntry) -> bool {
    let payload = entry.body().decode_payload();
    matches!(payload, Decoded::Known(Payload::Carry(carry)) if carry.why == CarryReason::Adopt)
}

/// Whether this version of the app reads an entry and everything that it carries.
pub(crate) fn is_known_inside(entry: &SignedEntry) -> bool {
    matches!(entry.body().decode_payload(), Decoded::Known(_))
        && inside(entry).is_none_or(|inner| is_known_inside(&inner))
}
