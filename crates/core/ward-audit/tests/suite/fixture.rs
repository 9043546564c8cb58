//! Signers, a small log and a naive tree for tests. The naive tree follows the recursive
//! definitions of RFC 6962 §2.1 word by word and shares no code with the crate.
#![allow(dead_code, reason = "each test file uses its own part of the fixture")]

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};
use ward_audit::*;
use ward_id::{EnvelopeHash, TreeRoot};

pub const ORIGIN: &str = "ward.example/0011/olog";
pub const DAY_S: u64 = 1_800_000_000;

pub struct TestSigner {
    name: String,
    key: SigningKey,
}

impl TestSigner {
    pub fn new(name: &str, seed: u8) -> Self {
        Self { name: name.to_string(), key: SigningKey::from_bytes(&[seed; 32]) }
    }

    pub fn verifier(&self, kind: SignatureKind) -> VerifierKey {
        VerifierKey::new(self.name.parse().unwrap(), kind, &self.public_key()).unwrap()
    }

    /// A cosignature as a witness without scruples makes it.
    pub fn cosign_line(&self, text: &str, time_s: u64) -> NoteSignature {
        let mut signature = time_s.to_be_bytes().to_vec();
        signature.extend(self.sign(cosignature_message(time_s, text).as_bytes()));
        let key = self.verifier(SignatureKind::Cosignature);
        NoteSignature { name: key.name().clone(), key_id: key.id(), signature }
    }
}

impl NoteSigner for TestSigner {
    fn name(&self) -> &str {
        &self.name
    }

    fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

pub fn log_signer() -> TestSigner {
    TestSigner::new(ORIGIN, 1)
}

pub fn log_key() -> VerifierKey {
    log_signer().verifier(SignatureKind::Log)
}

pub fn witness(n: u8) -> TestSigner {
    TestSigner::new(&format!("witness.example/w{n}"), 10 + n)
}

pub fn policy(quorum: usize) -> WitnessPolicy {
    let key = |n| {
        let signer = witness(n);
        WitnessKey::new(signer.name().parse().unwrap(), &signer.public_key(), n == 3).unwrap()
    };
    WitnessPolicy::new(vec![key(1), key(2), key(3)], quorum).unwrap()
}

/// A log in memory whose operator signs whatever is asked.
#[derive(Clone)]
pub struct TestLog {
    pub leaves: Vec<Vec<u8>>,
}

impl TestLog {
    pub fn new(count: usize) -> Self {
        Self { leaves: (0..count).map(envelope_leaf).collect() }
    }

    pub fn tree(&self) -> MemoryTree {
        let mut tree = MemoryTree::new();
        self.leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
        tree
    }

    pub fn head(&self, size: usize) -> TreeHead {
        TreeHead { size: size as u64, root: root_at(&self.tree(), size as u64).unwrap() }
    }

    pub fn checkpoint(&self, size: usize) -> Checkpoint {
        Checkpoint::new(ORIGIN.parse().unwrap(), self.head(size)).unwrap()
    }

    pub fn signed(&self, size: usize) -> SignedNote {
        sign_checkpoint(&self.checkpoint(size), &log_signer()).unwrap()
    }

    /// Cosigned by witnesses 1 and 2 at that time.
    pub fn cosigned(&self, size: usize, time_s: u64) -> SignedNote {
        let note = self.signed(size);
        let lines = [1, 2].map(|n| witness(n).cosign_line(note.text(), time_s));
        lines.into_iter().fold(note, |note, line| note.with_signature(line).unwrap())
    }

    pub fn consistency(&self, old: usize, new: usize) -> Vec<NodeHash> {
        consistency_proof(&self.tree(), old as u64, new as u64).unwrap()
    }

    pub fn inclusion(&self, index: usize, size: usize) -> Vec<NodeHash> {
        inclusion_proof(&self.tree(), index as u64, size as u64).unwrap()
    }
}

pub fn envelope_leaf(n: usize) -> Vec<u8> {
    envelope(n).as_bytes().to_vec()
}

pub fn envelope(n: usize) -> EnvelopeHash {
    EnvelopeHash::from_bytes(Sha256::digest((n as u64).to_be_bytes()).into())
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// MTH of RFC 6962 §2.1.
pub fn naive_root(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf]),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[1], &naive_root(left), &naive_root(right)])
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
pub fn naive_path(index: usize, leaves: &[Vec<u8>]) -> Vec<NodeHash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (naive_path(index, left), right)
    } else {
        (naive_path(index - left.len(), right), left)
    };
    path.push(NodeHash::from_bytes(naive_root(sibling)));
    path
}

/// SUBPROOF of RFC 6962 §2.1.2.
pub fn naive_subproof(old: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<NodeHash> {
    if old == leaves.len() {
        return if whole { vec![] } else { vec![NodeHash::from_bytes(naive_root(leaves))] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) = if old <= left.len() {
        (naive_subproof(old, left, whole), right)
    } else {
        (naive_subproof(old - left.len(), right, false), left)
    };
    proof.push(NodeHash::from_bytes(naive_root(sibling)));
    proof
}

pub fn root(bytes: [u8; 32]) -> TreeRoot {
    TreeRoot::from_bytes(bytes)
}

/// Every single-bit change of some bytes.
pub fn bit_flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

/// Every single-bit change of a proof.
pub fn proof_flips(proof: &[NodeHash]) -> impl Iterator<Item = Vec<NodeHash>> {
    let bytes: Vec<u8> = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
    (0..bytes.len() * 8).map(move |bit| {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped.chunks(32).map(|hash| NodeHash::from_slice(hash).unwrap()).collect()
    })
}
