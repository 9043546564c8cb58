//! The keys that the site's logs had. A manifest may name another log key and other witnesses; what the
//! logs signed before it stays signed as it was. A head that is to be followed counts under the newest
//! manifest alone. A head of a log that ended, or a receipt, may be from before it, and is looked at with
//! every manifest that held.

use super::Membership;
use super::reopening::cosigned;
use ward_audit::{CosignedHead, Receipt, SignatureKind, VerifierKey};
use ward_crypto::SiteManifest;

/// A head with the manifest whose log key and witnesses signed it.
#[derive(Debug, Clone)]
pub struct HeadOfManifest {
    /// The number of the manifest. A head under a later one says more: whoever kept a log key that was
    /// taken away must not outbid the log with it.
    pub manifest: u64,
    /// The head.
    pub cosigned: CosignedHead,
}

impl HeadOfManifest {
    /// Of two heads of one log, the one that ranks higher is the newer.
    pub const fn rank(&self) -> (u64, u64) {
        (self.manifest, self.cosigned.head().size)
    }
}

impl Membership {
    /// Every manifest that held, the newest first.
    pub fn manifests(&self) -> impl Iterator<Item = &SiteManifest> {
        self.site.manifest.as_deref().into_iter().chain(self.site.earlier_manifests.iter().rev())
    }

    /// The head that a note of a log states, if a manifest that held says that it was signed and cosigned.
    pub fn once_cosigned(&self, origin: &str, note: &[u8]) -> Option<HeadOfManifest> {
        self.manifests().find_map(|manifest| {
            let cosigned = cosigned(manifest, origin, note)?;
            Some(HeadOfManifest { manifest: manifest.number, cosigned })
        })
    }
}

/// Which key signed a receipt, of those that the manifests name.
pub fn key_of_receipt<'a>(
    manifests: impl IntoIterator<Item = &'a SiteManifest>,
    receipt: &Receipt,
) -> Option<VerifierKey> {
    manifests.into_iter().find_map(|manifest| {
        let bytes = manifest.log_key.as_bytes();
        let key = VerifierKey::new(receipt.origin().clone(), SignatureKind::Log, bytes).ok()?;
        receipt.verify(&key).is_ok().then_some(key)
    })
}
