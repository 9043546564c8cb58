//! Bounded reading of JSON: size, depth and string length are checked before the
//! parser builds anything.

use crate::error::FormError;
use crate::limits::{MAX_JSON_DEPTH, MAX_STRING_BYTES};
use serde_json::Value;

/// Reads JSON of at most `limit_bytes`.
///
/// # Errors
/// [`FormError`] when the bytes are too many, nested too deeply, hold too long a
/// string, or are not JSON.
pub(crate) fn read_bounded(bytes: &[u8], limit_bytes: usize) -> Result<Value, FormError> {
    if bytes.len() > limit_bytes {
        return Err(FormError::TooManyBytes { found_bytes: bytes.len(), limit_bytes });
    }
    scan(bytes)?;
    serde_json::from_slice(bytes)
        .map_err(|error| FormError::NotJson { line: error.line(), column: error.column() })
}

/// Walks the bytes once without building anything. Only quotes, backslashes and
/// brackets matter; whatever else is wrong is left to the parser.
fn scan(bytes: &[u8]) -> Result<(), FormError> {
    let mut depth = 0_usize;
    let mut string_bytes: Option<usize> = None;
    let mut escaped = false;
    for &byte in bytes {
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
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
