//! What an attacker does, and what must hold. Each test bears the number of its attack.

use crate::support::*;
use minicbor::Encoder;
use std::collections::BTreeMap;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

fn void(effect: Effect) -> VoidReason {
    match effect {
        Effect::Void(reason) => reason,
        other => panic!("the attack went through: {other:?}"),
    }
}

fn is_member(ward: &Ward, device: DeviceId) -> bool {
    ward.members().contains(&device)
}

/// A certificate that an attacker made for keys of their own, in the participant's name.
fn ghost_phone(ward: &mut Ward) -> Device {
    let plan = ward.site.plan(ward.participant, Role::Patient, &ward.coordinator);
    ward.site.certify(plan)
}

/// 1: the server adds a device of its own to a person.
#[test]
fn rt_01_a_ghost_device_is_in_no_member_set() {
    let mut ward = Ward::new(1);
    let ghost = ghost_phone(&mut ward);
    let entry = ward.site.patient_entry(ward.chart, &ghost, &ghost, None);
    assert_eq!(void(ward.site.append(entry)), VoidReason::UnknownSigner(ghost.id.into()));
    let body = MlogBody::DeviceCert(Box::new(ghost.cert.clone()));
    let unsigned = ward.site.entry(ward.chart.into(), &body);
    assert_eq!(void(ward.site.append(unsigned)), VoidReason::Unsigned);
    let forged = ward.site.entry(ward.chart.into(), &body);
    let signature = ghost.keys.sign.sign_labelled(labels::MLOG, &forged.signing_digest());
    let forged = forged.add_signature(ward.coordinator.id.into(), signature).unwrap();
    assert!(matches!(
        void(ward.site.append(forged)),
        VoidReason::MoreSignatures { .. } | VoidReason::BadSignature(_)
    ));
    let admin = ghost_admin(&mut ward);
    assert!(!is_member(&ward, ghost.id) && !is_member(&ward, admin));
    let plan = plan_rotation(&ward.site.membership, ward.chart, ward.phone.id).unwrap();
    assert!(plan.members.iter().all(|(device, _)| *device != ghost.id), "and it gets no wrap");
}

/// An admin that the root did not name, certified by itself.
fn ghost_admin(ward: &mut Ward) -> DeviceId {
    let person = ward.site.person();
    let mut plan = ward.site.plan(person, Role::Admin, &ward.coordinator);
    plan.issuer = None;
    let admin = ward.site.certify(plan);
    let body = MlogBody::DeviceCert(Box::new(admin.cert.clone()));
    let entry = ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[&admin]);
    assert!(matches!(void(ward.site.append(entry)), VoidReason::Certificate(_)));
    admin.id
}

/// 2: the server adds a person to a chart, and a package serves them.
#[test]
fn rt_02_a_package_for_a_ghost_member_is_quarantined() {
    let mut ward = Ward::new(2);
    let stranger = ward.site.staff(Role::Clinician);
    let entry = ward.site.space_member(ward.chart, stranger.person, true, &[]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::Unsigned);
    assert!(!is_member(&ward, stranger.id));

    // A member makes a package for the set that the server showed them.
    let honest = plan_rotation(&ward.site.membership, ward.chart, ward.coordinator.id).unwrap();
    let mut plan = honest.clone();
    plan.members.push((stranger.id, stranger.keys.enc.public().clone()));
    let (package, _) = ward.site.package(&plan, &ward.coordinator, None);
    let announce = ward.site.announce(&package, &ward.coordinator);
    ward.site.membership.learn_package(&package);
    assert_eq!(void(ward.site.append(announce)), VoidReason::MemberSetDiffers);
    let aside = accept_package(&ward.site.membership, &package, ward.phone.id, &ward.phone.keys.enc);
    assert_eq!(aside.err(), Some(Quarantine::DoesNotCount(Some(VoidReason::MemberSetDiffers))));

    // The package names the honest set, but holds one wrap more.
    let (package, _) = ward.site.package(&honest, &ward.coordinator, None);
    let smuggled = with_stranger(&package, stranger.id, &ward.coordinator);
    let announce = ward.site.announce(&smuggled, &ward.coordinator);
    let facts =
        ArrivalFacts { now: T0, revokes_by_signer: 0, announces_by_signer: 0, cut_off: CutOff::Fresh };
    let fault = PackageFault::ServesStranger(stranger.id);
    assert_eq!(
        ward.site.membership.check_arrival(&announce, Some(&smuggled), facts),
        Err(ArrivalRefusal::Package(fault))
    );
    ward.site.membership.learn_package(&smuggled);
    ward.site.append_effective(announce);
    let aside = accept_package(&ward.site.membership, &smuggled, ward.phone.id, &ward.phone.keys.enc);
    assert_eq!(aside.err(), Some(Quarantine::Fault(fault)));
}

