//! Conflicts that only a decision closes, records declared void, sets, and the merge classes of the
//! study schema, case by case.

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

type Pens = (Pen<'static>, Pen<'static>);

/// A dose of 5 mg, which a clinician changed to 10 and an investigator to 2.5, in parallel.
fn two_doses(seed: u64) -> (Desk, Pens, [EntryId; 2]) {
    let mut desk = Desk::new(seed);
    let (mut clinician, mut investigator) = (pen!(desk, clinician, 1), pen!(desk, investigator, 2));
    let first = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&first);
    let a = clinician.write(&desk.chart, dose_field("10", vec![first.id()]));
    let b = investigator.write(&desk.chart, dose_field("2.5", vec![first.id()]));
    desk.arrive(&a);
    desk.arrive(&b);
    (desk, (clinician, investigator), [a.id(), b.id()])
}

/// The values of the dose that stand, sorted, and whether they are a conflict.
fn doses(desk: &Desk) -> (Vec<String>, bool) {
    desk.check(|view| {
        let dose = view.medication_plan().values().next().unwrap();
        let mut values: Vec<String> =
            dose.current.iter().map(|written| written.value.value.clone().unwrap_or_default()).collect();
        values.sort();
        assert_eq!(dose.is_conflict(), dose.single().is_none());
        assert_eq!(view.conflicts().len(), usize::from(dose.is_conflict()));
        (values, dose.is_conflict())
    })
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn an_ordinary_write_that_names_the_candidates_is_one_candidate_more() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(1);
    let w = clinician.write(&desk.chart, dose_field("7.5", vec![a, b]));
    desk.arrive(&w);
    assert_eq!(doses(&desk), (texts(&["10", "2.5", "7.5"]), true), "nothing is closed, nothing is hidden");
    desk.check(|view| assert_eq!(view.accounting().in_conflict, 3));
    // Not even by going on from it.
    let v = investigator.write(&desk.chart, dose_field("6", vec![w.id()]));
    desk.arrive(&v);
    assert_eq!(doses(&desk), (texts(&["10", "2.5", "6"]), true));
    let again = investigator.write(&desk.chart, dose_field("6", vec![a, b, v.id()]));
    desk.arrive(&again);
    assert_eq!(doses(&desk).0.len(), 4);
    // One may change what one wrote; the others stay.
    let changed = clinician.write(&desk.chart, dose_field("12", vec![a]));
    desk.arrive(&changed);
    assert_eq!(doses(&desk), (texts(&["12", "2.5", "6", "6"]), true));
    let all = desk.check(|view| view.conflicts()[0].candidates.clone());
    let decision = investigator.decide(&desk.chart, Resolve::choosing(dose_key(), all, b));
    desk.arrive(&decision);
    assert_eq!(doses(&desk), (texts(&["2.5"]), false));
}

#[test]
fn naming_what_is_replaced_already_does_not_count_as_a_candidate() {
    let mut desk = Desk::new(2);
    let mut clinician = pen!(desk, clinician, 1);
    let first = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&first);
    let second = clinician.write(&desk.chart, dose_field("6", vec![first.id()]));
    desk.arrive(&second);
    let third = clinician.write(&desk.chart, dose_field("7", vec![first.id(), second.id()]));
    desk.arrive(&third);
    assert_eq!(doses(&desk), (texts(&["7"]), false));
}

#[test]
fn two_who_write_the_same_do_not_contradict_each_other() {
    let mut desk = Desk::new(3);
    let (mut clinician, mut investigator) = (pen!(desk, clinician, 1), pen!(desk, investigator, 2));
    let a = clinician.write(&desk.chart, dose_field("5", vec![]));
    let b = investigator.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&a);
    desk.arrive(&b);
    assert_eq!(doses(&desk), (texts(&["5", "5"]), false));
    desk.check(|view| assert_eq!(view.accounting().in_conflict, 0));
    let w = clinician.write(&desk.chart, dose_field("6", vec![a.id(), b.id()]));
    desk.arrive(&w);
    assert_eq!(doses(&desk), (texts(&["6"]), false), "one value was replaced");
    // Whoever names one of the two only leaves the other, which now contradicts.
    let w = investigator.write(&desk.chart, dose_field("8", vec![b.id()]));
    desk.arrive(&w);
    assert_eq!(doses(&desk), (texts(&["6", "8"]), true));
}

#[test]
fn nobody_ends_a_conflict_by_joining_one_side() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(22);
    let joins = clinician.write(&desk.chart, dose_field("2.5", vec![a]));
    desk.arrive(&joins);
    assert_eq!(doses(&desk), (texts(&["2.5", "2.5"]), true), "it is a write, and no decision");
    let beside = Resolve::choosing(dose_key(), vec![b, joins.id()], b);
    let decision = investigator.decide(&desk.chart, beside);
    let further = clinician.write(&desk.chart, dose_field("2.5", vec![b]));
    desk.arrive(&decision);
    assert_eq!(doses(&desk), (texts(&["2.5"]), false));
    desk.arrive(&further);
    assert!(doses(&desk).1, "nor does a write join a decision");
}

