//! Wiping: the key that wraps everything goes first, then the rows. The order is noted before the
//! first step, so a wipe that was cut off is carried to its end when the app starts again, and at no
//! moment is anything readable without the key.

use super::{Client, OpenDevice, Phase};
use crate::store::{BLOB_TO_SEND, BlobRecord, SealedRows};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_id::{BlobAddress, ChartId};
use ward_sync::{Decoded, EntryKind, Payload, SignedEntry};

/// What exists on this device only: neither the server nor the drop box has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnlyHere {
    /// Entries.
    pub entries: u64,
    /// Attachments whose content is not at the server whole.
    pub attachments: u64,
    /// Texts in which something was typed that is no entry yet.
    pub texts: u64,
    /// Answers that were begun.
    pub drafts: u64,
}

impl OnlyHere {
    /// How many things these are.
    pub const fn count(self) -> u64 {
        self.entries + self.attachments + self.texts + self.drafts
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// How many things exist on this device only: neither the server nor the drop box has them.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn only_here(&self) -> Result<u64, ClientError> {
        self.only_here_by_kind().map(OnlyHere::count)
    }

    /// The same, by what it is: to be named to the person before a wipe.
    ///
    /// # Errors
    /// As [`Client::only_here`].
    pub fn only_here_by_kind(&self) -> Result<OnlyHere, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let unsent = open.charts.iter().flat_map(|(chart, local)| {
            let all = local.unsent().chain(local.former_unsent(me));
            all.filter(|entry| !open.dropped.contains_key(&(*chart, entry.id())))
        });
        Ok(OnlyHere {
            entries: unsent.count() as u64,
            attachments: attachments_only_here(open) as u64,
            texts: self.unfinished_texts().len() as u64,
            drafts: open.drafts.len() as u64,
        })
    }

    /// Destroys everything that this device holds, because its person wants it. `lost` is the number of
    /// things that the person was told would be lost: [`Client::only_here`]. Export or sync them first.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] if that number is not the present one. After another error the next
    /// start of the app carries the wipe to its end.
    pub async fn wipe(&mut self, lost: u64) -> Result<(), ClientError> {
        if self.only_here()? != lost {
            return Err(ClientError::NotAllowed(
                "the number of things that would be lost is another one now; look at it again",
            ));
        }
        self.destroy_all().await
    }

    /// Makes entries of what can be handed over as such only, before an order to wipe locks this device:
    /// texts that somebody is writing in, and what a former device of this store left behind. What is
    /// refused keeps the order back afterwards; it never keeps the lock back.
    pub(super) async fn say_last_words(&mut self) {
        for (chart, document) in self.unfinished_texts() {
            let _waits = self.write_burst(chart, document).await;
        }
        let Ok(open) = self.device() else { return };
        let charts: Vec<ChartId> = if open.set_back || open.writable().is_err() {
            Vec::new()
        } else {
            open.charts.keys().copied().collect()
        };
        for chart in charts {
            let _waits = self.rewrite_former(chart).await;
        }
    }

    /// Whether everything that can be saved of this device is saved: its drafts are not, because nobody
    /// else may finish them.
    pub(super) fn all_handed_over(&self) -> bool {
        self.only_here_by_kind().is_ok_and(|here| OnlyHere { drafts: 0, ..here } == OnlyHere::default())
    }

    pub(crate) async fn destroy_all(&mut self) -> Result<(), ClientError> {
        self.rows.mark_wiping().await?;
        // Keys and entries leave the memory before the first of them leaves the store.
        self.phase = Phase::Locked;
        carry_out(&mut self.rows, &self.device_key).await?;
        self.phase = Phase::New;
        Ok(())
    }
}

/// Attachments that are not at the server whole. The content of a checkpoint is no loss: every device of
/// the chart can make it again.
fn attachments_only_here(open: &OpenDevice) -> usize {
    let of_checkpoint = |entry: &SignedEntry| match entry.body().decode_payload() {
        Decoded::Known(Payload::Checkpoint(checkpoint)) => Some(checkpoint.address),
        _ => None,
    };
    let own = open.charts.values().flat_map(|local| local.own.values());
    let checkpoints = own.filter(|entry| entry.body().kind == EntryKind::CHECKPOINT);
    let checkpoints: BTreeSet<BlobAddress> = checkpoints.filter_map(of_checkpoint).collect();
    let is_content = |blob: &&BlobRecord| {
        blob.phase == BLOB_TO_SEND && blob.address.is_none_or(|address| !checkpoints.contains(&address))
    };
    open.blobs.values().filter(is_content).count()
}

/// Everything after the mark. Each step may have been done before.
pub(super) async fn carry_out<S: RowStore, K: DeviceKeyStore>(
    rows: &mut SealedRows<S>,
    device_key: &K,
) -> Result<(), ClientError> {
    device_key.destroy().await?;
    rows.erase().await
}
