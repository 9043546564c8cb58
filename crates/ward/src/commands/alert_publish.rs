//! `ward alerts check|publish|show|report`: a study's rules before and after they count.

use super::alerts::parsed;
use super::invite::show_outcome;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_act, from_client};
use crate::limits::TRIED_FORMS_MAX;
use crate::print::{Out, instant};
use serde_json::json;
use std::path::{Path, PathBuf};
use ward_client::Environment as _;
use ward_client::views::{AlertReport, RuleRevision, alert_report, plain_line, score_refusal};
use ward_forms::Questionnaire;
use ward_forms::alert_rules::{AlertRule, AlertRules};

const MINUTE_MS: i64 = 60_000;

/// Checks a rule set against the questionnaires of the study.
///
/// # Errors
/// What is wrong with it.
pub fn check(rules: &Path, forms: &[PathBuf], out: &Out) -> Done {
    let (rules, _) = read(rules)?;
    refuse_findings(&rules, forms, out)?;
    let count = rules.rules().len();
    out.both(
        format!(
            "{count} rules. This rule set can be published as revision {0}, if that is the next one.",
            rules.revision()
        ),
        &json!({"good": true, "rules": count, "revision": rules.revision(), "findings": []}),
    );
    Ok(())
}

/// Checks a rule set and signs it into the membership log.
///
/// # Errors
/// What is wrong with it; when this device is no admin's, or the server is not there.
pub async fn publish(rules: &Path, forms: &[PathBuf], home: &Home, out: &Out) -> Done {
    let (rules, bytes) = read(rules)?;
    refuse_findings(&rules, forms, out)?;
    let revision = number_of(&rules)?;
    let mut client = home.unlock().await?;
    client.sync().await.map_err(from_act)?;
    let outcome = client.publish_alert_rules(revision, bytes).await.map_err(from_act)?;
    show_outcome(outcome, out);
    Ok(())
}

fn read(file: &Path) -> Result<(AlertRules, Vec<u8>), Failure> {
    // What is checked is what is signed: the file is read once.
    let read = |bytes: &[u8]| AlertRules::parse(bytes).map(|rules| (rules, bytes.to_vec()));
    parsed(file, "no set of alert rules", read)
}

fn number_of(rules: &AlertRules) -> Result<u64, Failure> {
    let number = rules.revision().parse::<u64>().ok().filter(|number| number.to_string() == rules.revision());
    number.filter(|number| *number > 0).ok_or_else(|| {
        Failure::input(
            format!("The revision “{}” is no number", rules.revision()),
            "published revisions are counted from 1",
            "give the rule set the next number",
        )
    })
}

fn refuse_findings(rules: &AlertRules, files: &[PathBuf], out: &Out) -> Done {
    if files.len() > TRIED_FORMS_MAX {
        return Err(Failure::input(
            "Too many questionnaires",
            format!("at most {TRIED_FORMS_MAX}"),
            "give fewer",
        ));
    }
    number_of(rules)?;
    let read = |file: &PathBuf| parsed(file, "no questionnaire", Questionnaire::parse);
    let forms = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<String> =
        forms.iter().flat_map(|form| rules.check(form)).map(|problem| problem.to_string()).collect();
    let never = rules.never_asked(&forms.iter().collect::<Vec<_>>());
    found.extend(
        never.iter().map(|rule| format!("{rule}: none of the questionnaires asks for what it looks at")),
    );
    found.extend(rules.rules().iter().filter_map(score_refusal));
    found.sort();
    found.dedup();
    let Some(first) = found.first() else { return Ok(()) };
    found.iter().for_each(|finding| out.line(format!("! {finding}")));
    out.document(&json!({"good": false, "findings": found}));
    let what = format!("The alert rules are refused: {} found", found.len());
    let next = "correct the file; such a rule would watch over nobody";
    Err(Failure::new(Kind::No, what, first, next).with_code("WARD-6080"))
}

