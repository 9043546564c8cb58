//! A walk over JSON text. RFC 8259, and nothing beyond it.

use crate::input_error::InputError;
use crate::limits::MAX_JSON_DEPTH;
use std::borrow::Cow;
use std::cell::Cell;

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// A place in a JSON text. Each method reads one value and stands behind it.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The place of which the line was told last, and the lines before it: the next one counts on from there.
    counted: Cell<(usize, usize)>,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, counted: Cell::new((0, 0)) }
    }

    /// The place in bytes; behind [`peek`](Self::peek), where the value begins.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Bytes from the place to the end of the text.
    pub(crate) const fn rest_bytes(&self) -> usize {
        self.text.len().saturating_sub(self.at)
    }

    /// Line of the place, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line_at(self.at)
    }

    /// Line of a place in bytes, from 1. Asked again and again, the places have to follow one another.
    pub(crate) fn line_at(&self, at: usize) -> usize {
        let counted = self.counted.get();
        let (from, lines) = if counted.0 <= at { counted } else { (0, 0) };
        let passed = self.text.as_bytes().get(from..at).unwrap_or_default();
        let lines = lines + passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted.set((at, lines));
        1 + lines
    }

    fn fault(&self, what: &'static str) -> InputError {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        InputError::NotJson { line: self.line(), column: self.at - line_start + 1, what }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The kind of the next value.
    pub(crate) fn peek(&mut self) -> Result<Kind, InputError> {
        self.space();
        Ok(match self.byte() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'"') => Kind::Text,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => return Err(self.fault("a value was expected")),
            None => return Err(self.fault("the text ends where a value was expected")),
        })
    }

    /// Nothing but space follows.
    pub(crate) fn end(&mut self) -> Result<(), InputError> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault("something follows the value")) }
    }

    /// Reads an object; `each` reads exactly one value.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(Cow<'a, str>, &mut Self) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        self.open(b'{', "an object was expected")?;
        self.space();
        if self.byte() != Some(b'}') {
            loop {
                self.space();
                let name = self.text()?;
                self.space();
                self.want(b':', "a colon was expected")?;
                each(name, self)?;
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        } else {
            self.at += 1;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `each` reads exactly one value.
    pub(crate) fn array(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        self.open(b'[', "an array was expected")?;
        self.space();
        if self.byte() != Some(b']') {
            loop {
                each(self)?;
                if !self.goes_on(b']')? {
                    break;
                }
            }
        } else {
            self.at += 1;
        }
        self.depth -= 1;
        Ok(())
    }

    fn open(&mut self, bracket: u8, what: &'static str) -> Result<(), InputError> {
        self.space();
        self.want(bracket, what)?;
        self.depth += 1;
        if self.depth > MAX_JSON_DEPTH {
            return Err(InputError::JsonTooDeep { line: self.line() });
        }
        Ok(())
    }

    fn want(&mut self, byte: u8, what: &'static str) -> Result<(), InputError> {
        if self.byte() != Some(byte) {
            return Err(self.fault(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether a comma follows; if not, the closing bracket has to.
    fn goes_on(&mut self, close: u8) -> Result<bool, InputError> {
        self.space();
        let is_comma = self.byte() == Some(b',');
        if !is_comma && self.byte() != Some(close) {
            return Err(self.fault("a comma or a closing bracket was expected"));
        }
        self.at += 1;
        Ok(is_comma)
    }

    /// Reads true or false.
    pub(crate) fn bool(&mut self) -> Result<bool, InputError> {
        self.space();
        if self.byte() == Some(b't') {
            self.word("true").map(|()| true)
        } else {
            self.word("false").map(|()| false)
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), InputError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.fault("a value was expected"));
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a number.
    pub(crate) fn number(&mut self) -> Result<f64, InputError> {
        self.space();
        let start = self.at;
        self.number_text()?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.fault("a number is too large")),
        }
    }

    fn number_text(&mut self) -> Result<(), InputError> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), InputError> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("a digit was expected")) } else { Ok(()) }
    }

    /// Reads a text; it is borrowed if nothing in it is escaped.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, InputError> {
        self.space();
        self.want(b'"', "a text was expected")?;
        let start = self.at;
        self.plain_letters()?;
        let plain = self.text.get(start..self.at).unwrap_or_default();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            self.at += 1;
            if self.text.as_bytes().get(self.at - 1) == Some(&b'"') {
                return Ok(Cow::Owned(text));
            }
            text.push(self.escape()?);
            let start = self.at;
            self.plain_letters()?;
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
        }
    }

    /// Goes on to the next quote or backslash.
    fn plain_letters(&mut self) -> Result<(), InputError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (chunks, tail) = rest.as_chunks::<8>();
        let mut length = 0;
        for chunk in chunks {
            let marks = marks(u64::from_le_bytes(*chunk));
            if marks != 0 {
                return self.stop_at(length + marks.trailing_zeros() as usize / 8);
            }
            length += 8;
        }
        let Some(more) = tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
            self.at = self.text.len();
            return Err(self.fault("the text ends inside quotes"));
        };
        self.stop_at(length + more)
    }

    fn stop_at(&mut self, length: usize) -> Result<(), InputError> {
        self.at += length;
        if matches!(self.byte(), Some(0..=0x1f)) {
            return Err(self.fault("a control character stands in a text"));
        }
        Ok(())
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, InputError> {
        let letter = self.byte();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("an escape is not known")),
        })
    }

    fn unicode(&mut self) -> Result<char, InputError> {
        let high = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&high) {
            self.want(b'\\', "half of a pair of escapes is missing")?;
            self.want(b'u', "half of a pair of escapes is missing")?;
            let low = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.fault("half of a pair of escapes is missing"));
            }
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.fault("half of a pair of escapes stands alone"))
    }

    fn four_digits(&mut self) -> Result<u32, InputError> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.fault("four digits were expected"))?;
        self.at += 4;
        Ok(code)
    }

    /// Passes over the next value and gives its text. Brackets, texts and their nesting are
    /// checked; what stands between them is checked when somebody reads it.
    pub(crate) fn skip(&mut self) -> Result<&'a str, InputError> {
        let kind = self.peek()?;
        let start = self.at;
        match kind {
            Kind::Null => self.word("null")?,
            Kind::Bool => self.bool().map(drop)?,
            Kind::Number => self.number_text()?,
            Kind::Text => self.skip_text()?,
            Kind::Array | Kind::Object => self.skip_nested()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn skip_text(&mut self) -> Result<(), InputError> {
        self.at += 1;
        loop {
            self.plain_letters()?;
            self.at += 1;
            if self.text.as_bytes().get(self.at - 1) == Some(&b'"') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn skip_nested(&mut self) -> Result<(), InputError> {
        // One bit a level: whether it is an object.
        let (mut kinds, mut open) = (0_u128, 0_usize);
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.skip_text()?;
                    continue;
                }
                Some(bracket @ (b'{' | b'[')) => {
                    open += 1;
                    if self.depth + open > MAX_JSON_DEPTH {
                        return Err(InputError::JsonTooDeep { line: self.line() });
                    }
                    kinds = (kinds << 1) | u128::from(bracket == b'{');
                }
                Some(bracket @ (b'}' | b']')) => {
                    if (kinds & 1 == 1) != (bracket == b'}') {
                        return Err(self.fault("a bracket is closed by another kind"));
                    }
                    kinds >>= 1;
                    open -= 1;
                    if open == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                Some(_) => {}
                None => return Err(self.fault("the text ends inside brackets")),
            }
            self.at += 1;
        }
    }
}

