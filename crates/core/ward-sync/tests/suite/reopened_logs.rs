//! Operation logs that follow one another: who lets one go on, and how places are counted.

use crate::support::notes::cosigned_note;
use crate::support::*;
use ward_crypto::*;
use ward_id::*;
use ward_sync::limits::OLOG_SPAN;
use ward_sync::*;

fn head(size: u64) -> TreeHead {
    TreeHead { size, root: TreeRoot::from_bytes([9; 32]) }
}

fn reopening(ward: &Ward, old: &str, new: &str, note: Vec<u8>, signer: &Device) -> MlogEntry {
    reopening_with(ward, (old, new), note, signer, None)
}

/// The same, of a server that still held something.
fn reopening_with(
    ward: &Ward,
    (old, new): (&str, &str),
    note: Vec<u8>,
    signer: &Device,
    kept: Option<Vec<u8>>,
) -> MlogEntry {
    let body = MlogBody::LogReopen(LogReopen {
        old_origin: old.into(),
        checkpoint: note,
        new_origin: new.into(),
        reason: "the disk broke".into(),
        kept,
    });
    ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[signer])
}

const FIRST: &str = "ward.example/site/olog";
const SECOND: &str = "ward.example/site/olog/2";
const THIRD: &str = "ward.example/site/olog/3";

/// 12, 13: the log goes on only as an admin says, only from a head that a quorum cosigned, and only
/// to the next origin.
#[test]
fn rt_12_a_log_is_opened_again_by_an_admin_from_a_cosigned_head_only() {
    let mut ward = Ward::new(71);
    let good = cosigned_note(&ward.site, FIRST, head(100), 2);
    let void = |ward: &Ward, entry: &MlogEntry| ward.site.membership.would_be_effective(entry, None);
    for signer in [&ward.coordinator, &ward.investigator, &ward.phone, &ward.recovery] {
        let entry = reopening(&ward, FIRST, SECOND, good.clone(), signer);
        assert!(matches!(
            void(&ward, &entry),
            Err(VoidReason::NotAuthorised(_) | VoidReason::UnknownSigner(_))
        ));
    }
    let admin = &ward.site.admins[0];
    let refused = |entry: &MlogEntry| matches!(void(&ward, entry), Err(VoidReason::Reopening(_)));
    for (old, new) in [(SECOND, THIRD), (FIRST, THIRD), (FIRST, FIRST), (FIRST, "ward.example/site/mlog")] {
        assert!(refused(&reopening(&ward, old, new, good.clone(), admin)), "{old} {new}");
    }
    let mut bent = good.clone();
    let digit = bent.iter().position(|byte| *byte == b'1').unwrap();
    bent[digit] = b'2';
    for note in [
        cosigned_note(&ward.site, FIRST, head(100), 1),
        cosigned_note(&ward.site, SECOND, head(100), 3),
        bent,
        b"no note".to_vec(),
    ] {
        assert!(refused(&reopening(&ward, FIRST, SECOND, note, admin)));
    }
    let entry = reopening(&ward, FIRST, SECOND, good.clone(), admin);
    ward.site.append_effective(entry);
    assert_eq!(ward.site.membership.olog_origin(), Some(SECOND));
    assert_eq!(ward.site.membership.olog_number(), 2);
    let ended = &ward.site.membership.reopenings()[0];
    assert_eq!((ended.old_head, &ended.checkpoint), (head(100), &good));
    assert_eq!(*ended.first_leaf().as_bytes(), sha256(&good));
    // The old log has ended: it does not end again, and the next one ends as it did.
    let again = reopening(&ward, FIRST, SECOND, good, &ward.site.admins[1]);
    assert!(ward.site.membership.would_be_effective(&again, None).is_err());
    let next = cosigned_note(&ward.site, SECOND, head(7), 3);
    let entry = reopening(&ward, SECOND, THIRD, next, &ward.site.admins[1]);
    ward.site.append_effective(entry);
    let membership = &ward.site.membership;
    assert_eq!((membership.olog_origin(), membership.olog_begin()), (Some(THIRD), 2 * OLOG_SPAN));
    assert_eq!(membership.olog_begin_of(FIRST), Some(0));
    assert_eq!(membership.olog_begin_of(SECOND), Some(OLOG_SPAN));
    assert_eq!(membership.olog_begin_of("ward.example/site/olog/4"), None);
}

