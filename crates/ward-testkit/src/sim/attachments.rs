//! What is attached, and that every member can have it.

use super::failure::{Checked, Verdict};
use super::schedule::{Entry, Slot};
use super::template::SiteStore;
use super::world::World;
use crate::limits::{LARGE_CONTENT_BYTES, LARGE_CONTENT_EVERY};
use ward_client::ClientError;
use ward_id::EntryId;
use ward_sync::Place;

/// The content of the n-th entry of a schedule.
pub(super) fn content(number: u64) -> Vec<u8> {
    let bytes =
        if number.is_multiple_of(LARGE_CONTENT_EVERY) { LARGE_CONTENT_BYTES } else { 100 + number * 37 };
    (0..bytes).map(|at| u8::try_from((at / 7 + number) % 251).unwrap_or(0)).collect()
}

impl<S: SiteStore> World<'_, S> {
    /// Every member fetches every attachment that holds, and gets what was attached.
    pub(super) async fn check_attachments(&mut self, members: &[Slot]) -> Checked {
        let attached: Vec<(Slot, u64, EntryId)> = self
            .oracle
            .confirmed
            .iter()
            .filter(|one| one.what == Entry::Attachment && one.forgiven.is_none())
            .map(|one| (one.slot, one.number, one.entry))
            .collect();
        for (author, number, entry) in attached {
            // Only a device that may send, and was not set back, owes the content as well.
            let owed = self.is_member(author) && !self.oracle.was_set_back(author);
            for member in members {
                self.check_attachment(*member, (number, entry), owed).await?;
            }
        }
        Ok(())
    }

    async fn check_attachment(
        &mut self,
        member: Slot,
        (number, entry): (u64, EntryId),
        owed: bool,
    ) -> Checked {
        let chart = self.chart;
        let Some(client) = self.machines.get_mut(&member).and_then(|machine| machine.client.as_mut()) else {
            return Ok(());
        };
        let shown = client.chart(chart).is_ok_and(|view| view.place(entry) == Some(Place::Visible));
        if !shown {
            return Ok(());
        }
        let wrong =
            |what: String| (Verdict::Lost, format!("attachment {number} on {}: {what}", member.word()));
        match client.fetch_attachment(chart, entry).await {
            Ok(()) => {}
            Err(ClientError::AttachmentNotHere { .. }) if !owed => {
                self.tally.path("attachment stays pending");
                return Ok(());
            }
            Err(error) => return Err(wrong(error.to_string())),
        }
        let mut bytes = Vec::new();
        let read = client.read_attachment(chart, entry, &mut bytes).await;
        read.map_err(|error| wrong(error.to_string()))?;
        if bytes != content(number) {
            return Err(wrong("it is another content".to_owned()));
        }
        self.tally.path("attachment fetched");
        Ok(())
    }
}
