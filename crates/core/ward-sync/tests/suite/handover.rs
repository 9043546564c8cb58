//! The drop box and the wipe order: what is inside, for whom, and who may.

use crate::support::*;
use serde_json::{Value, json};
use std::path::Path;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

fn dropped(ward: &Ward, entry: &SignedEntry, to: &[&Device], urgent: bool, by: &Device) -> DropEnvelope {
    let staff: Vec<(DeviceId, EncPublicKey)> =
        to.iter().map(|device| (device.id, device.keys.enc.public().clone())).collect();
    let plaintext = DroppedEntry { entry: entry.clone(), urgent }.plaintext();
    let mut rng = TestRng::new(77);
    seal_drop(ward.chart, by.id, entry.id(), &staff, &plaintext, &by.keys.sign, &mut rng).unwrap()
}

fn written(ward: &Ward, text: &str) -> SignedEntry {
    let chart = Chart::new(ward.site.site, ward.chart);
    Pen::new(ward.site.site, ward.chart, &ward.phone, 5).write(&chart, note(text))
}

fn revoke(ward: &mut Ward, policy: RevokePolicy) {
    let entry = ward.site.revoke_entry(ward.chart.into(), ward.phone.id, 3, policy, &[&ward.coordinator]);
    ward.site.append_effective(entry);
}

#[test]
fn recipients_are_the_staff_that_the_device_itself_verified() {
    let ward = Ward::new(61);
    let recipients = drop_recipients(&ward.site.membership, ward.chart, ward.phone.id);
    let mut expected = vec![ward.coordinator.id, ward.clinician.id, ward.investigator.id];
    expected.sort();
    let devices: Vec<DeviceId> = recipients.iter().map(|(device, _)| *device).collect();
    assert_eq!(devices, expected, "no patient, no recovery device, nobody else");
    for (device, key) in &recipients {
        let cert = ward.site.membership.site_device(*device).unwrap().cert();
        assert_eq!(key.key_hash(), cert.binding.enc_pk.key_hash());
    }
    let of_staff = drop_recipients(&ward.site.membership, ward.chart, ward.coordinator.id);
    assert!(of_staff.iter().all(|(device, _)| *device != ward.coordinator.id) && of_staff.len() == 2);
    let nowhere = ChartId::from_bytes([9; 16]);
    assert!(drop_recipients(&ward.site.membership, nowhere, ward.phone.id).is_empty());
}

