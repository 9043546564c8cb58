//! What a chart amounts to, case by case.

use crate::support::desk::Desk;
use crate::support::*;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

/// The pen of somebody in the ward.
macro_rules! pen {
    ($desk:expr, $who:ident, $incarnation:expr) => {
        $desk.ward.pen(&$desk.ward.$who, $incarnation)
    };
}

#[test]
fn a_write_replaces_what_its_author_saw() {
    let mut desk = Desk::new(1);
    let mut clinician = pen!(desk, clinician, 1);
    let first = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&first);
    let second = clinician.write(&desk.chart, dose_field("10", vec![first.id()]));
    desk.arrive(&second);
    desk.check(|view| {
        let (_, dose) = view.medication_plan().iter().next().unwrap();
        assert_eq!(dose.single().unwrap().value.value.as_deref(), Some("10"));
        assert_eq!(dose.single().unwrap().author.person, desk.ward.clinician.person);
        assert_eq!(dose.past.len(), 1);
        assert_eq!(view.place(first.id()), Some(Place::Superseded));
    });
}

#[test]
fn parallel_writes_are_a_conflict_until_somebody_decides() {
    let mut desk = Desk::new(2);
    let (mut clinician, mut investigator) = (pen!(desk, clinician, 1), pen!(desk, investigator, 2));
    let first = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&first);
    let a = clinician.write(&desk.chart, dose_field("10", vec![first.id()]));
    let b = investigator.write(&desk.chart, dose_field("2.5", vec![first.id()]));
    desk.arrive(&a);
    desk.arrive(&b);
    let both = desk.check(|view| {
        let dose = view.medication_plan().values().next().unwrap();
        assert!(dose.is_conflict() && dose.single().is_none());
        assert_eq!(view.accounting().in_conflict, 2);
        dose.current_ids()
    });
    // While one decides, another writes once more: the conflict is open again.
    let third = clinician.write(&desk.chart, dose_field("7.5", vec![a.id()]));
    let key = FieldKey::MedicationPlan(MedicationId::new("amlodipine"), "dose".into());
    let decision = Draft::because(Resolve::choosing(key, both, a.id()), "called the ward");
    let close = investigator.try_write(&desk.chart, &decision).unwrap();
    desk.arrive(&close);
    desk.check(|view| assert!(!view.medication_plan().values().next().unwrap().is_conflict()));
    desk.arrive(&third);
    desk.check(|view| {
        let dose = view.medication_plan().values().next().unwrap();
        let mut values: Vec<_> = dose.current.iter().map(|w| w.value.value.clone().unwrap()).collect();
        values.sort();
        assert_eq!(values, ["10", "7.5"]);
        assert!(dose.is_conflict());
    });
}

#[test]
fn a_cleared_field_and_a_changed_one_are_a_conflict() {
    let mut desk = Desk::new(3);
    let (mut clinician, mut investigator) = (pen!(desk, clinician, 1), pen!(desk, investigator, 2));
    let first = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&first);
    let clear = MedicationPlanField { value: None, unit: None, ..dose_field("", vec![first.id()]) };
    let cleared = clinician.write(&desk.chart, clear);
    let changed = investigator.write(&desk.chart, dose_field("10", vec![first.id()]));
    desk.arrive(&cleared);
    desk.check(|view| {
        assert_eq!(view.medication_plan().values().next().unwrap().single().unwrap().value.value, None);
    });
    desk.arrive(&changed);
    desk.check(|view| assert!(view.medication_plan().values().next().unwrap().is_conflict()));
}

#[test]
fn notes_are_separate_until_they_name_each_other() {
    let mut desk = Desk::new(4);
    let mut nurse = pen!(desk, coordinator, 1);
    let a = nurse.write(&desk.chart, note("slept badly"));
    desk.arrive(&a);
    let b = nurse.write(&desk.chart, note("called the family"));
    desk.arrive(&b);
    let edit = nurse.write(&desk.chart, Note { text: "slept well".into(), supersedes: vec![a.id()] });
    desk.arrive(&edit);
    desk.check(|view| {
        let texts: Vec<_> = view.notes().iter().map(|n| n.single().unwrap().value.text.as_str()).collect();
        assert_eq!(texts, ["slept well", "called the family"]);
    });
}

