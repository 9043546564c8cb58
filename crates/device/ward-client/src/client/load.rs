//! Unlocking: the rows become the device in memory again.

use super::base_rows::{load_bases, log_of};
use super::commit::SESSION_ROW;
use super::edit_text::OpenText;
use super::enrol::{Enrolling, SELF_ROW};
use super::keep_epochs::HeldEpoch;
use super::mend_places::places_twice;
use super::olog_proofs::{NamedHeads, compared_row};
use super::open_device::{arrival, sealed_at};
use super::orders::{ONLINE_ROW, ORDER_ROW};
use super::receive_drops::WaitingDrop;
use super::site_trust;
use super::sync_memory::load_memory;
use super::{Client, LocalChart, Me, OpenDevice, Phase, Unopened};
use crate::limits::RESERVE_ROWS;
use crate::store::{
    AccessRecord, BlobRecord, ChainRecord, ComparedRecord, CursorRecord, DraftRecord, DropRecord,
    DroppedRecord, EpochRecord, EvidenceRecord, HeadRecord, MlogRecord, NamedRootsRecord, OrderRecord,
    PageRecord, ProvedRecord, ReceiptRecord, SealedRows, SelfRecord, ServerRecord, SessionRecord, Table,
    TextBurstRecord, TicketRecord,
};
use crate::wire::Session;
use crate::{
    ClientError, DeviceKeyStore, Environment, HighWater, RowStore, ServerAddress, SyncProblem, Transport,
};
use std::collections::{BTreeMap, BTreeSet};
use ward_audit::{Checkpoint, LogView};
use ward_crypto::{EpochPackage, EpochSecret, Lkek, Role, RootPolicy};
use ward_id::{Canonical as _, ChartId, EntryId, Incarnation};
use ward_sync::{EntryChain, OnlineMark, SignedEntry, TrustedTime};

const MLOG_HEAD_ROW: &[u8] = b"mlog";
const OLOG_HEAD_ROW: &[u8] = b"olog";
const TIME_ROW: &[u8] = b"time";
pub(crate) const NAMED_ROOTS_ROW: &[u8] = b"mlog-named";

pub(crate) const fn head_row(olog: bool) -> &'static [u8] {
    if olog { OLOG_HEAD_ROW } else { MLOG_HEAD_ROW }
}

pub(crate) const fn time_row() -> &'static [u8] {
    TIME_ROW
}

fn damaged(table: Table) -> ClientError {
    ClientError::StoreDamaged { table: table.name() }
}

fn split_chart(table: Table, id: &[u8]) -> Result<(ChartId, &[u8]), ClientError> {
    let (chart, rest) = id.split_at_checked(ChartId::BYTES).ok_or_else(|| damaged(table))?;
    Ok((ChartId::from_slice(chart).ok_or_else(|| damaged(table))?, rest))
}

fn be_u64(table: Table, bytes: &[u8]) -> Result<u64, ClientError> {
    <[u8; 8]>::try_from(bytes).map(u64::from_be_bytes).map_err(|_| damaged(table))
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Opens the store with the device key and reads it. A store that is older than the mark
    /// outside says so in [`Client::state`]: it must sync before it writes.
    ///
    /// # Errors
    /// [`ClientError::DeviceKey`], [`ClientError::StoreDamaged`], [`ClientError::NotEnrolled`] for
    /// an empty store.
    pub async fn unlock(&mut self) -> Result<(), ClientError> {
        if matches!(self.phase, Phase::Ready(_) | Phase::Enrolling(_)) {
            return Ok(());
        }
        let wrapped = self.rows.wrapped_key().await?.ok_or(ClientError::NotEnrolled)?;
        let lkek = self.device_key.unwrap(&wrapped).await?;
        self.rows.unlock(&lkek).await?;
        let mark = self.device_key.high_water().await?.unwrap_or_default();
        if let Some(me) = self.rows.get::<SelfRecord>(Table::Identity, SELF_ROW).await? {
            let mark = mark.seen_by(me.device);
            let loaded = load(&self.rows, lkek, me, mark).await;
            // What a newer version wrote and this one cannot read is not damaged.
            let open = loaded.map_err(|error| match error {
                ClientError::StoreDamaged { .. } if self.rows.is_read_only() => ClientError::StoreIsNewer,
                other => other,
            })?;
            self.rows.skip_to(open.mark.store_version);
            let last = self.rows.get::<OnlineMark>(Table::Orders, ONLINE_ROW).await?;
            self.phase = Phase::Ready(Box::new(open));
            self.open_by_lease(last.as_ref())?;
            return Ok(());
        }
        self.phase = match Enrolling::load(&self.rows, lkek).await? {
            Some(enrolling) => Phase::Enrolling(Box::new(enrolling)),
            None => Phase::New,
        };
        Ok(())
    }
}