/// A revocation cuts in the log that its signer's head of the membership log names. Everything that
/// everybody can prove in a log before that one stands, nothing in a log after it does.
#[test]
fn rt_16_a_cut_off_counts_in_the_log_of_its_signer() {
    let mut ward = Ward::new(72);
    let (chart, phone) = (ward.chart, ward.phone.id);
    let revoke = |ward: &Ward, size| {
        ward.site.revoke_entry(chart.into(), phone, size, RevokePolicy::Sever, &[&ward.coordinator])
    };
    // Signed before the reopening, filed after it.
    let early = revoke(&ward, 40);
    let (note, kept) =
        (cosigned_note(&ward.site, FIRST, head(100), 3), cosigned_note(&ward.site, FIRST, head(80), 3));
    let admin = &ward.site.admins[0];
    let entry = reopening_with(&ward, (FIRST, SECOND), note, admin, Some(kept));
    ward.site.append_effective(entry);
    let mut other = ward.site.membership.clone();
    let late = revoke(&ward, 40);
    ward.site.append_effective(early);
    let standing = |membership: &Membership, place| membership.standing(chart, phone, place);
    let membership = &ward.site.membership;
    assert_eq!(standing(membership, Some(39)), Standing::Effective);
    for place in [Some(40), Some(99), Some(OLOG_SPAN), Some(OLOG_SPAN + 3), None] {
        assert_eq!(standing(membership, place), Standing::Severed, "{place:?}");
    }
    other.apply(other.size(), &late).unwrap();
    for place in [39, 79, OLOG_SPAN, OLOG_SPAN + 39] {
        assert_eq!(standing(&other, Some(place)), Standing::Effective, "{place}");
    }
    // What the restored server did not hold, one reader may have proved, and no other ever can.
    for place in [Some(80), Some(99), Some(OLOG_SPAN + 40), Some(2 * OLOG_SPAN), None] {
        assert_eq!(standing(&other, place), Standing::Severed, "{place:?}");
    }
    // A thief's cut-off far in the future does not reach into the log after it.
    let mut ward = Ward::new(73);
    let entry = ward.site.revoke_entry(
        chart_of(&ward),
        ward.phone.id,
        u64::MAX,
        RevokePolicy::Salvage,
        &[&ward.phone],
    );
    ward.site.append_effective(entry);
    let standing = |place| ward.site.membership.standing(ward.chart, ward.phone.id, Some(place));
    assert_eq!(standing(OLOG_SPAN - 1), Standing::Effective);
    assert_eq!(standing(OLOG_SPAN), Standing::ToBeAdopted);
}

/// What can be proved of logs that ended follows from the reopenings alone: from a backup of the log that
/// ends, from one of an earlier log, or from none that anybody can tell.
#[test]
fn rt_16_what_is_kept_of_ended_logs_is_what_the_newest_backup_held() {
    let note = |ward: &Ward, origin: &str, size| cosigned_note(&ward.site, origin, head(size), 2);
    let kept_after = |second: Option<(&str, u64)>| {
        let mut ward = Ward::new(75);
        let (old, kept) = (note(&ward, FIRST, 100), note(&ward, FIRST, 80));
        let first = reopening_with(&ward, (FIRST, SECOND), old, &ward.site.admins[0], Some(kept));
        ward.site.append_effective(first);
        assert_eq!(ward.site.membership.kept_of(1), Some(head(80)));
        assert_eq!(ward.site.membership.kept_of(2), None, "it has not ended");
        let (old, kept) = (note(&ward, SECOND, 60), second.map(|(origin, size)| note(&ward, origin, size)));
        let entry = reopening_with(&ward, (SECOND, THIRD), old, &ward.site.admins[1], kept);
        ward.site.append_effective(entry);
        let membership = ward.site.membership;
        let provable = [79, 80, OLOG_SPAN + 49, OLOG_SPAN + 50, 2 * OLOG_SPAN + 9];
        (membership.kept_of(1), membership.kept_of(2), provable.map(|place| membership.is_provable(place)))
    };
    let front = [true, false, true, false, true];
    assert_eq!(kept_after(Some((SECOND, 50))), (Some(head(80)), Some(head(50)), front));
    assert_eq!(
        kept_after(Some((FIRST, 70))),
        (Some(head(70)), None, [false, false, false, false, true]),
        "a backup from before the first reopening"
    );
    assert_eq!(kept_after(None), (None, None, [false, false, false, false, true]));
}

/// Nobody makes places provable that no witness saw: the head that is kept is cosigned, of a log of this
/// site, and not beyond the end of the log.
#[test]
fn rt_16_a_kept_head_is_a_cosigned_head_of_a_log_of_the_site() {
    let ward = Ward::new(76);
    let old = cosigned_note(&ward.site, FIRST, head(100), 2);
    let admin = &ward.site.admins[0];
    let judged = |kept: Vec<u8>| {
        let entry = reopening_with(&ward, (FIRST, SECOND), old.clone(), admin, Some(kept));
        ward.site.membership.would_be_effective(&entry, None)
    };
    assert_eq!(judged(old.clone()), Ok(()));
    for bad in [
        cosigned_note(&ward.site, FIRST, head(100), 1),
        cosigned_note(&ward.site, FIRST, head(101), 2),
        cosigned_note(&ward.site, SECOND, head(7), 2),
        cosigned_note(&ward.site, "ward.example/other/olog", head(7), 2),
        b"no note".to_vec(),
    ] {
        assert!(matches!(judged(bad), Err(VoidReason::Reopening(_))));
    }
}