#[test]
fn a_decision_that_leads_to_another_field_decides_nothing() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(23);
    let times = MedicationPlanField { field: "times".into(), ..dose_field("3", vec![]) };
    let times = clinician.write(&desk.chart, times);
    let note = clinician.write(&desk.chart, note("not a dose"));
    desk.arrive(&times);
    desk.arrive(&note);
    for stray in [times.id(), note.id()] {
        // The first decision is of no field, and the second one chooses it.
        let broken = clinician.decide(&desk.chart, Resolve::choosing(dose_key(), vec![a, stray], stray));
        desk.arrive(&broken);
        let through = Resolve::choosing(dose_key(), vec![a, b, broken.id()], broken.id());
        let through = investigator.decide(&desk.chart, through);
        desk.arrive(&through);
        desk.check(|view| {
            assert!(matches!(view.place(broken.id()), Some(Place::Invalid(_))));
            assert!(matches!(view.place(through.id()), Some(Place::Invalid(_))));
            let key = (MedicationId::new("amlodipine"), "dose".to_owned());
            assert!(view.medication_plan()[&key].is_conflict());
        });
    }
}

#[test]
fn a_decision_names_what_holds_and_keeps_who_said_what() {
    let (mut desk, (_, mut investigator), [a, b]) = two_doses(4);
    let decision = investigator.decide(&desk.chart, Resolve::choosing(dose_key(), vec![b, a], a));
    desk.arrive(&decision);
    desk.check(|view| {
        let dose = view.medication_plan().values().next().unwrap();
        let holds = dose.single().unwrap();
        assert_eq!((holds.id(), holds.value.value.as_deref()), (decision.id(), Some("10")));
        assert!(holds.is_decision() && holds.author.person == desk.ward.investigator.person);
        assert_eq!(holds.entry.body().reason.as_deref(), Some("asked everybody"));
        assert_eq!(dose.derived(), Derived::From(holds));
        let past: Vec<_> = dose.past.iter().map(Written::id).collect();
        assert!(past.contains(&a) && past.contains(&b), "the trail has both");
        assert_eq!((view.accounting().visible, view.accounting().superseded), (1, 3));
    });
    let next = investigator.write(&desk.chart, dose_field("11", vec![decision.id()]));
    desk.arrive(&next);
    assert_eq!(doses(&desk), (texts(&["11"]), false), "afterwards it is a field like any other");
}

#[test]
fn a_value_that_nobody_wrote_before_can_be_decided() {
    let (mut desk, (mut clinician, _), [a, b]) = two_doses(5);
    let value = dose_field("7.5", vec![]);
    let decision = clinician.decide(&desk.chart, Resolve::with_value(dose_key(), vec![a, b], value));
    desk.arrive(&decision);
    assert_eq!(doses(&desk), (texts(&["7.5"]), false));
}

#[test]
fn decisions_that_differ_are_a_conflict_and_decisions_that_agree_are_not() {
    for (other, closed) in [("10", true), ("4", false)] {
        let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(6);
        let one = clinician.decide(&desk.chart, Resolve::choosing(dose_key(), vec![a, b], a));
        let two = Resolve::with_value(dose_key(), vec![a, b], dose_field(other, vec![]));
        let two = investigator.decide(&desk.chart, two);
        desk.arrive(&one);
        desk.arrive(&two);
        assert_eq!(doses(&desk), (texts(if closed { &["10", "10"] } else { &["10", "4"] }), !closed));
        let both = vec![one.id(), two.id()];
        if closed {
            let next = clinician.write(&desk.chart, dose_field("11", both));
            desk.arrive(&next);
            assert_eq!(doses(&desk), (texts(&["11"]), false), "one value was replaced");
        } else {
            let third = clinician.decide(&desk.chart, Resolve::choosing(dose_key(), both, one.id()));
            desk.arrive(&third);
            assert_eq!(doses(&desk), (texts(&["10"]), false), "a decision about decisions");
        }
    }
}

#[test]
fn a_decision_that_leaves_a_candidate_out_closes_nothing() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(7);
    let c = clinician.write(&desk.chart, dose_field("20", vec![a, b]));
    desk.arrive(&c);
    let partial = investigator.decide(&desk.chart, Resolve::choosing(dose_key(), vec![a, b], b));
    desk.arrive(&partial);
    assert_eq!(doses(&desk), (texts(&["2.5", "20"]), true), "what it did not name stands beside it");
}

