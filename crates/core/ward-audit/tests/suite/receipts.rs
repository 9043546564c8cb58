//! Receipts, and the proof that one was broken.

use crate::fixture::*;
use ward_audit::limits::*;
use ward_audit::*;
use ward_id::{Canonical, TimestampMs};

const RECEIVED: TimestampMs = TimestampMs(DAY_S as i64 * 1_000 + 250);

fn receipt(first: usize, count: usize) -> Receipt {
    let envelopes = (first..first + count).map(envelope).collect();
    sign_receipt(&log_signer(), first as u64, envelopes, RECEIVED, TestLog::new(first).head(first)).unwrap()
}

#[test]
fn a_receipt_is_a_promise_of_its_log() {
    let receipt = receipt(5, 3);
    assert_eq!(receipt.verify(&log_key()), Ok(()));
    assert_eq!(Receipt::from_canonical(&receipt.to_canonical()), Ok(receipt.clone()));
    assert_eq!(receipt.index_of(&envelope(6)), Some(6));
    assert_eq!(receipt.index_of(&envelope(8)), None);
    assert_eq!(
        (receipt.envelope_at(7), receipt.envelope_at(8), receipt.envelope_at(4)),
        (Some(&envelope(7)), None, None)
    );
    let other_key = TestSigner::new(ORIGIN, 2).verifier(SignatureKind::Log);
    assert_eq!(receipt.verify(&other_key), Err(ReceiptError::BadSignature));
    let other_log = TestSigner::new("ward.example/0011/mlog", 1).verifier(SignatureKind::Log);
    assert_eq!(receipt.verify(&other_log), Err(ReceiptError::OtherOrigin));
}

#[test]
fn every_bit_of_a_receipt_counts() {
    let bytes = receipt(300, 2).to_canonical();
    for flipped in bit_flips(&bytes) {
        let read = Receipt::from_canonical(&flipped);
        assert!(!read.is_ok_and(|receipt| receipt.verify(&log_key()).is_ok()));
    }
    for cut in 0..bytes.len() {
        assert!(Receipt::from_canonical(&bytes[..cut]).is_err());
    }
}

#[test]
fn receipt_limits_at_and_one_past() {
    let sign = |first, count, checkpoint| {
        let envelopes = (0..count).map(envelope).collect();
        sign_receipt(&log_signer(), first, envelopes, RECEIVED, checkpoint)
            .map(|receipt| receipt.verify(&log_key()))
    };
    let empty = TreeHead::empty();
    assert_eq!(sign(0, RECEIPT_MAX_ENVELOPES, empty), Ok(Ok(())));
    let got = RECEIPT_MAX_ENVELOPES + 1;
    assert_eq!(sign(0, got, empty), Err(ReceiptError::Count { got }));
    assert_eq!(sign(0, 0, empty), Err(ReceiptError::Count { got: 0 }));
    assert_eq!(sign(TREE_SIZE_MAX - 1, 1, empty), Ok(Ok(())));
    assert_eq!(sign(TREE_SIZE_MAX, 1, empty), Err(ReceiptError::Range));
    assert_eq!(sign(u64::MAX, 1, empty), Err(ReceiptError::Range));
    let impossible = TreeHead { size: 0, root: TestLog::new(1).head(1).root };
    assert_eq!(sign(0, 1, impossible), Err(ReceiptError::Range));
    let nameless = TestSigner::new("no name", 1);
    let refused = sign_receipt(&nameless, 0, vec![envelope(0)], RECEIVED, empty);
    assert_eq!(refused, Err(ReceiptError::OtherOrigin));
}

fn other_leaf(log: &TestLog, index: usize, size: usize) -> Breach {
    Breach::OtherLeaf {
        index: index as u64,
        leaf: leaf_hash(&log.leaves[index]),
        proof: log.inclusion(index, size),
    }
}

#[test]
fn another_leaf_at_a_promised_index_is_proof() {
    let mut log = TestLog::new(20);
    let honest = ReceiptBreach {
        receipt: receipt(5, 3),
        head: log.cosigned(20, DAY_S),
        breach: other_leaf(&log, 6, 20),
    };
    let verify = |breach: &ReceiptBreach| breach.verify(&log_key(), &log_key(), &policy(2));
    assert_eq!(verify(&honest), Err(ReceiptBreachError::Kept));

    log.leaves[6] = envelope_leaf(99);
    let breach = ReceiptBreach { head: log.cosigned(20, DAY_S), breach: other_leaf(&log, 6, 20), ..honest };
    assert_eq!(verify(&breach), Ok(()));
    let bytes = breach.to_canonical();
    assert_eq!(ReceiptBreach::from_canonical(&bytes), Ok(breach.clone()));
    for flipped in bit_flips(&bytes) {
        assert!(!ReceiptBreach::from_canonical(&flipped).is_ok_and(|read| verify(&read).is_ok()));
    }

    let not_promised = ReceiptBreach { breach: other_leaf(&log, 9, 20), ..breach.clone() };
    assert_eq!(verify(&not_promised), Err(ReceiptBreachError::NotPromised { index: 9 }));
    let elsewhere =
        Breach::OtherLeaf { index: 7, leaf: leaf_hash(&log.leaves[6]), proof: log.inclusion(6, 20) };
    let moved = ReceiptBreach { breach: elsewhere, ..breach.clone() };
    assert!(matches!(verify(&moved), Err(ReceiptBreachError::Proof(_))));
    let uncosigned = ReceiptBreach { head: log.signed(20), ..breach };
    assert!(matches!(verify(&uncosigned), Err(ReceiptBreachError::Head(_))));
}

#[test]
fn an_envelope_missing_after_an_hour_is_proof() {
    let log = TestLog::new(20);
    let breach = |index, size, time_s| {
        let breach = Breach::Missing { index };
        ReceiptBreach { receipt: receipt(5, 3), head: log.cosigned(size, time_s), breach }.verify(
            &log_key(),
            &log_key(),
            &policy(2),
        )
    };
    let due = DAY_S + 1 + RECEIPT_GRACE_S;
    assert_eq!(breach(6, 6, due), Ok(()));
    assert_eq!(breach(6, 6, due - 1), Err(ReceiptBreachError::NotYet), "the hour has not passed");
    assert_eq!(breach(6, 7, due), Err(ReceiptBreachError::NotYet), "the head reaches the index");
    assert_eq!(breach(8, 6, due), Err(ReceiptBreachError::NotPromised { index: 8 }));
}
