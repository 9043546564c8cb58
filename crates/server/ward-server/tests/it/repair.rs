//! Comparing, bisecting, relaying: what a device may ask and hand in, and what it may not.

use crate::support::World;
use futures_util::future::join_all;
use ward_api::limits::HAVE_CHARTS_MAX;
use ward_api::{
    ChartDigest, EnvelopeBatch, ErrorCode, HaveAnswer, HaveOfManyAnswer, HaveOfManyQuestion, HaveQuestion,
    LogName, MlogAccepted, MlogPlace, MlogSubmission, Opaque, PlacedEntry, ReconcileAnswer,
    ReconcileQuestion, paths,
};
use ward_audit::Receipt;
use ward_crypto::{Envelope, sha256};
use ward_id::{Canonical as _, ChartId, Incarnation, VersionVector};
use ward_store::OlogStore as _;
use ward_sync::RevokePolicy;

fn envelopes(batch: &EnvelopeBatch) -> Vec<Envelope> {
    batch.iter().map(|one| Envelope::from_canonical(&one.0).unwrap()).collect()
}

/// Row 4: the same batch a hundred times and in parallel is stored once, with one receipt.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_04_a_hundred_duplicates_in_parallel_are_one_row_each() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let batch = pen.batch(3, &secret, world.people.membership.head());
    let phone = world.login(&world.people.phone).await;
    let first: Receipt = phone.post(&paths::envelopes(chart), &batch).await.ok().cbor();
    let path = paths::envelopes(chart);
    let again = join_all((0..100).map(|_| phone.post(&path, &batch))).await;
    for reply in again {
        let receipt: Receipt = reply.ok().cbor();
        assert_eq!(
            (receipt.first_index(), receipt.envelopes(), receipt.received_at()),
            (first.first_index(), first.envelopes(), first.received_at())
        );
    }
    assert_eq!(world.store.olog_size().await.unwrap(), 3, "one row for each entry");
    // Also when nobody was first.
    let batch = pen.batch(5, &secret, world.people.membership.head());
    let together = join_all((0..100).map(|_| phone.post(&path, &batch))).await;
    let firsts: Vec<u64> =
        together.into_iter().map(|reply| reply.ok().cbor::<Receipt>().first_index()).collect();
    assert!(firsts.iter().all(|first| *first == 3), "{firsts:?}");
    assert_eq!(world.store.olog_size().await.unwrap(), 8);
}

#[tokio::test]
async fn an_equal_vector_is_answered_without_it() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let batch = pen.batch(3, &secret, world.people.membership.head());
    phone.post(&paths::envelopes(chart), &batch).await.ok();
    let heads: VersionVector = phone.get(&paths::have(chart)).await.ok().cbor();
    let same = HaveQuestion { digest: sha256(&heads.to_canonical()) };
    let answer: HaveAnswer = phone.post(&paths::have(chart), &same).await.ok().cbor();
    assert_eq!(answer, HaveAnswer { heads: None, wanted: Vec::new() });
    let other = HaveQuestion { digest: sha256(&VersionVector::new().to_canonical()) };
    let answer: HaveAnswer = phone.post(&paths::have(chart), &other).await.ok().cbor();
    assert_eq!(answer, HaveAnswer { heads: Some(heads), wanted: Vec::new() });
    let outsider = world.login(&world.people.outsider).await;
    outsider.post(&paths::have(chart), &same).await.refused(ErrorCode::NotMember);
    // Many charts in one round: only what is the same, and nothing of what the caller does not read.
    let of = |chart, question: HaveQuestion| ChartDigest { chart, digest: question.digest };
    let stranger = ChartId::from_bytes([9; 16]);
    let ask = |charts| HaveOfManyQuestion { charts, heads: false };
    for (question, expected) in [(same, vec![chart]), (other, Vec::new())] {
        let charts = vec![of(stranger, question), of(chart, question)];
        let answer: HaveOfManyAnswer =
            phone.post(paths::HAVE_OF_MANY, &ask(charts.clone())).await.ok().cbor();
        assert_eq!(answer.same, expected);
        let answer: HaveOfManyAnswer = outsider.post(paths::HAVE_OF_MANY, &ask(charts)).await.ok().cbor();
        assert_eq!(answer.same, Vec::new());
    }
    // Who wants to begin a meeting gets the newest heads of both logs with it.
    let heads = HaveOfManyQuestion { charts: Vec::new(), heads: true };
    let answer: HaveOfManyAnswer = outsider.post(paths::HAVE_OF_MANY, &heads).await.ok().cbor();
    for (log, note) in [(LogName::Mlog, answer.mlog), (LogName::Olog, answer.olog)] {
        assert_eq!(note.unwrap().0, outsider.get(&paths::checkpoint(log)).await.ok().body);
    }
    let most = vec![of(chart, other); HAVE_CHARTS_MAX];
    phone.post(paths::HAVE_OF_MANY, &ask(most)).await.ok();
    let more = vec![of(chart, other); HAVE_CHARTS_MAX + 1];
    phone.post(paths::HAVE_OF_MANY, &ask(more)).await.refused(ErrorCode::BadRange);
}

