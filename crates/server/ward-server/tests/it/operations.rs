//! Push, pull, have, epochs: what every store must do alike.

use crate::support::World;
use ward_api::{EnvelopePage, EpochPackages, ErrorCode, LogName, Opaque, paths};
use ward_audit::{Receipt, SignatureKind, VerifierKey};
use ward_crypto::{Envelope, SignKey};
use ward_id::{Canonical as _, ChartId, VersionVector};
use ward_store::{MemoryStore, Store};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

#[tokio::test]
async fn push_and_pull_on_memory() {
    push_and_pull(MemoryStore::new()).await;
}

#[tokio::test]
async fn push_and_pull_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    push_and_pull(SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap()).await;
}

async fn push_and_pull<S: Store>(store: S) {
    let mut world = World::on(store).await;
    let chart = world.people.chart;
    let (package, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let batch = pen.batch(5, &secret, head);

    let empty: EnvelopePage = phone.get(&paths::envelopes_after(chart, None, 1 << 20)).await.cbor();
    assert_eq!((empty.rows.len(), empty.next, empty.more), (0, None, false), "index 0 is still to come");
    let receipt: Receipt = phone.post(&paths::envelopes(chart), &batch).await.cbor();
    let log_key = SignKey::from_secret_bytes(&world.people.log_key_seed);
    let origin = world.people.manifest.olog_origin.parse().unwrap();
    let key = VerifierKey::new(origin, SignatureKind::Log, log_key.public().as_bytes()).unwrap();
    assert_eq!(receipt.verify(&key), Ok(()));
    assert_eq!((receipt.first_index(), receipt.envelopes().len()), (0, 5));
    for (hash, Opaque(bytes)) in receipt.envelopes().iter().zip(&batch) {
        assert_eq!(*hash, Envelope::from_canonical(bytes).unwrap().envelope_hash());
    }

    let clinician = world.login(&world.people.clinician).await;
    let page: EnvelopePage = clinician.get(&paths::envelopes_after(chart, None, 1 << 20)).await.cbor();
    assert_eq!(page.rows.iter().map(|row| row.envelope.clone()).collect::<Vec<_>>(), batch);
    assert_eq!((page.next, page.more), (Some(4), false));
    let small: EnvelopePage = clinician.get(&paths::envelopes_after(chart, Some(1), 1)).await.cbor();
    assert_eq!((small.rows.len(), small.rows[0].index, small.next, small.more), (1, 2, Some(2), true));
    let end: EnvelopePage = clinician.get(&paths::envelopes_after(chart, Some(4), 1)).await.cbor();
    assert_eq!((end.rows.len(), end.next), (0, Some(4)));
    let have: VersionVector = clinician.get(&paths::have(chart)).await.cbor();
    assert_eq!(have.head(world.people.phone.id, pen.incarnation).unwrap().seq, 5);
    let epochs: EpochPackages = clinician.get(&paths::epochs(chart, 0)).await.cbor();
    assert_eq!(epochs, [Opaque(package.to_canonical())]);
    let charts: Vec<ChartId> = clinician.get(paths::CHARTS).await.cbor();
    assert_eq!(charts, [chart]);
    let charts: Vec<ChartId> = phone.get(paths::CHARTS).await.cbor();
    assert_eq!(charts, [chart]);
    assert_eq!(world.app.store().olog_size().await.unwrap(), 5);
}

/// Red team 15: the same entry again, in the same or in another envelope, changes nothing and is
/// answered with the first receipt's place.
#[tokio::test]
async fn rt_15_a_repeat_is_answered_with_the_first_place() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let header = pen.header(0, head);
    let first = vec![Opaque(pen.seal(header.clone(), &secret))];
    let again = vec![Opaque(pen.seal(header, &secret))];
    assert_ne!(first, again, "sealed anew, so other bytes");
    let path = paths::envelopes(chart);
    let receipt: Receipt = phone.post(&path, &first).await.cbor();
    world.clock.advance_ms(5_000);
    for repeat in [&first, &again] {
        let repeated: Receipt = phone.post(&path, repeat).await.cbor();
        assert_eq!((repeated.first_index(), repeated.envelopes()), (0, receipt.envelopes()));
        assert_eq!(repeated.received_at(), receipt.received_at());
    }
    assert_eq!(world.store.olog_size_now().await, 1);
    // Known and new together: the first run is answered, the new one is stored all the same.
    let mut mixed = again;
    mixed.extend(pen.batch(1, &secret, head));
    let receipt: Receipt = phone.post(&path, &mixed).await.cbor();
    assert_eq!((receipt.first_index(), receipt.envelopes().len()), (0, 1));
    assert_eq!(world.store.olog_size_now().await, 2);
}

/// A short name for what several tests ask.
pub trait SizeNow {
    async fn olog_size_now(&self) -> u64;
}

impl<S: Store> SizeNow for S {
    async fn olog_size_now(&self) -> u64 {
        self.olog_size().await.unwrap()
    }
}

/// A full disk is reported and nothing is acknowledged; writing goes on when there is room.
#[tokio::test]
async fn a_full_disk_is_reported_and_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    let mut world = World::on(store.clone()).await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    store.set_max_bytes(Some(64 * 1_024)).await.unwrap();
    let header = pen.header(0, head);
    let big = vec![Opaque(pen.seal_sized(header, &secret, 200_000))];
    let refused = phone.post(&paths::envelopes(chart), &big).await;
    refused.refused(ErrorCode::StorageFull);
    assert_eq!(refused.status, 507);
    assert_eq!(store.olog_size_now().await, 0);
    store.set_max_bytes(None).await.unwrap();
    let receipt: Receipt = phone.post(&paths::envelopes(chart), &big).await.cbor();
    assert_eq!(receipt.first_index(), 0);
    assert!(world.app.cosigned_size(LogName::Olog) <= 1);
}

trait CosignedSize {
    fn cosigned_size(&self, log: LogName) -> u64;
}

impl<S: Store> CosignedSize for ward_server::App<S> {
    fn cosigned_size(&self, log: LogName) -> u64 {
        let name = format!("ward_log_leaves{{log=\"{}\"}} ", log.as_str());
        let text = self.metrics().render();
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |size| size.parse().unwrap())
    }
}