async fn load<S: RowStore>(
    rows: &SealedRows<S>,
    lkek: Lkek,
    record: SelfRecord,
    mark: HighWater,
) -> Result<OpenDevice, ClientError> {
    let identity = || damaged(Table::Identity);
    let role = Role::from_number(record.role).ok_or_else(identity)?;
    let me = Me {
        study: record.study,
        site: record.site,
        person: record.person,
        role,
        device: record.device,
        chart: record.chart,
        independent: record.independent,
    };
    let keys = lkek.unwrap_device_keys(record.device, &record.keys).map_err(|_| identity())?;
    let root_policy = RootPolicy::from_canonical(&record.root_policy).map_err(|_| identity())?;
    let refresh = rows.get::<SessionRecord>(Table::Session, SESSION_ROW).await?;
    let mut open = OpenDevice::new(lkek, keys, me, root_policy, address(&record.server)?, mark);
    open.session = Session::resume(refresh.map(|mut session| std::mem::take(&mut session.refresh_token)));
    load_epochs(rows, &mut open).await?;
    load_logs(rows, &mut open).await?;
    if let Some(record) = rows.get::<ComparedRecord>(Table::Heads, compared_row()).await? {
        open.named_heads = NamedHeads::resume(record);
    }
    if let Some(record) = rows.get::<NamedRootsRecord>(Table::Heads, NAMED_ROOTS_ROW).await? {
        open.named_roots = record.heads.into_iter().collect();
    }
    load_charts(rows, &mut open).await?;
    resume_chains(&mut open);
    load_small_tables(rows, &mut open).await?;
    load_memory(rows, &mut open).await?;
    open.set_back = is_set_back(rows, &open);
    Ok(open)
}

pub(crate) fn address(record: &ServerRecord) -> Result<ServerAddress, ClientError> {
    let pin = |pin: &crate::store::Bytes| {
        <[u8; 32]>::try_from(pin.as_slice()).map_err(|_| damaged(Table::Identity))
    };
    let spki_pins = record.spki_pins.iter().map(pin).collect::<Result<_, _>>()?;
    Ok(ServerAddress { origin: record.origin.clone(), spki_pins })
}

/// Whether the mark outside knows more than the store: fewer commits, or an own chain that ends
/// earlier or elsewhere.
fn is_set_back<S: RowStore>(rows: &SealedRows<S>, open: &OpenDevice) -> bool {
    let behind = |head: &crate::OwnHead| {
        // A life that began after this very mark is newer, though the mark could not be written.
        let recovered = open.recovered.life_of(head.chart, open.mark.store_version);
        let own = open.charts.get(&head.chart).and_then(|chart| chart.chain.as_ref());
        let known = own.and_then(EntryChain::head);
        match (own, known) {
            (Some(chain), Some(known)) if chain.incarnation() == head.incarnation => {
                known.seq < head.seq || known.seq == head.seq && known.entry != head.entry
            }
            (Some(chain), Some(_)) => {
                chain.incarnation() != head.incarnation && recovered != Some(chain.incarnation())
            }
            _ => true,
        }
    };
    let broken = open.charts.values().any(LocalChart::own_chain_is_broken);
    rows.version() < open.mark.store_version || open.mark.own_heads.iter().any(behind) || broken
}

/// Own entries whose chain is gone: it is begun where the mark outside says, so that they count as
/// not sent until the server delivers them. The device is set back then, and writes them again.
fn resume_chains(open: &mut OpenDevice) {
    let (me, site, role) = (open.me.device, open.me.site, open.me.role);
    for (chart, local) in &mut open.charts {
        // What a former device of this store wrote belongs to a chain that ended.
        let of_me = local.own.iter().rev().find(|(_, entry)| entry.frame().device == me);
        let newest = of_me.map(|((life, _), _)| *life);
        if local.chain.is_some() || newest.is_none() {
            continue;
        }
        let marked = open.mark.own_heads.iter().find(|head| head.chart == *chart);
        let life = marked.map(|head| head.incarnation).or(newest);
        local.chain = life.map(|life| EntryChain::open(site, *chart, me, role, life));
    }
}

