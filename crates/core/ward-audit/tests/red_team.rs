//! Attacks on a log, each named after its number; the pure part of each.

#[cfg(test)]
#[path = "suite/fixture.rs"]
mod fixture;

use fixture::*;
use ward_audit::*;
use ward_id::TimestampMs;

/// Row 12: the database is restored to an older state. Every reader halts, with both signed notes
/// in hand, and no witness helps the log to go on from there.
#[test]
fn rt_12_rollback_halts_with_evidence() {
    let log = TestLog::new(60);
    let witnesses = WitnessLogs::new([log_key()]).unwrap();
    let mut state = WitnessState::new();
    let seen = AddCheckpoint { old_size: 0, proof: vec![], note: log.signed(50) };
    let pending = state.prepare(&witnesses, &seen, DAY_S).unwrap();
    state.apply(&pending).unwrap();

    for restored in 0..50 {
        let mut view = LogView::new(log_key(), policy(2));
        view.advance(&log.cosigned(50, DAY_S), &[]).unwrap();
        let before = view.clone();
        // Even with fresh cosignatures, and even if asked again and again.
        for offered in [log.signed(restored), log.cosigned(restored, DAY_S + 99)] {
            let Err(LogViewError::Rollback(evidence)) = view.advance(&offered, &[]) else {
                panic!("a rollback to {restored} was not noticed");
            };
            assert_eq!(evidence.verify(&log_key()), Ok(()));
            assert_eq!((&evidence.held, &evidence.offered), (before.head().unwrap().note(), &offered));
        }
        assert_eq!(view, before, "the view stays where it was");

        for old_size in [0, restored as u64, 50] {
            let request = AddCheckpoint { old_size, proof: vec![], note: log.signed(restored) };
            let refused = state.prepare(&witnesses, &request, DAY_S).map(|_| ()).unwrap_err();
            assert!(matches!(refused, WitnessRefusal::Conflict { .. } | WitnessRefusal::StepBack { .. }));
        }

        // The log itself refuses to sign, as long as it knows its largest signed head.
        let mut builder = LogBuilder::new(ORIGIN.parse().unwrap(), Some(log.head(50))).unwrap();
        builder.append(&log.leaves[..restored]).unwrap();
        let refused = builder.prepare_checkpoint().map(|_| ());
        assert!(matches!(refused, Err(LogBuilderError::BehindSigned { .. })));
    }

    // A log that went back and then grew along another way is caught as well.
    let mut regrown = TestLog::new(40);
    regrown.leaves.extend((1_000..1_020).map(envelope_leaf));
    let mut view = LogView::new(log_key(), policy(2));
    view.advance(&log.cosigned(50, DAY_S), &[]).unwrap();
    let same_size = view.advance(&regrown.cosigned(50, DAY_S), &[]);
    assert!(matches!(same_size, Err(LogViewError::Equivocation(_))));
    let larger = view.advance(&regrown.cosigned(60, DAY_S), &regrown.consistency(50, 60));
    assert!(matches!(larger, Err(LogViewError::Inconsistent { .. })));
}

