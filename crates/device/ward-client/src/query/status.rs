//! What is saved here, what the server has, what the site has opened, and how far the site's logs
//! can be trusted.

use super::{ChartDelivery, stop_words};
use crate::client::{LostEntries, counted_losses, is_fresh};
use crate::{Client, DeviceKeyStore, Environment, RowStore, SyncProblem, Transport};
use ward_audit::LogView;
use ward_id::{ChartId, TimestampMs};
use ward_sync::limits::LIVE_DEVICES_SOFT_MAX;

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

/// What this device could not keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// When it was found, by this device's clock.
    pub found_at: TimestampMs,
    /// Entries that were saved here, were not sent yet and are gone, by chart.
    pub entries: Vec<LostEntries>,
    /// Drafts.
    pub drafts: u64,
    /// Notes of who read a chart, not written into it yet.
    pub accesses: u64,
    /// Receipts of the server. The server still has the entries.
    pub receipts: u64,
    /// Whether it was forgotten how long the site's logs were.
    pub heads: bool,
    /// Attachments of which a part is gone before the server was known to have all of it.
    pub attachments: u64,
}

impl Losses {
    /// Whether nothing was lost.
    pub fn is_nothing(&self) -> bool {
        *self == Self { found_at: self.found_at, ..Self::default() }
    }
}

/// What this device knows about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Own entries that are saved here only.
    pub saved_here: u64,
    /// Own entries that were handed to the site and are not adopted yet.
    pub handed_over: u64,
    /// Own entries that the server has.
    pub received: u64,
    /// Own entries that the site has opened.
    pub opened_at_site: u64,
    /// The same chart by chart, with every own entry.
    pub charts: Vec<ChartDelivery>,
    /// When a sync last sent, fetched and verified everything, by this device's clock.
    pub last_full_sync: Option<TimestampMs>,
    /// When a sync was last tried.
    pub last_sync_tried: Option<TimestampMs>,
    /// When the next one is due, if something waits.
    pub next_attempt_at: Option<TimestampMs>,
    /// What keeps entries here, as stable words; [`Status::stop_sentences`] says it plainly.
    pub stops: Vec<String>,
    /// What this device could not keep, until the person has taken note of it.
    pub losses: Losses,
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
    /// What stands against this device, verified by itself.
    pub order: Option<crate::DeviceOrder>,
    /// How far this device opens.
    pub lease: ward_sync::Lease,
    /// What stops sealing until a person acts.
    pub stopped_by: Vec<SyncProblem>,
    /// Whether the mark outside the store could not be written.
    pub mark_behind: bool,
    /// Charts in which more devices write than [`LIVE_DEVICES_SOFT_MAX`]: old ones should be closed.
    pub crowded_charts: Vec<(ChartId, usize)>,
}

impl Status {
    /// Whether something waits here so long that a person should find a network.
    pub fn needs_network(&self) -> bool {
        self.charts.iter().any(ChartDelivery::needs_network)
    }

    /// What keeps entries here, in plain sentences.
    pub fn stop_sentences(&self) -> Vec<&'static str> {
        self.stops.iter().map(|stop| stop_words(stop)).collect()
    }
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
        let held = open.charts.keys().filter_map(|chart| self.delivery(*chart).ok());
        let charts: Vec<ChartDelivery> = held.filter(|chart| !chart.entries.is_empty()).collect();
        let sum = |count: fn(&ChartDelivery) -> u64| charts.iter().map(count).sum();
        let last = open.last_sync.clone().unwrap_or_default();
        let tried = open.last_sync.as_ref().map(|last| last.tried_at);
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
            saved_here: sum(|chart| chart.saved_here),
            handed_over: sum(|chart| chart.handed_over),
            received: sum(|chart| chart.received),
            opened_at_site: sum(|chart| chart.opened_at_site),
            last_full_sync: last.complete_at,
            last_sync_tried: tried,
            next_attempt_at: last.next_attempt_at,
            stops: self.stops(last.problems),
            losses: Losses {
                found_at: open.losses.found_at,
                entries: counted_losses(&open.losses.entries),
                drafts: open.losses.drafts,
                accesses: open.losses.accesses,
                receipts: open.losses.receipts,
                heads: open.losses.heads,
                attachments: open.losses.attachments,
            },
            mlog: self.head_status(view),
            olog: self.head_status(open.olog.as_ref()),
            fresh: is_fresh(&self.freshness()),
            witnesses: manifest
                .map_or_else(Vec::new, |manifest| manifest.witnesses.iter().map(witness).collect()),
            quorum: manifest.map_or(0, |manifest| manifest.quorum),
            independent: open.me.independent,
            quorum_needs_outside: view.is_some_and(|view| view.policy().quorum_needs_outside()),
            order: self.order(),
            lease: open.lease,
            stopped_by: open.stopped_by.clone(),
            mark_behind: open.mark_behind,
            crowded_charts: self.crowded_charts(),
            charts,
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

    /// What keeps entries here now, and what the last sync found.
    fn stops(&self, last: Vec<String>) -> Vec<String> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut stops = last;
        stops.extend(open.stopped_by.iter().map(|problem| problem.name().to_owned()));
        if open.set_back {
            stops.push(super::SET_BACK.to_owned());
        }
        if open.last_sync.is_none() {
            stops.push(super::NEVER_SYNCED.to_owned());
        }
        stops.sort_unstable();
        stops.dedup();
        stops
    }
}