/// The same package with one wrap more, signed again by its author.
fn with_stranger(package: &EpochPackage, stranger: DeviceId, author: &Device) -> EpochPackage {
    let mut wraps = package.wraps.clone();
    let mut extra = wraps[0].clone();
    extra.device = stranger;
    wraps.push(extra);
    wraps.sort_by_key(|wrap| wrap.device);
    let mut signed = Encoder::new(Vec::new());
    let parts = |e: &mut Encoder<Vec<u8>>| {
        e.encode(package.header()).unwrap().bytes(&package.commitment).unwrap();
        e.encode(&wraps).unwrap().null().unwrap();
    };
    signed.array(4).unwrap();
    parts(&mut signed);
    let signature = author.keys.sign.sign_labelled(labels::PKG, &sha256(signed.writer()));
    let mut whole = Encoder::new(Vec::new());
    whole.array(5).unwrap();
    parts(&mut whole);
    whole.encode(signature).unwrap();
    EpochPackage::from_canonical(whole.writer()).unwrap()
}

/// 4: the server recovers a participant's account to a key of its own.
#[test]
fn rt_04_recovery_without_two_staff_persons_is_void() {
    let mut ward = Ward::new(4);
    let ghost = ghost_phone(&mut ward);
    let body = MlogBody::RecoveryUse(RecoveryUse {
        chart: ward.chart,
        person: ward.participant,
        revoked: vec![ward.phone.id],
        olog: TreeHead { size: 0, root: TreeRoot::from_bytes([0; 32]) },
        cert: Box::new(ghost.cert.clone()),
        reason: "lost".into(),
    });
    let attempts: [&[&Device]; 4] = [&[], &[&ghost], &[&ward.coordinator], &[&ward.coordinator, &ward.phone]];
    for signers in attempts {
        let entry = ward.site.sign(ward.site.entry(ward.chart.into(), &body), signers);
        assert!(ward.site.membership.would_be_effective(&entry, None).is_err());
        let index = ward.site.membership.size();
        void(ward.site.membership.apply(index, &entry).unwrap());
    }
    assert!(!is_member(&ward, ghost.id) && is_member(&ward, ward.phone.id));
}

/// 11: an old package is offered as the next epoch.
#[test]
fn rt_11_an_old_package_is_no_new_epoch() {
    let mut ward = Ward::new(11);
    let (package, _) = ward.site.rotate(ward.chart, &ward.phone, None);
    let body = |epoch| {
        MlogBody::EpochAnnounce(EpochAnnounce { chart: ward.chart, epoch, package_hash: package.hash() })
    };
    let again = ward.site.sign(ward.site.entry(ward.chart.into(), &body(0)), &[&ward.phone]);
    let relabelled = ward.site.sign(ward.site.entry(ward.chart.into(), &body(1)), &[&ward.phone]);
    assert_eq!(void(ward.site.append(again)), VoidReason::EpochNotNext { expected: 1, got: 0 });
    assert_eq!(void(ward.site.append(relabelled)), VoidReason::OtherPackage);
    assert_eq!(ward.site.membership.counted_epoch(ward.chart).unwrap().epoch, 0);
}

/// 13: the server shows two signers two logs.
#[test]
fn rt_13_an_entry_signed_on_another_log_is_void_here() {
    let mut here = Ward::new(13);
    let elsewhere = Ward::new(13);
    let entry = here.site.space_member(here.chart, here.clinician.person, false, &[&here.investigator]);
    here.site.append_effective(entry);
    let mut there = elsewhere;
    let other = there.site.space_member(there.chart, there.coordinator.person, false, &[&there.investigator]);
    there.site.append_effective(other);
    let next = there.site.revoke_entry(
        there.chart.into(),
        there.phone.id,
        1,
        RevokePolicy::Sever,
        &[&there.coordinator],
    );
    assert_eq!(here.site.membership.size(), there.site.membership.size());
    assert_eq!(void(here.site.append(next)), VoidReason::ForeignBase);
}

/// 13: two members who were shown two logs notice it at the first exchanged entry.
#[test]
fn rt_13_a_split_view_shows_at_the_first_exchanged_entry() {
    let (here, mut there) = (Relay::new(13), Relay::new(13));
    let entry = there.entries(1).remove(0);
    let common = header(&there.ward.site, &entry, 0);
    assert_eq!(check_author(&here.ward.site.membership, &common).unwrap().device(), there.ward.phone.id);
    let hidden = there.ward.site.person();
    there.ward.site.team(there.ward.team, &[there.ward.coordinator.person, hidden]);
    let ahead = header(&there.ward.site, &entry, 0);
    let size = ahead.mlog_size;
    let membership = &here.ward.site.membership;
    assert_eq!(check_author(membership, &ahead).err(), Some(ReadFault::HeadAhead { size }));
    let mut here = here;
    here.ward.site.team(here.ward.team, &[here.ward.clinician.person]);
    assert_eq!(check_author(&here.ward.site.membership, &ahead).err(), Some(ReadFault::ForeignHead));
    let membership = &here.ward.site.membership;
    let after = header(&here.ward.site, &entry, 0);
    assert_eq!(check_author(membership, &after).err(), Some(ReadFault::OtherMembers));
    let unknown = EnvelopeHeader { epoch: 7, ..common.clone() };
    assert_eq!(check_author(membership, &unknown).err(), Some(ReadFault::EpochUnknown));
    let removed = EnvelopeHeader { device: here.ward.coordinator.id, ..after };
    assert_eq!(check_author(membership, &removed).err(), Some(ReadFault::NotMember));
    let stranger = EnvelopeHeader { device: DeviceId::from_bytes([0; 16]), ..common };
    assert_eq!(check_author(membership, &stranger).err(), Some(ReadFault::NoCertificate));
}

