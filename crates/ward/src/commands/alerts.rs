//! `ward alerts`: the study's alert rules, and what they raise.

use super::alert_publish;
use super::alert_replay::{self, Forms, LeftOut, Replay};
use super::read_input_file;
use crate::cli::AlertsCommand;
use crate::exit::{Done, Failure};
use crate::home::Home;
use crate::limits::{EXPORT_FILE_MAX_BYTES, INPUT_FILE_MAX_BYTES, TRIED_FORMS_MAX};
use crate::print::Out;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use ward_forms::Questionnaire;
use ward_forms::alert_rules::{AlertRules, RuleLoad, Share, Simulation, simulate};
use ward_forms::eortc_qlq_c30::ScoreMap;

/// The kind of rules that an export says nothing about.
const MISSED: &str = "missed";
/// Why nothing can be told for them.
const NO_PLAN: &str =
    "An export does not say which times were planned, nor from when to when the participant took part.";

/// Runs one of the commands about alert rules.
///
/// # Errors
/// When a file cannot be read, or is not what it should be.
pub async fn run(command: &AlertsCommand, home: &Home, out: &Out) -> Done {
    match command {
        AlertsCommand::Check { rules, forms } => alert_publish::check(rules, forms, out),
        AlertsCommand::Publish { rules, forms } => alert_publish::publish(rules, forms, home, out).await,
        AlertsCommand::Show => alert_publish::show(home, out).await,
        AlertsCommand::Report => alert_publish::report(home, out).await,
        AlertsCommand::Try { rules, on, forms, score_map } => {
            try_rules(rules, on, forms, score_map.as_deref(), out)
        }
    }
}

fn try_rules(rules: &Path, on: &Path, forms: &[PathBuf], score_map: Option<&Path>, out: &Out) -> Done {
    let rules = parsed(rules, "no set of alert rules", AlertRules::parse)?;
    let forms = read_forms(forms, score_map)?;
    let bytes = read_input_file(on, EXPORT_FILE_MAX_BYTES)?;
    let wrong = |why: String| {
        let next = "give a file that `ward export --format ndjson` wrote";
        Failure::input(format!("{} is no export", on.display()), why, next)
    };
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    let replay = alert_replay::read(&text, &forms).map_err(wrong)?;
    let load = simulate(&rules, &replay.histories, &[]);
    show(&rules, &load, &replay, out);
    out.document(&document(&rules, load, &replay));
    Ok(())
}

