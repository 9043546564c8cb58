//! Numbers with units.
//!
//! Source: FHIRPath 2.0 §4.1.8, FHIR R4 §2.1.9.1.4 for FHIR's Quantity.

use super::node::Node;
use super::temporal_arithmetic::TimeUnit;
use super::text::Text;
use super::types;
use super::unit::Unit;
use crate::limits::{BYTES_PER_STEP, MAX_BUILT_UNIT_BYTES, MAX_UNIT_BYTES, STEPS_PER_UNIT_BYTE};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::fmt;

const UCUM: &str = "http://unitsofmeasure.org";

/// A number with its unit.
#[derive(Debug, Clone)]
pub struct Quantity<'d> {
    pub(super) value: Decimal,
    pub(super) unit: UnitText<'d>,
}

/// How a unit is given.
#[derive(Debug, Clone)]
pub(super) enum UnitText<'d> {
    /// A word of the calendar, such as `days`.
    Calendar(TimeUnit),
    /// A UCUM code, or a text that is compared as it is.
    Code(Text<'d>),
    /// A unit of the data that is not said to be UCUM: `m` may mean months. It is compared as it is.
    Other {
        /// The system that it is said to belong to.
        system: Option<&'d str>,
        text: &'d str,
    },
}

/// Units that are the same without being understood. A text of no system may be a code, one of another
/// system is none.
impl PartialEq for UnitText<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Calendar(a), Self::Calendar(b)) => a == b,
            (Self::Code(a), Self::Code(b)) => a == b,
            (Self::Other { system: x, text: a }, Self::Other { system: y, text: b }) => x == y && a == b,
            (Self::Code(code), Self::Other { system: None, text })
            | (Self::Other { system: None, text }, Self::Code(code)) => code == text,
            _ => false,
        }
    }
}

impl UnitText<'_> {
    pub(super) const ONE: Self = Self::Code(Text::borrowed("1"));

    fn len(&self) -> usize {
        match self {
            Self::Calendar(_) => 1,
            Self::Code(code) => code.len(),
            Self::Other { system, text } => text.len() + system.map_or(0, str::len),
        }
    }

    fn unit(&self) -> Option<Unit> {
        match self {
            Self::Calendar(unit) => Unit::calendar(*unit),
            Self::Code(code) => Unit::ucum(code),
            Self::Other { .. } => None,
        }
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            UnitText::Calendar(unit) if self.value == Decimal::ONE => {
                write!(f, "{} {}", self.value, unit.word())
            }
            UnitText::Calendar(unit) => write!(f, "{} {}s", self.value, unit.word()),
            UnitText::Code(code) => write!(f, "{} '{code}'", self.value),
            UnitText::Other { text, .. } => write!(f, "{} '{text}'", self.value),
        }
    }
}