fn seal_facts<'a>(
    ward: &'a Ward,
    device: DeviceId,
    package: &EpochPackage,
    freshness: Freshness,
) -> SealFacts<'a> {
    SealFacts {
        membership: &ward.site.membership,
        head: ward.site.membership.head(),
        freshness,
        log_evidence: false,
        chart: ward.chart,
        device,
        held_package: Some(package.hash()),
        held_since: Some(T0),
    }
}

/// 14: the server freezes the log, so that a revocation is not seen.
#[test]
fn rt_14_nothing_is_sealed_under_a_frozen_log() {
    let mut ward = Ward::new(14);
    let (package, _) = ward.site.rotate(ward.chart, &ward.phone, None);
    let limit_ms = i64::from(ward.site.manifest.freshness_limit_s) * 1_000;
    let mut time = TrustedTime::new();
    let reading = |ms: i64| ClockReading { boot_id: 1, monotonic_ms: ms as u64, wall: T0.plus_ms(ms) };
    let may = |time: &TrustedTime, reading| {
        may_seal(&seal_facts(&ward, ward.phone.id, &package, time.freshness(T0, reading, limit_ms)))
    };
    assert_eq!(may(&time, reading(0)), Err(SealRefusal::NeedsWitnessTime));
    time.on_witness_time(T0, reading(0));
    let head = ward.site.membership.head();
    assert_eq!(may(&time, reading(limit_ms)), Ok(SealPermit { epoch: 0, head }));
    assert_eq!(may(&time, reading(limit_ms + 1)), Err(SealRefusal::Stale { age_ms: limit_ms + 1 }));
    // A thief sets the wall clock back: the machine's own clock goes on, and the jump is noticed.
    let set_back = ClockReading { wall: T0, ..reading(limit_ms + 1) };
    assert_eq!(may(&time, set_back), Err(SealRefusal::NeedsWitnessTime));
    let evidence = SealFacts {
        log_evidence: true,
        ..seal_facts(&ward, ward.phone.id, &package, Freshness::Fresh { now: T0 })
    };
    assert_eq!(may_seal(&evidence), Err(SealRefusal::LogEvidence));
    let behind = SealFacts {
        head: TreeHead { size: head.size + 1, root: head.root },
        ..seal_facts(&ward, ward.phone.id, &package, Freshness::Fresh { now: T0 })
    };
    assert_eq!(may_seal(&behind), Err(SealRefusal::NotAtHead));
    let expired = Freshness::Fresh { now: T0.plus_ms(366 * DAY_MS) };
    let facts = seal_facts(&ward, ward.phone.id, &package, expired);
    assert_eq!(may_seal(&facts), Err(SealRefusal::CertificateOutOfDate));
    let old = Freshness::Fresh { now: T0.plus_ms(90 * DAY_MS) };
    assert_eq!(may_seal(&seal_facts(&ward, ward.phone.id, &package, old)), Err(SealRefusal::EpochOld));
}

struct Relay {
    ward: Ward,
    secret: EpochSecret,
    rng: TestRng,
}

impl Relay {
    fn new(seed: u64) -> Self {
        let mut ward = Ward::new(seed);
        let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
        Self { ward, secret, rng: TestRng::new(seed) }
    }

    fn entries(&self, count: usize) -> Vec<SignedEntry> {
        let mut chart = Chart::new(self.ward.site.site, self.ward.chart);
        let mut pen = Pen::new(self.ward.site.site, self.ward.chart, &self.ward.phone, 1);
        let write = |n| {
            let entry = pen.write(&chart, note(&format!("entry {n}")));
            chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
            entry
        };
        (0..count).map(write).collect()
    }

    fn seal(&mut self, entry: &SignedEntry) -> Envelope {
        seal(header(&self.ward.site, entry, 0), entry, &self.ward.phone, &self.secret, &mut self.rng)
    }

    fn push(&self, envelopes: &[Envelope], stored: &StoredChain) -> Result<PushPlan, PushError> {
        self.push_as(self.ward.phone.id, envelopes, stored)
    }

