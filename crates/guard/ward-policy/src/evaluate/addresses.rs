//! How many addresses a range holds.

use super::conditions::View;
use super::truth::{Outcome, Truth};
use crate::graph::{Attribute, AttributePath, State};
use crate::rules::Addresses;
use core::net::IpAddr;

/// What stands at one end of a range.
enum End {
    At(IpAddr),
    NotKnown,
    NoAddress,
}

/// Whether a range holds no more addresses than it may.
pub(super) fn hold_at_most(view: View<'_>, addresses: &Addresses) -> Outcome {
    let truth = match (end(view, &addresses.from), end(view, &addresses.to)) {
        (End::NoAddress, _) | (_, End::NoAddress) => Truth::Broken,
        (End::NotKnown, _) | (_, End::NotKnown) => Truth::Maybe,
        (End::At(first), End::At(last)) => {
            count(first, last).map_or(Truth::Broken, |count| (count <= u128::from(addresses.at_most)).into())
        }
    };
    view.outcome(truth, || {
        let words = match truth {
            Truth::Broken => "no range of addresses",
            Truth::Maybe => "how many addresses it holds is not known",
            Truth::Yes | Truth::No => "a range of more addresses than it may hold",
        };
        view.told(&addresses.to, words, "")
    })
}

fn end(view: View<'_>, path: &AttributePath) -> End {
    let reached = view.reach(path).unwrap_or_default();
    match &*reached {
        [one] => match one.state {
            State::Known(Attribute::Text(text)) => text.trim().parse().map_or(End::NoAddress, End::At),
            State::Unknown(_) => End::NotKnown,
            _ => End::NoAddress,
        },
        _ => End::NoAddress,
    }
}

/// How many addresses there are from one to another. `None` if they do not make a range.
fn count(first: IpAddr, last: IpAddr) -> Option<u128> {
    let between = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => u128::from(last.to_bits().checked_sub(first.to_bits())?),
        (IpAddr::V6(first), IpAddr::V6(last)) => last.to_bits().checked_sub(first.to_bits())?,
        _ => return None,
    };
    Some(between.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_addresses_a_range_holds() {
        let of = |first: &str, last: &str| count(first.parse().unwrap(), last.parse().unwrap());
        assert_eq!(of("10.0.0.0", "10.255.255.255"), Some(1 << 24));
        assert_eq!(of("0.0.0.1", "255.255.255.254"), Some((1 << 32) - 2));
        assert_eq!(of("203.0.113.9", "203.0.113.9"), Some(1));
        assert_eq!(of("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), Some(u128::MAX));
        assert_eq!(of("203.0.113.9", "203.0.113.1"), None);
        assert_eq!(of("203.0.113.9", "::1"), None);
    }
}
