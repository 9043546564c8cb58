//! Witnesses: what they cosign, what they refuse, and what a quorum of them is worth.

use crate::fixture::*;
use ward_audit::limits::*;
use ward_audit::*;
use ward_id::Canonical;

fn logs() -> WitnessLogs {
    WitnessLogs::new([log_key()]).unwrap()
}

fn request(log: &TestLog, old: usize, new: usize) -> AddCheckpoint {
    let proof = if old == 0 { vec![] } else { log.consistency(old, new) };
    AddCheckpoint { old_size: old as u64, proof, note: log.signed(new) }
}

/// A witness that has cosigned the first `size` leaves.
fn state_at(log: &TestLog, size: usize) -> WitnessState {
    let mut state = WitnessState::new();
    let pending = state.prepare(&logs(), &request(log, 0, size), DAY_S).unwrap();
    state.apply(&pending).unwrap();
    state
}

#[test]
fn a_witness_cosigns_what_extends_its_head() {
    let log = TestLog::new(30);
    let mut state = WitnessState::new();
    let mut old = 0;
    for size in [0, 1, 2, 7, 7, 8, 30, 30] {
        let request = request(&log, old, size);
        let pending = state.prepare(&logs(), &request, DAY_S + size as u64).unwrap();
        assert_eq!(pending.head(), log.head(size));
        assert_eq!(state.head(&ORIGIN.parse().unwrap()), pending.previous());
        state.apply(&pending).unwrap();
        let line = pending.persisted(&witness(1)).unwrap();
        let note = request.note.with_signature(line).unwrap();
        let key = witness(1).verifier(SignatureKind::Cosignature);
        assert_eq!(verify_cosignature(&note, &key), Ok(Some(DAY_S + size as u64)));
        old = size;
    }
    assert_eq!(WitnessState::from_canonical(&state.to_canonical()), Ok(state));
}

#[test]
fn two_requests_at_once_never_roll_a_witness_back() {
    let log = TestLog::new(30);
    let mut state = state_at(&log, 10);
    let slow = state.prepare(&logs(), &request(&log, 10, 20), DAY_S).unwrap();
    let fast = state.prepare(&logs(), &request(&log, 10, 30), DAY_S).unwrap();
    state.apply(&fast).unwrap();
    assert_eq!(state.apply(&slow), Err(WitnessRefusal::Conflict { known_size: 30 }));
    assert_eq!(state.head(&ORIGIN.parse().unwrap()), Some(log.head(30)));
}

#[test]
fn refusals_and_their_status() {
    let log = TestLog::new(30);
    let forked = {
        let mut forked = log.clone();
        forked.leaves[3] = b"another".to_vec();
        forked
    };
    let state = state_at(&log, 10);
    let refusal = |request: &AddCheckpoint| {
        let refusal = state.prepare(&logs(), request, DAY_S).map(|_| ()).unwrap_err();
        (refusal, refusal.http_status(), refusal.known_size())
    };
    let good = request(&log, 10, 20);
    assert!(state.prepare(&logs(), &good, DAY_S).is_ok());

    let conflict = |old| refusal(&request(&log, old, 20));
    for old in [0, 9, 11, 20] {
        assert_eq!(conflict(old), (WitnessRefusal::Conflict { known_size: 10 }, 409, Some(10)), "{old}");
    }
    let smaller = refusal(&request(&log, 5, 8));
    assert_eq!(smaller, (WitnessRefusal::Conflict { known_size: 10 }, 409, Some(10)));
    let back = AddCheckpoint { old_size: 10, proof: vec![], note: log.signed(9) };
    assert_eq!(refusal(&back), (WitnessRefusal::StepBack { old: 10, offered: 9 }, 400, None));
    let other_root = AddCheckpoint { old_size: 10, proof: vec![], note: forked.signed(10) };
    assert_eq!(refusal(&other_root), (WitnessRefusal::OtherRoot { size: 10 }, 409, Some(10)));
    let fork = refusal(&request(&forked, 10, 20));
    assert_eq!((fork.0, fork.1), (WitnessRefusal::Proof(ProofError::OldRootMismatch), 422));
    let no_proof = AddCheckpoint { proof: vec![], ..good.clone() };
    assert_eq!(refusal(&no_proof).1, 422);
    let too_much = AddCheckpoint { old_size: 10, proof: vec![leaf_hash(b"")], note: log.signed(10) };
    assert_eq!(refusal(&too_much).1, 422);

    let stranger = TestSigner::new(ORIGIN, 7);
    let unsigned =
        AddCheckpoint { note: sign_checkpoint(&log.checkpoint(20), &stranger).unwrap(), ..good.clone() };
    assert_eq!(refusal(&unsigned), (WitnessRefusal::NotSigned, 403, None));
    let elsewhere = TestSigner::new("elsewhere.example", 7);
    let other = Checkpoint::new("elsewhere.example".parse().unwrap(), log.head(20)).unwrap();
    let unknown = AddCheckpoint { note: sign_checkpoint(&other, &elsewhere).unwrap(), ..good.clone() };
    assert_eq!(refusal(&unknown), (WitnessRefusal::UnknownLog, 404, None));
    let extended =
        SignedNote::new(format!("{}x\n", good.note.text()), good.note.signatures().to_vec()).unwrap();
    let malformed = AddCheckpoint { note: extended, ..good.clone() };
    assert_eq!(refusal(&malformed).1, 400);
    let late = state.prepare(&logs(), &good, COSIGNATURE_TIME_MAX_S + 1).map(|_| ());
    assert_eq!(late, Err(WitnessRefusal::Time));
    assert!(state.prepare(&logs(), &good, COSIGNATURE_TIME_MAX_S).is_ok());
    assert!(WitnessLogs::new([witness(1).verifier(SignatureKind::Cosignature)]).is_err());
}