#[test]
fn a_drop_is_judged_alike_by_server_and_staff() {
    let mut ward = Ward::new(62);
    let stranger = ward.site.staff(Role::Clinician);
    let entry = written(&ward, "from the attic");
    let good = dropped(&ward, &entry, &[&ward.coordinator], false, &ward.phone);
    let check = |ward: &Ward, one: &DropEnvelope| check_drop(&ward.site.membership, one).map(|_| ());
    assert_eq!(check(&ward, &good), Ok(()));
    let foreign = dropped(&ward, &entry, &[&ward.coordinator, &stranger], false, &ward.phone);
    assert_eq!(check(&ward, &foreign), Err(DropRefusal::Recipient(stranger.id)));
    let to_patient = dropped(&ward, &entry, &[&ward.phone], false, &ward.phone);
    assert_eq!(check(&ward, &to_patient), Err(DropRefusal::Recipient(ward.phone.id)));
    let outsider = dropped(&ward, &entry, &[&ward.coordinator], false, &stranger);
    assert_eq!(check(&ward, &outsider), Err(DropRefusal::NeverMember(stranger.id)));
    let mut fields = (*good).clone();
    fields.entry_id = EntryId::from_bytes([1; 32]);
    let renamed = DropEnvelope::new(fields).unwrap();
    assert_eq!(check(&ward, &renamed), Err(DropRefusal::Signature));
    let mut fields = (*good).clone();
    fields.device = DeviceId::from_bytes([1; 16]);
    let unknown = DropEnvelope::new(fields).unwrap();
    assert_eq!(check(&ward, &unknown), Err(DropRefusal::NotCertified(DeviceId::from_bytes([1; 16]))));

    // The clinician leaves: the phone may not know, and a drop for them is still one of the chart's.
    let gone = ward.site.space_member(ward.chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(gone);
    let to_former = dropped(&ward, &entry, &[&ward.clinician], false, &ward.phone);
    assert_eq!(check(&ward, &to_former), Ok(()));
    revoke(&mut ward, RevokePolicy::Salvage);
    assert_eq!((check(&ward, &good), check(&ward, &to_former)), (Ok(()), Ok(())));
    revoke(&mut ward, RevokePolicy::Sever);
    assert_eq!(check(&ward, &good), Err(DropRefusal::Severed(ward.phone.id)));
}

#[test]
fn the_entry_inside_is_rebuilt_and_checked_as_everywhere() {
    let ward = Ward::new(63);
    let entry = written(&ward, "seven days");
    let one = dropped(&ward, &entry, &[&ward.coordinator], true, &ward.phone);
    let open = |one: &DropEnvelope| {
        open_drop(ward.coordinator.id, &ward.coordinator.keys.enc, one, ward.phone.keys.sign.public())
    };
    let plaintext = open(&one).unwrap();
    let read = DroppedEntry::read(&one, &plaintext, &ward.phone.cert).unwrap();
    assert_eq!((read.entry, read.urgent), (entry.clone(), true));
    assert_eq!(DroppedEntry::read(&one, &plaintext, &ward.clinician.cert), Err(EntryError::OtherDevice));
    let other = dropped(&ward, &written(&ward, "another"), &[&ward.coordinator], false, &ward.phone);
    assert_eq!(DroppedEntry::read(&other, &plaintext, &ward.phone.cert), Err(EntryError::OtherEntry));
    let mut forged = plaintext.to_vec();
    let last = forged.len() - 2;
    forged[last] ^= 1;
    assert_eq!(DroppedEntry::read(&one, &forged, &ward.phone.cert), Err(EntryError::CaptureSignature));
    assert!(DroppedEntry::read(&one, &plaintext[1..], &ward.phone.cert).is_err());
}

/// At the limits of every part, an entry still fits into a drop, into a carry, and the carry into an
/// envelope; one byte past, the entry itself is refused.
#[test]
fn the_largest_entry_can_be_handed_over_and_adopted() {
    use ward_sync::limits::{DEPS_MAX, OPERATION_MAX_BYTES, PAYLOAD_MAX_BYTES, REASON_MAX_BYTES};
    let mut ward = Ward::new(66);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.coordinator, None);
    let largest = |payload_bytes: usize| {
        let mut frame = written(&ward, "x").frame().clone();
        frame.seq = 2;
        frame.prev = Some(EntryId::from_bytes([1; 32]));
        frame.body.deps = (0..DEPS_MAX as u8).map(|n| EntryId::from_bytes([n; 32])).collect();
        frame.body.reason = Some("r".repeat(REASON_MAX_BYTES));
        frame.body.payload = vec![7; payload_bytes];
        SignedEntry::sign(frame, |entry| Ok(CaptureSignature::sign(&ward.phone.keys.sign, entry)))
    };
    assert_eq!(largest(PAYLOAD_MAX_BYTES + 1), Err(EntryError::TooLarge("the payload")));
    let entry = largest(PAYLOAD_MAX_BYTES).unwrap();
    let one = dropped(&ward, &entry, &[&ward.coordinator], false, &ward.phone);
    assert_eq!(check_drop(&ward.site.membership, &one).map(|_| ()), Ok(()));
    let chart = Chart::new(ward.site.site, ward.chart);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 9);
    let carry = pen.write(&chart, Carry::of(&entry, CarryReason::Adopt));
    let mut rng = TestRng::new(3);
    let envelope = seal(header(&ward.site, &carry, 0), &carry, &ward.coordinator, &secret, &mut rng);
    assert!(envelope.to_canonical().len() <= OPERATION_MAX_BYTES);
}

