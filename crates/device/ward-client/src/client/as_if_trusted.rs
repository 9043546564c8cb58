//! What a chart would show if its revoked devices were trusted: for alerts only. It decides nothing, is stored
//! nowhere, and every item that comes of it says so.

use super::Client;
use crate::views::{self, NamedChart, RuleBook, WorkItem};
use crate::{DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::DeviceCert;
use ward_id::{DeviceId, TimestampMs};
use ward_sync::{Author, Authority, ChartAuthority, Standing, StudySchema};

/// The membership log, as if nobody had been revoked.
struct AsIfTrusted<'a>(ChartAuthority<'a>);

impl Authority for AsIfTrusted<'_> {
    fn author(&self, device: DeviceId) -> Option<Author> {
        self.0.author(device)
    }

    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert> {
        self.0.certificate(device)
    }

    fn standing(&self, _device: DeviceId, _proved_index: Option<u64>) -> Standing {
        Standing::Effective
    }

    fn schema(&self) -> Option<&StudySchema> {
        self.0.schema()
    }

    fn participant_since(&self) -> Option<TimestampMs> {
        self.0.participant_since()
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
        let authority = ChartAuthority { membership: &open.mlog.membership, chart: chart.chart };
        let trusted = local.chart.view(&AsIfTrusted(authority));
        views::set_aside_work(book, chart, &trusted, &aside, now)
    }
}
