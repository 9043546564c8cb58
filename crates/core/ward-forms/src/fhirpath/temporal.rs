//! Dates, dates with time, and times of day, each of the precision it was written with.
//!
//! Source: FHIRPath 2.0 §4.1.5 to §4.1.7.

use crate::date_time::days_in_month;
use crate::limits::MAX_TEMPORAL_BYTES;
use std::fmt;

/// Which of the three types a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// A calendar date.
    Date,
    /// A date with a time, whatever its precision.
    DateTime,
    /// A time of day.
    Time,
}

/// The last part that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// Only the year.
    Year,
    /// Year and month.
    Month,
    /// A whole date.
    Day,
    /// The hour.
    Hour,
    /// The minute.
    Minute,
    /// The second, with or without a fraction: FHIRPath counts both as one precision.
    Second,
}

/// A date, a date with time, or a time of day.
///
/// Parts beyond the precision hold their least value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    pub(super) kind: TemporalKind,
    pub(super) precision: Precision,
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanos: u32,
    /// How many digits of the fraction were written.
    pub(super) fraction_digits: u8,
    /// Minutes east of UTC, when a zone was given.
    pub(super) offset_min: Option<i32>,
}

impl Temporal {
    /// Reads `2026`, `2026-03` or `2026-03-01`.
    #[must_use]
    pub fn date(text: &str) -> Option<Self> {
        let mut reader = Reader::of(text)?;
        let value = reader.calendar(TemporalKind::Date)?;
        reader.rest.is_empty().then_some(value)
    }

    /// Reads a date of any precision, with or without a time: `2026`, `2026-03-01T`,
    /// `2026-03-01T09:30:00.000+01:00`.
    #[must_use]
    pub fn date_time(text: &str) -> Option<Self> {
        let mut reader = Reader::of(text)?;
        let mut value = reader.calendar(TemporalKind::DateTime)?;
        if reader.eat('T') && !reader.rest.is_empty() {
            if value.precision != Precision::Day {
                return None;
            }
            reader.clock(&mut value)?;
            value.offset_min = reader.zone()?;
        }
        reader.rest.is_empty().then_some(value)
    }

    /// Reads `09`, `09:30`, `09:30:00` or `09:30:00.000`.
    #[must_use]
    pub fn time(text: &str) -> Option<Self> {
        let mut reader = Reader::of(text)?;
        let mut value = Self::least(TemporalKind::Time);
        reader.clock(&mut value)?;
        reader.rest.is_empty().then_some(value)
    }

    /// Which type it has.
    #[must_use]
    pub fn kind(&self) -> TemporalKind {
        self.kind
    }

    /// The last part that is known.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    pub(super) fn least(kind: TemporalKind) -> Self {
        Self {
            kind,
            precision: if kind == TemporalKind::Time { Precision::Hour } else { Precision::Year },
            year: 1,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            fraction_digits: 0,
            offset_min: None,
        }
    }

    /// The date of a date with time; nothing if the value is a time of day.
    pub(super) fn to_date(self) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            return None;
        }
        Some(Self {
            precision: self.precision.min(Precision::Day),
            year: self.year,
            month: self.month,
            day: self.day,
            ..Self::least(TemporalKind::Date)
        })
    }

    /// The time of day of a date with time.
    pub(super) fn to_time(self) -> Option<Self> {
        if self.precision < Precision::Hour {
            return None;
        }
        Some(Self { kind: TemporalKind::Time, year: 1, month: 1, day: 1, offset_min: None, ..self })
    }

    pub(super) fn to_date_time(self) -> Option<Self> {
        (self.kind != TemporalKind::Time).then_some(Self { kind: TemporalKind::DateTime, ..self })
    }

    /// The name of its type in FHIRPath.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            TemporalKind::Date => "Date",
            TemporalKind::DateTime => "DateTime",
            TemporalKind::Time => "Time",
        }
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision < Precision::Hour {
                return Ok(());
            }
            f.write_str("T")?;
        }
        write!(f, "{:02}", self.hour)?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
            if self.fraction_digits > 0 {
                let nanos = format!("{:09}", self.nanos);
                write!(f, ".{}", nanos.get(..usize::from(self.fraction_digits)).unwrap_or(&nanos))?;
            }
        }
        match self.offset_min {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// Nothing of a text that is longer than any date: each value is read whenever it is used.
    fn of(text: &'t str) -> Option<Self> {
        (text.len() <= MAX_TEMPORAL_BYTES).then_some(Self { rest: text })
    }

    fn eat(&mut self, mark: char) -> bool {
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn number(&mut self, digits: usize, most: u32) -> Option<u32> {
        let text = self.rest.get(..digits).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        self.rest = self.rest.get(digits..)?;
        text.parse().ok().filter(|number| *number <= most)
    }

    fn calendar(&mut self, kind: TemporalKind) -> Option<Temporal> {
        let mut value = Temporal::least(kind);
        let year = self.number(4, 9999).filter(|year| *year > 0)?;
        value.year = i32::try_from(year).ok()?;
        if self.eat('-') {
            value.month = self.number(2, 12).filter(|month| *month > 0)?;
            value.precision = Precision::Month;
            if self.eat('-') {
                let most = days_in_month(year, value.month);
                value.day = self.number(2, most).filter(|day| *day > 0)?;
                value.precision = Precision::Day;
            }
        }
        Some(value)
    }

    fn clock(&mut self, value: &mut Temporal) -> Option<()> {
        value.hour = self.number(2, 23)?;
        value.precision = Precision::Hour;
        if self.eat(':') {
            value.minute = self.number(2, 59)?;
            value.precision = Precision::Minute;
            if self.eat(':') {
                // FHIR allows :60 for a leap second.
                value.second = self.number(2, 60)?;
                value.precision = Precision::Second;
                if self.eat('.') {
                    self.fraction(value)?;
                }
            }
        }
        Some(())
    }

    fn fraction(&mut self, value: &mut Temporal) -> Option<()> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let digits = self.rest.get(..end).filter(|digits| !digits.is_empty())?;
        self.rest = self.rest.get(end..)?;
        // Beyond nanoseconds nothing that people enter differs.
        let kept: String = digits.chars().take(9).collect();
        value.fraction_digits = u8::try_from(kept.len()).ok()?;
        value.nanos = format!("{kept:0<9}").parse().ok()?;
        Some(())
    }

    /// The outer option is a fault, the inner one says whether there is a zone.
    #[expect(clippy::option_option, reason = "a broken zone is not an absent one")]
    fn zone(&mut self) -> Option<Option<i32>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        if self.eat('Z') {
            return Some(Some(0));
        }
        let sign = if self.eat('-') {
            -1
        } else if self.eat('+') {
            1
        } else {
            return None;
        };
        let hours = i32::try_from(self.number(2, 14)?).ok()?;
        if !self.eat(':') {
            return None;
        }
        let minutes = i32::try_from(self.number(2, 59)?).ok()?;
        Some(Some(sign * (hours * 60 + minutes)))
    }
}
