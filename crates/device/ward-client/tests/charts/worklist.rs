//! The worklist.

use crate::builder::*;
use ward_client::views::{NamedChart, Urgency, WorkItem, worklist};
use ward_id::{EntryId, TimestampMs};
use ward_sync::limits::ACKNOWLEDGED_ENTRIES_MAX;
use ward_sync::*;

fn work(chart: &TestChart, now: TimestampMs) -> Vec<WorkItem> {
    chart.with_named(|named| worklist(std::slice::from_ref(named), now))
}

/// The items but for missed diaries, of which most stories have some.
fn items(chart: &TestChart) -> Vec<WorkItem> {
    let mut items = work(chart, day(0));
    items.retain(|item| item.urgency != Urgency::Notice);
    items
}

#[track_caller]
fn only(chart: &TestChart) -> WorkItem {
    let mut items = items(chart);
    assert_eq!(items.len(), 1, "{items:#?}");
    items.remove(0)
}

fn acknowledge(chart: &mut TestChart, item: &WorkItem, at: TimestampMs) -> EntryId {
    let payload = item.acknowledgement("called");
    chart.write(Who::Clinician, at, payload)
}

#[test]
fn several_severe_reports_are_one_item_until_somebody_acts() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Coordinator, day(0), profile("name", "Ada\u{1b}[31m Ash"));
    chart.report(0, &Answers::of(MILD));
    let first = chart.report(1, &Answers::of(SEVERE));
    let second = chart.report(2, &Answers::of(SEVERE));
    chart.report(3, &Answers::of(MILD));
    let item = only(&chart);
    assert_eq!(item.urgency, Urgency::Urgent);
    assert_eq!(item.reason, "feeling sick: grade 3, 2 times since 2026-03-03");
    assert_eq!(item.participant, "Ada [31m Ash", "a name cannot rewrite the screen");
    assert_eq!(item.entries, [first, second]);
    assert_eq!(item.since, day(1).plus_ms(ARRIVES_AFTER_MS));
    assert_eq!(item.waiting_ms(item.since.plus_ms(5)), Some(5));
    let start = format!("01010101-urgent-nausea-{}", &first.to_string()[..8]);
    assert!(item.id.starts_with("01010101-urgent-nausea-") && item.id != start, "{}", item.id);

    let ack = acknowledge(&mut chart, &item, day(3));
    let closed = only(&chart);
    let by = closed.acknowledged.clone().unwrap();
    assert_eq!((closed.id.as_str(), by.entry, by.action.as_str()), (item.id.as_str(), ack, "called"));
    assert_eq!((by.at, closed.waiting_ms(day(9))), (day(3), None));

    let third = chart.report(4, &Answers::of(SEVERE));
    assert!(items(&chart).iter().all(|item| item.id != start), "what one saw is not what came since");
    let both = items(&chart);
    assert_eq!(both.len(), 2);
    assert_eq!((both[0].entries.as_slice(), both[0].acknowledged.is_none()), ([third].as_slice(), true));
    assert_ne!(both[0].id, item.id, "a new report is a new item");
    assert_eq!(both[1].id, item.id);
}

#[test]
fn an_acknowledgement_closes_only_what_it_names() {
    let mut chart = TestChart::with_diary(1, 14);
    let sick = chart.report(0, &Answers::of(SEVERE));
    let pain = chart.report(1, &Answers::of(&[("pain", 4)]));
    let open = items(&chart);
    assert_eq!(open.len(), 2);
    // Of another matter, of another entry, of another chart: none of them closes anything.
    for (item, entry) in [(&open[0].id, pain), (&open[1].id, sick)] {
        let payload =
            AlertAcknowledgement { item: item.clone(), entries: vec![entry], action: "seen".into() };
        chart.write(Who::Clinician, day(2), payload);
    }
    let other = open[0].id.replacen("01010101", "02020202", 1);
    chart.write(
        Who::Clinician,
        day(2),
        AlertAcknowledgement { item: other, entries: vec![sick], action: "x".into() },
    );
    assert!(items(&chart).iter().all(|item| item.acknowledged.is_none()));
}

#[test]
fn a_correction_does_not_end_an_alarm() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.report(0, &Answers { call_me: true, note: Some("help"), ..Answers::of(SEVERE) });
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, day(0).plus_ms(HOUR_MS), fixed, first, "mistyped");
    let open = items(&chart);
    let reasons: Vec<_> = open.iter().map(|item| (item.urgency, item.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (
                Urgency::PatientUrgent,
                "asks to be called, on 2026-03-02; later taken back in a correction; wrote: “help”"
            ),
            (Urgency::Urgent, "feeling sick: grade 3, on 2026-03-02; later corrected to grade 1"),
        ]
    );
    assert!(open.iter().all(|item| item.entries == [first]));
}

