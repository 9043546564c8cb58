//! Sites to attack, and the operator's own hand in the database.

use ward_api::EnvelopePage;
use ward_client::{HttpMethod, SyncProblem, SyncReport};
use ward_crypto::{
    AttestLevel, DeviceBinding, DeviceBindingFields, DeviceCert, DeviceCertFields, DeviceKeys, EpochPackage,
    Idv, Role, Suite, V1, random_id,
};
use ward_id::{Canonical as _, ChartId, DeviceId, PersonId, Subject, TeamId};
use ward_store::{MlogAppend, NewPackage, Store};
use ward_sync::{MlogBody, MlogEntry, Note};
use ward_testkit::{Relay, SeededRng, Server, Site, TestDevice};

/// A note.
pub fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

/// A site with a nurse and a patient who has written one note that everybody read.
pub async fn site_with_nurse(seed: u64) -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    patient.client.capture(chart, note("first")).await.unwrap();
    patient.sync().await;
    for reader in [&mut site.coordinator, &mut nurse] {
        reader.sync().await;
        assert_eq!(texts(reader, chart), ["first"]);
    }
    patient.sync().await;
    (site, nurse, patient)
}

/// Writes notes and sends them.
pub async fn write(device: &mut TestDevice, chart: ChartId, notes: &[&str]) {
    for text in notes {
        device.client.capture(chart, note(text)).await.unwrap();
    }
    device.sync().await;
}

/// The current notes of a chart as a device sees them, sorted.
pub fn texts(device: &TestDevice, chart: ChartId) -> Vec<String> {
    let view = device.client.chart(chart).unwrap();
    let current = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = current.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}

/// How many entries of an author a device holds in a chart, whatever their place.
pub fn entries_of(device: &TestDevice, chart: ChartId, author: DeviceId) -> usize {
    let view = device.client.chart(chart).unwrap();
    view.timeline().iter().filter(|item| item.entry.frame().device == author).count()
}

/// Operations that the server holds.
pub async fn held<S: Store>(server: &Server<S>) -> u64 {
    server.store.olog_size().await.unwrap()
}

/// The names of a report's problems.
pub fn names(report: &SyncReport) -> Vec<&'static str> {
    report.problems.iter().map(SyncProblem::name).collect()
}

/// Syncs without expecting anything.
pub async fn synced(device: &mut TestDevice) -> SyncReport {
    device.client.sync().await.unwrap()
}

/// Whether a device counts another among the members of a chart.
pub fn counts(device: &TestDevice, chart: ChartId, other: DeviceId) -> bool {
    device.client.membership().unwrap().members(chart).is_some_and(|members| members.contains(other))
}

/// The operator writes an entry into the membership log behind the server's rules, and starts the
/// server again.
pub async fn write_into_log<S: Store>(
    server: &mut Server<S>,
    entry: &MlogEntry,
    package: Option<&EpochPackage>,
) {
    let expected_size = server.store.mlog_size().await.unwrap();
    let package = package.map(|package| NewPackage {
        chart: package.header().chart,
        epoch: package.header().epoch,
        hash: package.hash(),
        bytes: package.to_canonical(),
    });
    let append = MlogAppend {
        expected_size,
        subject: entry.subject(),
        entry_hash: entry.hash(),
        bytes: entry.to_canonical(),
        package,
        ended_devices: Vec::new(),
        received_at: ward_testkit::START,
    };
    server.store.append_mlog(append).await.unwrap();
    server.restart().await;
}

/// Every epoch package that the server holds for a chart.
pub async fn packages_of<S: Store>(server: &Server<S>, chart: ChartId) -> Vec<EpochPackage> {
    let stored = server.store.epoch_packages(chart, 0).await.unwrap();
    stored.into_iter().map(|package| EpochPackage::from_canonical(&package.bytes).unwrap()).collect()
}

/// An unsigned entry on top of the log that the coordinator verified.
pub fn unsigned<S: Store>(site: &Site<S>, subject: Subject, body: &MlogBody) -> MlogEntry {
    let base = site.coordinator.client.membership().unwrap().head();
    MlogEntry::unsigned(site.root_policy.site, subject, base, body).unwrap()
}

/// A device that exists in the operator's cellar only.
pub struct Ghost {
    pub device: DeviceId,
    pub keys: DeviceKeys,
    pub cert: DeviceCert,
}

/// A well-formed certificate with keys of the attacker, in somebody's name.
pub fn ghost<S: Store>(site: &Site<S>, person: PersonId, role: Role, seed: u64) -> Ghost {
    let mut rng = SeededRng::new(seed, "ghost");
    let keys = DeviceKeys::generate(&mut rng).unwrap();
    let membership = site.coordinator.client.membership().unwrap();
    let manifest = membership.manifest().unwrap();
    let device = random_id(&mut rng);
    let auth = keys.auth_signer().unwrap();
    let binding = DeviceBinding::new(DeviceBindingFields {
        v: V1,
        suite: Suite::W1,
        study: manifest.study,
        site: manifest.site,
        person,
        role,
        device,
        auth_pk: auth.public_key(),
        sign_pk: *keys.sign.public(),
        enc_pk: keys.enc.public().clone(),
        ticket: random_id(&mut rng),
    })
    .unwrap();
    let counter = binding.counter_sign(&keys.sign, auth).unwrap();
    let now = site.clock.now();
    let cert = DeviceCert::new(DeviceCertFields {
        binding,
        counter_sign: counter.sign,
        counter_auth: counter.auth,
        attest_level: AttestLevel::Software,
        not_before: now.plus_ms(-3_600_000),
        not_after: now.plus_ms(300 * 86_400_000),
        idv: Idv::Compared,
        issuer_cert_hash: membership.site_device(site.coordinator.device()).unwrap().cert_hash(),
        manifest_hash: manifest.hash(),
    })
    .unwrap();
    Ghost { device, keys, cert }
}

/// Changes every page of envelopes on its way to a device.
pub fn change_pages(relay: &Relay, mut change: impl FnMut(&mut EnvelopePage) + Send + 'static) {
    relay.always_differs();
    relay.after(move |request, response| {
        if request.method == HttpMethod::Get && request.path.contains("/envelopes") && response.status == 200
        {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            change(&mut page);
            response.body = page.to_canonical();
        }
    });
}

/// Entries in both logs.
pub async fn log_sizes(site: &Site) -> (u64, u64) {
    let olog = site.server.envelopes().await.len() as u64;
    (site.coordinator.client.membership().unwrap().size(), olog)
}

/// A team's id that nobody used yet.
pub fn a_team(seed: u64) -> TeamId {
    random_id(&mut SeededRng::new(seed, "team"))
}

/// Writes a note, syncs, and expects the device to have stopped for this reason, with evidence.
pub async fn stops(device: &mut TestDevice, chart: ChartId, reason: &str) {
    device.client.capture(chart, note("written meanwhile")).await.unwrap();
    let report = synced(device).await;
    assert!(names(&report).contains(&reason), "{report:?}");
    assert_eq!((report.pushed, report.rotated.len()), (0, 0), "{report:?}");
    assert!(report.unsent >= 1);
    let stopped = device.client.status().unwrap().stopped_by;
    let evidence = stopped.iter().find_map(|problem| match problem {
        SyncProblem::Rollback(evidence) | SyncProblem::Equivocation(evidence) => Some(evidence),
        _ => None,
    });
    let sides = &evidence.unwrap().sides;
    assert!(sides.len() == 2 && sides.iter().all(|side| !side.is_empty()), "both sides are kept");
}
