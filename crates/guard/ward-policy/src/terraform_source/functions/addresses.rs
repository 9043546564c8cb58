//! Functions over ranges of network addresses.

use super::super::operators::as_number;
use super::super::value::Value;
use super::Answer;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Calls one of them.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    if !matches!(name, "cidrsubnet" | "cidrhost" | "cidrnetmask" | "cidrsubnets") {
        return Answer::NoSuch;
    }
    if values.iter().any(|value| !value.is_wholly_known()) {
        return Answer::NotKnown;
    }
    let found = match (name, values) {
        ("cidrsubnet", [range, bits, number]) => subnet(range, bits, number),
        ("cidrhost", [range, number]) => host(range, number),
        ("cidrnetmask", [range]) => netmask(range),
        ("cidrsubnets", [range, bits @ ..]) => subnets(range, bits),
        _ => None,
    };
    // What this reader refuses, Terraform may accept.
    found.map_or(Answer::NoSuch, Answer::Made)
}

/// A range: its first address, how many bits name it, and how many bits an address has.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    prefix: u32,
    width: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (first, width) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= width)?;
        let range = Self { first, prefix, width };
        Some(Self { first: first & !range.host_mask(), ..range })
    }

    /// The bits that are free.
    const fn host_mask(&self) -> u128 {
        match 1_u128.checked_shl(self.width - self.prefix) {
            Some(size) => size - 1,
            None => u128::MAX,
        }
    }

    /// The part of this number, with so many bits more in its name.
    fn part(&self, bits: u32, number: u128) -> Option<Self> {
        let prefix = self.prefix.checked_add(bits).filter(|prefix| *prefix <= self.width)?;
        let fits = bits >= 128 || number >> bits == 0;
        let shifted = number.checked_shl(self.width - prefix).unwrap_or(0);
        fits.then_some(Self { first: self.first | shifted, prefix, width: self.width })
    }

    fn address(&self, value: u128) -> Option<String> {
        Some(if self.width == 32 {
            Ipv4Addr::from_bits(u32::try_from(value).ok()?).to_string()
        } else {
            Ipv6Addr::from_bits(value).to_string()
        })
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{}/{}", self.address(self.first)?, self.prefix))
    }
}

/// A whole number that is no larger than any address needs.
fn whole(value: &Value) -> Option<i64> {
    let number = as_number(value).filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
    format!("{number}").parse().ok()
}

fn subnet(range: &Value, bits: &Value, number: &Value) -> Option<Value> {
    let part = Range::parse(range.as_text()?)?
        .part(u32::try_from(whole(bits)?).ok()?, u128::try_from(whole(number)?).ok()?)?;
    Some(Value::text(&part.shown()?))
}

fn host(range: &Value, number: &Value) -> Option<Value> {
    let range = Range::parse(range.as_text()?)?;
    let number = whole(number)?;
    let distance = u128::from(number.unsigned_abs());
    // A negative number counts from the end.
    let host = if number < 0 { range.host_mask().checked_sub(distance - 1)? } else { distance };
    (host <= range.host_mask()).then_some(())?;
    Some(Value::text(&range.address(range.first | host)?))
}

fn netmask(range: &Value) -> Option<Value> {
    let range = Range::parse(range.as_text()?).filter(|range| range.width == 32)?;
    Some(Value::text(&range.address(!range.host_mask() & u128::from(u32::MAX))?))
}

/// Parts one behind the other, each as early as its size allows.
fn subnets(range: &Value, bits: &[Value]) -> Option<Value> {
    let range = Range::parse(range.as_text()?)?;
    let mut next = range.first;
    let mut parts = Vec::new();
    for bits in bits {
        let prefix = range.prefix.checked_add(u32::try_from(whole(bits)?).ok()?)?;
        let part = Range { first: next, prefix, width: range.width };
        (prefix <= range.width).then_some(())?;
        let aligned = next.checked_add(part.host_mask())? & !part.host_mask();
        let part = Range { first: aligned, ..part };
        let last = aligned.checked_add(part.host_mask())?;
        (last <= range.first | range.host_mask()).then_some(())?;
        parts.push(Value::text(&part.shown()?));
        next = last.checked_add(1)?;
    }
    Some(Value::list(parts))
}