#[test]
fn from_nothing_the_proof_is_empty() {
    let log = TestLog::new(5);
    let state = WitnessState::new();
    let with_proof = AddCheckpoint { proof: vec![leaf_hash(b"")], ..request(&log, 0, 5) };
    let refused = state.prepare(&logs(), &with_proof, DAY_S).map(|_| ()).unwrap_err();
    assert_eq!(refused.http_status(), 422);
}

#[test]
fn requests_are_read_strictly() {
    let log = TestLog::new(30);
    let good = request(&log, 11, 30);
    let text = good.to_string();
    assert!(text.starts_with("old 11\n"));
    assert_eq!(text.parse(), Ok(good.clone()));
    let cases = [
        (text.replace("old 11", "old 011"), AddCheckpointError::OldSize),
        (text.replace("old 11", "old  11"), AddCheckpointError::OldSize),
        (text.replace("old 11", "Old 11"), AddCheckpointError::OldSize),
        (text.replace("old 11", "old "), AddCheckpointError::OldSize),
        (String::new(), AddCheckpointError::OldSize),
        ("old 11\n".to_string(), AddCheckpointError::ProofLine),
        ("old 11\nAAAA\n\n".to_string(), AddCheckpointError::ProofLine),
        (text.replacen("\n\n", "\n", 1), AddCheckpointError::ProofLine),
        ("old 11\n\n".to_string(), AddCheckpointError::Note(NoteError::Layout)),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<AddCheckpoint>(), Err(expected), "{text:?}");
    }
    let lines = |count| AddCheckpoint { proof: vec![leaf_hash(b""); count], ..good.clone() }.to_string();
    assert!(lines(PROOF_MAX_HASHES).parse::<AddCheckpoint>().is_ok());
    let refused = lines(PROOF_MAX_HASHES + 1).parse::<AddCheckpoint>();
    assert_eq!(refused, Err(AddCheckpointError::ProofTooLong));
    let long = |bytes: usize| format!("old 0\n\n{}", "x".repeat(bytes - 7)).parse::<AddCheckpoint>();
    let at_limit = long(ADD_CHECKPOINT_MAX_BYTES);
    assert!(matches!(at_limit, Err(AddCheckpointError::Note(NoteError::TooLong { .. }))));
    let bytes = ADD_CHECKPOINT_MAX_BYTES + 1;
    assert_eq!(long(bytes), Err(AddCheckpointError::TooLong { bytes }));
}

#[test]
fn every_bit_of_a_witness_state_counts() {
    let state = state_at(&TestLog::new(5), 5);
    for flipped in bit_flips(&state.to_canonical()) {
        assert_ne!(WitnessState::from_canonical(&flipped), Ok(state.clone()));
    }
}

