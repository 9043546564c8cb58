//! What is saved here, what the server has, what the site has opened, and how far the site's logs
//! can be trusted.

use crate::client::is_fresh;
use crate::{Client, DeviceKeyStore, Environment, RowStore, SyncProblem, Transport};
use std::collections::BTreeMap;
use ward_audit::LogView;
use ward_id::{ChartId, DeviceId, EntryId, Incarnation, TimestampMs};
use ward_sync::limits::LIVE_DEVICES_SOFT_MAX;
use ward_sync::{ChartView, EntryKind};

/// How far an entry of this device came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryProgress {
    /// Durable on this device.
    SavedHere,
    /// The server's receipt for it verified.
    Received,
    /// A member of staff wrote after having seen it.
    OpenedAtSite,
}

/// An entry of this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryState {
    /// The chart.
    pub chart: ChartId,
    /// The entry.
    pub entry: EntryId,
    /// What it is about.
    pub kind: EntryKind,
    /// When it was written, by this device's clock.
    pub captured_at: TimestampMs,
    /// How far it came.
    pub progress: EntryProgress,
}

/// The newest verified head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadStatus {
    /// Leaves.
    pub size: u64,
    /// When a quorum of witnesses vouched for it.
    pub attested_at: TimestampMs,
    /// Its age; `None` while the time is not known.
    pub age_ms: Option<i64>,
}

/// A witness of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessStatus {
    /// Its name.
    pub name: String,
    /// Whether somebody other than the operator runs it.
    pub outside: bool,
    /// When it cosigned the newest head, if it did.
    pub cosigned_at: Option<TimestampMs>,
}

/// What this device knows about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Own entries that are saved here only.
    pub saved_here: u64,
    /// Own entries that the server has.
    pub received: u64,
    /// Own entries that the site has opened.
    pub opened_at_site: u64,
    /// Every own entry.
    pub entries: Vec<EntryState>,
    /// The membership log.
    pub mlog: Option<HeadStatus>,
    /// The operation log.
    pub olog: Option<HeadStatus>,
    /// Whether the head is recent enough to seal under.
    pub fresh: bool,
    /// The witnesses.
    pub witnesses: Vec<WitnessStatus>,
    /// How many must agree.
    pub quorum: u8,
    /// Whether the site says that root, admins and witnesses are on different machines.
    pub independent: bool,
    /// Whether no quorum exists without a witness that the operator does not run.
    pub quorum_needs_outside: bool,
    /// What stops sealing until a person acts.
    pub stopped_by: Vec<SyncProblem>,
    /// Whether the mark outside the store could not be written.
    pub mark_behind: bool,
    /// Charts in which more devices write than [`LIVE_DEVICES_SOFT_MAX`]: old ones should be closed.
    pub crowded_charts: Vec<(ChartId, usize)>,
}

