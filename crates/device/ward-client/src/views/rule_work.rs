//! Work about the study's alert rules themselves: that they changed, which every care team acknowledges once,
//! and that this app cannot follow all of them.

use super::calendar::iso_day;
use super::named_chart::NamedChart;
use super::rule_book::{RuleBook, RuleRevision, may_be_newer};
use super::wording::{counted, one_line, plain_line, short_id};
use super::work_item::{Acknowledged, Urgency, WorkItem};
use crate::limits::RULE_CHANGES_SHOWN;
use ward_forms::alert_rules::{AlertRule, AlertRules, RuleKind, Since, SymptomName, Target, Threshold};
use ward_id::{DeviceId, PersonId, TimestampMs};
use ward_sync::{AlertAcknowledgement, Written};

/// Whose items these are, where a participant's name stands else.
const STUDY: &str = "alert rules";
/// Digits of a chart at the beginning of an item's name.
const CHART_DIGITS: usize = 8;

/// The work of the teams whose charts these are, chart by chart. An item stands in the first chart of its team;
/// an acknowledgement in any chart of the team closes it.
pub fn rule_work(
    book: &RuleBook,
    teams: &[Vec<&NamedChart<'_>>],
    person_of: impl Fn(DeviceId) -> Option<PersonId>,
) -> Vec<WorkItem> {
    let mut out: Vec<WorkItem> =
        teams.iter().filter_map(|charts| changed(book, charts, &person_of)).collect();
    if let Some(first) = teams.iter().flatten().min_by_key(|named| named.chart) {
        out.extend(doubts(book, first));
    }
    out
}

/// That the rules changed since the team last acknowledged them.
fn changed(
    book: &RuleBook,
    charts: &[&NamedChart<'_>],
    person_of: impl Fn(DeviceId) -> Option<PersonId>,
) -> Option<WorkItem> {
    let newest = book.revisions().last().filter(|newest| newest.number > 0)?;
    let first = charts.iter().min_by_key(|named| named.chart)?;
    let by = acknowledgement_of(newest, charts);
    let before = book.revisions().iter().rev().skip(1);
    // The first one that is left is the oldest that this app still runs.
    let known = before
        .clone()
        .find(|revision| revision.number == 0 || acknowledgement_of(revision, charts).is_some())
        .or_else(|| before.last());
    let none = AlertRules::built_in().keeping(|_| false);
    let changes = Changes::of(known.map_or(&none, |known| &known.rules), &newest.rules);
    let person = newest.by.and_then(person_of);
    let by_whom = person.map(|person| format!(" by admin {}", short_id(&person))).unwrap_or_default();
    let since = newest.published_at.unwrap_or(TimestampMs(0));
    let reason = format!(
        "the study's rules changed to revision {}{by_whom}, {} by their clock: {}",
        newest.number,
        iso_day(since.utc_day()),
        changes.summary()
    );
    let id = format!("{}{}", short_id(&first.chart), suffix_of(newest));
    let mut item = item(first, id, Urgency::Concern, &reason, since);
    item.closable = true;
    item.values = changes.lines();
    item.acknowledged = by.map(|written| Acknowledged {
        entry: written.id(),
        person: written.author.person,
        device: written.author.device,
        at: written.captured_at(),
        action: written.value.action.clone(),
    });
    Some(item)
}

/// The end of the names of the items about a revision: with digits of what was published.
fn suffix_of(revision: &RuleRevision) -> String {
    format!("-rules-{}-{}", revision.number, revision.mark)
}

fn acknowledgement_of<'a>(
    revision: &RuleRevision,
    charts: &[&NamedChart<'a>],
) -> Option<Written<'a, AlertAcknowledgement>> {
    let suffix = suffix_of(revision);
    let is_chart =
        |text: &str| text.len() == CHART_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let names = |written: &&Written<'_, AlertAcknowledgement>| {
        written.value.item.strip_suffix(suffix.as_str()).is_some_and(is_chart)
    };
    let all = charts.iter().flat_map(|named| named.view.acknowledgements());
    all.flat_map(|thread| &thread.current).filter(names).min_by_key(|written| written.order()).copied()
}

/// That this app does not follow all rules: alerts may be missing.
fn doubts(book: &RuleBook, chart: &NamedChart<'_>) -> Vec<WorkItem> {
    let advice = |is_newer: bool| {
        if is_newer { "update this app" } else { "the study has to publish a corrected revision" }
    };
    let mut out = Vec::new();
    let mut doubt = |name: String, reason: String, since: Option<TimestampMs>| {
        let id = format!("{}-rules-{name}", short_id(&chart.chart));
        out.push(item(chart, id, Urgency::Urgent, &reason, since.unwrap_or(TimestampMs(0))));
    };
    for one in book.unreadable() {
        let (number, why) = (one.number, &one.why);
        let reason = format!(
            "alerts may be missing: revision {number} of the rules cannot be read here; {} ({why})",
            advice(one.is_newer)
        );
        doubt(format!("unreadable-{number}"), reason, None);
    }
    // What a whole revision followed is of no interest any more.
    for revision in book.revisions().iter().rev().take_while(|revision| !revision.refused.is_empty()) {
        let names: Vec<&str> = revision.refused.iter().map(|one| one.name.as_str()).collect();
        let is_newer = revision.refused.iter().any(|one| may_be_newer(&one.why));
        let reason = format!(
            "alerts may be missing: {} of revision {} cannot be followed here; {} ({})",
            counted(names.len(), "rule", "rules"),
            revision.number,
            advice(is_newer),
            names.join(", ")
        );
        doubt(format!("refused-{}", revision.number), reason, revision.published_at);
    }
    if book.not_run() > 0 {
        let reason = format!(
            "alerts may be missing: {} of the rules are not run any more, because there are too many",
            counted(book.not_run(), "early revision", "early revisions")
        );
        doubt("not-run".to_owned(), reason, None);
    }
    out
}

