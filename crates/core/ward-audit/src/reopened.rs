//! The names of a log that was opened again. After a restore that lost acknowledged leaves a log
//! goes on under a new origin, `<first origin>/<n>` with n from 2, signed by the same key; its leaf
//! 0 is the last cosigned checkpoint of the log before. So whoever follows the first origin knows
//! the later ones without being told.

use crate::limits::REOPENED_LOGS_MAX;
use crate::note::SignerName;
use alloc::format;
use alloc::string::String;

/// The origin of the `number`-th log that goes by this first origin: the first origin itself for 1.
pub fn reopened_origin(first: &str, number: u32) -> String {
    if number <= 1 { first.into() } else { format!("{first}/{number}") }
}

/// The first origin of a log that was opened again; `None` for any other name.
pub fn first_origin_of(origin: &SignerName) -> Option<SignerName> {
    let (first, number) = origin.as_str().rsplit_once('/')?;
    let value: u32 = number.parse().ok()?;
    // Only the one spelling: no sign, no leading zero.
    let spelled = reopened_origin(first, value) == origin.as_str();
    if spelled && (2..=REOPENED_LOGS_MAX).contains(&value) { first.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_of(origin: &str) -> Option<String> {
        first_origin_of(&origin.parse().unwrap()).map(|name| name.as_str().into())
    }

    #[test]
    fn later_origins_lead_to_the_first_and_nothing_else_does() {
        assert_eq!(reopened_origin("ward.example/00/olog", 1), "ward.example/00/olog");
        for number in [2, REOPENED_LOGS_MAX] {
            let name = reopened_origin("ward.example/00/olog", number);
            assert_eq!(first_of(&name).as_deref(), Some("ward.example/00/olog"), "{name}");
        }
        let past = reopened_origin("a/olog", REOPENED_LOGS_MAX + 1);
        for other in ["a/olog", "a/olog/1", "a/olog/02", "a/olog/x", "olog", past.as_str()] {
            assert_eq!(first_of(other), None, "{other}");
        }
    }
}
