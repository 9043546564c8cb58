//! Work that the drop box raises. None of it can be acknowledged: it ends when somebody adopts or
//! declines what waits.

use super::named_chart::NamedChart;
use super::wording::{counted, short_id};
use super::work_item::{Urgency, WorkItem};
use crate::client::WaitingDrop;
use ward_id::TimestampMs;

/// One item for what waits, one for each entry that its author marked urgent, and those that the
/// content would raise.
pub(crate) fn drop_work(
    chart: &NamedChart<'_>,
    drops: &[&WaitingDrop],
    foreseen: Vec<WorkItem>,
) -> Vec<WorkItem> {
    let item = |urgency, matter: &str, drop: &WaitingDrop, reason: String| WorkItem {
        id: format!("{}-{matter}-{}", short_id(&chart.chart), short_id(&drop.entry.id())),
        chart: chart.chart,
        participant: chart.label.clone(),
        urgency,
        reason,
        entries: Vec::new(),
        raised_by: Vec::new(),
        values: Vec::new(),
        alerts: Vec::new(),
        since: drop.received_at,
        acknowledged: None,
        closable: false,
    };
    let mut out: Vec<WorkItem> = drops
        .iter()
        .filter(|drop| drop.urgent)
        .map(|drop| {
            let reason = "not yet adopted: an entry was marked urgent by its author and could not be sent";
            item(Urgency::PatientUrgent, "dropped-urgent", drop, reason.to_owned())
        })
        .collect();
    if let Some(first) = drops.iter().min_by_key(|drop| drop.received_at) {
        let what = counted(
            drops.len(),
            "entry that a device could not send itself waits",
            "entries that a device could not send itself wait",
        );
        out.push(item(Urgency::ToAdopt, "dropped", first, format!("{what} for adoption")));
    }
    out.extend(foreseen.into_iter().map(|raised| WorkItem {
        id: format!("{}-dropped", raised.id),
        reason: format!("not yet adopted: {}", raised.reason),
        entries: Vec::new(),
        acknowledged: None,
        closable: false,
        ..raised
    }));
    out
}

/// What was handed over to people who are not there any more: only the device that holds it can bring it.
pub(crate) fn sealed_drop_work(chart: &NamedChart<'_>, received_at: &[TimestampMs]) -> Option<WorkItem> {
    let since = *received_at.iter().min()?;
    let what = counted(received_at.len(), "entry was handed over", "entries were handed over");
    Some(WorkItem {
        id: format!("{}-dropped-sealed", short_id(&chart.chart)),
        chart: chart.chart,
        participant: chart.label.clone(),
        urgency: Urgency::ToAdopt,
        reason: format!(
            "{what} that nobody of the present team can open: invite the participant's device again"
        ),
        entries: Vec::new(),
        raised_by: Vec::new(),
        values: Vec::new(),
        alerts: Vec::new(),
        since,
        acknowledged: None,
        closable: false,
    })
}
