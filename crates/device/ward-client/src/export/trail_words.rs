//! Words and codes of a trail: plain, and without blame.

use super::returned::Returned;
use super::trail::TrailAuthor;
use super::trail::role_words;
use crate::views::calendar::plain_minute;
use ward_sync::{BoundedBy, DeliveryState, Place, QuarantineReason, TimeClaim, TimeFault};

/// A code for how far an entry came.
pub const fn delivery_code(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::SavedHere => "saved-here",
        DeliveryState::HandedOver => "handed-over",
        DeliveryState::Received => "received",
        DeliveryState::Opened => "opened-at-site",
    }
}

/// How far an entry came, in plain words.
pub const fn delivery_words(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::SavedHere => "saved on this device",
        DeliveryState::HandedOver => "handed to the site, not adopted yet",
        DeliveryState::Received => "received by the server",
        DeliveryState::Opened => "opened at the site",
    }
}

/// A code for whether a claimed time fits.
pub const fn claim_code(claim: TimeClaim) -> &'static str {
    match claim {
        TimeClaim::Unbounded => "unbounded",
        TimeClaim::Plausible => "plausible",
        TimeClaim::Suspect => "time-suspect",
    }
}

/// A code for who bounds a claimed time.
pub const fn bounded_code(by: BoundedBy) -> &'static str {
    match by {
        BoundedBy::Nobody => "nobody",
        BoundedBy::Server => "server",
        BoundedBy::Witnesses => "witnesses",
    }
}

/// A code for what does not fit about a time.
pub const fn fault_code(fault: TimeFault) -> &'static str {
    match fault {
        TimeFault::BeforeWhatWasSeen => "before-what-was-seen",
        TimeFault::AfterArrival => "after-arrival",
        TimeFault::BeforeWitnesses => "before-witnesses",
        TimeFault::AfterWitnesses => "after-witnesses",
        TimeFault::ClockMoved { .. } => "clock-moved",
        TimeFault::ReceiptsContradict => "receipts-contradict",
    }
}

/// What does not fit about a time, in plain words.
pub fn fault_words(fault: TimeFault) -> String {
    match fault {
        TimeFault::BeforeWhatWasSeen => {
            "the clock showed a time before something that had been read already arrived".to_owned()
        }
        TimeFault::AfterArrival => "the clock showed a time after the entry had arrived".to_owned(),
        TimeFault::BeforeWitnesses => {
            "the clock showed a time before the witnesses signed what had been read already".to_owned()
        }
        TimeFault::AfterWitnesses => "the clock showed a time after the witnesses had signed it".to_owned(),
        TimeFault::ClockMoved { by_ms } => format!(
            "the clock was set {} by {} since the entry before",
            if by_ms < 0 { "back" } else { "forward" },
            duration_words(by_ms.unsigned_abs())
        ),
        TimeFault::ReceiptsContradict => {
            "the times that the server wrote down contradict each other".to_owned()
        }
    }
}

/// `3 days 2 hours`: the two largest units.
pub fn duration_words(ms: u64) -> String {
    let minutes = ms / 60_000;
    let parts = [(minutes / 1_440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let named: Vec<String> = parts
        .into_iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if named.is_empty() { "less than a minute".to_owned() } else { named.join(" ") }
}

/// Where an entry stands, in plain words.
pub const fn place_words(place: Place) -> &'static str {
    match place {
        Place::Visible => "holds",
        Place::Superseded => "replaced by a later entry",
        Place::InConflict => "in conflict: several values hold and nobody has chosen",
        Place::Parked => "waits for entries that are missing here",
        Place::Quarantined(QuarantineReason::NoCertificate) => {
            "kept aside: its device has no certificate here"
        }
        Place::Quarantined(QuarantineReason::ToBeAdopted) => {
            "kept aside: its device was reported lost before it arrived; staff may take it over"
        }
        Place::Quarantined(QuarantineReason::Severed) => {
            "kept aside: its device was not trusted any more when it arrived"
        }
        Place::Quarantined(QuarantineReason::BrokenChain) => {
            "kept aside: it does not continue the entry that it names before it"
        }
        Place::Quarantined(QuarantineReason::InstrumentAside) => {
            "kept aside: its questionnaire is kept aside"
        }
        Place::Quarantined(QuarantineReason::ChosenDeclined) => {
            "kept aside: the value that it decided for was declined"
        }
        Place::UnknownKind => "needs a newer version of the program",
        Place::Invalid(_) => "its content cannot be read",
        Place::NotPermitted => "kept without effect: its author's role may not write this",
    }
}

/// Who wrote, in words.
pub(super) fn author_words(author: &TrailAuthor) -> String {
    let who = match (&author.name, author.person) {
        (Some(name), Some(person)) => format!("{name} ({person})"),
        (None, Some(person)) => person.to_string(),
        _ => "nobody known".to_owned(),
    };
    let here = if author.this_device { ", this device" } else { "" };
    format!("{who}, {}, device {}{here}", role_words(author), author.device)
}

/// Between which times something lies, in words; nothing where neither is known.
/// What must be said of an entry in a log that was opened again.
pub(super) fn returned_words(returned: &Returned) -> Vec<String> {
    let mut out = Vec::new();
    if returned.came_after {
        let by: Vec<String> = returned.by.iter().map(author_words).collect();
        let by = if by.is_empty() {
            "nobody wrote down by whom".to_owned()
        } else {
            format!("by {}", by.join("; or "))
        };
        out.push(format!(
            "came after the operation log was opened again ({}): the time of arrival is that of the return, \
             relayed or sent again ({by})",
            returned.log
        ));
    }
    match &returned.receipt {
        Some(receipt) => out.push(format!(
            "received before: {} by a receipt held here, place {} of {}",
            plain_minute(receipt.received_at),
            receipt.index,
            receipt.origin
        )),
        None => out.push("the server may have had it before; no earlier receipt is held here".to_owned()),
    }
    out
}

pub(super) fn between_words(
    after: Option<ward_id::TimestampMs>,
    before: Option<ward_id::TimestampMs>,
) -> Option<String> {
    match (after, before) {
        (Some(after), Some(before)) => {
            Some(format!("after {} and before {}", plain_minute(after), plain_minute(before)))
        }
        (Some(after), None) => Some(format!("after {}", plain_minute(after))),
        (None, Some(before)) => Some(format!("before {}", plain_minute(before))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_two_units() {
        for (minutes, words) in [
            (0, "less than a minute"),
            (1, "1 minute"),
            (61, "1 hour 1 minute"),
            (120, "2 hours"),
            (25 * 60, "1 day 1 hour"),
            (1_440 + 1, "1 day"),
            (365 * 1_440, "365 days"),
        ] {
            assert_eq!(duration_words(minutes * 60_000), words);
        }
        assert!(fault_words(TimeFault::ClockMoved { by_ms: -3_600_000 }).contains("back by 1 hour"));
        assert!(fault_words(TimeFault::ClockMoved { by_ms: i64::MIN }).contains("back by"));
    }
}
