//! What a chart would show if its revoked devices were trusted: for alerts only. It decides nothing, is stored
//! nowhere, and every item that comes of it says so. What staff declined takes no part in it.

use super::Client;
use crate::views::{self, NamedChart, RuleBook, WorkItem};
use crate::{DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_crypto::DeviceCert;
use ward_id::{DeviceId, EntryId, TimestampMs};
use ward_sync::{Author, Authority, ChartAuthority, Standing, StudySchema};

/// The membership log, as if nobody had been revoked.
struct AsIfTrusted<'a> {
    log: ChartAuthority<'a>,
    declined: BTreeSet<EntryId>,
}

impl Authority for AsIfTrusted<'_> {
    fn author(&self, device: DeviceId) -> Option<Author> {
        self.log.author(device)
    }

    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert> {
        self.log.certificate(device)
    }

    fn standing(&self, _device: DeviceId, _proved_index: Option<u64>) -> Standing {
        Standing::Effective
    }

    fn leaves_out(&self, entry: EntryId) -> bool {
        self.declined.contains(&entry)
    }

    fn schema(&self) -> Option<&StudySchema> {
        self.log.schema()
    }

    fn participant_since(&self) -> Option<TimestampMs> {
        self.log.participant_since()
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Alerts of answers, and rows of missed times, that are kept aside because a device was revoked: what was
    /// open before stays open, and what came since is told.
    pub(crate) fn set_aside_work(
        &self,
        book: &RuleBook,
        chart: &NamedChart<'_>,
        now: TimestampMs,
    ) -> Vec<WorkItem> {
        let aside = views::SetAside::of(chart.view);
        let Ok(open) = self.device() else { return Vec::new() };
        let Some(local) = open.charts.get(&chart.chart).filter(|_| !aside.is_empty()) else {
            return Vec::new();
        };
        let log = ChartAuthority { membership: &open.mlog.membership, chart: chart.chart };
        let trusted = local.chart.view(&AsIfTrusted { log, declined: chart.view.declined() });
        views::set_aside_work(book, chart, &trusted, &aside, now)
    }
}
