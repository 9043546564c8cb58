//! Writing the file. Nothing of the store has to change for it, so it works on a device that is full.

use super::items::{ItemWriter, UnsentDraft, UnsentItem, file_error};
use crate::client::LocalChart;
use crate::store::{BLOB_TO_SEND, Table, row_id};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use std::io::Write;
use ward_crypto::{
    EncPublicKey, ExportPassphrase, FileSealer, HedgedRng, Zeroizing, random_bytes, seal_unsent_header,
    sha256,
};
use ward_id::{ChartId, DeviceId};

/// Who can open the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportReaders {
    /// The staff devices that are members of every chart in it, as the newest verified membership log
    /// says.
    pub staff: bool,
    /// Whoever has the words that are drawn for it: the same person on a new device.
    pub passphrase: bool,
}

/// What an export holds.
pub struct ExportedWork {
    /// Entries that the server does not have.
    pub entries: u64,
    /// Drafts.
    pub drafts: u64,
    /// Attachments that the server does not have whole.
    pub attachments: u64,
    /// Texts that somebody is writing in and that the full store takes no entry for: what was typed is in
    /// the file, and waits here all the same.
    pub texts: u64,
    /// Texts and attachments that are not in the file: a part of them is missing here.
    pub left_out: u64,
    /// Staff devices that can open it.
    pub staff_devices: usize,
    /// Words that open it, to be written down by the person and kept apart from the file.
    pub passphrase: Option<Zeroizing<String>>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Writes everything that only this device has into a sealed file: entries that were not sent
    /// with their signatures, texts that somebody is writing in, drafts, and attachments that the server
    /// lacks.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] if nothing waits, [`ClientError::NotAllowed`] if nobody could open the
    /// file, [`ClientError::File`], [`ClientError::Store`].
    pub async fn export_unsent(
        &mut self,
        readers: ExportReaders,
        mut out: impl Write,
    ) -> Result<ExportedWork, ClientError> {
        // A burst of writing becomes an entry where the store still takes one; else one in the file only.
        for (chart, document) in self.unfinished_texts() {
            let _not_taken = self.write_burst(chart, document).await;
        }
        let charts = self.charts_with_unsent()?;
        if charts.is_empty() {
            return Err(ClientError::Unknown("unsent work"));
        }
        let staff = if readers.staff { self.staff_of_all(&charts)? } else { Vec::new() };
        if staff.is_empty() && !readers.passphrase {
            return Err(ClientError::NotAllowed("no staff device is known that could open the file"));
        }
        let made_at = self.env_wall();
        let (open, env) = self.device_and_env()?;
        let context: [u8; 16] = random_bytes(env.rng());
        let mut rng = HedgedRng::new(env.rng(), &open.keys.hedge, &context);
        let words = readers.passphrase.then(|| ExportPassphrase::generate(&mut rng));
        let me = &open.me;
        let (header, key) =
            seal_unsent_header(me.site, me.device, made_at, &staff, words.as_ref(), &mut rng)?;
        let (sealer, start) = FileSealer::start(&key, &mut rng)?;
        let front = header.to_front();
        out.write_all(&front).map_err(|error| file_error(&error))?;
        let mut items = ItemWriter::begin(out, sealer, &start)?;
        items.put(&UnsentItem::Front(sha256(&front)))?;
        let mut exported = ExportedWork {
            entries: 0,
            drafts: 0,
            attachments: 0,
            texts: 0,
            left_out: 0,
            staff_devices: staff.len(),
            passphrase: words.map(|words| words.to_text()),
        };
        self.write_entries_and_drafts(&mut items, &mut exported)?;
        self.write_bursts(&mut items, &mut exported)?;
        self.write_blobs(&mut items, &mut exported).await?;
        items.end()?;
        Ok(exported)
    }

