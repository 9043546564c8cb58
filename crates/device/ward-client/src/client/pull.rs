//! Receiving: pages of envelopes are verified and opened on every core, and stored with the
//! cursor in one commit. What cannot be opened is kept aside and tried again.

use super::keep_epochs::HeldEpoch;
use super::load::NAMED_ROOTS_ROW;
use super::look_through::Delivered;
use super::mend_places::places_twice;
use super::open_device::{GivenAgain, arrival, sealed_at};
use super::{Client, LocalChart, OpenDevice, SyncProblem, Unopened};
use crate::limits::{PAGES_PER_PULL, PULL_PAGE_BYTES, REFETCHES_PER_SYNC, REPULL_EVERY_SYNCS};
use crate::parallel;
use crate::store::{
    Batch, ChainRecord, CursorRecord, NamedRootsRecord, PageRecord, ReceivedRecord, Table, row_id,
};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::{EnvelopePage, paths};
use ward_audit::TreeHead;
use ward_crypto::{
    AcceptedSuites, DeviceCert, Envelope, EnvelopeHeader, SiteManifest, VerifiedEnvelope, verify_envelopes,
};
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, Incarnation, SiteId, VersionVector};
use ward_sync::limits::OLOG_SPAN;
use ward_sync::{
    Arrival, ChainDifference, ChainName, EntryChain, EntryKind, Membership, OpenedEnvelope, ReadFault,
    SignedEntry, check_author,
};
use zeroize::Zeroizing;

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("receiving", error.into())
}

/// A head of the membership log, and the device that named it.
type NamedHead = (DeviceId, TreeHead);

/// Why an envelope gave no entry.
#[derive(Clone, Copy)]
enum NotOpened {
    /// A key for it is not here yet.
    Later,
    /// Its device has no certificate here: that may come, or the name was altered on the way.
    Stranger,
    /// It is not what it says.
    Bad(&'static str),
}

/// What came of an envelope.
struct Opening {
    content: Result<Box<SignedEntry>, NotOpened>,
    /// The head that its author named, once the signature held.
    claim: Option<NamedHead>,
}

/// What opening needs, shared by all threads.
struct Opener<'a> {
    site: SiteId,
    chart: ChartId,
    membership: &'a Membership,
    epochs: &'a BTreeMap<u64, HeldEpoch>,
    suites: AcceptedSuites,
}

impl<'a> Opener<'a> {
    /// Opens envelopes, with their signatures checked in batches. What comes of one does not
    /// depend on the others.
    fn open_all(&self, rows: &[&ReceivedRecord]) -> Vec<Opening> {
        let read: Vec<_> = rows.iter().map(|row| self.read(&row.envelope)).collect();
        let signed: Vec<_> =
            read.iter().flatten().map(|(envelope, cert)| (envelope, &cert.binding.sign_pk)).collect();
        let mut verdicts = verify_envelopes(&signed).into_iter();
        let unsealed: Vec<_> = read
            .iter()
            .map(|one| match one {
                Ok(_) => match verdicts.next() {
                    Some(Ok(verified)) => self.unseal(&verified),
                    _ => (Err(NotOpened::Bad("its signature does not hold")), None),
                },
                Err(why) => (Err(*why), None),
            })
            .collect();
        let opened: Vec<OpenedEnvelope<'_>> = read
            .iter()
            .zip(&unsealed)
            .filter_map(|(one, (plaintext, _))| {
                let ((envelope, cert), plaintext) = (one.as_ref().ok()?, plaintext.as_ref().ok()?);
                Some(OpenedEnvelope { header: envelope.header(), plaintext, cert })
            })
            .collect();
        let mut entries = SignedEntry::rebuild_and_check_all(&opened).into_iter();
        let opening = |(plaintext, claim): &(Result<_, NotOpened>, _)| {
            let content = match plaintext {
                Ok(_) => match entries.next() {
                    Some(Ok(entry)) => Ok(Box::new(entry)),
                    _ => Err(NotOpened::Bad("it holds another entry than it names")),
                },
                Err(why) => Err(*why),
            };
            Opening { content, claim: *claim }
        };
        unsealed.iter().map(opening).collect()
    }