impl<'d> Quantity<'d> {
    pub(super) fn new(value: Decimal, unit: UnitText<'d>) -> Self {
        Self { value, unit }
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> Decimal {
        self.value
    }

    /// The unit: a UCUM code, a word of the calendar in the singular, or a text.
    #[must_use]
    pub fn unit(&self) -> &str {
        match &self.unit {
            UnitText::Calendar(unit) => unit.word(),
            UnitText::Code(code) => code,
            UnitText::Other { text, .. } => text,
        }
    }

    /// A FHIR Quantity as a number with a unit. Nothing if it has no value, if its unit is longer than any,
    /// or if it only bounds the value (`< 5`): a bound is not a measurement.
    pub(super) fn of_node(node: &Node<'d>) -> Option<Self> {
        if !node.type_.is_or_derives_from(types::QUANTITY.name) {
            return None;
        }
        let map = node.map()?;
        if map.contains_key("comparator") {
            return None;
        }
        let value = node.written()?.field("value")?.number()?;
        let text = |name: &str| map.get(name).and_then(Json::as_str);
        let unit = match (text("system"), text("code"), text("unit")) {
            (Some(UCUM), Some(code), _) => UnitText::Code(Text::borrowed(code)),
            (_, None, None) => UnitText::ONE,
            (Some(UCUM), None, Some(text)) => UnitText::Other { system: None, text },
            (system, code, unit) => UnitText::Other { system, text: unit.or(code).unwrap_or_default() },
        };
        (unit.len() <= MAX_BUILT_UNIT_BYTES).then(|| Self::new(value, unit))
    }

    /// Reads `4`, `4 days` or `4 'mg'`.
    pub(super) fn parse(text: &str) -> Option<Quantity<'static>> {
        let text = text.trim();
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let value = super::functions::decimal_of_text(text.get(..end)?)?;
        let unit = text.get(end..)?.trim_start();
        if unit.is_empty() {
            return Some(Quantity::new(value, UnitText::ONE));
        }
        if let Some(code) = unit.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return (!code.contains('\'') && code.len() <= MAX_BUILT_UNIT_BYTES)
                .then(|| Quantity::new(value, UnitText::Code(code.to_owned().into())));
        }
        Some(Quantity::new(value, UnitText::Calendar(TimeUnit::from_word(unit)?)))
    }

    /// The unit of time that can be added to a date, if it is one.
    pub(super) fn time_unit(&self) -> Option<TimeUnit> {
        match &self.unit {
            UnitText::Calendar(unit) => Some(*unit),
            UnitText::Code(code) => TimeUnit::from_ucum(code).or_else(|| TimeUnit::from_word(code)),
            // Words of the calendar mean one thing; `m` doesn't.
            UnitText::Other { text, .. } => TimeUnit::from_word(text),
        }
    }

    /// Steps that bringing the two to one unit costs.
    pub(super) fn steps_with(&self, other: &Quantity<'_>) -> usize {
        let (mine, theirs) = (self.unit.len(), other.unit.len());
        // They are compared as they are first.
        let compared = 1 + mine.min(theirs) / BYTES_PER_STEP;
        if self.unit == other.unit {
            return compared;
        }
        compared + (mine.min(MAX_UNIT_BYTES) + theirs.min(MAX_UNIT_BYTES)) * STEPS_PER_UNIT_BYTE
    }

    /// The other's number in this one's unit. Nothing if the units don't convert.
    pub(super) fn in_my_unit(&self, other: &Quantity<'_>) -> Option<Decimal> {
        if self.unit == other.unit {
            return Some(other.value);
        }
        let (mine, theirs) = (self.unit.unit()?, other.unit.unit()?);
        if mine.is_same_dimension(&theirs) { theirs.convert(other.value, &mine) } else { None }
    }

    /// Whether the two units convert into one another.
    pub(super) fn is_comparable(&self, other: &Quantity<'_>) -> bool {
        self.unit == other.unit
            || matches!((self.unit.unit(), other.unit.unit()), (Some(a), Some(b)) if a.is_same_dimension(&b))
    }

    /// The order of two quantities; nothing if their units don't convert.
    pub(super) fn order(&self, other: &Quantity<'_>) -> Option<Ordering> {
        // Both ways must agree: where a conversion can't be exact, the order may not depend on the side.
        let there = self.value.cmp(&self.in_my_unit(other)?);
        let back = other.in_my_unit(self)?.cmp(&other.value);
        Some(if there == back { there } else { Ordering::Equal })
    }

    /// Equal as far as the less precise of the two says.
    pub(super) fn is_equivalent(&self, other: &Quantity<'_>) -> bool {
        let (left, right) = (self.mean(), other.mean());
        let Some(converted) = left.in_my_unit(&right) else { return false };
        is_equivalent(left.value, converted, left.value, right.value)
    }

    /// Years and months of a calendar are as long as UCUM's on the whole.
    fn mean(&self) -> Quantity<'_> {
        let code = match self.unit {
            UnitText::Calendar(TimeUnit::Year) => "a",
            UnitText::Calendar(TimeUnit::Month) => "mo",
            _ => return self.borrowed(),
        };
        Quantity::new(self.value, UnitText::Code(Text::borrowed(code)))
    }

    /// The same quantity without a copy of its unit.
    pub(super) fn borrowed(&self) -> Quantity<'_> {
        let unit = match &self.unit {
            UnitText::Calendar(unit) => UnitText::Calendar(*unit),
            UnitText::Code(code) => UnitText::Code(Text::borrowed(code)),
            UnitText::Other { system, text } => UnitText::Other { system: *system, text },
        };
        Quantity { value: self.value, unit }
    }

    /// The product or quotient of the units, as UCUM writes it. Nothing if it gets too long.
    pub(super) fn joined_unit(&self, other: &Quantity<'_>, is_division: bool) -> Option<UnitText<'d>> {
        let code = |quantity: &Quantity<'_>| match &quantity.unit {
            // The length is known before anything is copied.
            UnitText::Code(code) => (code.len() <= MAX_BUILT_UNIT_BYTES).then(|| code.to_string()),
            // Nobody knows what the product of such units is called.
            UnitText::Other { .. } => None,
            // A product of calendar durations has no meaning unless the unit has a fixed length.
            UnitText::Calendar(TimeUnit::Week) => Some("wk".to_owned()),
            UnitText::Calendar(TimeUnit::Day) => Some("d".to_owned()),
            UnitText::Calendar(TimeUnit::Hour) => Some("h".to_owned()),
            UnitText::Calendar(TimeUnit::Minute) => Some("min".to_owned()),
            UnitText::Calendar(TimeUnit::Second) => Some("s".to_owned()),
            UnitText::Calendar(TimeUnit::Millisecond) => Some("ms".to_owned()),
            UnitText::Calendar(TimeUnit::Year | TimeUnit::Month) => None,
        };
        if other.unit == UnitText::ONE {
            return Some(self.unit.clone());
        }
        if is_division && matches!(self.unit, UnitText::Other { .. }) && self.unit == other.unit {
            return Some(UnitText::ONE);
        }
        let (left, right) = (code(self)?, code(other)?);
        let right = if right.contains(['.', '/']) { format!("({right})") } else { right };
        let joined = match (is_division, left == right, left == "1") {
            (true, true, _) => "1".to_owned(),
            (false, _, true) => right,
            (true, _, true) => format!("/{right}"),
            (true, ..) => format!("{left}/{right}"),
            (false, ..) => format!("{left}.{right}"),
        };
        (joined.len() <= MAX_BUILT_UNIT_BYTES).then(|| UnitText::Code(joined.into()))
    }
}

/// Whether two numbers agree when both are rounded to what the less precise of two written ones says.
/// Zeros at the end don't count.
pub(super) fn is_equivalent(left: Decimal, right: Decimal, written: Decimal, other: Decimal) -> bool {
    let digits = written.normalize().scale().min(other.normalize().scale());
    let round = |value: Decimal| value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    round(left) == round(right)
}
