//! Which resources point at which: companions of a resource, and the resource it points at itself.
//!
//! In this order: what the configuration refers to, if that is exactly one resource; then equal
//! values that are known; then nobody knows, and the link is a maybe.

use crate::graph::{
    Attribute, AttributePath, Graph, Reached, Reference, Referent, Resolved, Resource, ResourceId, Role,
    State, Unknown, account_of_blobs, reach_untold,
};
use std::collections::HashMap;
use std::rc::Rc;

/// How sure a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// It points there.
    Yes,
    /// It may point there.
    Maybe,
    /// It points there, if it will be there at all.
    IfThere,
}

/// What one attribute of a resource points at.
#[derive(Debug, Clone, PartialEq)]
enum Pointer {
    /// Exactly this resource.
    At(ResourceId),
    /// A known value: whoever has it is meant.
    Value(Box<str>),
    /// One of these, if any is given, or something that is not known.
    Open(Vec<ResourceId>),
    /// Not set.
    Nothing,
}

/// Resources of one type, by what one of their attributes points at.
#[derive(Debug, Default)]
pub(super) struct LinkIndex {
    at: HashMap<ResourceId, Vec<ResourceId>>,
    value: HashMap<Box<str>, Vec<ResourceId>>,
    open: Vec<(ResourceId, Vec<ResourceId>)>,
}

impl LinkIndex {
    /// The index of a type and an attribute.
    pub(super) fn new(graph: &Graph, kind: &str, by: &AttributePath) -> Self {
        let mut index = Self::default();
        for (id, resource) in graph.of_kind(kind) {
            for pointer in pointers(graph, resource, by) {
                match pointer {
                    Pointer::At(target) => index.at.entry(target).or_default().push(id),
                    Pointer::Value(value) => index.value.entry(value).or_default().push(id),
                    Pointer::Open(among) => index.open.push((id, among)),
                    Pointer::Nothing => {}
                }
            }
        }
        index
    }

    /// Whether none of them points anywhere.
    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty() && self.value.is_empty() && self.open.is_empty()
    }

    /// The resources that point at this one, or may.
    pub(super) fn of(
        &self,
        graph: &Graph,
        id: ResourceId,
        own: &[AttributePath],
        names_here: &NameIndex,
    ) -> Vec<(ResourceId, Link)> {
        let mut found: Vec<(ResourceId, Link)> = Vec::new();
        found.extend(self.at.get(&id).into_iter().flatten().map(|one| (*one, Link::Yes)));
        let Some(resource) = graph.get(id) else { return found };
        let names = OwnNames::of(resource, own);
        for value in names.known {
            let link = if names_here.owners(value).len() > 1 { Link::Maybe } else { Link::Yes };
            found.extend(self.value.get(value).into_iter().flatten().map(|one| (*one, link)));
        }
        // A name that is not known may be any of the known ones that nobody else has.
        if names.is_open {
            let values = self.value.values().flatten().map(|one| (*one, Link::Maybe));
            found.extend(values);
        }
        for (one, among) in &self.open {
            if among.is_empty() || among.contains(&id) {
                found.push((*one, Link::Maybe));
            }
        }
        // The same resource may be found twice: what is sure counts.
        found.sort_by_key(|(one, link)| (*one, *link == Link::Maybe));
        found.dedup_by_key(|(one, _)| *one);
        // What is made under a condition of its own, or nobody knows how often, may be missing.
        let is_there = |one: ResourceId| graph.get(one).is_some_and(|one| one.is_there_with(resource));
        for (one, link) in &mut found {
            if *link == Link::Yes && !is_there(*one) {
                *link = Link::IfThere;
            }
        }
        found
    }
}

/// Names by which the resources of a type may be pointed at, with those that have them. Who is meant by a
/// name that several have, such as one in each of two regions, is not known.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    owners: HashMap<Box<str>, Vec<ResourceId>>,
    /// The first that may have any name.
    open: Option<ResourceId>,
}

impl NameIndex {
    /// The names of a type.
    pub(super) fn new(graph: &Graph, kind: &str, own: &[AttributePath]) -> Self {
        let mut index = Self::default();
        for (id, resource) in graph.of_kind(kind) {
            let names = OwnNames::of(resource, own);
            if names.is_open {
                index.open.get_or_insert(id);
            }
            for name in names.known {
                let owners = index.owners.entry(name.into()).or_default();
                if owners.last() != Some(&id) {
                    owners.push(id);
                }
            }
        }
        index
    }

