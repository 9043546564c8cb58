//! What a server says of its operation log is not believed alone: devices compare the heads that
//! others name, prove places, and take a receipt for what it promises only.

use crate::scene::{change_pages, held, names, note, site_with_nurse, texts, write};
use ward_api::{EnvelopePage, EnvelopeRow};
use ward_client::{HttpMethod, NamedBy, SyncProblem};
use ward_crypto::Role;
use ward_id::{Canonical as _, ChartId};
use ward_sync::{Place, QuarantineReason, RevokePolicy};
use ward_testkit::TestDevice;

/// The relay adds rows to the pages that a device fetches of one chart.
fn slip_in(device: &TestDevice, chart: ChartId, rows: Vec<EnvelopeRow>) {
    device.relay.always_differs();
    device.relay.after(move |request, response| {
        if response.status == 200 && request.path.contains(&format!("{chart}/envelopes?")) {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            let last = page.rows.last().map(|row| row.index);
            page.rows.extend(rows.iter().filter(|row| last.is_none_or(|last| row.index > last)).cloned());
            response.body = page.to_canonical();
        }
    });
}

#[tokio::test]
async fn rt_13_two_operation_logs_are_noticed_at_the_first_record_that_crosses() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(131).await;
    let chart = patient.chart();
    // One membership log, two operation logs, both confirmed by the witnesses.
    let mlog_size = patient.client.sync().await.unwrap().mlog_size;
    let fork = site.server.twin(mlog_size, held(&site.server).await).await;
    patient.relay.lead_to(Some(fork.transport.clone()));
    for text in ["taken by the other log", "names its head"] {
        patient.client.capture(chart, note(text)).await.unwrap();
        patient.sync().await;
        patient.sync().await;
    }
    for text in ["here", "something", "else"] {
        site.coordinator.client.capture(chart, note(text)).await.unwrap();
        site.coordinator.sync().await;
    }
    nurse.sync().await;
    let crossing: Vec<EnvelopeRow> = fork.envelopes().await.into_iter().rev().take(2).rev().collect();
    let far = crossing.into_iter().map(|row| EnvelopeRow { index: row.index + 1_000, ..row }).collect();
    slip_in(&nurse, chart, far);
    let report = nurse.client.sync().await.unwrap();
    let by = report.problems.iter().find_map(|problem| match problem {
        SyncProblem::OtherHistory { by, evidence } => Some((*by, evidence.sides.len())),
        _ => None,
    });
    assert_eq!(by, Some((NamedBy::Author(patient.device()), 2)), "{report:?}");
    // It is said until somebody looked, also after a restart; the nurse can work on.
    nurse.restart().await;
    nurse.client.capture(chart, note("work goes on")).await.unwrap();
    let report = nurse.client.sync().await.unwrap();
    assert!(names(&report).contains(&"other-history"), "{report:?}");
    assert_eq!(report.pushed, 1, "{report:?}");
}

#[tokio::test]
async fn rt_17_a_head_that_the_server_does_not_show_is_an_alarm() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(17).await;
    let chart = patient.chart();
    nurse.relay.freeze();
    nurse.sync().await;
    write(&mut site.coordinator, chart, &["hidden"]).await;
    patient.sync().await;
    write(&mut patient, chart, &["made after it"]).await;
    let hidden = held(&site.server).await - 2;
    change_pages(&nurse.relay, move |page| {
        page.rows.retain(|row| row.index != hidden);
    });
    let report = nurse.client.sync().await.unwrap();
    let tail = report.problems.iter().find_map(|problem| match problem {
        SyncProblem::HiddenTail { by, named, shown, .. } => Some((*by, *named, *shown)),
        _ => None,
    });
    assert_eq!(tail, Some((NamedBy::Author(patient.device()), hidden + 1, hidden)), "{report:?}");
    assert!(names(&report).contains(&"incomplete"), "{report:?}");
    assert!(nurse.client.charts().iter().any(|chart| chart.incomplete));
    // All pages are looked through again now and then.
    nurse.relay.heal();
    for _ in 0..9 {
        nurse.client.sync().await.unwrap();
    }
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "hidden", "made after it"]);
}

