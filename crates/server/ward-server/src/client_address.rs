//! Who is at the other end: the peer's address, or what a trusted proxy says about it.

use crate::limits::IPV6_PREFIX_BITS;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of addresses, as `10.0.0.0/8` or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressBlock {
    base: IpAddr,
    bits: u32,
}

/// Text that is no block of addresses. Whoever wrote the configuration must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no block of addresses: write it as 10.0.0.0/8 or as a single address")]
pub struct AddressBlockError(pub String);

impl AddressBlock {
    /// Whether the block holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(other)) => {
                mask(u128::from(base.to_bits()), 32, self.bits)
                    == mask(u128::from(other.to_bits()), 32, self.bits)
            }
            (IpAddr::V6(base), IpAddr::V6(other)) => {
                mask(base.to_bits(), 128, self.bits) == mask(other.to_bits(), 128, self.bits)
            }
            _ => false,
        }
    }
}

/// The first `bits` of a number that has `width` bits.
fn mask(value: u128, width: u32, bits: u32) -> u128 {
    let drop = width.saturating_sub(bits);
    if drop >= 128 { 0 } else { value >> drop }
}

impl FromStr for AddressBlock {
    type Err = AddressBlockError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AddressBlockError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits <= width { Ok(Self { base, bits }) } else { Err(wrong()) }
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl TryFrom<String> for AddressBlock {
    type Error = AddressBlockError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AddressBlock> for String {
    fn from(block: AddressBlock) -> Self {
        block.to_string()
    }
}

/// The client's address: the peer's, unless the peer is a trusted proxy. Then `X-Forwarded-For`
/// is walked from its right end, where the nearest proxy wrote, to the first address that is no
/// trusted proxy: whatever stands left of that may be the client's invention.
pub fn client_address(peer: IpAddr, forwarded_for: &[&str], trusted: &[AddressBlock]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|block| block.contains(address));
    let mut address = peer.to_canonical();
    let hops = forwarded_for.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !is_trusted(address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

/// What counts as one caller: an IPv4 address, or the IPv6 network of one subscriber.
pub fn address_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let drop = 128 - IPV6_PREFIX_BITS;
            IpAddr::V6((six.to_bits() >> drop << drop).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn blocks() {
        let block: AddressBlock = "10.1.0.0/16".parse().unwrap();
        assert!(block.contains(ip("10.1.200.3")) && block.contains(ip("::ffff:10.1.0.1")));
        assert!(!block.contains(ip("10.2.0.1")) && !block.contains(ip("fd00::1")));
        let all: AddressBlock = "::/0".parse().unwrap();
        assert!(all.contains(ip("2001:db8::1")) && !all.contains(ip("1.2.3.4")));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129", ""] {
            assert!(bad.parse::<AddressBlock>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_from_the_right() {
        let trusted: Vec<AddressBlock> = vec!["10.0.0.0/8".parse().unwrap()];
        let cases: [(&str, &[&str], &str); 6] = [
            ("192.0.2.9", &["203.0.113.1"], "192.0.2.9"),
            ("10.0.0.1", &["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["198.51.100.7, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", &["198.51.100.7", "203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(client_address(ip(peer), forwarded, &trusted), ip(expected), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn one_subscriber_is_one_caller() {
        assert_eq!(address_prefix(ip("2001:db8:1:2:3::4")), ip("2001:db8:1:2::"));
        assert_eq!(address_prefix(ip("192.0.2.9")), ip("192.0.2.9"));
    }
}
