//! Whether all that a rule reads of an object is what it was before.

use super::decided::TAG_PLACES;
use crate::graph::{Attribute, AttributePath, Block, Graph, Reached, Resource, State, reach, reach_untold};
use crate::rules::{Cell, Change, Condition, Decided, RuleSet, WrittenPorts};
use crate::settings::Settings;

/// Whether nothing that some cells read has changed from one graph to another, in any of its resources. Where
/// that holds, they find what they found; what they say of it may be the same without it.
pub(crate) fn read_the_same<'r>(
    cells: impl IntoIterator<Item = &'r Cell>,
    now: &Graph,
    before: &Graph,
    rules: &RuleSet,
) -> bool {
    if now.len() != before.len() {
        return false;
    }
    let pairs: Option<Vec<Pair<'_>>> = now
        .resources()
        .map(|(_, now)| {
            let (_, then) = before.at(&now.address)?;
            (frame(now) == frame(then)).then_some(Pair { now, then })
        })
        .collect();
    let Some(pairs) = pairs else { return false };
    cells.into_iter().all(|cell| {
        let mut conditions = cell.applies.iter().chain([&cell.check]);
        conditions.all(|condition| pairs.iter().all(|pair| pair.is_same(condition, true, rules.settings())))
    })
}

/// A resource without its values: what conditions see of it beside them.
fn frame(resource: &Resource) -> Resource {
    Resource { attributes: Block::default(), before: None, ..resource.clone() }
}

/// A resource as it is and as it was.
#[derive(Clone, Copy)]
struct Pair<'g> {
    now: &'g Resource,
    then: &'g Resource,
}

impl Pair<'_> {
    /// Whether what a condition reads is the same. Of a condition over the blocks of a path or over a document,
    /// all of them were compared; what it asks of the resource itself was not.
    fn is_same(self, condition: &Condition, is_of_resource: bool, settings: &Settings) -> bool {
        let below = |of: &Condition| self.is_same(of, false, settings);
        // Which resource is the other one of a link, nobody has to know: all are compared.
        let other = |of: &Option<Box<Condition>>| of.iter().all(|of| self.is_same(of, true, settings));
        let at = |path: &AttributePath| !is_of_resource || self.is_same_at(path);
        match condition {
            Condition::All(parts) | Condition::Any(parts) | Condition::NoOne(parts) => {
                parts.iter().all(|part| self.is_same(part, is_of_resource, settings))
            }
            Condition::Test { path, .. } | Condition::Policy { path, .. } => at(path),
            Condition::Blocks { path, of, .. } | Condition::Document { path, of } => at(path) && below(of),
            Condition::Companion(companion) => {
                let paths = companion.own.iter().chain([&companion.by]);
                paths.into_iter().all(|path| self.is_same_at(path)) && other(&companion.of)
            }
            Condition::Target(target) => {
                let paths = target.own.iter().chain([&target.path]);
                paths.into_iter().all(|path| self.is_same_at(path)) && other(&target.of)
            }
            Condition::Present(present) => other(&present.of),
            Condition::Ports(ports) => match &ports.written {
                WrittenPorts::FromTo { from, to } => at(from) && at(to),
                WrittenPorts::Ranges { path, .. } => at(path),
            },
            Condition::Addresses(addresses) => at(&addresses.from) && at(&addresses.to),
            Condition::Secret(secret) => at(&secret.path),
            Condition::Decided(Decided::Region(path)) => at(path),
            Condition::Decided(Decided::Tags(path)) => {
                !is_of_resource || self.has_same_tags(path, &|name| is_wanted(settings, name))
            }
            Condition::Decided(Decided::Class(_)) => {
                TAG_PLACES.iter().all(|place| self.has_same_tags(place, &|name| settings.is_class_tag(name)))
            }
            Condition::Decided(Decided::Setting(_) | Decided::Service) => true,
            Condition::Change(Change::Action(_)) => true,
            Condition::Change(Change::Kept { path, .. }) => self.is_same_at(path),
        }
    }

    /// Whether the tags at a path that somebody decided about are the same: controllers write many others.
    fn has_same_tags(self, path: &AttributePath, is_read: &dyn Fn(&str) -> bool) -> bool {
        // Where these are not written, others are read.
        if path.as_str() == "tags_all" {
            return self.is_same_at(path) && self.is_same_at(&AttributePath::of("tags"));
        }
        match (tags_at(self.now, path, is_read), tags_at(self.then, path, is_read)) {
            (Some(now), Some(then)) => now == then,
            _ => self.is_same_at(path),
        }
    }

    /// Whether a path leads to the same values. More than a check looks at are not compared.
    fn is_same_at(self, path: &AttributePath) -> bool {
        let now = reach(&self.now.attributes, path);
        now.is_some() && now == reach(&self.then.attributes, path)
    }
}

fn is_wanted(settings: &Settings, name: &str) -> bool {
    settings.tags().iter().any(|wanted| **wanted == *name)
}

/// Those of the tags at a path that are read. `None` if what stands there is no block.
fn tags_at<'g>(
    of: &'g Resource,
    path: &AttributePath,
    is_read: &dyn Fn(&str) -> bool,
) -> Option<Vec<(&'g str, &'g Attribute)>> {
    match &*reach_untold(&of.attributes, path)? {
        [Reached { state: State::Null | State::Unset, .. }] => Some(Vec::new()),
        [Reached { state: State::Known(Attribute::Block(tags)), .. }] => {
            Some(tags.entries().filter(|(name, _)| is_read(name)).collect())
        }
        _ => None,
    }
}