#[test]
fn a_full_chart_says_so_before_it_takes_a_part() {
    let mut desk = Desk::new(77);
    desk.chart = Chart::new(desk.ward.site.site, desk.ward.chart).holding_at_most(2);
    let mut nurse = desk.ward.pen(&desk.ward.coordinator, 1);
    let notes: Vec<SignedEntry> = (0..3).map(|n| nurse.write(&desk.chart, note(&n.to_string()))).collect();
    let ids: Vec<EntryId> = notes.iter().map(SignedEntry::id).collect();
    assert!(desk.chart.has_room_for(ids[..2].iter().copied()));
    assert!(!desk.chart.has_room_for(ids.clone()));
    desk.arrive(&notes[0]);
    desk.arrive(&notes[1]);
    assert!(desk.chart.has_room_for([ids[0], ids[1], ids[0]]), "what is held takes no room");
    assert!(!desk.chart.has_room_for([ids[2]]));
    assert_eq!(desk.chart.insert(notes[2].clone(), Arrival::UNSENT), Err(ChartError::Full));
    assert_eq!(desk.chart.len(), 2);
}

#[test]
fn amendments_keep_the_trail_and_duplicates_are_both_kept() {
    let mut desk = Desk::new(5);
    let (mut phone, mut tablet) = (pen!(desk, phone, 1), pen!(desk, phone, 2));
    let done = |occurrence| response(occurrence, ResponseStatus::Completed, AnsweredBy::Self_);
    let first = phone.write(&desk.chart, done("day-1"));
    desk.arrive(&first);
    let amended =
        phone.amend(&desk.chart, response("day-1", ResponseStatus::Amended, AnsweredBy::Self_), first.id());
    desk.arrive(&amended);
    desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        assert_eq!(thread.single().unwrap().id(), amended.id());
        assert_eq!(thread.single().unwrap().entry.body().reason.as_deref(), Some("typing error"));
        assert_eq!(thread.past[0].id(), first.id());
        assert_eq!(view.duplicate_responses().count(), 0);
    });
    let again = tablet.write(&desk.chart, done("day-1"));
    desk.arrive(&again);
    desk.check(|view| {
        assert_eq!(view.duplicate_responses().count(), 1);
        assert_eq!(view.responses().values().next().unwrap().len(), 2, "neither is hidden");
        assert_eq!(view.accounting().visible, 2);
    });
}

#[test]
fn what_a_role_may_not_write_changes_no_value() {
    let mut desk = Desk::new(6);
    let mut phone = pen!(desk, phone, 1);
    let forbidden = Draft::new(dose_field("500", vec![]));
    let refused = phone.try_write(&desk.chart, &forbidden).unwrap_err();
    let kind = EntryKind::MEDICATION_PLAN_FIELD;
    assert_eq!(refused, EntryError::NotPermitted { role: Role::Patient, kind });
    // An app that was tampered with signs it all the same.
    let device = phone.device;
    phone.chain =
        EntryChain::open(desk.ward.site.site, desk.ward.chart, device.id, Role::Clinician, Incarnation(9));
    let entry = phone.try_write(&desk.chart, &forbidden).unwrap();
    desk.arrive(&entry);
    desk.check(|view| {
        assert_eq!(view.place(entry.id()), Some(Place::NotPermitted));
        assert!(view.medication_plan().is_empty());
    });
    let mut nurse = pen!(desk, coordinator, 2);
    let own = response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    assert!(nurse.try_write(&desk.chart, &Draft::new(own)).is_err());
    let asked = nurse.write(&desk.chart, response("day-1", ResponseStatus::Completed, AnsweredBy::Interview));
    desk.arrive(&asked);
    desk.check(|view| assert_eq!(view.place(asked.id()), Some(Place::Visible)));
}