    fn push_as(
        &self,
        caller: DeviceId,
        envelopes: &[Envelope],
        stored: &StoredChain,
    ) -> Result<PushPlan, PushError> {
        let item = |envelope| PushItem { envelope, bytes_len: Envelope::to_canonical(envelope).len() };
        let batch: Vec<PushItem<'_>> = envelopes.iter().map(item).collect();
        check_push(
            &batch,
            &PushContext {
                membership: &self.ward.site.membership,
                chart: self.ward.chart,
                caller,
                now: T0,
                stored,
                epoch_announced_at: None,
            },
        )
    }
}

fn stored(entries: &[SignedEntry]) -> StoredChain {
    let place = |entry: &SignedEntry| (entry.frame().seq, entry.id());
    let head = entries.last().map(|entry| Head { seq: entry.frame().seq, entry: entry.id() });
    StoredChain { head, entries: entries.iter().map(place).collect::<BTreeMap<_, _>>() }
}

/// 15: an operation is sent again.
#[test]
fn rt_15_a_repeated_place_changes_nothing_and_another_entry_there_is_a_fork() {
    let mut relay = Relay::new(15);
    let entries = relay.entries(3);
    let envelopes: Vec<Envelope> = entries.iter().map(|entry| relay.seal(entry)).collect();
    let head = Head { seq: 3, entry: entries[2].id() };
    assert_eq!(relay.push(&envelopes, &StoredChain::default()), Ok(PushPlan { known: 0, head }));
    // Sealed again, in other envelopes: the same entries.
    let again: Vec<Envelope> = entries.iter().map(|entry| relay.seal(entry)).collect();
    assert_ne!(again, envelopes);
    assert_eq!(relay.push(&again, &stored(&entries)), Ok(PushPlan { known: 3, head }));
    assert_eq!(relay.push(&again, &stored(&entries[..2])), Ok(PushPlan { known: 2, head }));
    let mut other = relay.entries(3);
    other[2] = {
        let mut frame = entries[2].frame().clone();
        frame.body.random16 = [0xee; 16];
        let key = &relay.ward.phone.keys.sign;
        SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(key, id))).unwrap()
    };
    let second_history = [relay.seal(&other[2])];
    let refusal = PushError::Fork { seq: 3, entry_id: entries[2].id() };
    assert_eq!(relay.push(&second_history, &stored(&entries)), Err(refusal));
    // With a server that passes the repetition on, devices do not count twice.
    let mut chart = Chart::new(relay.ward.site.site, relay.ward.chart);
    for _ in 0..2 {
        chart.insert(entries[0].clone(), Arrival::at(0, T0)).unwrap();
    }
    assert_eq!(chart.len(), 1);
}

/// 16: the server drops an operation in the middle.
#[test]
fn rt_16_a_gap_is_reported_with_the_missing_hash() {
    let mut relay = Relay::new(16);
    let entries = relay.entries(4);
    let mut chart = Chart::new(relay.ward.site.site, relay.ward.chart);
    for place in [0, 3, 2] {
        chart.insert(entries[place].clone(), Arrival::at(place as u64, T0)).unwrap();
    }
    let gap =
        Gap { device: relay.ward.phone.id, incarnation: Incarnation(1), seq: 2, missing: entries[1].id() };
    assert_eq!(chart.gaps(), [gap]);
    let membership = relay.ward.site.membership.clone();
    let authority = ChartAuthority { membership: &membership, chart: relay.ward.chart };
    let waiting: Vec<EntryId> = chart.view(&authority).parked().map(|item| item.entry.id()).collect();
    assert_eq!(waiting, [entries[2].id(), entries[3].id()]);
    assert_eq!(chart.have().head(relay.ward.phone.id, Incarnation(1)).unwrap().seq, 1);
    let later = [relay.seal(&entries[2])];
    assert_eq!(relay.push(&later, &stored(&entries[..1])), Err(PushError::Gap { expect: 2 }));
    let torn = [relay.seal(&entries[0]), relay.seal(&entries[2])];
    assert_eq!(relay.push(&torn, &StoredChain::default()), Err(PushError::Gap { expect: 2 }));
    chart.insert(entries[1].clone(), Arrival::at(9, T0)).unwrap();
    assert!(chart.gaps().is_empty());
    assert_eq!(chart.view(&authority).parked().count(), 0);
}

