//! X25519 public keys that no honest device has (RFC 7748 §6.1, curve25519 of order 8·l).

/// The order of small points and their second spellings, as u-coordinates below 2^255:
/// 0, 1, two points of order eight, and p-1, p, p+1.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    first(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    near_p(0xec),
    near_p(0xed),
    near_p(0xee),
];

const fn first(byte: u8) -> [u8; 32] {
    let mut out = [0; 32];
    out[0] = byte;
    out
}

/// The field's prime is 2^255 - 19: `ed ff … ff 7f` in little-endian bytes.
const fn near_p(lowest: u8) -> [u8; 32] {
    let mut out = [0xff; 32];
    out[0] = lowest;
    out[31] = 0x7f;
    out
}

/// Whether the bytes are a u-coordinate of small order, in any spelling.
pub(crate) fn is_small_order(u: &[u8; 32]) -> bool {
    let mut masked = *u;
    if let Some(top) = masked.last_mut() {
        // RFC 7748 §5: the top bit is ignored.
        *top &= 0x7f;
    }
    SMALL_ORDER.contains(&masked)
}

/// Whether the bytes are the one spelling below the field's prime.
pub(crate) fn is_canonical(u: &[u8; 32]) -> bool {
    // Compare as little-endian numbers, from the highest byte down.
    u.iter().rev().lt(near_p(0xed).iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for point in SMALL_ORDER {
            let mut high = point;
            high[31] |= 0x80;
            assert!(is_small_order(&point) && is_small_order(&high));
            assert!(!is_canonical(&high));
        }
        assert!(!is_small_order(&first(9)) && is_canonical(&first(9)));
        assert!(is_canonical(&near_p(0xec)) && !is_canonical(&near_p(0xed)));
    }
}
