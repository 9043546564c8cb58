//! Ranges of addresses.

use crate::rules::CidrTest;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A shorter prefix than this is "everywhere": half of the internet, twice, is all of it.
const EVERYWHERE_V4_BITS: u8 = 3;
const EVERYWHERE_V6_BITS: u8 = 7;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `::/0`, or one address.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    fn is_everywhere(self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.bits <= EVERYWHERE_V4_BITS,
            IpAddr::V6(_) => self.bits <= EVERYWHERE_V6_BITS,
        }
    }

    fn is_private(self) -> bool {
        let within = |ranges: &[(IpAddr, u8)]| {
            ranges.iter().any(|(range, bits)| self.bits >= *bits && same_prefix(self.address, *range, *bits))
        };
        let v4 = |a, b| IpAddr::V4(Ipv4Addr::new(a, b, 0, 0));
        let v6 = |a| IpAddr::V6(Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, 0));
        // RFC 1918 §3, RFC 6598 §7, RFC 3927 §2.1, RFC 4193 §3.1, RFC 4291 §2.5.6
        within(&[(v4(10, 0), 8), (v4(172, 16), 12), (v4(192, 168), 16), (v4(100, 64), 10)])
            || within(&[(v4(169, 254), 16), (v4(127, 0), 8), (v6(0xfc00), 7), (v6(0xfe80), 10)])
    }
}

fn same_prefix(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits,
        _ => false,
    }
}

/// Whether a range stands a test. `None` if the text is no range.
pub(super) fn stands(text: &str, test: CidrTest) -> Option<bool> {
    match test {
        CidrTest::Everywhere => everywhere(text),
        CidrTest::Private => Cidr::parse(text).map(Cidr::is_private),
        CidrTest::NotEverywhere => Cidr::parse(text).map(|cidr| !cidr.is_everywhere()),
    }
}

/// Whether a source is the whole internet. Providers have words for sources beside ranges: three of
/// them mean everybody, the others a part of a network.
fn everywhere(text: &str) -> Option<bool> {
    match Cidr::parse(text) {
        Some(cidr) => Some(cidr.is_everywhere()),
        None if ["*", "any", "internet"].iter().any(|word| text.eq_ignore_ascii_case(word)) => Some(true),
        // What looks like a range and is none was not understood.
        None if text.contains(['/', ':']) || text.starts_with(|letter: char| letter.is_ascii_digit()) => None,
        None => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_everywhere() {
        for (text, private, not_everywhere) in [
            ("10.0.0.0/8", Some(true), Some(true)),
            ("10.0.0.0/7", Some(false), Some(true)),
            ("172.31.4.0/24", Some(true), Some(true)),
            ("172.32.0.0/16", Some(false), Some(true)),
            ("192.168.1.7", Some(true), Some(true)),
            ("0.0.0.0/0", Some(false), Some(false)),
            ("128.0.0.0/1", Some(false), Some(false)),
            ("::/0", Some(false), Some(false)),
            ("2000::/3", Some(false), Some(false)),
            ("fd00::/8", Some(true), Some(true)),
            ("203.0.113.9/32", Some(false), Some(true)),
            ("10.0.0.0/33", None, None),
            ("10.0.0.0/+8", None, None),
            ("Internet", None, None),
        ] {
            let open = not_everywhere.map(|not| !not).or((text == "Internet").then_some(true));
            assert_eq!(stands(text, CidrTest::Everywhere), open, "{text}");
            assert_eq!(stands(text, CidrTest::Private), private, "{text}");
            assert_eq!(stands(text, CidrTest::NotEverywhere), not_everywhere, "{text}");
        }
    }
}
