//! Checks of the expressions in a form.

use super::waiting::WaitingGraph;
use crate::error::named_in_order;
use crate::fhirpath::{self, Doubt};
use crate::finding::{Finding, FindingCode, Severity};
use crate::item_extensions::ItemExtensions;
use crate::item_path::ItemPath;
use crate::questionnaire::{Item, ItemType, Questionnaire};
use serde_json::Value;
use std::collections::BTreeSet;

/// Names after `%` that need no definition.
///
/// Source: FHIRPath 2.0 §Environment variables, FHIR R4 §2.9.1.4, SDC §Form expressions.
const KNOWN_NAMES: [&str; 9] =
    ["resource", "rootResource", "context", "questionnaire", "qitem", "ucum", "sct", "loinc", "us-zip"];

/// Extensions that define names beside `variable` and `launchContext`.
const NAMING: [&str; 2] = ["sdc-questionnaire-itemPopulationContext", "sdc-questionnaire-answerContext"];

pub(super) fn check(form: &Questionnaire, findings: &mut Vec<Finding>) {
    let graph = WaitingGraph::of(form);
    let mut check = Check { form, graph: &graph, findings, named: names_of_the_form(form) };
    check.owner(None, form.extensions());
    for item in form.items() {
        check.owner(Some(item), &item.extensions);
    }
    if let Err(cycle) = graph.settle() {
        let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
        let message = format!("These wait for one another: {}.", named_in_order(&names));
        let first = cycle.iter().find_map(|waiting| waiting.item());
        check.add(first, FindingCode::Loop, Severity::Error, message);
    }
}

struct Check<'c> {
    form: &'c Questionnaire,
    graph: &'c WaitingGraph<'c>,
    findings: &'c mut Vec<Finding>,
    named: BTreeSet<String>,
}

impl Check<'_> {
    fn owner(&mut self, item: Option<&Item>, extensions: &ItemExtensions) {
        for (kind, expression) in extensions.expressions() {
            if expression.text.is_empty() {
                continue;
            }
            if !expression.is_fhirpath() {
                let message = format!(
                    "The {kind} is written in {}, which is not evaluated.",
                    named_language(&expression.language)
                );
                // What nobody computes keeps nobody from answering, unless answers depend on it.
                let severity = if kind == "variable" { Severity::Information } else { Severity::Warning };
                self.add(item, FindingCode::ExpressionNotEvaluated, severity, message);
                continue;
            }
            match fhirpath::Expression::parse(&expression.text) {
                Ok(parsed) => self.parsed(item, kind, &parsed),
                Err(reason) => {
                    let message = format!("The {kind} can't be read: {reason}.");
                    self.add(item, FindingCode::ExpressionDoesNotParse, Severity::Error, message);
                }
            }
        }
        self.conflict(item, extensions);
    }

    fn parsed(&mut self, item: Option<&Item>, kind: &'static str, expression: &fhirpath::Expression) {
        let dependencies = expression.dependencies();
        let form = self.form;
        let is_like =
            |link_id: &&str| form.items().iter().any(|item| fhirpath::are_alike(&item.link_id, link_id));
        let unlike = dependencies.alike_link_ids().filter(|link_id| !is_like(link_id));
        let absent = dependencies.compared_link_ids().filter(|link_id| form.item(link_id).is_none());
        for link_id in absent.chain(unlike) {
            let message = format!("The {kind} refers to {link_id}, which this form does not have.");
            self.add(item, FindingCode::LinkToNowhere, Severity::Error, message);
        }
        for name in dependencies.variables() {
            if !self.is_known(item, name) && !dependencies.defines_any_name() {
                let message = format!("The {kind} uses %{name}, which is not defined where it stands.");
                self.add(item, FindingCode::UndefinedVariable, Severity::Error, message);
            }
        }
        // Within its context there is only what lies below its own item.
        let reads_all = dependencies.is_everything() && !dependencies.is_within_context();
        let own = match kind {
            "calculatedExpression" => Some("its own answer"),
            "enableWhenExpression" => Some("what it switches on and off"),
            _ => None,
        };
        if let Some(own) = own.filter(|_| reads_all) {
            let message = format!("The {kind} reads the whole response, and so {own}.");
            self.add(item, FindingCode::Loop, Severity::Warning, message);
        }
        for pattern in expression.unreadable_patterns() {
            let message = format!("The {kind} uses the pattern {pattern}, which can't be read.");
            self.add(item, FindingCode::ExpressionDoesNotParse, Severity::Error, message);
        }
        for (type_name, member) in expression.unknown_members() {
            let message = format!("The {kind} asks a {type_name} for {member}, which it never has.");
            self.add(item, FindingCode::UnknownMember, Severity::Warning, message);
        }
        let is_number = item.is_none_or(|item| {
            matches!(item.item_type, ItemType::Decimal | ItemType::Integer | ItemType::Quantity)
                || kind == "variable"
        });
        if matches!(kind, "calculatedExpression" | "variable") && is_number {
            self.score(item, kind, expression);
        }
    }

    fn score(&mut self, item: Option<&Item>, kind: &'static str, expression: &fhirpath::Expression) {
        let doubts = expression.doubts();
        if let Some(how) = doubts.iter().find_map(|doubt| ignores_missing(*doubt)) {
            let message =
                format!("A score should be missing when answers are missing; in this {kind}, {how}.");
            self.add(item, FindingCode::ScoreIgnoresMissing, Severity::Warning, message);
        }
        let merges = doubts.contains(&Doubt::MergesEqualValues)
            || (doubts.contains(&Doubt::MergesEqualItems) && self.reads_instances(expression.dependencies()));
        if merges {
            let message = format!(
                "Equal answers count once in this {kind}: | and repeat() make one of two equal values."
            );
            self.add(item, FindingCode::ScoreMergesEquals, Severity::Warning, message);
        }
    }

    /// Whether there may be several instances of an item that an expression reads: it is a group that
    /// repeats, or lies in one, or below one of several answers.
    fn reads_instances(&self, dependencies: &fhirpath::Dependencies) -> bool {
        let is_group = |item: &Item| item.item_type == ItemType::Group && item.repeats;
        let is_below_one = |item: &Item| self.form.ancestors(item).any(|above| above.repeats);
        if dependencies.is_everything() {
            return self.form.items().iter().any(|item| is_group(item) || is_below_one(item));
        }
        let mut items = dependencies.link_ids().filter_map(|link_id| self.form.item(link_id));
        items.any(|item| is_group(item) || is_below_one(item))
    }

    fn is_known(&self, item: Option<&Item>, name: &str) -> bool {
        KNOWN_NAMES.contains(&name)
            || name.starts_with("vs-")
            || name.starts_with("ext-")
            || self.named.contains(name)
            || self.graph.variable(item, name).is_some()
    }

    /// SDC `enableWhenExpression`: an item has either conditions or an expression.
    fn conflict(&mut self, item: Option<&Item>, extensions: &ItemExtensions) {
        let Some(item) = item else { return };
        if extensions.enable_when_expression.is_some() && !item.conditions.is_empty() {
            let message = "Both conditions and an expression say when this item is asked; give one of them.";
            self.add(Some(item), FindingCode::TwoEnablements, Severity::Error, message.to_owned());
        }
    }

    fn add(&mut self, item: Option<&Item>, code: FindingCode, severity: Severity, message: String) {
        let path = item.map_or_else(ItemPath::root, |item| self.form.path_of(item));
        self.findings.push(Finding::new(path, code, severity, message));
    }
}

