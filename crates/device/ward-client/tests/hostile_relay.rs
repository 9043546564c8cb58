//! A hostile relay between a device and its server: what it can do is delay, and that is noticed.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

use ward_client::{ClientError, HttpMethod, SyncProblem};
use ward_crypto::{Role, TicketError};
use ward_id::Canonical as _;
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

async fn site_with_patient(seed: u64) -> (Site, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut patient = site.patient("ada").await;
    patient.client.capture(patient.chart(), note("first")).await.unwrap();
    patient.sync().await;
    site.coordinator.sync().await;
    (site, patient)
}

#[tokio::test]
async fn rt_28_a_foreign_invitation_is_refused_before_any_call() {
    let (_site, mut patient) = site_with_patient(28).await;
    let mut other = Site::small(2_800).await;
    let (chart, person) = other.open_chart().await;
    let invite = ward_client::NewInvite {
        person,
        role: Role::Patient,
        chart: Some(chart),
        not_after: None,
        server: None,
    };
    let ticket = other.coordinator.client.invite(invite).await.unwrap();
    patient.relay.clear_record();
    let refused = patient.client.enrol_begin(&ticket.to_text()).await;
    assert_eq!(refused.err(), Some(ClientError::Ticket(TicketError::OtherSite)));
    assert!(patient.relay.record().is_empty(), "nothing went out");
}

#[tokio::test]
async fn rt_03_keys_exchanged_at_enrolment_are_noticed() {
    let mut site = Site::small(3).await;
    let (chart, person) = site.open_chart().await;
    let invite = ward_client::NewInvite {
        person,
        role: Role::Patient,
        chart: Some(chart),
        not_after: None,
        server: None,
    };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    let mut phone = site.device("phone").await;
    // The relay shows another issuer's certificate, or another root.
    let other = site.admins[0].client.membership().unwrap();
    let wrong = other.site_device(site.admins[0].device()).unwrap().cert().clone();
    phone.relay.after(move |request, response| {
        if request.method == HttpMethod::Get && request.path.contains("/enrol/") {
            let mut info = ward_api::EnrolmentInfo::from_canonical(&response.body).unwrap();
            info.issuer_cert = wrong.to_canonical().into();
            response.body = info.to_canonical();
        }
    });
    assert_eq!(phone.client.enrol_begin(&ticket.to_text()).await.err(), Some(ClientError::WrongSite));
    phone.relay.heal();
    // The relay alters the sealed request on its way: the server refuses the proof.
    phone.relay.before(|request| {
        if request.method == HttpMethod::Post && request.path.contains("/enrol/") {
            let middle = request.body.len() / 2;
            request.body[middle] ^= 1;
        }
        true
    });
    assert!(phone.client.enrol_begin(&ticket.to_text()).await.is_err());
    assert!(site.coordinator.client.pending_enrolments().await.unwrap().is_empty());
    phone.relay.heal();
    let words = phone.begin(&ticket.to_text()).await;
    assert_eq!(site.coordinator.client.pending_enrolments().await.unwrap()[0].words, words);
}

#[tokio::test]
async fn rt_14_a_frozen_log_stops_sealing_at_the_limit() {
    let (site, mut patient) = site_with_patient(14).await;
    patient.relay.freeze();
    patient.client.sync().await.unwrap();
    site.clock.advance_ms(71 * 3_600_000);
    patient.client.capture(patient.chart(), note("within the limit")).await.unwrap();
    assert_eq!(patient.client.sync().await.unwrap().pushed, 1);
    site.clock.advance_ms(2 * 3_600_000);
    patient.client.capture(patient.chart(), note("beyond the limit")).await.unwrap();
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (0, 1), "{report:?}");
    assert!(report.problems.iter().any(|problem| matches!(problem, SyncProblem::Stale { .. })), "{report:?}");
    patient.relay.heal();
    patient.sync().await;
}

#[tokio::test]
async fn rt_12_a_log_that_went_back_stops_every_device_with_evidence() {
    let (site, mut patient) = site_with_patient(12).await;
    let chart = patient.chart();
    patient.client.capture(chart, note("acknowledged, then rolled back")).await.unwrap();
    patient.sync().await;
    let size = patient.client.sync().await.unwrap().mlog_size;
    let back = site.server.twin(size - 1, 1).await;
    patient.relay.lead_to(Some(back.transport.clone()));
    patient.client.capture(chart, note("written meanwhile")).await.unwrap();
    let report = patient.client.sync().await.unwrap();
    assert!(report.problems.iter().any(|problem| matches!(problem, SyncProblem::Rollback(_))), "{report:?}");
    assert_eq!(report.pushed, 0);
    // Evidence stays until a person acts, also over a restart and with an honest server again.
    patient.relay.heal();
    patient.restart().await;
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (0, 1), "{report:?}");
    assert!(patient.client.status().unwrap().stopped_by.iter().any(SyncProblem::stops_sealing));
    patient.client.dismiss_evidence().await.unwrap();
    patient.sync().await;
    patient.restart().await;
    assert!(patient.client.status().unwrap().stopped_by.is_empty());
}

