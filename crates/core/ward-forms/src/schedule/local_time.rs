//! A time on the wall clock, to the minute.

use crate::limits::MINUTES_PER_DAY;
use minicbor::{Decode, Encode};
use std::fmt;

/// A time on the wall clock of the place where a participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct LocalTime(#[n(0)] u16);

impl LocalTime {
    /// The start of a day.
    pub const MIDNIGHT: Self = Self(0);

    /// A time; `None` where no clock shows it.
    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// Reads `hh:mm`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let part = |part: &str| {
            let is_plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| is_plain)
        };
        Self::new(part(hour)?, part(minute)?)
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// Whether it is within a day: foreign bytes may say otherwise.
    pub(super) const fn is_on_a_clock(self) -> bool {
        self.0 < MINUTES_PER_DAY
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in ["00:00", "07:05", "23:59"] {
            assert_eq!(LocalTime::parse(text).map(|time| time.to_string()).as_deref(), Some(text));
        }
        for odd in ["", "7:05", "24:00", "12:60", "12:5", "+1:00", "12:00:00", "1２:00"] {
            assert_eq!(LocalTime::parse(odd), None, "{odd}");
        }
    }
}
