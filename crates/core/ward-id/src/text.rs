//! Hexadecimal and base64url, the two ways bytes are written as text.

use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Text that is not the encoding it should be. The sender of the text must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextDecodeError {
    /// A character outside the alphabet, or an odd number of hexadecimal digits.
    #[error("the text is not valid {0}")]
    Malformed(&'static str),
}

/// Lower-case hexadecimal.
pub fn hex_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// Reads lower-case hexadecimal; upper case is refused so that one value has one spelling.
pub fn hex_decode(text: &str) -> Result<Vec<u8>, TextDecodeError> {
    let malformed = TextDecodeError::Malformed("hexadecimal");
    let nibble = |c: &u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(malformed),
    };
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut pairs = text.as_bytes().chunks_exact(2);
    for pair in pairs.by_ref() {
        if let [high, low] = pair {
            out.push(nibble(high)? << 4 | nibble(low)?);
        }
    }
    if pairs.remainder().is_empty() { Ok(out) } else { Err(malformed) }
}

/// Unpadded base64url (RFC 4648 §5).
pub fn base64url_encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads unpadded base64url strictly: padding, white space and non-zero trailing bits are refused.
pub fn base64url_decode(text: &str) -> Result<Vec<u8>, TextDecodeError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| TextDecodeError::Malformed("base64url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(hex_encode(&[0, 255, 16]), "00ff10");
        assert_eq!(hex_decode("00ff10").unwrap(), [0, 255, 16]);
        for bad in ["0", "0F", "zz", "00 1"] {
            assert!(hex_decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn base64url_is_strict() {
        assert_eq!(base64url_decode(&base64url_encode(&[1, 2, 250])).unwrap(), [1, 2, 250]);
        for bad in ["AQ==", "AR", "A Q", "+/"] {
            assert!(base64url_decode(bad).is_err(), "{bad}");
        }
    }
}
