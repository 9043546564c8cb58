//! Whether a place is free of secrets that were written down.

use super::conditions::{View, parse};
use super::secret_marks::{holds_assignment, holds_key, is_random, is_written_out, names_secret};
use super::truth::{Outcome, Truth};
use crate::base64_text::from_base64;
use crate::graph::{
    Attribute, AttributePath, Block, Format, Graph, Reached, Referent, Resolved, Role, State, Texts, Unknown,
    reach_untold,
};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_SECRET_DEPTH};
use crate::rules::{Secret, SecretQuestion};
use crate::terraform_source::VALUE_OR_OTHER;

const FOUND: &str = "a secret is written down here; it is not shown";

/// Whether a place is free of secrets. What is found is never shown.
pub(super) fn is_free(graph: &Graph, view: View<'_>, secret: &Secret) -> Outcome {
    let Some(reached) = view.reach(&secret.path) else {
        return view.outcome(Truth::Broken, || view.told(&secret.path, "too many values", ""));
    };
    // A state holds every value, wherever it comes from, and so does a secret of a running cluster.
    let is_code = match graph.format() {
        Format::TerraformState => false,
        Format::ClusterObject => &*view.resource.kind != "Secret",
        _ => true,
    };
    let has_code = is_code && view.resource.role != Role::Drifted;
    Outcome::every(reached.iter().map(|one| {
        let truth = match secret.asks {
            SecretQuestion::NotLiteral if !has_code => Truth::Yes,
            SecretQuestion::NotLiteral => not_literal(graph, view, secret, one),
            SecretQuestion::NoneInText => in_value(one, &is_clean_text),
            SecretQuestion::NoneInNames => in_value(one, &is_clean_value),
        };
        view.outcome(truth, || {
            let words =
                if truth == Truth::No { FOUND } else { "whether a secret is written down here is not known" };
            let mut seen = view.observe(one, "");
            seen.value = words.to_owned();
            seen
        })
    }))
}

fn not_literal(graph: &Graph, view: View<'_>, secret: &Secret, reached: &Reached<'_>) -> Truth {
    match reached.state {
        State::Null | State::Unset => Truth::Yes,
        State::Unknown(unknown) => is_not_written(unknown, 0),
        State::OtherShape(_) => Truth::Broken,
        State::Known(Attribute::List(items)) if items.is_empty() => Truth::Yes,
        State::Known(Attribute::Text(text)) if !is_written_out(text) => Truth::Yes,
        State::Known(value) => {
            let references =
                view.resource.references_of(secret.path.as_str()).flat_map(|references| references.iter());
            let leads: Vec<&Referent> =
                references.map(|reference| &reference.to).filter(|to| **to != Referent::OwnKey).collect();
            if leads.is_empty() {
                not_written_below(value, 0)
            } else {
                comes_from(&Sources::of(graph, &leads), value, reached.is_sensitive, 0)
            }
        }
    }
}

/// Where a value may come from, by what its expression refers to.
struct Sources<'g> {
    /// Whether it can be told of each.
    are_told: bool,
    /// What other resources hold.
    held: Texts,
    /// What came in from outside, if an input is among them.
    given: Option<&'g Texts>,
}

impl<'g> Sources<'g> {
    fn of(graph: &'g Graph, leads: &[&Referent]) -> Self {
        let mut held = Vec::new();
        for to in leads {
            let Referent::Block(block) = to else { continue };
            let Resolved::One(id) = graph.resolve(block) else { continue };
            let Some(target) = graph.get(id) else { continue };
            let there =
                reach_untold(&target.attributes, &AttributePath::of(&block.attribute)).unwrap_or_default();
            held.extend(there.iter().filter_map(|one| match one.state {
                State::Known(known) => Some(known),
                _ => None,
            }));
        }
        let has_input = leads.iter().any(|to| **to == Referent::Input);
        Self {
            // A default, a local or another expression may be where it is written.
            are_told: leads.iter().all(|to| matches!(to, Referent::Input | Referent::Block(_))),
            held: Texts::of(held),
            given: has_input.then(|| &graph.inputs().given),
        }
    }

    /// What comes in from outside, and is kept secret, stands in no file.
    fn hold(&self, text: &str, is_sensitive: bool) -> bool {
        let is_given = || is_sensitive && self.given.is_some_and(|given| given.hold(text));
        self.are_told && (self.held.hold(text) || is_given())
    }
}