#[test]
fn more_values_than_one_decision_can_name_are_decided_in_parts() {
    use ward_sync::limits::CANDIDATES_MAX;
    let mut desk = Desk::new(24);
    let before = desk.chart.clone();
    for n in 0..CANDIDATES_MAX + 2 {
        let mut pen = pen!(desk, clinician, 100 + n as u64);
        let write = pen.write(&before, dose_field(&n.to_string(), vec![]));
        desk.arrive(&write);
    }
    let mut investigator = pen!(desk, investigator, 2);
    for left in [3, 1] {
        let mut all = desk.check(|view| view.conflicts()[0].candidates.clone());
        all.truncate(CANDIDATES_MAX);
        let chosen = all[0];
        let decision = investigator.decide(&desk.chart, Resolve::choosing(dose_key(), all, chosen));
        desk.arrive(&decision);
        assert_eq!(doses(&desk).0.len(), left);
    }
    assert!(!doses(&desk).1);
}

#[test]
fn a_further_write_beside_a_decision_opens_the_conflict_again() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(8);
    let late = clinician.write(&desk.chart, dose_field("12", vec![a]));
    let decision = investigator.decide(&desk.chart, Resolve::choosing(dose_key(), vec![a, b], b));
    desk.arrive(&decision);
    assert_eq!(doses(&desk), (texts(&["2.5"]), false));
    desk.arrive(&late);
    assert_eq!(doses(&desk), (texts(&["12", "2.5"]), true), "the chosen value and the new one");
    desk.check(|view| {
        let mut expected = vec![late.id(), decision.id()];
        expected.sort();
        let mut candidates = view.conflicts()[0].candidates.clone();
        candidates.sort();
        assert_eq!(candidates, expected);
    });
}

#[test]
fn who_may_decide_is_checked_by_every_reader() {
    let (mut desk, _, [a, b]) = two_doses(9);
    let mut nurse = pen!(desk, coordinator, 3);
    let resolve = || Resolve::choosing(dose_key(), vec![a, b], a);
    let draft = Draft::because(resolve(), "I am sure");
    assert!(matches!(nurse.try_write(&desk.chart, &draft), Err(EntryError::NotPermitted { .. })));
    let device = nurse.device;
    let (site, chart) = (desk.ward.site.site, desk.ward.chart);
    nurse.chain = EntryChain::open(site, chart, device.id, Role::Clinician, Incarnation(9));
    let forged = nurse.try_write(&desk.chart, &draft).unwrap();
    desk.arrive(&forged);
    assert_eq!(doses(&desk), (texts(&["10", "2.5"]), true));
    desk.check(|view| assert_eq!(view.place(forged.id()), Some(Place::NotPermitted)));
    // The participant decides about their own profile, and nobody without a part in it does.
    let mut phone = pen!(desk, phone, 4);
    let mut nurse = pen!(desk, coordinator, 5);
    let field = |value: &str| ProfileField { field: "phone".into(), value: value.into(), supersedes: vec![] };
    let (one, two) = (phone.write(&desk.chart, field("1")), nurse.write(&desk.chart, field("2")));
    desk.arrive(&one);
    desk.arrive(&two);
    let key = FieldKey::Profile("phone".into());
    let own = phone.decide(&desk.chart, Resolve::choosing(key, vec![one.id(), two.id()], one.id()));
    desk.arrive(&own);
    desk.check(|view| assert_eq!(view.profile()["phone"].single().unwrap().value.value, "1"));
}

#[test]
fn a_decision_says_why() {
    let (mut desk, (mut clinician, _), [a, b]) = two_doses(10);
    let resolve = Resolve::choosing(dose_key(), vec![a, b], a);
    for reason in [None, Some(String::new()), Some("  ".to_owned())] {
        let draft = Draft { payload: resolve.clone().into(), amends: None, reason };
        assert!(matches!(clinician.try_write(&desk.chart, &draft), Err(EntryError::Payload(_))));
    }
    // An app that was tampered with writes it without.
    let good = clinician.decide(&desk.chart, resolve);
    let mut frame = good.frame().clone();
    frame.body.reason = None;
    let key = &clinician.device.keys.sign;
    let silent = SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(key, id))).unwrap();
    desk.arrive(&silent);
    assert_eq!(doses(&desk), (texts(&["10", "2.5"]), true));
    desk.check(|view| assert!(matches!(view.place(silent.id()), Some(Place::Invalid(_)))));
}

