//! The form laid over a response: one node for every place where an item stands
//! or could stand.
//!
//! Nodes are in reading order. A group that the response leaves out still has one
//! node, so that the questions in it are asked and owed. A question nested under
//! another question has a node for each answer of that question, and none while
//! that question has no answer.

use crate::answer_value::AnswerValue;
use crate::item_path::{ItemPath, PathStep};
use crate::questionnaire::{Item, ItemIndex, ItemType, Questionnaire};
use crate::response::{QuestionnaireResponse, ResponseItem};
use std::collections::BTreeMap;

/// One place where an item stands.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) item: &'a Item,
    pub(crate) parent: Option<usize>,
    /// Which answer of the parent question it is nested under.
    pub(crate) under_answer: Option<usize>,
    /// Which repetition of a group it is.
    pub(crate) instance: usize,
    /// Its place in the response's item array, when the response has it.
    pub(crate) position: Option<usize>,
    pub(crate) source: Option<&'a ResponseItem>,
    /// The node after its last descendant.
    pub(crate) end: usize,
}

impl<'a> Node<'a> {
    /// The values answered here.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'a AnswerValue> + use<'a> {
        self.source.into_iter().flat_map(ResponseItem::answers).filter_map(|answer| answer.value.as_ref())
    }

    pub(crate) fn has_value(&self) -> bool {
        self.values().next().is_some()
    }
}

/// Why an item of the response has no place in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StrayKind {
    /// The form has no item with this linkId.
    Unknown,
    /// The form has it at another place.
    Misplaced,
    /// The question stands here twice.
    Duplicate,
}

/// An item of the response that has no place in the form.
#[derive(Debug)]
pub(crate) struct Stray {
    pub(crate) kind: StrayKind,
    pub(crate) path: ItemPath,
    pub(crate) location: String,
}

/// All nodes of a form over a response.
#[derive(Debug)]
pub(crate) struct Forest<'a> {
    questionnaire: &'a Questionnaire,
    pub(crate) response: &'a QuestionnaireResponse,
    pub(crate) nodes: Vec<Node<'a>>,
    by_item: Vec<Vec<usize>>,
    by_source: BTreeMap<usize, usize>,
    pub(crate) strays: Vec<Stray>,
}

/// Where a level of items hangs.
#[derive(Clone, Copy)]
struct Branch {
    parent: Option<usize>,
    under_answer: Option<usize>,
}

impl<'a> Forest<'a> {
    pub(crate) fn new(questionnaire: &'a Questionnaire, response: &'a QuestionnaireResponse) -> Self {
        let mut forest = Self {
            questionnaire,
            response,
            nodes: Vec::with_capacity(questionnaire.items.len()),
            by_item: vec![Vec::new(); questionnaire.items.len()],
            by_source: BTreeMap::new(),
            strays: Vec::new(),
        };
        let branch = Branch { parent: None, under_answer: None };
        forest.grow(branch, &questionnaire.top, &response.items);
        forest
    }