/// 17: the server hides the last operations of a device.
#[test]
fn rt_17_a_hidden_tail_shows_at_the_next_entry_of_a_peer() {
    let relay = Relay::new(17);
    let entries = relay.entries(3);
    let mut complete = Chart::new(relay.ward.site.site, relay.ward.chart);
    for entry in &entries {
        complete.insert(entry.clone(), Arrival::UNSENT).unwrap();
    }
    let mut nurse = Pen::new(relay.ward.site.site, relay.ward.chart, &relay.ward.coordinator, 2);
    let reply = nurse.write(&complete, note("seen all of it"));
    let mut cut = Chart::new(relay.ward.site.site, relay.ward.chart);
    cut.insert(entries[0].clone(), Arrival::at(0, T0)).unwrap();
    assert!(cut.missing().is_empty(), "nothing to notice yet");
    cut.insert(reply.clone(), Arrival::at(1, T0)).unwrap();
    assert_eq!(cut.missing(), [entries[2].id()]);
    let authority = ChartAuthority { membership: &relay.ward.site.membership, chart: relay.ward.chart };
    assert_eq!(cut.view(&authority).place(reply.id()), Some(Place::Parked));
}

/// 18: what an envelope says in clear is altered.
#[test]
fn rt_18_an_entry_belongs_to_exactly_its_header() {
    let relay = Relay::new(18);
    let entries = relay.entries(2);
    let (entry, cert) = (&entries[1], &relay.ward.phone.cert);
    let good = header(&relay.ward.site, entry, 0);
    let rebuilt = SignedEntry::rebuild_and_check(&good, &entry.plaintext(), cert);
    assert_eq!(rebuilt.as_ref(), Ok(entry));
    let altered: [(&str, EnvelopeHeader); 7] = [
        ("site", EnvelopeHeader { site: SiteId::from_bytes([0; 16]), ..good.clone() }),
        ("chart", EnvelopeHeader { chart: ChartId::from_bytes([0; 16]), ..good.clone() }),
        ("device", EnvelopeHeader { device: relay.ward.clinician.id, ..good.clone() }),
        ("incarnation", EnvelopeHeader { incarnation: Incarnation(2), ..good.clone() }),
        ("seq", EnvelopeHeader { seq: 3, ..good.clone() }),
        ("first seq", EnvelopeHeader { seq: 1, ..good.clone() }),
        ("entry", EnvelopeHeader { entry_id: entries[0].id(), ..good.clone() }),
    ];
    for (what, header) in altered {
        assert!(SignedEntry::rebuild_and_check(&header, &entry.plaintext(), cert).is_err(), "{what}");
    }
    assert_eq!(
        SignedEntry::rebuild_and_check(&good, &entry.plaintext(), &relay.ward.clinician.cert),
        Err(EntryError::OtherDevice)
    );
    let plaintext = entry.plaintext();
    let mut plaintexts: Vec<Vec<u8>> = vec![plaintext.clone()];
    for place in 0..plaintext.len() {
        let mut flipped = plaintext.clone();
        flipped[place] ^= 1;
        assert!(SignedEntry::rebuild_and_check(&good, &flipped, cert).is_err(), "byte {place}");
        plaintexts.push(flipped);
    }
    // Many at once get the verdicts that each would get alone.
    let certs = [cert, &relay.ward.clinician.cert];
    let opened: Vec<OpenedEnvelope<'_>> = certs
        .iter()
        .flat_map(|cert| plaintexts.iter().map(|plaintext| OpenedEnvelope { header: &good, plaintext, cert }))
        .collect();
    let alone = opened.iter().map(|one| SignedEntry::rebuild_and_check(one.header, one.plaintext, one.cert));
    assert_eq!(SignedEntry::rebuild_and_check_all(&opened), alone.collect::<Vec<_>>());
}

