//! A reader's view: forward only, and evidence for everything else.

use crate::fixture::*;
use ward_audit::*;
use ward_id::Canonical;

fn view() -> LogView {
    LogView::new(log_key(), policy(2))
}

fn view_at(log: &TestLog, size: usize) -> LogView {
    let mut view = view();
    assert_eq!(view.advance(&log.cosigned(size, DAY_S), &[]), Ok(Advance::First));
    view
}

fn forked(log: &TestLog, leaf: usize) -> TestLog {
    let mut forked = log.clone();
    forked.leaves[leaf] = b"another".to_vec();
    forked
}

#[test]
fn a_view_moves_forward_along_proofs() {
    let log = TestLog::new(40);
    let mut view = view_at(&log, 0);
    let mut held = 0;
    for size in [0, 1, 3, 16, 17, 40] {
        let proof = if held == 0 { vec![] } else { log.consistency(held, size) };
        let moved = view.advance(&log.cosigned(size, DAY_S), &proof).unwrap();
        let expected = if held == size {
            Advance::Unchanged
        } else {
            Advance::Grown { from: held as u64, to: size as u64 }
        };
        assert_eq!(moved, expected);
        assert_eq!(view.head().unwrap().head(), log.head(size));
        held = size;
    }
    assert_eq!(view.advance(&log.cosigned(40, DAY_S + 9), &[]), Ok(Advance::Refreshed));
    assert_eq!(view.head().unwrap().attested_s(), DAY_S + 9);
    assert_eq!(view.advance(&log.cosigned(40, DAY_S + 3), &[]), Ok(Advance::Unchanged));
    assert_eq!(view.head().unwrap().attested_s(), DAY_S + 9);
    let note = view.head().unwrap().note().clone();
    let attested_s = view.head().unwrap().attested_s();
    assert_eq!(LogView::restore(log_key(), policy(2), &note, attested_s), Ok(view.clone()));
    // Under a policy that the held head would not meet, it is held all the same: an older head must
    // not pass as the first.
    let mut stricter = LogView::restore(log_key(), policy(3), &note, attested_s).unwrap();
    assert_eq!(stricter.head().unwrap().attested_s(), DAY_S + 9);
    let older = log.cosigned(20, DAY_S + 99);
    assert!(matches!(stricter.advance(&older, &[]), Err(LogViewError::Rollback(_))));
}

#[test]
fn what_does_not_count_changes_nothing() {
    let log = TestLog::new(40);
    let fresh = view();
    let mut view = view_at(&log, 10);
    let before = view.clone();
    let proof = log.consistency(10, 20);
    assert!(matches!(view.advance(&log.signed(20), &proof), Err(LogViewError::Head(_))));
    let inconsistent = |result| matches!(result, Err(LogViewError::Inconsistent { .. }));
    assert!(inconsistent(view.advance(&log.cosigned(20, DAY_S), &[])));
    assert!(inconsistent(view.advance(&log.cosigned(20, DAY_S), &log.consistency(10, 21))));
    assert!(inconsistent(view.advance(&log.cosigned(10, DAY_S), &proof)));
    let other = forked(&log, 4);
    assert!(inconsistent(view.advance(&other.cosigned(20, DAY_S), &other.consistency(10, 20))));
    for flipped in proof_flips(&proof) {
        assert!(inconsistent(view.advance(&log.cosigned(20, DAY_S), &flipped)));
    }
    assert_eq!(view, before);
    assert!(inconsistent(fresh.clone().advance(&log.cosigned(20, DAY_S), &proof)));
    let nothing = fresh.check_inclusion(0, &log.leaves[0], &[]);
    assert_eq!(nothing, Err(LogViewError::NoHead));
    assert_eq!(fresh.check_root(log.head(1), &[]), Err(LogViewError::NoHead));
}

#[test]
fn a_view_checks_leaves() {
    let log = TestLog::new(40);
    let view = view_at(&log, 33);
    for index in 0..33 {
        let proof = log.inclusion(index, 33);
        assert_eq!(view.check_inclusion(index as u64, &log.leaves[index], &proof), Ok(()));
        let other = view.check_inclusion(index as u64, b"another", &proof);
        assert_eq!(other, Err(LogViewError::NotIncluded(ProofError::RootMismatch)));
    }
    let beyond = view.check_inclusion(33, &log.leaves[33], &log.inclusion(33, 34));
    assert!(matches!(beyond, Err(LogViewError::NotIncluded(ProofError::IndexBeyondSize { .. }))));
}

