//! The time that the caller gave, and the parts of dates.
//!
//! Source: FHIRPath 2.0 §5.9; the parts: FHIRPath STU.

use super::super::collection::Collection;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::operators::one;
use super::super::temporal::{Precision, Temporal, TemporalKind};
use super::super::value::Value;
use super::Calling;
use rust_decimal::Decimal;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    if matches!(calling.call.function, F::Now | F::Today | F::TimeOfDay) {
        let now =
            calling.evaluator.environment.now.ok_or(EvaluationError::NoTime { function: calling.place })?;
        let value = match calling.call.function {
            F::Now => Some(now),
            F::Today => now.to_date(),
            _ => now.to_time(),
        };
        return Ok(value.map(Value::Temporal).into());
    }
    let Some(value) = one(input, calling.place)? else { return Ok(Collection::empty()) };
    let of = value.temporal().ok_or_else(|| calling.wrong_type("a date or a time", value))?;
    Ok(part(calling.call.function, &of).into())
}

fn part<'d>(function: F, of: &Temporal) -> Option<Value<'d>> {
    let is_date = of.kind() != TemporalKind::Time;
    let number = |number: u32| i32::try_from(number).ok().map(Value::Integer);
    let known = |precision: Precision| of.precision() >= precision;
    match function {
        F::YearOf if is_date => Some(Value::Integer(of.year)),
        F::MonthOf if is_date && known(Precision::Month) => number(of.month),
        F::DayOf if is_date && known(Precision::Day) => number(of.day),
        F::HourOf if known(Precision::Hour) => number(of.hour),
        F::MinuteOf if known(Precision::Minute) => number(of.minute),
        F::SecondOf if known(Precision::Second) => number(of.second),
        F::MillisecondOf if known(Precision::Second) && of.fraction_digits > 0 => {
            number(of.nanos / 1_000_000)
        }
        F::TimezoneOffsetOf => {
            let minutes = Decimal::from(of.offset_min?);
            minutes.checked_div(Decimal::from(60)).map(Value::Decimal)
        }
        F::DateOf => of.to_date().map(Value::Temporal),
        F::TimeOf if is_date => of.to_time().map(Value::Temporal),
        _ => None,
    }
}