#[test]
fn a_decision_about_another_field_or_two_records_decides_nothing() {
    let (mut desk, (mut clinician, _), [a, b]) = two_doses(11);
    let other = FieldKey::MedicationPlan(MedicationId::new("amlodipine"), "times".into());
    let wrong = clinician.decide(&desk.chart, Resolve::choosing(other, vec![a, b], a));
    desk.arrive(&wrong);
    assert!(doses(&desk).1);
    let (mut phone, mut tablet) = (pen!(desk, phone, 5), pen!(desk, phone, 6));
    let done = || response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    let (one, two) = (phone.write(&desk.chart, done()), tablet.write(&desk.chart, done()));
    desk.arrive(&one);
    desk.arrive(&two);
    let key = FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE);
    let mixed = clinician.decide(&desk.chart, Resolve::choosing(key, vec![one.id(), two.id()], one.id()));
    desk.arrive(&mixed);
    desk.check(|view| {
        for entry in [&wrong, &mixed] {
            assert!(matches!(view.place(entry.id()), Some(Place::Invalid(_))));
        }
        assert_eq!(view.duplicate_responses().count(), 1, "both answers stay");
        assert_eq!(view.place(two.id()), Some(Place::Visible));
    });
}

#[test]
fn a_decision_that_needs_a_newer_app_leaves_the_conflict_open() {
    let (mut desk, (mut clinician, _), [a, b]) = two_doses(12);
    let value = Resolve::with_value(dose_key(), vec![a, b], dose_field("7", vec![]));
    let good = clinician.decide(&desk.chart, value);
    let key = &clinician.device.keys.sign;
    let changed = |from: &[u8], to: &[u8], incarnation| {
        let mut frame = good.frame().clone();
        let at = frame.body.payload.windows(from.len()).position(|part| part == from).unwrap();
        frame.body.payload.splice(at..at + from.len(), to.iter().copied());
        (frame.seq, frame.prev, frame.incarnation) = (1, None, Incarnation(incarnation));
        SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(key, id))).unwrap()
    };
    // The version of the value becomes 2; then the kind of the field one of tomorrow.
    let newer_value = changed(&[0x03, 0xa2, 0x00, 0x01, 0x01], &[0x03, 0xa2, 0x00, 0x02, 0x01], 21);
    let newer_field = changed(&[0xa3, 0x00, 0x03, 0x01], &[0xa3, 0x00, 0x14, 0x01], 22);
    for entry in [&newer_value, &newer_field] {
        desk.arrive(entry);
        desk.check(|view| assert_eq!(view.place(entry.id()), Some(Place::UnknownKind)));
    }
    assert_eq!(doses(&desk), (texts(&["10", "2.5"]), true));
    desk.check(|view| assert_eq!(view.unreadable(EntryKind::RESOLVE), 2));
}

#[test]
fn parts_of_decisions_and_sets_have_limits() {
    use ward_sync::limits::*;
    let id = |n: usize| EntryId::from_bytes(core::array::from_fn(|i| (n >> (8 * (i % 4))) as u8));
    let some = |count: usize| (0..count).map(id).collect::<Vec<_>>();
    let choose = |count| Payload::from(Resolve::choosing(dose_key(), some(count), id(0)));
    assert_eq!(choose(2).check(), Ok(()));
    assert_eq!(choose(CANDIDATES_MAX).check(), Ok(()));
    assert!(choose(1).check().is_err() && choose(CANDIDATES_MAX + 1).check().is_err());
    let unsorted =
        Resolve { candidates: vec![id(2), id(1)], ..Resolve::choosing(dose_key(), some(2), id(1)) };
    assert!(Payload::from(unsorted).check().is_err());
    let stranger = Resolve::choosing(dose_key(), some(2), id(9));
    assert!(Payload::from(stranger).check().is_err(), "what was chosen is none of them");
    let elsewhere = Resolve::with_value(
        dose_key(),
        some(2),
        ProfileField { field: "dose".into(), value: "1".into(), supersedes: vec![] },
    );
    assert!(Payload::from(elsewhere).check().is_err(), "a value of another field");
    let twice = Resolve::with_value(dose_key(), some(2), dose_field("1", some(2)));
    assert!(Payload::from(twice).check().is_err(), "candidates are named once");
    let removing = |count| Payload::from(SetChange::removing("tags", some(count)));
    assert_eq!(removing(SET_REMOVES_MAX).check(), Ok(()));
    assert!(removing(SET_REMOVES_MAX + 1).check().is_err() && removing(0).check().is_err());
    let both = SetChange { removes: some(1), ..SetChange::adding("tags", "a") };
    assert!(Payload::from(both).check().is_err());
    let long = "s".repeat(SHORT_TEXT_MAX_BYTES);
    assert_eq!(Payload::from(SetChange::adding("tags", long.clone())).check(), Ok(()));
    assert!(Payload::from(SetChange::adding("tags", long + "s")).check().is_err());
}

