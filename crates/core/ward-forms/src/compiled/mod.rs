//! A form compiled once: its expressions read, what depends on what, and in which order everything
//! is evaluated.
//!
//! Items are numbers here; no linkId is looked up while somebody answers. The size of all of it is
//! that of the form's text.

mod failure;
mod formula;
mod graph;
mod readers;
mod reads;
mod variables;

pub use failure::ExpressionFailure;
pub(crate) use formula::{Formula, NameSource};
pub(crate) use readers::{Reader, Task, What};
pub(crate) use variables::Variable;

use crate::error::FormError;
use crate::questionnaire::{Item, ItemType, Questionnaire};
use graph::Stratum;
use std::sync::{Arc, OnceLock};
use variables::Variables;

/// A form ready to be evaluated.
///
/// [`Questionnaire::compiled`] makes it at its first use and keeps it.
#[derive(Debug)]
pub struct CompiledForm {
    pub(crate) items: Vec<CompiledItem>,
    /// The rules of the form itself.
    pub(crate) rules: Vec<Formula>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) strata: Vec<Stratum>,
    readers: readers::Readers,
    /// The first loop of expressions, by linkIds.
    loop_of_expressions: Option<Vec<String>>,
    has_formulas: bool,
    has_calculated_circle: bool,
    uses_time: bool,
}

/// What the evaluation needs to know of one item.
#[derive(Debug)]
pub(crate) struct CompiledItem {
    pub(crate) parent: Option<usize>,
    pub(crate) is_group: bool,
    /// Whether it or an item that holds it is kept from people's eyes.
    pub(crate) is_hidden: bool,
    /// Its place in the order of evaluation.
    pub(crate) rank: usize,
    pub(crate) enable: Option<Formula>,
    pub(crate) calculated: Option<Formula>,
    pub(crate) initial: Option<Formula>,
    pub(crate) rules: Vec<Formula>,
}

impl CompiledItem {
    fn of(form: &Questionnaire, item: &Item, variables: &Variables) -> Self {
        let owner = Some(item.index.0);
        let read = |expression: &crate::item_extensions::Expression| {
            Formula::read(form, owner, &expression.language, &expression.text, variables)
        };
        let extensions = &item.extensions;
        Self {
            parent: item.parent.map(|parent| parent.0),
            is_group: item.item_type == ItemType::Group,
            is_hidden: item.hidden || form.ancestors(item).any(|above| above.hidden),
            rank: 0,
            enable: extensions.enable_when_expression.as_ref().map(read),
            // What takes no answer is not calculated.
            calculated: extensions
                .calculated_expression
                .as_ref()
                .filter(|_| item.item_type.takes_answers())
                .map(read),
            initial: extensions
                .initial_expression
                .as_ref()
                .filter(|_| item.item_type.takes_answers())
                .map(read),
            rules: extensions.constraints.iter().map(|rule| read(&rule.expression)).collect(),
        }
    }

    fn formulas(&self) -> impl Iterator<Item = &Formula> {
        [&self.enable, &self.calculated, &self.initial].into_iter().flatten().chain(&self.rules)
    }
}

impl CompiledForm {
    /// Compiles a form for publication.
    ///
    /// # Errors
    /// [`FormError::EnableWhenLoop`] when expressions wait for one another. A stored form is evaluated
    /// all the same: see [`Questionnaire::compiled`].
    pub fn compile(form: &Questionnaire) -> Result<Self, FormError> {
        let compiled = Self::of(form);
        match compiled.loop_of_expressions {
            Some(cycle) => Err(FormError::EnableWhenLoop { cycle }),
            None => Ok(compiled),
        }
    }