    fn owners(&self, name: &str) -> &[ResourceId] {
        self.owners.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The names by which others may point at a resource.
struct OwnNames<'r> {
    known: Vec<&'r str>,
    /// No name is known, and one of them was written as an expression.
    is_open: bool,
}

impl<'r> OwnNames<'r> {
    fn of(resource: &'r Resource, own: &[AttributePath]) -> Self {
        let mut known: Vec<&str> = Vec::new();
        let mut is_open = false;
        for places in own.iter().filter_map(|path| reach_untold(&resource.attributes, path)) {
            for reached in places.iter() {
                match reached.state {
                    State::Known(Attribute::Text(text)) => known.push(text),
                    State::Unknown(unknown) if unknown.reason != crate::graph::Reason::AfterApply => {
                        is_open = true
                    }
                    _ => {}
                }
            }
        }
        is_open &= known.is_empty();
        Self { known, is_open }
    }
}

/// What a resource points at through an attribute.
pub(super) fn targets(
    graph: &Graph,
    resource: &Resource,
    by: &AttributePath,
    kinds: &[Box<str>],
    names_of: impl Fn(&str) -> Rc<NameIndex>,
) -> Vec<(Option<ResourceId>, Link)> {
    let mut found = Vec::new();
    for pointer in pointers(graph, resource, by) {
        match pointer {
            Pointer::At(id) => found.push((Some(id), Link::Yes)),
            Pointer::Value(value) => {
                let mut named = Vec::new();
                let mut may_be = None;
                for kind in kinds {
                    let names = names_of(kind);
                    named.extend(names.owners(&value).iter().filter_map(|id| {
                        // A name alone does not make sure that what has it is there as well.
                        let is_there = graph.get(*id)?.is_there_with(resource);
                        Some((*id, if is_there { Link::Yes } else { Link::IfThere }))
                    }));
                    may_be = may_be.or(names.open);
                }
                match named.as_slice() {
                    [] if may_be.is_some() => found.push((may_be, Link::Maybe)),
                    [] => found.push((None, Link::Yes)),
                    [(only, link)] => found.push((Some(*only), *link)),
                    several => found.extend(several.iter().map(|(id, _)| (Some(*id), Link::Maybe))),
                }
            }
            Pointer::Open(among) if among.is_empty() => found.push((None, Link::Maybe)),
            Pointer::Open(among) => found.extend(among.into_iter().map(|id| (Some(id), Link::Maybe))),
            Pointer::Nothing => {}
        }
    }
    found
}

/// What an attribute points at: one pointer a value.
fn pointers(graph: &Graph, resource: &Resource, by: &AttributePath) -> Vec<Pointer> {
    let path = by.as_str();
    let references = resource.references_of(path).flat_map(|references| references.iter());
    let referred = referred(graph, references);
    let Some(reached) = reach_untold(&resource.attributes, by) else {
        return vec![Pointer::Open(Vec::new())];
    };
    let mut found = Vec::new();
    let among = match &referred {
        Referred::Exactly(id) => vec![*id],
        Referred::Among(ids) => ids.clone(),
        Referred::Unclear => Vec::new(),
    };
    for one in reached.iter() {
        match one.state {
            State::Known(Attribute::List(items)) => {
                found.extend(items.iter().map(|item| pointer(graph, item, &among)));
            }
            State::Known(value) => found.push(pointer(graph, value, &among)),
            State::Unknown(unknown) => found.push(pointer_of_unknown(graph, unknown, &among)),
            State::Null | State::Unset => found.push(Pointer::Nothing),
            State::OtherShape(_) => found.push(Pointer::Open(among.clone())),
        }
    }
    match referred {
        // Where several values stand, one reference does not speak for all of them.
        Referred::Exactly(id) if found.len() <= 1 => {
            let references = resource.references_of(path).flat_map(|references| references.iter());
            if is_name_itself(graph, id, references, found.first()) { vec![Pointer::At(id)] } else { found }
        }
        _ => found,
    }
}

/// Whether a value is a name that the resource says of itself, and not something that was made of one:
/// `"${aws_s3_bucket.main.bucket}-logs"` is the name of another bucket.
fn is_name_itself<'r>(
    graph: &Graph,
    id: ResourceId,
    references: impl Iterator<Item = &'r Reference>,
    found: Option<&Pointer>,
) -> bool {
    let Some(Pointer::Value(value)) = found else { return are_names(references) };
    let Some(target) = graph.get(id) else { return false };
    let is_value = |own: &Attribute| matches!(own, Attribute::Text(text) if text == value);
    attributes(references).any(|attribute| match attribute {
        // Which attribute of it is read, the plan does not tell.
        "" => target.attributes.entries().any(|(name, own)| is_name(name) && is_value(own)),
        attribute => {
            let reached = reach_untold(&target.attributes, &AttributePath::of(attribute)).unwrap_or_default();
            let is_own = |one: &Reached<'_>| matches!(one.state, State::Known(own) if is_value(own));
            is_name(attribute) && reached.iter().any(is_own)
        }
    })
}