#[test]
fn unknown_and_invalid_payloads_are_kept_and_the_chain_goes_on() {
    let mut desk = Desk::new(7);
    let key = DeviceKeys::from_secret_bytes(&desk.ward.phone.keys.to_secret_bytes()).unwrap();
    let mut prev = None;
    let mut make = |desk: &mut Desk, seq, kind, schema: &str, payload: &[u8]| {
        let body = EntryBody {
            random16: [seq as u8; 16],
            deps: vec![],
            lamport: seq,
            kind,
            schema: schema.into(),
            version: 1,
            captured_at: T0,
            zone: "UTC".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
            olog: None,
            amends: None,
            reason: None,
            payload: payload.to_vec(),
        };
        let frame = EntryFrame {
            site: desk.ward.site.site,
            chart: desk.ward.chart,
            device: desk.ward.phone.id,
            incarnation: Incarnation(3),
            seq,
            prev,
            body,
        };
        let entry = SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(&key.sign, id))).unwrap();
        prev = Some(entry.id());
        desk.arrive(&entry);
        entry.id()
    };
    let newer_kind = make(&mut desk, 1, EntryKind(29), "ward/hologram", b"?");
    let newer_schema = make(&mut desk, 2, EntryKind::NOTE, "ward/note-2", b"?");
    let broken = make(&mut desk, 3, EntryKind::NOTE, "ward/note", b"?");
    let good = make(&mut desk, 4, EntryKind::NOTE, "ward/note", &note("still here").to_canonical());
    desk.check(|view| {
        assert_eq!(view.place(newer_kind), Some(Place::UnknownKind));
        assert_eq!(view.place(newer_schema), Some(Place::UnknownKind));
        assert!(matches!(view.place(broken), Some(Place::Invalid(_))));
        assert_eq!(view.place(good), Some(Place::Visible));
    });
    assert_eq!(desk.chart.get(newer_kind).unwrap().body().payload, b"?", "kept byte for byte");
}

#[test]
fn entries_after_a_revocation_wait_for_staff_and_are_never_hidden() {
    let mut desk = Desk::new(8);
    let mut phone = pen!(desk, phone, 1);
    let before = phone.write(&desk.chart, note("before"));
    desk.arrive(&before);
    let after = phone.write(&desk.chart, note("after"));
    desk.arrive(&after);
    let subject = desk.ward.chart.into();
    let revoke = desk.ward.site.revoke_entry(
        subject,
        desk.ward.phone.id,
        1,
        RevokePolicy::Salvage,
        &[&desk.ward.coordinator],
    );
    desk.ward.site.append_effective(revoke);
    desk.check(|view| {
        assert_eq!(view.place(before.id()), Some(Place::Visible));
        let to_adopt: Vec<_> = view.to_adopt().map(|item| item.entry.id()).collect();
        assert_eq!(to_adopt, [after.id()]);
        assert_eq!(view.notes().len(), 1);
    });
    let mut nurse = pen!(desk, coordinator, 2);
    let carry = nurse.write(&desk.chart, Carry::of(&after, CarryReason::Adopt));
    desk.arrive(&carry);
    desk.check(|view| {
        let adopted = view.notes()[1].single().unwrap();
        assert_eq!(adopted.value.text, "after");
        assert_eq!(adopted.author.person, desk.ward.participant, "the author stays the author");
        assert_eq!(adopted.carried_by, Some(carry.id()));
        assert_eq!(view.to_adopt().count(), 0);
        assert_eq!(view.accounting().total, 3);
    });
}

#[test]
fn a_carried_entry_that_never_arrived_alone_is_counted_and_a_forged_one_is_not() {
    let mut desk = Desk::new(9);
    let mut phone = pen!(desk, phone, 1);
    let lost = phone.write(&desk.chart, note("from the drop box"));
    let mut nurse = pen!(desk, coordinator, 2);
    let carry = nurse.write(&desk.chart, Carry::of(&lost, CarryReason::Adopt));
    desk.arrive(&carry);
    desk.check(|view| {
        assert_eq!(view.notes()[0].single().unwrap().value.text, "from the drop box");
        assert_eq!((view.accounting().total, view.accounting().visible), (2, 2));
    });
    let mut forged = Carry::of(&phone.write(&desk.chart, note("I feel fine")), CarryReason::Adopt);
    forged.capture_sig = *CaptureSignature::sign(&nurse.device.keys.sign, lost.id()).signature();
    let carry = nurse.write(&desk.chart, forged);
    desk.arrive(&carry);
    desk.check(|view| {
        assert_eq!(view.notes().len(), 1, "staff cannot speak in the participant's name");
        assert_eq!(view.accounting().total, 3);
    });
}

