//! Giving a restored server its membership log back: every entry as it was, at its place, with a
//! proof of the place under the cosigned head that this device verified. The log never reopens.

use super::Client;
use crate::limits::GIVEN_BACK_PER_SYNC;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{MlogAccepted, MlogPlace, MlogSubmission, Opaque, paths};
use ward_audit::{LogView, MemoryTree, inclusion_proof, leaf_hash};
use ward_id::Canonical;
use ward_sync::{MlogBody, MlogEntry, MlogKind};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Sends back entries from the server's size on, as many in a row as this device holds: the
    /// entries of the site and of its own charts, with their packages. Others give back the rest.
    /// Returns how many the server took.
    pub(crate) async fn give_back_mlog(&mut self, from: u64) -> Result<u64, ClientError> {
        let (note, size, tree) = {
            let open = self.device()?;
            let Some(head) = open.mlog.view.as_ref().and_then(LogView::head).cloned() else {
                return Ok(0);
            };
            let size = head.head().size;
            let mut tree = MemoryTree::new();
            let held = open.mlog.leaves.iter().take(usize::try_from(size).unwrap_or(usize::MAX));
            held.for_each(|leaf| tree.append(leaf_hash(leaf)));
            (head.note().to_string(), size, tree)
        };
        let place = |index: u64| {
            let path = inclusion_proof(&tree, index, size).ok()?;
            let path = path.into_iter().map(ward_audit::NodeHash::to_root).collect();
            Some(MlogPlace { index, checkpoint: Opaque(note.clone().into_bytes()), path })
        };
        // Heads are signed by the keys of the newest manifest: where the server lost it, it must know it
        // before it can check any place. It does not take it before its turn.
        for index in self.manifests_after(from)? {
            let (Some((entry, package)), Some(place)) = (self.entry_with_package(index)?, place(index))
            else {
                break;
            };
            let body = MlogSubmission { entry: Opaque(entry), package, place: Some(place) };
            match self.wire()?.post::<MlogAccepted>(paths::MLOG_ENTRIES, &body).await {
                Ok(_) | Err(ClientError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut given = 0;
        for index in (from..size).take(GIVEN_BACK_PER_SYNC) {
            let Some((entry, package)) = self.entry_with_package(index)? else { break };
            let Some(place) = place(index) else { break };
            let body = MlogSubmission { entry: Opaque(entry), package, place: Some(place) };
            match self.wire()?.post::<MlogAccepted>(paths::MLOG_ENTRIES, &body).await {
                Ok(_) => given += 1,
                // Somebody else gave it back in the meantime, or lacks what comes before.
                Err(ClientError::Refused(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(given)
    }

    /// The places of manifests that the server lacks, beyond the entry that comes next.
    fn manifests_after(&self, from: u64) -> Result<Vec<u64>, ClientError> {
        let entries = self.device()?.mlog.entries.range(from.saturating_add(1)..);
        let is_manifest = |bytes: &[u8]| {
            MlogEntry::read(bytes).is_ok_and(|entry| entry.kind() == MlogKind::SiteManifest.number())
        };
        Ok(entries.filter(|(_, bytes)| is_manifest(bytes)).map(|(index, _)| *index).collect())
    }

    /// The bytes of an entry and, for an announce, of its package.
    fn entry_with_package(&self, index: u64) -> Result<Option<EntryWithPackage>, ClientError> {
        let Some(bytes) = self.device()?.mlog.entries.get(&index) else { return Ok(None) };
        let package = self.package_of(bytes)?;
        Ok(package.map(|package| (bytes.clone(), package)))
    }

    /// What is given back beside an entry: nothing, or for an announce its package. `None` without it.
    fn package_of(&self, entry: &[u8]) -> Result<Option<Option<Opaque>>, ClientError> {
        let body = MlogEntry::read(entry).ok().and_then(|entry| entry.decode_body().ok());
        let Some(MlogBody::EpochAnnounce(announce)) = body else { return Ok(Some(None)) };
        let package = self.device()?.packages().find(|package| package.hash() == announce.package_hash);
        // A device that died before it had stored an epoch of its own still has what it sent.
        let package = package.map(Canonical::to_canonical).or_else(|| self.package_sent_with(entry));
        Ok(package.map(|package| Some(Opaque(package))))
    }

    /// Whether this device can give an entry of the membership log back to a restored server that lacks it:
    /// it holds it, in its copy of the log or because it handed it in, and for an announce its package.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn can_give_back(&self, entry: &[u8]) -> Result<bool, ClientError> {
        let open = self.device()?;
        let handed_in = open.submissions.kept.iter().any(|kept| kept.entry.as_slice() == entry);
        let is_held = handed_in || open.mlog.entries.values().any(|known| known.as_slice() == entry);
        Ok(is_held && self.package_of(entry)?.is_some())
    }
}

/// The bytes of an entry and, for an announce, of its package.
type EntryWithPackage = (Vec<u8>, Option<Opaque>);