#[test]
fn a_refused_question_does_not_hide_a_severe_symptom() {
    let mut chart = TestChart::with_diary(1, 14);
    let refused = &["pain-severity"];
    let entry = chart.report(0, &Answers { refused, ..Answers::of(&[("pain", 4)]) });
    let item = only(&chart);
    assert_eq!((item.urgency, item.entries.as_slice()), (Urgency::Urgent, [entry].as_slice()));
    assert_eq!(
        item.reason,
        "pain: frequency 4; pain: interference 4; pain: grade between 2 and 3 (frequency 4, severity not answered, interference 4), on 2026-03-02"
    );
}

#[test]
fn one_severe_attribute_is_an_alert_whatever_the_grade() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[("diarrhoea", 3)]));
    let item = only(&chart);
    assert_eq!(item.urgency, Urgency::Urgent);
    assert_eq!(item.reason, "runny poo: frequency 3, on 2026-03-02");
}

#[test]
fn the_most_pressing_alert_of_a_symptom_is_the_line_and_the_others_stand_beside_it() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[]));
    chart.report(1, &Answers::of(&[("diarrhoea", 3)]));
    let item = only(&chart);
    assert_eq!(
        (item.urgency, item.reason.as_str()),
        (Urgency::Urgent, "runny poo: frequency 3, on 2026-03-03")
    );
    let rules: Vec<&str> = item.alerts.iter().map(|alert| alert.rule.as_str()).collect();
    assert_eq!(rules, ["severe-attribute", "worse"]);
}

#[test]
fn a_gap_beside_a_known_answer_is_asked_about() {
    let mut chart = TestChart::with_diary(1, 14);
    let entry = chart.report(0, &Answers { refused: &["nausea-severity"], ..Answers::of(&[("nausea", 2)]) });
    let item = only(&chart);
    assert_eq!((item.urgency, item.entries.as_slice()), (Urgency::ToAsk, [entry].as_slice()));
    assert_eq!(
        item.reason,
        "ask about feeling sick: grade between 1 and 2 (frequency 2, severity not answered), on 2026-03-02"
    );
    // Whoever says that it was not there owes nothing more.
    let mut chart = TestChart::with_diary(2, 14);
    chart.report(0, &Answers { refused: &["nausea-severity"], ..Answers::of(&[]) });
    assert_eq!(items(&chart), []);
}

#[test]
fn getting_worse_is_measured_from_the_start() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[]));
    let worse = chart.report(1, &Answers::of(&[("tiredness", 2)]));
    let item = only(&chart);
    assert_eq!((item.urgency, item.entries.as_slice()), (Urgency::Concern, [worse].as_slice()));
    assert_eq!(
        item.reason,
        "being very tired got worse: grade 2, up from 0 at the start (2026-03-02), on 2026-03-03"
    );
}

#[test]
fn conflicts_show_every_value_until_somebody_decides() {
    let mut chart = TestChart::with_diary(1, 14);
    let a = chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    let same = chart.write(Who::OtherClinician, day(1), plan_field(Some("4"), vec![]));
    assert_eq!(items(&chart), [], "the same value twice is no question");
    let b = chart.write(Who::OtherClinician, day(2), plan_field(Some("8"), vec![same]));
    let item = only(&chart);
    assert_eq!(item.urgency, Urgency::Conflict);
    assert_eq!(
        item.reason,
        "two values for ondansetron dose: 4 mg (clinician 23232323, 2026-03-02), 8 mg (clinician 24242424, 2026-03-04); nobody has chosen"
    );
    assert_eq!(
        item.values,
        ["4 mg (clinician 23232323, 2026-03-02)", "8 mg (clinician 24242424, 2026-03-04)"]
    );
    assert_eq!(item.entries, [a, b]);
    acknowledge(&mut chart, &item, day(2));
    assert!(only(&chart).acknowledged.is_some());
    let c = chart.write(Who::OtherClinician, day(3), plan_field(None, vec![]));
    let open = only(&chart);
    assert!(open.acknowledged.is_none(), "a third value opens it again");
    assert!(open.reason.contains("three values") && open.reason.contains("removed (clinician"));
    let further = chart.write(Who::Clinician, day(4), plan_field(Some("9"), vec![a, b, c]));
    let open = only(&chart);
    assert_eq!(open.values.len(), 4, "an ordinary write ends nothing: {open:#?}");
    let key = FieldKey::MedicationPlan(MedicationId::new("ondansetron"), "dose".into());
    let decision = Resolve::choosing(key, vec![a, b, c, further], b);
    chart.decide(Who::Clinician, day(5), decision, "asked both");
    assert_eq!(items(&chart), []);
}