#[test]
fn a_forked_device_keeps_both_branches_and_proves_the_fork() {
    let mut desk = Desk::new(10);
    let mut phone = pen!(desk, phone, 1);
    let root = phone.write(&desk.chart, note("common"));
    desk.arrive(&root);
    let mut clone = pen!(desk, phone, 1);
    clone.chain = phone.chain.clone();
    clone.rng = TestRng::new(99);
    let a = phone.write(&desk.chart, note("on the phone"));
    let b = clone.write(&desk.chart, note("on its copy"));
    desk.arrive(&a);
    assert_eq!(desk.chart.insert(b.clone(), Arrival::at(50, T0)), Ok(Inserted::Forked { other: a.id() }));
    let mut entries = vec![a.id(), b.id()];
    entries.sort();
    let (device, incarnation) = (desk.ward.phone.id, Incarnation(1));
    assert_eq!(desk.chart.forks(), [Fork { device, incarnation, seq: 2, entries }]);
    desk.check(|view| {
        assert_eq!(view.notes().len(), 3, "nothing is lost");
        let flags: Vec<_> = view.timeline().iter().map(|item| item.forked).collect();
        assert_eq!(flags, [false, true, true]);
    });
    let (_, secret) = {
        let Desk { ward, .. } = &mut desk;
        ward.site.rotate(ward.chart, &ward.phone, None)
    };
    let mut rng = TestRng::new(5);
    let phone_device = phone.device;
    let mut sealed =
        |entry: &SignedEntry| seal(header(&desk.ward.site, entry, 0), entry, phone_device, &secret, &mut rng);
    let (one, other, same) = (sealed(&a), sealed(&b), sealed(&a));
    assert_eq!(ForkProof::new(one.clone(), same).unwrap_err(), ForkProofError::SameEntry);
    assert_eq!(ForkProof::new(one.clone(), sealed(&root)).unwrap_err(), ForkProofError::OtherPlace);
    let proof = ForkProof::new(other, one).unwrap();
    assert_eq!(proof.verify(desk.ward.phone.keys.sign.public()), Ok(()));
    assert_eq!(proof.verify(desk.ward.clinician.keys.sign.public()), Err(ForkProofError::Signature));
    assert_eq!(proof.seq(), 2);
    assert_eq!(ForkProof::from_canonical(&proof.to_canonical()), Ok(proof));
}

#[test]
fn withdrawal_is_the_participants_right() {
    let mut desk = Desk::new(12);
    let mut phone = pen!(desk, phone, 1);
    let join = Participation { state: ParticipationState::Active, from: T0 };
    assert!(phone.try_write(&desk.chart, &Draft::new(join)).is_err());
    let leave = phone.write(&desk.chart, Participation { state: ParticipationState::Withdrawn, from: T0 });
    desk.arrive(&leave);
    let consent = Consent {
        consent_version: "2".into(),
        status: ConsentStatus::Withdrawn,
        choice: Some(DataChoice::Erase),
    };
    let withdrawn = phone.write(&desk.chart, consent.clone());
    desk.arrive(&withdrawn);
    let contradiction = Consent { status: ConsentStatus::Given, ..consent };
    assert!(matches!(phone.try_write(&desk.chart, &Draft::new(contradiction)), Err(EntryError::Payload(_))));
    desk.check(|view| {
        assert_eq!(view.participation()[0].single().unwrap().value.state, ParticipationState::Withdrawn);
        assert_eq!(view.consents()[0].single().unwrap().value.choice, Some(DataChoice::Erase));
    });
}

#[test]
fn chains_name_what_they_saw_once_and_at_most_sixty_four_at_a_time() {
    let mut desk = Desk::new(13);
    let writers = 70;
    for incarnation in 0..writers {
        let mut pen = pen!(desk, clinician, 100 + incarnation);
        let entry = pen.write(&desk.chart, note("one of many"));
        desk.arrive(&entry);
    }
    let mut phone = pen!(desk, phone, 1);
    let first = phone.write(&desk.chart, note("first"));
    let second = phone.write(&desk.chart, note("second"));
    let third = phone.write(&desk.chart, note("third"));
    assert_eq!(first.body().deps.len(), ward_sync::limits::DEPS_MAX);
    assert_eq!(second.body().deps.len(), writers as usize - ward_sync::limits::DEPS_MAX);
    assert!(third.body().deps.is_empty());
    assert!(second.body().deps.iter().all(|dep| !first.body().deps.contains(dep)));
    assert_eq!((first.body().lamport, second.body().lamport), (writers + 1, writers + 2));
    assert_eq!((first.frame().prev, second.frame().prev), (None, Some(first.id())));
    let stored = phone.chain.to_canonical();
    assert_eq!(EntryChain::from_canonical(&stored).unwrap(), phone.chain);
    for entry in [&first, &second, &third] {
        desk.arrive(entry);
        assert_eq!(SignedEntry::from_stored(&entry.to_stored()).as_ref(), Ok(entry));
    }
    let head = desk.chart.have().head(desk.ward.phone.id, Incarnation(1)).unwrap();
    assert_eq!((head.seq, head.entry), (3, third.id()));
}

