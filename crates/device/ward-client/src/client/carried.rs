//! What a carry stands for. A store that was copied or set back carries on what it had not sent; where
//! such a carry waits itself, what it carries decides what became of it.

use ward_id::EntryId;
use ward_sync::limits::CARRIES_NESTED_MAX;
use ward_sync::{CarryReason, Decoded, EntryKind, Payload, SignedEntry};

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

/// The kind of an entry, or of what it carries.
pub(crate) fn innermost_kind(entry: &SignedEntry) -> EntryKind {
    let (mut kind, mut depth) = (entry.body().kind, 0);
    let mut next = inside(entry);
    while let Some(inner) = next.filter(|_| depth < CARRIES_NESTED_MAX) {
        (kind, depth) = (inner.body().kind, depth + 1);
        next = inside(&inner);
    }
    kind
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

#[cfg(test)]
mod tests {
    use super::*;
    use ward_crypto::{CaptureSignature, Role, SignKey};
    use ward_id::{ChartId, DeviceId, Incarnation, SiteId, TimestampMs, VersionVector};
    use ward_sync::{BootEvidence, Carry, CheckpointCosignature, Draft, EntryChain, Moment, Note, Seen};

    fn append(chain: &mut EntryChain, payload: impl Into<Payload>) -> SignedEntry {
        let moment = Moment {
            random16: [5; 16],
            captured_at: TimestampMs(1),
            zone: "UTC".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
            olog: None,
        };
        let (heads, key) = (VersionVector::new(), SignKey::from_secret_bytes(&[3; 32]));
        let seen = Seen { heads: &heads, lamport: 0 };
        let sign = |entry| Ok(CaptureSignature::sign(&key, entry));
        chain.append(&Draft::new(payload), &moment, seen, sign).unwrap()
    }

    #[test]
    fn what_was_carried_on_is_of_the_kind_that_it_carries() {
        let (site, chart) = (SiteId::from_bytes([1; 16]), ChartId::from_bytes([2; 16]));
        let device = DeviceId::from_bytes([4; 16]);
        let mut chain = EntryChain::open(site, chart, device, Role::Clinician, Incarnation(1));
        let note = append(&mut chain, Note { text: "on paper".into(), supersedes: vec![] });
        let signed = append(&mut chain, CheckpointCosignature { checkpoint: note.id() });
        for (entry, kind) in [(&note, EntryKind::NOTE), (&signed, EntryKind::CHECKPOINT_COSIGNATURE)] {
            assert_eq!(innermost_kind(entry), kind);
            let once = append(&mut chain, Carry::of(entry, CarryReason::Reauthor));
            let twice = append(&mut chain, Carry::of(&once, CarryReason::Adopt));
            assert_eq!((once.body().kind, innermost_kind(&once)), (EntryKind::CARRY, kind));
            assert_eq!(innermost_kind(&twice), kind);
        }
    }
}