fn done(note: &str) -> QuestionnaireResponse {
    QuestionnaireResponse {
        response: format!(r#"{{"resourceType":"QuestionnaireResponse","x":"{note}"}}"#).into_bytes(),
        ..response("day-1", ResponseStatus::Completed, AnsweredBy::Self_)
    }
}

#[test]
fn a_record_is_declared_void_by_its_author_or_by_staff_and_stays_in_the_trail() {
    let mut desk = Desk::new(13);
    let (mut phone, mut nurse) = (pen!(desk, phone, 1), pen!(desk, coordinator, 2));
    let answers = phone.write(&desk.chart, done("a"));
    let own = nurse.write(&desk.chart, note("typed into the wrong chart"));
    desk.arrive(&answers);
    desk.arrive(&own);
    let foreign = phone.decide(&desk.chart, Void { target: own.id() });
    desk.arrive(&foreign);
    desk.check(|view| {
        assert_eq!(view.place(foreign.id()), Some(Place::NotPermitted), "a patient takes back their own");
        assert_eq!(view.place(own.id()), Some(Place::Visible));
    });
    let void = phone.decide(&desk.chart, Void { target: answers.id() });
    let tidy = nurse.decide(&desk.chart, Void { target: own.id() });
    desk.arrive(&void);
    desk.arrive(&tidy);
    desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        assert!(thread.is_voided() && !thread.is_conflict());
        assert!(matches!(thread.state(), FieldState::Voided(by) if by.id() == void.id()));
        assert_eq!(thread.derived(), Derived::Nothing);
        assert_eq!(thread.past[0].id(), answers.id(), "what was answered stays in the trail");
        assert_eq!(view.place(answers.id()), Some(Place::Superseded));
        assert_eq!(view.place(void.id()), Some(Place::Visible));
        assert!(view.notes()[0].is_voided());
    });
    // Only an entry that names the declaration brings it back.
    let again = phone.amend(&desk.chart, done("a"), answers.id());
    desk.arrive(&again);
    desk.check(|view| assert!(view.responses().values().next().unwrap()[0].is_conflict(), "not by itself"));
    let all = desk.check(|view| view.conflicts()[0].candidates.clone());
    let key = FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE);
    let decision = nurse.decide(&desk.chart, Resolve::choosing(key, all, again.id()));
    desk.arrive(&decision);
    desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        assert_eq!(thread.single().unwrap().id(), decision.id());
        assert_eq!(thread.past_voids.len(), 1);
    });
}

#[test]
fn an_explicit_entry_brings_a_void_record_back() {
    let mut desk = Desk::new(14);
    let mut phone = pen!(desk, phone, 1);
    let answers = phone.write(&desk.chart, done("a"));
    desk.arrive(&answers);
    let void = phone.decide(&desk.chart, Void { target: answers.id() });
    desk.arrive(&void);
    let back = phone.amend(&desk.chart, done("a"), void.id());
    desk.arrive(&back);
    desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        assert_eq!(thread.single().unwrap().id(), back.id());
        assert_eq!(view.place(void.id()), Some(Place::Superseded));
    });
}

#[test]
fn void_beside_an_amendment_is_a_conflict_and_two_voids_are_not() {
    let mut desk = Desk::new(15);
    let (mut phone, mut nurse, mut other) =
        (pen!(desk, phone, 1), pen!(desk, coordinator, 2), pen!(desk, clinician, 3));
    let answers = phone.write(&desk.chart, done("a"));
    desk.arrive(&answers);
    let amended = phone.amend(&desk.chart, done("b"), answers.id());
    let void = nurse.decide(&desk.chart, Void { target: answers.id() });
    let twice = other.decide(&desk.chart, Void { target: answers.id() });
    desk.arrive(&void);
    desk.arrive(&twice);
    desk.check(|view| {
        assert!(view.responses().values().next().unwrap()[0].is_voided(), "two who agree");
        assert_eq!(view.accounting().in_conflict, 0);
    });
    desk.arrive(&amended);
    let all = desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        let FieldState::Conflict(conflict) = thread.state() else { panic!("{thread:?}") };
        assert_eq!((conflict.values.len(), conflict.voids.len()), (1, 1));
        assert_eq!(thread.derived(), Derived::Indeterminate);
        assert_eq!(view.place(amended.id()), Some(Place::InConflict));
        assert_eq!(view.place(void.id()), Some(Place::InConflict));
        thread.current_ids()
    });
    let key = FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE);
    let decision = nurse.decide(&desk.chart, Resolve::choosing(key, all, void.id()));
    desk.arrive(&decision);
    desk.check(|view| {
        let thread = &view.responses().values().next().unwrap()[0];
        assert!(thread.is_voided() && thread.voids[0].id() == decision.id());
        assert_eq!(view.duplicate_responses().count(), 0);
    });
}