#[test]
fn limits_hold_at_the_limit_and_refuse_one_past() {
    use ward_sync::limits::*;
    let desk = Desk::new(14);
    let mut nurse = pen!(desk, coordinator, 1);
    let text = |len: usize| Note { text: "x".repeat(len), supersedes: vec![] };
    assert!(nurse.try_write(&desk.chart, &Draft::new(text(LONG_TEXT_MAX_BYTES))).is_ok());
    let past = nurse.try_write(&desk.chart, &Draft::new(text(LONG_TEXT_MAX_BYTES + 1)));
    assert_eq!(past, Err(EntryError::Payload(PayloadError::Size("the note"))));
    let supersedes =
        |n: usize| Note { text: String::new(), supersedes: vec![EntryId::from_bytes([1; 32]); n] };
    assert!(nurse.try_write(&desk.chart, &Draft::new(supersedes(SUPERSEDES_MAX))).is_ok());
    assert!(nurse.try_write(&desk.chart, &Draft::new(supersedes(SUPERSEDES_MAX + 1))).is_err());
    let reason = |len: usize| Draft { reason: Some("r".repeat(len)), ..Draft::new(note("n")) };
    assert!(nurse.try_write(&desk.chart, &reason(REASON_MAX_BYTES)).is_ok());
    assert_eq!(
        nurse.try_write(&desk.chart, &reason(REASON_MAX_BYTES + 1)),
        Err(EntryError::TooLarge("the reason"))
    );
    let instrument = |bytes: usize| Instrument {
        url: "u".into(),
        version: "1".into(),
        questionnaire: vec![b'x'; bytes],
        schedule: InstrumentSchedule::EveryDays { first_day: 0, every_days: 1, days: 7 },
    };
    let overhead = Payload::from(instrument(PAYLOAD_MAX_BYTES)).encode().len() - PAYLOAD_MAX_BYTES;
    let fits = Draft::new(instrument(PAYLOAD_MAX_BYTES - overhead));
    let entry = nurse.try_write(&desk.chart, &fits).unwrap();
    let sealed_bytes = padded_len(entry.plaintext().len()) + 600;
    assert!(sealed_bytes <= OPERATION_MAX_BYTES, "the largest payload fits into the largest envelope");
    let too_large = Draft::new(instrument(PAYLOAD_MAX_BYTES - overhead + 1));
    assert_eq!(nurse.try_write(&desk.chart, &too_large), Err(EntryError::TooLarge("the payload")));
    let head = nurse.chain.head().unwrap();
    assert_eq!(head.seq, 4, "a refused draft takes no place in the chain");
}

#[test]
fn parts_of_payloads_have_limits() {
    use ward_sync::limits::*;
    let short = |len: usize| "s".repeat(len);
    let profile = |len: usize| {
        Payload::from(ProfileField { field: short(len), value: String::new(), supersedes: vec![] })
    };
    let seen = |count: usize| {
        let entries = vec![EntryId::from_bytes([1; 32]); count];
        Payload::from(AlertAcknowledgement { item: "a".into(), entries, action: String::new() })
    };
    let visit = |minutes: u16| {
        let (place, purpose) = (String::new(), String::new());
        let (appointment, status) = (AppointmentId([0; 16]), AppointmentStatus::Booked);
        Payload::from(Appointment {
            appointment,
            status,
            starts_at: T0,
            minutes,
            place,
            purpose,
            supersedes: vec![],
        })
    };
    let schedule = |every_days: u16, days: u16| {
        let (url, version, questionnaire) = ("u".into(), "1".into(), vec![b'{']);
        let schedule = InstrumentSchedule::EveryDays { first_day: 0, every_days, days };
        Payload::from(Instrument { url, version, questionnaire, schedule })
    };
    let planned = |bytes: usize| {
        let schedule = InstrumentSchedule::Planned(vec![0; bytes]);
        let (url, version, questionnaire) = ("u".into(), "1".into(), vec![b'{']);
        Payload::from(Instrument { url, version, questionnaire, schedule })
    };
    let at_the_limit = [
        profile(SHORT_TEXT_MAX_BYTES),
        seen(ACKNOWLEDGED_ENTRIES_MAX),
        visit(APPOINTMENT_MAX_MIN),
        schedule(SCHEDULE_MAX_DAYS, SCHEDULE_MAX_DAYS),
        planned(SCHEDULE_MAX_BYTES),
    ];
    let past = [
        profile(SHORT_TEXT_MAX_BYTES + 1),
        profile(0),
        seen(ACKNOWLEDGED_ENTRIES_MAX + 1),
        visit(APPOINTMENT_MAX_MIN + 1),
        schedule(SCHEDULE_MAX_DAYS + 1, 1),
        schedule(1, SCHEDULE_MAX_DAYS + 1),
        planned(0),
        planned(SCHEDULE_MAX_BYTES + 1),
    ];
    for payload in at_the_limit {
        assert_eq!(payload.check(), Ok(()));
        let decoded = Payload::decode(payload.kind(), payload.schema(), payload.version(), &payload.encode());
        assert_eq!(decoded, Decoded::Known(payload));
    }
    for payload in past {
        assert!(matches!(payload.check(), Err(PayloadError::Size(_))), "{payload:?}");
        let decoded = Payload::decode(payload.kind(), payload.schema(), payload.version(), &payload.encode());
        assert!(matches!(decoded, Decoded::Invalid(PayloadError::Size(_))), "a reader refuses it too");
    }
}