/// 22: somebody who left reads what is written afterwards.
#[test]
fn rt_22_a_revoked_member_gets_no_wrap_and_nothing_is_sealed_before_the_rotation() {
    let mut ward = Ward::new(22);
    let (package0, secret0) = ward.site.rotate(ward.chart, &ward.phone, None);
    let fresh = Freshness::Fresh { now: T0 };
    assert!(may_seal(&seal_facts(&ward, ward.phone.id, &package0, fresh)).is_ok());
    let before = ward.site.membership.head();
    let site = ward.site.site.into();
    let entry =
        ward.site.revoke_entry(site, ward.clinician.id, 0, RevokePolicy::Sever, &[&ward.site.admins[0]]);
    ward.site.append_effective(entry);

    let refusal = may_seal(&seal_facts(&ward, ward.phone.id, &package0, fresh));
    assert_eq!(refusal, Err(SealRefusal::RotationNeeded(RotationReason::MembersChanged)));
    let revoked = may_seal(&seal_facts(&ward, ward.clinician.id, &package0, fresh));
    assert_eq!(revoked, Err(SealRefusal::Revoked));
    assert_eq!(
        plan_rotation(&ward.site.membership, ward.chart, ward.clinician.id),
        Err(RotationError::NotMember)
    );

    let (package1, secret1) = ward.site.rotate(ward.chart, &ward.phone, Some((&package0, &secret0)));
    assert!(package1.wrapped_devices().all(|device| device != ward.clinician.id));
    assert!(
        accept_package(&ward.site.membership, &package1, ward.clinician.id, &ward.clinician.keys.enc)
            .is_err()
    );
    let stale = may_seal(&seal_facts(&ward, ward.phone.id, &package0, fresh));
    assert_eq!(stale, Err(SealRefusal::EpochNotHeld));
    let permit = may_seal(&seal_facts(&ward, ward.phone.id, &package1, fresh)).unwrap();
    assert_eq!((permit.epoch, permit.head), (1, ward.site.membership.head()));

    // Whatever is sealed under the old epoch and names a head after the revocation is refused, and
    // so is the new epoch on a head before it.
    let relay = Relay { ward, secret: secret1, rng: TestRng::new(22) };
    let entry = relay.entries(1).remove(0);
    let good = header(&relay.ward.site, &entry, 1);
    let counted = PushError::EpochStale { counted: Some(1), mlog_size: relay.ward.site.membership.size() };
    let before = EnvelopeHeader { mlog_size: before.size, mlog_root: before.root, ..good.clone() };
    let other_root = EnvelopeHeader { mlog_root: TreeRoot::from_bytes([5; 32]), ..good.clone() };
    let mut rng = TestRng::new(1);
    for (secret, header, expected) in [
        (&secret0, EnvelopeHeader { epoch: 0, ..good.clone() }, Err(counted)),
        (&relay.secret, before, Err(counted)),
        (&relay.secret, other_root, Err(PushError::ForeignHead { seq: 1 })),
        (&relay.secret, good, Ok(())),
    ] {
        let envelope = seal(header, &entry, &relay.ward.phone, secret, &mut rng);
        assert_eq!(relay.push(&[envelope], &StoredChain::default()).map(|_| ()), expected);
    }
    // The revoked member pushes nothing, not even with its own old certificate.
    let mut pen = Pen::new(relay.ward.site.site, relay.ward.chart, &relay.ward.clinician, 3);
    let chart = Chart::new(relay.ward.site.site, relay.ward.chart);
    let late = pen.write(&chart, note("too late"));
    let envelope =
        seal(header(&relay.ward.site, &late, 1), &late, &relay.ward.clinician, &relay.secret, &mut rng);
    let policy = RevokePolicy::Sever;
    assert_eq!(
        relay.push_as(relay.ward.clinician.id, &[envelope], &StoredChain::default()),
        Err(PushError::Revoked { policy })
    );
}

/// 23: somebody who left signs an entry with an old date, and the server files it late.
#[test]
fn rt_23_a_back_dated_entry_arrives_too_late_all_the_same() {
    let mut ward = Ward::new(23);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let entry = ward.site.revoke_entry(
        ward.site.site.into(),
        ward.clinician.id,
        10,
        RevokePolicy::Sever,
        &[&ward.site.admins[0]],
    );
    ward.site.append_effective(entry);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.clinician, 1);
    pen.clock = T0.plus_ms(-300 * DAY_MS);
    let back_dated = pen.write(&chart, dose_field("500", vec![]));
    chart.insert(back_dated.clone(), Arrival::at(11, T0)).unwrap();
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let view = chart.view(&authority);
    assert_eq!(view.place(back_dated.id()), Some(Place::Quarantined(QuarantineReason::Severed)));
    assert!(view.medication_plan().is_empty());
}

/// 23: the server helps somebody who left and names an earlier place for a new entry. Without a
/// proof of the place it does not stand; the proof that stands for an honest entry stands for those
/// before it in its chain, and for nothing after it.
#[test]
fn rt_23_a_place_that_nothing_proves_does_not_count() {
    let mut ward = Ward::new(230);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.clinician, 1);
    let honest: Vec<SignedEntry> = (0..4)
        .map(|place| {
            let entry = pen.write(&chart, note("on duty"));
            chart.insert(entry.clone(), Arrival::at(place, T0)).unwrap();
            entry
        })
        .collect();
    assert_eq!(chart.to_prove(10), [(honest[3].id(), 3)], "the newest of a chain");
    assert_eq!(chart.to_prove(3), [(honest[2].id(), 2)], "of those below the size that is verified");
    chart.prove(honest[2].id(), 2);
    assert_eq!(chart.to_prove(3), []);
    let (site, id) = (ward.site.site.into(), ward.clinician.id);
    let entry = ward.site.revoke_entry(site, id, 10, RevokePolicy::Sever, &[&ward.site.admins[0]]);
    ward.site.append_effective(entry);
    // Made after the cut-off, filed at a place before it that belongs to somebody else's chart.
    let late = pen.write(&chart, note("years later"));
    chart.insert(late.clone(), Arrival::at(4, T0)).unwrap();
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let place = |chart: &Chart, entry: &SignedEntry| chart.view(&authority).place(entry.id());
    for entry in &honest[..3] {
        assert_eq!(place(&chart, entry), Some(Place::Visible));
    }
    let severed = Some(Place::Quarantined(QuarantineReason::Severed));
    assert_eq!((place(&chart, &honest[3]), place(&chart, &late)), (severed, severed));
    assert_eq!(chart.to_prove_of(ward.clinician.id, 10), [(late.id(), 4)]);
    assert_eq!(chart.to_prove_of(ward.phone.id, 10), []);
    // What is proved at or after the cut-off proves nothing about the time before it.
    chart.prove(late.id(), 10);
    assert_eq!((place(&chart, &honest[3]), place(&chart, &late)), (severed, severed));
    chart.prove(honest[3].id(), 3);
    assert_eq!((place(&chart, &honest[3]), place(&chart, &late)), (Some(Place::Visible), severed));
}