fn item(chart: &NamedChart<'_>, id: String, urgency: Urgency, reason: &str, since: TimestampMs) -> WorkItem {
    WorkItem {
        id,
        chart: chart.chart,
        participant: STUDY.to_owned(),
        urgency,
        reason: one_line(reason),
        values: Vec::new(),
        entries: Vec::new(),
        raised_by: Vec::new(),
        since,
        alerts: Vec::new(),
        acknowledged: None,
        closable: false,
    }
}

/// What is different between two rule sets, by the names of the rules.
struct Changes<'r> {
    new: Vec<&'r AlertRule>,
    gone: Vec<&'r AlertRule>,
    changed: Vec<(&'r AlertRule, &'r AlertRule)>,
}

impl<'r> Changes<'r> {
    fn of(before: &'r AlertRules, now: &'r AlertRules) -> Self {
        let named = |rules: &'r AlertRules, id: &str| rules.rules().iter().find(|rule| rule.id() == id);
        let pairs = now.rules().iter().filter_map(|rule| Some((named(before, rule.id())?, rule)));
        Self {
            new: now.rules().iter().filter(|rule| named(before, rule.id()).is_none()).collect(),
            gone: before.rules().iter().filter(|rule| named(now, rule.id()).is_none()).collect(),
            changed: pairs.filter(|(before, now)| before != now).collect(),
        }
    }

    fn summary(&self) -> String {
        let Self { new, gone, changed } = self;
        match (new.len(), gone.len(), changed.len()) {
            (0, 0, 0) => "nothing that counts".to_owned(),
            (new, gone, changed) => format!("{new} new, {gone} no longer, {changed} changed"),
        }
    }

    /// What is gone comes first: it is what nobody will be told of any more.
    fn lines(&self) -> Vec<String> {
        let gone = self.gone.iter().map(|rule| format!("no longer: {}", words(rule)));
        let changed = self
            .changed
            .iter()
            .map(|(before, now)| format!("changed: {}; before: {}", words(now), words(before)));
        let new = self.new.iter().map(|rule| format!("new: {}", words(rule)));
        let mut lines: Vec<String> = gone.chain(changed).chain(new).map(|line| one_line(&line)).collect();
        let more = lines.len().saturating_sub(RULE_CHANGES_SHOWN);
        if more > 0 {
            lines.truncate(RULE_CHANGES_SHOWN);
            lines.push(format!("and {more} more: see `ward alerts show`"));
        }
        lines
    }
}

/// A rule in words: `severe (urgent): any symptom, at least 3`.
fn words(rule: &AlertRule) -> String {
    let what = match rule.kind() {
        RuleKind::Threshold { of, limit: Threshold::AtLeast(limit) } => {
            format!("{}, at least {limit}", target(of))
        }
        RuleKind::Threshold { of, limit: Threshold::AtMost(limit) } => {
            format!("{}, at most {limit}", target(of))
        }
        RuleKind::Worsening { of, by, since, .. } => {
            let since = if *since == Since::Baseline { "at the start" } else { "before" };
            format!("{}, worse by {by} than {since}", target(of))
        }
        RuleKind::Missed { in_a_row } => format!("missed {in_a_row} times in a row"),
        RuleKind::PatientUrgent { link_id, .. } => format!("a wish in the question {link_id}"),
    };
    let on = rule.instrument().map(|url| format!(", on {url}")).unwrap_or_default();
    plain_line(&format!("{} ({}): {what}{on}", rule.id(), rule.severity().code()))
}

fn target(of: &Target) -> String {
    let named = |symptom: &SymptomName| match symptom {
        SymptomName::Every => "any symptom".to_owned(),
        SymptomName::Named(name) => name.clone(),
    };
    match of {
        Target::Grade { symptom } => named(symptom),
        Target::Attribute { symptom, attribute } => {
            format!("{} of {}", attribute.map_or("any part", |one| one.code()), named(symptom))
        }
        Target::Score { name, .. } => format!("score {name}"),
        Target::Item { link_id, unit } => {
            let unit = unit.as_deref().map(|unit| format!(" in {unit}")).unwrap_or_default();
            format!("question {link_id}{unit}")
        }
    }
}
