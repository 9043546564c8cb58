//! The words of alerts on the worklist: nobody writes lines of it from outside, nothing is pushed off the line,
//! and each version says its own.

use crate::builder::*;
use crate::rule_sets::*;
use ward_client::views::{NamedChart, RuleBook, SetAside, Urgency, WorkItem, set_aside_work};
use ward_sync::*;

#[test]
fn a_participants_device_cannot_write_lines_of_the_list() {
    let mut chart = TestChart::with_diary(1, 14);
    let forged = "2026-03-02\nCALL      Jane Doe: asks to be called, on 2026-03-30";
    let answers = Answers { note: Some("x\n[called]"), call_me: true, ..Answers::of(SEVERE) };
    chart.write(Who::Phone, day(0), response(forged, ResponseStatus::Completed, &answers));
    let items = open(&chart, &[]);
    let (raised, beside): (Vec<&WorkItem>, Vec<&WorkItem>) =
        items.iter().partition(|item| !item.alerts.is_empty());
    assert_eq!((raised.len(), beside.len()), (2, 1), "{items:#?}");
    // An answer that names no planned time is told as well, in one line.
    assert!(!beside[0].reason.contains('\n'), "{}", beside[0].reason);
    for item in raised {
        let texts = item.alerts.iter().flat_map(|alert| {
            let shown = [Some(&alert.occurrence), Some(&alert.what), alert.compared.as_ref()];
            shown.into_iter().flatten().chain(&alert.used).cloned().collect::<Vec<_>>()
        });
        let all: Vec<String> = texts.chain([item.reason.clone()]).collect();
        assert!(all.iter().all(|text| !text.contains('\n')), "{all:?}");
        assert!(item.reason.contains("on 2026-03-02 CALL Jane Doe"), "{}", item.reason);
        assert!(!item.reason.contains("2026-03-30"), "{}", item.reason);
    }
}

#[test]
fn what_is_long_pushes_nothing_off_the_line() {
    let mut chart = TestChart::with_diary(1, 14);
    let long = "so tired of it all ".repeat(40);
    let first = chart.report(0, &Answers { note: Some(&long), call_me: true, ..Answers::of(SEVERE) });
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, day(0).plus_ms(HOUR_MS), fixed, first, "mistyped");
    let call = &open(&chart, &[])[0];
    let start = "asks to be called, on 2026-03-02; later taken back in a correction; wrote: “so tired";
    assert!(call.reason.starts_with(start) && call.reason.ends_with("…”"), "{}", call.reason);
}

#[test]
fn each_version_says_its_own_words_and_several_corrections_are_told_by_the_worst() {
    let mut chart = TestChart::with_diary(1, 14);
    let sets = [set(1, 10, nausea_from(2, "urgent"))];
    chart.sealed_at = Some(11);
    let first = chart.report(0, &Answers::of(&[("nausea", 4)]));
    let correct = |chart: &mut TestChart, score: usize, hour: i64, of| {
        let scores = [("nausea", score)];
        let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(&scores));
        chart.amend(Who::Phone, day(0).plus_ms(HOUR_MS * hour), fixed, of, "mistyped")
    };
    let calm = correct(&mut chart, 0, 1, first);
    let mild = correct(&mut chart, 2, 2, first);
    let items: Vec<WorkItem> =
        open(&chart, &sets).into_iter().filter(|item| item.urgency == Urgency::Urgent).collect();
    assert_eq!(items.len(), 1, "{items:#?}");
    let of = |entry| items[0].alerts.iter().find(|alert| alert.entry == entry);
    assert!(of(calm).is_none());
    let held = of(mild).unwrap();
    assert_eq!((held.what.as_str(), held.unsettled), ("feeling sick: grade 2", true));
    assert!(of(first).is_none(), "what holds says as much");
    assert!(
        items[0]
            .reason
            .ends_with("on 2026-03-02; several versions of these answers hold and nobody has chosen")
    );

    // Of several corrections that raise nothing the worst is told.
    let mut chart = TestChart::with_diary(2, 14);
    chart.sealed_at = Some(11);
    let first = chart.report(0, &Answers::of(SEVERE));
    correct(&mut chart, 0, 1, first);
    correct(&mut chart, 1, 2, first);
    let was = &open(&chart, &sets)[0].alerts[0];
    assert_eq!((was.entry, was.what.as_str()), (first, "feeling sick: grade 3"));
    let words = "corrected 2 times at once, to grade 1 or less; nobody has chosen";
    assert_eq!(was.corrected.as_deref(), Some(words));
}

#[test]
fn one_day_that_was_sent_twice_is_one_time() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(SEVERE));
    chart.report(0, &Answers::of(SEVERE));
    chart.report(1, &Answers::of(SEVERE));
    let urgent = &open(&chart, &[])[0];
    assert_eq!(
        (urgent.reason.as_str(), urgent.entries.len()),
        ("feeling sick: grade 3, 2 times since 2026-03-02", 3)
    );
}

#[test]
fn a_correction_of_which_a_part_is_refused_is_not_no_symptom() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.report(0, &Answers::of(SEVERE));
    let refused = &["nausea-frequency", "nausea-severity"];
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers { refused, ..Answers::of(&[]) });
    chart.amend(Who::Phone, day(0).plus_ms(HOUR_MS), fixed, first, "rather not say");
    let urgent = &open(&chart, &[])[0];
    assert!(urgent.reason.ends_with("; later corrected; the grade is not known now"), "{}", urgent.reason);
}

#[test]
fn a_symptom_that_was_refused_whole_is_asked_about() {
    let mut chart = TestChart::with_diary(1, 14);
    let refused = &["pain-frequency", "pain-severity", "pain-interference"];
    chart.report(0, &Answers { refused, ..Answers::of(&[]) });
    let items = open(&chart, &[]);
    assert_eq!(items.iter().map(|item| item.urgency).collect::<Vec<_>>(), [Urgency::ToAsk], "{items:#?}");
    assert!(items[0].reason.starts_with("ask about pain: frequency not answered"), "{}", items[0].reason);
}

#[test]
fn what_a_revoked_device_reported_stays_on_the_list() {
    let mut chart = TestChart::with_diary(1, 14);
    let answers = Answers { call_me: true, ..Answers::of(SEVERE) };
    let severe = response(&occurrence(0), ResponseStatus::Completed, &answers);
    let entry = chart.write(Who::LostPhone, day(0), severe);
    let ids = |items: &[WorkItem]| items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
    let before = open(&chart, &[]);
    assert_eq!(before.len(), 2, "{before:#?}");
    chart.lose_phone();
    let aside = |chart: &TestChart| {
        let (view, trusted) = (chart.view(), chart.trusted_view());
        let (named, kept) = (NamedChart::new(chart.id, &view), SetAside::of(&view));
        let mut items = set_aside_work(&RuleBook::built_in(), &named, &trusted, &kept, day(1));
        items.retain(|item| item.acknowledged.is_none());
        items
    };
    let after = aside(&chart);
    assert_eq!(ids(&after), ids(&before));
    let said = "from a device that was revoked, kept aside: ";
    assert!(after.iter().all(|item| item.reason.starts_with(said) && item.entries == [entry]));
    // Whoever acted says so, and what was acted on is closed.
    chart.write(Who::Clinician, day(1), after[0].acknowledgement("called"));
    assert_eq!(ids(&aside(&chart)), ids(&before[1..]));
    // What somebody declined to take over was looked at.
    let device = chart.pens[&Who::LostPhone].author.device;
    chart.decide(Who::Coordinator, day(2), DropDeclined { device, entry }, "somebody else had the phone");
    assert_eq!(aside(&chart), []);
}