/// 44: a key of somebody else is certified once more.
#[test]
fn rt_44_a_key_is_certified_once() {
    let mut ward = Ward::new(44);
    for (of, role) in [(&ward.phone, Role::Patient), (&ward.coordinator, Role::Patient)] {
        let mut plan = ward.site.plan(ward.participant, role, &ward.coordinator);
        plan.keys = DeviceKeys::from_secret_bytes(&of.keys.to_secret_bytes()).unwrap();
        let copy = ward.site.certify(plan);
        let entry = ward.site.patient_entry(ward.chart, &copy, &ward.coordinator, Some(&ward.phone));
        let index = ward.site.membership.size();
        assert_eq!(void(ward.site.membership.apply(index, &entry).unwrap()), VoidReason::KeyReused);
    }
}

/// 51: staff write an answer in the participant's name.
#[test]
fn rt_51_staff_cannot_write_as_the_participant() {
    let ward = Ward::new(51);
    let chart = Chart::new(ward.site.site, ward.chart);
    let answer = response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    // In the participant's name, with a key of their own.
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let genuine = pen.write(&chart, answer);
    let key = &ward.coordinator.keys.sign;
    let forged =
        SignedEntry::sign(genuine.frame().clone(), |id| Ok(CaptureSignature::sign(key, id))).unwrap();
    let header = header(&ward.site, &forged, 0);
    assert_eq!(
        SignedEntry::rebuild_and_check(&header, &forged.plaintext(), &ward.phone.cert),
        Err(EntryError::CaptureSignature)
    );
    // In their own name, as if the participant had answered alone.
    let mut frame = genuine.frame().clone();
    frame.device = ward.coordinator.id;
    let own = SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(key, id))).unwrap();
    let mut chart = chart;
    chart.insert(own.clone(), Arrival::at(0, T0)).unwrap();
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    assert_eq!(chart.view(&authority).place(own.id()), Some(Place::NotPermitted));
}

/// What else the door of the relay refuses.
#[test]
fn pushes_are_one_chain_of_the_caller_within_limits() {
    let mut relay = Relay::new(60);
    let entries = relay.entries(2);
    let envelopes: Vec<Envelope> = entries.iter().map(|entry| relay.seal(entry)).collect();
    let none = StoredChain::default();
    assert_eq!(relay.push(&[], &none), Err(PushError::Empty));
    assert_eq!(relay.push_as(relay.ward.coordinator.id, &envelopes, &none), Err(PushError::OtherCaller));
    let ward = &relay.ward;
    let context = |caller, now, announced| PushContext {
        membership: &ward.site.membership,
        chart: ward.chart,
        caller,
        now,
        stored: &none,
        epoch_announced_at: announced,
    };
    let item = PushItem { envelope: &envelopes[0], bytes_len: ward_sync::limits::OPERATION_MAX_BYTES };
    assert!(check_push(&[item], &context(ward.phone.id, T0, None)).is_ok());
    let larger = PushItem { bytes_len: item.bytes_len + 1, ..item };
    let refused = check_push(&[larger], &context(ward.phone.id, T0, None));
    assert_eq!(refused, Err(PushError::TooLarge { what: "one envelope" }));
    let many = vec![item; ward_sync::limits::PUSH_MAX_ENVELOPES + 1];
    let refused = check_push(&many, &context(ward.phone.id, T0, None));
    assert_eq!(refused, Err(PushError::TooLarge { what: "number of envelopes" }));
    let heavy = vec![item; 17];
    let refused = check_push(&heavy, &context(ward.phone.id, T0, None));
    assert_eq!(refused, Err(PushError::TooLarge { what: "all envelopes together" }));
    let later = T0.plus_ms(366 * DAY_MS);
    assert_eq!(
        check_push(&[item], &context(ward.phone.id, later, None)),
        Err(PushError::CertificateOutOfDate)
    );
    let elsewhere = PushContext { chart: ChartId::from_bytes([9; 16]), ..context(ward.phone.id, T0, None) };
    assert_eq!(check_push(&[item], &elsewhere), Err(PushError::Mixed));
    // Another member's envelope, signed by a key that is not its own.
    let mut rng = TestRng::new(4);
    let stolen =
        seal(header(&ward.site, &entries[0], 0), &entries[0], &ward.coordinator, &relay.secret, &mut rng);
    assert_eq!(relay.push(&[stolen], &none), Err(PushError::BadSignature { seq: 1 }));
    // Somebody who was taken out of the chart.
    let entry = relay.ward.site.space_member(
        relay.ward.chart,
        relay.ward.clinician.person,
        false,
        &[&relay.ward.investigator],
    );
    let mut pen = Pen::new(relay.ward.site.site, relay.ward.chart, &relay.ward.clinician, 1);
    let written = pen.write(&Chart::new(relay.ward.site.site, relay.ward.chart), note("n"));
    let envelope =
        seal(header(&relay.ward.site, &written, 0), &written, &relay.ward.clinician, &relay.secret, &mut rng);
    let clinician = relay.ward.clinician.id;
    assert!(relay.push_as(clinician, std::slice::from_ref(&envelope), &none).is_ok());
    relay.ward.site.append_effective(entry);
    assert_eq!(relay.push_as(clinician, &[envelope], &none), Err(PushError::NotMember));
}

