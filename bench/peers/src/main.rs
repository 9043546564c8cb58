//! Ward beside other libraries: `cargo run --release --manifest-path bench/peers/Cargo.toml`.
//!
//! The same work on the same bytes in the same run, in turns, CPU time of the thread, best of ten.
//! A peer does less than Ward where it has no such part; the table says what is compared.

#[path = "../../stopwatch.rs"]
mod stopwatch;

use aws_lc_rs::{aead as lc_aead, digest as lc_digest, hkdf as lc_hkdf, signature as lc_signature};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ring::{aead as ring_aead, digest as ring_digest, hkdf as ring_hkdf, signature as ring_signature};
use std::hint::black_box;
use stopwatch::{Course, quick, race};
use ward_audit::{MemoryTree, inclusion_proof, leaf_hash, verify_inclusion};
use ward_crypto::{
    BatchVerifier, EnvelopeHeader, EpochSecret, HedgeKey, SignKey, Suite, V1, labels, random_bytes, random_id,
    seal_envelope, sha256,
};
use ward_id::{EntryId, Incarnation, TreeRoot};

/// What an entry with a payload of 1 KiB comes to.
const PLAINTEXT_BYTES: usize = 1_243;
const PADDED_BYTES: usize = 1_536;
const BATCH: usize = 64;

fn main() {
    stopwatch::print_machine();
    println!("\nsealing an entry with 1 KiB of payload: hedged salt, HKDF, commitment, AES-256-GCM, SHA-256, Ed25519");
    sealing();
    println!("\nverifying 64 Ed25519 signatures of one key, each of its own message");
    verifying();
    let leaves: usize = if quick() { 10_000 } else { 1_000_000 };
    println!("\na Merkle log of {leaves} leaves in memory");
    log(leaves);
}

fn sealing() {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (sign, hedge) = (SignKey::generate(&mut rng), HedgeKey::generate(&mut rng));
    let chart = random_id(&mut rng);
    let secret = EpochSecret::from_secret_bytes(chart, 0, &random_bytes(&mut rng));
    let header = EnvelopeHeader {
        v: V1,
        suite: Suite::W1,
        site: random_id(&mut rng),
        chart,
        epoch: 0,
        device: random_id(&mut rng),
        incarnation: Incarnation(7),
        seq: 1,
        entry_id: EntryId::from_bytes([1; 32]),
        mlog_size: 1,
        mlog_root: TreeRoot::from_bytes([2; 32]),
    };
    let plaintext = vec![7; PLAINTEXT_BYTES];
    let padded = vec![7; PADDED_BYTES];
    let ring_key = ring_signature::Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("32 bytes are a seed");
    let lc_key = lc_signature::Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("32 bytes are a seed");
    race(vec![
        Course::each("Ward, with padding, header and canonical encoding", 1_024, || {
            seal_envelope(&secret, header.clone(), &plaintext, &sign, &hedge, &mut rng).expect("it seals")
        }),
        Course::each("ring, the primitives alone", 1_024, || ring_seal(&padded, &ring_key)),
        Course::each("aws-lc, the primitives alone", 1_024, || lc_seal(&padded, &lc_key)),
    ])
    .print();
}

struct Length(usize);

impl ring_hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl lc_hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn ring_seal(padded: &[u8], key: &ring_signature::Ed25519KeyPair) -> (Vec<u8>, Vec<u8>) {
    let context = ring_digest::digest(&ring_digest::SHA256, &[9; 200]);
    let body = ring_digest::digest(&ring_digest::SHA256, padded);
    let salt = ring_digest::digest(&ring_digest::SHA256, body.as_ref());
    let mut okm = [0; 76];
    ring_hkdf::Salt::new(ring_hkdf::HKDF_SHA256, salt.as_ref())
        .extract(&[5; 32])
        .expand(&[context.as_ref()], Length(76))
        .and_then(|out| out.fill(&mut okm))
        .expect("76 bytes are allowed");
    let cipher = ring_aead::UnboundKey::new(&ring_aead::AES_256_GCM, &okm[..32]).expect("32 bytes are a key");
    let nonce = ring_aead::Nonce::try_assume_unique_for_key(&okm[64..]).expect("12 bytes are a nonce");
    let mut sealed = padded.to_vec();
    ring_aead::LessSafeKey::new(cipher)
        .seal_in_place_append_tag(nonce, ring_aead::Aad::from(context.as_ref()), &mut sealed)
        .expect("it seals");
    let op = ring_digest::digest(&ring_digest::SHA256, &sealed);
    (sealed, key.sign(op.as_ref()).as_ref().to_vec())
}