    /// The envelope and the certificate that its header names.
    fn read(&self, bytes: &[u8]) -> Result<(Envelope, &'a DeviceCert), NotOpened> {
        let envelope =
            Envelope::from_canonical(bytes).map_err(|_| NotOpened::Bad("it is not an envelope"))?;
        let header = envelope.header();
        if (header.site, header.chart) != (self.site, self.chart) {
            return Err(NotOpened::Bad("it belongs to another chart"));
        }
        let record = self.membership.device(self.chart, header.device).ok_or(NotOpened::Stranger)?;
        Ok((envelope, record.cert()))
    }

    /// The content of an envelope whose signature holds, and what it says about the log: signed by
    /// a member, that is worth comparing.
    fn unseal(
        &self,
        verified: &VerifiedEnvelope<'_>,
    ) -> (Result<Zeroizing<Vec<u8>>, NotOpened>, Option<NamedHead>) {
        let header = verified.envelope().header();
        let claim = Some((header.device, TreeHead { size: header.mlog_size, root: header.mlog_root }));
        if let Err(why) = self.believe(header) {
            return (Err(why), claim);
        }
        let Some(held) = self.epochs.get(&header.epoch) else { return (Err(NotOpened::Later), claim) };
        let plaintext = verified.open(&held.secret, self.suites);
        (plaintext.map_err(|_| NotOpened::Bad("it does not open under its epoch")), claim)
    }

    /// Whether its author was a member at the head that it names, and sealed for the members there. What
    /// names a newer head than is known is believed of a present member: the head is compared later.
    fn believe(&self, header: &EnvelopeHeader) -> Result<(), NotOpened> {
        match check_author(self.membership, header) {
            Ok(_) => Ok(()),
            Err(ReadFault::HeadAhead { .. }) if self.membership.is_member(self.chart, header.device) => {
                Ok(())
            }
            Err(ReadFault::HeadAhead { .. } | ReadFault::EpochUnknown) => Err(NotOpened::Later),
            Err(ReadFault::NoCertificate) => Err(NotOpened::Stranger),
            Err(ReadFault::ForeignHead) => Err(NotOpened::Bad("it names a head that the log never had")),
            Err(ReadFault::NotMember) => Err(NotOpened::Bad("its author was no member at the head it names")),
            Err(ReadFault::OtherMembers) => {
                Err(NotOpened::Bad("it was sealed for other members than there were"))
            }
        }
    }
}

/// A page after opening.
pub(super) struct OpenedPage {
    pub(super) rows: Vec<ReceivedRecord>,
    pub(super) entries: Vec<(SignedEntry, Arrival)>,
    pub(super) unopened: Vec<u64>,
    pub(super) bad: Vec<(u64, &'static str)>,
    /// Places whose envelope may have been damaged on the way.
    pub(super) doubtful: Vec<u64>,
    /// Places whose envelope no certified device signed.
    pub(super) unsigned: Vec<u64>,
    claims: Vec<NamedHead>,
}

impl OpenedPage {
    /// The rows, with what was opened of them.
    pub(super) fn into_rows(self) -> Vec<ReceivedRecord> {
        self.rows
    }

    /// The one row of a page of one, if it opened.
    pub(super) fn into_opened_row(self) -> Option<ReceivedRecord> {
        self.rows.into_iter().find(|row| row.opened.is_some())
    }

    /// Leaves out what will not open any more, or need not: of a log that ended nothing is delivered again,
    /// so what came damaged stays so, and what survived is given a place in the log that counts.
    fn let_go(self, is_let_go: impl Fn(&ReceivedRecord, bool) -> bool) -> Self {
        let bad: BTreeSet<u64> = self.bad.iter().map(|(index, _)| *index).collect();
        let gone = |row: &ReceivedRecord| row.opened.is_none() && is_let_go(row, bad.contains(&row.index));
        let gone: BTreeSet<u64> = self.rows.iter().filter(|row| gone(row)).map(|row| row.index).collect();
        self.without(&gone)
    }

    /// The page without what stands at some places.
    pub(super) fn without(mut self, gone: &BTreeSet<u64>) -> Self {
        self.rows.retain(|row| !gone.contains(&row.index));
        self.entries.retain(|(_, arrival)| arrival.olog_index.is_none_or(|place| !gone.contains(&place)));
        self.bad.retain(|(index, _)| !gone.contains(index));
        self.unopened.retain(|index| !gone.contains(index));
        self.doubtful.retain(|index| !gone.contains(index));
        self
    }

