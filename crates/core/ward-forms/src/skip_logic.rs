//! Which items are switched on, given the answers so far.
//!
//! An item is on when the item holding it is on and its conditions hold. Answers
//! of an item that is off count as absent. Because items that wait for one
//! another are refused when the form is read, one pass in the form's dependency
//! order reaches the fixed point.

use crate::answer_value::AnswerValue;
use crate::enable_when::{Condition, EnableBehavior};
use crate::forest::Forest;
use crate::questionnaire::Questionnaire;

/// For each node of the forest, whether it is on.
pub(crate) fn enabled_nodes(questionnaire: &Questionnaire, forest: &Forest<'_>) -> Vec<bool> {
    let mut enabled = vec![true; forest.nodes.len()];
    for item in &questionnaire.order {
        for id in forest.nodes_of(*item) {
            let is_on = is_enabled(forest, &enabled, *id);
            if let Some(slot) = enabled.get_mut(*id) {
                *slot = is_on;
            }
        }
    }
    enabled
}

fn is_enabled(forest: &Forest<'_>, enabled: &[bool], id: usize) -> bool {
    let Some(node) = forest.nodes.get(id) else {
        return false;
    };
    if node.parent.is_some_and(|parent| !is_on(enabled, parent)) {
        return false;
    }
    let mut outcomes = node.item.conditions.iter().map(|condition| {
        let answers = answers_for(forest, enabled, id, condition);
        condition.holds(&answers)
    });
    match node.item.enable_behavior {
        Some(EnableBehavior::Any) if !node.item.conditions.is_empty() => outcomes.any(|holds| holds),
        _ => outcomes.all(|holds| holds),
    }
}

/// The answers a condition looks at: those of the nearest occurrence of its
/// question, or none when that is off or not there.
fn answers_for<'a>(
    forest: &Forest<'a>,
    enabled: &[bool],
    id: usize,
    condition: &Condition,
) -> Vec<&'a AnswerValue> {
    nearest_occurrence(forest, id, condition)
        .filter(|found| is_on(enabled, *found))
        .and_then(|found| forest.nodes.get(found))
        .map(|node| node.values().collect())
        .unwrap_or_default()
}

/// The occurrence of the condition's question nearest to a node.
///
/// FHIR R4 `Questionnaire.item.enableWhen.question`: with several occurrences the
/// nearest counts, first upwards, then before, then after. The search stays in the
/// innermost repetition that holds both items, so that a repetition never looks
/// into its sibling.
fn nearest_occurrence(forest: &Forest<'_>, id: usize, condition: &Condition) -> Option<usize> {
    let target = condition.target?;
    if condition.scope == Some(target) {
        return ancestor_at(forest, id, target);
    }
    let scope = match condition.scope {
        None => None,
        Some(scope) => Some(ancestor_at(forest, id, scope)?),
    };
    let (from, to) = match scope.and_then(|scope| Some((scope, forest.nodes.get(scope)?.end))) {
        Some((scope, end)) => (scope + 1, end),
        None => (0, forest.nodes.len()),
    };
    let branch = branch_below(forest, id, scope);
    let candidates = forest.nodes_of(target);
    let split = candidates.partition_point(|candidate| *candidate < id);
    let (before, after) = candidates.split_at_checked(split)?;
    // Answers come one after the other, so if the nearest occurrence on a side lies
    // under another answer, none further away lies under this one.
    let is_near = |candidate: &&usize| {
        (from..to).contains(*candidate) && branch_below(forest, **candidate, scope) == branch
    };
    before.last().filter(is_near).or_else(|| after.first().filter(is_near)).copied()
}

fn ancestor_at(forest: &Forest<'_>, id: usize, item: crate::questionnaire::ItemIndex) -> Option<usize> {
    forest.chain(id).find(|above| forest.nodes.get(*above).is_some_and(|node| node.item.index == item))
}

/// Which answer of the scope a node is nested under; `None` when the scope is a
/// group or the form itself.
fn branch_below(forest: &Forest<'_>, id: usize, scope: Option<usize>) -> Option<usize> {
    forest
        .chain(id)
        .filter_map(|above| forest.nodes.get(above))
        .find(|node| node.parent == scope)
        .and_then(|node| node.under_answer)
}

fn is_on(enabled: &[bool], id: usize) -> bool {
    enabled.get(id).copied().unwrap_or(false)
}
