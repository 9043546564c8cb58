//! The trail as text for people, at most 80 columns wide.

use super::trail::{Trail, TrailEntry};
use super::trail_words::{
    author_words, between_words, delivery_words, duration_words, fault_words, place_words, returned_words,
};
use crate::limits::TRAIL_COLUMNS;
use crate::views::calendar::{iso_day, plain_minute};
use crate::views::plain_line;
use ward_sync::{Accounting, BoundedBy, DeliveryState, Place, TimeClaim};

/// Blanks before the parts of an entry.
const INDENT: usize = 4;

/// The trail as text.
pub fn trail_text(trail: &Trail) -> String {
    let mut out = String::new();
    line(&mut out, 0, &format!("Trail of chart {}", plain_line(&trail.label)));
    line(&mut out, 0, &format!("Chart {}", trail.chart));
    line(&mut out, 0, &format!("Made {} by the clock of this device", plain_minute(trail.made_at)));
    for entry in &trail.entries {
        out.push('\n');
        push_entry(&mut out, entry);
    }
    out.push('\n');
    totals(&mut out, trail);
    out
}

fn push_entry(out: &mut String, entry: &TrailEntry) {
    let time = &entry.time;
    line(
        out,
        0,
        &format!("{}. {}, {} ({})", entry.number, entry.kind.name(), time.local, plain_line(&time.zone)),
    );
    line(out, INDENT, &format!("by {}", plain_line(&author_words(&entry.author))));
    for change in &entry.changes {
        let field = plain_line(&change.field);
        let now = change.new.as_deref().map_or_else(|| "(taken away)".to_owned(), plain_line);
        let text = if change.old.is_empty() {
            format!("{field}: {now}")
        } else {
            let old: Vec<String> = change.old.iter().map(|old| plain_line(old)).collect();
            format!("{field}: {} -> {now}", old.join(" | "))
        };
        line(out, INDENT, &text);
    }
    if let Some(reason) = &entry.reason {
        line(out, INDENT, &format!("because: {}", plain_line(reason)));
    }
    push_time(out, entry);
    let mut stands = place_words(entry.place).to_owned();
    if entry.forked {
        stands.push_str("; its device signed two histories");
    }
    line(out, INDENT, &format!("stands: {stands}"));
    if let Some((carrier, by)) = &entry.carried_by {
        let what = if matches!(entry.place, Place::Quarantined(_)) { "brought" } else { "taken over" };
        line(out, INDENT, &format!("{what} by {} with entry {carrier}", plain_line(&author_words(by))));
    }
    let place = match (entry.olog_index, entry.place_proved) {
        (Some(index), true) => format!("; place {index} of the operation log, proved"),
        (Some(index), false) => format!("; place {index} of the operation log, by the server's word"),
        (None, true) => "; proved to stand in the operation log".to_owned(),
        (None, false) => String::new(),
    };
    line(out, INDENT, &format!("{}{place}", delivery_words(entry.delivery)));
    if let Some(returned) = &entry.returned {
        returned_words(returned).iter().for_each(|words| line(out, INDENT, &plain_line(words)));
    }
    for replaced in &entry.replaces {
        line(out, INDENT, &format!("replaces {replaced}"));
    }
    line(out, INDENT, &format!("entry {}", entry.entry));
}

fn push_time(out: &mut String, entry: &TrailEntry) {
    let time = &entry.time;
    if let Some(before) = &time.zone_before {
        line(out, INDENT, &format!("time zone was {} before", plain_line(before)));
    }
    let server = between_words(time.earliest, time.latest);
    let witnesses = between_words(time.witnessed_after, time.witnessed_before);
    for (between, whose) in [(server, "the server's"), (witnesses, "the witnesses'")] {
        if let Some(between) = between {
            line(out, INDENT, &format!("written {between}, by {whose} word"));
        }
    }
    if time.bounded_by == BoundedBy::Nobody {
        line(out, INDENT, "time: the device's word alone");
    }
    if time.claim == TimeClaim::Suspect {
        let why: Vec<String> = time.faults.iter().map(|fault| fault_words(*fault)).collect();
        line(out, INDENT, &format!("time-suspect: {}", why.join("; ")));
    }
    line(
        out,
        INDENT,
        &format!(
            "clockwork: boot {:016x}, {} after it began",
            time.evidence.boot_id,
            duration_words(time.evidence.monotonic_ms)
        ),
    );
}

fn totals(out: &mut String, trail: &Trail) {
    line(out, 0, &accounting_words(&trail.accounting));
    let mut came: Vec<String> = Vec::new();
    for state in [DeliveryState::SavedHere, DeliveryState::Received, DeliveryState::Opened] {
        came.push(format!("{} {}", trail.delivered(state), delivery_words(state)));
    }
    line(out, 0, &format!("Of these: {}.", came.join(", ")));
    line(out, 0, &format!("Times that do not fit: {}.", trail.suspects()));
    for missing in &trail.missing {
        line(out, 0, &format!("Missing here, though others name it: {missing}"));
    }
    for waiting in &trail.waiting_accesses {
        line(
            out,
            0,
            &format!(
                "Read on this device on {}, {} times ({}); not written into the chart yet.",
                iso_day(waiting.day),
                waiting.count,
                super::place_words::purpose_words(waiting.purpose)
            ),
        );
    }
}

/// The accounting identity in words.
pub(super) fn accounting_words(accounting: &Accounting) -> String {
    let Accounting {
        total,
        visible,
        superseded,
        in_conflict,
        parked,
        quarantined,
        unknown_kind,
        invalid,
        not_permitted,
    } = accounting;
    format!(
        "{total} entries = {visible} hold + {superseded} replaced + {in_conflict} in conflict + {parked} waiting + \
         {quarantined} kept aside + {unknown_kind} of a newer version + {invalid} unreadable + {not_permitted} \
         not permitted"
    )
}

/// Adds a text, broken between words so that no line is wider than the limit.
fn line(out: &mut String, indent: usize, text: &str) {
    let blanks = " ".repeat(indent);
    // Continued lines stand a little further in.
    let deeper = " ".repeat(indent + 2);
    let mut current = blanks.clone();
    let mut empty = true;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let used = current.chars().count() + usize::from(!empty);
            let left = TRAIL_COLUMNS.saturating_sub(used);
            if word.len() <= left {
                if !empty {
                    current.push(' ');
                }
                current.extend(word.iter());
                empty = false;
                break;
            }
            if empty {
                // A word that no line holds is cut.
                let rest = word.split_off(left.max(1).min(word.len()));
                current.extend(word.iter());
                word = rest;
            }
            out.push_str(current.trim_end());
            out.push('\n');
            current.clone_from(&deeper);
            empty = true;
            if word.is_empty() {
                break;
            }
        }
    }
    if !empty {
        out.push_str(current.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_nothing_is_left_out() {
        let long = "x".repeat(200);
        for text in
            ["short", "a few words that stand here", &"word ".repeat(60), &long, &format!("a {long} b")]
        {
            for indent in [0, 4] {
                let mut out = String::new();
                line(&mut out, indent, text);
                assert!(out.lines().all(|line| line.chars().count() <= TRAIL_COLUMNS), "{out}");
                let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                assert_eq!(letters(&out), letters(text));
            }
        }
    }
}
