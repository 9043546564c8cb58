//! What this device put into the membership log, kept before it is sent. If the answer is lost, the device
//! dies, and the server then loses the entry, nobody else holds it, though witnesses cosigned a log with it.
//!
//! No private key is kept with it: whoever makes an epoch is one of its members, and takes the secret out of
//! the package again.

use super::Client;
use crate::limits::SUBMISSIONS_KEPT;
use crate::store::{Batch, SUBMISSIONS_ROW, SubmissionRecord, SubmissionsRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, RowStoreError, Transport};
use ward_api::{MlogAccepted, MlogSubmission, Opaque, paths};
use ward_audit::mlog_leaf;
use ward_crypto::sha256;
use ward_id::{MlogEntryHash, PackageHash};
use ward_sync::MlogEntry;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Keeps an entry and its package until the log is seen to hold both: the newest
    /// [`SUBMISSIONS_KEPT`]. On a full disk it is sent all the same; a revocation does not wait for room.
    pub(crate) async fn keep_submission(&mut self, sent: &MlogSubmission) -> Result<(), ClientError> {
        let open = self.device()?;
        let new = SubmissionRecord {
            entry: sent.entry.0.clone().into(),
            package: sent.package.as_ref().map(|package| package.0.clone().into()),
        };
        if open.submissions.kept.contains(&new) {
            return Ok(());
        }
        let mut kept: Vec<SubmissionRecord> =
            open.submissions.kept.iter().filter(|known| !self.is_held_otherwise(known)).cloned().collect();
        kept.push(new);
        kept.drain(..kept.len().saturating_sub(SUBMISSIONS_KEPT));
        let record = SubmissionsRecord { kept };
        let mut batch = Batch::default();
        batch.put(Table::Memory, SUBMISSIONS_ROW, &record);
        match self.commit(batch).await {
            Ok(()) => self.raise_mark(None).await,
            Err(ClientError::Store(RowStoreError::Full)) => {}
            Err(error) => return Err(error),
        }
        self.device_mut()?.submissions = record;
        Ok(())
    }

    /// What was refused does not push out what may stand in the log. The row says so with the next one.
    pub(crate) fn forget_submission(&mut self, sent: &MlogSubmission) {
        if let Ok(open) = self.device_mut() {
            open.submissions.kept.retain(|known| known.entry.as_slice() != sent.entry.0);
        }
    }

    /// Whether the copy of the log and the epochs hold all of it.
    fn is_held_otherwise(&self, record: &SubmissionRecord) -> bool {
        let Ok(open) = self.device() else { return false };
        let held = |package: &[u8]| {
            let hash = PackageHash::from_bytes(sha256(package));
            open.packages().any(|known| known.hash() == hash)
        };
        open.mlog.entries.values().any(|entry| entry.as_slice() == record.entry.as_slice())
            && record.package.as_ref().is_none_or(|package| held(package))
    }

    /// The package that was sent with an entry.
    pub(crate) fn package_sent_with(&self, entry: &[u8]) -> Option<Vec<u8>> {
        let kept = &self.device().ok()?.submissions.kept;
        kept.iter()
            .find(|known| known.entry.as_slice() == entry)?
            .package
            .as_ref()
            .map(|package| package.to_vec())
    }

    /// Offers a restored server that has so many entries, and must have `wanted`, what this device handed
    /// in and cannot give back with a proof of its place: it was never shown a head with it, or others must
    /// bring what comes before it. The server knows by its witnesses whether it stood there. Nothing is
    /// offered to a log that is whole again: there it would be an act of now. Returns how many stand in the
    /// log now.
    pub(crate) async fn offer_submissions(&mut self, size: u64, wanted: u64) -> Result<u64, ClientError> {
        if size >= wanted {
            return Ok(0);
        }
        let kept = self.device()?.submissions.kept.iter();
        let missing: Vec<SubmissionRecord> =
            kept.filter(|known| !self.stands_before(known, size)).cloned().collect();
        let mut taken = 0;
        for record in missing {
            let package = record.package.as_ref().map(|package| Opaque(package.to_vec()));
            let body = MlogSubmission { entry: Opaque(record.entry.to_vec()), package, place: None };
            match self.wire()?.post::<MlogAccepted>(paths::MLOG_ENTRIES, &body).await {
                Ok(accepted) => {
                    taken += 1;
                    if accepted.size >= wanted {
                        break;
                    }
                }
                // It never stood in the log, or what comes before it is still missing.
                Err(ClientError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Whether the verified copy of the log shows it at a place that the server has.
    fn stands_before(&self, record: &SubmissionRecord, size: u64) -> bool {
        let Ok(open) = self.device() else { return false };
        let Ok(entry) = MlogEntry::read(&record.entry) else { return true };
        let leaf = mlog_leaf(entry.subject(), MlogEntryHash::from_bytes(sha256(&record.entry)));
        let place = open.mlog.leaves.iter().position(|known| *known == leaf);
        place.is_some_and(|place| (place as u64) < size)
    }
}