fn instant(seconds: u64) -> TimestampMs {
    TimestampMs(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Where everything stands.
    ///
    /// # Errors
    /// [`crate::ClientError::Locked`] or [`crate::ClientError::NotEnrolled`].
    pub fn status(&self) -> Result<Status, crate::ClientError> {
        let open = self.device()?;
        let entries = self.own_entries();
        let count = |progress| entries.iter().filter(|entry| entry.progress == progress).count() as u64;
        let view = open.mlog.view.as_ref();
        let manifest = open.mlog.membership.manifest();
        let cosigned = view.and_then(LogView::head).map_or(&[][..], |head| head.cosigned());
        let witness = |entry: &ward_crypto::WitnessEntry| WitnessStatus {
            name: entry.name.clone(),
            outside: entry.outside,
            cosigned_at: cosigned
                .iter()
                .find(|(name, _)| name.as_str() == entry.name)
                .map(|(_, at)| instant(*at)),
        };
        Ok(Status {
            saved_here: count(EntryProgress::SavedHere),
            received: count(EntryProgress::Received),
            opened_at_site: count(EntryProgress::OpenedAtSite),
            mlog: self.head_status(view),
            olog: self.head_status(open.olog.as_ref()),
            fresh: is_fresh(&self.freshness()),
            witnesses: manifest
                .map_or_else(Vec::new, |manifest| manifest.witnesses.iter().map(witness).collect()),
            quorum: manifest.map_or(0, |manifest| manifest.quorum),
            independent: open.me.independent,
            quorum_needs_outside: view.is_some_and(|view| view.policy().quorum_needs_outside()),
            stopped_by: open.stopped_by.clone(),
            mark_behind: open.mark_behind,
            crowded_charts: self.crowded_charts(),
            entries,
        })
    }

    /// Charts with more living devices than there should be.
    fn crowded_charts(&self) -> Vec<(ChartId, usize)> {
        let Ok(open) = self.device() else { return Vec::new() };
        let many =
            open.charts.iter().filter(|(_, local)| local.chart.devices().count() > LIVE_DEVICES_SOFT_MAX);
        let crowded = many.filter_map(|(chart, local)| {
            local.chart.crowd(&self.chart(*chart).ok()?.closed_chains()).map(|count| (*chart, count))
        });
        crowded.collect()
    }

    fn head_status(&self, view: Option<&LogView>) -> Option<HeadStatus> {
        let head = view?.head()?;
        let attested_at = instant(head.attested_s());
        let age_ms = self.trusted_now().map(|now| now.since_ms(attested_at));
        Some(HeadStatus { size: head.head().size, attested_at, age_ms })
    }

    fn own_entries(&self) -> Vec<EntryState> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut out = Vec::new();
        for (chart, local) in &open.charts {
            let Ok(view) = self.chart(*chart) else { continue };
            let opened = opened_by_staff(&view, open.me.device);
            let incarnation = local.chain.as_ref().map(ward_sync::EntryChain::incarnation);
            for item in view.timeline().iter().filter(|item| item.entry.frame().device == open.me.device) {
                // What is carried on came as far as the entry that carries it.
                let carrier = item.carried_by.and_then(|carrier| local.chart.get(carrier));
                let carrier = carrier.filter(|carrier| carrier.frame().device == open.me.device);
                let frame = carrier.unwrap_or(item.entry).frame();
                let arrived = local.arrived(carrier.unwrap_or(item.entry).id());
                let receipted = Some(frame.incarnation) == incarnation && frame.seq <= local.receipted;
                let progress = if opened.get(&frame.incarnation).is_some_and(|seq| frame.seq <= *seq) {
                    EntryProgress::OpenedAtSite
                } else if receipted || arrived {
                    EntryProgress::Received
                } else {
                    EntryProgress::SavedHere
                };
                out.push(EntryState {
                    chart: *chart,
                    entry: item.entry.id(),
                    kind: item.entry.body().kind,
                    captured_at: item.entry.body().captured_at,
                    progress,
                });
            }
        }
        out
    }
}

/// Up to which place staff of other devices have seen this device's chains: their entries name
/// the newest that they had seen.
fn opened_by_staff(view: &ChartView<'_>, me: DeviceId) -> BTreeMap<Incarnation, u64> {
    let own: BTreeMap<EntryId, (Incarnation, u64)> = view
        .timeline()
        .iter()
        .filter(|item| item.entry.frame().device == me)
        .map(|item| (item.entry.id(), (item.entry.frame().incarnation, item.entry.frame().seq)))
        .collect();
    let mut out = BTreeMap::new();
    for item in view.timeline() {
        let by_staff = item.author.is_some_and(|author| author.role.is_staff() && author.device != me);
        if !by_staff {
            continue;
        }
        for (incarnation, seq) in item.entry.body().deps.iter().filter_map(|dep| own.get(dep)) {
            let known = out.entry(*incarnation).or_insert(0);
            *known = (*known).max(*seq);
        }
    }
    out
}