fn attributes<'r>(references: impl Iterator<Item = &'r Reference>) -> impl Iterator<Item = &'r str> {
    references.filter_map(|reference| match &reference.to {
        Referent::Block(block) => Some(&*block.attribute),
        _ => None,
    })
}

/// Whether references are to names of resources only.
fn are_names<'r>(references: impl Iterator<Item = &'r Reference>) -> bool {
    attributes(references).all(is_name)
}

/// Attributes by which a resource is pointed at, and their ends.
const NAMES: [&str; 11] =
    ["", "id", "arn", "name", "bucket", "url", "fqdn", "self_link", "key", "email", "member"];
const NAME_ENDS: [&str; 8] = ["_id", "_arn", "_name", "_link", "_url", "identifier", "Identifier", "Arn"];

fn is_name(attribute: &str) -> bool {
    let last = attribute.rsplit('.').next().unwrap_or_default();
    let is_name = NAMES.contains(&last) || NAME_ENDS.iter().any(|end| last.ends_with(end));
    // In a template a resource is named by its reference, by its id or its own name.
    let is_property = last.starts_with(|letter: char| letter.is_ascii_uppercase())
        && ["Id", "Name", "Arn"].iter().any(|end| last.ends_with(end));
    is_name || is_property
}

fn pointer(graph: &Graph, value: &Attribute, among: &[ResourceId]) -> Pointer {
    match value {
        Attribute::Text(text) => Pointer::Value(account_of_blobs(text).into()),
        Attribute::Null => Pointer::Nothing,
        Attribute::Unknown(unknown) => pointer_of_unknown(graph, unknown, among),
        _ => Pointer::Open(among.to_vec()),
    }
}

/// A value that knows itself what it refers to says more than the expression around it.
fn pointer_of_unknown(graph: &Graph, unknown: &Unknown, among: &[ResourceId]) -> Pointer {
    if unknown.references.is_empty() {
        return Pointer::Open(among.to_vec());
    }
    match referred(graph, unknown.references.iter()) {
        Referred::Exactly(id) if are_names(unknown.references.iter()) => Pointer::At(id),
        Referred::Exactly(id) => Pointer::Open(vec![id]),
        Referred::Among(ids) => Pointer::Open(ids),
        Referred::Unclear => Pointer::Open(Vec::new()),
    }
}

/// What references lead to, all together.
enum Referred {
    Exactly(ResourceId),
    Among(Vec<ResourceId>),
    Unclear,
}

fn referred<'r>(graph: &Graph, references: impl Iterator<Item = &'r Reference>) -> Referred {
    let mut ids: Vec<ResourceId> = Vec::new();
    let mut is_clear = true;
    let mut is_exact = true;
    for reference in references {
        match &reference.to {
            Referent::OwnKey => {}
            Referent::Block(block) => match graph.resolve(block) {
                Resolved::One(id) => ids.push(id),
                Resolved::Several(several) => {
                    is_exact = false;
                    ids.extend(several);
                }
                // A data source stands for something that is there already.
                Resolved::Nothing => is_clear = false,
            },
            Referent::Input | Referent::Computed | Referent::Elsewhere | Referent::Undeclared => {
                is_clear = false
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let is_data = |id: &ResourceId| graph.get(*id).is_some_and(|resource| resource.role == Role::Data);
    match ids.as_slice() {
        [only] if is_clear && is_exact && !is_data(only) => Referred::Exactly(*only),
        [] => Referred::Unclear,
        _ if is_clear => Referred::Among(ids),
        _ => Referred::Unclear,
    }
}
