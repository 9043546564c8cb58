//! Which items are switched on in a response that is only looked at.

use crate::forest::Forest;
use crate::live::{LiveForm, Surroundings};
use crate::questionnaire::Questionnaire;
use crate::response::QuestionnaireResponse;

/// A response that is only looked at, with which of its items were on when it was written.
pub(crate) struct SeenResponse<'a> {
    pub(crate) forest: Forest<'a>,
    /// For each node of the forest, whether it is on.
    pub(crate) enabled: Vec<bool>,
}

impl<'a> SeenResponse<'a> {
    /// Looks at a response once, however much is then read of it.
    pub(crate) fn new(questionnaire: &'a Questionnaire, response: &'a QuestionnaireResponse) -> Self {
        let forest = Forest::new(questionnaire, response);
        let surroundings = Surroundings::new().or_at_writing(response.authored());
        let enabled = enabled_nodes_in(questionnaire, &forest, &surroundings);
        Self { forest, enabled }
    }
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
