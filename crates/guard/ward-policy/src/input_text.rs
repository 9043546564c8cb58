//! Bytes of a file as text: UTF-8 or UTF-16, with or without a mark of byte order.

use crate::input_error::InputError;
use crate::limits::MAX_INPUT_BYTES;
use std::borrow::Cow;

/// The text of an input. A shell of Windows writes plans in UTF-16, editors put a mark first.
///
/// # Errors
/// [`InputError`] when there are too many bytes, or they are no text.
pub fn read_text(bytes: &[u8]) -> Result<Cow<'_, str>, InputError> {
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(InputError::TooLarge);
    }
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, 3),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes, 2),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes, 2),
        // No text in these formats begins with a zero byte: ASCII in UTF-16 without a mark does.
        [_, 0, ..] => utf16(bytes, u16::from_le_bytes, 0),
        [0, _, ..] => utf16(bytes, u16::from_be_bytes, 0),
        _ => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], skipped_bytes: usize) -> Result<Cow<'_, str>, InputError> {
    let fault =
        |error: std::str::Utf8Error| InputError::NotText { at_byte: skipped_bytes + error.valid_up_to() };
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(fault)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, skipped_bytes: usize) -> Result<Cow<'_, str>, InputError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(InputError::NotText { at_byte: skipped_bytes + bytes.len() - 1 });
    }
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut units_read = 0;
    for letter in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let letter = letter.map_err(|_| InputError::NotText { at_byte: skipped_bytes + units_read * 2 })?;
        units_read += letter.len_utf16();
        text.push(letter);
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn every_encoding_of_one_text() {
        let text = "{\"größe\": \"🏥\"}";
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            encoded(text, u16::to_le_bytes, b"\xff\xfe"),
            encoded(text, u16::to_be_bytes, b"\xfe\xff"),
            encoded(text, u16::to_le_bytes, b""),
            encoded(text, u16::to_be_bytes, b""),
        ] {
            assert_eq!(read_text(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_byte() {
        assert_eq!(read_text(b"{\xff}"), Err(InputError::NotText { at_byte: 1 }));
        assert_eq!(read_text(b"\xff\xfe{"), Err(InputError::NotText { at_byte: 2 }));
        assert_eq!(read_text(b"\xff\xfea\x00\x00\xd8"), Err(InputError::NotText { at_byte: 4 }));
    }

    #[test]
    fn bytes_at_the_limit_and_one_past() {
        assert!(read_text(&vec![b' '; MAX_INPUT_BYTES]).is_ok());
        assert_eq!(read_text(&vec![b' '; MAX_INPUT_BYTES + 1]), Err(InputError::TooLarge));
    }
}
