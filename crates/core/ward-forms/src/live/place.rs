//! The places where items stand, as a tree that changes with the answers.

use crate::answer_value::AnswerValue;
use crate::compiled::ExpressionFailure;
use crate::item_path::{ItemPath, PathStep};
use crate::questionnaire::Questionnaire;

/// The number of a place. It may be given to another place once this one is gone.
pub(crate) type PlaceId = usize;

/// Whether a rule holds; `None` where it is not to be judged.
pub(crate) type RuleState = Option<Result<bool, ExpressionFailure>>;

/// One place where an item stands or could stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) item: usize,
    pub(crate) parent: Option<PlaceId>,
    /// Which answer of the parent question it is nested under.
    pub(crate) under_answer: usize,
    /// Which repetition of a group it is.
    pub(crate) instance: usize,
    /// Its position among the response's items there, when the response has it.
    pub(crate) position: Option<usize>,
    /// The places below it in reading order: one list for a group, one for each answer of a question.
    pub(crate) branches: Vec<Vec<PlaceId>>,
    pub(crate) is_on: bool,
    /// It is on only because an expression that decides about it needs something that is not at hand. It
    /// owes nothing.
    pub(crate) is_in_doubt: bool,
    /// In a repeating group that isn't required and has no instance yet.
    pub(crate) is_optional: bool,
    /// Its calculated answer is hidden while items that wait for one another are evaluated.
    pub(crate) is_masked: bool,
    /// Whether expressions see it.
    pub(crate) is_mirrored: bool,
    /// Answered or skipped in this session.
    pub(crate) is_settled: bool,
    pub(crate) has_value: bool,
    /// The draft says that the form calculated its answer.
    pub(crate) is_known_calculated: bool,
    /// The draft says that a person has seen what was filled in.
    pub(crate) is_seen: bool,
    /// Whether the form's initial answers were filled in, or are not to be.
    pub(crate) is_prepared: bool,
    /// Whether its initial expression was evaluated, or is not to be.
    pub(crate) is_begun: bool,
    /// Its index in reading order, and that after the last place below it.
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) calculation: Option<Box<CalculatedPlace>>,
    pub(crate) rules: Vec<RuleState>,
    pub(crate) enable_failure: Option<ExpressionFailure>,
    pub(crate) initial_failure: Option<ExpressionFailure>,
}

impl Place {
    pub(crate) fn is_overridden(&self) -> bool {
        self.calculation.as_ref().is_some_and(|calculation| calculation.is_overridden)
    }
}

/// What is known of a calculated answer.
#[derive(Debug, Clone)]
pub(crate) struct CalculatedPlace {
    /// What the formula gave; `None` before it was evaluated.
    pub(crate) result: Option<Result<Vec<AnswerValue>, ExpressionFailure>>,
    /// A person gave another answer, which stands.
    pub(crate) is_overridden: bool,
    /// The answer comes from a stored response: who gave it shows in the first evaluation.
    pub(crate) is_fresh: bool,
}

/// All places of a form over a response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    slots: Vec<Option<Place>>,
    free: Vec<PlaceId>,
    by_item: Vec<Vec<PlaceId>>,
    top: Vec<PlaceId>,
}

impl Places {
    pub(crate) fn with_items(count: usize) -> Self {
        Self { by_item: vec![Vec::new(); count], ..Self::default() }
    }

    pub(crate) fn get(&self, id: PlaceId) -> Option<&Place> {
        self.slots.get(id)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: PlaceId) -> Option<&mut Place> {
        self.slots.get_mut(id)?.as_mut()
    }

    pub(crate) fn push(&mut self, place: Place) -> PlaceId {
        let item = place.item;
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(slot) = self.slots.get_mut(id) {
            *slot = Some(place);
        }
        if let Some(list) = self.by_item.get_mut(item) {
            list.push(id);
        }
        id
    }