async fn load_epochs<S: RowStore>(rows: &SealedRows<S>, open: &mut OpenDevice) -> Result<(), ClientError> {
    for (id, record) in rows.records::<EpochRecord>(Table::Epochs).await? {
        let (chart, rest) = split_chart(Table::Epochs, &id)?;
        let epoch = be_u64(Table::Epochs, rest)?;
        let package = EpochPackage::from_canonical(&record.package).map_err(|_| damaged(Table::Epochs))?;
        let secret = <[u8; 32]>::try_from(record.secret.as_slice()).map_err(|_| damaged(Table::Epochs))?;
        let secret = EpochSecret::from_secret_bytes(chart, epoch, &secret);
        let held = HeldEpoch { package, secret, held_since: record.held_since };
        open.chart_or_new(chart).epochs.insert(epoch, held);
    }
    Ok(())
}

async fn load_logs<S: RowStore>(rows: &SealedRows<S>, open: &mut OpenDevice) -> Result<(), ClientError> {
    let (mut leaves, mut entries) = (Vec::new(), BTreeMap::new());
    for (place, (id, record)) in rows.records::<MlogRecord>(Table::Mlog).await?.into_iter().enumerate() {
        let index = be_u64(Table::Mlog, &id)?;
        if index != place as u64 {
            return Err(damaged(Table::Mlog));
        }
        leaves.push(<[u8; 48]>::try_from(record.leaf.as_slice()).map_err(|_| damaged(Table::Mlog))?);
        if let Some(entry) = record.entry {
            entries.insert(index, entry.to_vec());
        }
    }
    open.rebuild_mlog(leaves, entries).map_err(|_| damaged(Table::Mlog))?;
    open.time = rows.get::<TrustedTime>(Table::Heads, TIME_ROW).await?.unwrap_or_default();
    let Some(manifest) = open.mlog.membership.manifest().cloned() else { return Ok(()) };
    let policy = site_trust::witness_policy(&manifest)?;
    if let Some(head) = rows.get::<HeadRecord>(Table::Heads, MLOG_HEAD_ROW).await? {
        let key = site_trust::log_key(&manifest, &manifest.mlog_origin)?;
        let note = head.note.parse().map_err(|_| damaged(Table::Heads))?;
        let view = LogView::restore(key, policy.clone(), &note, head.attested_s);
        open.mlog.view = Some(view.map_err(|_| damaged(Table::Heads))?);
    }
    if let Some(head) = rows.get::<HeadRecord>(Table::Heads, OLOG_HEAD_ROW).await? {
        let note: ward_audit::SignedNote = head.note.parse().map_err(|_| damaged(Table::Heads))?;
        // The log may have ended since: the note says of which one it is.
        let of: Checkpoint = note.text().parse().map_err(|_| damaged(Table::Heads))?;
        let key = site_trust::log_key(&manifest, of.origin().as_str())?;
        let view = LogView::restore(key, policy, &note, head.attested_s);
        open.olog = Some(view.map_err(|_| damaged(Table::Heads))?);
    }
    Ok(())
}

async fn load_charts<S: RowStore>(rows: &SealedRows<S>, open: &mut OpenDevice) -> Result<(), ClientError> {
    for (id, record) in rows.records::<ChainRecord>(Table::Chains).await? {
        let (chart, _) = split_chart(Table::Chains, &id)?;
        let local = open.chart_or_new(chart);
        local.chain = Some(record.chain);
        local.receipted = record.receipted;
    }
    for row in rows.scan(Table::Own).await? {
        let (chart, rest) = split_chart(Table::Own, &row.id)?;
        let (incarnation, seq) = rest.split_at_checked(8).ok_or_else(|| damaged(Table::Own))?;
        let place = (Incarnation(be_u64(Table::Own, incarnation)?), be_u64(Table::Own, seq)?);
        let entry = SignedEntry::from_stored(&row.content).map_err(|_| damaged(Table::Own))?;
        let (of_me, unsent) = (entry.frame().device == open.me.device, open.unsent());
        let local = open.chart_or_new(chart);
        // What a former device of this store did not send is in the chart only once it arrives.
        if of_me {
            let arrival = local.own_arrival(place, unsent);
            local.insert(entry.clone(), arrival);
        }
        local.own.insert(place, entry);
    }
    for (id, page) in rows.records::<PageRecord>(Table::Pages).await? {
        let (chart, first) = split_chart(Table::Pages, &id)?;
        let first = be_u64(Table::Pages, first)?;
        let mut named = std::mem::take(&mut open.named_heads);
        let (begin, known_from) = log_of(open);
        let local = open.chart_or_new(chart);
        local.pages.insert(first);
        local.held_twice.extend(places_twice(&page.rows));
        for received in page.rows {
            local.held.insert(received.index);
            match received.opened {
                Some(bytes) => {
                    let entry = SignedEntry::from_stored(&bytes).map_err(|_| damaged(Table::Pages))?;
                    let arrival = arrival(begin, received.index, received.received_at)
                        .sealed_under(sealed_at(&received.envelope));
                    named.note_entry(&entry, arrival.sealed_at, known_from);
                    local.insert(entry, arrival);
                }
                None => local.unopened.push(Unopened::new(&id, &received)),
            }
        }
        open.named_heads = named;
    }
    load_bases(rows, open).await?;
    for (id, record) in rows.records::<ProvedRecord>(Table::Proved).await? {
        let (chart, entry) = split_chart(Table::Proved, &id)?;
        let entry = EntryId::from_slice(entry).ok_or_else(|| damaged(Table::Proved))?;
        // What was proved of a log that ended, and nobody else can prove, counts for nobody.
        if open.mlog.membership.is_provable(record.index) {
            open.chart_or_new(chart).chart.prove(entry, record.index);
        }
    }
    for (id, record) in rows.records::<CursorRecord>(Table::Cursors).await? {
        let (chart, _) = split_chart(Table::Cursors, &id)?;
        open.chart_or_new(chart).cursor = record.after;
    }
    for (id, record) in rows.records::<ReceiptRecord>(Table::Receipts).await? {
        let (chart, _) = split_chart(Table::Receipts, &id)?;
        open.chart_or_new(chart).receipts.insert(id, record);
    }
    Ok(())
}

