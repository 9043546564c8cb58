//! Work that what is planned raises: answers that belong to no planned time, and schedules that were written
//! side by side.

use super::causes::Causes;
use super::chart_forms::ChartForms;
use super::planned_answers::PlannedAnswer;
use super::schedule::{PlannedInstrument, Planning};
use super::wording::counted;
use super::work_item::{Desk, Raised, Urgency};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartView, Instrument, Written};

/// Everything of one chart.
pub(super) fn planned_work(
    desk: &mut Desk<'_>,
    view: &ChartView<'_>,
    forms: &ChartForms,
    planning: &Planning<'_>,
    now: TimestampMs,
) {
    let mut unplanned: Vec<Raised<String>> = Vec::new();
    let mut early: Vec<Raised<String>> = Vec::new();
    let named = |answer: &PlannedAnswer| {
        let detail = format!("“{}” for {}", forms.title(&answer.instrument_url), answer.occurrence);
        Raised { entry: answer.entry, since: answer.since, detail }
    };
    for planned in &planning.instruments {
        let list = planning.due_list(planned, now, 0);
        unplanned.extend(list.unplanned.iter().filter_map(|place| planned.answer(*place)).map(named));
        early.extend(list.early.iter().filter_map(|place| planned.answer(*place)).map(named));
        contradicting_schedules(desk, view, forms, planned);
    }
    unplanned.extend(planning.unscheduled.iter().map(named));
    for raised in [&mut unplanned, &mut early] {
        raised.sort_by_key(|raised| (raised.since, raised.entry));
    }
    desk.recurring(Urgency::Unusable, &["unplanned"], unplanned, |raised| {
        let what = counted(raised.len(), "answer belongs", "answers belong");
        format!("{what} to no planned time and counts nowhere: {}", list_of(raised))
    });
    desk.recurring(Urgency::Unusable, &["before-its-time"], early, |raised| {
        let what = counted(raised.len(), "answer came", "answers came");
        format!("{what} long before the time that it names, which is asked for still: {}", list_of(raised))
    });
}

fn list_of(raised: &[Raised<String>]) -> String {
    raised.iter().map(|raised| raised.detail.as_str()).collect::<Vec<_>>().join(", ")
}

/// Schedules of one questionnaire whose authors did not know of each other: the one that stands last in the
/// common order counts, and somebody must see whether the other said something else.
fn contradicting_schedules(
    desk: &mut Desk<'_>,
    view: &ChartView<'_>,
    forms: &ChartForms,
    planned: &PlannedInstrument<'_>,
) {
    let heads = side_by_side(view, planned);
    if heads.len() < 2 {
        return;
    }
    let reason = format!(
        "{} schedules of “{}” were written side by side; the last one counts, look whether it says all",
        heads.len(),
        forms.title(planned.url)
    );
    let raised: Vec<Raised<()>> = heads.iter().map(Raised::of).collect();
    desk.standing(Urgency::Conflict, &["schedules"], &raised, reason);
}

/// The schedules that no other one was written after, if they say different things.
fn side_by_side<'v>(
    view: &'v ChartView<'_>,
    planned: &PlannedInstrument<'_>,
) -> Vec<Written<'v, Instrument>> {
    let entries: Vec<EntryId> = planned.entries().collect();
    if entries.len() < 2 {
        return Vec::new();
    }
    let causes = Causes::of(view);
    let is_last = |entry: &EntryId| !entries.iter().any(|later| causes.follows(*later, *entry));
    let last: Vec<EntryId> = entries.iter().copied().filter(is_last).collect();
    let all = view.instruments().iter().flat_map(|thread| thread.past.iter().chain(&thread.current));
    let mut heads: Vec<Written<'v, Instrument>> =
        all.filter(|written| last.contains(&written.id())).copied().collect();
    heads.sort_by_key(Written::order);
    heads.dedup_by(|later, earlier| later.value == earlier.value);
    heads
}