fn lc_seal(padded: &[u8], key: &lc_signature::Ed25519KeyPair) -> (Vec<u8>, Vec<u8>) {
    let context = lc_digest::digest(&lc_digest::SHA256, &[9; 200]);
    let body = lc_digest::digest(&lc_digest::SHA256, padded);
    let salt = lc_digest::digest(&lc_digest::SHA256, body.as_ref());
    let mut okm = [0; 76];
    lc_hkdf::Salt::new(lc_hkdf::HKDF_SHA256, salt.as_ref())
        .extract(&[5; 32])
        .expand(&[context.as_ref()], Length(76))
        .and_then(|out| out.fill(&mut okm))
        .expect("76 bytes are allowed");
    let cipher = lc_aead::UnboundKey::new(&lc_aead::AES_256_GCM, &okm[..32]).expect("32 bytes are a key");
    let nonce = lc_aead::Nonce::try_assume_unique_for_key(&okm[64..]).expect("12 bytes are a nonce");
    let mut sealed = padded.to_vec();
    lc_aead::LessSafeKey::new(cipher)
        .seal_in_place_append_tag(nonce, lc_aead::Aad::from(context.as_ref()), &mut sealed)
        .expect("it seals");
    let op = lc_digest::digest(&lc_digest::SHA256, &sealed);
    (sealed, key.sign(op.as_ref()).as_ref().to_vec())
}

fn verifying() {
    let sign = SignKey::from_secret_bytes(&[3; 32]);
    let dalek = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let digests: Vec<[u8; 32]> = (0..BATCH as u8).map(|n| sha256(&[n])).collect();
    let labelled: Vec<_> = digests.iter().map(|digest| sign.sign_labelled(labels::MLOG, digest)).collect();
    let messages: Vec<&[u8]> = digests.iter().map(|digest| digest.as_slice()).collect();
    let plain: Vec<ed25519_dalek::Signature> =
        messages.iter().map(|message| ed25519_dalek::Signer::sign(&dalek, message)).collect();
    let keys = vec![dalek.verifying_key(); BATCH];
    let public = dalek.verifying_key().to_bytes();
    let ring_key = ring_signature::UnparsedPublicKey::new(&ring_signature::ED25519, public);
    let lc_key = lc_signature::UnparsedPublicKey::new(&lc_signature::ED25519, public);
    let times = |count: usize, mut work: Box<dyn FnMut() + '_>| (0..count.div_ceil(BATCH)).for_each(|_| work());
    race(vec![
        Course::new("Ward, cofactored, one sum", 1_024, |count| {
            times(
                count,
                Box::new(|| {
                    let mut batch = BatchVerifier::new();
                    for (digest, signature) in digests.iter().zip(&labelled) {
                        batch.push_labelled(sign.public(), labels::MLOG, digest, signature);
                    }
                    batch.verify().expect("they hold");
                }),
            );
        }),
        Course::new("ed25519-dalek verify_batch", 1_024, |count| {
            let work = || ed25519_dalek::verify_batch(&messages, &plain, &keys).expect("they hold");
            times(count, Box::new(work));
        }),
        Course::new("ed25519-dalek verify_strict, one by one", 256, |count| {
            times(
                count,
                Box::new(|| {
                    for (message, signature) in messages.iter().zip(&plain) {
                        keys[0].verify_strict(message, signature).expect("it holds");
                    }
                }),
            );
        }),
        Course::new("ring, one by one", 256, |count| {
            times(
                count,
                Box::new(|| {
                    for (message, signature) in messages.iter().zip(&plain) {
                        ring_key.verify(message, &signature.to_bytes()).expect("it holds");
                    }
                }),
            );
        }),
        Course::new("aws-lc, one by one", 256, |count| {
            times(
                count,
                Box::new(|| {
                    for (message, signature) in messages.iter().zip(&plain) {
                        lc_key.verify(message, &signature.to_bytes()).expect("it holds");
                    }
                }),
            );
        }),
    ])
    .print();
}

fn log(leaves: usize) {
    let data: Vec<[u8; 32]> = (0..leaves as u64).map(|n| sha256(&n.to_be_bytes())).collect();
    let mut ours = MemoryTree::new();
    let mut theirs = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    data.iter().for_each(|leaf| ours.append(leaf_hash(leaf)));
    data.iter().for_each(|leaf| theirs.push(leaf.to_vec()));
    let (our_root, their_root) = (ours.root(), theirs.root());
    assert_eq!(our_root.as_bytes().as_slice(), their_root.as_bytes().as_slice(), "both are RFC 6962");
    let index = leaves * 2 / 3;
    let our_proof = inclusion_proof(&ours, index as u64, leaves as u64).expect("the tree is in memory");
    let their_proof = theirs.prove_inclusion(index);
    let leaf = data[index].to_vec();
    race(vec![
        Course::new("ward-audit, append", 4_096, |count| {
            let mut tree = MemoryTree::new();
            data.iter().take(count).for_each(|leaf| tree.append(leaf_hash(leaf)));
            black_box(tree);
        }),
        Course::new("ct-merkle, append", 4_096, |count| {
            let mut tree = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            data.iter().take(count).for_each(|leaf| tree.push(leaf.to_vec()));
            black_box(tree);
        }),
        Course::each("ward-audit, inclusion proof made", 1_024, || {
            inclusion_proof(&ours, index as u64, leaves as u64).expect("the tree is in memory")
        }),
        Course::each("ct-merkle, inclusion proof made", 1_024, || theirs.prove_inclusion(index)),
        Course::each("ward-audit, inclusion proof checked", 1_024, || {
            verify_inclusion(index as u64, leaves as u64, &leaf_hash(&leaf), &our_root, &our_proof).expect("it holds")
        }),
        Course::each("ct-merkle, inclusion proof checked", 1_024, || {
            their_root.verify_inclusion(&leaf, index as u64, &their_proof).expect("it holds")
        }),
    ])
    .print();
}