/// The relay checks the pushes of many devices in one go: a bad one must neither spoil nor borrow
/// the verdict of another.
#[test]
fn pushes_checked_together_get_their_own_verdicts() {
    let mut relay = Relay::new(62);
    let entries = relay.entries(3);
    let good: Vec<Envelope> = entries.iter().map(|entry| relay.seal(entry)).collect();
    let ward = &relay.ward;
    let mut rng = TestRng::new(5);
    let stolen = |place: usize, rng: &mut TestRng| {
        let entry = &entries[place];
        seal(header(&ward.site, entry, 0), entry, &ward.coordinator, &relay.secret, rng)
    };
    let spoiled = [good[0].clone(), stolen(1, &mut rng), good[2].clone()];
    let forged = [stolen(0, &mut rng)];
    let none = StoredChain::default();
    let context = |caller| PushContext {
        membership: &ward.site.membership,
        chart: ward.chart,
        caller,
        now: T0,
        stored: &none,
        epoch_announced_at: None,
    };
    let items = |envelopes: &[Envelope]| -> Vec<(Envelope, usize)> {
        envelopes.iter().map(|envelope| (envelope.clone(), Envelope::to_canonical(envelope).len())).collect()
    };
    let (phone, other) = (ward.phone.id, ward.coordinator.id);
    let pushes = [
        (items(&good), phone),
        (items(&spoiled), phone),
        (items(&[]), phone),
        (items(&good), other),
        (items(&forged), phone),
        (items(&good[..1]), phone),
    ];
    let batches: Vec<Vec<PushItem<'_>>> = pushes
        .iter()
        .map(|(items, _)| {
            items.iter().map(|(envelope, bytes_len)| PushItem { envelope, bytes_len: *bytes_len }).collect()
        })
        .collect();
    let together: Vec<_> = batches
        .iter()
        .zip(&pushes)
        .map(|(batch, (_, caller))| (batch.as_slice(), context(*caller)))
        .collect();
    let verdicts = check_pushes(&together);
    let singly: Vec<_> = together.iter().map(|(batch, context)| check_push(batch, context)).collect();
    assert_eq!(verdicts, singly);
    let accepted =
        |plan: &Result<PushPlan, PushError>| plan.as_ref().map(|plan| plan.head.seq).map_err(|error| *error);
    assert_eq!(
        verdicts.iter().map(accepted).collect::<Vec<_>>(),
        [
            Ok(3),
            Err(PushError::BadSignature { seq: 2 }),
            Err(PushError::Empty),
            Err(PushError::OtherCaller),
            Err(PushError::BadSignature { seq: 1 }),
            Ok(1),
        ]
    );
}

/// The epoch before is taken for a minute after the announce, and not longer.
#[test]
fn the_epoch_before_has_a_minute_of_grace() {
    let mut relay = Relay::new(61);
    let entry = relay.entries(1).remove(0);
    let envelope = relay.seal(&entry);
    let chart = relay.ward.chart;
    let package0 = relay.ward.site.packages.values().next().unwrap().clone();
    relay.ward.site.rotate(chart, &relay.ward.phone, Some((&package0, &relay.secret)));
    let none = StoredChain::default();
    let batch = [PushItem { envelope: &envelope, bytes_len: 1_000 }];
    let push = |after_ms: i64| {
        check_push(
            &batch,
            &PushContext {
                membership: &relay.ward.site.membership,
                chart,
                caller: relay.ward.phone.id,
                now: T0.plus_ms(after_ms),
                stored: &none,
                epoch_announced_at: Some(T0),
            },
        )
    };
    assert!(push(ward_sync::limits::EPOCH_GRACE_MS).is_ok());
    assert!(matches!(
        push(ward_sync::limits::EPOCH_GRACE_MS + 1),
        Err(PushError::EpochStale { counted: Some(1), .. })
    ));
}