/// Each device that adopted an entry is lost before its adoption counts, and the next one adopts that: however
/// often, what comes out has room in an entry and is opened by readers down to what the participant wrote.
#[test]
fn an_entry_is_adopted_however_often_its_adopters_are_lost() {
    use ward_sync::limits::{CARRIES_NESTED_MAX, PAYLOAD_MAX_BYTES};
    let ward = Ward::new(67);
    let chart = Chart::new(ward.site.site, ward.chart);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 9);
    let mut large = written(&ward, "x").frame().clone();
    large.body.payload = vec![7; PAYLOAD_MAX_BYTES];
    let large =
        SignedEntry::sign(large, |entry| Ok(CaptureSignature::sign(&ward.phone.keys.sign, entry))).unwrap();
    for entry in [written(&ward, "x"), large] {
        let mut outer = entry.clone();
        for _ in 0..3 * CARRIES_NESTED_MAX {
            outer = pen.try_write(&chart, &Draft::new(Carry::adopting(&outer))).unwrap();
            let mut inner = outer.clone();
            let mut layers = 0;
            while let Decoded::Known(Payload::Carry(carry)) = inner.body().decode_payload() {
                assert_eq!(carry.why, CarryReason::Adopt);
                inner = carry.entry().unwrap();
                layers += 1;
            }
            assert!((1..=CARRIES_NESTED_MAX).contains(&layers), "{layers}");
            assert_eq!(inner.id(), entry.id());
        }
    }
    // What is brought only to be declined is not taken over by that.
    let mut outer = pen.write(&chart, Carry::of(&written(&ward, "x"), CarryReason::Decline));
    for _ in 0..CARRIES_NESTED_MAX {
        outer = pen.write(&chart, Carry::of(&outer, CarryReason::Decline));
    }
    assert_eq!(Carry::adopting(&outer), Carry::of(&outer, CarryReason::Adopt));
}

#[test]
fn only_what_cannot_be_sealed_is_handed_over() {
    let age = SealRefusal::Stale { age_ms: 1 };
    for (refusal, plain, urgent) in [
        (SealRefusal::Revoked, true, true),
        (SealRefusal::CertificateOutOfDate, true, true),
        (age, false, true),
        (SealRefusal::NeedsWitnessTime, false, true),
        (SealRefusal::EpochOld, false, false),
        (SealRefusal::NotMember, false, false),
        (SealRefusal::LogEvidence, false, false),
    ] {
        let goes = |urgent| DropCause::of_refusal(&refusal).is_some_and(|cause| cause.hands_over(urgent));
        assert_eq!((goes(false), goes(true)), (plain, urgent), "{refusal:?}");
    }
    assert!(DropCause::Suspended.hands_over(false));
}

#[test]
fn a_wipe_is_ordered_by_who_may_revoke_and_after_the_revocation() {
    let mut ward = Ward::new(64);
    let order = |ward: &Ward, signer: &Device| {
        let body = MlogBody::Wipe(Wipe { device: ward.phone.id, reason: "stolen".into() });
        ward.site.sign(ward.site.entry(ward.chart.into(), &body), &[signer])
    };
    let early = order(&ward, &ward.coordinator);
    let judged = ward.site.membership.would_be_effective(&early, None);
    assert_eq!(judged, Err(VoidReason::NotRevoked(ward.phone.id)));
    revoke(&mut ward, RevokePolicy::Salvage);
    let record = ward.site.membership.device(ward.chart, ward.phone.id).unwrap();
    assert_eq!(record.wipe_index(), None, "a revocation destroys nothing");
    let by_itself = order(&ward, &ward.phone);
    assert!(ward.site.membership.would_be_effective(&by_itself, None).is_err(), "it is revoked");
    let outsider = ward.site.staff(Role::Coordinator);
    let foreign = order(&ward, &outsider);
    assert!(ward.site.membership.would_be_effective(&foreign, None).is_err());
    let index = ward.site.membership.size();
    let good = order(&ward, &ward.clinician);
    ward.site.append_effective(good);
    let record = ward.site.membership.device(ward.chart, ward.phone.id).unwrap();
    assert_eq!(record.wipe_index(), Some(index));
}

#[test]
fn the_drop_plaintext_is_the_published_one() {
    let ward = Ward::new(65);
    let entry = written(&ward, "vector");
    let vector = |urgent| {
        json!({
            "urgent": urgent,
            "entry_id": entry.id(),
            "frame": hex_encode(&entry.frame().to_canonical()),
            "plaintext": hex_encode(&DroppedEntry { entry: entry.clone(), urgent }.plaintext()),
        })
    };
    let current =
        serde_json::to_string_pretty(&Value::Array(vec![vector(false), vector(true)])).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/drop_plaintext.json");
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), current);
}
