//! Terraform's plans and states in JSON.
//!
//! The truth of a plan is `resource_changes`, joined with `configuration` (which says what an
//! unknown value depends on) and `prior_state` (what is there already). `planned_values` leaves out
//! what is unknown, so it is not read.

mod beside;
mod changes;
mod choices;
mod configuration;
#[cfg(test)]
mod large_inputs;
mod marks;
mod scope;
mod state;
mod written;

use crate::graph::{Action, Attribute, Block, Format, Graph, Inputs, Note, Resource, Role, Texts};
use crate::input_error::InputError;
use crate::json::{Kind, Scanner, Trees, read_block};
use changes::{Change, ChangeReader, read_change, resource_of};
use configuration::{Module, read_configuration};
use scope::Configured;
use std::borrow::Cow;
use std::collections::HashSet;

/// The sections of a plan or state. Nothing of them is scanned twice.
#[derive(Default)]
struct Sections<'a> {
    format_version: Option<Cow<'a, str>>,
    is_errored: bool,
    is_incomplete: bool,
    is_not_applyable: bool,
    is_deferred: bool,
    changes: Option<Vec<Change<'a>>>,
    drift: Vec<Change<'a>>,
    configuration: Option<Module<'a>>,
    /// What is there already.
    existing: Vec<Resource>,
    planned_values: Option<&'a str>,
    /// The values of the variables of the root module.
    variables: Block,
    /// `values` at the top: it is a state.
    values: Option<Vec<Resource>>,
}

/// Reads a plan or a state in JSON.
///
/// # Errors
/// [`InputError`] when it is not JSON, of a version that Ward does not read, or not whole.
pub fn read_terraform(text: &str) -> Result<Graph, InputError> {
    let mut scanner = Scanner::new(text);
    let sections = sections(&mut scanner)?;
    scanner.end()?;
    check_version(sections.format_version.as_deref())?;
    if let Some(resources) = sections.values {
        return Ok(Graph::new(Format::TerraformState, resources, Vec::new())?);
    }
    read_plan(sections)
}

fn read_plan(mut sections: Sections<'_>) -> Result<Graph, InputError> {
    let Some(changes) = sections.changes.take() else {
        return without_changes(&sections);
    };
    let configuration = sections.configuration.take();
    let mut resources = Vec::with_capacity(changes.len());
    let mut trees = Trees::of_text(usize::MAX);
    let configured = Configured::new(configuration.as_ref());
    for mut change in changes {
        resources.push(resource_of(&mut change, &configured, false, &mut trees)?);
    }
    let mut notes = notes(&sections, &resources);
    for mut change in std::mem::take(&mut sections.drift) {
        let resource = resource_of(&mut change, &configured, true, &mut trees)?;
        if resource.role != Role::Drifted {
            continue;
        }
        if resource.action.leaves_it() {
            resources.push(resource);
        } else {
            // What somebody removed beside the code is nothing to judge, and worth knowing.
            let text = format!("{} was removed outside of the code", resource.address);
            notes.push(Note { blocks: false, text, place: None });
        }
    }
    let mut existing = std::mem::take(&mut sections.existing);
    if !existing.is_empty() {
        let known: HashSet<&str> = resources.iter().map(|resource| &*resource.address).collect();
        existing.retain(|resource| !known.contains(&*resource.address));
    }
    resources.append(&mut existing);
    let inputs = inputs(&sections.variables, configuration.as_ref());
    Ok(Graph::new(Format::TerraformPlan, resources, notes)?.with_inputs(inputs))
}

/// The values of variables. A plan lists the value of a default like one that was given.
fn inputs(variables: &Block, configuration: Option<&Module<'_>>) -> Inputs {
    let has_default = |name: &str| configuration.is_none_or(|root| root.with_default.contains(name));
    let values = |is_meant: &dyn Fn(&str) -> bool| {
        let meant = variables.entries().filter(|(name, _)| is_meant(name));
        Texts::of(meant.filter_map(|(_, variable)| match variable {
            Attribute::Block(variable) => variable.get("value"),
            _ => None,
        }))
    };
    Inputs { given: values(&|name| !has_default(name)), all: values(&|_| true) }
}

/// A plan that changes nothing has no list of changes; one that was cut short neither.
fn without_changes(sections: &Sections<'_>) -> Result<Graph, InputError> {
    let has_resources = sections.planned_values.is_some_and(|text| text.contains("\"address\""));
    if has_resources || sections.format_version.is_none() {
        return Err(InputError::Malformed {
            at: "resource_changes".to_owned(),
            what: "missing, although the plan has resources".to_owned(),
        });
    }
    Ok(Graph::new(Format::TerraformPlan, Vec::new(), notes(sections, &[]))?)
}

