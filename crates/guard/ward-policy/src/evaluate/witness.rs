//! What a resource says where it meets a condition that it must not meet: a report shows it.

use super::conditions::View;
use crate::graph::{AttributePath, HIDDEN, State, reach};
use crate::limits::MAX_WITNESSES;
use crate::rules::{Condition, WrittenPorts};

/// The values that a condition looks at, as they are written: `cidr_blocks = ["0.0.0.0/0"]`.
pub(super) fn witness(condition: &Condition, view: View<'_>) -> String {
    let mut seen = Vec::new();
    collect(condition, view, &mut seen);
    seen.dedup();
    if seen.len() > MAX_WITNESSES {
        seen.truncate(MAX_WITNESSES);
        seen.push("…".to_owned());
    }
    seen.join(", ")
}

fn collect(condition: &Condition, view: View<'_>, seen: &mut Vec<String>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::NoOne(parts) => {
            parts.iter().for_each(|part| collect(part, view, seen));
        }
        Condition::Test { path, .. } => show(path, view, seen),
        Condition::Blocks { path, .. } => show(path, view, seen),
        Condition::Ports(ports) => match &ports.written {
            WrittenPorts::FromTo { from, to } => {
                [from, to].into_iter().for_each(|path| show(path, view, seen))
            }
            WrittenPorts::Ranges { path, .. } => show(path, view, seen),
        },
        Condition::Addresses(addresses) => {
            [&addresses.from, &addresses.to].into_iter().for_each(|path| show(path, view, seen));
        }
        Condition::Document { .. }
        | Condition::Policy { .. }
        | Condition::Companion(_)
        | Condition::Target(_)
        | Condition::Present(_)
        | Condition::Secret(_)
        | Condition::Decided(_)
        | Condition::Change(_) => {}
    }
}

/// What is set at a path. What is not set says nothing.
fn show(path: &AttributePath, view: View<'_>, seen: &mut Vec<String>) {
    let reached = reach(view.block, path).unwrap_or_default();
    let set = reached.iter().filter(|one| !matches!(one.state, State::Null | State::Unset));
    seen.extend(set.map(|one| {
        let shown = if view.is_sensitive { HIDDEN.to_owned() } else { one.shown() };
        format!("{} = {shown}", one.at)
    }));
}