/// Row 13: two groups are served different logs. One exchanged record is enough to notice, and an
/// honest witness cosigns only one of the two.
#[test]
fn rt_13_split_view_detected() {
    let ours = TestLog::new(64);
    for split_at in [0, 1, 31, 32, 47] {
        let mut theirs = ours.clone();
        theirs.leaves[split_at] = b"a leaf for the other group".to_vec();
        for (our_size, their_size) in [(48, 48), (48, 64), (64, 48), (49, 63), (50, 49)] {
            let mut view = LogView::new(log_key(), policy(2));
            view.advance(&ours.cosigned(our_size, DAY_S), &[]).unwrap();
            let claimed = theirs.head(their_size);
            // The server may answer with any proof of either tree; none fits both roots.
            let (small, large) = (our_size.min(their_size), our_size.max(their_size));
            for source in [&ours, &theirs] {
                let noticed = view.check_root(claimed, &source.consistency(small, large));
                assert!(
                    matches!(noticed, Err(LogViewError::Fork { .. })),
                    "{split_at} {our_size} {their_size}"
                );
            }
            // An honest record is no alarm.
            let honest = view.check_root(ours.head(their_size), &ours.consistency(small, large));
            assert!(honest.is_ok());
        }

        // With the two signed notes side by side the fork is proven to anybody.
        let evidence = Equivocation { held: ours.signed(48), offered: theirs.signed(48) };
        assert_eq!(evidence.verify(&log_key()), Ok(()));

        let witnesses = WitnessLogs::new([log_key()]).unwrap();
        let mut state = WitnessState::new();
        let first = AddCheckpoint { old_size: 0, proof: vec![], note: ours.signed(48) };
        let pending = state.prepare(&witnesses, &first, DAY_S).unwrap();
        state.apply(&pending).unwrap();
        let twin = AddCheckpoint { old_size: 48, proof: vec![], note: theirs.signed(48) };
        let refused = state.prepare(&witnesses, &twin, DAY_S).map(|_| ());
        assert_eq!(refused, Err(WitnessRefusal::OtherRoot { size: 48 }));
        let grown =
            AddCheckpoint { old_size: 48, proof: theirs.consistency(48, 64), note: theirs.signed(64) };
        let refused = state.prepare(&witnesses, &grown, DAY_S).map(|_| ());
        assert!(matches!(refused, Err(WitnessRefusal::Proof(_))));
    }
}

/// Row 17, the part of the log: acknowledged operations are hidden at the tail. The receipt and a
/// later head prove it.
#[test]
fn rt_17_hidden_tail_breaks_the_receipt() {
    let log = TestLog::new(30);
    let received_at = TimestampMs(DAY_S as i64 * 1_000);
    let envelopes = (27..30).map(envelope).collect();
    let receipt = sign_receipt(&log_signer(), 27, envelopes, received_at, log.head(27)).unwrap();
    let hidden = log.cosigned(27, DAY_S + limits::RECEIPT_GRACE_S + 1);
    for index in 27..30 {
        let breach = ReceiptBreach {
            receipt: receipt.clone(),
            head: hidden.clone(),
            breach: Breach::Missing { index },
        };
        assert_eq!(breach.verify(&log_key(), &log_key(), &policy(2)), Ok(()));
    }
}

/// Row 48: somebody with write access to the database changes, removes, adds or swaps rows. The
/// rebuilt log is consistent with no older head that reached the row, whatever proof it offers.
#[test]
fn rt_48_row_rewrite_breaks_consistency() {
    const SIZE: usize = 40;
    let log = TestLog::new(SIZE + 4);
    for row in 0..SIZE {
        let rewrites = [
            ("update", {
                let mut log = log.clone();
                log.leaves[row][0] ^= 1;
                log
            }),
            ("delete", {
                let mut log = log.clone();
                log.leaves.remove(row);
                log
            }),
            ("insert", {
                let mut log = log.clone();
                log.leaves.insert(row, envelope_leaf(9_999));
                log
            }),
            ("swap", {
                let mut log = log.clone();
                log.leaves.swap(row, row + 1);
                log
            }),
        ];
        for (how, rewritten) in rewrites {
            let new = SIZE + 2;
            let new_head = rewritten.head(new);
            for old in 1..=SIZE {
                let old_head = log.head(old);
                let untouched = old <= row;
                for source in [&rewritten, &log] {
                    let holds = old_head.verify_extended_by(&new_head, &source.consistency(old, new)).is_ok();
                    let expected = untouched && std::ptr::eq(source, &rewritten);
                    assert_eq!(holds, expected, "{how} of row {row}, from {old}");
                }
                if untouched {
                    continue;
                }
                let mut view = LogView::new(log_key(), policy(2));
                view.advance(&log.cosigned(old, DAY_S), &[]).unwrap();
                let moved = view.advance(&rewritten.cosigned(new, DAY_S), &rewritten.consistency(old, new));
                assert!(matches!(moved, Err(LogViewError::Inconsistent { .. })), "{how} of row {row}");
            }
            let rebuilt = verify_log(&rewritten.leaves[..SIZE + 3], &log.checkpoint(SIZE + 3));
            assert!(matches!(rebuilt, Err(VerifyLogError::Root { .. })), "{how} of row {row}");
        }
    }
}
