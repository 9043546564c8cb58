//! JSON beside the texts of its numbers: what was written, digit by digit.

use super::node::decimal;
use crate::limits::MAX_NUMBER_TEXT_BYTES;
use crate::number_text::NumberTexts;
use rust_decimal::Decimal;
use serde_json::{Number, Value as Json};

/// The texts of the numbers of a part of a document, where reading has changed some.
pub(super) type Digits<'d> = Option<&'d NumberTexts>;

/// The texts of the numbers of one field.
pub(super) fn digits_of<'d>(digits: Digits<'d>, field: &str) -> Digits<'d> {
    digits?.field(field)
}

/// A part of a document with the texts of its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'d> {
    pub(super) json: &'d Json,
    pub(super) digits: Digits<'d>,
}

impl<'d> Written<'d> {
    pub(super) fn field(self, name: &str) -> Option<Self> {
        Some(Self { json: self.json.get(name)?, digits: digits_of(self.digits, name) })
    }

    /// The elements of an array; nothing of anything else.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        let list = self.json.as_array().map_or(&[][..], Vec::as_slice);
        let digits = move |place| self.digits.and_then(|texts| texts.element(place));
        list.iter().enumerate().map(move |(place, json)| Self { json, digits: digits(place) })
    }

    /// The number that it is, exactly.
    pub(super) fn number(self) -> Option<Decimal> {
        exact(self.json.as_number()?, self.digits)
    }

    /// Whether both are the same number. Where one has more digits than a decimal holds, only the same
    /// digits are.
    pub(super) fn is_same_number(self, other: Self) -> bool {
        let (Json::Number(a), Json::Number(b)) = (self.json, other.json) else { return false };
        if self.digits.is_none() && other.digits.is_none() {
            return a == b || a.as_f64() == b.as_f64();
        }
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b && !self.digits.is_some_and(is_long) && self.digits == other.digits,
        }
    }
}

/// Longer than any text is read for one step.
fn is_long(digits: &NumberTexts) -> bool {
    matches!(digits, NumberTexts::Text(text) if text.len() > MAX_NUMBER_TEXT_BYTES)
}

/// A number of the data as it was written. Nothing if that has more digits than a decimal holds: what is
/// measured is not rounded in silence.
pub(super) fn exact(number: &Number, digits: Digits<'_>) -> Option<Decimal> {
    if digits.is_some_and(is_long) {
        return None;
    }
    let Some(text) = digits.and_then(|texts| texts.text_of(number)) else {
        return decimal(&number.to_string());
    };
    // Zeros at the end say how precise it is, as far as there is room for them.
    let without_zeros = || match text.contains(['e', 'E']) {
        true => None,
        false => decimal(text.trim_end_matches('0')).filter(|_| text.contains('.')),
    };
    decimal(text).or_else(without_zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let texts = NumberTexts::of(text).unwrap();
        let json: Json = serde_json::from_str(text).unwrap();
        Written { json: &json, digits: Some(&texts) }.number().map(|number| number.to_string())
    }

    #[test]
    fn a_number_keeps_its_digits() {
        assert_eq!(read("1.50").as_deref(), Some("1.50"));
        assert_eq!(read("-0.10").as_deref(), Some("-0.10"));
        assert_eq!(read("1.5E2").as_deref(), Some("150"));
        assert_eq!(read("12345678901234567890.12").as_deref(), Some("12345678901234567890.12"));
        assert_eq!(read("0.1234567890123456789012345678").as_deref(), Some("0.1234567890123456789012345678"));
    }

    #[test]
    fn a_number_with_more_digits_than_fit_is_none() {
        assert_eq!(read("0.12345678901234567890123456789"), None);
        assert_eq!(read("1.50000000000000000000000000000000").as_deref(), Some("1.5"));
        assert_eq!(read("123456789012345678901234567890000"), None);
        let zeros = |bytes: usize| format!("0.{}", "0".repeat(bytes - 2));
        assert!(read(&zeros(MAX_NUMBER_TEXT_BYTES)).is_some());
        assert_eq!(read(&zeros(MAX_NUMBER_TEXT_BYTES + 1)), None);
    }

    #[test]
    fn the_same_number_may_be_written_in_two_ways() {
        let is_same = |left: &str, right: &str| {
            let (one, other) = (NumberTexts::of(left).unwrap(), NumberTexts::of(right).unwrap());
            let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
            let (left, right) = (read(left), read(right));
            Written { json: &left, digits: Some(&one) }
                .is_same_number(Written { json: &right, digits: Some(&other) })
        };
        assert!(is_same("1.50", "1.5") && is_same("1e0", "1") && is_same("1.0", "1"));
        assert!(!is_same("1.00000000000000000001", "1.00000000000000000002"));
        let (long, longer) = ("0.12345678901234567890123456789", "0.12345678901234567890123456788");
        assert!(is_same(long, long) && !is_same(long, longer));
    }
}