/// Whether a value that is known is not written in the code. A text that was put together may hold a secret
/// beside what it refers to: only one that is the same all through is known to come from there.
fn comes_from(sources: &Sources<'_>, value: &Attribute, is_sensitive: bool, depth: usize) -> Truth {
    let below = |item: &Attribute| comes_from(sources, item, is_sensitive, depth + 1);
    match value {
        _ if depth > MAX_SECRET_DEPTH => Truth::Broken,
        Attribute::Null => Truth::Yes,
        Attribute::Text(text) if !is_written_out(text) || sources.hold(text, is_sensitive) => Truth::Yes,
        Attribute::List(items) => every(items.iter().map(below)),
        Attribute::Block(block) => every(block.entries().map(|(_, item)| below(item))),
        Attribute::Sensitive(secret) => comes_from(sources, secret.value(), true, depth + 1),
        // It says itself what it refers to, if the format tells.
        Attribute::Unknown(unknown) => is_not_written(unknown, depth + 1),
        Attribute::Text(_) | Attribute::Bool(_) | Attribute::Number(_) => Truth::Maybe,
    }
}

/// Whether no value below is written out: what a map of secrets holds.
fn not_written_below(value: &Attribute, depth: usize) -> Truth {
    match value {
        _ if depth > MAX_SECRET_DEPTH => Truth::Broken,
        Attribute::Null => Truth::Yes,
        Attribute::Text(text) => Truth::from(!is_written_out(text)),
        Attribute::List(items) => every(items.iter().map(|item| not_written_below(item, depth + 1))),
        Attribute::Block(block) => every(block.entries().map(|(_, item)| not_written_below(item, depth + 1))),
        Attribute::Sensitive(secret) => not_written_below(secret.value(), depth + 1),
        Attribute::Unknown(unknown) => is_not_written(unknown, depth + 1),
        Attribute::Bool(_) | Attribute::Number(_) => Truth::No,
    }
}

/// What is not known is not written down, unless it is one of several values that are, or has a text
/// beside it.
fn is_not_written(unknown: &Unknown, depth: usize) -> Truth {
    if unknown.branches.is_empty() {
        return if has_text_beside(unknown) { Truth::Maybe } else { Truth::Yes };
    }
    every(unknown.branches.iter().map(|branch| not_written_below(branch, depth + 1)))
}

/// What makes a text of others, or takes one in the place of another, by the names under which a reference
/// tells that it was computed.
const TEXT_MAKERS: [&str; 12] = [
    VALUE_OR_OTHER,
    "template",
    "format",
    "formatlist",
    "join",
    "replace",
    "coalesce",
    "coalescelist",
    "try",
    "lookup",
    "concat",
    "merge",
];

/// Whether a text may stand in the code beside what is not known.
fn has_text_beside(unknown: &Unknown) -> bool {
    let written = unknown.written.as_deref().unwrap_or_default();
    match ["!Sub ", "!Join "].into_iter().find_map(|by| written.strip_prefix(by)) {
        Some(text) => is_written_out(text) && without_marks(text).contains(char::is_alphanumeric),
        None => unknown.references.iter().any(|reference| {
            reference.to == Referent::Computed && TEXT_MAKERS.contains(&&*reference.written)
        }),
    }
}

/// A text without what is put into it: `a-${B}` is `a-`.
fn without_marks(text: &str) -> String {
    let mut parts = text.split("${");
    let mut left = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| left.push_str(part.split_once('}').map_or(part, |(_, after)| after)));
    left
}

fn in_value(reached: &Reached<'_>, is_clean: &dyn Fn(&Attribute, usize) -> Truth) -> Truth {
    match reached.state {
        State::Null | State::Unset => Truth::Yes,
        State::Unknown(unknown) if unknown.branches.is_empty() => Truth::Maybe,
        State::Unknown(unknown) => every(unknown.branches.iter().map(|branch| is_clean(branch, 0))),
        State::Known(value) | State::OtherShape(value) => is_clean(value, 0),
    }
}

/// No key and no assignment of a password in any text below.
fn is_clean_text(value: &Attribute, depth: usize) -> Truth {
    match value {
        _ if depth > MAX_SECRET_DEPTH => Truth::Broken,
        Attribute::Text(text) => {
            let decoded = decoded(text);
            let texts = [Some(&**text), decoded.as_deref()];
            Truth::from(!texts.into_iter().flatten().any(|text| holds_key(text) || holds_assignment(text)))
        }
        Attribute::List(items) => every(items.iter().map(|item| is_clean_text(item, depth + 1))),
        Attribute::Block(block) => every(block.entries().map(|(_, item)| is_clean_text(item, depth + 1))),
        Attribute::Sensitive(secret) => is_clean_text(secret.value(), depth + 1),
        Attribute::Unknown(_) => Truth::Maybe,
        Attribute::Null | Attribute::Bool(_) | Attribute::Number(_) => Truth::Yes,
    }
}

