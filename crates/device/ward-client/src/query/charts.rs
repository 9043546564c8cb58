//! The charts of this device.

use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport, parallel};
use ward_id::{ChartId, EntryId, PersonId, TeamId};
use ward_sync::{ChartAuthority, ChartView, Membership};

/// A chart in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartSummary {
    /// The chart.
    pub chart: ChartId,
    /// Whose it is.
    pub participant: Option<PersonId>,
    /// Who looks after it.
    pub team: Option<TeamId>,
    /// The participant's name, if the profile has one.
    pub name: Option<String>,
    /// Whether this device reads it now.
    pub member: bool,
    /// Entries at hand.
    pub entries: usize,
    /// Own entries that wait to be sent.
    pub unsent: u64,
    /// Fields and records in which several values hold and nobody has chosen.
    pub conflicts: usize,
    /// Whether something that others have seen is missing here.
    pub incomplete: bool,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// All charts that this device reads or holds.
    pub fn charts(&self) -> Vec<ChartSummary> {
        let Ok(open) = self.device() else { return Vec::new() };
        let (membership, device, is_readable) =
            (&open.mlog.membership, open.me.device, open.readable().is_ok());
        let charts: Vec<_> =
            self.chart_ids().into_iter().map(|chart| (chart, open.charts.get(&chart))).collect();
        parallel::map_each(&charts, |(chart, local)| {
            let shown = local.filter(|_| is_readable);
            let view = shown.map(|local| local.chart.view(&ChartAuthority { membership, chart: *chart }));
            let name = view.as_ref().and_then(|view| view.profile().get("name")?.single());
            ChartSummary {
                chart: *chart,
                participant: membership.participant(*chart),
                team: membership.team_of(*chart),
                name: name.map(|name| name.value.value.clone()),
                member: membership.is_member(*chart, device),
                entries: local.map_or(0, |local| local.chart.len()),
                unsent: local.map_or(0, |local| local.unsent().count() as u64),
                conflicts: view.as_ref().map_or(0, |view| view.conflicts().len()),
                incomplete: local.is_some_and(|local| {
                    local.incomplete_for > 0
                        || !local.unopened.is_empty()
                        || !local.chart.missing().is_empty()
                }),
            }
        })
    }

    pub(crate) fn chart_ids(&self) -> Vec<ChartId> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut charts = open.mlog.membership.charts_of(open.me.device);
        charts.extend(open.me.chart);
        charts
            .extend(open.charts.iter().filter(|(_, local)| !local.chart.is_empty()).map(|(chart, _)| *chart));
        charts.sort_unstable();
        charts.dedup();
        charts
    }

    /// Everything that a chart amounts to, as far as this device knows it.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`] for a chart that this device holds nothing of;
    /// [`ClientError::Severed`] and [`ClientError::LeaseEnded`] on a device that shows nothing now.
    pub fn chart(&self, chart: ChartId) -> Result<ChartView<'_>, ClientError> {
        self.device()?.readable()?;
        self.view_of(chart)
    }

    /// The same, for what is not shown to the person.
    pub(crate) fn view_of(&self, chart: ChartId) -> Result<ChartView<'_>, ClientError> {
        let open = self.device()?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        Ok(local.chart.view(&ChartAuthority { membership: &open.mlog.membership, chart }))
    }

    /// Entries of a chart that others name and that are not at hand, sorted: the server, or the way
    /// from it, left something out.
    ///
    /// # Errors
    /// As [`Client::chart`].
    pub fn missing(&self, chart: ChartId) -> Result<Vec<EntryId>, ClientError> {
        let local = self.device()?.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        Ok(local.chart.missing())
    }

    /// The site's membership as this device verified it.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn membership(&self) -> Result<&Membership, ClientError> {
        Ok(&self.device()?.mlog.membership)
    }
}
