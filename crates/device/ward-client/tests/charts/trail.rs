//! The trail of a chart: complete, in words, as a table and as a document.

use crate::builder::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use ward_client::export::{
    Reopenings, Trail, TrailParts, WaitingAccess, trail, trail_csv, trail_json, trail_text,
};
use ward_client::views::NamedChart;
use ward_sync::*;

fn compare(name: &str, current: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts/golden").join(name);
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(committed, current, "{name} changed");
}

/// A chart in which everything happens that a trail tells of.
pub fn story() -> TestChart {
    let mut chart = TestChart::with_diary(1, 10);
    chart.write(Who::Coordinator, day(0), profile("name", "Ada Example"));
    let first = chart.report(0, &Answers::of(MILD));
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(SEVERE));
    chart.amend(Who::Phone, day(1), fixed, first, "mixed up \u{1b}[31m two questions");
    let plan = chart.write(Who::Clinician, day(1), plan_field(Some("4"), vec![]));
    chart.write(Who::Clinician, day(2), plan_field(Some("8"), vec![plan]));
    chart.write(Who::OtherClinician, day(2), plan_field(None, vec![plan]));
    let lost = chart.write(Who::LostPhone, day(2), note("from the lost phone"));
    chart.write_raw(Who::Clinician, day(2), 9, |body| body.kind = EntryKind(200));
    let visit = Appointment {
        appointment: AppointmentId([6; 16]),
        status: AppointmentStatus::Booked,
        starts_at: day(9),
        minutes: 30,
        place: "Room 12".into(),
        purpose: "visit".into(),
        supersedes: vec![],
    };
    chart.write(Who::Pretender, day(3), visit);
    let receipt = AccessReceipt {
        purpose: AccessPurpose::Care,
        day: DAY + 3,
        first_at: day(3),
        last_at: day(3).plus_ms(HOUR_MS),
        count: 2,
    };
    chart.write(Who::Clinician, day(4), receipt);
    let seen = chart.chart.get(lost).unwrap().frame().clone();
    let opened =
        OpenedChain { device: seen.device, incarnation: seen.incarnation, seq: seen.seq, entry: lost };
    chart.write(Who::Coordinator, day(4), Opened { chains: vec![opened] });
    chart.write_off(Who::Phone, day(5), -400 * 24 * HOUR_MS, note("the clock was wrong"));
    chart.lose_phone();
    chart
}

pub fn trail_of(chart: &TestChart) -> Trail {
    let view = chart.view();
    let delivery = delivery(&view, |item| match item.arrival.olog_index {
        Some(_) => DeliveryState::Received,
        None => DeliveryState::SavedHere,
    });
    let proved: BTreeMap<_, _> = view.timeline().iter().take(3).map(|item| (item.entry.id(), 7)).collect();
    let person = chart.pens[&Who::Phone].author.person;
    trail(&TrailParts {
        chart: NamedChart::new(chart.id, &view),
        device: chart.pens[&Who::Clinician].author.device,
        names: &BTreeMap::from([(person, "Ada Example".to_owned())]),
        proved: &proved,
        heads: &WitnessedHeads::new(),
        delivery: &delivery,
        reopenings: &Reopenings::default(),
        missing: chart.chart.missing(),
        waiting_accesses: vec![WaitingAccess { purpose: AccessPurpose::Verify, day: DAY + 6, count: 3 }],
        made_at: day(6),
    })
}

#[test]
fn the_trail_in_words_as_a_table_and_as_a_document() {
    let chart = story();
    let trail = trail_of(&chart);
    let text = trail_text(&trail);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "80 columns");
    assert!(!text.contains('\u{1b}'), "nobody's words steer a terminal");
    compare("trail.txt", &text);
    compare("trail.csv", &trail_csv(&trail));
    compare("trail.json", &(serde_json::to_string_pretty(&trail_json(&trail)).unwrap() + "\n"));
}

#[test]
fn every_entry_stands_in_the_trail_once_and_the_places_add_up() {
    let chart = story();
    let trail = trail_of(&chart);
    assert!(trail.accounting.balances());
    assert_eq!(trail.entries.len(), trail.accounting.total);
    assert_eq!(trail.entries.len(), chart.chart.len());
    let numbers: Vec<usize> = trail.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=trail.entries.len()).collect::<Vec<_>>());
    let places: Vec<Place> = trail.entries.iter().map(|entry| entry.place).collect();
    for place in [
        Place::Visible,
        Place::Superseded,
        Place::InConflict,
        Place::UnknownKind,
        Place::NotPermitted,
        Place::Quarantined(QuarantineReason::ToBeAdopted),
    ] {
        assert!(places.contains(&place), "{place:?} stands in the story");
    }
}

#[test]
fn old_and_new_values_stand_side_by_side() {
    let chart = story();
    let trail = trail_of(&chart);
    let change = |entry: &ward_client::export::TrailEntry, field: &str| {
        entry.changes.iter().find(|change| change.field.contains(field)).cloned()
    };
    let amended = trail.entries.iter().find(|entry| entry.reason.is_some()).unwrap();
    let severity = change(amended, "nausea-severity").unwrap();
    assert_eq!((severity.old.len(), severity.new.is_some()), (1, true));
    assert_ne!(Some(&severity.old[0]), severity.new.as_ref());
    assert!(change(amended, "planned for").is_none(), "what stayed is left out");
    let plans: Vec<_> = trail.entries.iter().filter_map(|entry| change(entry, "ondansetron dose")).collect();
    assert_eq!(plans[0].new.as_deref(), Some("4 mg"));
    let replaced: Vec<_> =
        plans.iter().filter(|plan| plan.old == ["4 mg"]).map(|plan| plan.new.clone()).collect();
    assert!(replaced.contains(&Some("8 mg".to_owned())) && replaced.contains(&None), "{plans:?}");
}

#[test]
fn a_wrong_clock_is_said_and_a_reading_stands_in_the_trail() {
    let chart = story();
    let trail = trail_of(&chart);
    let wrong = trail.entries.iter().find(|entry| entry.time.claim == TimeClaim::Suspect).unwrap();
    assert!(wrong.time.faults.contains(&TimeFault::BeforeWhatWasSeen), "{:?}", wrong.time);
    assert!(
        wrong.time.faults.iter().any(|fault| matches!(fault, TimeFault::ClockMoved { by_ms } if *by_ms < 0))
    );
    assert_eq!(wrong.place, Place::Visible, "value, order and delivery are as ever");
    assert_eq!(trail.suspects(), 1);
    assert_eq!(trail.entries.iter().filter(|entry| entry.is_reading).count(), 2);
    assert_eq!(wrong.time.local, "2025-01-31T10:00:00.000+01:00");
}
