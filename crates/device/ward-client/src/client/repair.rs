//! Repair of a local store with rows that do not open any more. What the server has is fetched
//! again; what nobody else has is kept as it was found and said with its exact count. Nothing is
//! repaired before somebody asks: a store that was tampered with first refuses to open.

use super::enrol::SELF_ROW;
use super::orders::ONLINE_ROW;
use super::{Client, Phase, SyncProblem};
use crate::store::{
    AccessRecord, Batch, DamagedRecord, EvidenceRecord, ImportedRecord, LOSSES_ROW, LossRecord, LostPlace,
    Table,
};
use crate::{ClientError, DeviceKeyStore, Environment, Row, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_crypto::random_bytes;
use ward_id::{ChartId, EntryId, Incarnation, TimestampMs};
use ward_sync::{ClockReading, OnlineMark};

/// An instant after which every lease has ended.
const LONG_AGO: ClockReading = ClockReading { boot_id: 0, monotonic_ms: 0, wall: TimestampMs(0) };

/// Entries of this device that were confirmed and that nobody has any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEntries {
    /// The chart.
    pub chart: ChartId,
    /// How many.
    pub count: u64,
}

/// What a repair found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepairReport {
    /// Rows that did not open, by the name of their table.
    pub damaged: BTreeMap<&'static str, u64>,
    /// Own entries that cannot be read here any more. The next sync says which of them the server
    /// has; the others are lost.
    pub own_entries: u64,
    /// Drafts that are lost.
    pub drafts: u64,
    /// Notes of who read a chart that are lost.
    pub accesses: u64,
    /// Receipts of the server that are lost. The server still has the entries.
    pub receipts: u64,
    /// Attachments of which a part is lost before the server was known to have all of it.
    pub attachments: u64,
    /// Whether it was forgotten how long the site's logs were.
    pub heads: bool,
}