    /// Places of envelopes whose device is not known here.
    pub(super) fn strangers(&self) -> BTreeSet<u64> {
        let bad: BTreeSet<u64> = self.bad.iter().map(|(index, _)| *index).collect();
        self.doubtful.iter().copied().filter(|index| !bad.contains(index)).collect()
    }

    /// The first place of what is kept; `None` if nothing is.
    pub(super) fn first_place(&self) -> Option<u64> {
        self.rows.first().map(|row| row.index)
    }

    /// The newest heads that lie beyond the log of this device, with those that wait already.
    fn heads_beyond(&self, open: &OpenDevice) -> Option<BTreeMap<DeviceId, TreeHead>> {
        let size = open.mlog.membership.size();
        let mut heads = open.named_roots.clone();
        let mut found = false;
        for (device, head) in self.claims.iter().filter(|(_, head)| head.size > size) {
            if heads.get(device).is_none_or(|known| known.size < head.size) {
                heads.insert(*device, *head);
                found = true;
            }
        }
        found.then_some(heads)
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Fetches everything new of a chart. Returns how many envelopes came.
    pub(crate) async fn pull_chart(&mut self, chart: ChartId) -> Result<u64, SyncProblem> {
        let stays = self.retry_unopened(chart).await?;
        let cursor = self.device_mut().map_err(failed)?.chart_or_new(chart).cursor;
        let pulled = self.pull_after(chart, cursor, &mut Delivered::default()).await;
        self.leave_outdone_places(chart).await.map_err(failed)?;
        let pulled = pulled?;
        if pulled > 0 {
            self.settle_places(chart).await.map_err(failed)?;
        }
        // What stays damaged does not keep newer entries out, and is said at every sync.
        stays.map_or(Ok(pulled), Err)
    }

    /// Fetches pages after a place and keeps what is not at hand.
    ///
    /// What the server gives at places that are held is added to `delivered`, and where its pages end.
    pub(super) async fn pull_after(
        &mut self,
        chart: ChartId,
        mut after: Option<u64>,
        delivered: &mut Delivered,
    ) -> Result<u64, SyncProblem> {
        let (mut pulled, mut first_problem) = (0, None);
        // Places between the cursor and a later beginning are not looked at: the cursor stays before them.
        let joins = after <= self.device_mut().map_err(failed)?.chart_or_new(chart).cursor;
        // What does not come now comes with the next sync: no server holds a device in one meeting for
        // ever.
        for _ in 0..PAGES_PER_PULL {
            let page = self.fetch_page(chart, after, PULL_PAGE_BYTES).await?;
            let Some(last) = page.rows.last().map(|row| row.index) else {
                self.note_end(chart, after, joins, delivered).map_err(failed)?;
                return first_problem.map_or(Ok(pulled), Err);
            };
            let more = page.more;
            let held = &self.device_mut().map_err(failed)?.chart_or_new(chart).held;
            let (known, fresh): (Vec<_>, Vec<_>) =
                page.rows.into_iter().partition(|row| held.contains(&row.index));
            let is_all_new = known.is_empty();
            delivered.rows.extend(known);
            let rows: Vec<ReceivedRecord> = fresh.into_iter().map(received).collect();
            pulled += rows.len() as u64;
            let opened = self.opened(chart, rows).map_err(failed)?;
            let opened = opened.within_surplus(self.device_mut().map_err(failed)?.chart_or_new(chart));
            // A page is named after the first row that stays.
            if let Some(first) = opened.first_place() {
                let id = row_id(&[chart.as_bytes(), &first.to_be_bytes()]);
                match self.keep_page(chart, id, opened, joins.then_some(last)).await {
                    // One bad envelope must not hold up those that come after it.
                    Err(problem @ (SyncProblem::BadEnvelope { .. } | SyncProblem::DeviceFork { .. })) => {
                        first_problem.get_or_insert(problem);
                    }
                    kept => kept?,
                }
            } else {
                if joins {
                    self.move_cursor(chart, last).await.map_err(failed)?;
                }
                if is_all_new {
                    // A server whose pages bring nothing would go on for ever.
                    return Err(first_problem.unwrap_or_else(|| brings_nothing(chart)));
                }
            }
            if !more {
                self.note_end(chart, Some(last), joins, delivered).map_err(failed)?;
                break;
            }
            after = Some(last);
        }
        first_problem.map_or(Ok(pulled), Err)
    }

    /// Everything up to a place is at hand.
    async fn move_cursor(&mut self, chart: ChartId, to: u64) -> Result<(), ClientError> {
        if self.device_mut()?.chart_or_new(chart).cursor >= Some(to) {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after: Some(to) });
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).cursor = Some(to);
        self.raise_mark(None).await;
        Ok(())
    }

