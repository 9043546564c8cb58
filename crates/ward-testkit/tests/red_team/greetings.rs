//! What a hostile server says as a meeting begins: heads of both logs, and which charts have nothing new. It
//! is believed no more than what is asked for by itself.

use crate::scene::{held, names, site_with_nurse, stops, synced, texts, write};
use ward_api::{LogName, Opaque};
use ward_id::ChartId;
use ward_testkit::{Site, TestDevice};

fn greet_with_olog(device: &TestDevice, note: Vec<u8>) {
    device.relay.on_greetings(move |said| said.olog = Some(Opaque(note.clone())));
}

fn olog_note(device: &TestDevice) -> Vec<u8> {
    device.relay.newest_note(LogName::Olog).unwrap()
}

#[tokio::test]
async fn rt_12_a_greeting_with_an_operation_log_that_was_set_back_stops_the_device() {
    let (_site, mut nurse, mut patient) = site_with_nurse(1_221).await;
    let chart = patient.chart();
    nurse.sync().await;
    let before = olog_note(&nurse);
    write(&mut patient, chart, &["acknowledged"]).await;
    nurse.sync().await;
    nurse.sync().await;
    greet_with_olog(&nurse, before);
    stops(&mut nurse, chart, "rollback").await;
}

#[tokio::test]
async fn rt_13_a_greeting_with_another_operation_log_stops_the_device() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1_321).await;
    let chart = patient.chart();
    let mlog_size = patient.client.sync().await.unwrap().mlog_size;
    let fork = site.server.twin(mlog_size, held(&site.server).await).await;
    patient.relay.lead_to(Some(fork.transport.clone()));
    write(&mut patient, chart, &["there"]).await;
    patient.sync().await;
    write(&mut site.coordinator, chart, &["here"]).await;
    assert_eq!(held(&site.server).await, held(&fork).await, "two logs of one length");
    nurse.sync().await;
    nurse.sync().await;
    assert_eq!(held(&site.server).await, held(&fork).await);
    greet_with_olog(&nurse, olog_note(&patient));
    stops(&mut nurse, chart, "equivocation").await;
}

#[tokio::test]
async fn rt_13_a_greeting_with_the_operation_log_of_another_site_is_refused() {
    let (_site, mut nurse, mut patient) = site_with_nurse(1_322).await;
    let chart = patient.chart();
    let mut elsewhere = Site::small(1_323).await;
    elsewhere.coordinator.sync().await;
    greet_with_olog(&nurse, olog_note(&elsewhere.coordinator));
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"failed"), "{report:?}");
    nurse.relay.heal();
    write(&mut patient, chart, &["work goes on"]).await;
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "work goes on"]);
}

/// That a chart has nothing new is believed for one meeting, and of what was asked about only: nothing that
/// waits here stays unsent for it.
#[tokio::test]
async fn rt_17_a_greeting_that_hides_news_keeps_nothing_back_and_nothing_out_for_good() {
    let (_site, mut nurse, mut patient) = site_with_nurse(1_721).await;
    let chart = patient.chart();
    // Nothing of its own is on the way any more.
    nurse.sync().await;
    nurse.sync().await;
    nurse.relay.on_greetings(move |said| said.same = vec![ChartId::from_bytes([7; 16]), chart]);
    write(&mut patient, chart, &["hidden"]).await;
    assert_eq!(synced(&mut nurse).await.pulled, 0);
    assert_eq!(texts(&nurse, chart), ["first"]);
    nurse.client.capture(chart, crate::scene::note("from here")).await.unwrap();
    let report = synced(&mut nurse).await;
    assert!(report.pushed >= 1 && report.is_complete(), "a chart with something to send was not asked about");
    assert_eq!(texts(&nurse, chart), ["first", "from here", "hidden"]);
    write(&mut patient, chart, &["hidden too"]).await;
    nurse.relay.heal();
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "from here", "hidden", "hidden too"]);
}

#[tokio::test]
async fn rt_17_a_greeting_without_one_of_the_heads_is_completed_by_asking_for_it() {
    for log in [LogName::Mlog, LogName::Olog] {
        let (mut site, mut nurse, mut patient) = site_with_nurse(1_722).await;
        let chart = patient.chart();
        site.open_chart().await;
        write(&mut patient, chart, &["news"]).await;
        nurse.relay.on_greetings(move |said| match log {
            LogName::Mlog => said.mlog = None,
            LogName::Olog => said.olog = None,
        });
        nurse.relay.clear_record();
        let report = synced(&mut nurse).await;
        assert!(report.is_complete(), "{report:?}");
        let asked: Vec<String> = nurse.relay.record().into_iter().map(|one| one.request.path).collect();
        assert!(asked.contains(&ward_api::paths::checkpoint(log)), "{asked:?}");
        assert_eq!(texts(&nurse, chart), ["first", "news"]);
    }
}
