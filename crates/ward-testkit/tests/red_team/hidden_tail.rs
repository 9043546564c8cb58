//! The newest operations are hidden from a device, or cut off.

use crate::scene::{change_pages, held, site_with_nurse, synced, texts, write};
use ward_api::paths;
use ward_audit::ReceiptBreach;
use ward_client::SyncProblem;
use ward_id::Canonical as _;

#[tokio::test]
async fn rt_17_a_hidden_tail_shows_at_the_next_record_of_a_peer() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1701).await;
    let chart = patient.chart();
    write(&mut patient, chart, &["second", "third"]).await;
    site.coordinator.sync().await;
    let view = site.coordinator.client.chart(chart).unwrap();
    let words = view.opened().iter().flat_map(|thread| &thread.current);
    let newest = words.max_by_key(|written| written.order()).unwrap().id();
    // Neither the envelopes nor the version vector tell of the last two, and of the coordinator's word
    // that they were opened.
    let shown = held(&site.server).await - 3;
    change_pages(&nurse.relay, move |page| page.rows.retain(|row| !(shown..shown + 3).contains(&row.index)));
    let of_chart = paths::have(chart);
    let asked = nurse.relay.record().into_iter().rev().find(|one| one.request.path == of_chart).unwrap();
    let earlier = asked.response.unwrap().body;
    nurse.relay.after(move |request, response| {
        if request.path == of_chart {
            response.body.clone_from(&earlier);
        }
    });
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first"], "until here nothing can be seen");
    write(&mut site.coordinator, chart, &["saw all three"]).await;
    synced(&mut nurse).await;
    assert_eq!(nurse.client.missing(chart).unwrap(), [newest]);
    assert!(nurse.client.charts().iter().any(|known| known.chart == chart && known.incomplete));
    nurse.relay.heal();
    for _ in 0..ward_client::limits::REPULL_EVERY_SYNCS {
        synced(&mut nurse).await;
    }
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "saw all three", "second", "third"]);
}

#[tokio::test]
async fn rt_17_a_tail_cut_off_breaks_the_receipt_and_the_entry_is_sent_again() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1702).await;
    let chart = patient.chart();
    let mlog = patient.client.membership().unwrap().size();
    write(&mut patient, chart, &["acknowledged, then cut off"]).await;
    let last = held(&site.server).await - 1;
    // The server drops the last operation and gives its place to another.
    let cut = site.server.twin(mlog, last).await;
    for device in [&mut nurse, &mut patient] {
        device.relay.lead_to(Some(cut.transport.clone()));
    }
    write(&mut nurse, chart, &["in its place"]).await;
    let report = synced(&mut patient).await;
    let broken = report.problems.iter().find_map(|problem| match problem {
        SyncProblem::BrokenPromise { evidence, .. } => Some(evidence),
        _ => None,
    });
    let proof =
        ReceiptBreach::from_canonical(&broken.unwrap_or_else(|| panic!("{report:?}")).sides[0]).unwrap();
    assert_eq!(proof.receipt.first_index(), last, "anybody can check it");
    // The receipt convicts the server: it takes nothing more until an admin says that its log goes on.
    let admin = &mut site.admins[0];
    admin.relay.lead_to(Some(cut.transport.clone()));
    synced(admin).await;
    let pending = admin.client.pending_reopening().await.unwrap();
    assert!(admin.client.reopen_olog(&pending, "a tail was cut off").await.unwrap().is_done());
    for _ in 0..2 {
        for device in [&mut patient, &mut nurse] {
            synced(device).await;
        }
    }
    assert_eq!(
        texts(&nurse, chart),
        ["acknowledged, then cut off", "first", "in its place"],
        "nothing is lost"
    );
}
