//! What number an answer is, in the unit of a rule, and what bounds it.

use super::reading::Measured;
use super::wording::number;
use crate::answer_value::{AnswerValue, Quantity};
use crate::fhirpath::convert_ucum;
use serde_json::Number;
use std::collections::BTreeSet;

const UCUM: &str = "http://unitsofmeasure.org";
/// 0 °C in kelvin, and 0 °F above absolute zero in degrees Fahrenheit.
const CELSIUS_ZERO: f64 = 273.15;
const FAHRENHEIT_ZERO: f64 = 459.67;
const KELVIN_PER_FAHRENHEIT: f64 = 5.0 / 9.0;
const CONVERTED_DIGITS: f64 = 1e9;

/// In which units a question is looked at.
pub(super) struct Units<'r> {
    /// That of the rule at hand; without one only answers without a unit are judged.
    pub(super) own: Option<&'r str>,
    /// Those of the set's other rules about the same question: what they judge needs nobody's eye here.
    pub(super) elsewhere: &'r BTreeSet<Option<&'r str>>,
}

/// What is known of an answer. `counted` is the whole number that it counts as.
pub(super) fn measured(value: &AnswerValue, counted: Option<i32>, units: &Units<'_>) -> Measured {
    if let AnswerValue::Quantity(quantity) = value {
        return amount(quantity, units);
    }
    let odd = |why: &str, is_to_ask: bool| Measured::Unknown { why: why.to_owned(), is_to_ask };
    if units.own.is_some() {
        return odd("the answer has no unit, and the rule has one", !units.elsewhere.contains(&None));
    }
    // The weight of an option comes before the number in its code or value, as in every score.
    let found = counted.map(f64::from).or(value.number()).filter(|number| number.is_finite());
    found.map_or_else(|| odd("the answer has no number", true), Measured::Exactly)
}

/// An amount must have the rule's unit, or one that is converted into it: 38.5 °F is not 38.5 °C.
fn amount(quantity: &Quantity, units: &Units<'_>) -> Measured {
    let said = said(quantity);
    let odd = |why: &str| Measured::Unknown { why: format!("{said}: {why}"), is_to_ask: true };
    let Some(value) = quantity.value.as_ref().and_then(Number::as_f64).filter(|one| one.is_finite()) else {
        return odd("the answer has no number");
    };
    let Some(value) = in_unit(value, quantity, units.own) else {
        let is_to_ask = !units.elsewhere.iter().any(|unit| in_unit(value, quantity, *unit).is_some());
        let why = "the unit of the answer is not the unit of the rule";
        return Measured::Unknown { why: format!("{said}: {why}"), is_to_ask };
    };
    let between = |low: f64, high: f64| Measured::Between { low, high, why: format!("answered {said}") };
    match quantity.comparator.as_deref() {
        None => Measured::Exactly(value),
        Some(">" | ">=") => between(value, f64::INFINITY),
        Some("<" | "<=") => between(f64::NEG_INFINITY, value),
        Some(_) => odd("the answer is a limit that nobody here knows"),
    }
}

/// The answer as it was given: `> 104 [degF]`.
fn said(quantity: &Quantity) -> String {
    let value = quantity.value.as_ref().and_then(Number::as_f64).map(number).unwrap_or_default();
    let unit = quantity.code.as_deref().or(quantity.unit.as_deref());
    [quantity.comparator.as_deref(), Some(value.as_str()), unit]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The number in this unit; `None` where it cannot be known.
fn in_unit(value: f64, quantity: &Quantity, unit: Option<&str>) -> Option<f64> {
    let own = [quantity.code.as_deref(), quantity.unit.as_deref()];
    let Some(unit) = unit else { return (own == [None, None]).then_some(value) };
    if own.contains(&Some(unit)) {
        return Some(value);
    }
    // A code of another system may look like a unit and mean something else.
    let code = quantity.code.as_deref().filter(|_| quantity.system.as_deref().is_none_or(|of| of == UCUM))?;
    // What a conversion leaves behind the ninth digit is rounding.
    converted(value, code, unit).map(|value| (value * CONVERTED_DIGITS).round() / CONVERTED_DIGITS)
}

/// A number in one unit, in another one, both by their UCUM codes; `None` where nothing converts them.
pub(super) fn converted(value: f64, from: &str, to: &str) -> Option<f64> {
    let kelvin = match from {
        "Cel" => Some(value + CELSIUS_ZERO),
        "[degF]" => Some((value + FAHRENHEIT_ZERO) * KELVIN_PER_FAHRENHEIT),
        "K" => Some(value),
        _ => None,
    };
    match (kelvin, to) {
        (Some(kelvin), "Cel") => Some(kelvin - CELSIUS_ZERO),
        (Some(kelvin), "[degF]") => Some(kelvin / KELVIN_PER_FAHRENHEIT - FAHRENHEIT_ZERO),
        (Some(kelvin), "K") => Some(kelvin),
        _ => convert_ucum(value, from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_where_that_is_known_and_nothing_is_guessed() {
        let close = |found: Option<f64>, to: f64| found.is_some_and(|found| (found - to).abs() < 1e-9);
        assert!(close(converted(104.0, "[degF]", "Cel"), 40.0));
        assert!(close(converted(38.5, "Cel", "[degF]"), 101.3));
        assert!(close(converted(311.65, "K", "Cel"), 38.5));
        assert!(close(converted(72.5, "kg", "g"), 72_500.0));
        assert!(close(converted(2.0, "h", "min"), 120.0));
        for (from, to) in [("kg", "Cel"), ("Cel", "kg"), ("furlong", "m"), ("", "Cel")] {
            assert_eq!(converted(1.0, from, to), None, "{from} {to}");
        }
    }
}
