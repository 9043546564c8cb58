//! Reading the file on another device. Staff get entries that they can adopt, each checked against
//! its author's certificate; the same person's new device writes them again as its own.

use super::items::{ItemReader, UnsentDraft, UnsentItem, read_upto};
use crate::client::{Rewrite, carried_names};
use crate::limits::DRAFTS_MAX;
use crate::staff::Adoptable;
use crate::store::{
    BLOB_STAGED, BLOB_TO_SEND, Batch, BlobRecord, ImportedRecord, NOT_DATED_YET, Table, row_id,
};
use crate::{Client, ClientError, DeviceKeyStore, DraftKey, Environment, Growth, RowStore, Transport};
use std::collections::BTreeMap;
use std::io::Read;
use ward_crypto::limits::UNSENT_HEADER_MAX_BYTES;
use ward_crypto::{BlobLayout, BlobOpener, EncKey, ExportPassphrase, UnsentHeader, random_bytes, sha256};
use ward_id::{BlobAddress, ChartId, DeviceId, EntryId, PersonId, TimestampMs};
use ward_sync::{Attachment, ChartView, Decoded, Payload, SignedEntry};

/// What opens the file.
pub enum ImportKey<'a> {
    /// This staff device's own key.
    ThisDevice,
    /// The words that were shown when it was made.
    Passphrase(&'a ExportPassphrase),
}

/// What can be done with an entry of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStanding {
    /// Its author's signature holds, and the chart does not have it: it can be taken over.
    Offered,
    /// The chart has it already.
    AlreadyHere,
    /// Its author has no certificate in a chart that this device reads, or the signature does not
    /// hold: it is not taken.
    NotVerified,
}

/// An entry of the file.
#[derive(Debug, Clone)]
pub struct ImportedEntry {
    /// The entry, with its author's signature.
    pub entry: SignedEntry,
    /// Who wrote it; only of verified entries.
    pub author: Option<PersonId>,
    /// What can be done with it.
    pub standing: ImportStanding,
}

/// What a file held.
pub struct ImportedWork {
    /// The device that made it.
    pub device: DeviceId,
    /// When, by that device's clock.
    pub made_at: TimestampMs,
    /// Its entries, in the order of their chains.
    pub entries: Vec<ImportedEntry>,
    /// Its drafts; they are of use only to the person who began them.
    pub drafts: usize,
    /// Attachments whose content was in it and fits an entry in it.
    pub attachments: usize,
    drafted: Vec<UnsentDraft>,
}