pub(super) fn parsed<T, E: Display>(
    file: &Path,
    is_not: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, Failure> {
    let bytes = read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    parse(&bytes)
        .map_err(|error| Failure::input(format!("{} is {is_not}", file.display()), error, "correct the file"))
}

fn read_forms(files: &[PathBuf], map: Option<&Path>) -> Result<Forms, Failure> {
    let wrong = |why: String| {
        Failure::input("The questionnaires cannot be used", why, "give each version of each one once")
    };
    if files.len() > TRIED_FORMS_MAX {
        return Err(wrong(format!("more than {TRIED_FORMS_MAX} were given")));
    }
    let forms = files
        .iter()
        .map(|file| parsed(file, "no questionnaire", Questionnaire::parse))
        .collect::<Result<Vec<_>, _>>()?;
    let map = map.map(|file| parsed(file, "no score map", ScoreMap::parse)).transpose()?;
    Forms::new(forms, map).map_err(wrong)
}

/// Rules that ran, and rules that an export says nothing about.
fn tried(load: &Simulation) -> (Vec<&RuleLoad>, Vec<&RuleLoad>) {
    load.rules.iter().partition(|rule| rule.kind != MISSED)
}

fn show(rules: &AlertRules, load: &Simulation, replay: &Replay, out: &Out) {
    let (ran, not_tried) = tried(load);
    out.line(format!(
        "“{}”, revision {}. Participants: {}. Surveys: {}. Weeks: {}.",
        rules.name(),
        rules.revision(),
        load.participants,
        load.surveys_with_alert.whole,
        load.weeks_observed
    ));
    out.heading("Alerts of each rule");
    let row = |rule: &&RuleLoad| {
        vec![
            rule.rule.clone(),
            rule.severity.code().to_owned(),
            rule.alerts.to_string(),
            rule.mean_per_week.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}")),
            rule.participants.to_string(),
            rule.not_judged.to_string(),
        ]
    };
    let heads = ["rule", "severity", "alerts", "a week", "participants", "not judged"];
    out.table(&heads, &ran.iter().map(row).collect::<Vec<_>>());
    out.heading("Alerts of each week");
    let heads: Vec<&str> =
        std::iter::once("week of").chain(ran.iter().map(|rule| rule.rule.as_str())).collect();
    let week = |(place, monday): (usize, &String)| {
        let count = |rule: &&RuleLoad| rule.per_week.get(place).copied().unwrap_or_default().to_string();
        std::iter::once(monday.clone()).chain(ran.iter().map(count)).collect()
    };
    out.table(&heads, &load.weeks.iter().enumerate().map(week).collect::<Vec<Vec<String>>>());
    out.line("");
    out.line(format!("Surveys with an alert: {}.", share_words(load.surveys_with_alert)));
    // Who reads the figures must not take a rule that did not run for one that never fires.
    for rule in &not_tried {
        out.line(format!("! Not tried: {}. {NO_PLAN}", rule.rule));
    }
    for rule in ran.iter().filter(|rule| rule.never_asked == load.participants) {
        out.line(format!("! {}: nobody was asked for what it looks at. Is a name misspelt?", rule.rule));
    }
    show_left_out(&replay.left_out, out);
}

fn show_left_out(left_out: &LeftOut, out: &Out) {
    for (count, what) in [
        (left_out.drafts, "Drafts, left out"),
        (left_out.void, "Answers that were declared void, left out"),
        (left_out.unreadable, "Answers that cannot be read, of which the export holds only a note"),
    ] {
        if count > 0 {
            out.line(format!("! {what}: {count}."));
        }
    }
    for (form, count) in &left_out.without_form {
        out.line(format!(
            "! Answers that could not be judged, because {form} was not given with --form: {count}."
        ));
    }
}

fn share_words(share: Share) -> String {
    let percent = share.ratio().map(|ratio| format!(" ({:.0} %)", ratio * 100.0)).unwrap_or_default();
    format!("{} of {}{percent}", share.part, share.whole)
}

/// The result for programs. What was done about alerts is not in an export, so nothing is said of it.
fn document(rules: &AlertRules, load: Simulation, replay: &Replay) -> Value {
    let (ran, not_tried) = tried(&load);
    let rule = |rule: &&RuleLoad| {
        json!({"rule": rule.rule, "kind": rule.kind, "severity": rule.severity, "per_week": rule.per_week,
            "alerts": rule.alerts, "mean_per_week": rule.mean_per_week, "participants": rule.participants,
            "surveys": rule.surveys, "not_judged": rule.not_judged, "never_asked": rule.never_asked})
    };
    let left_out = &replay.left_out;
    json!({
        "name": rules.name(),
        "revision": rules.revision(),
        "participants": load.participants,
        "weeks": load.weeks,
        "weeks_observed": load.weeks_observed,
        "surveys": load.surveys_with_alert.whole,
        "surveys_with_alert": load.surveys_with_alert.part,
        "rules": ran.iter().map(rule).collect::<Vec<_>>(),
        "not_tried": not_tried.iter().map(|rule| rule.rule.as_str()).collect::<Vec<_>>(),
        "not_tried_because": (!not_tried.is_empty()).then_some(NO_PLAN),
        "left_out": {"drafts": left_out.drafts, "void": left_out.void, "unreadable": left_out.unreadable,
            "without_form": left_out.without_form},
    })
}
