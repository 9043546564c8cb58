//! Heads, tiles and proofs, checked the way a device checks them.

use crate::support::World;
use ward_api::{
    Consistency, ErrorCode, LogName, MlogLeaf, MlogRow, OlogProofsAnswer, OlogProofsQuestion, Opaque,
    WitnessNonce, paths,
};
use ward_audit::{
    NodeHash, SignatureKind, SignedNote, TileKind, TilePath, VerifierKey, WitnessKey, WitnessPolicy,
    WitnessTime, leaf_hash, verify_consistency, verify_cosigned, verify_inclusion, verify_witness_time,
};
use ward_crypto::SignKey;
use ward_id::{Subject, TreeRoot};
use ward_store::{MemoryStore, Store};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

fn policy<S>(world: &World<S>) -> WitnessPolicy {
    let manifest = &world.people.manifest;
    let key = |entry: &ward_crypto::WitnessEntry| {
        WitnessKey::new(entry.name.parse().unwrap(), entry.key.as_bytes(), entry.outside).unwrap()
    };
    WitnessPolicy::new(manifest.witnesses.iter().map(key).collect(), usize::from(manifest.quorum)).unwrap()
}

fn log_key<S>(world: &World<S>, log: LogName) -> VerifierKey {
    let manifest = &world.people.manifest;
    let origin = if log == LogName::Mlog { &manifest.mlog_origin } else { &manifest.olog_origin };
    let key = SignKey::from_secret_bytes(&world.people.log_key_seed);
    VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, key.public().as_bytes()).unwrap()
}

fn nodes(proof: &[TreeRoot]) -> Vec<NodeHash> {
    proof.iter().map(|root| NodeHash::from_bytes(*root.as_bytes())).collect()
}

#[tokio::test]
async fn heads_and_proofs_verify_on_memory() {
    heads_and_proofs(MemoryStore::new()).await;
}

#[tokio::test]
async fn heads_and_proofs_verify_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    heads_and_proofs(SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap())
        .await;
}

/// 600 operations: two full tiles and a partial one.
async fn heads_and_proofs<S: Store>(store: S) {
    let mut world = World::on(store).await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let mut heads = Vec::new();
    for count in [3, 250, 200, 147] {
        phone.post(&paths::envelopes(chart), &pen.batch(count, &secret, head)).await.ok();
        let note: SignedNote = phone.get(paths::OLOG_CHECKPOINT).await.text().parse().unwrap();
        let cosigned = verify_cosigned(&note, &log_key(&world, LogName::Olog), &policy(&world)).unwrap();
        heads.push(cosigned.head());
    }
    assert_eq!(heads.iter().map(|head| head.size).collect::<Vec<_>>(), [3, 253, 453, 600]);
    let newest = *heads.last().unwrap();
    for older in &heads {
        let proof: Consistency =
            phone.get(&paths::consistency(LogName::Olog, older.size, newest.size)).await.cbor();
        assert_eq!(
            verify_consistency(older.size, newest.size, &older.root, &newest.root, &nodes(&proof)),
            Ok(())
        );
    }
    let question = OlogProofsQuestion {
        size: newest.size,
        indexes: vec![0, 599, 2, 255, 256, 0],
        sizes: heads.iter().map(|head| head.size).collect(),
        ended: None,
    };
    let all: OlogProofsAnswer = phone.post(paths::OLOG_PROOFS, &question).await.cbor();
    assert_eq!((all.inclusions.len(), all.consistencies.len()), (6, 4));
    for (index, found) in question.indexes.iter().zip(&all.inclusions) {
        let leaf = leaf_hash(&found.leaf.0);
        assert_eq!(
            verify_inclusion(*index, newest.size, &leaf, &newest.root, &nodes(&found.path)),
            Ok(()),
            "{index}"
        );
    }
    for (size, found) in question.sizes.iter().zip(&all.consistencies) {
        let alone: Consistency =
            phone.get(&paths::consistency(LogName::Olog, *size, newest.size)).await.cbor();
        assert_eq!(*found, alone, "{size}");
    }
    tiles(&world, &phone).await;
    // A server that starts again comes to the same head.
    let again = world.restart_on(world.store.clone()).await.unwrap();
    let wire = crate::support::Wire::Router(ward_server::router(again));
    let clock = world.clock.clone();
    let phone =
        crate::support::Session::new(wire, &world.people.phone, move || ward_server::Clock::now(&*clock))
            .login()
            .await;
    let note: SignedNote = phone.get(paths::OLOG_CHECKPOINT).await.text().parse().unwrap();
    let cosigned = verify_cosigned(&note, &log_key(&world, LogName::Olog), &policy(&world)).unwrap();
    assert_eq!(cosigned.head(), newest);
}