#[tokio::test]
async fn a_chain_is_bisected_by_members_within_the_limit() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let batch = pen.batch(5, &secret, world.people.membership.head());
    phone.post(&paths::envelopes(chart), &batch).await.ok();
    let sent = envelopes(&batch);
    let ask = |places: Vec<u64>| ReconcileQuestion {
        device: world.people.phone.id,
        incarnation: sent[0].header().incarnation,
        places,
    };
    let answer: ReconcileAnswer = phone.post(&paths::reconcile(chart), &ask(vec![1, 3, 9])).await.ok().cbor();
    let entry = |place: usize| PlacedEntry { seq: place as u64 + 1, entry: sent[place].header().entry_id };
    assert_eq!(answer.entries, [entry(0), entry(2)]);
    assert_eq!(answer.head.map(|head| head.seq), Some(5));
    let unknown = ReconcileQuestion { incarnation: Incarnation(99), ..ask(vec![1]) };
    let answer: ReconcileAnswer = phone.post(&paths::reconcile(chart), &unknown).await.ok().cbor();
    assert_eq!(answer, ReconcileAnswer { head: None, entries: Vec::new() });
    let most = ward_api::limits::RECONCILE_MAX_PLACES as u64;
    phone.post(&paths::reconcile(chart), &ask((1..=most).collect())).await.ok();
    for bad in [(1..=most + 1).collect(), vec![2, 1], vec![1, 1]] {
        phone.post(&paths::reconcile(chart), &ask(bad)).await.refused(ErrorCode::BadRange);
    }
    let outsider = world.login(&world.people.outsider).await;
    outsider.post(&paths::reconcile(chart), &ask(vec![1])).await.refused(ErrorCode::NotMember);
}