const NOT_ONE: ClientError = ClientError::NotAnExport("it is another kind of file");

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Opens a file with unsent work of another device of this site. Contents of attachments are
    /// stored, to be sent with the next sync; entries are given back, and nothing is written into any
    /// chart until somebody decides ([`Client::adopt_imported`], [`Client::write_imported`]).
    ///
    /// # Errors
    /// [`ClientError::NotAnExport`], [`ClientError::WrongSite`], [`ClientError::NoRoom`],
    /// [`ClientError::File`].
    pub async fn import_unsent(
        &mut self,
        mut file: impl Read,
        key: ImportKey<'_>,
    ) -> Result<ImportedWork, ClientError> {
        let header = read_header(&mut file)?;
        let open = self.device()?;
        if header.site != open.me.site {
            return Err(ClientError::WrongSite);
        }
        let key: EncKey = match key {
            ImportKey::ThisDevice => header
                .open_as_device(open.me.device, &open.keys.enc)
                .map_err(|_| ClientError::NotAnExport("it was made for other devices"))?,
            ImportKey::Passphrase(words) => {
                header.open_with(words).map_err(|_| ClientError::NotAnExport("the words do not open it"))?
            }
        };
        self.remove_staged().await?;
        let mut items = ItemReader::begin(file, &key)?;
        let mut work = ImportedWork {
            device: header.device,
            made_at: header.made_at,
            entries: Vec::new(),
            drafts: 0,
            attachments: 0,
            drafted: Vec::new(),
        };
        let mut named: BTreeMap<BlobAddress, Attachment> = BTreeMap::new();
        let front = sha256(&header.to_front());
        if items.next()? != UnsentItem::Front(front) {
            return Err(NOT_ONE);
        }
        loop {
            match items.next()? {
                UnsentItem::Entry(bytes) => {
                    let entry = SignedEntry::from_stored(&bytes)?;
                    let imported = self.judged(entry);
                    if imported.standing != ImportStanding::NotVerified
                        && let Decoded::Known(Payload::Attachment(blob)) =
                            imported.entry.body().decode_payload()
                    {
                        named.insert(blob.address, blob);
                    }
                    work.entries.push(imported);
                }
                UnsentItem::Draft(draft) => work.drafted.push(draft),
                UnsentItem::Blob(chart, address, size) => {
                    let kept =
                        self.import_blob(chart, address, size, named.get(&address), &mut items).await?;
                    work.attachments += usize::from(kept);
                }
                UnsentItem::End(said) if items.is_at_end(said) => {
                    work.drafts = work.drafted.len();
                    return Ok(work);
                }
                UnsentItem::Front(_) | UnsentItem::Chunk(_) | UnsentItem::End(_) => {
                    return Err(ClientError::NotAnExport("it is cut off or damaged"));
                }
            }
        }
    }

    /// Whether an entry may be taken over here.
    fn judged(&self, entry: SignedEntry) -> ImportedEntry {
        let chart = entry.frame().chart;
        let record = self
            .device()
            .ok()
            .filter(|open| {
                open.me.chart == Some(chart) || open.mlog.membership.is_member(chart, open.me.device)
            })
            .and_then(|open| open.mlog.membership.device(chart, entry.frame().device))
            .filter(|record| entry.verify(record.cert()).is_ok());
        let Some(record) = record else {
            return ImportedEntry { entry, author: None, standing: ImportStanding::NotVerified };
        };
        let author = Some(record.person());
        // What was carried on is here if what it carries is.
        let names = carried_names(&entry);
        let here = |view: &ChartView<'_>| view.timeline().iter().any(|item| names.contains(&item.entry.id()));
        let here = self.view_of(chart).is_ok_and(|view| here(&view));
        let standing = if here { ImportStanding::AlreadyHere } else { ImportStanding::Offered };
        ImportedEntry { entry, author, standing }
    }

    /// Stores the content of an attachment that a verified entry of the file names, chunk by chunk;
    /// whether it was kept.
    async fn import_blob<R: Read>(
        &mut self,
        chart: ChartId,
        address: BlobAddress,
        size: u64,
        named: Option<&Attachment>,
        items: &mut ItemReader<R>,
    ) -> Result<bool, ClientError> {
        let layout = BlobLayout::of_size(size)?;
        let known = self.blob_named(chart, address).is_some();
        let mut opener = named
            .filter(|named| named.size == size && !known)
            .and_then(|named| BlobOpener::new(named.key.clone(), named.blob()).ok());
        let id: [u8; 16] = random_bytes(self.environment_mut().rng());
        let captured_at = Some(self.trusted_now().unwrap_or(NOT_DATED_YET));
        let mut record = BlobRecord {
            chart,
            address: Some(address),
            phase: BLOB_STAGED,
            size,
            here: 0,
            sent: 0,
            checked: true,
            captured_at,
        };
        for chunk in 0..layout.chunks() {
            let UnsentItem::Chunk(sealed) = items.next()? else {
                return Err(ClientError::NotAnExport("a chunk of an attachment is missing"));
            };
            let opens = opener.as_mut().map(|opener| opener.next(&sealed).is_ok());
            if opens != Some(true) {
                opener = None;
                continue;
            }
            let mut batch = Batch::default();
            batch.put_bytes(Table::BlobChunks, row_id(&[&id, &chunk.to_be_bytes()]), sealed.to_vec().into());
            record.here += 1;
            self.keep_blob(&id, &record, batch).await?;
        }
        if opener.is_none_or(|opener| opener.finish().is_err()) {
            self.remove_staged().await?;
            return Ok(false);
        }
        record.phase = BLOB_TO_SEND;
        self.keep_blob(&id, &record, Batch::default()).await?;
        Ok(true)
    }

    /// Takes over an entry of an imported file: it then counts, with its own author, time and
    /// signature, and this device's signature beside them. For staff.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] unless the entry is still offered, and what [`Client::capture`] can
    /// fail with.
    pub async fn adopt_imported(&mut self, entry: &SignedEntry) -> Result<EntryId, ClientError> {
        let waits = ClientError::Unknown("the entry that waits for adoption");
        if self.judged(entry.clone()).standing != ImportStanding::Offered {
            return Err(waits);
        }
        let chart = entry.frame().chart;
        // It may wait in the drop box too: then it is decided there in the same commit.
        let drops = self.waiting_drops(chart)?;
        let drop = drops.into_iter().find(|drop| drop.entry.id() == entry.id()).cloned();
        let carried = self.adopt_these(chart, vec![Adoptable { entry: entry.clone(), drop }]).await?;
        carried.first().copied().ok_or(waits)
    }

    /// Writes what the same person's other device did not send as this device's own, with the times
    /// that it claimed, and takes its drafts. The same file again writes nothing twice. Gives the
    /// number of entries.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] for work of somebody else, and what [`Client::capture`] can fail
    /// with; nothing is written then.
    pub async fn write_imported(&mut self, work: &ImportedWork) -> Result<u64, ClientError> {
        let person = self.device()?.me.person;
        let own = |one: &&ImportedEntry| one.author.is_none_or(|author| author == person);
        if !work.entries.iter().all(|one| own(&one)) {
            return Err(ClientError::NotAllowed("only their author's own device writes entries again"));
        }
        let mut by_chart: BTreeMap<ChartId, Vec<&SignedEntry>> = BTreeMap::new();
        for one in work.entries.iter().filter(|one| one.standing == ImportStanding::Offered) {
            if !self.rows().has(Table::Imported, one.entry.id().as_bytes()).await? {
                by_chart.entry(one.entry.frame().chart).or_default().push(&one.entry);
            }
        }
        let mut count = 0;
        for (chart, entries) in by_chart {
            count += self.write_again(chart, &entries).await?;
        }
        self.take_drafts(&work.drafted).await?;
        Ok(count)
    }

    async fn write_again(&mut self, chart: ChartId, entries: &[&SignedEntry]) -> Result<u64, ClientError> {
        self.may_capture(chart)?;
        let me = self.device()?.me.device;
        let drafts: Vec<Rewrite> = entries.iter().filter_map(|entry| Rewrite::again(entry, me)).collect();
        let replaced: Vec<Vec<EntryId>> = drafts.iter().map(|draft| draft.replaces.clone()).collect();
        if drafts.is_empty() {
            return Ok(0);
        }
        let written = self.write(chart, drafts)?;
        let mut batch = Batch::default();
        for (replaced, new) in replaced.iter().zip(&written.entries) {
            let record = ImportedRecord { as_entry: new.id() };
            replaced.iter().for_each(|old| batch.put(Table::Imported, old.as_bytes().as_slice(), &record));
        }
        let count = written.entries.len() as u64;
        self.keep_written(chart, written, batch, Growth::Submission).await?;
        Ok(count)
    }

    async fn take_drafts(&mut self, drafts: &[UnsentDraft]) -> Result<(), ClientError> {
        for draft in drafts {
            let key = DraftKey {
                chart: draft.chart,
                instrument_url: draft.instrument_url.clone(),
                instrument_version: draft.instrument_version.clone(),
                occurrence: draft.occurrence.clone(),
                amends: draft.amends,
            };
            let open = self.device()?;
            let own = open.me.chart == Some(draft.chart);
            // What this device has begun itself is newer.
            if own && self.draft(&key).is_none() && open.drafts.len() < DRAFTS_MAX {
                self.save_draft(&key, &draft.response).await?;
            }
        }
        Ok(())
    }
}

fn read_header(file: &mut impl Read) -> Result<UnsentHeader, ClientError> {
    let mut front = Vec::new();
    loop {
        match UnsentHeader::from_front(&front).map_err(|_| NOT_ONE)? {
            Some((header, _)) => return Ok(header),
            None if front.len() > UNSENT_HEADER_MAX_BYTES + 64 => return Err(NOT_ONE),
            None => {
                let more = UnsentHeader::lacks(&front);
                let bytes = read_upto(file, more)?;
                if bytes.is_empty() {
                    return Err(NOT_ONE);
                }
                front.extend_from_slice(&bytes);
            }
        }
    }
}
