//! The variables of a form and where each of their names holds.

use super::formula::Formula;
use super::reads::ReadsLeft;
use crate::questionnaire::{ItemIndex, Questionnaire};
use std::collections::BTreeMap;

/// A named expression, at an item or at the form itself.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) holder: Option<usize>,
    pub(crate) formula: Formula,
}

/// All variables of a form.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) list: Vec<Variable>,
    by_name: BTreeMap<(Option<usize>, String), usize>,
    /// How many reads of variables the form's expressions may still take over.
    pub(super) reads_left: ReadsLeft,
}

impl Variables {
    pub(super) fn of(form: &Questionnaire) -> Self {
        let mut variables = Self::default();
        let holders = std::iter::once((None, form.extensions()))
            .chain(form.items().iter().map(|item| (Some(item.index.0), &item.extensions)));
        for (holder, extensions) in holders {
            for expression in &extensions.variables {
                // What is not FHIRPath, such as a query, only the surroundings can supply.
                let Some(name) = expression.name.clone().filter(|_| expression.is_fhirpath()) else {
                    continue;
                };
                let place = variables.list.len();
                variables.by_name.entry((holder, name)).or_insert(place);
                let formula = Formula::alone(form, holder, &expression.language, &expression.text);
                variables.list.push(Variable { holder, formula });
            }
        }
        let mut list = std::mem::take(&mut variables.list);
        for variable in &mut list {
            variable.formula.resolve(form, variable.holder, &variables);
        }
        variables.list = list;
        variables
    }

    /// The variable that a name means at an item: the nearest one above.
    pub(super) fn meant(&self, form: &Questionnaire, owner: Option<usize>, name: &str) -> Option<usize> {
        if self.by_name.is_empty() {
            return None;
        }
        let item = owner.and_then(|owner| form.get(ItemIndex(owner)));
        let above = item.into_iter().flat_map(|item| form.ancestors(item)).map(|item| item.index.0);
        let holders = owner.into_iter().chain(above).map(Some).chain([None]);
        holders.into_iter().find_map(|holder| self.by_name.get(&(holder, name.to_owned())).copied())
    }

    /// These variables and all that they need, each after those that it needs. `None` when one of
    /// them needs itself.
    pub(super) fn closure(&self, direct: &[usize]) -> Option<Vec<usize>> {
        let mut order = Vec::new();
        let mut state: BTreeMap<usize, bool> = BTreeMap::new();
        // Each variable is pushed to be opened, and once more to be closed behind what it needs.
        let mut todo: Vec<(usize, bool)> = direct.iter().rev().map(|place| (*place, false)).collect();
        while let Some((place, is_closing)) = todo.pop() {
            match (state.get(&place), is_closing) {
                (_, true) => {
                    state.insert(place, true);
                    order.push(place);
                }
                (Some(true), false) => {}
                (Some(false), false) => return None,
                (None, false) => {
                    state.insert(place, false);
                    todo.push((place, true));
                    let needed = self.list.get(place).map(|variable| variable.formula.variables());
                    let open = needed.into_iter().flatten().filter(|needed| state.get(needed) != Some(&true));
                    todo.extend(open.map(|needed| (needed, false)));
                }
            }
        }
        Some(order)
    }
}
