//! Bounded reading of JSON: size, depth and string length are checked before the
//! parser builds anything.

use crate::error::FormError;
use crate::limits::{MAX_JSON_DEPTH, MAX_STRING_BYTES};
use crate::number_text::NumberTexts;
use serde_json::Value;

/// Reads JSON of at most `limit_bytes`, with the texts of its numbers.
///
/// # Errors
/// [`FormError`] when the bytes are too many, nested too deeply, hold too long a
/// string or too large a number, give a field twice, or are not JSON.
pub(crate) fn read_bounded(bytes: &[u8], limit_bytes: usize) -> Result<(Value, NumberTexts), FormError> {
    let (text, value) = read_text(bytes, limit_bytes)?;
    Ok((value, NumberTexts::of(text)?))
}

/// As [`read_bounded`], for what was signed and stored before: it is read whatever rule came later. Of
/// a field that an object gives twice the later one is taken, and the doubt is told.
pub(crate) fn read_stored(
    bytes: &[u8],
    limit_bytes: usize,
) -> Result<(Value, NumberTexts, Option<FormError>), FormError> {
    let (text, value) = read_text(bytes, limit_bytes)?;
    let (numbers, given_twice) = NumberTexts::of_stored(text);
    Ok((value, numbers, given_twice.map(|field| FormError::DuplicateField { field })))
}

fn read_text(bytes: &[u8], limit_bytes: usize) -> Result<(&str, Value), FormError> {
    if bytes.len() > limit_bytes {
        return Err(FormError::TooManyBytes { found_bytes: bytes.len(), limit_bytes });
    }
    scan(bytes)?;
    let text =
        std::str::from_utf8(bytes).map_err(|error| FormError::NotUtf8 { at_byte: error.valid_up_to() })?;
    let value = serde_json::from_str(text)
        .map_err(|error| FormError::NotJson { line: error.line(), column: error.column() })?;
    Ok((text, value))
}

/// Walks the bytes once without building anything. Only quotes, backslashes,
/// brackets and numbers matter; whatever else is wrong is left to the parser.
fn scan(bytes: &[u8]) -> Result<(), FormError> {
    let mut depth = 0_usize;
    let mut string_bytes: Option<usize> = None;
    let mut escaped = false;
    let mut number_end = 0_usize;
    for (place, &byte) in bytes.iter().enumerate() {
        if let Some(count) = string_bytes {
            if escaped {
                escaped = false;
            } else if byte == b'"' {
                string_bytes = None;
                continue;
            } else if byte == b'\\' {
                escaped = true;
            }
            if count >= MAX_STRING_BYTES {
                return Err(FormError::StringTooLong { limit_bytes: MAX_STRING_BYTES });
            }
            string_bytes = Some(count + 1);
            continue;
        }
        match byte {
            b'"' => string_bytes = Some(0),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return Err(FormError::JsonTooDeep { limit: MAX_JSON_DEPTH });
                }
            }
            b'0'..=b'9' if place >= number_end => number_end = check_number(bytes, place)?,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a number that only infinity could stand for. Gives the place after the number.
fn check_number(bytes: &[u8], start: usize) -> Result<usize, FormError> {
    let rest = bytes.get(start..).unwrap_or_default();
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let length = rest.iter().take_while(is_part).count();
    let text = rest.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    if text.parse::<f64>().is_ok_and(f64::is_infinite) {
        return Err(FormError::NumberTooLarge { at_byte: start });
    }
    Ok(start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_the_range_and_one_within() {
        assert!(read_bounded(b"[1e308, -1e308, 1e-400]", 100).is_ok());
        for json in ["[1e309]", "[1, -1e999]", r#"{"a": 1e99999999999999999999}"#] {
            let error = read_bounded(json.as_bytes(), 100).unwrap_err();
            assert!(matches!(error, FormError::NumberTooLarge { .. }), "{json}: {error}");
        }
        assert!(read_bounded(br#"["1e309"]"#, 100).is_ok());
        let long = format!("[{}]", "9".repeat(400));
        assert!(matches!(
            read_bounded(long.as_bytes(), 1_000),
            Err(FormError::NumberTooLarge { at_byte: 1 })
        ));
    }

    #[test]
    fn bytes_that_are_not_text_are_named() {
        assert_eq!(read_bounded(b"[\"a\xff\"]", 100), Err(FormError::NotUtf8 { at_byte: 3 }));
        assert!(matches!(read_bounded(b"[\"\\ud800\"]", 100), Err(FormError::NotJson { .. })));
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn depth_at_the_limit_and_one_past() {
        assert!(read_bounded(nested(MAX_JSON_DEPTH).as_bytes(), usize::MAX).is_ok());
        assert_eq!(
            read_bounded(nested(MAX_JSON_DEPTH + 1).as_bytes(), usize::MAX),
            Err(FormError::JsonTooDeep { limit: MAX_JSON_DEPTH })
        );
    }

    #[test]
    fn a_million_open_brackets_are_refused_without_recursion() {
        let bomb = "[".repeat(1_000_000);
        assert!(matches!(read_bounded(bomb.as_bytes(), usize::MAX), Err(FormError::JsonTooDeep { .. })));
    }

    #[test]
    fn string_at_the_limit_and_one_past() {
        let fits = format!("\"{}\"", "a".repeat(MAX_STRING_BYTES));
        assert!(read_bounded(fits.as_bytes(), usize::MAX).is_ok());
        let over = format!("\"{}\"", "a".repeat(MAX_STRING_BYTES + 1));
        assert!(matches!(read_bounded(over.as_bytes(), usize::MAX), Err(FormError::StringTooLong { .. })));
    }

    #[test]
    fn bytes_at_the_limit_and_one_past() {
        assert!(read_bounded(b"[1]", 3).is_ok());
        assert_eq!(read_bounded(b"[1] ", 3), Err(FormError::TooManyBytes { found_bytes: 4, limit_bytes: 3 }));
    }

    #[test]
    fn brackets_and_quotes_inside_strings_do_not_count() {
        let text = format!(r#""{}\"{}""#, "[".repeat(MAX_JSON_DEPTH), "{".repeat(MAX_JSON_DEPTH));
        assert!(read_bounded(text.as_bytes(), usize::MAX).is_ok());
    }

    #[test]
    fn broken_json_says_where() {
        assert_eq!(read_bounded(b"{\n  \"a\": ,\n}", 100), Err(FormError::NotJson { line: 2, column: 8 }));
    }
}