/// Which of eight bytes are a quote, a backslash or a control character, by their high bits. Those behind
/// the first one may be wrong.
const fn marks(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // A byte below `n` borrows into its high bit; bytes from 0x80 on are let through by the mask.
    const fn below(value: u64, n: u64) -> u64 {
        value.wrapping_sub(ONES.wrapping_mul(n)) & !value & HIGHS
    }
    let quotes = bytes ^ ONES.wrapping_mul(0x22);
    let backslashes = bytes ^ ONES.wrapping_mul(0x5c);
    below(bytes, 0x20) | below(quotes, 1) | below(backslashes, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_json;

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1 2]",
            "01",
            "1.",
            "-",
            "1e",
            "tru",
            "nul",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"a",
            "1 2",
            "'a'",
            "[1}",
            "{a:1}",
            "NaN",
            "1e999",
            "\"\\u12\"",
            "\"\\u+123\"",
        ] {
            assert!(read_json(text).is_err(), "{text}");
        }
    }

    #[test]
    fn eight_letters_at_once_are_the_same_eight() {
        for byte in 0..=0xff_u8 {
            for place in 0..8 {
                let mut bytes = *b"plain\xc3\xa9.";
                bytes[place] = byte;
                let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
                let found = marks(u64::from_le_bytes(bytes)).trailing_zeros() as usize / 8;
                assert_eq!(found, first.unwrap_or(8), "{byte} at {place}");
            }
        }
        for at in 0..40 {
            let text = format!("\"{}\\n{}é\"", "a".repeat(at), "ü".repeat(at));
            assert_eq!(
                Scanner::new(&text).text().unwrap(),
                format!("{}\n{}é", "a".repeat(at), "ü".repeat(at))
            );
            assert!(Scanner::new(&text.replace("\\n", "\u{1}")).text().is_err());
        }
    }

    #[test]
    fn skipping_gives_the_text_and_minds_brackets() {
        let text = r#"{"a": [1, {"b": "]}\""}], "c": 2}"#;
        let mut scanner = Scanner::new(text);
        let mut skipped = Vec::new();
        scanner
            .object(|name, scanner| {
                skipped.push((name.into_owned(), scanner.skip()?));
                Ok(())
            })
            .unwrap();
        assert_eq!(skipped, [("a".to_owned(), r#"[1, {"b": "]}\""}]"#), ("c".to_owned(), "2")]);
        for broken in ["[1}", "{]", "[", "[\"a]", "{\"a\": [}"] {
            assert!(Scanner::new(broken).skip().is_err(), "{broken}");
        }
    }

    #[test]
    fn depth_at_the_limit_and_one_past() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_json(&nested(MAX_JSON_DEPTH)).is_ok());
        assert!(Scanner::new(&nested(MAX_JSON_DEPTH)).skip().is_ok());
        let over = nested(MAX_JSON_DEPTH + 1);
        assert!(matches!(read_json(&over), Err(InputError::JsonTooDeep { .. })));
        assert!(matches!(Scanner::new(&over).skip(), Err(InputError::JsonTooDeep { .. })));
    }

    #[test]
    fn a_fault_has_its_line_and_column() {
        let error = read_json("{\n  \"a\": ,\n}").unwrap_err();
        assert!(matches!(error, InputError::NotJson { line: 2, column: 8, .. }), "{error}");
    }
}