impl RepairReport {
    /// Whether there was nothing to repair.
    pub fn is_nothing(&self) -> bool {
        self.damaged.is_empty()
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Puts a locked store in order that [`Client::unlock`] refuses as damaged, and unlocks it. Rows
    /// that do not open are set aside inside the store. Before it writes again, the device meets the
    /// server if entries of its own are concerned.
    ///
    /// # Errors
    /// [`ClientError::StoreDamaged`] if keys or identity are damaged: then only a new enrolment
    /// helps. [`ClientError::DeviceKey`], [`ClientError::Store`].
    pub async fn repair(&mut self) -> Result<RepairReport, ClientError> {
        if !matches!(self.phase, Phase::Locked) {
            self.lock();
        }
        let wrapped = self.rows.wrapped_key().await?.ok_or(ClientError::NotEnrolled)?;
        let lkek = self.device_key.unwrap(&wrapped).await?;
        let mark = self.device_key.high_water().await?.unwrap_or_default();
        let newest = self.rows.unlock_damaged(&lkek).await?;
        self.rows.skip_to(newest.max(mark.store_version));
        let mut damaged: Vec<(Table, Row)> = Vec::new();
        for table in Table::ALL.iter().copied().filter(|table| *table != Table::WrappedKey) {
            damaged.extend(self.rows.damaged(table).await?.into_iter().map(|row| (table, row)));
        }
        if damaged.iter().any(|(table, row)| *table == Table::Identity && row.id == SELF_ROW) {
            self.lock();
            return Err(ClientError::StoreDamaged { table: Table::Identity.name() });
        }
        if damaged.iter().any(|(table, _)| *table == Table::Counter) {
            self.rows.drop_counter().await?;
        }
        let (report, batch) = self.plan_repair(&damaged).await?;
        if !batch.is_empty() {
            self.commit(batch).await?;
        }
        self.lock();
        self.unlock().await?;
        self.raise_mark(None).await;
        Ok(report)
    }

    async fn plan_repair(&mut self, damaged: &[(Table, Row)]) -> Result<(RepairReport, Batch), ClientError> {
        let now = self.env.wall();
        let (mut report, mut batch) = (RepairReport::default(), Batch::default());
        let mut losses: LossRecord =
            self.rows.get(Table::Memory, LOSSES_ROW).await.ok().flatten().unwrap_or_default();
        let mut epochs: BTreeSet<Vec<u8>> = BTreeSet::new();
        let (mut blobs, mut bases) = (BTreeSet::new(), BTreeSet::new());
        for (table, row) in damaged {
            *report.damaged.entry(table.name()).or_insert(0) += 1;
            if *table != Table::Damaged {
                let kept = DamagedRecord {
                    table: table.number(),
                    id: row.id.clone().into(),
                    version: row.version,
                    sealed: row.sealed.clone().into(),
                };
                batch.put(Table::Damaged, random_bytes::<16>(self.env.rng()), &kept);
            }
            if *table != Table::Counter {
                batch.delete(*table, row.id.clone());
            }
            let chart = row.id.get(..ChartId::BYTES).unwrap_or_default();
            match table {
                Table::Own => report.own_entries += 1,
                // The pages are fetched again from the first.
                Table::Pages => batch.delete(Table::Cursors, chart),
                Table::Epochs => drop(epochs.insert(chart.to_vec())),
                Table::Heads => report.heads = true,
                // A burst of writing that was not handed over is unsaved work, like a draft.
                Table::Drafts | Table::TextBursts => report.drafts += 1,
                Table::Access => report.accesses += 1,
                Table::Receipts => report.receipts += 1,
                Table::Evidence => {
                    // There was evidence: nothing is sealed until a person has looked, as before.
                    let kind = SyncProblem::ROLLBACK_NAME.to_owned();
                    let record = EvidenceRecord { kind, found_at: now, sides: Vec::new() };
                    batch.put(Table::Evidence, row.id.clone(), &record);
                }
                Table::Blobs | Table::BlobChunks => drop(blobs.insert(row.id.clone())),
                // What came with a checkpoint is fetched again, from the first envelope on.
                Table::CheckpointPages | Table::Checkpoints => {
                    batch.delete(Table::Cursors, chart);
                    bases.insert(chart.to_vec());
                }
                // The name of the mark says all that there is to say.
                Table::Urgent if row.id.len() == ChartId::BYTES + EntryId::BYTES => {
                    batch.put(Table::Urgent, row.id.clone(), &true);
                }
                // So does that of an entry which was written again: the same file must not write it twice.
                // As which entry is not known any more.
                Table::Imported if row.id.len() == EntryId::BYTES => {
                    let known = EntryId::from_slice(&row.id).map(|as_entry| ImportedRecord { as_entry });
                    known.into_iter().for_each(|mark| batch.put(Table::Imported, row.id.clone(), &mark));
                }
                // Nobody knows what stood against this device, or when the server last answered it:
                // until it answers again, the lease has ended.
                Table::Orders => batch.put(Table::Orders, ONLINE_ROW, &OnlineMark::at(LONG_AGO)),
                // Made anew by a commit, a sync or a loading, or of no use without its seal.
                Table::Urgent
                | Table::WrappedKey
                | Table::Counter
                | Table::Identity
                | Table::Session
                | Table::Mlog
                | Table::Chains
                | Table::Cursors
                | Table::Tickets
                | Table::Proved
                | Table::Forks
                | Table::Dropped
                | Table::Drops
                | Table::Reserve
                | Table::Imported
                | Table::Memory
                | Table::Damaged => {}
            }
        }
        self.forget_epochs(&epochs, &mut batch).await?;
        self.forget_bases(&bases, &mut batch).await?;
        report.attachments = self.mend_blobs(&blobs, &mut batch).await?;
        report.heads |= self.cut_mlog(damaged, &mut batch).await?;
        if !damaged.is_empty() {
            losses.found_at = now;
            losses.drafts += report.drafts;
            losses.accesses += report.accesses;
            losses.receipts += report.receipts;
            losses.attachments += report.attachments;
            losses.heads |= report.heads;
            batch.put(Table::Memory, LOSSES_ROW, &losses);
        }
        Ok((report, batch))
    }

    /// Forgets all epochs of charts of which one is damaged: they are fetched in a row.
    async fn forget_epochs(&self, charts: &BTreeSet<Vec<u8>>, batch: &mut Batch) -> Result<(), ClientError> {
        if charts.is_empty() {
            return Ok(());
        }
        for id in self.rows.ids(Table::Epochs).await? {
            if charts.iter().any(|chart| id.starts_with(chart)) {
                batch.delete(Table::Epochs, id);
            }
        }
        Ok(())
    }

    /// Leaves of the membership log count from 0 without a gap: what comes after one that is
    /// missing is fetched again. Gives back whether all of it is gone, and with it the memory of how
    /// long it was.
    async fn cut_mlog(&self, damaged: &[(Table, Row)], batch: &mut Batch) -> Result<bool, ClientError> {
        let bad: BTreeSet<&[u8]> = damaged
            .iter()
            .filter(|(table, _)| *table == Table::Mlog)
            .map(|(_, row)| row.id.as_slice())
            .collect();
        let ids = self.rows.ids(Table::Mlog).await?;
        let sound = |(place, id): &(u64, &Vec<u8>)| {
            id.as_slice() == place.to_be_bytes() && !bad.contains(id.as_slice())
        };
        let kept = (0u64..).zip(&ids).take_while(sound).count();
        ids.iter().skip(kept).for_each(|id| batch.delete(Table::Mlog, id.clone()));
        Ok(kept == 0 && !ids.is_empty())
    }

    /// Own places of a chart that a person was told are saved, and that are neither here nor were
    /// delivered by the server.
    pub(crate) fn lost_places(&self, chart: ChartId) -> Result<Vec<LostPlace>, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let Some(local) = open.charts.get(&chart) else { return Ok(Vec::new()) };
        let marked = open.mark.own_heads.iter().find(|head| head.chart == chart);
        let chain = local.chain.as_ref();
        let head = chain.and_then(|chain| Some((chain.incarnation(), chain.head()?.seq)));
        let last = |life: Incarnation| {
            let of_mark = marked.filter(|head| head.incarnation == life).map(|head| head.seq);
            of_mark.into_iter().chain(head.filter(|(of, _)| *of == life).map(|(_, seq)| seq)).max()
        };
        let lives: BTreeSet<Incarnation> =
            marked.map(|head| head.incarnation).into_iter().chain(head.map(|(life, _)| life)).collect();
        let view = self.view_of(chart)?;
        let mut held: BTreeSet<(Incarnation, u64)> = local.own.keys().copied().collect();
        held.extend(
            view.timeline()
                .iter()
                .map(|item| item.entry.frame())
                .filter(|frame| frame.device == me)
                .map(|frame| (frame.incarnation, frame.seq)),
        );
        let lost =
            lives.into_iter().flat_map(|life| (1..=last(life).unwrap_or(0)).map(move |seq| (life, seq)));
        Ok(lost
            .filter(|place| !held.contains(place))
            .map(|(incarnation, seq)| LostPlace { chart, incarnation, seq })
            .collect())
    }

