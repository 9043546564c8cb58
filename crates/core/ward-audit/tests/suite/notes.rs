//! Notes, keys and checkpoints: known answers, one spelling, limits, and every flipped bit.

use crate::fixture::*;
use ward_audit::limits::*;
use ward_audit::*;
use ward_id::TreeRoot;

/// The published example of the note format.
const KNOWN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const KNOWN_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
then you don't know what your problem is.\n\n\
\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
/// The published example of a cosigned checkpoint.
const KNOWN_CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn the_known_key_checks_the_known_note() {
    let key: VerifierKey = KNOWN_KEY.parse().unwrap();
    assert_eq!(key.to_string(), KNOWN_KEY);
    assert_eq!(key.id(), [0xc7, 0x4f, 0x20, 0xa3]);
    let note: SignedNote = KNOWN_NOTE.parse().unwrap();
    assert_eq!(note.to_string(), KNOWN_NOTE);
    // It is a note of that key, but not a checkpoint; the signature itself is checked here.
    let line = &note.signatures()[0];
    assert!(key.is_named_by(line));
    let public_key = ed25519_dalek::VerifyingKey::from_bytes(key.public_key()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&line.signature).unwrap();
    assert!(public_key.verify_strict(note.text().as_bytes(), &signature).is_ok());
    assert!(matches!(Checkpoint::verify(&note, &key), Err(CheckpointError::Layout)));
}

#[test]
fn the_known_checkpoint_reads_and_writes_back() {
    let note: SignedNote = KNOWN_CHECKPOINT.parse().unwrap();
    assert_eq!(note.to_string(), KNOWN_CHECKPOINT);
    let checkpoint: Checkpoint = note.text().parse().unwrap();
    assert_eq!(checkpoint.to_string(), note.text());
    assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(note.signatures()[1].signature[..8], 1_679_315_147u64.to_be_bytes());
}

#[test]
fn keys_have_one_spelling() {
    let text = log_key().to_string();
    assert_eq!(text.parse(), Ok(log_key()));
    for flipped in bit_flips(text.as_bytes()) {
        let read = String::from_utf8(flipped).map(|text| text.parse::<VerifierKey>());
        assert!(!matches!(read, Ok(Ok(_))));
    }
    // Points of small order: signatures under them prove nothing.
    for weak in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let name: SignerName = ORIGIN.parse().unwrap();
        assert_eq!(VerifierKey::new(name, SignatureKind::Log, &weak), Err(KeyError::BadPoint));
    }
}

#[test]
fn names_follow_the_rules() {
    for good in ["a", "ward.example/0011/mlog", "é", &"n".repeat(SIGNER_NAME_MAX_BYTES)] {
        assert!(good.parse::<SignerName>().is_ok(), "{good}");
    }
    let too_long = "n".repeat(SIGNER_NAME_MAX_BYTES + 1);
    for bad in ["", "a b", "a+b", "a\u{a0}b", "a\u{2003}b", "a\nb", "a\u{7f}b", "a\tb", &too_long] {
        assert_eq!(bad.parse::<SignerName>(), Err(NoteError::Name), "{bad:?}");
    }
}

#[test]
fn every_bit_of_a_cosigned_checkpoint_counts() {
    let note = TestLog::new(9).cosigned(9, DAY_S).to_string();
    let verified = |text: &str| {
        text.parse::<SignedNote>().is_ok_and(|note| verify_cosigned(&note, &log_key(), &policy(2)).is_ok())
    };
    assert!(verified(&note));
    for flipped in bit_flips(note.as_bytes()) {
        if let Ok(text) = String::from_utf8(flipped) {
            assert!(!verified(&text), "{text}");
        }
    }
    for cut in (0..note.len()).filter(|cut| note.is_char_boundary(*cut)) {
        assert!(!verified(&note[..cut]));
    }
}

#[test]
fn notes_are_read_strictly() {
    let good = TestLog::new(3).signed(3).to_string();
    let line = good.lines().last().unwrap();
    let with = |text: &str| text.parse::<SignedNote>();
    assert!(with(&good).is_ok());
    let cases = [
        (good.trim_end().to_string(), NoteError::Layout),
        (format!("{good}\n"), NoteError::Layout),
        (good.replace("\n\n", "\n"), NoteError::Layout),
        (good.replace('\n', "\r\n"), NoteError::ControlCharacter),
        (good.replace('=', "\0"), NoteError::ControlCharacter),
        (good.replace("\u{2014} ", "- "), NoteError::SignatureLine),
        (good.replace("\u{2014} ", "\u{2014}  "), NoteError::Name),
        (format!("{good}{line} \n"), NoteError::SignatureLine),
        (format!("{good}\u{2014} name AAAA\n"), NoteError::SignatureLine),
        (format!("{good}\u{2014} name AAAAAA==\n"), NoteError::SignatureLine),
        (format!("{good}\u{2014} name AAAAAAE\n"), NoteError::SignatureLine),
        (format!("{good}\u{2014} na+me AAAAAAE=\n"), NoteError::Name),
        ("\n\n".to_string(), NoteError::Layout),
        ("\n\n\n".to_string(), NoteError::Layout),
        (String::new(), NoteError::Layout),
    ];
    for (text, expected) in cases {
        assert_eq!(with(&text), Err(expected), "{text:?}");
    }
    assert!(with(&format!("{good}\u{2014} name AAAAAAE=\n")).is_ok());
}

