//! Reading the content of a checkpoint: everything that needs the certificates of its authors and no
//! store, so that it goes on beside the fetching of the next one.

use super::OpenDevice;
use crate::limits::BASE_PAGE_ROWS;
use crate::parallel;
use crate::store::{BasePageRecord, BaseRecord};
use std::collections::BTreeMap;
use ward_crypto::DeviceCert;
use ward_id::{Canonical as _, ChartId, DeviceId, SiteId, TimestampMs};
use ward_sync::{
    Checkpoint, CheckpointFault, CheckpointRow, ReadEntry, SignedEntry, decode_content, roots_of_rows,
};
use zeroize::Zeroizing;

/// What a content is compared with.
pub(super) struct BaseReader {
    site: SiteId,
    chart: ChartId,
    checkpoint: Checkpoint,
    /// Of the devices whose chains the checkpoint names.
    certs: BTreeMap<DeviceId, DeviceCert>,
}

/// A content that is what its checkpoint says, each entry signed by its author's device.
pub(super) struct ReadBase {
    pub(super) entries: Vec<BaseEntry>,
    /// The rows of the store, each under its first place.
    pub(super) pages: Vec<(u64, Zeroizing<Vec<u8>>)>,
}

/// One entry with its place and time of arrival.
pub(super) struct BaseEntry {
    pub(super) index: u64,
    pub(super) received_at: TimestampMs,
    pub(super) read: ReadEntry,
}

/// A row before the whole was compared.
struct Row {
    entry: BaseEntry,
    stored: Vec<u8>,
    signed: bool,
}

impl BaseReader {
    pub(super) fn new(open: &OpenDevice, chart: ChartId, checkpoint: &Checkpoint) -> Self {
        let cert =
            |device: DeviceId| Some((device, open.mlog.membership.device(chart, device)?.cert().clone()));
        let certs = checkpoint.frontier.iter().filter_map(|(device, ..)| cert(device)).collect();
        Self { site: open.me.site, chart, checkpoint: checkpoint.clone(), certs }
    }

    /// Reads all of it on every core, and compares everything but the state. Nothing enters the chart
    /// before each signature was checked: what this device writes next may name any entry of it as a
    /// cause, and what names a made-up entry waits for it on every device for ever.
    ///
    /// # Errors
    /// What is wrong with the checkpoint.
    pub(super) fn read(&self, content: &[u8]) -> Result<ReadBase, CheckpointFault> {
        let rows = decode_content(content).map_err(|_| CheckpointFault::Entries)?;
        let read = parallel::map_parts(&rows, |rows| self.read_part(rows));
        let rows: Option<Vec<Row>> = read.into_iter().collect();
        let rows = rows.ok_or(CheckpointFault::Entries)?;
        let listed =
            rows.iter().map(|Row { entry, .. }| (entry.index, entry.received_at, entry.read.entry()));
        roots_of_rows(listed)?.check(&self.checkpoint)?;
        if let Some(unsigned) = rows.iter().find(|row| !row.signed) {
            return Err(CheckpointFault::Signature(unsigned.entry.read.entry().id()));
        }
        let mut base = ReadBase { entries: Vec::with_capacity(rows.len()), pages: Vec::new() };
        let mut rows = rows.into_iter().peekable();
        while let Some(first) = rows.peek().map(|row| row.entry.index) {
            let mut page = Vec::with_capacity(BASE_PAGE_ROWS);
            for Row { entry, stored, .. } in rows.by_ref().take(BASE_PAGE_ROWS) {
                let (index, received_at) = (entry.index, entry.received_at);
                // A checkpoint holds no envelopes.
                page.push(BaseRecord { index, received_at, entry: stored.into(), sealed_at: None });
                base.entries.push(entry);
            }
            base.pages.push((first, Zeroizing::new(BasePageRecord { rows: page }.to_canonical())));
        }
        Ok(base)
    }

    /// Reads some rows, with their signatures checked in batches; `None` for one that is no entry of this
    /// chart.
    fn read_part(&self, rows: &[&[u8]]) -> Vec<Option<Row>> {
        let own = |entry: &SignedEntry| (entry.frame().site, entry.frame().chart) == (self.site, self.chart);
        let read = |row: &&[u8]| CheckpointRow::read(row).ok().filter(|row| own(&row.entry));
        let rows: Vec<Option<CheckpointRow>> = rows.iter().map(read).collect();
        let with_cert = |row: &'_ CheckpointRow| self.certs.get(&row.entry.frame().device);
        let certified = rows.iter().flatten().filter_map(|row| Some((&row.entry, with_cert(row)?)));
        let mut verdicts = SignedEntry::verify_all(&certified.collect::<Vec<_>>()).into_iter();
        let mut holds = |row: &CheckpointRow| {
            with_cert(row).is_some() && verdicts.next().is_some_and(|verdict| verdict.is_ok())
        };
        let signed: Vec<bool> = rows.iter().map(|row| row.as_ref().is_some_and(&mut holds)).collect();
        let whole = |(row, signed): (Option<CheckpointRow>, bool)| {
            let CheckpointRow { index, received_at, entry, stored } = row?;
            let entry = BaseEntry { index, received_at, read: ReadEntry::new(entry) };
            Some(Row { entry, stored, signed })
        };
        rows.into_iter().zip(signed).map(whole).collect()
    }
}