#[tokio::test]
async fn rt_23_a_place_that_the_server_makes_up_for_a_former_member_does_not_count() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(23).await;
    let chart = patient.chart();
    write(&mut nurse, chart, &["on duty"]).await;
    // Somebody else's envelope takes the place that will be made up.
    let mut other = site.patient("ben").await;
    other.client.capture(other.chart(), note("elsewhere")).await.unwrap();
    other.sync().await;
    let place = held(&site.server).await - 1;
    nurse.sync().await;
    patient.sync().await;
    let mlog_size = patient.client.sync().await.unwrap().mlog_size;
    // The nurse leaves; with a server that plays along they go on writing.
    let accomplice = site.server.twin(mlog_size, held(&site.server).await).await;
    site.admins[0].client.revoke(nurse.device(), RevokePolicy::Sever, "left").await.unwrap();
    nurse.relay.lead_to(Some(accomplice.transport.clone()));
    let late = nurse.client.capture(chart, note("written by somebody who left")).await.unwrap();
    assert_eq!(nurse.client.sync().await.unwrap().pushed, 1);
    let row = accomplice.envelopes().await.last().unwrap().clone();
    site.coordinator.sync().await;
    // A colleague who reads the chart for the first time, and one who knows it.
    let mut colleague = site.device("colleague").await;
    let person = site.new_person();
    slip_in(&colleague, chart, vec![EnvelopeRow { index: place, ..row }]);
    site.enrol_staff_as(&mut colleague, person, Role::Clinician).await;
    site.team_persons.push(person);
    site.set_team().await;
    site.coordinator.sync().await;
    colleague.client.sync().await.unwrap();
    let report = colleague.client.sync().await.unwrap();
    assert!(names(&report).contains(&"place-not-proved"), "{report:?}");
    let view = colleague.client.chart(chart).unwrap();
    assert_eq!(view.place(late), Some(Place::Quarantined(QuarantineReason::Severed)));
    assert_eq!(texts(&colleague, chart), ["first", "on duty"], "what was written before stands");
    // It is no question of memory: the same after a restart.
    colleague.restart().await;
    colleague.client.sync().await.unwrap();
    assert_eq!(texts(&colleague, chart), ["first", "on duty"]);
    patient.sync().await;
    assert_eq!(texts(&patient, chart), ["first", "on duty"]);
}

#[tokio::test]
async fn a_receipt_for_something_else_is_no_receipt() {
    let (site, _nurse, mut patient) = site_with_nurse(5).await;
    let chart = patient.chart();
    // The server takes the entry, keeps it from everybody, and answers with the receipt of another.
    let old = {
        let pushes = patient.relay.record();
        let push = pushes
            .iter()
            .rev()
            .find(|one| one.request.method == HttpMethod::Post && one.request.path.contains("/envelopes"));
        push.unwrap().response.clone().unwrap()
    };
    patient.relay.after(move |request, response| {
        if request.method == HttpMethod::Post && request.path.contains("/envelopes") {
            *response = old.clone();
        }
    });
    let accomplice =
        site.server.twin(patient.client.sync().await.unwrap().mlog_size, held(&site.server).await).await;
    patient.relay.lead_to(Some(accomplice.transport.clone()));
    patient.client.capture(chart, note("severe pain")).await.unwrap();
    change_pages(&patient.relay, move |page| {
        page.rows.clear();
    });
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (0, 1), "nothing counts as received: {report:?}");
    assert!(!report.is_complete());
    let before = held(&site.server).await;
    patient.relay.heal();
    patient.sync().await;
    assert_eq!(held(&site.server).await, before + 1, "it is sent to a server that keeps it");
}

#[tokio::test]
async fn rt_48_an_envelope_at_the_place_of_another_one_is_put_right() {
    let (site, mut nurse, mut patient) = site_with_nurse(48).await;
    let chart = patient.chart();
    write(&mut patient, chart, &["second", "third", "fourth"]).await;
    let place = held(&site.server).await - 2;
    change_pages(&nurse.relay, move |page| {
        let other = page.rows.iter().find(|row| row.index == place + 1).cloned();
        let row = page.rows.iter_mut().find(|row| row.index == place);
        if let (Some(row), Some(other)) = (row, other) {
            row.envelope = other.envelope;
        }
    });
    let report = nurse.client.sync().await.unwrap();
    assert!(names(&report).contains(&"incomplete"), "{report:?}");
    assert_eq!(texts(&nurse, chart), ["first", "second"]);
    nurse.relay.heal();
    for _ in 0..9 {
        nurse.client.sync().await.unwrap();
    }
    for _ in 0..2 {
        nurse.sync().await;
        assert_eq!(texts(&nurse, chart), ["first", "fourth", "second", "third"]);
        nurse.restart().await;
    }
}

#[tokio::test]
async fn an_entry_that_came_back_says_nothing_of_those_before_it() {
    let (site, _nurse, mut patient) = site_with_nurse(6).await;
    let chart = patient.chart();
    let before = held(&site.server).await;
    for text in ["second", "third", "fourth"] {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    patient.relay.lose_answers_of(HttpMethod::Post, "/envelopes", 1);
    change_pages(&patient.relay, |page| {
        let keep = page.rows.len().saturating_sub(1);
        page.rows.drain(..keep);
    });
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (0, 3), "{report:?}");
    patient.relay.heal();
    for _ in 0..3 {
        patient.client.sync().await.unwrap();
    }
    patient.sync().await;
    assert_eq!(held(&site.server).await, before + 3, "each once");
}