/// Shows the rules that count and those before them.
///
/// # Errors
/// When the device cannot be unlocked.
pub async fn show(home: &Home, out: &Out) -> Done {
    let client = home.unlock().await?;
    let book = client.alert_rules();
    for (place, revision) in book.revisions().iter().rev().enumerate() {
        let RuleRevision { number, published_at, rules, refused, .. } = revision;
        let standing = if place == 0 {
            "counts"
        } else {
            "still looks at what was sealed before the next one was known"
        };
        let at = published_at.map(|at| format!(", published {}", instant(at))).unwrap_or_default();
        out.line(format!("Revision {number}, “{}”{at}: {standing}.", rules.name()));
        for rule in refused {
            // Both hold words of whoever wrote the rules.
            let (name, why) = (plain_line(&rule.name), plain_line(&rule.why.to_string()));
            out.line(format!("! The rule {name} cannot be followed here: {why}."));
        }
        for rule in rules.rules() {
            out.line(format!("  {:8}  {:14}  {}", rule.severity().code(), rule.kind().code(), rule.id()));
        }
    }
    for unreadable in book.unreadable() {
        let why = plain_line(&unreadable.why);
        out.line(format!("! Revision {} cannot be read here: {why}.", unreadable.number));
    }
    if book.not_run() > 0 {
        out.line(format!(
            "! {} early revisions are not run any more: there are too many rules.",
            book.not_run()
        ));
    }
    let rows: Vec<_> = book.revisions().iter().map(row).collect();
    let unreadable: Vec<_> =
        book.unreadable().iter().map(|one| json!({"revision": one.number, "why": one.why})).collect();
    out.document(&json!({"revisions": rows, "unreadable": unreadable, "not_run": book.not_run()}));
    Ok(())
}

fn row(revision: &RuleRevision) -> serde_json::Value {
    let rule = |rule: &AlertRule| json!({"rule": rule.id(), "kind": rule.kind().code(), "severity": rule.severity()});
    json!({
        "revision": revision.number,
        "name": revision.rules.name(),
        "published_at": revision.published_at,
        "by": revision.by,
        "refused": revision.refused.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
        "rules": revision.rules.rules().iter().map(rule).collect::<Vec<_>>(),
    })
}

/// How alerts were met.
///
/// # Errors
/// When the device cannot be unlocked.
pub async fn report(home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let items = client.worklist(client.environment().wall()).map_err(from_client)?;
    let charts: std::collections::BTreeSet<_> = items.iter().map(|item| item.chart).collect();
    let report = alert_report(&items);
    show_report(&report, out);
    out.document(&json!(report));
    // Reading what participants reported is itself on record.
    for chart in charts {
        client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)?;
    }
    Ok(())
}

fn show_report(report: &AlertReport, out: &Out) {
    let percent = |part: usize| match report.alerts {
        0 => String::new(),
        all => format!(" ({} %)", part * 100 / all),
    };
    out.line(format!("Alerts: {}.", report.alerts));
    out.line(format!("Acknowledged: {}{}.", report.acknowledged, percent(report.acknowledged)));
    out.line(format!("Acted upon: {}{}.", report.acted_upon, percent(report.acted_upon)));
    if let Some(median) = report.median_ms_to_acknowledgement {
        out.line(format!("Half of them were acknowledged within {} min.", median / MINUTE_MS));
    }
    out.heading("Alerts of each week");
    let week = |week: &ward_client::views::AlertWeek| {
        vec![
            week.monday.clone(),
            week.alerts.to_string(),
            week.acknowledged.to_string(),
            week.acted_upon.to_string(),
        ]
    };
    out.table(
        &["week of", "alerts", "acknowledged", "acted upon"],
        &report.weeks.iter().map(week).collect::<Vec<_>>(),
    );
    out.heading("Alerts of each rule");
    let rule = |rule: &ward_client::views::RuleReport| {
        vec![
            rule.rule.clone(),
            rule.revision.to_string(),
            rule.alerts.to_string(),
            rule.acknowledged.to_string(),
            rule.acted_upon.to_string(),
        ]
    };
    out.table(
        &["rule", "revision", "alerts", "acknowledged", "acted upon"],
        &report.rules.iter().map(rule).collect::<Vec<_>>(),
    );
}