#[test]
fn other_registers_and_corrections_can_be_in_conflict_too() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Coordinator, day(0), profile("name", "Ada"));
    chart.write(Who::Phone, day(0), profile("name", "Ida"));
    for (who, place) in [(Who::Coordinator, "room 1"), (Who::Clinician, "room 2")] {
        let visit = Appointment {
            appointment: AppointmentId([1; 16]),
            status: AppointmentStatus::Booked,
            starts_at: day(5),
            minutes: 30,
            place: place.into(),
            purpose: "visit 2".into(),
            supersedes: Vec::new(),
        };
        chart.write(who, day(0), visit);
    }
    let first = chart.report(0, &Answers::of(&[]));
    for note in ["a", "b"] {
        let fixed = response(
            &occurrence(0),
            ResponseStatus::Amended,
            &Answers { note: Some(note), ..Answers::default() },
        );
        chart.amend(Who::Phone, day(1), fixed, first, "more");
    }
    let reasons: Vec<String> = items(&chart).into_iter().map(|item| item.reason).collect();
    assert_eq!(reasons.len(), 3, "{reasons:#?}");
    let has = |part: &str| reasons.iter().any(|reason| reason.contains(part));
    assert!(has(
        "two values for name: Ada (coordinator 22222222, 2026-03-02), Ida (participant 20202020, 2026-03-02)"
    ));
    assert!(has("two values for a visit: 2026-03-07 09:00 UTC, 30 min, room 1 visit 2"));
    assert!(has(
        "two values for “How have you been?” for 2026-03-02: answers (participant 20202020, 2026-03-03)"
    ));
    assert_eq!(items(&chart)[0].participant, "Ada / Ida");
}

#[test]
fn missed_diaries_are_one_item_per_row() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[]));
    assert_eq!(work(&chart, day(2)), [], "one missed diary is no row");
    let item = work(&chart, day(3)).remove(0);
    assert_eq!(item.urgency, Urgency::Notice);
    assert_eq!(item.reason, "“How have you been?” missed 2 times in a row, since 2026-03-03");
    // The phone is in Vienna, an hour ahead of UTC.
    assert_eq!(item.since, TimestampMs(((DAY + 3) * 24 - 1) * HOUR_MS), "when the row became long enough");
    assert_eq!((item.alerts[0].rule.as_str(), item.alerts[0].revision), ("missed", 0));
    acknowledge(&mut chart, &item, day(3));
    let later = work(&chart, day(4)).remove(0);
    assert_eq!((later.id == item.id, later.acknowledged.is_some()), (true, true), "the row goes on");
    assert!(later.reason.contains("3 times"));
    let doubled = work(&chart, day(6));
    let states: Vec<_> = doubled.iter().map(|item| (item.acknowledged.is_some(), &item.reason[..])).collect();
    let said = |count: u8| format!("“How have you been?” missed {count} times in a row, since 2026-03-03");
    assert_eq!(states, [(false, &said(5)[..]), (true, &said(2)[..])], "it doubled: somebody looks again");
    acknowledge(&mut chart, &doubled[0], day(6));
    chart.report(6, &Answers::of(&[]));
    let after = work(&chart, day(7));
    assert!(after.len() == 2 && after.iter().all(|item| item.acknowledged.is_some()), "done, and not gone");
    assert!(after[0].reason.ends_with("; answers came again since"), "{}", after[0].reason);
    let next = work(&chart, day(9)).remove(0);
    assert!(next.acknowledged.is_none() && next.id != item.id, "a new row is a new item");
    // A row that nobody acknowledged stays, though answers came again.
    chart.report(9, &Answers::of(&[]));
    let open: Vec<WorkItem> =
        work(&chart, day(10)).into_iter().filter(|item| item.acknowledged.is_none()).collect();
    assert_eq!(open.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), [next.id.as_str()]);
}

#[test]
fn answers_sent_twice_are_shown_and_none_is_chosen() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Phone, day(0), response(&occurrence(0), ResponseStatus::Draft, &Answers::of(&[])));
    let a = chart.report(0, &Answers::of(&[]));
    assert_eq!(items(&chart), [], "a draft is no second answer");
    let b = chart.report(0, &Answers::of(MILD));
    let item = only(&chart);
    assert_eq!((item.urgency, item.entries.as_slice()), (Urgency::Duplicate, [a, b].as_slice()));
    assert!(item.reason.contains("was sent 2 times"));
    acknowledge(&mut chart, &item, day(1));
    assert!(only(&chart).acknowledged.is_some());
}

