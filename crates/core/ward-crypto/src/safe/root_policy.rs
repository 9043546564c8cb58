//! The root of trust of a site: a threshold of offline Ed25519 keys. Its hash is the pin that
//! every ticket carries, so nobody else can ever name members.

use super::digest::sha256;
use super::sign_key::SignPublicKey;
use crate::codec::{Signature, V1, checked, strictly_ascending};
use crate::limits::ROOT_KEYS_MAX;
use crate::{CryptoError, FormatError, Label};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, RootFingerprint, SiteId};

/// The fields of a root policy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RootPolicyFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The site that this root stands for.
    #[n(1)]
    pub site: SiteId,
    /// How many of the keys must sign.
    #[n(2)]
    pub threshold: u8,
    /// The keys, sorted and distinct.
    #[n(3)]
    pub keys: Vec<SignPublicKey>,
    /// Whether the keys were made on machines that are independent of each other.
    #[n(4)]
    pub independent: bool,
}

impl RootPolicyFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.keys.is_empty() || self.keys.len() > ROOT_KEYS_MAX {
            return Err(FormatError::OutOfRange("the number of root keys"));
        }
        if !strictly_ascending(&self.keys, |key| *key) {
            return Err(FormatError::NotSorted("root keys"));
        }
        if self.threshold == 0 || usize::from(self.threshold) > self.keys.len() {
            return Err(FormatError::OutOfRange("the threshold"));
        }
        Ok(())
    }
}

checked! {
    /// A root policy that keeps the rules: one to sixteen sorted keys and a threshold within them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    RootPolicy(RootPolicyFields)
}

impl RootPolicy {
    /// The pin: SHA-256 over the canonical bytes.
    pub fn fingerprint(&self) -> RootFingerprint {
        RootFingerprint::from_bytes(sha256(&self.to_canonical()))
    }

    /// The root key with this signer id.
    pub fn key_of_signer(&self, signer: &[u8; 16]) -> Option<&SignPublicKey> {
        self.keys.iter().find(|key| key.signer_id() == *signer)
    }

    /// Checks that at least `threshold` different root keys signed `label || digest` and that no
    /// signature is bad, foreign or repeated.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    ///
    /// ```
    /// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// use ward_crypto::{RootPolicy, RootPolicyFields, SignKey, V1, labels, random_id};
    /// let keys = [SignKey::generate(&mut rng), SignKey::generate(&mut rng)];
    /// let mut public = keys.each_ref().map(|key| *key.public());
    /// public.sort();
    /// let fields = RootPolicyFields {
    ///     v: V1, site: random_id(&mut rng), threshold: 2, keys: public.to_vec(), independent: true,
    /// };
    /// let root = RootPolicy::new(fields)?;
    /// let sign = |key: &SignKey| (key.public().signer_id(), key.sign_labelled(labels::MLOG, &[0; 32]));
    /// let both = [sign(&keys[0]), sign(&keys[1])];
    /// assert!(root.verify_threshold(labels::MLOG, &[0; 32], &both).is_ok());
    /// assert!(root.verify_threshold(labels::MLOG, &[0; 32], &both[..1]).is_err());
    /// # Ok::<(), ward_crypto::FormatError>(())
    /// ```
    pub fn verify_threshold(
        &self,
        label: Label,
        digest: &[u8; 32],
        signatures: &[([u8; 16], Signature)],
    ) -> Result<(), CryptoError> {
        if !crate::codec::all_distinct(signatures, |(signer, _)| *signer) {
            return Err(CryptoError::Rejected);
        }
        for (signer, signature) in signatures {
            let key = self.key_of_signer(signer).ok_or(CryptoError::Rejected)?;
            key.verify_labelled(label, digest, signature)?;
        }
        if signatures.len() < usize::from(self.threshold) {
            return Err(CryptoError::Rejected);
        }
        Ok(())
    }
}