    fn grow(&mut self, branch: Branch, children: &'a [ItemIndex], items: &'a [ResponseItem]) {
        let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, item) in items.iter().enumerate() {
            positions.entry(item.link_id.as_str()).or_default().push(position);
        }
        for index in children {
            let Some(item) = self.questionnaire.get(*index) else {
                continue;
            };
            let found = positions.remove(item.link_id.as_str()).unwrap_or_default();
            if item.item_type == ItemType::Group {
                self.grow_group(branch, item, &found, items);
            } else {
                self.grow_question(branch, item, &found, items);
            }
        }
        for position in positions.into_values().flatten() {
            if let Some(item) = items.get(position) {
                let known = self.questionnaire.by_link_id.contains_key(&item.link_id);
                let kind = if known { StrayKind::Misplaced } else { StrayKind::Unknown };
                self.add_stray(kind, branch, item, position);
            }
        }
    }

    fn grow_group(&mut self, branch: Branch, item: &'a Item, found: &[usize], items: &'a [ResponseItem]) {
        if found.is_empty() {
            let node = self.push(branch, item, 0, None, None);
            self.grow(Branch { parent: Some(node), under_answer: None }, &item.children, &[]);
            self.close(node);
        }
        for (instance, position) in found.iter().enumerate() {
            let source = items.get(*position);
            let node = self.push(branch, item, instance, Some(*position), source);
            let below = Branch { parent: Some(node), under_answer: None };
            let nested = source.map_or(&[][..], |source| source.items.as_slice());
            self.grow(below, &item.children, nested);
            self.close(node);
        }
    }

    fn grow_question(&mut self, branch: Branch, item: &'a Item, found: &[usize], items: &'a [ResponseItem]) {
        let position = found.first().copied();
        let source = position.and_then(|position| items.get(position));
        let node = self.push(branch, item, 0, position, source);
        for (answer_place, answer) in source.into_iter().flat_map(ResponseItem::answers).enumerate() {
            let below = Branch { parent: Some(node), under_answer: Some(answer_place) };
            if answer.value.is_none() && self.may_be_parked(item) {
                continue;
            }
            // An answer without a value is no answer; only strays are looked for.
            let children = if answer.value.is_some() { item.children.as_slice() } else { &[] };
            self.grow(below, children, &answer.items);
        }
        self.close(node);
        let below = Branch { parent: Some(node), under_answer: None };
        for (place, nested) in source.map_or(&[][..], |source| source.items.as_slice()).iter().enumerate() {
            let known = self.questionnaire.by_link_id.contains_key(&nested.link_id);
            let kind = if known { StrayKind::Misplaced } else { StrayKind::Unknown };
            self.add_stray(kind, below, nested, place);
        }
        for position in found.iter().skip(1) {
            if let Some(again) = items.get(*position) {
                self.add_stray(StrayKind::Duplicate, branch, again, *position);
            }
        }
    }

    fn push(
        &mut self,
        branch: Branch,
        item: &'a Item,
        instance: usize,
        position: Option<usize>,
        source: Option<&'a ResponseItem>,
    ) -> usize {
        let id = self.nodes.len();
        self.nodes.push(Node {
            item,
            parent: branch.parent,
            under_answer: branch.under_answer,
            instance,
            position,
            source,
            end: id + 1,
        });
        if let Some(list) = self.by_item.get_mut(item.index.0) {
            list.push(id);
        }
        if let Some(source) = source {
            self.by_source.insert(address(source), id);
        }
        id
    }

    fn close(&mut self, id: usize) {
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(id) {
            node.end = end;
        }
    }

    fn add_stray(&mut self, kind: StrayKind, branch: Branch, item: &ResponseItem, position: usize) {
        let mut path = branch.parent.map_or_else(ItemPath::root, |parent| self.path(parent));
        if let (Some(answer), Some((last, head))) = (branch.under_answer, path.steps().split_last()) {
            let mut steps = head.to_vec();
            steps.push(PathStep { link_id: last.link_id.clone(), index: answer });
            path = ItemPath::from_steps(steps);
        }
        let location =
            format!("{}.item[{position}]", self.holder_location(branch.parent, branch.under_answer));
        self.strays.push(Stray { kind, path: path.child(&item.link_id, 0), location });
    }

    /// Whether an answer of this question that has no value holds the place of a calculated one that is gone
    /// for a while, in a draft.
    pub(crate) fn may_be_parked(&self, item: &Item) -> bool {
        item.extensions.calculated_expression.is_some() && !self.response.status.is_final()
    }

    /// The node that stands for this item of the response; `None` for a stray.
    pub(crate) fn node_of(&self, source: &ResponseItem) -> Option<usize> {
        self.by_source.get(&address(source)).copied()
    }

    pub(crate) fn nodes_of(&self, item: ItemIndex) -> &[usize] {
        self.by_item.get(item.0).map_or(&[], Vec::as_slice)
    }

    /// The nodes of the same item at the same place, from this one on: the instances
    /// of a group when this is the first.
    pub(crate) fn siblings(&self, id: usize) -> impl Iterator<Item = &Node<'a>> {
        let own = self.nodes.get(id);
        let holder = own.and_then(|node| node.parent).and_then(|parent| self.nodes.get(parent));
        let end = holder.map_or(self.nodes.len(), |holder| holder.end);
        let all = own.map_or(&[][..], |node| self.nodes_of(node.item.index));
        let first = all.partition_point(|other| *other < id);
        all.iter()
            .skip(first)
            .take_while(move |other| **other < end)
            .filter_map(|other| self.nodes.get(*other))
            .take_while(move |other| own.is_some_and(|own| own.under_answer == other.under_answer))
    }

    pub(crate) fn chain(&self, id: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(id), |id| self.nodes.get(*id).and_then(|node| node.parent))
    }

    pub(crate) fn path(&self, id: usize) -> ItemPath {
        let mut steps = Vec::new();
        let mut below: Option<&Node<'a>> = None;
        for node in self.chain(id).filter_map(|id| self.nodes.get(id)) {
            let index = match node.item.item_type {
                ItemType::Group => node.instance,
                _ => below.and_then(|below| below.under_answer).unwrap_or(0),
            };
            steps.push(PathStep { link_id: node.item.link_id.clone(), index });
            below = Some(node);
        }
        steps.reverse();
        ItemPath::from_steps(steps)
    }

    /// The FHIRPath location of a node; for one that the response leaves out, the
    /// nearest element that holds it.
    pub(crate) fn location(&self, id: usize) -> String {
        let Some(node) = self.nodes.get(id) else {
            return "QuestionnaireResponse".to_owned();
        };
        let holder = self.holder_location(node.parent, node.under_answer);
        match node.position {
            Some(position) => format!("{holder}.item[{position}]"),
            None => holder,
        }
    }

    fn holder_location(&self, parent: Option<usize>, under_answer: Option<usize>) -> String {
        let above = parent.map_or_else(|| "QuestionnaireResponse".to_owned(), |parent| self.location(parent));
        match under_answer {
            Some(answer) => format!("{above}.answer[{answer}]"),
            None => above,
        }
    }
}

/// The identity of an item within one borrowed response.
fn address(item: &ResponseItem) -> usize {
    std::ptr::from_ref(item).addr()
}
