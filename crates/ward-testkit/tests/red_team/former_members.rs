//! Somebody who was taken out of a chart in the ordinary way, with what their device holds and with a
//! server that works with them.

use crate::loot::loot;
use crate::scene::{names, site_with_nurse, synced, texts, write};
use ward_crypto::{CaptureSignature, Envelope, EnvelopeHeader, HedgedRng, Suite, V1, seal_envelope, sha256};
use ward_id::{Canonical as _, ChartId, EnvelopeHash, Incarnation, TreeRoot};
use ward_store::{NewOperation, OlogStore as _};
use ward_sync::{BootEvidence, EntryBody, EntryFrame, Note, Payload, SignedEntry, TreeHead};
use ward_testkit::{SeededRng, Site, TestDevice};

/// A note that a device seals under an old epoch, naming any head.
async fn sealed(site: &Site, by: &TestDevice, chart: ChartId, life: u64, head: TreeHead) -> Envelope {
    let stolen = loot(by).await;
    let ((_, epoch), secret) = stolen.epochs.iter().rfind(|((of, _), _)| *of == chart).unwrap();
    let payload: Payload = Note { text: format!("forged {life}"), supersedes: vec![] }.into();
    let body = EntryBody {
        random16: [7; 16],
        deps: vec![],
        lamport: 1_000,
        kind: payload.kind(),
        schema: payload.schema().into(),
        version: payload.version(),
        captured_at: site.clock.now(),
        zone: "UTC".into(),
        evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
        olog: None,
        amends: None,
        reason: None,
        payload: payload.encode(),
    };
    let (device, incarnation) = (by.device(), Incarnation(life));
    let frame =
        EntryFrame { site: site.root_policy.site, chart, device, incarnation, seq: 1, prev: None, body };
    let entry = SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(&stolen.keys.sign, id))).unwrap();
    let header = EnvelopeHeader {
        v: V1,
        suite: Suite::W1,
        site: site.root_policy.site,
        chart,
        epoch: *epoch,
        device,
        incarnation,
        seq: 1,
        entry_id: entry.id(),
        mlog_size: head.size,
        mlog_root: head.root,
    };
    let mut rng = HedgedRng::new(SeededRng::new(life, "former"), &stolen.keys.hedge, b"former");
    seal_envelope(secret, header, &entry.plaintext(), &stolen.keys.sign, &stolen.keys.hedge, &mut rng)
        .unwrap()
}

/// The operator files envelopes behind the server's rules.
async fn file(site: &mut Site, envelopes: &[Envelope]) {
    for envelope in envelopes {
        let (header, bytes) = (envelope.header(), envelope.to_canonical());
        let operation = NewOperation {
            chart: header.chart,
            device: header.device,
            incarnation: header.incarnation,
            seq: header.seq,
            entry_id: header.entry_id,
            envelope_hash: EnvelopeHash::from_bytes(sha256(&bytes)),
            epoch: header.epoch,
            bytes,
        };
        site.server.store.append_operations(vec![operation], site.clock.now()).await.unwrap();
    }
    site.server.restart().await;
}

#[tokio::test]
async fn rt_23_what_a_former_member_seals_on_a_head_after_their_removal_is_kept_aside_by_everybody() {
    let (mut site, nurse, mut patient) = site_with_nurse(2310).await;
    let chart = patient.chart();
    site.team_persons.retain(|person| *person != nurse.person());
    site.set_team().await;
    for device in [&mut site.coordinator, &mut patient] {
        device.sync().await;
        device.sync().await;
    }
    write(&mut patient, chart, &["after the nurse left"]).await;
    let honest = ["after the nurse left", "first"];
    let head = patient.client.membership().unwrap().head();
    let forged = [sealed(&site, &nurse, chart, 90, head).await];
    file(&mut site, &forged).await;
    for device in [&mut site.coordinator, &mut patient] {
        let report = synced(device).await;
        assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
        assert_eq!(texts(device, chart), honest);
        device.restart().await;
        synced(device).await;
        assert_eq!(texts(device, chart), honest, "nor after a restart");
        assert!(device.client.status().unwrap().stopped_by.is_empty());
    }
}

#[tokio::test]
async fn rt_13_an_envelope_that_names_a_head_of_another_log_is_kept_aside_with_an_alarm() {
    let (mut site, nurse, mut patient) = site_with_nurse(1310).await;
    let chart = patient.chart();
    let head = patient.client.membership().unwrap().head();
    let other = TreeHead { root: TreeRoot::from_bytes([9; 32]), ..head };
    let forged = [sealed(&site, &nurse, chart, 91, other).await];
    file(&mut site, &forged).await;
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"equivocation"), "{report:?}");
    assert_eq!(texts(&patient, chart), ["first"]);
}