#[test]
fn parts_of_entries_have_limits() {
    use ward_sync::limits::*;
    let desk = Desk::new(15);
    let mut nurse = pen!(desk, coordinator, 1);
    let entry = nurse.write(&desk.chart, note("n"));
    let key = &nurse.device.keys.sign;
    let sign = |change: &dyn Fn(&mut EntryFrame)| {
        let mut frame = entry.frame().clone();
        change(&mut frame);
        SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(key, id))).map(|_| ())
    };
    let dep = EntryId::from_bytes([2; 32]);
    let good: [&dyn Fn(&mut EntryFrame); 4] = [
        &|frame| frame.body.deps = vec![dep; DEPS_MAX],
        &|frame| frame.body.schema = "s".repeat(SCHEMA_MAX_BYTES),
        &|frame| frame.body.zone = "z".repeat(ZONE_MAX_BYTES),
        &|frame| frame.body.lamport = LAMPORT_MAX,
    ];
    let past: [&dyn Fn(&mut EntryFrame); 4] = [
        &|frame| frame.body.deps = vec![dep; DEPS_MAX + 1],
        &|frame| frame.body.schema = "s".repeat(SCHEMA_MAX_BYTES + 1),
        &|frame| frame.body.zone = "z".repeat(ZONE_MAX_BYTES + 1),
        &|frame| frame.body.lamport = LAMPORT_MAX + 1,
    ];
    for change in good {
        assert_eq!(sign(change), Ok(()));
    }
    for change in past {
        assert!(matches!(sign(change), Err(EntryError::TooLarge(_))));
    }
    let shapes: [&dyn Fn(&mut EntryFrame); 3] =
        [&|frame| frame.seq = 0, &|frame| frame.seq = 2, &|frame| frame.prev = Some(dep)];
    for change in shapes {
        assert_eq!(sign(change), Err(EntryError::ChainShape));
    }
    // A clock at its end stays there instead of running over.
    let mut chart = desk.chart.clone();
    let mut last = entry.frame().clone();
    (last.incarnation, last.body.lamport) = (Incarnation(2), LAMPORT_MAX);
    let last = SignedEntry::sign(last, |id| Ok(CaptureSignature::sign(key, id))).unwrap();
    chart.insert(last, Arrival::UNSENT).unwrap();
    assert_eq!(nurse.write(&chart, note("after the end")).body().lamport, LAMPORT_MAX);
}

#[test]
fn an_entry_that_names_what_does_not_exist_hides_nobody_elses() {
    let mut desk = Desk::new(31);
    let mut nurse = pen!(desk, coordinator, 1);
    let nowhere = Note { text: "after nothing".to_owned(), supersedes: vec![EntryId::from_bytes([9; 32])] };
    let waits = nurse.write(&desk.chart, nowhere);
    desk.arrive(&waits);
    let mut phone = pen!(desk, phone, 1);
    let later = phone.write(&desk.chart, note("still here"));
    assert!(!later.body().deps.contains(&waits.id()), "what waits is not named as seen");
    desk.arrive(&later);
    let view = desk.chart.view(&desk.authority());
    assert_eq!(view.place(waits.id()), Some(Place::Parked));
    assert_eq!(view.place(later.id()), Some(Place::Visible));
    assert_eq!(desk.chart.have().len(), 2, "the server is still told that both are here");
}
