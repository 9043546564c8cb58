//! What the signatures alone cost on this machine, measured in the same run: the work that Ward
//! does for every push and the bare server does not.

use crate::pens::Clients;
use crate::stopwatch::{Course, race};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey,
};
use ward_crypto::{Envelope, SignPublicKey, verify_envelopes};
use ward_id::Canonical as _;

/// Bytes that a DPoP proof signs.
const PROOF_BYTES: usize = 560;
/// Bytes that a receipt signs: a label and a hash.
const RECEIPT_BYTES: usize = 47;

/// CPU time of the mandatory signature work, µs.
#[derive(Clone, Copy)]
pub struct Primitives {
    proof: f64,
    receipt: f64,
    envelope: f64,
    envelope_of_64: f64,
}

impl Primitives {
    /// Measures on this thread.
    pub fn measure(clients: &Clients) -> Self {
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let proof = [0x5a; PROOF_BYTES];
        let proof_signature = p256.sign(&SystemRandom::new(), &proof).unwrap();
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p256.public_key().as_ref()).unwrap();
        let log = Ed25519KeyPair::generate().unwrap();
        let (author, envelopes) = clients.sample(64);
        let envelopes: Vec<Envelope> =
            envelopes.iter().map(|bytes| Envelope::from_canonical(bytes).unwrap()).collect();
        let pairs: Vec<(&Envelope, &SignPublicKey)> = envelopes.iter().map(|one| (one, author)).collect();
        let verify = |pairs: &[(&Envelope, &SignPublicKey)]| {
            assert!(verify_envelopes(pairs).iter().all(Result::is_ok));
        };
        let (check, sign) = ("P-256 check of a proof", "Ed25519 signature of a receipt");
        let (one, many) = ("Ed25519 check of an envelope", "64 Ed25519 checks in a batch");
        println!("\nthe signatures alone, on one thread");
        let times = race(vec![
            Course::each(check, 300, || key.verify_sig(&proof, proof_signature.as_ref()).unwrap()),
            Course::each(sign, 300, || log.sign(&[7; RECEIPT_BYTES])),
            Course::each(one, 300, || verify(&pairs[..1])),
            Course::each(many, 20, || verify(&pairs)),
        ]);
        times.print();
        Self {
            proof: times.us(check),
            receipt: times.us(sign),
            envelope: times.us(one),
            envelope_of_64: times.us(many) / 64.0,
        }
    }

    /// For one operation, when a request brings so many.
    pub fn us_an_operation(&self, operations_a_request: usize) -> f64 {
        let envelope = if operations_a_request == 1 { self.envelope } else { self.envelope_of_64 };
        (self.proof + self.receipt) / operations_a_request as f64 + envelope
    }
}