#[test]
fn what_a_participant_said_of_their_consent_is_theirs() {
    let mut desk = Desk::new(16);
    let (mut phone, mut nurse) = (pen!(desk, phone, 1), pen!(desk, coordinator, 2));
    let withdrawn = Consent {
        consent_version: "2".into(),
        status: ConsentStatus::Withdrawn,
        choice: Some(DataChoice::Keep),
    };
    let withdrawal = phone.write(&desk.chart, withdrawn);
    let leave = phone.write(&desk.chart, Participation { state: ParticipationState::Withdrawn, from: T0 });
    desk.arrive(&withdrawal);
    desk.arrive(&leave);
    for target in [withdrawal.id(), leave.id()] {
        let void = nurse.decide(&desk.chart, Void { target });
        desk.arrive(&void);
        desk.check(|view| {
            assert_eq!(view.place(void.id()), Some(Place::NotPermitted));
            assert_eq!(view.place(target), Some(Place::Visible));
        });
    }
    let own = phone.decide(&desk.chart, Void { target: withdrawal.id() });
    desk.arrive(&own);
    desk.check(|view| assert!(view.consents()[0].is_voided()));
    // Registers and the trail itself are not declared void.
    let mut clinician = pen!(desk, clinician, 3);
    let dose = clinician.write(&desk.chart, dose_field("5", vec![]));
    desk.arrive(&dose);
    for target in [dose.id(), own.id()] {
        let void = clinician.decide(&desk.chart, Void { target });
        desk.arrive(&void);
        desk.check(|view| assert!(matches!(view.place(void.id()), Some(Place::Invalid(_)))));
    }
    assert_eq!(doses(&desk), (texts(&["5"]), false));
}

#[test]
fn an_addition_to_a_set_outlives_a_removal_made_beside_it() {
    let mut desk = Desk::new(17);
    let (mut nurse, mut doctor, mut phone) =
        (pen!(desk, coordinator, 1), pen!(desk, clinician, 2), pen!(desk, phone, 3));
    let add = nurse.write(&desk.chart, SetChange::adding("tags", "fasting"));
    desk.arrive(&add);
    let again = doctor.write(&desk.chart, SetChange::adding("tags", "fasting"));
    let remove = nurse.write(&desk.chart, SetChange::removing("tags", vec![add.id()]));
    desk.arrive(&remove);
    desk.check(|view| {
        assert!(view.sets()["tags"].elements.is_empty());
        assert_eq!(view.place(add.id()), Some(Place::Superseded));
    });
    desk.arrive(&again);
    desk.check(|view| assert_eq!(view.sets()["tags"].additions_of("fasting"), [again.id()]));
    let own = phone.write(&desk.chart, SetChange::adding("tags", "mine"));
    desk.arrive(&own);
    let foreign = phone.write(&desk.chart, SetChange::removing("tags", vec![again.id()]));
    let allowed = phone.write(&desk.chart, SetChange::removing("tags", vec![own.id()]));
    // A removal of another set's additions does nothing there.
    let elsewhere = nurse.write(&desk.chart, SetChange::removing("files", vec![again.id()]));
    for entry in [&foreign, &allowed, &elsewhere] {
        desk.arrive(entry);
    }
    desk.check(|view| {
        assert_eq!(view.place(foreign.id()), Some(Place::NotPermitted));
        let elements: Vec<_> = view.sets()["tags"].elements.keys().cloned().collect();
        assert_eq!(elements, ["fasting"]);
    });
}

fn row(kind: EntryKind, name: Option<&str>, class: MergeClass, resolvers: Vec<Role>) -> SchemaField {
    let shape = DataShape::of(kind).unwrap();
    SchemaField { shape, kind, name: name.map(Into::into), class, safety: false, resolvers }
}

