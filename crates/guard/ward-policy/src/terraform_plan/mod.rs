//! Terraform's plans and states in JSON.
//!
//! The truth of a plan is `resource_changes`, joined with `configuration` (which says what an
//! unknown value depends on) and `prior_state` (what is there already). `planned_values` leaves out
//! what is unknown, so it is not read.

mod changes;
mod configuration;
mod marks;
mod scope;
mod state;

use crate::graph::{Action, Format, Graph, Note, Resource, Role};
use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use changes::read_change;
use configuration::{Module, read_configuration};
use std::borrow::Cow;
use std::collections::HashSet;

/// The sections of a plan or state, found and not read yet.
#[derive(Default)]
struct Sections<'a> {
    format_version: Option<Cow<'a, str>>,
    is_errored: bool,
    is_incomplete: bool,
    is_not_applyable: bool,
    is_deferred: bool,
    changes: Option<Scanner<'a>>,
    drift: Option<Scanner<'a>>,
    configuration: Option<Scanner<'a>>,
    prior_state: Option<Scanner<'a>>,
    planned_values: Option<&'a str>,
    /// `values` at the top: it is a state.
    values: Option<Scanner<'a>>,
}

/// Whether a JSON text looks like a plan or a state of Terraform.
pub(crate) fn is_terraform(text: &str) -> bool {
    let mut is_it = false;
    let mut scanner = Scanner::new(text);
    // What comes after a fault doesn't matter here: reading it will tell.
    let _ = scanner.object(|name, scanner| {
        is_it |= matches!(&*name, "format_version" | "resource_changes" | "terraform_version");
        // The first such name is enough: Terraform writes one at the very beginning.
        if is_it { Err(InputError::TooLarge) } else { scanner.skip().map(drop) }
    });
    is_it
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
    if let Some(mut values) = sections.values.clone() {
        let resources = state::read_values(&mut values, Role::Managed)?;
        return Ok(Graph::new(Format::TerraformState, resources, Vec::new())?);
    }
    read_plan(&sections)
}

fn read_plan(sections: &Sections<'_>) -> Result<Graph, InputError> {
    let Some(mut changes) = sections.changes.clone() else {
        return without_changes(sections);
    };
    let configuration =
        sections.configuration.clone().map(|mut scanner| read_configuration(&mut scanner)).transpose()?;
    let mut resources = Vec::new();
    read_changes(&mut changes, configuration.as_ref(), false, &mut resources)?;
    let mut notes = notes(sections, &resources);
    if let Some(mut drift) = sections.drift.clone() {
        let before = resources.len();
        read_changes(&mut drift, configuration.as_ref(), true, &mut resources)?;
        note_removed(&mut resources, before, &mut notes);
    }
    if let Some(mut prior) = sections.prior_state.clone() {
        add_existing(&mut prior, &mut resources)?;
    }
    Ok(Graph::new(Format::TerraformPlan, resources, notes)?)
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

fn read_changes<'a>(
    scanner: &mut Scanner<'a>,
    configuration: Option<&Module<'a>>,
    is_drift: bool,
    resources: &mut Vec<Resource>,
) -> Result<(), InputError> {
    if scanner.peek()? == Kind::Null {
        return Ok(());
    }
    scanner.array(|scanner| {
        resources.extend(read_change(scanner, configuration, is_drift)?);
        Ok(())
    })
}

/// What somebody removed beside the code is nothing to judge, and worth knowing.
fn note_removed(resources: &mut Vec<Resource>, from: usize, notes: &mut Vec<Note>) {
    let drifted = resources.split_off(from);
    for resource in drifted {
        if resource.action.leaves_it() && resource.role == Role::Drifted {
            resources.push(resource);
        } else if resource.role == Role::Drifted {
            let text = format!("{} was removed outside of the code", resource.address);
            notes.push(Note { blocks: false, text, place: None });
        }
    }
}

/// Adds what the state holds and the plan does not touch: it may be a companion.
fn add_existing(prior: &mut Scanner<'_>, resources: &mut Vec<Resource>) -> Result<(), InputError> {
    let mut existing = Vec::new();
    if prior.peek()? != Kind::Object {
        return Ok(());
    }
    prior.object(|name, scanner| {
        match &*name {
            "values" => existing = state::read_values(scanner, Role::Existing)?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    let known: HashSet<Box<str>> = resources.iter().map(|resource| resource.address.clone()).collect();
    resources.extend(existing.into_iter().filter(|resource| !known.contains(&resource.address)));
    Ok(())
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
        let at = scanner.clone();
        match &*name {
            "format_version" if kind == Kind::Text => {
                found.format_version = Some(scanner.text()?);
                return Ok(());
            }
            "errored" => found.is_errored = kind == Kind::Bool && at.clone().bool()?,
            "complete" => found.is_incomplete = kind == Kind::Bool && !at.clone().bool()?,
            "applyable" => found.is_not_applyable = kind == Kind::Bool && !at.clone().bool()?,
            "deferred_changes" => found.is_deferred = has_items(&at)?,
            "resource_changes" if kind == Kind::Array => found.changes = Some(at),
            "resource_drift" => found.drift = Some(at),
            "configuration" => found.configuration = Some(at),
            "prior_state" => found.prior_state = Some(at),
            "values" => found.values = Some(at),
            "planned_values" => {
                found.planned_values = Some(scanner.skip()?);
                return Ok(());
            }
            _ => {}
        }
        scanner.skip().map(drop)
    })?;
    Ok(found)
}

fn has_items(at: &Scanner<'_>) -> Result<bool, InputError> {
    let mut scanner = at.clone();
    let mut count = 0_usize;
    match scanner.peek()? {
        Kind::Array => scanner.array(|scanner| {
            count += 1;
            scanner.skip().map(drop)
        })?,
        Kind::Null => {}
        // Whatever else stands there is not nothing.
        _ => count = 1,
    }
    Ok(count > 0)
}