    /// One page, in order and after the place that was asked for.
    pub(super) async fn fetch_page(
        &mut self,
        chart: ChartId,
        after: Option<u64>,
        limit_bytes: usize,
    ) -> Result<EnvelopePage, SyncProblem> {
        // The server counts the places of one log, this device those of all logs of the site.
        let open = self.device().map_err(failed)?;
        let begin = open.olog_begin();
        let path =
            paths::envelopes_after(chart, after.and_then(|after| after.checked_sub(begin)), limit_bytes);
        let mut page: EnvelopePage = self.wire().map_err(failed)?.get(&path).await.map_err(failed)?;
        let in_one_log = page.rows.last().is_none_or(|row| row.index < OLOG_SPAN);
        page.rows.iter_mut().for_each(|row| row.index = row.index.saturating_add(begin));
        let rising = page.rows.is_sorted_by(|a, b| a.index < b.index);
        if in_one_log && rising && after.is_none_or(|after| page.rows.iter().all(|row| row.index > after)) {
            Ok(page)
        } else {
            Err(failed(ClientError::BadAnswer { path }))
        }
    }

    /// Opens rows on every core.
    pub(super) fn opened(
        &self,
        chart: ChartId,
        mut rows: Vec<ReceivedRecord>,
    ) -> Result<OpenedPage, ClientError> {
        let open = self.device()?;
        let empty = BTreeMap::new();
        let opener = Opener {
            site: open.me.site,
            chart,
            membership: &open.mlog.membership,
            epochs: open.charts.get(&chart).map_or(&empty, |local| &local.epochs),
            suites: open
                .mlog
                .membership
                .manifest()
                .map_or(AcceptedSuites::ALL, SiteManifest::accepted_suites),
        };
        let waiting: Vec<&ReceivedRecord> = rows.iter().filter(|row| row.opened.is_none()).collect();
        let openings = parallel::map_parts(&waiting, |rows| opener.open_all(rows));
        let begin = open.olog_begin();
        let (mut entries, mut unopened) = (Vec::new(), Vec::new());
        let (mut bad, mut doubtful, mut unsigned) = (Vec::new(), Vec::new(), Vec::new());
        let (mut claims, mut stored) = (Vec::new(), BTreeMap::new());
        for (row, Opening { content, claim }) in waiting.into_iter().zip(openings) {
            let sealed_at = claim.map(|(_, head)| head.size);
            unsigned.extend(claim.is_none().then_some(row.index));
            claims.extend(claim);
            match content {
                Ok(entry) => {
                    stored.insert(row.index, entry.to_stored());
                    let arrival = arrival(begin, row.index, row.received_at);
                    entries.push((*entry, arrival.sealed_under(sealed_at)));
                }
                Err(NotOpened::Later) => unopened.push(row.index),
                Err(NotOpened::Stranger) => {
                    unopened.push(row.index);
                    doubtful.push(row.index);
                }
                Err(NotOpened::Bad(why)) => {
                    unopened.push(row.index);
                    doubtful.push(row.index);
                    bad.push((row.index, why));
                }
            }
        }
        for row in &mut rows {
            if let Some(bytes) = stored.remove(&row.index) {
                row.opened = Some(bytes.into());
            }
        }
        Ok(OpenedPage { rows, entries, unopened, bad, doubtful, unsigned, claims })
    }

