//! Devices that have seen nothing of any chart yet, over the native ports; shared by the benches of
//! cold starts.
#![allow(dead_code, reason = "each bench uses its part")]

use std::path::Path;
use ward_client::native::{HttpsTransport, SqliteRowStore};
use ward_client::{Certified, Client, Comparison, EnrolOutcome, NewInvite, ServerAddress};
use ward_crypto::Role;
use ward_testkit::{FakeEnv, MemoryKey, START, SeededRng, Site, TestDevice, diary_answers, diary_response};

/// The seed of the sites.
pub const SEED: u64 = 31;

/// A device over TLS with a file of its own.
pub type ColdClient = Client<SqliteRowStore, HttpsTransport, FakeEnv, MemoryKey>;

/// Writes responses and sends them.
pub async fn write(patient: &mut TestDevice, records: usize) {
    let chart = patient.chart();
    let answers = diary_answers((2, 1), 1, false, "a day like others, with some words about it");
    for number in 0..records {
        let day = START.utc_day() + i64::try_from(number % 14).unwrap();
        patient.client.capture(chart, diary_response(day, &answers)).await.unwrap();
    }
    patient.sync().await;
}

/// A clinician's device over the native ports, enrolled through the server's socket, which then
/// has seen nothing of any chart.
pub async fn enrolled_clinician(
    site: &mut Site,
    address: &ServerAddress,
    store: &Path,
    number: usize,
) -> ColdClient {
    let name = format!("clinician {number}");
    let env = FakeEnv::new(site.clock.clone(), SEED, &name);
    let key = MemoryKey::new(&mut SeededRng::new(SEED, &format!("{name}/key")));
    let rows = SqliteRowStore::open(store).unwrap();
    let mut client = Client::open(rows, HttpsTransport::new(), env, key).await.unwrap();
    let person = site.new_person();
    let server = Some(address.clone());
    let invite = NewInvite { person, role: Role::Clinician, chart: None, not_after: None, server };
    let [first, second, ..] = site.admins.as_mut_slice() else { unreachable!("a site has two admins") };
    let ticket = first.client.invite(invite).await.unwrap();
    client.enrol_begin(&ticket.to_text()).await.unwrap();
    first.client.pending_enrolments().await.unwrap();
    let certified = first.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    let Certified::Proposed(proposal) = certified else { unreachable!("staff need two admins") };
    second.client.cosign(proposal).await.unwrap();
    assert!(matches!(client.enrol_finish().await.unwrap(), EnrolOutcome::Enrolled { .. }));
    first.sync().await;
    site.team_persons.push(person);
    site.set_team().await;
    site.coordinator.sync().await;
    client
}
