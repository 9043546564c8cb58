//! What a chart would show if waiting drops were adopted: for alerts only. Nothing of it is stored or
//! sent, and every item that comes of it says that it is not adopted yet.

use super::{Client, LocalChart, OpenDevice, WaitingDrop, carried_names};
use crate::views::{self, NamedChart, WorkItem};
use crate::{DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_crypto::CaptureSignature;
use ward_id::{ChartId, EntryId, Incarnation, TimestampMs};
use ward_sync::{
    Arrival, BootEvidence, Carry, CarryReason, Chart, ChartAuthority, Draft, EntryChain, Moment,
};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Work that waiting drops raise: that they wait, and what their content would raise at once.
    pub(crate) fn drop_work(&self, now: TimestampMs) -> Vec<WorkItem> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut by_chart: BTreeMap<ChartId, Vec<&WaitingDrop>> = BTreeMap::new();
        for drop in open.waiting_drops() {
            by_chart.entry(drop.entry.frame().chart).or_default().push(drop);
        }
        let mut sealed: BTreeMap<ChartId, Vec<TimestampMs>> = BTreeMap::new();
        for ((chart, device, _), received_at) in &open.sealed_drops {
            if open.came_back(*chart, *device) {
                continue;
            }
            sealed.entry(*chart).or_default().push(*received_at);
        }
        let mut out = Vec::new();
        for (chart, times) in sealed {
            let Ok(view) = self.chart(chart) else { continue };
            out.extend(views::sealed_drop_work(&NamedChart::new(chart, &view), &times));
        }
        for (chart, drops) in by_chart {
            let Ok(view) = self.chart(chart) else { continue };
            let named = NamedChart::new(chart, &view);
            let foreseen = foreseen_items(open, chart, &named.label, &drops, now);
            out.extend(views::drop_work(&named, &drops, foreseen));
        }
        out
    }
}

/// Items of the worklist as it would be with the drops adopted, as far as they name one of them.
fn foreseen_items(
    open: &OpenDevice,
    chart: ChartId,
    label: &str,
    drops: &[&WaitingDrop],
    now: TimestampMs,
) -> Vec<WorkItem> {
    let Some(adopted) = open.charts.get(&chart).and_then(|local| as_if_adopted(open, local, drops)) else {
        return Vec::new();
    };
    let view = adopted.view(&ChartAuthority { membership: &open.mlog.membership, chart });
    let named = NamedChart { chart, label: label.to_owned(), view: &view };
    let dropped: BTreeSet<EntryId> = drops.iter().flat_map(|drop| carried_names(&drop.entry)).collect();
    let book = views::RuleBook::of(open.mlog.membership.alert_rules());
    let mut items = views::worklist_by(&book, &[named], now);
    // Also those that nobody can acknowledge: they say what alerts may be hidden.
    items.retain(|item| item.raised_by.iter().any(|entry| dropped.contains(entry)));
    items
}

/// A copy of the chart in which this device has adopted the drops. The carries bear its signature,
/// because the view checks them like any others; they never leave the memory.
fn as_if_adopted(open: &OpenDevice, local: &LocalChart, drops: &[&WaitingDrop]) -> Option<Chart> {
    let mut chart = local.chart.clone();
    let (site, me, role) = (open.me.site, open.me.device, open.me.role);
    let mut chain =
        local.chain.clone().unwrap_or_else(|| EntryChain::open(site, chart.id(), me, role, Incarnation(0)));
    for drop in drops {
        let moment = Moment {
            random16: [0; 16],
            captured_at: drop.received_at,
            zone: String::new(),
            evidence: BootEvidence { boot_id: 0, monotonic_ms: 0 },
            olog: None,
        };
        let heads = chart.settled();
        let draft = Draft::new(Carry::of(&drop.entry, CarryReason::Adopt));
        let sign = |entry| Ok(CaptureSignature::sign(&open.keys.sign, entry));
        let carry = chain.append(&draft, &moment, chart.seen(&heads), sign).ok()?;
        chart.insert(carry, Arrival::UNSENT).ok()?;
    }
    Some(chart)
}
