//! What needs attention and how many planned questionnaires were answered, over all charts of this
//! device.

use crate::views::{self, InstrumentAdherence, NamedChart, RuleBook, WorkItem};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport, parallel};
use std::collections::BTreeMap;
use ward_id::{ChartId, EntryId, TeamId, TimestampMs};
use ward_sync::{ChartAuthority, ChartView, DeviceRecord};

/// The adherence of one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartAdherence {
    /// The chart.
    pub chart: ChartId,
    /// The name under which people know it.
    pub label: String,
    /// Each of its questionnaires.
    pub instruments: Vec<InstrumentAdherence>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    fn views(&self) -> Vec<(ChartId, ChartView<'_>)> {
        let Some(open) = self.device().ok().filter(|open| open.readable().is_ok()) else {
            return Vec::new();
        };
        let membership = &open.mlog.membership;
        let held = |chart: ChartId| Some((chart, &open.charts.get(&chart)?.chart));
        let held: Vec<_> = self.chart_ids().into_iter().filter_map(held).collect();
        parallel::map_each(&held, |(chart, held)| {
            (*chart, held.view(&ChartAuthority { membership, chart: *chart }))
        })
    }

    /// The alert rules that count at this site: the built-in ones where none were published.
    pub fn alert_rules(&self) -> RuleBook {
        self.device()
            .map_or_else(|_| RuleBook::built_in(), |open| RuleBook::of(open.mlog.membership.alert_rules()))
    }

    /// Everything that needs attention in all charts: open items first, by urgency and then by how
    /// long they wait; acknowledged ones after them, with what was done. What waits in the drop box is
    /// among them, and says that it is not adopted yet.
    ///
    /// # Errors
    /// [`ClientError::Severed`] and [`ClientError::LeaseEnded`] on a device that shows nothing now: an empty
    /// list would say that nothing waits.
    pub fn worklist(&self, now: TimestampMs) -> Result<Vec<WorkItem>, ClientError> {
        self.device()?.readable()?;
        let views = self.views();
        let named: Vec<NamedChart<'_>> =
            views.iter().map(|(chart, view)| NamedChart::new(*chart, view)).collect();
        let book = self.alert_rules();
        let mut items = views::worklist_by(&book, &named, now);
        for chart in &named {
            // A row that is listed as it stands is not listed again as it would stand.
            let mut aside = self.set_aside_work(&book, chart, now);
            aside.retain(|item| items.iter().all(|known| known.id != item.id));
            items.extend(aside);
        }
        items.extend(self.rule_work(&book, &named));
        items.extend(self.drop_work(now));
        views::sort_items(&mut items);
        Ok(items)
    }

    /// What the care teams have to know of the rules themselves. It is nobody's matter but the staff's.
    fn rule_work(&self, book: &RuleBook, charts: &[NamedChart<'_>]) -> Vec<WorkItem> {
        let Ok(open) = self.device() else { return Vec::new() };
        if !open.me.role.is_staff() {
            return Vec::new();
        }
        let membership = &open.mlog.membership;
        let mut teams: BTreeMap<Option<TeamId>, Vec<&NamedChart<'_>>> = BTreeMap::new();
        for chart in charts {
            teams.entry(membership.team_of(chart.chart)).or_default().push(chart);
        }
        let teams: Vec<_> = teams.into_values().collect();
        let person_of = |device| membership.site_device(device).map(DeviceRecord::person);
        views::rule_work(book, &teams, person_of)
    }

    /// Closes an item: says what was done about it. New entries on the same matter open it again.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for no such item; [`ClientError::NotAllowed`] for one that ends when its
    /// cause does and not by anybody's word; else as
    /// [`Client::capture`].
    pub async fn acknowledge(&mut self, item: &str, action: &str) -> Result<EntryId, ClientError> {
        let now = self.env_wall();
        let found = self.worklist(now)?.into_iter().find(|known| known.id == item);
        let found = found.ok_or(ClientError::Unknown("the item"))?;
        if !found.closable {
            return Err(ClientError::NotAllowed(
                "this item ends when its cause does: when what is missing arrives, what waits is adopted or declined, or the rules can be read",
            ));
        }
        self.capture(found.chart, found.acknowledgement(action)).await
    }

    /// Adherence of every chart up to an instant.
    pub fn adherence(&self, now: TimestampMs) -> Vec<ChartAdherence> {
        let of_chart = |(chart, view): (ChartId, ChartView<'_>)| ChartAdherence {
            chart,
            label: NamedChart::new(chart, &view).label,
            instruments: views::adherence(&view, now),
        };
        self.views().into_iter().map(of_chart).collect()
    }
}