fn read_changes<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<Change<'a>>, InputError> {
    let mut changes = Vec::new();
    let trees = Trees::of_text(scanner.rest_bytes());
    let mut reader = ChangeReader::new(trees);
    if scanner.peek()? == Kind::Null {
        scanner.skip()?;
        return Ok(changes);
    }
    scanner.array(|scanner| {
        changes.push(read_change(scanner, &mut reader)?);
        Ok(())
    })?;
    Ok(changes)
}

/// What the state before the plan holds: it may be a companion of what the plan changes.
fn read_prior_state(scanner: &mut Scanner<'_>) -> Result<Vec<Resource>, InputError> {
    let mut existing = Vec::new();
    if scanner.peek()? != Kind::Object {
        scanner.skip()?;
        return Ok(existing);
    }
    scanner.object(|name, scanner| {
        match &*name {
            "values" => existing = state::read_values(scanner, Role::Existing)?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(existing)
}

/// What about the plan as a whole keeps it from being checked.
fn notes(sections: &Sections<'_>, resources: &[Resource]) -> Vec<Note> {
    let changes = resources.iter().any(|resource| !matches!(resource.action, Action::Keep | Action::Read));
    let told = [
        (
            sections.is_errored,
            "the plan ended with an error: what is in it is not all that would be deployed",
        ),
        (sections.is_incomplete, "the plan is not complete: a further plan is needed to deploy all of it"),
        (sections.is_deferred, "the plan defers changes: they are not in it and were not checked"),
        (sections.is_not_applyable && changes, "the plan has changes and says that it can't be applied"),
    ];
    let note = |text: &str| Note { blocks: true, text: text.to_owned(), place: None };
    told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| note(text)).collect()
}

/// Versions 0.1 and 0.2 were written by Terraform 0.12 to 1.0; 1 is promised to stay readable.
fn check_version(version: Option<&str>) -> Result<(), InputError> {
    let known = match version.and_then(|version| version.split_once('.')) {
        Some(("0", minor)) => matches!(minor, "1" | "2"),
        Some(("1", minor)) => minor.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if known {
        return Ok(());
    }
    let what = match version {
        Some(version) => format!("version {version} of Terraform's JSON format is not known to this Ward"),
        None => "no format_version: this is no plan of terraform show -json".to_owned(),
    };
    Err(InputError::UnknownFormat { what })
}

fn sections<'a>(scanner: &mut Scanner<'a>) -> Result<Sections<'a>, InputError> {
    let mut found = Sections::default();
    let mut names: HashSet<Cow<'a, str>> = HashSet::new();
    scanner.object(|name, scanner| {
        // One section twice: readers disagree about which counts.
        if !names.insert(name.clone()) {
            return Err(InputError::GivenTwice { line: scanner.line(), name: name.into() });
        }
        let kind = scanner.peek()?;
        match &*name {
            "format_version" if kind == Kind::Text => found.format_version = Some(scanner.text()?),
            "errored" if kind == Kind::Bool => found.is_errored = scanner.bool()?,
            "complete" if kind == Kind::Bool => found.is_incomplete = !scanner.bool()?,
            "applyable" if kind == Kind::Bool => found.is_not_applyable = !scanner.bool()?,
            "deferred_changes" => found.is_deferred = has_items(scanner)?,
            "resource_changes" if kind == Kind::Array => found.changes = Some(read_changes(scanner)?),
            "resource_drift" => found.drift = read_changes(scanner)?,
            "configuration" if kind == Kind::Object => {
                found.configuration = Some(read_configuration(scanner)?);
            }
            "variables" if kind == Kind::Object => found.variables = read_block(scanner)?,
            "prior_state" => found.existing = read_prior_state(scanner)?,
            "values" => found.values = Some(state::read_values(scanner, Role::Managed)?),
            "planned_values" => found.planned_values = Some(scanner.skip()?),
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(found)
}

fn has_items(scanner: &mut Scanner<'_>) -> Result<bool, InputError> {
    let mut count = 0_usize;
    match scanner.peek()? {
        Kind::Array => scanner.array(|scanner| {
            count += 1;
            scanner.skip().map(drop)
        })?,
        Kind::Null => drop(scanner.skip()?),
        // Whatever else stands there is not nothing.
        _ => {
            scanner.skip()?;
            count = 1;
        }
    }
    Ok(count > 0)
}