/// No name of a secret with a value beside it, and no key, anywhere below. A text may be JSON.
fn is_clean_value(value: &Attribute, depth: usize) -> Truth {
    match value {
        _ if depth > MAX_SECRET_DEPTH => Truth::Broken,
        Attribute::Text(text) => {
            match text.trim_start().starts_with(['{', '[']).then(|| parse(text)).flatten() {
                Some(document) => is_clean_value(&document, depth + 1),
                None => Truth::from(!holds_key(text) && !is_random(text)),
            }
        }
        Attribute::List(items) => every(items.iter().map(|item| is_clean_value(item, depth + 1))),
        Attribute::Block(block) => {
            every([is_clean_pair(block)].into_iter().chain(
                block.entries().map(|(name, value)| {
                    every([is_clean_entry(name, value), is_clean_value(value, depth + 1)])
                }),
            ))
        }
        Attribute::Sensitive(secret) => is_clean_value(secret.value(), depth + 1),
        // What comes from elsewhere is not written down here.
        Attribute::Unknown(unknown) => {
            every(unknown.branches.iter().map(|branch| is_clean_value(branch, depth + 1)))
        }
        Attribute::Null | Attribute::Bool(_) | Attribute::Number(_) => Truth::Yes,
    }
}

/// `{ name = "TOKEN", value = "..." }`, as containers write it.
fn is_clean_pair(block: &Block) -> Truth {
    let first = |names: [&str; 3]| names.into_iter().find_map(|name| block.get(name));
    match (first(["name", "Name", "key"]), first(["value", "Value", "default"])) {
        (Some(Attribute::Text(name)), Some(value)) => is_clean_entry(name, value),
        _ => Truth::Yes,
    }
}

fn is_clean_entry(name: &str, value: &Attribute) -> Truth {
    match value {
        Attribute::Text(text) => Truth::from(!(names_secret(name) && is_written_out(text))),
        Attribute::Sensitive(secret) => is_clean_entry(name, secret.value()),
        Attribute::Unknown(unknown) if unknown.branches.is_empty() => {
            if names_secret(name) && has_text_beside(unknown) { Truth::Maybe } else { Truth::Yes }
        }
        Attribute::Unknown(unknown) => {
            every(unknown.branches.iter().map(|branch| is_clean_entry(name, branch)))
        }
        _ => Truth::Yes,
    }
}

fn every(truths: impl IntoIterator<Item = Truth>) -> Truth {
    let mut worst = Truth::Yes;
    for truth in truths {
        worst = match (worst, truth) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Broken, _) | (_, Truth::Broken) => Truth::Broken,
            (Truth::Maybe, _) | (_, Truth::Maybe) => Truth::Maybe,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
        };
    }
    worst
}

/// The text behind base64, if it is one.
fn decoded(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('=');
    (8..=MAX_DOCUMENT_BYTES).contains(&text.len()).then(|| from_base64(text)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Reason, References};
    use crate::json::read_json;

    #[test]
    fn base64_is_read() {
        assert_eq!(decoded("ZXhwb3J0IFBBU1NXT1JEPWh1bnRlcjI=").as_deref(), Some("export PASSWORD=hunter2"));
        assert_eq!(decoded("#!/bin/sh -x"), None);
        assert_eq!(is_clean_text(&"ZXhwb3J0IFBBU1NXT1JEPWh1bnRlcjI=".into(), 0), Truth::No);
    }

    #[test]
    fn names_with_values_in_json_and_pairs() {
        for (text, truth) in [
            (r#"{"PASSWORD": "hunter2"}"#, Truth::No),
            (r#"{"PASSWORD": "${from_store}"}"#, Truth::Yes),
            (r#"{"MODE": "fast"}"#, Truth::Yes),
            (r#"[{"name": "TOKEN", "value": "hunter2"}]"#, Truth::No),
            (r#"[{"name": "TOKEN", "valueFrom": "arn:aws:x"}]"#, Truth::Yes),
            (r#""[{\"environment\": [{\"name\": \"TOKEN\", \"value\": \"hunter2\"}]}]""#, Truth::No),
        ] {
            assert_eq!(is_clean_value(&read_json(text).unwrap(), 0), truth, "{text}");
        }
    }

    #[test]
    fn a_choice_of_words_is_judged_by_the_name_that_it_has() {
        let choice = |name: &str| {
            let branches = ["fast", "slow"].map(Attribute::from).into();
            let unknown = Unknown { branches, ..Unknown::new(Reason::AfterApply, References::default()) };
            Attribute::Block(Block::new(vec![(name.into(), Attribute::Unknown(unknown.into()))]).unwrap())
        };
        assert_eq!(is_clean_value(&choice("MODE"), 0), Truth::Yes);
        assert_eq!(is_clean_value(&choice("TOKEN"), 0), Truth::No);
    }
}
