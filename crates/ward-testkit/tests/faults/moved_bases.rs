//! What a copy began with, where the server says something else of its places than the checkpoint: entries
//! that people signed are not thrown away for what only the server says.

use crate::scene::{name_a_made_up_chain, names, note, synced, texts};
use ward_api::{EnvelopePage, EnvelopeRow};
use ward_client::{ChartTrust, SyncProblem};
use ward_crypto::{Envelope, Role};
use ward_id::{Canonical as _, ChartId};
use ward_sync::CheckpointFault;
use ward_testkit::{Site, TestDevice};

async fn write(device: &mut TestDevice, count: usize) {
    let chart = device.chart();
    for number in 0..count {
        device.client.capture(chart, note(&format!("note {number}"))).await.unwrap();
    }
    device.sync().await;
}

/// The envelopes of a chart at the server, in the order of the log.
async fn rows_of(site: &Site, chart: ChartId) -> Vec<EnvelopeRow> {
    let rows = site.server.envelopes().await.into_iter();
    rows.filter(|row| Envelope::from_canonical(&row.envelope.0).unwrap().header().chart == chart).collect()
}

/// Alters the pages of a chart that are asked for from the beginning.
fn on_first_pages(
    device: &TestDevice,
    chart: ChartId,
    mut alter: impl FnMut(&mut EnvelopePage) + Send + 'static,
) {
    let of_chart = format!("{chart}/envelopes?");
    device.relay.after(move |request, response| {
        let is_first = request.path.contains(&of_chart) && !request.path.contains("after=");
        if is_first && response.status == 200 {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            alter(&mut page);
            response.body = page.to_canonical();
        }
    });
}

fn differs_in_places(problems: &[SyncProblem]) -> bool {
    problems
        .iter()
        .any(|problem| matches!(problem, SyncProblem::BadCheckpoint { fault: CheckpointFault::Places, .. }))
}

/// A newcomer's chart began with a checkpoint; then the server gives one covered entry once more, at a
/// smaller place. That is said, and takes nothing away: what people signed stays, also if the server then
/// withholds every envelope. That the places differ is said at every sync from then on.
#[tokio::test]
async fn fault_35_a_server_that_moves_a_covered_entry_takes_no_signed_history_away() {
    let mut site = Site::small(3_590).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut other = site.patient("bob").await;
    write(&mut other, 1).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, 520).await;
    nurse.sync().await;
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    site.coordinator.sync().await;
    site.coordinator.sync().await;
    cold.sync().await;
    assert!(matches!(cold.client.chart_trust(chart).unwrap(), ChartTrust::BeingVerified { .. }));
    // A place that the log gave to another chart.
    let place = rows_of(&site, other.chart()).await[0].index;
    let moved = EnvelopeRow { index: place, ..rows_of(&site, chart).await[10].clone() };
    name_a_made_up_chain(&cold);
    on_first_pages(&cold, chart, move |page| {
        page.rows.push(moved.clone());
        page.rows.sort_by_key(|row| row.index);
    });
    let report = synced(&mut cold).await;
    assert!(differs_in_places(&report.problems), "that the server's places differ is said: {report:?}");
    cold.relay.heal();
    // Nothing of it comes again.
    cold.relay.after(|request, response| {
        if request.path.contains("/envelopes?") && response.status == 200 {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            (page.rows, page.more, page.next) = (Vec::new(), false, None);
            response.body = page.to_canonical();
        }
    });
    cold.restart().await;
    synced(&mut cold).await;
    assert_eq!(texts(&cold, chart).len(), 520);
    assert_eq!(
        cold.client.chart_trust(chart).unwrap(),
        ChartTrust::PlacesDiffer,
        "every signature was checked"
    );
    cold.relay.heal();
    let report = synced(&mut cold).await;
    assert!(!names(&report).contains(&"incomplete"), "{report:?}");
    // It is said as long as it is so, and this device signs nothing over those places.
    assert!(differs_in_places(&report.problems), "{report:?}");
    assert_eq!(cold.client.write_checkpoint(chart).await.unwrap(), None);
}
