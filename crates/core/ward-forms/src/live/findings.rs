//! What the evaluation found, as findings with a place.

use super::place::PlaceId;
use super::{Calculation, LiveForm, are_same};
use crate::compiled::ExpressionFailure;
use crate::finding::{Finding, FindingCode, Severity};
use crate::item_extensions::Constraint;
use crate::item_path::ItemPath;

impl LiveForm<'_> {
    /// What is to be said beside a place, broken rules last.
    pub(crate) fn findings(&self, id: PlaceId) -> Vec<Finding> {
        let mut findings = self.of_expressions(id);
        findings.extend(self.of_rules(id));
        findings
    }

    /// Expressions that failed, and answers that differ from what is calculated.
    pub(crate) fn of_expressions(&self, id: PlaceId) -> Vec<Finding> {
        let Some(place) = self.places.get(id).filter(|place| place.is_on) else { return Vec::new() };
        let mut findings = Vec::new();
        let mut add = |code, severity, message: String| {
            findings.push(Finding::new(self.path(id), code, severity, message));
        };
        if let Some(failure) = &place.enable_failure {
            let so = if place.is_in_doubt { "shown" } else { "asked" };
            let message = format!("Whether this is asked could not be decided, so it is {so}: {failure}.");
            add(FindingCode::ExpressionFailed, Severity::Warning, message);
        }
        if let Some(failure) = &place.initial_failure {
            let message = format!("Nothing was filled in here: {failure}.");
            add(FindingCode::ExpressionFailed, Severity::Information, message);
        }
        if let Some(Err(failure)) = place.calculation.as_ref().and_then(|found| found.result.as_ref()) {
            let (code, message) = match (self.calculation, place.has_value) {
                (Calculation::Follow, true) => (
                    FindingCode::ExpressionFailed,
                    "The answer could not be calculated again, so the one that was there stands",
                ),
                (Calculation::Verify, true) => (
                    FindingCode::NotChecked,
                    "Whether this answer is what the form calculates was not checked",
                ),
                (_, false) => (FindingCode::ExpressionFailed, "The answer could not be calculated"),
            };
            add(code, Severity::Warning, format!("{message}: {failure}."));
        }
        if let Some((severity, message)) = self.difference(id) {
            add(FindingCode::CalculatedDiffers, severity, message.to_owned());
        }
        findings
    }

    /// How an answer stands to what is calculated.
    fn difference(&self, id: PlaceId) -> Option<(Severity, &'static str)> {
        let calculation = self.places.get(id)?.calculation.as_ref()?;
        let Some(Ok(calculated)) = &calculation.result else { return None };
        if are_same(calculated, &self.values(id)) {
            return None;
        }
        Some(match (self.calculation, self.is_locked(id)) {
            (Calculation::Verify, true) => (
                Severity::Error,
                "This answer is not what the form calculates. Nobody enters it: have the form calculate it anew from the other answers.",
            ),
            (Calculation::Verify, false) => {
                (Severity::Warning, "This answer is not what the form calculates; somebody has changed it.")
            }
            (Calculation::Follow, _) => (
                Severity::Information,
                "The form calculates another answer; the one that was entered stands.",
            ),
        })
    }

    pub(crate) fn of_rules(&self, id: PlaceId) -> Vec<Finding> {
        let Some(place) = self.places.get(id).filter(|place| place.is_on) else { return Vec::new() };
        let Some(item) = self.form.items().get(place.item) else { return Vec::new() };
        let path = || self.path(id);
        item.extensions
            .constraints
            .iter()
            .zip(&place.rules)
            .filter_map(|(rule, state)| of_rule(rule, state.as_ref()?, path()))
            .collect()
    }

    /// Rules of the form itself.
    pub(crate) fn of_form_rules(&self) -> Vec<Finding> {
        let constraints = &self.form.extensions().constraints;
        let states = constraints.iter().zip(&self.rules);
        states.filter_map(|(rule, state)| of_rule(rule, state.as_ref()?, ItemPath::root())).collect()
    }
}

fn of_rule(rule: &Constraint, state: &Result<bool, ExpressionFailure>, path: ItemPath) -> Option<Finding> {
    let sentence = rule.human.as_deref().unwrap_or("A rule of this form.");
    match state {
        Ok(true) => None,
        Ok(false) => {
            let severity = if rule.is_error { Severity::Error } else { Severity::Warning };
            Some(Finding::new(path, FindingCode::ConstraintBroken, severity, sentence))
        }
        Err(failure) => {
            let message = format!(
                "A rule of the form was not checked, because of its expression: {failure}. The rule says: {sentence}"
            );
            Some(Finding::new(path, FindingCode::ConstraintNotChecked, Severity::Warning, message))
        }
    }
}