    /// Stores a page and the cursor in one commit, then takes its entries.
    pub(super) async fn keep_page(
        &mut self,
        chart: ChartId,
        id: Vec<u8>,
        page: OpenedPage,
        cursor: Option<u64>,
    ) -> Result<(), SyncProblem> {
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        if !local.chart.has_room_for(page.entries.iter().map(|(entry, _)| entry.id())) {
            // The cursor stays: what has no room here is not taken for seen.
            return Err(failed(ClientError::ChartFull(chart)));
        }
        let mut batch = Batch::default();
        let indexes: Vec<u64> = page.rows.iter().map(|row| row.index).collect();
        let unopened: Vec<Unopened> = page
            .rows
            .iter()
            .filter(|row| page.unopened.contains(&row.index))
            .map(|row| Unopened::new(&id, row))
            .collect();
        let beyond = page.heads_beyond(self.device().map_err(failed)?);
        if let Some(heads) = &beyond {
            let heads = heads.iter().map(|(device, head)| (*device, *head)).collect();
            batch.put(Table::Heads, NAMED_ROOTS_ROW, &NamedRootsRecord { heads });
        }
        let twice: Vec<u64> = places_twice(&page.rows).collect();
        let unsigned = page.unsigned_bytes();
        batch.put(Table::Pages, id.clone(), &PageRecord { rows: page.rows });
        let open = self.device_mut().map_err(failed)?;
        let me = open.me.device;
        let local = open.chart_or_new(chart);
        let after = local.cursor.max(cursor);
        if after != local.cursor {
            batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after });
        }
        let receipted = known_to_server(local, me, &page.entries);
        if let Some(chain) = local.chain.clone().filter(|_| receipted > local.receipted) {
            batch.put(Table::Chains, chart.as_bytes().as_slice(), &ChainRecord { chain, receipted });
        }
        self.commit_growth(batch, Growth::Text).await.map_err(failed)?;
        let open = self.device_mut().map_err(failed)?;
        let known_from = open.mlog.membership.olog_known_from();
        for (entry, arrival) in &page.entries {
            open.named_heads.note_entry(entry, arrival.sealed_at, known_from);
        }
        let local = open.chart_or_new(chart);
        local.pages.extend(first_place(&id));
        local.receipted = local.receipted.max(receipted);
        local.cursor = local.cursor.max(cursor);
        local.held_twice.retain(|place| !indexes.contains(place));
        local.held_twice.extend(twice);
        // What stands before it may have come to the server since its pages were last seen to end.
        if indexes.iter().any(|place| Some(*place) > local.cursor && !local.held.contains(place)) {
            local.ended_at = None;
        }
        local.held.extend(indexes);
        local.unopened.retain(|known| known.page != id);
        local.unopened.extend(unopened);
        local.opened_said &= page.entries.is_empty();
        let forked = local.take_opened(page.entries);
        local.surplus.charge(unsigned);
        if let Some(heads) = beyond {
            open.named_roots = heads;
        }
        self.raise_mark(None).await;
        self.check_named_roots(&page.claims).await?;
        if let Some(device) = forked {
            return Err(SyncProblem::DeviceFork { chart, device });
        }
        match page.bad.first() {
            Some(&(index, why)) => Err(SyncProblem::BadEnvelope { chart, index, why }),
            None => Ok(()),
        }
    }

    /// Tries envelopes again whose key or certificate was missing; those that were damaged on the
    /// way are fetched again first. Gives back one that stays damaged.
    async fn retry_unopened(&mut self, chart: ChartId) -> Result<Option<SyncProblem>, SyncProblem> {
        let (mut stays, mut left) = (None, REFETCHES_PER_SYNC);
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        let pages: BTreeSet<Vec<u8>> = local.unopened.iter().map(|one| one.page.clone()).collect();
        for id in pages {
            let Some(record) = self.rows.get::<PageRecord>(Table::Pages, &id).await.map_err(failed)? else {
                continue;
            };
            let before = record.rows.iter().filter(|row| row.opened.is_none()).count();
            let places: Vec<u64> = record.rows.iter().map(|row| row.index).collect();
            let opened = self.opened(chart, record.rows).map_err(failed)?;
            let mut opened = self.without_the_ended(chart, opened).map_err(failed)?;
            let mut mended = false;
            if !opened.doubtful.is_empty() {
                let found = (std::mem::take(&mut opened.entries), std::mem::take(&mut opened.claims));
                let (rows, changed) = self.fetched_again(chart, opened, &mut left).await?;
                opened = self.opened(chart, rows).map_err(failed)?;
                // What opened before the others were fetched again is of this page too.
                opened.entries.extend(found.0);
                opened.claims.extend(found.1);
                mended = changed;
            }
            if let Some(&(index, why)) = opened.bad.first() {
                stays.get_or_insert(SyncProblem::BadEnvelope { chart, index, why });
            }
            // What a former run of the program kept of junk takes its room in this one too.
            let unsigned = opened.unsigned_bytes();
            self.device_mut().map_err(failed)?.chart_or_new(chart).surplus.charge(unsigned);
            // What came whole this time may still wait, for an epoch that the damaged one did not name.
            if opened.unopened.len() == before && !mended {
                continue;
            }
            let stay: BTreeSet<u64> = opened.rows.iter().map(|row| row.index).collect();
            match self.keep_page(chart, id, opened, None).await {
                Ok(()) | Err(SyncProblem::BadEnvelope { .. }) => {}
                Err(problem) => return Err(problem),
            }
            let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
            let gone = places.into_iter().filter(|place| !stay.contains(place));
            gone.for_each(|place| local.surplus.give_back(place));
        }
        Ok(stays)
    }

    /// A page without the envelopes of a log that ended that are damaged, or that came again since.
    fn without_the_ended(&self, chart: ChartId, page: OpenedPage) -> Result<OpenedPage, ClientError> {
        let open = self.device()?;
        let (begin, local) = (open.olog_begin(), open.charts.get(&chart));
        let came = |row: &ReceivedRecord| {
            let envelope = Envelope::from_canonical(&row.envelope).ok();
            let entry = envelope.map(|envelope| envelope.header().entry_id);
            entry.is_some_and(|entry| local.is_some_and(|local| local.chart.get(entry).is_some()))
        };
        Ok(page.let_go(|row, is_bad| row.index < begin && (is_bad || came(row))))
    }

    /// The rows of a page, with damaged envelopes as the server gives them now, and whether any differ.
    async fn fetched_again(
        &mut self,
        chart: ChartId,
        page: OpenedPage,
        left: &mut usize,
    ) -> Result<(Vec<ReceivedRecord>, bool), SyncProblem> {
        let (mut rows, mut changed) = (page.rows, false);
        let open = self.device_mut().map_err(failed)?;
        let begin = open.olog_begin();
        let given_again = &mut open.chart_or_new(chart).given_again;
        let is_due =
            |index: &u64| *index >= begin && given_again.get_mut(index).is_none_or(GivenAgain::is_due);
        let due: Vec<u64> = page.doubtful.into_iter().filter(is_due).take(*left).collect();
        *left = left.saturating_sub(due.len());
        for index in due {
            let again = self.fetch_page(chart, index.checked_sub(1), 1).await?;
            let fresh = again.rows.into_iter().next().filter(|row| row.index == index).map(received);
            let (Some(fresh), Some(row)) = (fresh, rows.iter_mut().find(|row| row.index == index)) else {
                continue;
            };
            if fresh.envelope == row.envelope {
                // The server has it so: nothing happened to it on the way.
                let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
                local.given_again.entry(index).or_default().note();
            }
            changed |= fresh.envelope != row.envelope;
            *row = ReceivedRecord { opened: row.opened.take(), ..fresh };
        }
        Ok((rows, changed))
    }

    /// Builds the chart in memory anew from its rows.
    pub(crate) async fn reload_chart(&mut self, chart: ChartId) -> Result<(), ClientError> {
        self.reload_chart_without(chart, &BTreeSet::new(), &mut Batch::default()).await
    }

    /// The same without some entries that came once and that nobody else will see; their rows leave the
    /// store with the batch.
    pub(crate) async fn reload_chart_without(
        &mut self,
        chart: ChartId,
        gone: &BTreeSet<EntryId>,
        batch: &mut Batch,
    ) -> Result<(), ClientError> {
        let pages = self.pages_of(chart).await?;
        let open = self.device_mut()?;
        let (begin, me, unsent) = (open.olog_begin(), open.me.device, open.unsent());
        let fresh = LocalChart::new(open.me.site, chart).chart;
        let before = std::mem::replace(&mut open.chart_or_new(chart).chart, fresh);
        let provable = |place: &(EntryId, u64)| open.mlog.membership.is_provable(place.1);
        let proved: Vec<(EntryId, u64)> = before.proved().filter(provable).collect();
        let local = open.chart_or_new(chart);
        local.opened_said = false;
        proved.into_iter().for_each(|(entry, place)| local.chart.prove(entry, place));
        let own = local.own.iter().filter(|(_, entry)| entry.frame().device == me);
        let own: Vec<_> = own.map(|(place, entry)| (*place, entry.clone())).collect();
        for (place, entry) in own {
            let arrival = local.own_arrival(place, unsent);
            local.insert(entry, arrival);
        }
        for (id, page) in pages {
            let (mut kept, before) = (Vec::with_capacity(page.rows.len()), page.rows.len());
            for row in page.rows {
                let entry = row.opened.as_ref().and_then(|bytes| SignedEntry::from_stored(bytes).ok());
                if entry.as_ref().is_some_and(|entry| gone.contains(&entry.id())) {
                    // If the server has something there all the same, it comes again.
                    local.held.remove(&row.index);
                    local.surplus.give_back(row.index);
                    continue;
                }
                if let Some(entry) = entry {
                    let arrival = arrival(begin, row.index, row.received_at);
                    local.insert(entry, arrival.sealed_under(sealed_at(&row.envelope)));
                }
                kept.push(row);
            }
            if kept.len() < before {
                local.move_page(chart, id, kept, batch);
            }
        }
        self.reload_base(chart).await
    }

    /// Compares with the server's version vector. What it names and did not deliver is looked for
    /// once more among all pages; what then lacks is reported.
    pub(crate) async fn check_have(
        &mut self,
        chart: ChartId,
        theirs: &VersionVector,
    ) -> Result<(), SyncProblem> {
        let first = self.compare_have(chart, theirs).await;
        let Err(SyncProblem::Incomplete { .. }) = first else { return first };
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        if local.incomplete_for % REPULL_EVERY_SYNCS != 1 {
            return first;
        }
        let mut delivered = Delivered::default();
        let looked = self.pull_after(chart, None, &mut delivered).await;
        self.leave_outdone_places(chart).await.map_err(failed)?;
        looked?;
        let end = delivered.end;
        self.mend_places(chart, delivered.rows).await?;
        if let Some(end) = end {
            self.leave_places_beyond(chart, end).await.map_err(failed)?;
        }
        self.compare_have(chart, theirs).await
    }

    async fn compare_have(&mut self, chart: ChartId, theirs: &VersionVector) -> Result<(), SyncProblem> {
        let closed = self.closed_chains(chart).map_err(failed)?;
        let open = self.device_mut().map_err(failed)?;
        let me = open.me.device;
        let local = open.chart_or_new(chart);
        let ours = local.chart.have();
        let chain = local.chain.as_ref().map(|chain| (me, chain.incarnation()));
        let held = chain.and_then(|(device, incarnation)| theirs.head(device, incarnation));
        let held = held.map_or(0, |head| head.seq);
        let (mut problem, mut differs) = (None, None);
        for (device, incarnation, head) in theirs.iter() {
            // A chain that was closed, and is held to its end, is not looked at any more.
            let over = closed.get(&(device, incarnation)) == Some(&head);
            match ours.head(device, incarnation) {
                Some(known) if over && known == head => {}
                // Both branches of a fork may be here: then nothing is missing.
                Some(known) if known.seq >= head.seq && local.chart.get(head.entry).is_some() => {}
                Some(known) if known.seq >= head.seq => {
                    differs = Some((device, incarnation));
                    problem = Some(SyncProblem::DeviceFork { chart, device });
                }
                // Delivered, but it does not open here, or not yet.
                known if local.waits_unopened(device, incarnation, known, head.seq) => {}
                _ => {
                    problem.get_or_insert(SyncProblem::Incomplete { chart, device, incarnation });
                }
            }
        }
        local.differs = differs;
        local.incomplete_for = if problem.is_some() { local.incomplete_for.saturating_add(1) } else { 0 };
        let receipted = local.receipted;
        // At the server this chain goes on with what another machine wrote with the same key, and nothing
        // that waits here would show it: what it does not have is unsent, and sending it finds the fork.
        let goes_on_elsewhere = match chain {
            Some((_, life)) => self.goes_on_elsewhere(chart, life, theirs).await.map_err(failed)?,
            None => None,
        };
        if let Some(seq) = goes_on_elsewhere {
            self.unsend_from(chart, seq).await.map_err(failed)?;
            return problem.map_or(Ok(()), Err);
        }
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        // That it has more than it receipted is believed only of entries that it delivered.
        let delivered = (local.receipted..held).take_while(|seq| local.own_arrived(seq.saturating_add(1)));
        let held = held.min(receipted.saturating_add(delivered.count() as u64));
        if chain.is_some() && held != receipted {
            // It lost what it had receipted, and gets it again; or it has it again.
            if held < receipted {
                self.show_receipts(chart).await;
            }
            self.set_receipted(chart, held).await.map_err(failed)?;
        }
        problem.map_or(Ok(()), Err)
    }

    /// The first place of this device's present chain at which the server has what another machine wrote.
    async fn goes_on_elsewhere(
        &mut self,
        chart: ChartId,
        life: Incarnation,
        theirs: &VersionVector,
    ) -> Result<Option<u64>, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let (Some(local), Some(head)) = (open.charts.get(&chart), theirs.head(me, life)) else {
            return Ok(None);
        };
        let own = local.own.get(&(life, head.seq)).map(SignedEntry::id);
        // That the newest is this device's own says nothing of those before: the server does not see what
        // they name.
        let differs = own.is_some_and(|own| own != head.entry);
        let from = self.others_from(chart, life, Some(head.seq).filter(|_| differs)).await?;
        Ok(from.filter(|seq| *seq <= head.seq))
    }

    /// The first place of this device's present chain at which the server has what another machine wrote,
    /// as far as it is known to have that at one place, or as both machines' entries came here.
    pub(super) async fn others_from(
        &mut self,
        chart: ChartId,
        life: Incarnation,
        known: Option<u64>,
    ) -> Result<Option<u64>, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let Some(local) = open.charts.get(&chart) else { return Ok(known) };
        let own_at = |seq| local.own.get(&(life, seq)).map(SignedEntry::id);
        let forked = local.chart.forked_at(me, life).and_then(|seq| Some((seq, own_at(seq)?)));
        let mut first = known;
        if let Some((seq, own)) = forked
            && known.is_none_or(|known| seq < known)
        {
            // Where both came, the server may have either: it was set back in between.
            let arrived = local.arrived(own);
            let has_own = arrived
                && self.entries_at_server(chart, (me, life), vec![seq]).await?.get(&seq) == Some(&own);
            first = if has_own { known } else { Some(seq) };
        }
        if known.is_some()
            && let ChainDifference::Forked { seq, .. } = self.reconcile_chain(chart, me, life).await?
        {
            first = first.min(Some(seq));
        }
        Ok(first)
    }

    /// From a place of the own chain on the server has what another machine wrote: what this device has
    /// there is unsent, whatever was receipted once.
    pub(super) async fn unsend_from(&mut self, chart: ChartId, seq: u64) -> Result<(), ClientError> {
        let local = self.device_mut()?.chart_or_new(chart);
        let kept = local.receipted.min(seq.saturating_sub(1));
        self.set_receipted(chart, kept).await
    }

    /// The chains of a chart that were closed.
    fn closed_chains(&self, chart: ChartId) -> Result<BTreeMap<ChainName, ward_id::Head>, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(BTreeMap::new()) };
        // A view costs more than the question whether anybody closed anything.
        let any = local.chart.has_kind(EntryKind::DEVICE_CLOSED);
        if any { Ok(self.view_of(chart)?.closed_chains()) } else { Ok(BTreeMap::new()) }
    }
}