#[test]
fn two_roots_for_one_size_are_evidence_without_a_quorum() {
    let log = TestLog::new(40);
    let mut view = view_at(&log, 10);
    let Err(LogViewError::Equivocation(evidence)) = view.advance(&forked(&log, 2).signed(10), &[]) else {
        panic!("two roots were not noticed");
    };
    assert_eq!(evidence.verify(&log_key()), Ok(()));
    let bytes = evidence.to_canonical();
    assert_eq!(Equivocation::from_canonical(&bytes), Ok(*evidence));
    let witness_lines = log.cosigned(10, DAY_S).to_string().len() - log.signed(10).to_string().len();
    assert!(witness_lines > 0);
    let accused = Equivocation { held: log.signed(10), offered: log.signed(10) };
    assert_eq!(accused.verify(&log_key()), Err(EvidenceError::NoContradiction));
    let accused = Equivocation { held: log.signed(10), offered: log.signed(11) };
    assert_eq!(accused.verify(&log_key()), Err(EvidenceError::NoContradiction));
    let stranger = TestSigner::new(ORIGIN, 77);
    let forged = sign_checkpoint(&forked(&log, 2).checkpoint(10), &stranger).unwrap();
    let accused = Equivocation { held: log.signed(10), offered: forged };
    assert!(matches!(accused.verify(&log_key()), Err(EvidenceError::Checkpoint(_))));
    // Nothing that a bit flip makes of bare evidence accuses anybody.
    let bare = Equivocation { held: log.signed(10), offered: forked(&log, 2).signed(10) };
    assert_eq!(bare.verify(&log_key()), Ok(()));
    for flipped in bit_flips(&bare.to_canonical()) {
        let read = Equivocation::from_canonical(&flipped);
        assert!(!read.is_ok_and(|read| read.verify(&log_key()).is_ok()));
    }
}

#[test]
fn roots_in_records_are_compared_in_both_directions() {
    let log = TestLog::new(40);
    let view = view_at(&log, 20);
    assert_eq!(view.check_root(log.head(20), &[]), Ok(RootRelation::Same));
    assert_eq!(view.check_root(log.head(7), &log.consistency(7, 20)), Ok(RootRelation::Older));
    assert_eq!(view.check_root(log.head(31), &log.consistency(20, 31)), Ok(RootRelation::Newer));
    assert_eq!(view.check_root(TreeHead::empty(), &[]), Ok(RootRelation::Older));
    let other = forked(&log, 3);
    let claims = [
        (other.head(20), vec![]),
        (other.head(7), other.consistency(7, 20)),
        (other.head(7), log.consistency(7, 20)),
        (other.head(31), other.consistency(20, 31)),
        (other.head(31), log.consistency(20, 31)),
        (TreeHead { size: 0, ..log.head(3) }, vec![]),
    ];
    for (claimed, proof) in claims {
        let result = view.check_root(claimed, &proof);
        assert!(matches!(result, Err(LogViewError::Fork { .. })), "{claimed:?}");
    }
}

#[test]
fn a_new_manifest_changes_the_witnesses() {
    let log = TestLog::new(12);
    let mut view = view_at(&log, 10);
    view.set_trust(log_key(), policy(3));
    let held = view.head().cloned();
    let proof = log.consistency(10, 12);
    assert!(matches!(view.advance(&log.cosigned(12, DAY_S), &proof), Err(LogViewError::Head(_))));
    assert_eq!(view.head().cloned(), held);
    let third = log.cosigned(12, DAY_S);
    let third = third.with_signature(witness(3).cosign_line(third.text(), DAY_S)).unwrap();
    assert_eq!(view.advance(&third, &proof), Ok(Advance::Grown { from: 10, to: 12 }));
}

#[test]
fn a_new_manifest_changes_the_log_key() {
    let log = TestLog::new(12);
    let mut view = view_at(&log, 10);
    let held = view.head().cloned();
    let (old, new) = (log.cosigned(12, DAY_S), TestSigner::new(ORIGIN, 77));
    let mut by_new = sign_checkpoint(&log.checkpoint(12), &new).unwrap();
    for n in [1, 2] {
        by_new = by_new.clone().with_signature(witness(n).cosign_line(by_new.text(), DAY_S)).unwrap();
    }
    let proof = log.consistency(10, 12);
    assert!(matches!(view.advance(&by_new, &proof), Err(LogViewError::Head(_))), "not yet");
    view.set_trust(TestSigner::new("other.example/log", 77).verifier(SignatureKind::Log), policy(2));
    assert_eq!(view.key(), &log_key(), "of another log");
    view.set_trust(new.verifier(SignatureKind::Log), policy(2));
    assert_eq!(view.head().cloned(), held, "what counted stays");
    assert!(matches!(view.advance(&old, &proof), Err(LogViewError::Head(_))), "the old key signs no more");
    assert_eq!(view.advance(&by_new, &proof), Ok(Advance::Grown { from: 10, to: 12 }));
}
