//! Which items are switched on in a response that is only looked at.

use crate::forest::Forest;
use crate::live::{LiveForm, Surroundings};
use crate::questionnaire::Questionnaire;

/// For each node of the forest, whether it is on, at the time when the response was written.
pub(crate) fn enabled_nodes(questionnaire: &Questionnaire, forest: &Forest<'_>) -> Vec<bool> {
    let surroundings = Surroundings::new().or_at_writing(forest.response.authored());
    enabled_nodes_in(questionnaire, forest, &surroundings)
}

/// For each node of the forest, whether it is on.
pub(crate) fn enabled_nodes_in(
    questionnaire: &Questionnaire,
    forest: &Forest<'_>,
    surroundings: &Surroundings,
) -> Vec<bool> {
    let live = LiveForm::verify(questionnaire, forest.response, surroundings);
    debug_assert_eq!(live.order.len(), forest.nodes.len(), "places and nodes stand for the same items");
    live.order.iter().map(|id| live.places.get(*id).is_some_and(|place| place.is_on)).collect()
}
