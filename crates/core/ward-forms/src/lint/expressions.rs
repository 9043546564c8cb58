//! Checks of the expressions in a form.

use super::expression_words::ExpressionWords;
use super::waiting::WaitingGraph;
use crate::error::named_in_order;
use crate::fhirpath;
use crate::finding::{Finding, FindingCode, Severity};
use crate::item_extensions::{Expression, ItemExtensions};
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
            if let Err(reason) = fhirpath::Expression::parse(&expression.text) {
                let message = format!("The {kind} can't be read: {reason}.");
                self.add(item, FindingCode::ExpressionDoesNotParse, Severity::Error, message);
            }
            self.references(item, kind, expression);
        }
        self.conflict(item, extensions);
    }

    fn references(&mut self, item: Option<&Item>, kind: &'static str, expression: &Expression) {
        let words = ExpressionWords::of(&expression.text);
        let mut nowhere: Vec<&str> = words.link_ids();
        nowhere.retain(|link_id| self.form.item(link_id).is_none());
        nowhere.sort_unstable();
        nowhere.dedup();
        for link_id in nowhere {
            let message = format!("The {kind} refers to {link_id}, which this form does not have.");
            self.add(item, FindingCode::LinkToNowhere, Severity::Error, message);
        }
        let names: BTreeSet<&str> = words.externals().collect();
        let unknown: Vec<&str> = names.into_iter().filter(|name| !self.is_known(item, name)).collect();
        for name in unknown {
            let message = format!("The {kind} uses %{name}, which is not defined where it stands.");
            self.add(item, FindingCode::UndefinedVariable, Severity::Error, message);
        }
        let is_number = item.is_none_or(|item| {
            matches!(item.item_type, ItemType::Decimal | ItemType::Integer | ItemType::Quantity)
                || kind == "variable"
        });
        let is_score = matches!(kind, "calculatedExpression" | "variable") && is_number;
        if let Some(how) = words.ignores_missing().filter(|_| is_score) {
            let message =
                format!("A score should be missing when answers are missing; in this {kind}, {how}.");
            self.add(item, FindingCode::ScoreIgnoresMissing, Severity::Warning, message);
        }
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