    /// Takes one place away; [`Self::reuse`] gives its number free.
    pub(crate) fn take(&mut self, id: PlaceId) -> Option<Place> {
        let place = self.slots.get_mut(id)?.take()?;
        if let Some(list) = self.by_item.get_mut(place.item) {
            list.retain(|known| *known != id);
        }
        Some(place)
    }

    pub(crate) fn reuse(&mut self, ids: impl Iterator<Item = PlaceId>) {
        self.free.extend(ids);
    }

    pub(crate) fn of_item(&self, item: usize) -> &[PlaceId] {
        self.by_item.get(item).map_or(&[], Vec::as_slice)
    }

    /// The places below an answer of a question, in a group, or at the top.
    pub(crate) fn branch(&self, parent: Option<PlaceId>, answer: usize) -> &[PlaceId] {
        match parent {
            None => &self.top,
            Some(parent) => {
                self.get(parent).and_then(|place| place.branches.get(answer)).map_or(&[], Vec::as_slice)
            }
        }
    }

    pub(crate) fn branch_mut(&mut self, parent: Option<PlaceId>, answer: usize) -> Option<&mut Vec<PlaceId>> {
        match parent {
            None => Some(&mut self.top),
            Some(parent) => self.get_mut(parent)?.branches.get_mut(answer),
        }
    }

    /// The places of one item within a branch: more than one only for a group.
    pub(crate) fn of_item_in(&self, branch: &[PlaceId], item: usize) -> std::ops::Range<usize> {
        let item_of = |id: &PlaceId| self.get(*id).map_or(usize::MAX, |place| place.item);
        let start = branch.partition_point(|id| item_of(id) < item);
        let end = branch.partition_point(|id| item_of(id) <= item);
        start..end
    }

    /// The place itself and those above it, nearest first.
    pub(crate) fn chain(&self, id: PlaceId) -> impl Iterator<Item = PlaceId> {
        std::iter::successors(Some(id), |id| self.get(*id)?.parent)
    }

    /// The place of an item that is this one or holds it.
    pub(crate) fn ancestor(&self, id: PlaceId, item: usize) -> Option<PlaceId> {
        self.chain(id).find(|above| self.get(*above).is_some_and(|place| place.item == item))
    }

    /// The place and all below it, each after the one that holds it.
    pub(crate) fn subtree(&self, id: PlaceId) -> Vec<PlaceId> {
        let mut found = Vec::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            found.push(id);
            if let Some(place) = self.get(id) {
                todo.extend(place.branches.iter().rev().flat_map(|branch| branch.iter().rev()));
            }
        }
        found
    }

    pub(crate) fn path(&self, form: &Questionnaire, id: PlaceId) -> ItemPath {
        let mut steps = Vec::new();
        let mut below = 0;
        for place in self.chain(id).filter_map(|id| self.get(id)) {
            let Some(item) = form.items().get(place.item) else { continue };
            let is_group = item.item_type == crate::questionnaire::ItemType::Group;
            let index = if is_group { place.instance } else { below };
            steps.push(PathStep { link_id: item.link_id.clone(), index });
            below = place.under_answer;
        }
        steps.reverse();
        ItemPath::from_steps(steps)
    }

    /// The place with this path.
    pub(crate) fn find(&self, form: &Questionnaire, path: &ItemPath) -> Option<PlaceId> {
        let (mut parent, mut answer) = (None, 0);
        let mut steps = path.steps().iter().peekable();
        while let Some(step) = steps.next() {
            let item = form.item(&step.link_id)?;
            let branch = self.branch(parent, answer);
            let found = branch.get(self.of_item_in(branch, item.index.0))?;
            let is_group = item.item_type == crate::questionnaire::ItemType::Group;
            let place = *found.get(if is_group { step.index } else { 0 })?;
            if steps.peek().is_none() {
                return (is_group || step.index == 0).then_some(place);
            }
            parent = Some(place);
            answer = if is_group { 0 } else { step.index };
        }
        None
    }
}