    fn charts_with_unsent(&self) -> Result<BTreeSet<ChartId>, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let unsent = open
            .charts
            .iter()
            .filter(|(_, local)| local.unsent().chain(local.former_unsent(me)).next().is_some());
        let blobs = open.blobs.values().filter(|blob| blob.phase == BLOB_TO_SEND).map(|blob| blob.chart);
        let drafts = open.drafts.values().map(|draft| draft.chart);
        let texts = self.unfinished_texts().into_iter().map(|(chart, _)| chart);
        Ok(unsent.map(|(chart, _)| *chart).chain(blobs).chain(drafts).chain(texts).collect())
    }

    /// The staff devices that may read everything in the file.
    fn staff_of_all(&self, charts: &BTreeSet<ChartId>) -> Result<Vec<(DeviceId, EncPublicKey)>, ClientError> {
        let open = self.device()?;
        let membership = &open.mlog.membership;
        let Some(members) = charts.first().and_then(|chart| membership.members(*chart)) else {
            return Ok(Vec::new());
        };
        let key_of = |chart: ChartId, device: DeviceId| {
            let record = membership.device(chart, device).filter(|record| record.is_active())?;
            Some((device, record.cert().binding.enc_pk.clone()))
        };
        let staff = members.members().iter().filter(|member| {
            member.role.is_staff()
                && member.device != open.me.device
                && charts.iter().all(|chart| membership.is_member(*chart, member.device))
        });
        let first = charts.first().copied();
        Ok(staff.filter_map(|member| key_of(first?, member.device)).collect())
    }

    fn write_entries_and_drafts<W: Write>(
        &self,
        items: &mut ItemWriter<W>,
        exported: &mut ExportedWork,
    ) -> Result<(), ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let waiting = |local| LocalChart::unsent(local).chain(LocalChart::former_unsent(local, me));
        for entry in open.charts.values().flat_map(waiting) {
            items.put(&UnsentItem::Entry(entry.to_stored().into()))?;
            exported.entries += 1;
        }
        for draft in open.drafts.values() {
            items.put(&UnsentItem::Draft(UnsentDraft {
                chart: draft.chart,
                instrument_url: draft.instrument_url.clone(),
                instrument_version: draft.instrument_version.clone(),
                occurrence: draft.occurrence.clone(),
                response: draft.response.clone(),
                amends: draft.amends,
            }))?;
            exported.drafts += 1;
        }
        Ok(())
    }

    /// What was typed and is no entry yet, as entries in the file only.
    fn write_bursts<W: Write>(
        &mut self,
        items: &mut ItemWriter<W>,
        exported: &mut ExportedWork,
    ) -> Result<(), ClientError> {
        for (chart, document) in self.unfinished_texts() {
            match self.burst_for_file(chart, document) {
                Ok(Some(entry)) => {
                    items.put(&UnsentItem::Entry(entry.to_stored().into()))?;
                    exported.texts += 1;
                }
                Ok(None) => {}
                Err(_) => exported.left_out += 1,
            }
        }
        Ok(())
    }

    async fn write_blobs<W: Write>(
        &self,
        items: &mut ItemWriter<W>,
        exported: &mut ExportedWork,
    ) -> Result<(), ClientError> {
        for (id, blob) in self.device()?.blobs.iter().filter(|(_, blob)| blob.phase == BLOB_TO_SEND) {
            let Some(address) = blob.address else { continue };
            let row = |chunk: u32| row_id(&[id, &chunk.to_be_bytes()]);
            let mut whole = true;
            for chunk in 0..blob.here {
                whole &= self.rows().has(Table::BlobChunks, &row(chunk)).await?;
            }
            if !whole {
                // A repair set a part of it aside, and counted it.
                exported.left_out += 1;
                continue;
            }
            items.put(&UnsentItem::Blob(blob.chart, address, blob.size))?;
            for chunk in 0..blob.here {
                let sealed = self.rows().get_bytes(Table::BlobChunks, &row(chunk)).await?;
                let sealed = sealed.ok_or(ClientError::StoreDamaged { table: Table::BlobChunks.name() })?;
                items.put(&UnsentItem::Chunk(sealed.to_vec().into()))?;
            }
            exported.attachments += 1;
        }
        Ok(())
    }
}
