//! The native ports: a client with its store in a file and its way over TLS.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

use std::path::Path;
use ward_client::native::{
    HttpsTransport, NativeClient, SoftwareDeviceKey, SqliteRowStore, SystemEnvironment,
};
use ward_client::{
    Client, Comparison, EnrolOutcome, HttpMethod, HttpRequest, NewInvite, Transport as _, TransportError,
};
use ward_crypto::Role;
use ward_sync::Note;
use ward_testkit::Site;

async fn app(folder: &Path) -> NativeClient {
    let rows = SqliteRowStore::open(&folder.join("rows.db")).unwrap();
    let key = SoftwareDeviceKey::at(folder.join("device.key"));
    Client::open(rows, HttpsTransport::new(), SystemEnvironment::new(), key).await.unwrap()
}

#[tokio::test]
async fn a_phone_enrols_writes_and_syncs_over_tls() {
    let mut site = Site::small(50).await;
    let server = site.server.listen().await;
    let folder = tempfile::tempdir().unwrap();
    let mut phone = app(folder.path()).await;
    let (chart, person) = site.open_chart().await;
    let invite = NewInvite {
        person,
        role: Role::Patient,
        chart: Some(chart),
        not_after: None,
        server: Some(server.address.clone()),
    };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    let words = phone.enrol_begin(&ticket.to_text()).await.unwrap().words;
    // The app is closed and opened again while the site has not signed yet.
    drop(phone);
    let mut phone = app(folder.path()).await;
    phone.unlock().await.unwrap();
    assert_eq!(phone.pending_enrolment().unwrap().words, words);
    assert_eq!(phone.enrol_finish().await.unwrap(), EnrolOutcome::Waiting);
    site.coordinator.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    assert!(matches!(phone.enrol_finish().await.unwrap(), EnrolOutcome::Enrolled { .. }));
    site.coordinator.sync().await;

    let canary = "CANARY-otter-51d0";
    phone.capture(chart, Note { text: canary.to_owned(), supersedes: vec![] }).await.unwrap();
    let report = phone.sync().await.unwrap();
    assert!(report.is_complete() && report.pushed == 1, "{report:?}");
    let mut hints = phone.hints(chart).await.unwrap();
    site.coordinator.sync().await;
    let note = Note { text: "read".to_owned(), supersedes: vec![] };
    site.coordinator.client.capture(chart, note).await.unwrap();
    site.coordinator.sync().await;
    let hint =
        tokio::time::timeout(std::time::Duration::from_secs(10), ward_client::HintStream::next(&mut hints));
    assert_eq!(hint.await.unwrap().as_deref(), Some("olog"));
    phone.sync().await.unwrap();
    assert_eq!(phone.chart(chart).unwrap().notes().len(), 2);
    drop(phone);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()));
    }
}

/// What a meeting with nothing new costs on the wire, once the connection stands: TLS, framing and
/// headers included.
#[tokio::test]
async fn a_meeting_with_nothing_new_takes_little_on_the_wire() {
    let mut site = Site::small(52).await;
    let (server, meter) = site.server.listen_metered().await;
    let folder = tempfile::tempdir().unwrap();
    let mut phone = app(folder.path()).await;
    let (chart, person) = site.open_chart().await;
    let address = Some(server.address.clone());
    let invite =
        NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: address };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    phone.enrol_begin(&ticket.to_text()).await.unwrap();
    site.coordinator.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    assert!(matches!(phone.enrol_finish().await.unwrap(), EnrolOutcome::Enrolled { .. }));
    phone.capture(chart, Note { text: "a line".to_owned(), supersedes: vec![] }).await.unwrap();
    for _ in 0..4 {
        assert!(phone.sync().await.unwrap().is_complete());
        site.coordinator.sync().await;
    }
    meter.take();
    assert!(phone.sync().await.unwrap().is_complete());
    let (up, down) = meter.take();
    println!("a meeting with nothing new: {up} bytes up, {down} bytes down on the wire");
    // One round; a second one would bring its own token and proof.
    assert!((1..2_048).contains(&up) && (1..2_048).contains(&down), "{up} up, {down} down");
    drop(server);
}

#[tokio::test]
async fn rt_50_only_the_keys_of_the_invitation_are_accepted() {
    let mut site = Site::small(51).await;
    let server = site.server.listen().await;
    let ask = || HttpRequest {
        method: HttpMethod::Get,
        path: "/healthz".to_owned(),
        headers: vec![],
        body: vec![],
    };
    let transport = HttpsTransport::new();
    let answer = transport.send(&server.address, ask()).await.unwrap();
    assert_eq!(answer.status, 200);
    let mut backup = server.address.clone();
    backup.spki_pins.insert(0, [9; 32]);
    assert_eq!(transport.send(&backup, ask()).await.unwrap().status, 200, "the second pin does as well");
    let mut rogue = server.address.clone();
    rogue.spki_pins = vec![[9; 32], [8; 32]];
    assert_eq!(transport.send(&rogue, ask()).await, Err(TransportError::WrongServer));
    rogue.spki_pins.clear();
    assert_eq!(transport.send(&rogue, ask()).await, Err(TransportError::WrongServer));
    let mut plain = server.address.clone();
    plain.origin = plain.origin.replace("https://", "http://");
    assert!(matches!(transport.send(&plain, ask()).await, Err(TransportError::Unreachable(_))));
    drop(server);
}
