//! Manifests that a restored server lost. The entries that it lost were cosigned under the newest of them,
//! so their places can be proved to it only if it knows that one before its turn comes.

use super::Membership;
use super::signers::Signers;
use crate::mlog::MlogEntry;
use crate::mlog_body::MlogBody;
use alloc::boxed::Box;
use ward_crypto::SiteManifest;

impl Membership {
    /// The manifest in an entry that is not in this log yet, if the site's root signed it and it follows on
    /// the newest of this log, or on one of `later`. It says by which keys heads of the log are checked
    /// beyond that entry; nothing else follows from it before the entry stands in the log.
    pub fn later_manifest<'a>(
        &'a self,
        entry: &MlogEntry,
        later: impl IntoIterator<Item = &'a SiteManifest>,
    ) -> Option<Box<SiteManifest>> {
        let Ok(MlogBody::SiteManifest(manifest)) = entry.decode_body() else { return None };
        let extends = |before: &SiteManifest| manifest.extends(before);
        let newest = self.site.manifest.as_deref();
        if entry.site() != self.root.site || !newest.into_iter().chain(later).any(extends) {
            return None;
        }
        let signers = Signers::find(self, entry, None).ok()?;
        signers.require_root(usize::from(self.root.threshold)).ok()?;
        signers.verify(entry).ok()?;
        Some(manifest)
    }
}