#[test]
fn the_schema_says_who_decides_and_how_values_merge() {
    let (mut desk, (mut clinician, mut investigator), [a, b]) = two_doses(18);
    let plan = EntryKind::MEDICATION_PLAN_FIELD;
    let schema = desk.ward.site.schema(vec![
        row(plan, Some("dose"), MergeClass::WORST_CASE, vec![Role::Investigator]),
        row(EntryKind::PROFILE_FIELD, None, MergeClass(9), vec![]),
        row(EntryKind::PROFILE_FIELD, Some("allergies"), MergeClass::UNION, vec![]),
        row(EntryKind::PROFILE_FIELD, Some("text-size"), MergeClass::UI_LWW, vec![]),
    ]);
    assert_eq!(desk.ward.site.publish(schema), Effect::Effective);
    desk.check(|view| {
        let dose = view.medication_plan().values().next().unwrap();
        let FieldState::Conflict(conflict) = dose.state() else { panic!("{dose:?}") };
        assert_eq!(conflict.worst.map(Written::id), Some(a), "10 mg is worse than 2.5 mg");
        assert_eq!(conflict.values.len(), 2, "both are listed");
        assert!(matches!(dose.derived(), Derived::From(worst) if worst.id() == a));
    });
    let resolve = || Resolve::choosing(dose_key(), vec![a, b], b);
    let by_clinician = clinician.decide(&desk.chart, resolve());
    desk.arrive(&by_clinician);
    assert!(doses(&desk).1, "the schema leaves it to the investigator");
    let by_investigator = investigator.decide(&desk.chart, resolve());
    desk.arrive(&by_investigator);
    assert_eq!(doses(&desk), (texts(&["2.5"]), false));

    let (mut phone, mut nurse) = (pen!(desk, phone, 5), pen!(desk, coordinator, 6));
    let mut both = |desk: &mut Desk, field: &str| {
        let write =
            |value: &str| ProfileField { field: field.into(), value: value.into(), supersedes: vec![] };
        let (one, two) = (phone.write(&desk.chart, write("a")), nurse.write(&desk.chart, write("b")));
        desk.arrive(&one);
        desk.arrive(&two);
        [one, two]
    };
    let [one, two] = both(&mut desk, "allergies");
    both(&mut desk, "language");
    let sizes = both(&mut desk, "text-size");
    desk.check(|view| {
        let allergies = &view.profile()["allergies"];
        assert!(matches!(allergies.state(), FieldState::Union(values) if values.len() == 2));
        assert_eq!(view.place(one.id()), Some(Place::Visible));
        assert!(view.profile()["language"].is_conflict(), "an unknown class is reviewed");
        let last = sizes.iter().max_by_key(|entry| (entry.body().lamport, entry.id())).unwrap();
        assert_eq!(view.profile()["text-size"].single().unwrap().id(), last.id());
        assert_eq!(view.profile()["text-size"].past.len(), 1);
    });
    let mut nurse = pen!(desk, coordinator, 7);
    let supersedes = vec![one.id(), two.id()];
    let merged = nurse
        .write(&desk.chart, ProfileField { field: "allergies".into(), value: "a, b".into(), supersedes });
    desk.arrive(&merged);
    desk.check(|view| assert_eq!(view.profile()["allergies"].single().unwrap().value.value, "a, b"));
}

#[test]
fn of_two_who_write_the_same_the_last_one_holds() {
    let mut desk = Desk::new(23);
    let sizes = row(EntryKind::PROFILE_FIELD, Some("text-size"), MergeClass::UI_LWW, vec![]);
    let schema = desk.ward.site.schema(vec![sizes]);
    assert_eq!(desk.ward.site.publish(schema), Effect::Effective);
    let (mut phone, mut nurse) = (pen!(desk, phone, 1), pen!(desk, coordinator, 2));
    let large = || ProfileField { field: "text-size".into(), value: "large".into(), supersedes: vec![] };
    let both = [phone.write(&desk.chart, large()), nurse.write(&desk.chart, large())];
    both.iter().for_each(|entry| desk.arrive(entry));
    desk.check(|view| {
        let thread = &view.profile()["text-size"];
        let last = both.iter().max_by_key(|entry| (entry.body().lamport, entry.id())).unwrap();
        assert_eq!(thread.single().map(Written::id), Some(last.id()), "both wrote it, so it is there");
        assert!(matches!(thread.derived(), Derived::From(size) if size.value.value == "large"));
    });
}

#[test]
fn no_schema_may_drop_what_somebodys_safety_hangs_on() {
    let mut site = Site::new(19);
    let plan = EntryKind::MEDICATION_PLAN_FIELD;
    let profile = EntryKind::PROFILE_FIELD;
    let safety = |row: SchemaField| SchemaField { safety: true, ..row };
    let wrong_shape = SchemaField { shape: DataShape::Set, ..row(profile, None, MergeClass::UNION, vec![]) };
    for (field, fault) in [
        (
            safety(row(profile, Some("allergies"), MergeClass::UI_LWW, vec![])),
            SchemaFault::LastWriterOnSafety,
        ),
        (safety(row(profile, None, MergeClass(7), vec![])), SchemaFault::UnknownClassOnSafety),
        (row(plan, Some("dose"), MergeClass::UNION, vec![]), SchemaFault::PlanClass),
        (row(plan, None, MergeClass(7), vec![]), SchemaFault::PlanClass),
        (
            row(EntryKind::APPOINTMENT, None, MergeClass::UI_LWW, vec![]),
            SchemaFault::LastWriterOutsidePreferences,
        ),
        (wrong_shape, SchemaFault::OtherShape),
        (row(EntryKind::SET_CHANGE, None, MergeClass::REVIEW, vec![]), SchemaFault::ClassOfShape),
        (row(plan, None, MergeClass::REVIEW, vec![Role::Coordinator]), SchemaFault::Resolver),
        (row(EntryKind::CONSENT, None, MergeClass::REVIEW, vec![Role::Admin]), SchemaFault::Resolver),
        (row(EntryKind::DOSE, None, MergeClass::REVIEW, vec![Role::Monitor]), SchemaFault::Resolver),
    ] {
        let schema = site.schema(vec![field]);
        let findings = schema.findings();
        assert!(findings.iter().any(|finding| finding.fault == fault), "{fault:?} {findings:?}");
        assert_eq!(site.publish(schema), Effect::Void(VoidReason::SchemaRefused(findings[0].fault)));
        assert_eq!(site.membership.study_schema(), None, "no device follows it");
    }
    let plan_of_the_lww = safety(row(plan, Some("dose"), MergeClass::UI_LWW, vec![]));
    assert_eq!(site.schema(vec![plan_of_the_lww]).findings().len(), 3);
}

