//! Which items and variables wait for which, as far as their expressions name them.
//!
//! Variables stand in the graph themselves, so that its size is that of the form's text however
//! often they are used.

use crate::dependency_order::settle;
use crate::fhirpath;
use crate::item_extensions::Expression;
use crate::questionnaire::{Item, ItemIndex, Questionnaire};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something that waits for others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Waiting<'f> {
    /// An item, to be asked or calculated.
    Item(&'f Item),
    /// A variable of this name, at an item or at the form itself.
    Variable(Option<&'f Item>, &'f str),
}

impl<'f> Waiting<'f> {
    /// The item, or the one that the variable stands at.
    pub(super) fn item(self) -> Option<&'f Item> {
        match self {
            Self::Item(item) => Some(item),
            Self::Variable(holder, _) => holder,
        }
    }

    fn is_same_item(self, other: Self) -> bool {
        matches!((self, other), (Self::Item(a), Self::Item(b)) if a.index == b.index)
    }
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(item) => f.write_str(&item.link_id),
            Self::Variable(_, name) => write!(f, "%{name}"),
        }
    }
}

/// Places: the form's items first, its variables after them, and then for each item what it holds: its own
/// answers and all below it. They keep the graph small where many expressions read a large group.
pub(super) struct WaitingGraph<'f> {
    form: &'f Questionnaire,
    variables: Vec<(Option<&'f Item>, &'f Expression)>,
    by_name: BTreeMap<(Option<ItemIndex>, &'f str), usize>,
}

impl<'f> WaitingGraph<'f> {
    pub(super) fn of(form: &'f Questionnaire) -> Self {
        let mut graph = Self { form, variables: Vec::new(), by_name: BTreeMap::new() };
        let holders = std::iter::once((None, form.extensions()))
            .chain(form.items().iter().map(|item| (Some(item), &item.extensions)));
        for (holder, extensions) in holders {
            for variable in &extensions.variables {
                let Some(name) = variable.name.as_deref() else { continue };
                let place = form.items().len() + graph.variables.len();
                graph.variables.push((holder, variable));
                graph.by_name.entry((holder.map(|item| item.index), name)).or_insert(place);
            }
        }
        graph
    }

    /// Looks for an order in which everything can be asked and calculated.
    ///
    /// # Errors
    /// One loop: each waits for the next, the last for the first.
    pub(super) fn settle(&self) -> Result<(), Vec<Waiting<'f>>> {
        let items = self.form.items().iter().map(|item| self.needs_of_item(item));
        let variables = self.variables.iter().map(|(holder, expression)| self.read_by(*holder, expression));
        let contents = self.form.items().iter().map(|item| self.held_by(item));
        let needs: Vec<Vec<usize>> =
            items.chain(variables).chain(contents).map(|needs| needs.into_iter().collect()).collect();
        settle(&needs).map(drop).map_err(|cycle| {
            let mut named: Vec<Waiting<'f>> = cycle.iter().filter_map(|place| self.at(*place)).collect();
            // A question is part of what it holds itself.
            named.dedup_by(|a, b| a.is_same_item(*b));
            named
        })
    }

    /// The place of what an item holds.
    fn contents(&self, item: &Item) -> usize {
        if item.children.is_empty() {
            item.index.0
        } else {
            self.form.items().len() + self.variables.len() + item.index.0
        }
    }

    fn held_by(&self, item: &Item) -> BTreeSet<usize> {
        let children = item.children.iter().filter_map(|index| self.form.get(*index));
        let below = children.filter(holds_answers).map(|child| self.contents(child));
        let own = item.item_type.takes_answers().then_some(item.index.0);
        if item.children.is_empty() { BTreeSet::new() } else { own.into_iter().chain(below).collect() }
    }

    fn at(&self, place: usize) -> Option<Waiting<'f>> {
        if let Some(item) = self.form.items().get(place) {
            return Some(Waiting::Item(item));
        }
        let place = place.checked_sub(self.form.items().len())?;
        if let Some((holder, variable)) = self.variables.get(place) {
            return Some(Waiting::Variable(*holder, variable.name.as_deref()?));
        }
        self.form.items().get(place - self.variables.len()).map(Waiting::Item)
    }

    /// To be asked: the item that holds it, and what its conditions and its expression read. To be
    /// calculated: what its expression reads.
    fn needs_of_item(&self, item: &Item) -> BTreeSet<usize> {
        let targets = item.conditions.iter().filter_map(|condition| condition.target);
        let mut needs: BTreeSet<usize> =
            item.parent.into_iter().chain(targets).map(|index| index.0).collect();
        let own = [&item.extensions.calculated_expression, &item.extensions.enable_when_expression];
        for expression in own.into_iter().flatten() {
            needs.extend(self.read_by(Some(item), expression));
        }
        needs
    }

    /// What an expression reads: items with all that they hold, and variables. Groups that are only passed
    /// through on the way to what is in them are not named.
    fn read_by(&self, holder: Option<&Item>, expression: &Expression) -> BTreeSet<usize> {
        if !expression.is_fhirpath() {
            return BTreeSet::new();
        }
        // What can't be read is reported elsewhere.
        let Ok(parsed) = fhirpath::Expression::parse(&expression.text) else { return BTreeSet::new() };
        let dependencies = parsed.dependencies();
        let items = dependencies.link_ids().filter_map(|link_id| self.form.item(link_id));
        let mut read: BTreeSet<usize> = items.filter(holds_answers).map(|item| self.contents(item)).collect();
        read.extend(dependencies.variables().filter_map(|name| self.variable(holder, name)));
        read
    }

    /// The variable that a name means at an item: the nearest one above.
    pub(super) fn variable(&self, holder: Option<&Item>, name: &str) -> Option<usize> {
        let above = holder.into_iter().flat_map(|item| self.form.ancestors(item));
        let holders = holder.into_iter().chain(above).map(|item| Some(item.index)).chain([None]);
        holders.into_iter().find_map(|holder| self.by_name.get(&(holder, name)).copied())
    }
}

/// A text for reading, or a group without anything in it, holds nothing that could be read.
fn holds_answers(item: &&Item) -> bool {
    item.item_type.takes_answers() || !item.children.is_empty()
}
