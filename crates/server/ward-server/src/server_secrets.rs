//! The server's own secrets. None of them opens a chart: they issue tokens and keep what a
//! stolen database would otherwise give away.

use crate::clock::{Entropy, EntropyError, random};
use crate::jose::sha2_256;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use ward_id::TicketId;
use ward_store::{FamilyId, RefreshHash};
use zeroize::Zeroizing;

/// What is derived from the server's key file.
pub(crate) struct ServerSecrets {
    token_seed: Zeroizing<[u8; 32]>,
    refresh: hmac::Key,
    tickets: LessSafeKey,
}

/// The key file could not be turned into keys. It does not happen with 32 bytes of any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server's keys cannot be derived from its key file")]
pub struct ServerSecretsError;

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// A refresh token: wiped when dropped.
pub(crate) type RefreshBytes = Zeroizing<[u8; 32]>;

impl ServerSecrets {
    /// Three keys from one seed, each with a label of its own (RFC 5869 §3.2).
    pub(crate) fn derive(seed: &[u8; 32]) -> Result<Self, ServerSecretsError> {
        let prk = Salt::new(HKDF_SHA256, b"ward/server/v1").extract(seed);
        let expand = |label: &[u8]| -> Result<Zeroizing<[u8; 32]>, ServerSecretsError> {
            let mut out = Zeroizing::new([0; 32]);
            let info = [label];
            let okm = prk.expand(&info, Bytes32).map_err(|_| ServerSecretsError)?;
            okm.fill(out.as_mut_slice()).map_err(|_| ServerSecretsError)?;
            Ok(out)
        };
        let tickets =
            UnboundKey::new(&AES_256_GCM, expand(b"tickets")?.as_slice()).map_err(|_| ServerSecretsError)?;
        Ok(Self {
            token_seed: expand(b"tokens")?,
            refresh: hmac::Key::new(hmac::HMAC_SHA256, expand(b"refresh")?.as_slice()),
            tickets: LessSafeKey::new(tickets),
        })
    }

    /// Seed of the key that signs access tokens.
    pub(crate) fn token_seed(&self) -> &[u8; 32] {
        &self.token_seed
    }

    /// The refresh token of one generation of a family: it follows from the two, so that the same
    /// successor can be given twice without keeping it.
    pub(crate) fn refresh_token(&self, family: FamilyId, generation: u64) -> RefreshBytes {
        let message = [family.as_bytes().as_slice(), &generation.to_be_bytes()].concat();
        let tag = hmac::sign(&self.refresh, &message);
        Zeroizing::new(tag.as_ref().try_into().unwrap_or_default())
    }

    /// Seals the key that checks proofs for a ticket, bound to the ticket.
    pub(crate) fn seal_ticket_key(
        &self,
        ticket: TicketId,
        srv: &[u8; 32],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EntropyError> {
        let nonce: [u8; NONCE_LEN] = random(entropy)?;
        let mut sealed = srv.to_vec();
        let aad = Aad::from(ticket.as_bytes());
        let unique = Nonce::assume_unique_for_key(nonce);
        self.tickets.seal_in_place_append_tag(unique, aad, &mut sealed).map_err(|_| EntropyError)?;
        sealed.extend_from_slice(&nonce);
        Ok(sealed)
    }

    /// Opens it again; `None` when it was sealed for another ticket or by another key file.
    pub(crate) fn open_ticket_key(&self, ticket: TicketId, sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (ciphertext, nonce) = sealed.split_last_chunk::<NONCE_LEN>()?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let aad = Aad::from(ticket.as_bytes());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.tickets.open_in_place(nonce, aad, buffer.as_mut_slice()).ok()?;
        <[u8; 32]>::try_from(&*opened).ok().map(Zeroizing::new)
    }
}

/// What the store knows a refresh token by.
pub(crate) fn refresh_hash(token: &[u8; 32]) -> RefreshHash {
    RefreshHash::from_bytes(sha2_256::digest(&[token]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_ticket_key_opens_for_its_ticket_only() {
        let secrets = ServerSecrets::derive(&[1; 32]).unwrap();
        let (one, two) = (TicketId::from_bytes([1; 16]), TicketId::from_bytes([2; 16]));
        let sealed = secrets.seal_ticket_key(one, &[9; 32], &SystemEntropy).unwrap();
        assert_eq!(secrets.open_ticket_key(one, &sealed).map(|key| *key), Some([9; 32]));
        assert!(secrets.open_ticket_key(two, &sealed).is_none());
        assert!(ServerSecrets::derive(&[2; 32]).unwrap().open_ticket_key(one, &sealed).is_none());
        assert!(secrets.open_ticket_key(one, &[]).is_none());
    }

    #[test]
    fn refresh_tokens_follow_from_family_and_generation() {
        let secrets = ServerSecrets::derive(&[1; 32]).unwrap();
        let family = FamilyId::from_bytes([3; 16]);
        assert_eq!(*secrets.refresh_token(family, 1), *secrets.refresh_token(family, 1));
        assert_ne!(*secrets.refresh_token(family, 1), *secrets.refresh_token(family, 2));
        assert_ne!(
            *secrets.refresh_token(family, 1),
            *secrets.refresh_token(FamilyId::from_bytes([4; 16]), 1)
        );
    }
}