#[test]
fn schemas_follow_one_another_and_one_admin_signs() {
    let mut ward = Ward::new(20);
    let first = ward.site.schema(vec![]);
    let body = MlogBody::StudySchema(Box::new(first.clone()));
    let entry = ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[&ward.investigator]);
    assert_eq!(ward.site.append(entry), Effect::Void(VoidReason::NotAuthorised(ward.investigator.id.into())));
    let base = ward.site.membership.head();
    assert_eq!(ward.site.publish(first.clone()), Effect::Effective);
    assert_eq!(ward.site.publish(first.clone()), Effect::Void(VoidReason::SchemaChain), "number 0 again");
    let other_study = StudySchema { study: StudyId::from_bytes([9; 16]), ..ward.site.schema(vec![]) };
    assert_eq!(ward.site.publish(other_study), Effect::Void(VoidReason::SchemaChain));
    let wrong_prev = StudySchema { prev: Some(SchemaHash::from_bytes([1; 32])), ..ward.site.schema(vec![]) };
    assert_eq!(ward.site.publish(wrong_prev), Effect::Void(VoidReason::SchemaChain));
    // An admin who had not seen the first one signs again.
    let next = ward.site.schema(vec![]);
    let body = MlogBody::StudySchema(Box::new(next.clone()));
    let stale = ward.site.entry_on(base, ward.site.site.into(), &body);
    let stale = ward.site.sign(stale, &[&ward.site.admins[1]]);
    assert!(matches!(ward.site.append(stale), Effect::Void(VoidReason::Moved { .. })));
    assert_eq!(ward.site.publish(next.clone()), Effect::Effective);
    assert_eq!(ward.site.membership.study_schema(), Some(&next));
    assert!(next.extends(Some(&first)) && !next.extends(None));
}

#[test]
fn a_schema_is_sorted_and_bounded() {
    use ward_sync::limits::*;
    let site = Site::new(21);
    let named =
        |n: usize| row(EntryKind::PROFILE_FIELD, Some(&format!("{n:04}")), MergeClass::REVIEW, vec![]);
    let with = |fields: Vec<SchemaField>| MlogBody::StudySchema(Box::new(site.schema(fields))).check();
    assert_eq!(with((0..SCHEMA_FIELDS_MAX).map(named).collect()), Ok(()));
    assert!(with((0..=SCHEMA_FIELDS_MAX).map(named).collect()).is_err());
    assert!(with(vec![named(2), named(1)]).is_err() && with(vec![named(1), named(1)]).is_err());
    assert!(with(vec![row(EntryKind::DOSE, Some(""), MergeClass::REVIEW, vec![])]).is_err());
    let roles = vec![Role::Clinician, Role::Coordinator];
    assert!(with(vec![row(EntryKind::DOSE, None, MergeClass::REVIEW, roles)]).is_err());
    let reader = |n: usize| MinReader { kind: EntryKind::DOSE, schema: format!("{n:03}"), level: 1 };
    let asks = |min_readers: Vec<MinReader>| {
        MlogBody::StudySchema(Box::new(StudySchema { min_readers, ..site.schema(vec![]) })).check()
    };
    assert_eq!(asks((0..SCHEMA_MIN_READERS_MAX).map(reader).collect()), Ok(()));
    assert!(asks((0..=SCHEMA_MIN_READERS_MAX).map(reader).collect()).is_err());
    assert!(asks(vec![reader(1), reader(0)]).is_err());
    let number = StudySchema { number: 1, ..site.schema(vec![]) };
    assert!(MlogBody::StudySchema(Box::new(number)).check().is_err());
    let level = |level| {
        let min_readers = vec![MinReader { level, ..reader(0) }];
        StudySchema { min_readers, ..site.schema(vec![]) }
    };
    let needed = |schema: &StudySchema| needed_level(Some(schema), EntryKind::DOSE, "000");
    assert_eq!(needed(&level(READER_LEVEL)), None);
    assert_eq!(needed(&level(READER_LEVEL + 1)), Some(READER_LEVEL + 1));
    assert_eq!(needed_level(None, EntryKind::DOSE, "000"), None);
}