/// The checkpoint that a witness shows again is the one that it gave out, as it was given out first.
#[test]
fn a_witness_shows_again_what_it_cosigned_last() {
    let log = TestLog::new(30);
    let (mut state, origin) = (WitnessState::new(), ORIGIN.parse().unwrap());
    assert_eq!(state.cosigned(&origin, &witness(1)), Ok(None));
    let mut given = Vec::new();
    for (old, size) in [(0, 0), (0, 7), (7, 30), (30, 30)] {
        // Other lines than the log's are not kept.
        let mut request = request(&log, old, size);
        request.note = request.note.with_signature(witness(2).cosign_line(request.note.text(), 5)).unwrap();
        let pending = state.prepare(&logs(), &request, DAY_S + given.len() as u64).unwrap();
        state.apply(&pending).unwrap();
        given.push(pending.persisted(&witness(1)).unwrap());
        let shown = state.cosigned(&origin, &witness(1)).unwrap().unwrap();
        assert_eq!(Checkpoint::verify(&shown, &log_key()).unwrap().head(), log.head(size));
        let first = given.get(2).unwrap_or_else(|| given.last().unwrap());
        assert_eq!(shown.signatures(), [log.signed(size).signatures()[0].clone(), first.clone()]);
    }
    let read = WitnessState::from_canonical(&state.to_canonical()).unwrap();
    assert_eq!(read.cosigned(&origin, &witness(1)), state.cosigned(&origin, &witness(1)));
}

/// Heads that were written down before a witness could show them again hold as ever.
#[test]
fn a_state_without_the_line_of_the_log_is_read_and_completed() {
    let log = TestLog::new(9);
    let origin = ORIGIN.parse().unwrap();
    let mut old = vec![0x81, 0x82, 0x60 + ORIGIN.len() as u8];
    old.extend(ORIGIN.as_bytes());
    old.extend([0x82, 0x09, 0x58, 0x20]);
    old.extend(log.head(9).root.as_bytes());
    let mut state = WitnessState::from_canonical(&old).unwrap();
    assert_eq!((state.head(&origin), state.to_canonical()), (Some(log.head(9)), old.clone()));
    assert_eq!(state.cosigned(&origin, &witness(1)), Ok(None));
    let pending = state.prepare(&logs(), &request(&log, 9, 9), DAY_S).unwrap();
    state.apply(&pending).unwrap();
    let shown = state.cosigned(&origin, &witness(1)).unwrap().unwrap();
    assert_eq!(shown.signatures()[1], pending.persisted(&witness(1)).unwrap());
    assert_eq!(state.to_canonical()[..2], [0x81, 0x83]);
    // A time that nobody can have.
    let mut late = state.to_canonical();
    let place = late.windows(5).position(|bytes| bytes == [0x1a, 0x6b, 0x49, 0xd2, 0x00]).unwrap();
    let far = [&[0x1b][..], &(COSIGNATURE_TIME_MAX_S + 1).to_be_bytes()].concat();
    late.splice(place..place + 5, far);
    assert!(WitnessState::from_canonical(&late).is_err());
}