/// What a member hands in is judged by what it is, never by who brings it.
#[tokio::test]
async fn envelopes_of_others_are_taken_as_if_their_author_had_pushed_them() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let (first, second) = {
        let mut pen = world.pen(&world.people.phone, chart, 1);
        (pen.batch(2, &secret, head), pen.batch(2, &secret, head))
    };
    {
        let staff = world.login(&world.people.coordinator).await;
        // A push of foreign envelopes stays refused; a relay needs no author.
        staff.post(&paths::envelopes(chart), &first).await.refused(ErrorCode::ForeignDevice);
        staff.post(&paths::relay(chart), &second).await.refused(ErrorCode::Gap);
        let receipt: Receipt = staff.post(&paths::relay(chart), &first).await.ok().cbor();
        assert_eq!(receipt.envelopes().len(), 2);
        let again: Receipt = staff.post(&paths::relay(chart), &first).await.ok().cbor();
        assert_eq!((again.first_index(), again.envelopes()), (receipt.first_index(), receipt.envelopes()));
        // Another branch of the chain is a fork, whoever brings it.
        let mut copy = world.pen(&world.people.phone, chart, 1);
        copy.rng = crate::support::TestRng::new(77);
        copy.seq = 1;
        let other = copy.batch(1, &secret, head);
        staff.post(&paths::relay(chart), &other).await.refused(ErrorCode::Fork);
        let mut bent = second.clone();
        let last = bent[0].0.len() - 1;
        bent[0].0[last] ^= 1;
        staff.post(&paths::relay(chart), &bent).await.refused(ErrorCode::OperationSignature);
        let outsider = world.login(&world.people.outsider).await;
        outsider.post(&paths::relay(chart), &second).await.refused(ErrorCode::NotMember);
    }
    // Its author was revoked since, and could seal it today: without a restore that can have lost it, it
    // gets no place. What its author has left goes through the drop box.
    let revoke = world.people.revoke(
        &world.people.phone,
        chart.into(),
        RevokePolicy::Sever,
        &world.people.coordinator,
    );
    world.append(&revoke, None).await.ok();
    let staff = world.login(&world.people.coordinator).await;
    staff.post(&paths::relay(chart), &second).await.refused(ErrorCode::Revoked);
    let known: Receipt = staff.post(&paths::relay(chart), &first).await.ok().cbor();
    assert_eq!(known.envelopes().len(), 2, "what has a place keeps it");
    // Nor does what was sealed after the revocation.
    let mut pen = world.pen(&world.people.phone, chart, 1);
    pen.seq = 2;
    let late = pen.batch(1, &secret, world.people.membership.head());
    staff.post(&paths::relay(chart), &late).await.refused(ErrorCode::Revoked);
}

/// A receipt that the log keeps stops nothing, nor does one that this server never signed.
#[tokio::test]
async fn a_receipt_that_the_log_keeps_changes_nothing() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let (first, second) = (
        pen.batch(2, &secret, world.people.membership.head()),
        pen.batch(1, &secret, world.people.membership.head()),
    );
    let receipt: Receipt = phone.post(&paths::envelopes(chart), &first).await.ok().cbor();
    let evidence =
        |receipt: Vec<u8>| ward_api::OlogEvidence { checkpoint: None, receipt: Some(Opaque(receipt)) };
    let bytes = receipt.to_canonical();
    phone.post(paths::OLOG_REOPENING, &evidence(bytes.clone())).await.refused(ErrorCode::NotReopening);
    // The same promise at another place, which this server did not sign.
    let mut forged = bytes.clone();
    let place = forged.len() - 1;
    forged[place] ^= 1;
    for no_receipt in [forged, vec![1], Vec::new()] {
        phone
            .post(paths::OLOG_REOPENING, &evidence(no_receipt))
            .await
            .refused(ErrorCode::OldCheckpointRefused);
    }
    phone
        .post(paths::OLOG_REOPENING, &ward_api::OlogEvidence::default())
        .await
        .refused(ErrorCode::OldCheckpointRefused);
    phone.post(&paths::envelopes(chart), &second).await.ok();
}

/// A server that was not restored takes nothing back.
#[tokio::test]
async fn places_of_membership_entries_are_looked_at_only_after_a_restore() {
    let world = World::new().await;
    let phone = world.login(&world.people.phone).await;
    phone.get(paths::OLOG_REOPENING).await.refused(ErrorCode::NotReopening);
    let note = ward_api::OlogEvidence { checkpoint: Some(Opaque(vec![1])), receipt: None };
    phone.post(paths::OLOG_REOPENING, &note).await.refused(ErrorCode::NotReopening);
    // An entry that stands there already is answered with its place, as ever.
    let known = world.people.log[0].clone();
    let place = MlogPlace { index: 7, checkpoint: Opaque(vec![]), path: Vec::new() };
    let submission = MlogSubmission { entry: Opaque(known), package: None, place: Some(place) };
    let accepted: MlogAccepted = phone.post(paths::MLOG_ENTRIES, &submission).await.ok().cbor();
    assert_eq!(accepted.index, 0);
}
