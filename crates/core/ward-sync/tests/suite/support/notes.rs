//! Checkpoints as a site's log and its witnesses sign them.

use super::Site;
use ward_audit::{
    AddCheckpoint, Checkpoint, NoteSigner, SignatureKind, SignedNote, TreeHead, VerifierKey, WitnessLogs,
    WitnessState, sign_checkpoint,
};
use ward_crypto::SignKey;

struct Signer<'a> {
    name: &'a str,
    key: &'a SignKey,
}

impl NoteSigner for Signer<'_> {
    fn name(&self) -> &str {
        self.name
    }
    fn public_key(&self) -> [u8; 32] {
        *self.key.public().as_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.key.sign_note(message).unwrap().as_bytes()
    }
}

/// A head of a log with the cosignatures of so many witnesses.
pub fn cosigned_note(site: &Site, origin: &str, head: TreeHead, witnesses: usize) -> Vec<u8> {
    let (log_key, keys) = site.log_keys.split_last().unwrap();
    let checkpoint = Checkpoint::new(origin.parse().unwrap(), head).unwrap();
    let mut note: SignedNote = sign_checkpoint(&checkpoint, &Signer { name: origin, key: log_key }).unwrap();
    let log = VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, log_key.public().as_bytes());
    let logs = WitnessLogs::new([log.unwrap()]).unwrap();
    for (number, key) in keys.iter().enumerate().take(witnesses) {
        let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note: note.clone() };
        let pending = WitnessState::new().prepare(&logs, &request, 1_000).unwrap();
        let name = format!("witness{number}.example");
        note = note.with_signature(pending.persisted(&Signer { name: &name, key }).unwrap()).unwrap();
    }
    note.to_string().into_bytes()
}