    /// Keeps what is lost until the person has taken note of it.
    pub(crate) async fn keep_losses(&mut self, lost: Vec<LostPlace>) -> Result<(), ClientError> {
        if lost.is_empty() {
            return Ok(());
        }
        let now = self.env.wall();
        let mut losses = self.device()?.losses.clone();
        losses.found_at = now;
        losses.entries.extend(lost);
        losses.entries.sort_unstable();
        losses.entries.dedup();
        let mut batch = Batch::default();
        batch.put(Table::Memory, LOSSES_ROW, &losses);
        self.commit(batch).await?;
        self.device_mut()?.losses = losses;
        Ok(())
    }

    /// Accesses of charts that wait to be written, by chart.
    pub(crate) fn waiting_accesses(&self, chart: ChartId) -> impl Iterator<Item = &AccessRecord> {
        let open = self.device().ok();
        open.into_iter().flat_map(|open| open.access.values()).filter(move |record| record.chart == chart)
    }
}

/// The number of lost entries of each chart.
pub(crate) fn counted(places: &[LostPlace]) -> Vec<LostEntries> {
    let mut out: BTreeMap<ChartId, u64> = BTreeMap::new();
    places.iter().for_each(|place| *out.entry(place.chart).or_insert(0) += 1);
    out.into_iter().map(|(chart, count)| LostEntries { chart, count }).collect()
}