async fn tiles<S: Store>(world: &World<S>, phone: &crate::support::Session<'_>) {
    let leaves = world.store.olog_leaves(0, 600).await.unwrap();
    for (index, width) in [(0, 256), (1, 256), (2, 88), (2, 10)] {
        let path = TilePath::new(TileKind::Hashes(0), index, width).unwrap();
        let tile = phone.get(&paths::tile(LogName::Olog, path)).await.ok();
        let first = usize::try_from(index).unwrap() * 256;
        let expected: Vec<u8> = leaves[first..first + usize::from(width)]
            .iter()
            .flat_map(|leaf| *leaf_hash(leaf.as_bytes()).as_bytes())
            .collect();
        assert_eq!(tile.body, expected, "{path}");
    }
    let above = TilePath::new(TileKind::Hashes(1), 0, 2).unwrap();
    assert_eq!(phone.get(&paths::tile(LogName::Olog, above)).await.ok().body.len(), 64);
    for beyond in [(0, 2, 89), (0, 3, 1), (1, 0, 3), (2, 0, 1)] {
        let path = TilePath::new(TileKind::Hashes(beyond.0), beyond.1, beyond.2).unwrap();
        phone.get(&paths::tile(LogName::Olog, path)).await.refused(ErrorCode::TileUnknown);
    }
    for bad in [
        "/v1/olog/tile/0/0",
        "/v1/olog/tile/00/000",
        "/v1/olog/tile/0/x000",
        "/v1/olog/tile/0/000.p/0",
        "/v1/olog/tile/0/000.p/256",
    ] {
        phone.get(bad).await.refused(ErrorCode::BadPath);
    }
}

#[tokio::test]
async fn ranges_beyond_the_log_are_refused() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let size = world.people.membership.size();
    for path in [
        paths::consistency(LogName::Mlog, 0, size + 1),
        paths::mlog_leaves(0, size + 1),
        paths::mlog_entries(0, size + 1),
    ] {
        phone.get(&path).await.refused(ErrorCode::IndexBeyondLog);
    }
    phone.get(&paths::consistency(LogName::Mlog, 2, 1)).await.refused(ErrorCode::BadRange);
    let olog = 0;
    for (size, indexes, sizes) in
        [(olog + 1, vec![], vec![]), (olog, vec![0], vec![]), (olog, vec![], vec![1])]
    {
        let question = OlogProofsQuestion { size, indexes, sizes, ended: None };
        phone.post(paths::OLOG_PROOFS, &question).await.refused(ErrorCode::IndexBeyondLog);
    }
    // No log has ended here.
    for ended in [0, 1, 2, u32::MAX] {
        let question =
            OlogProofsQuestion { size: olog, indexes: Vec::new(), sizes: Vec::new(), ended: Some(ended) };
        phone.post(paths::OLOG_PROOFS, &question).await.refused(ErrorCode::IndexBeyondLog);
    }
    let many = OlogProofsQuestion { size: olog, indexes: vec![0; 33], sizes: vec![0; 32], ended: None };
    phone.post(paths::OLOG_PROOFS, &many).await.refused(ErrorCode::BadRange);
    phone.get(&paths::mlog_entries(2, 1)).await.refused(ErrorCode::BadRange);
    phone.get(&paths::mlog_entries(0, 1_025)).await.refused(ErrorCode::BadRange);
    for bad in [
        "/v1/mlog/leaves",
        "/v1/mlog/leaves?from=0",
        "/v1/mlog/leaves?from=0&to=1&x=1",
        "/v1/mlog/leaves?from=0&to=a",
    ] {
        phone.get(bad).await.refused(ErrorCode::BadQuery);
    }
}

