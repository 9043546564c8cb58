//! What a condition asks about: paths of the judged resource, and secrets.

use crate::graph::AttributePath;
use crate::rules::{Change, Condition, Decided, WrittenPorts};

/// The paths of the judged resource that a condition looks at. Blocks and documents are looked at as a whole.
pub(super) fn asked_paths(condition: &Condition) -> Vec<String> {
    let mut paths = Vec::new();
    collect(condition, &mut |path| paths.push(path.to_string()));
    paths
}

fn collect(condition: &Condition, tell: &mut dyn FnMut(&AttributePath)) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::NoOne(parts) => {
            parts.iter().for_each(|part| collect(part, tell));
        }
        Condition::Test { path, .. }
        | Condition::Blocks { path, .. }
        | Condition::Document { path, .. }
        | Condition::Policy { path, .. }
        | Condition::Decided(Decided::Region(path) | Decided::Tags(path))
        | Condition::Change(Change::Kept { path, .. }) => tell(path),
        Condition::Target(target) => tell(&target.path),
        Condition::Ports(ports) => match &ports.written {
            WrittenPorts::FromTo { from, to } => [from, to].into_iter().for_each(tell),
            WrittenPorts::Ranges { path, .. } => tell(path),
        },
        Condition::Addresses(addresses) => [&addresses.from, &addresses.to].into_iter().for_each(tell),
        Condition::Companion(_)
        | Condition::Present(_)
        | Condition::Secret(_)
        | Condition::Decided(Decided::Setting(_) | Decided::Class(_) | Decided::Service)
        | Condition::Change(Change::Action(_)) => {}
    }
}

/// Whether a condition looks for secrets somewhere.
pub(crate) fn asks_about_secrets(condition: &Condition) -> bool {
    let inner = |of: &Option<Box<Condition>>| of.as_deref().is_some_and(asks_about_secrets);
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::NoOne(parts) => {
            parts.iter().any(asks_about_secrets)
        }
        Condition::Blocks { of, .. } | Condition::Document { of, .. } => asks_about_secrets(of),
        Condition::Companion(companion) => inner(&companion.of),
        Condition::Target(target) => inner(&target.of),
        Condition::Present(present) => inner(&present.of),
        Condition::Secret(_) => true,
        Condition::Test { .. }
        | Condition::Policy { .. }
        | Condition::Ports(_)
        | Condition::Addresses(_)
        | Condition::Decided(_)
        | Condition::Change(_) => false,
    }
}