/// How an expression goes on without answers that are missing, in words.
fn ignores_missing(doubt: Doubt) -> Option<&'static str> {
    match doubt {
        Doubt::AddsWhatIsThere => Some("it adds up the answers that are there and never asks how many are"),
        Doubt::WorksOnWhatIsThere => {
            Some("it works on the answers that are there and never asks how many are")
        }
        Doubt::PutsZero => Some("it puts 0 in the place of an answer"),
        Doubt::JoinsZero => Some("it puts a number in the place of a missing answer"),
        Doubt::MergesEqualValues | Doubt::MergesEqualItems => None,
    }
}

fn named_language(language: &str) -> &str {
    if language.is_empty() { "a language that is not named" } else { language }
}

/// Names that hold in the whole form: launch contexts, population contexts, and the ids of what it
/// contains, which SDC lets expressions use.
fn names_of_the_form(form: &Questionnaire) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = form.extensions().launch_names.iter().cloned().collect();
    let contained = form.as_value().get("contained").and_then(Value::as_array);
    names.extend(
        contained
            .into_iter()
            .flatten()
            .filter_map(|resource| resource.get("id")?.as_str())
            .map(str::to_owned),
    );
    collect_names(form.as_value(), &mut names);
    names
}

fn collect_names(element: &Value, names: &mut BTreeSet<String>) {
    for extension in element.get("extension").and_then(Value::as_array).into_iter().flatten() {
        let url = extension.get("url").and_then(Value::as_str).unwrap_or_default();
        if NAMING.iter().any(|end| url.ends_with(end)) {
            let name = extension.pointer("/valueExpression/name").and_then(Value::as_str);
            names.extend(name.map(str::to_owned));
        }
    }
    // Items are nested at most as deep as a form may be.
    for item in element.get("item").and_then(Value::as_array).into_iter().flatten() {
        collect_names(item, names);
    }
}