/// The root names another log key and another witness.
fn change_keys(ward: &mut Ward) {
    let mut rng = TestRng::new(77);
    let (witness, log) = (SignKey::generate(&mut rng), SignKey::generate(&mut rng));
    let mut fields = (*ward.site.manifest).clone();
    (fields.number, fields.prev) = (fields.number + 1, Some(ward.site.manifest.hash()));
    (fields.log_key, fields.witnesses[0].key) = (*log.public(), *witness.public());
    ward.site.manifest = SiteManifest::new(fields).unwrap();
    let entry = ward.site.manifest_entry(ward.site.manifest.clone());
    ward.site.append_effective(entry);
    let keys = &mut ward.site.log_keys;
    (keys[0], *keys.last_mut().unwrap()) = (witness, log);
}

/// What the log and its witnesses signed before the root named other keys stays signed: the log goes on
/// from it, and what it covers stays proved.
#[test]
fn rt_16_a_head_of_before_a_change_of_the_log_key_ends_the_log_and_keeps_what_it_covers() {
    let mut ward = Ward::new(78);
    let note = |ward: &Ward, size, witnesses| cosigned_note(&ward.site, FIRST, head(size), witnesses);
    let (old, kept, too_few) = (note(&ward, 100, 2), note(&ward, 80, 2), note(&ward, 80, 1));
    let before = ward.site.manifest.number;
    change_keys(&mut ward);
    let ranked =
        |ward: &Ward, note: &[u8]| ward.site.membership.once_cosigned(FIRST, note).map(|head| head.rank());
    assert_eq!((ranked(&ward, &old), ranked(&ward, &too_few)), (Some((before, 100)), None));
    assert!(ranked(&ward, &note(&ward, 40, 2)) > ranked(&ward, &old), "the newest keys say more");
    assert_eq!(cosigned_head(&ward.site.manifest, FIRST, &old), None, "it is followed no more");
    let entry = reopening_with(&ward, (FIRST, SECOND), old, &ward.site.admins[0], Some(kept));
    ward.site.append_effective(entry);
    let membership = &ward.site.membership;
    assert_eq!((membership.reopenings()[0].old_head, membership.kept_of(1)), (head(100), Some(head(80))));
    assert_eq!([79, 80].map(|place| membership.is_provable(place)), [true, false]);
    // Nobody chose these keys.
    change_keys(&mut ward);
    let (log, keys) = ward.site.log_keys.split_last_mut().unwrap();
    (*log, keys[0]) = (SignKey::from_secret_bytes(&[5; 32]), SignKey::from_secret_bytes(&[6; 32]));
    let strange = cosigned_note(&ward.site, SECOND, head(9), 3);
    assert!(ward.site.membership.once_cosigned(SECOND, &strange).is_none());
}

fn chart_of(ward: &Ward) -> Subject {
    ward.chart.into()
}

/// What an author who left sealed on a head of before is given back only where the server can have lost
/// it; otherwise anybody who stayed could hand in what the author seals today.
#[test]
fn rt_23_what_a_former_member_seals_now_gets_no_place_by_way_of_a_colleague() {
    let mut ward = Ward::new(74);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let chart = Chart::new(ward.site.site, ward.chart);
    let mut rng = TestRng::new(74);
    let mut pen = ward.pen(&ward.clinician, 1);
    let envelope = {
        let entry = pen.write(&chart, dose_field("500", vec![]));
        seal(header(&ward.site, &entry, 0), &entry, &ward.clinician, &secret, &mut rng)
    };
    let relay = |ward: &Ward, now| {
        let bytes_len = envelope.to_canonical().len();
        let context = RelayContext {
            membership: &ward.site.membership,
            chart: ward.chart,
            now,
            stored: &StoredChain::default(),
        };
        check_relay(&[PushItem { envelope: &envelope, bytes_len }], &context).map(|plan| plan.known)
    };
    assert_eq!(relay(&ward, T0), Ok(0), "of a member, whoever brings it");
    let ended = ward.clinician.cert.not_after;
    assert_eq!(relay(&ward, ended), Err(PushError::CertificateOutOfDate));
    let leaves = ward.site.space_member(ward.chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(leaves);
    assert_eq!(relay(&ward, T0), Err(PushError::NotMember));
    // After a restore it is given back, also of a device that was revoked or whose certificate ended.
    let site = ward.site.site.into();
    let revoke =
        ward.site.revoke_entry(site, ward.clinician.id, 0, RevokePolicy::Salvage, &[&ward.site.admins[0]]);
    ward.site.append_effective(revoke);
    let policy = RevokePolicy::Salvage;
    assert_eq!(relay(&ward, T0), Err(PushError::Revoked { policy }));
    let note = cosigned_note(&ward.site, FIRST, head(100), 3);
    let entry = reopening(&ward, FIRST, SECOND, note, &ward.site.admins[0]);
    ward.site.append_effective(entry);
    assert_eq!(relay(&ward, T0), Ok(0));
    assert_eq!(relay(&ward, ended), Ok(0));
}