#[test]
fn entries_that_are_kept_aside_are_named() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::LostPhone, day(0), note("from the lost phone"));
    chart.write(Who::LostPhone, day(0), note("another"));
    chart.lose_phone();
    chart.write(Who::Pretender, day(0), diary(DAY, 1, 3));
    chart.write_raw(Who::Phone, day(0), 10, |body| body.payload = vec![0xff]);
    chart.write_raw(Who::Phone, day(0), 11, |body| body.schema = "ward/tomorrow".into());
    let mut no_form = response(&occurrence(1), ResponseStatus::Completed, &Answers::of(SEVERE));
    no_form.instrument_version = "9".into();
    let no_form = chart.write(Who::Phone, day(1), no_form);
    let adopt = items(&chart).into_iter().find(|item| item.urgency == Urgency::ToAdopt).unwrap();
    assert!(!adopt.closable && adopt.entries.is_empty(), "it ends when they are taken over or declined");
    acknowledge(&mut chart, &adopt, day(1));
    let waiting =
        chart.write_raw(Who::Phone, day(1), 12, |body| body.deps = vec![EntryId::from_bytes([9; 32])]);
    let items = items(&chart);
    let reasons: Vec<&str> = items.iter().map(|item| item.reason.as_str()).collect();
    for expected in [
        "2 entries of a lost device wait to be taken over",
        "1 entry is kept aside: the author's role may not write this",
        "1 entry is kept aside: the content breaks the rules of its kind",
        "1 entry is kept aside: a newer version of the app is needed to read this",
        "1 entry waits for others that have not arrived; the chart is incomplete",
        "alerts may be hidden: 1 set of answers has no scores: their questionnaire is not in the chart",
    ] {
        assert!(reasons.contains(&expected), "{expected}: {reasons:#?}");
    }
    assert_eq!(items.len(), 6);
    let unscored = items.iter().find(|item| item.reason.contains("no scores")).unwrap();
    assert_eq!((unscored.urgency, unscored.closable), (Urgency::Concern, false));
    assert_eq!((unscored.entries.as_slice(), unscored.raised_by.as_slice()), (&[][..], &[no_form][..]));
    let still = items.iter().find(|item| item.id == adopt.id).unwrap();
    assert!(still.acknowledged.is_none(), "an acknowledgement closes nothing here");
    let parked = items.iter().find(|item| item.reason.contains("waits for others")).unwrap();
    assert_eq!(parked.entries, [], "naming an entry that waits would make the acknowledgement wait");
    assert!(parked.id.ends_with(&waiting.to_string()[..8]));
}

#[test]
fn open_items_come_first_by_urgency_and_then_by_age() {
    let (mut a, mut b) = (TestChart::with_diary(1, 14), TestChart::with_diary(2, 14));
    a.report(1, &Answers::of(SEVERE));
    b.report(0, &Answers::of(SEVERE));
    b.report(2, &Answers { call_me: true, ..Answers::of(&[]) });
    a.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    a.write(Who::OtherClinician, day(0), plan_field(Some("8"), vec![]));
    let done = a.report(2, &Answers { call_me: true, ..Answers::of(&[]) });
    let call = items(&a).remove(0);
    assert_eq!((call.urgency, call.entries.as_slice()), (Urgency::PatientUrgent, [done].as_slice()));
    acknowledge(&mut a, &call, day(2));
    let (view_a, view_b) = (a.view(), b.view());
    let charts = [NamedChart::new(a.id, &view_a), NamedChart::new(b.id, &view_b)];
    let listed = worklist(&charts, day(1));
    let order: Vec<_> =
        listed.iter().map(|item| (item.urgency, item.chart, item.acknowledged.is_some())).collect();
    assert_eq!(
        order,
        [
            (Urgency::PatientUrgent, b.id, false),
            (Urgency::Urgent, b.id, false),
            (Urgency::Urgent, a.id, false),
            (Urgency::Conflict, a.id, false),
            (Urgency::PatientUrgent, a.id, true),
        ]
    );
    let reversed = worklist(&[charts[1].clone(), charts[0].clone()], day(1));
    assert_eq!(listed, reversed, "the order of charts changes nothing");
    let json = serde_json::to_value(&listed[0]).unwrap();
    assert_eq!(json["urgency"], "patient-urgent");
    assert_eq!(json["alerts"][0]["rule"], "call");
    assert_eq!(json["participant"], "02020202");
}

#[test]
fn an_item_never_names_more_entries_than_an_acknowledgement_may() {
    let mut chart = TestChart::with_diary(1, 14);
    let count = ACKNOWLEDGED_ENTRIES_MAX + 1;
    for _ in 0..count {
        chart.report(0, &Answers::of(SEVERE));
    }
    let severe = |chart: &TestChart| -> Vec<WorkItem> {
        items(chart).into_iter().filter(|item| item.urgency == Urgency::Urgent).collect()
    };
    let open = severe(&chart);
    let mut named: Vec<usize> = open.iter().map(|item| item.entries.len()).collect();
    named.sort_unstable();
    assert_eq!(named, [1, ACKNOWLEDGED_ENTRIES_MAX]);
    for item in &open {
        acknowledge(&mut chart, item, day(1));
    }
    assert!(severe(&chart).iter().all(|item| item.acknowledged.is_some()));
}