#[tokio::test]
async fn rt_13_two_histories_are_noticed_at_the_first_record_that_crosses() {
    let (mut site, mut patient) = site_with_patient(13).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    patient.sync().await;
    nurse.sync().await;
    let report = patient.client.sync().await.unwrap();
    let olog = site.server.envelopes().await.len() as u64;
    let fork = site.server.twin(report.mlog_size, olog).await;
    // Here one entry is appended, there another: the logs part.
    let team = ward_crypto::random_id(&mut ward_testkit::SeededRng::new(1, "team"));
    site.admins[0].client.set_team(team, &[nurse.person()]).await.unwrap();
    patient.relay.lead_to(Some(fork.transport.clone()));
    site.admins[1].relay.lead_to(Some(fork.transport.clone()));
    site.admins[1].client.set_team(team, &[]).await.unwrap();
    patient.client.capture(patient.chart(), note("sealed under the other history")).await.unwrap();
    let pushed = patient.client.sync().await.unwrap();
    assert_eq!(pushed.pushed, 1, "{pushed:?}");
    nurse.sync().await;
    // The relay carries the patient's envelope over to the nurse's side.
    let mut row = fork.envelopes().await.last().unwrap().clone();
    // Far behind what the other side holds, so that it comes as news.
    row.index += 1_000;
    // It has the device ask for pages by bending what it says that it has.
    nurse.relay.before(|request| {
        if request.path.ends_with("/have") {
            request.body = ward_api::HaveQuestion { digest: [0; 32] }.to_canonical();
        }
        true
    });
    nurse.relay.after(move |request, response| {
        if request.method == HttpMethod::Get && request.path.contains("/envelopes") {
            let mut page = ward_api::EnvelopePage::from_canonical(&response.body).unwrap();
            if page.rows.iter().all(|known| known.index < row.index) {
                page.rows.push(row.clone());
            }
            response.body = page.to_canonical();
        }
    });
    let report = nurse.client.sync().await.unwrap();
    assert!(
        report.problems.iter().any(|problem| matches!(problem, SyncProblem::Equivocation(_))),
        "{report:?}"
    );
}

#[tokio::test]
async fn rt_16_an_envelope_left_out_is_missed_and_an_altered_one_is_kept_aside() {
    let (mut site, mut patient) = site_with_patient(16).await;
    let chart = patient.chart();
    for text in ["second", "third", "fourth"] {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    patient.sync().await;
    let nurse = &mut site.coordinator;
    nurse.relay.after(|request, response| {
        if request.method == HttpMethod::Get && request.path.contains("/envelopes") {
            let mut page = ward_api::EnvelopePage::from_canonical(&response.body).unwrap();
            page.rows.retain(|row| row.index != 2);
            if let Some(row) = page.rows.iter_mut().find(|row| row.index == 3) {
                let middle = row.envelope.0.len() / 2;
                row.envelope.0[middle] ^= 1;
            }
            response.body = page.to_canonical();
        }
    });
    let report = nurse.client.sync().await.unwrap();
    let names: Vec<_> = report.problems.iter().map(SyncProblem::name).collect();
    assert!(names.contains(&"bad-envelope"), "{report:?}");
    assert!(nurse.client.charts().iter().any(|chart| chart.incomplete));
    nurse.relay.heal();
    nurse.client.sync().await.unwrap();
    nurse.sync().await;
    assert_eq!(
        nurse.client.chart(chart).unwrap().notes().len(),
        4,
        "nothing is lost once the relay is honest"
    );
}

#[tokio::test]
async fn a_lost_answer_is_repeated_without_a_second_entry() {
    let (mut site, mut patient) = site_with_patient(4).await;
    let chart = patient.chart();
    patient.relay.lose_answers_of(HttpMethod::Post, "/envelopes", 2);
    patient.client.capture(chart, note("twice on the way, once in the chart")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(patient.client.sync().await.unwrap().pushed, 0);
    }
    patient.relay.heal();
    patient.sync().await;
    site.coordinator.sync().await;
    assert_eq!(site.coordinator.client.chart(chart).unwrap().notes().len(), 2);
    let of_patient = |row: &ward_api::EnvelopeRow| {
        let envelope = ward_crypto::Envelope::from_canonical(&row.envelope.0).unwrap();
        envelope.header().device == patient.device()
    };
    assert_eq!(site.server.envelopes().await.iter().filter(|row| of_patient(row)).count(), 2);
}

#[tokio::test]
async fn a_wrong_wall_clock_and_a_reboot_change_nothing_but_a_question_to_the_witnesses() {
    let (_site, mut patient) = site_with_patient(39).await;
    patient.client.environment().set_wall_offset_ms(-40 * 86_400_000);
    patient.client.environment().reboot();
    patient.client.capture(patient.chart(), note("with a clock that is forty days slow")).await.unwrap();
    patient.sync().await;
    assert!(patient.client.status().unwrap().fresh);
}