/// Entries of a chart go to those they concern; leaves go to everybody.
#[tokio::test]
async fn bodies_of_other_charts_are_not_given_away() {
    let world = World::new().await;
    let size = world.people.membership.size();
    let leaves = world.login(&world.people.phone).await.get(&paths::mlog_leaves(0, size)).await.ok().body;
    let subjects: Vec<_> =
        leaves.chunks(48).map(|leaf| MlogLeaf::from_bytes(leaf).unwrap().subject).collect();
    assert_eq!(subjects.len() as u64, size);
    let site = Subject::from(world.people.site);
    let (chart, other) = (Subject::from(world.people.chart), Subject::from(world.people.other_chart));
    let people = &world.people;
    for (who, device, allowed) in [
        ("phone", &people.phone, vec![site, chart]),
        ("other phone", &people.other_phone, vec![site, other]),
        ("outsider", &people.outsider, vec![site, other]),
        ("clinician", &people.clinician, vec![site, chart]),
        ("admin", &people.admins[0], vec![site, chart, other]),
        ("auditor", &people.auditor, vec![site, chart, other]),
    ] {
        let rows: Vec<MlogRow> = world.login(device).await.get(&paths::mlog_entries(0, size)).await.cbor();
        let expected: Vec<u64> =
            (0..).zip(&subjects).filter(|(_, subject)| allowed.contains(subject)).map(|(i, _)| i).collect();
        let signed = |index: u64| {
            ward_sync::MlogEntry::read(&people.log[usize::try_from(index).unwrap()])
                .unwrap()
                .signatures()
                .iter()
                .any(|one| one.signer == device.id.into())
        };
        let got: Vec<u64> = rows.iter().map(|row| row.index).collect();
        let (own, rest): (Vec<u64>, Vec<u64>) = got.iter().partition(|index| !expected.contains(index));
        assert_eq!(rest, expected, "{who}");
        assert!(own.iter().all(|index| signed(*index)), "{who} sees only what they signed beyond that");
        for row in rows {
            assert_eq!(row.entry, Opaque(people.log[usize::try_from(row.index).unwrap()].clone()));
        }
    }
}

#[tokio::test]
async fn a_checkpoint_is_cosigned_anew_after_a_minute() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let attested = async || {
        let note: SignedNote = phone.get(paths::MLOG_CHECKPOINT).await.text().parse().unwrap();
        verify_cosigned(&note, &log_key(&world, LogName::Mlog), &policy(&world)).unwrap().attested_s()
    };
    let first = attested().await;
    world.clock.advance_ms(59_000);
    assert_eq!(attested().await, first);
    world.clock.advance_ms(2_000);
    assert_eq!(attested().await, first + 61);
}

#[tokio::test]
async fn the_witnesses_time_is_relayed() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    let times: Vec<WitnessTime> = phone.post(paths::WITNESS_TIME, &WitnessNonce([5; 32])).await.cbor();
    assert_eq!(times.len(), 3);
    let now_s = u64::try_from(ward_server::Clock::now(&*world.clock).unix_s()).unwrap();
    assert_eq!(verify_witness_time(&[5; 32], &times, &policy(&world)), Ok(now_s));
    assert!(verify_witness_time(&[6; 32], &times, &policy(&world)).is_err());
}