    /// Compiles a form whatever is wrong with its expressions. Those that can't be read fail when they
    /// are evaluated; those that wait for one another have no result.
    pub(crate) fn of(form: &Questionnaire) -> Self {
        let variables = Variables::of(form);
        let mut items: Vec<CompiledItem> =
            form.items().iter().map(|item| CompiledItem::of(form, item, &variables)).collect();
        let rules: Vec<Formula> = form
            .extensions()
            .constraints
            .iter()
            .map(|rule| {
                Formula::read(form, None, &rule.expression.language, &rule.expression.text, &variables)
            })
            .collect();
        let strata = graph::strata(form, &items);
        for (rank, stratum) in strata.iter().enumerate() {
            for item in &stratum.items {
                if let Some(item) = items.get_mut(*item) {
                    item.rank = rank;
                }
            }
        }
        let readers = readers::Readers::of(form, &items, &rules);
        let all: Vec<&Formula> = items.iter().flat_map(CompiledItem::formulas).chain(&rules).collect();
        let (has_formulas, uses_time) = (!all.is_empty(), all.iter().any(|formula| formula.uses_time));
        let is_calculated = |item: &usize| items.get(*item).is_some_and(|item| item.calculated.is_some());
        let mut circles = strata.iter().filter(|stratum| stratum.is_cyclic);
        Self {
            has_calculated_circle: circles.any(|stratum| stratum.items.iter().any(is_calculated)),
            loop_of_expressions: graph::certain_loop(form, &items),
            has_formulas,
            uses_time,
            variables: variables.list,
            readers,
            strata,
            rules,
            items,
        }
    }

    /// The linkIds of expressions that wait for one another: each for the next, the last for the
    /// first. Such a form must not be published.
    #[must_use]
    pub fn loop_of_expressions(&self) -> Option<&[String]> {
        self.loop_of_expressions.as_deref()
    }

    /// Whether anything has to be evaluated besides conditions.
    #[must_use]
    pub fn has_expressions(&self) -> bool {
        self.has_formulas
    }

    /// Whether calculated answers may wait for one another.
    pub(crate) fn has_calculated_circle(&self) -> bool {
        self.has_calculated_circle
    }

    /// Whether a result changes with the time.
    #[must_use]
    pub fn uses_time(&self) -> bool {
        self.uses_time
    }

    /// Expressions whose results depend on every answer, as far as can be told from their text.
    #[must_use]
    pub fn reads_everything(&self) -> usize {
        self.readers.of_everything.len()
    }

    pub(crate) fn item(&self, index: usize) -> Option<&CompiledItem> {
        self.items.get(index)
    }

    /// Whether the item stands among others that may wait for one another.
    pub(crate) fn is_cyclic(&self, rank: usize) -> bool {
        self.strata.get(rank).is_some_and(|stratum| stratum.is_cyclic)
    }

    /// The expressions that read an item, or what lies below it.
    pub(crate) fn readers(&self, item: usize) -> &[Reader] {
        self.readers.of_item.get(item).map_or(&[], Vec::as_slice)
    }

    /// The conditions that look at a question.
    pub(crate) fn conditions_on(&self, item: usize) -> &[Reader] {
        self.readers.of_question.get(item).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn readers_of_everything(&self) -> &[Task] {
        &self.readers.of_everything
    }

    /// The formula that a task evaluates.
    pub(crate) fn formula(&self, task: Task) -> Option<&Formula> {
        let Some(item) = task.item else {
            return match task.what {
                What::Rule(place) => self.rules.get(place),
                _ => None,
            };
        };
        let item = self.items.get(item)?;
        match task.what {
            What::Enable => item.enable.as_ref(),
            What::Calculate => item.calculated.as_ref(),
            What::Initial => item.initial.as_ref(),
            What::Rule(place) => item.rules.get(place),
        }
    }

    /// The items above one, nearest first, itself included.
    pub(crate) fn chain(&self, item: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(item), |index| self.items.get(*index)?.parent)
    }
}

/// The compiled form beside its questionnaire, made when it is first needed. It follows from the
/// questionnaire, so it never makes two of them differ.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompiledOnce(OnceLock<Arc<CompiledForm>>);

impl CompiledOnce {
    pub(crate) fn get(&self, form: &Questionnaire) -> &Arc<CompiledForm> {
        self.0.get_or_init(|| Arc::new(CompiledForm::of(form)))
    }
}

impl PartialEq for CompiledOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
