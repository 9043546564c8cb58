//! Which ports a rule of a network lets through.

use super::conditions::View;
use super::truth::{Outcome, Truth};
use crate::graph::{Attribute, AttributePath, State};
use crate::rules::{PortList, Ports, WrittenPorts};

/// What stands at the two ends of a range.
enum End {
    At(f64),
    NotWritten,
    NotKnown,
    NoNumber,
}

/// Whether a rule lets through one of the ports that are meant.
pub(super) fn let_through(view: View<'_>, ports: &Ports) -> Outcome {
    match &ports.written {
        WrittenPorts::FromTo { from, to } => {
            let truth = match (end(view, from), end(view, to)) {
                (End::NotKnown, _) | (_, End::NotKnown) => Truth::Maybe,
                (End::NoNumber, _) | (_, End::NoNumber) => Truth::Broken,
                (End::NotWritten, End::NotWritten) => Truth::Yes,
                (End::NotWritten, End::At(last)) => hits(ports.of, 0.0, last).into(),
                (End::At(first), End::NotWritten) => hits(ports.of, first, first).into(),
                (End::At(first), End::At(last)) => hits(ports.of, first, last).into(),
            };
            view.outcome(truth, || view.told(from, "none of the ports that are meant", ""))
        }
        WrittenPorts::Ranges { path, unset_is_all } => ranges(view, path, *unset_is_all, ports.of),
    }
}

fn ranges(view: View<'_>, path: &AttributePath, unset_is_all: bool, of: PortList) -> Outcome {
    let Some(reached) = view.reach(path) else {
        return view.outcome(Truth::Broken, || view.told(path, "too many ports", ""));
    };
    let outcomes = reached.iter().flat_map(|one| {
        let truths = match one.state {
            State::Null | State::Unset => vec![unset_is_all.into()],
            State::Known(Attribute::List(items)) if items.is_empty() => vec![unset_is_all.into()],
            State::Known(Attribute::List(items)) => items.iter().map(|item| range(item, of)).collect(),
            State::Known(value) => vec![range(value, of)],
            State::Unknown(_) => vec![Truth::Maybe],
            State::OtherShape(_) => vec![Truth::Broken],
        };
        truths.into_iter().map(|truth| view.outcome(truth, || view.observe(one, ""))).collect::<Vec<_>>()
    });
    Outcome::some(outcomes, || Outcome::untold(Truth::No))
}

/// `22`, `20-25`, `*`.
fn range(value: &Attribute, of: PortList) -> Truth {
    match value {
        Attribute::Number(port) => hits(of, *port, *port).into(),
        Attribute::Text(text) if text.trim() == "*" => Truth::Yes,
        Attribute::Text(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            match (first.trim().parse(), last.trim().parse()) {
                (Ok(first), Ok(last)) => hits(of, first, last).into(),
                _ => Truth::Broken,
            }
        }
        Attribute::Null => Truth::No,
        Attribute::Unknown(_) => Truth::Maybe,
        _ => Truth::Broken,
    }
}

fn end(view: View<'_>, path: &AttributePath) -> End {
    let reached = view.reach(path).unwrap_or_default();
    match reached.first().map(|one| one.state) {
        Some(State::Known(Attribute::Number(port))) => End::At(*port),
        Some(State::Known(Attribute::Text(text))) => text.trim().parse().map_or(End::NoNumber, End::At),
        Some(State::Null | State::Unset) | None => End::NotWritten,
        Some(State::Unknown(_)) => End::NotKnown,
        Some(State::Known(_) | State::OtherShape(_)) => End::NoNumber,
    }
}

fn hits(of: PortList, first: f64, last: f64) -> bool {
    of.ports().iter().any(|port| (first..=last).contains(&f64::from(*port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_ranges() {
        let of = PortList::AdminAndDatabases;
        for (text, truth) in [
            ("22", Truth::Yes),
            ("443", Truth::No),
            ("20-25", Truth::Yes),
            ("8000-8085", Truth::No),
            ("0-65535", Truth::Yes),
            ("*", Truth::Yes),
            ("ssh", Truth::Broken),
        ] {
            assert_eq!(range(&text.into(), of), truth, "{text}");
        }
        // ICMP writes its types where others write ports.
        assert!(!hits(of, -1.0, -1.0));
    }
}