async fn load_small_tables<S: RowStore>(
    rows: &SealedRows<S>,
    open: &mut OpenDevice,
) -> Result<(), ClientError> {
    load_drop_tables(rows, open).await?;
    open.blobs = rows.records::<BlobRecord>(Table::Blobs).await?.into_iter().collect();
    while open.reserve_rows < RESERVE_ROWS && rows.has(Table::Reserve, &[open.reserve_rows]).await? {
        open.reserve_rows += 1;
    }
    open.reserve_touched = (1..RESERVE_ROWS).contains(&open.reserve_rows);
    open.drafts = rows.records::<DraftRecord>(Table::Drafts).await?.into_iter().collect();
    open.texts =
        rows.records::<TextBurstRecord>(Table::TextBursts).await?.into_iter().map(OpenText::of_row).collect();
    open.access = rows.records::<AccessRecord>(Table::Access).await?.into_iter().collect();
    let tickets = rows.records::<TicketRecord>(Table::Tickets).await?;
    open.tickets = tickets.into_iter().map(|(_, record)| (record.ticket, record)).collect();
    let evidence = rows.records::<EvidenceRecord>(Table::Evidence).await?;
    open.stopped_by =
        evidence.into_iter().filter_map(|(_, record)| SyncProblem::from_record(&record)).collect();
    Ok(())
}

async fn load_drop_tables<S: RowStore>(
    rows: &SealedRows<S>,
    open: &mut OpenDevice,
) -> Result<(), ClientError> {
    for (id, record) in rows.records::<DroppedRecord>(Table::Dropped).await? {
        let (chart, entry) = split_chart(Table::Dropped, &id)?;
        let entry = EntryId::from_slice(entry).ok_or_else(|| damaged(Table::Dropped))?;
        open.dropped.insert((chart, entry), record);
    }
    for (id, _) in rows.records::<bool>(Table::Urgent).await? {
        let (chart, entry) = split_chart(Table::Urgent, &id)?;
        open.urgent.insert((chart, EntryId::from_slice(entry).ok_or_else(|| damaged(Table::Urgent))?));
    }
    for (_, record) in rows.records::<DropRecord>(Table::Drops).await? {
        let waiting = WaitingDrop::of_record(&record).ok_or_else(|| damaged(Table::Drops))?;
        open.drops.insert(waiting.key(), waiting);
    }
    open.order = rows.get::<OrderRecord>(Table::Orders, ORDER_ROW).await?;
    Ok(())
}

/// Charts that stored entries announce epochs for without a package at hand.
pub(crate) fn charts_without_epoch(open: &OpenDevice) -> BTreeSet<ChartId> {
    let lacks = |chart: &ChartId| {
        let membership = &open.mlog.membership;
        let counted = membership.counted_epoch(*chart);
        let local: Option<&LocalChart> = open.charts.get(chart);
        // An announce stays open until its package was looked at, and nothing is sealed before.
        membership.awaited_package(*chart).is_some()
            // A package that was damaged on the way is fetched again for what was written under it.
            || local.is_some_and(LocalChart::lacks_an_epoch)
            || counted
                .is_none_or(|counted| local.is_none_or(|local| !local.epochs.contains_key(&counted.epoch)))
    };
    open.mlog.scope.iter().copied().filter(lacks).collect()
}