#[test]
fn a_policy_counts_each_witness_once() {
    let log = TestLog::new(5);
    let note = log.signed(5);
    let line = |n, time_s| witness(n).cosign_line(note.text(), time_s);
    let with = |lines: &[NoteSignature]| {
        let note = lines.iter().fold(note.clone(), |note, line| note.with_signature(line.clone()).unwrap());
        verify_cosigned(&note, &log_key(), &policy(2))
    };
    let below = |got| Err(PolicyError::BelowQuorum { got, quorum: 2 });
    assert_eq!(with(&[]), below(0));
    assert_eq!(with(&[line(1, DAY_S)]), below(1));
    assert_eq!(with(&[line(1, DAY_S), line(1, DAY_S + 1)]), below(1));
    assert_eq!(with(&[line(1, DAY_S), line(9, DAY_S)]), below(1));
    let head = with(&[line(1, DAY_S), line(2, DAY_S + 5), line(9, DAY_S)]).unwrap();
    assert_eq!((head.attested_s(), head.outside(), head.cosigned().len()), (DAY_S, 0, 2));
    let head = with(&[line(1, DAY_S), line(2, DAY_S + 5), line(3, DAY_S + 9)]).unwrap();
    assert_eq!((head.attested_s(), head.outside()), (DAY_S + 5, 1));
    let newest = with(&[line(1, DAY_S), line(1, DAY_S + 7), line(2, DAY_S + 6)]).unwrap();
    assert_eq!(newest.attested_s(), DAY_S + 6);
    // One witness that lies about the time does not move the time of the head.
    let lied = with(&[line(1, DAY_S), line(2, DAY_S + 5), line(3, COSIGNATURE_TIME_MAX_S)]).unwrap();
    assert_eq!(lied.attested_s(), DAY_S + 5);

    let bad = |line: NoteSignature| {
        matches!(
            with(&[self::witness(2).cosign_line(note.text(), DAY_S), line]),
            Err(PolicyError::BadCosignature { .. })
        )
    };
    assert!(bad(line(1, COSIGNATURE_TIME_MAX_S + 1)));
    assert!(bad(witness(1).cosign_line("another text\n", DAY_S)));
    let mut moved = line(1, DAY_S);
    moved.signature[7] ^= 1;
    assert!(bad(moved));
    assert!(bad(NoteSignature { signature: vec![1; 71], ..line(1, DAY_S) }));
    assert!(bad(NoteSignature { signature: vec![1; 7], ..line(1, DAY_S) }));
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    let key = |n: u8, seed: u8, outside| {
        let signer = TestSigner::new(&format!("w{n}"), seed);
        WitnessKey::new(signer.name().parse().unwrap(), &signer.public_key(), outside).unwrap()
    };
    let count = |n: usize| WitnessPolicy::new((0..n).map(|n| key(n as u8, n as u8, false)).collect(), 1);
    assert!(count(POLICY_MAX_WITNESSES).is_ok());
    let got = POLICY_MAX_WITNESSES + 1;
    assert_eq!(count(got), Err(PolicyError::WitnessCount { got }));
    assert_eq!(count(0), Err(PolicyError::WitnessCount { got: 0 }));
    let three = || vec![key(1, 1, false), key(2, 2, false), key(3, 3, true)];
    assert!(WitnessPolicy::new(three(), 3).is_ok());
    for quorum in [0, 4] {
        assert_eq!(WitnessPolicy::new(three(), quorum), Err(PolicyError::Quorum { quorum, witnesses: 3 }));
    }
    for twin in [key(1, 4, false), key(4, 1, false)] {
        let witnesses = [three(), vec![twin]].concat();
        assert_eq!(WitnessPolicy::new(witnesses, 2), Err(PolicyError::SharedKey));
    }
    let needs_outside = |outside: [bool; 3], quorum| {
        let witnesses = (1..).zip(outside).map(|(n, outside)| key(n, n, outside)).collect();
        WitnessPolicy::new(witnesses, quorum).unwrap().quorum_needs_outside()
    };
    assert!(!needs_outside([false, false, true], 2));
    assert!(needs_outside([false, true, true], 2));
    assert!(needs_outside([false, false, true], 3));
}

#[test]
fn a_quorum_gives_the_time_for_a_nonce() {
    let nonce = [7; 32];
    let answer = |n, nonce, time_s| sign_time(&TimeStatement { nonce, time_s }, &witness(n)).unwrap();
    let time = |answers: &[WitnessTime]| verify_witness_time(&nonce, answers, &policy(2));
    assert_eq!(time(&[answer(1, nonce, 50), answer(2, nonce, 60), answer(3, nonce, 55)]), Ok(55));
    assert_eq!(time(&[answer(1, nonce, 50), answer(2, nonce, u64::MAX >> 1)]), Ok(50));
    let below = |got| Err(TimeError::Quorum(PolicyError::BelowQuorum { got, quorum: 2 }));
    assert_eq!(time(&[]), below(0));
    assert_eq!(time(&[answer(1, nonce, 50), answer(1, nonce, 60)]), below(1));
    assert_eq!(time(&[answer(1, nonce, 50), answer(2, [8; 32], 60)]), below(1), "an old answer");
    assert_eq!(time(&[answer(1, nonce, 50), answer(9, nonce, 60)]), below(1), "a stranger");
    assert_eq!(time(&[answer(1, nonce, 50), answer(2, nonce, u64::MAX)]), below(1));
    let many = vec![answer(1, nonce, 50); TIME_MAX_STATEMENTS + 1];
    assert_eq!(time(&many), Err(TimeError::TooMany { got: TIME_MAX_STATEMENTS + 1 }));
    assert_eq!(time(&many[1..]), below(1));

    let good = answer(1, nonce, 50);
    let others = [answer(2, nonce, 40)];
    for flipped in bit_flips(&good.to_canonical()) {
        let Ok(read) = WitnessTime::from_canonical(&flipped) else { continue };
        assert_eq!(time(&[others.as_slice(), &[read]].concat()), below(1));
    }
    let mut expected = b"ward/v1/witness-time".to_vec();
    expected.extend([7; 32]);
    expected.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(TimeStatement { nonce, time_s: 258 }.message(), expected);
}