/// A page of which nothing is kept: nobody known signed it, or it came before, and there was much of that.
pub(super) fn brings_nothing(chart: ChartId) -> SyncProblem {
    failed(ClientError::BadAnswer { path: paths::envelopes_after(chart, None, PULL_PAGE_BYTES) })
}

/// The first place in a page, from the id of its row.
fn first_place(id: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*id.last_chunk()?))
}

pub(super) fn received(row: ward_api::EnvelopeRow) -> ReceivedRecord {
    ReceivedRecord {
        index: row.index,
        received_at: row.received_at,
        envelope: row.envelope.0.into(),
        opened: None,
    }
}

/// The newest place of the own chain up to which the server's log is now known to hold every entry:
/// one that came back says nothing of those before it.
fn known_to_server(local: &LocalChart, me: ward_id::DeviceId, entries: &[(SignedEntry, Arrival)]) -> u64 {
    let Some(chain) = &local.chain else { return 0 };
    let incarnation = EntryChain::incarnation(chain);
    let own = entries.iter().map(|(entry, _)| entry).filter(|entry| {
        let frame = entry.frame();
        frame.device == me
            && frame.incarnation == incarnation
            && local.own.get(&(incarnation, frame.seq)).is_some_and(|own| own.id() == entry.id())
    });
    let came: BTreeSet<u64> = own.map(|entry| entry.frame().seq).collect();
    let mut known = local.receipted;
    while came.contains(&known.saturating_add(1)) || local.own_arrived(known.saturating_add(1)) {
        known = known.saturating_add(1);
    }
    known
}