#[test]
fn note_limits_at_and_one_past() {
    let note = TestLog::new(3).signed(3);
    let line = |n: usize, bytes: usize| NoteSignature {
        name: format!("witness{n}").parse().unwrap(),
        key_id: [1, 2, 3, 4],
        signature: vec![5; bytes],
    };
    let full = (1..NOTE_MAX_SIGNATURES).try_fold(note.clone(), |note, n| note.with_signature(line(n, 72)));
    let full = full.unwrap();
    assert_eq!(full.signatures().len(), NOTE_MAX_SIGNATURES);
    assert_eq!(full.with_signature(line(99, 72)), Err(NoteError::SignatureCount { got: 17 }));
    assert!(note.with_signature(line(1, NOTE_SIGNATURE_MAX_BYTES)).is_ok());
    let too_long = note.with_signature(line(1, NOTE_SIGNATURE_MAX_BYTES + 1));
    assert_eq!(too_long, Err(NoteError::SignatureLine));

    let signature = note.signatures()[0].to_string();
    let room = NOTE_MAX_BYTES - signature.len() - 3;
    let sized = |bytes: usize| format!("{}\n\n{signature}\n", "t".repeat(bytes)).parse::<SignedNote>();
    assert!(sized(room).is_ok());
    assert_eq!(sized(room + 1), Err(NoteError::TooLong { bytes: NOTE_MAX_BYTES + 1 }));
}

#[test]
fn checkpoints_are_read_strictly() {
    let log = TestLog::new(3);
    let good = log.checkpoint(3).to_string();
    let root = good.lines().last().unwrap();
    let cases = [
        (good.trim_end().to_string(), CheckpointError::Layout),
        (format!("{ORIGIN}\n3\n"), CheckpointError::Layout),
        (format!("{good}extension\n"), CheckpointError::Extension),
        (format!("{good}\n"), CheckpointError::Extension),
        (format!("{ORIGIN}\n03\n{root}\n"), CheckpointError::Size),
        (format!("{ORIGIN}\n+3\n{root}\n"), CheckpointError::Size),
        (format!("{ORIGIN}\n-3\n{root}\n"), CheckpointError::Size),
        (format!("{ORIGIN}\n\n{root}\n"), CheckpointError::Size),
        (format!("{ORIGIN}\n{}\n{root}\n", TREE_SIZE_MAX + 1), CheckpointError::Size),
        (format!("{ORIGIN}\n18446744073709551616\n{root}\n"), CheckpointError::Size),
        (format!("{ORIGIN}\n3\n{}\n", &root[..40]), CheckpointError::Root),
        (format!("{ORIGIN}\n3\n{}\n", root.trim_end_matches('=')), CheckpointError::Root),
        (format!("{ORIGIN}\n0\n{root}\n"), CheckpointError::Root),
        (format!("\n3\n{root}\n"), CheckpointError::Note(NoteError::Name)),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Checkpoint>(), Err(expected), "{text:?}");
    }
    assert!(format!("{ORIGIN}\n{TREE_SIZE_MAX}\n{root}\n").parse::<Checkpoint>().is_ok());
    let empty = Checkpoint::new(ORIGIN.parse().unwrap(), TreeHead::empty()).unwrap();
    assert_eq!(empty.to_string().parse(), Ok(empty));
}

#[test]
fn a_checkpoint_needs_the_key_of_its_log() {
    let note = TestLog::new(3).signed(3);
    let head = Checkpoint::verify(&note, &log_key()).unwrap().head();
    assert_eq!(head, TestLog::new(3).head(3));
    let other_key = TestSigner::new(ORIGIN, 9).verifier(SignatureKind::Log);
    assert_eq!(Checkpoint::verify(&note, &other_key), Err(CheckpointError::NotSigned));
    let other_log = TestSigner::new("ward.example/0011/mlog", 1).verifier(SignatureKind::Log);
    assert_eq!(Checkpoint::verify(&note, &other_log), Err(CheckpointError::OtherOrigin));
    let as_witness = log_signer().verifier(SignatureKind::Cosignature);
    assert_eq!(Checkpoint::verify(&note, &as_witness), Err(CheckpointError::NotSigned));
    let stranger = TestSigner::new("stranger", 1);
    let checkpoint = TestLog::new(3).checkpoint(3);
    assert_eq!(sign_checkpoint(&checkpoint, &stranger), Err(CheckpointError::OtherOrigin));
    // A second line of the same key that does not verify spoils the note.
    let forged = NoteSignature { signature: vec![7; 64], ..note.signatures()[0].clone() };
    let spoilt = note.with_signature(forged).unwrap();
    assert_eq!(Checkpoint::verify(&spoilt, &log_key()), Err(CheckpointError::BadSignature));
}

proptest::proptest! {
    #[test]
    fn whatever_is_accepted_is_written_back(edit in proptest::collection::vec((0usize..400, proptest::prelude::any::<char>()), 1..4)) {
        let mut text: Vec<char> = TestLog::new(3).cosigned(3, DAY_S).to_string().chars().collect();
        for (place, c) in edit {
            let place = place % text.len();
            text[place] = c;
        }
        let text: String = text.into_iter().collect();
        if let Ok(note) = text.parse::<SignedNote>() {
            proptest::prop_assert_eq!(note.to_string(), text);
            if let Ok(checkpoint) = note.text().parse::<Checkpoint>() {
                proptest::prop_assert_eq!(checkpoint.to_string(), note.text());
            }
        }
    }

    #[test]
    fn checkpoints_parse_back(size in 1u64..=TREE_SIZE_MAX, bytes: [u8; 32]) {
        let head = TreeHead { size, root: TreeRoot::from_bytes(bytes) };
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), head).unwrap();
        proptest::prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }
}
