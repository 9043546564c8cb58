//! Where a participant stood over time, by what was written about participation and consent.
//!
//! An end is an end: what was written before it, or by somebody who had not seen it, does not take it back.
//! Only staff who had seen it do, with a later word. Consent that was withdrawn is an end like leaving.
//! No word begins outside the time at which it can have been written.

use super::causes::Causes;
use super::local_day::Here;
use ward_crypto::Role;
use ward_forms::schedule::{EndReason, Participation, Standing};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    ChartTimes, ChartView, ConsentStatus, EntryTime, ParticipationState, ResponseStatus, Written,
};

/// One word about where the participant stands.
#[derive(Clone, Copy)]
struct Word {
    from: TimestampMs,
    /// When it counts as written.
    counted: TimestampMs,
    order: (u64, EntryId),
    standing: Standing,
    is_staff: bool,
}

impl Word {
    const fn is_end(&self) -> bool {
        matches!(self.standing, Standing::Ended(_))
    }
}

/// Where a participant stood over time; and the same as far as it had been said by then: no word reaches back
/// behind the time at which it was written.
pub(super) fn participations(
    view: &ChartView<'_>,
    times: &ChartTimes<'_>,
    here: Option<&Here>,
) -> (Participation, Participation) {
    let words = words(view, times);
    let said = words.iter().map(|word| Word { from: word.from.max(word.counted), ..*word }).collect();
    let causes = words.iter().any(Word::is_end).then(|| Causes::of(view));
    let signs = Signs::of(view, times);
    let begins = signs.could_be_asked(view, here);
    let over = |words| participation(words, causes.as_ref(), &signs, begins);
    (over(words), over(said))
}

fn participation(
    mut words: Vec<Word>,
    causes: Option<&Causes<'_>>,
    signs: &Signs,
    begins: TimestampMs,
) -> Participation {
    words.sort_by_key(|word| (word.from, word.order));
    let takes_back = |word: &Word, end: &Word| {
        word.is_staff && causes.is_some_and(|causes| causes.follows(word.order.1, end.order.1))
    };
    let holds = |word: &&Word| {
        let before = |end: &&Word| end.is_end() && end.from <= word.from;
        word.is_end() || words.iter().filter(before).all(|end| takes_back(word, end))
    };
    let mut changes: Vec<(TimestampMs, Standing)> =
        words.iter().filter(holds).map(|word| (word.from, word.standing)).collect();
    match changes.first().copied() {
        Some((_, Standing::NotYet)) => changes.insert(0, (TimestampMs(i64::MIN), Standing::NotYet)),
        Some((from, Standing::Active)) => {
            // Who answers takes part, whenever the site writes it down.
            let from = signs.first_answer.map_or(from, |answered| answered.min(from));
            changes.insert(0, (TimestampMs(i64::MIN), Standing::NotYet));
            changes.insert(1, (from, Standing::Active));
        }
        _ => {}
    }
    Participation::new(changes).beginning(begins)
}

/// The words of a chart.
fn words(view: &ChartView<'_>, times: &ChartTimes<'_>) -> Vec<Word> {
    let told = view.participation().iter().flat_map(|thread| &thread.current).map(|written| {
        let standing = match written.value.state {
            ParticipationState::Screened => Standing::NotYet,
            ParticipationState::Active => Standing::Active,
            ParticipationState::Paused => Standing::Paused,
            ParticipationState::Withdrawn => Standing::Ended(EndReason::Withdrawn),
            ParticipationState::Completed => Standing::Ended(EndReason::Completed),
        };
        word(written, times, written.value.from, standing)
    });
    let consents = view.consents().iter().flat_map(|thread| &thread.current);
    let withdrawn = consents.filter(|written| written.value.status == ConsentStatus::Withdrawn);
    let withdrawn = withdrawn
        .map(|written| word(written, times, written.captured_at(), Standing::Ended(EndReason::Withdrawn)));
    told.chain(withdrawn).collect()
}

/// A word with the instant from which it counts. By as much as its author's clock was off, so is what it
/// says; and what a participant writes of themselves reaches back to no earlier time.
fn word<P>(written: &Written<'_, P>, times: &ChartTimes<'_>, from: TimestampMs, standing: Standing) -> Word {
    let counted = counted_at(written, times);
    let from = from.plus_ms(counted.since_ms(written.captured_at()));
    let is_staff = written.author.role.is_staff();
    let from = if is_staff { from } else { from.max(counted) };
    Word { from, counted, order: written.order(), standing, is_staff }
}

/// When an entry counts as written.
pub(super) fn counted_at<P>(written: &Written<'_, P>, times: &ChartTimes<'_>) -> TimestampMs {
    times.get(written.id()).map_or_else(|| written.captured_at(), EntryTime::counted_at)
}

/// What shows that somebody was there to be asked.
struct Signs {
    first_own_entry: Option<TimestampMs>,
    first_answer: Option<TimestampMs>,
}

impl Signs {
    fn of(view: &ChartView<'_>, times: &ChartTimes<'_>) -> Self {
        let own = view.timeline().iter().filter(|item| {
            item.place.stands() && item.author.is_some_and(|author| author.role == Role::Patient)
        });
        let first_own_entry =
            own.filter_map(|item| times.get(item.entry.id()).map(EntryTime::counted_at)).min();
        let threads = view.responses().values().flatten();
        let versions = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
        let finished = versions.filter(|written| written.value.status() != ResponseStatus::Draft);
        Self { first_own_entry, first_answer: finished.map(|written| counted_at(written, times)).min() }
    }

    /// From when the participant could be asked at all: since they had a device, or somebody interviewed
    /// them. Of whom there is no sign nothing is owed, however long.
    fn could_be_asked(&self, view: &ChartView<'_>, here: Option<&Here>) -> TimestampMs {
        let own = here.filter(|here| here.is_participants).and_then(|here| here.seen.first());
        let own = own.map(|(at, _)| *at);
        let signs = [view.participant_since(), self.first_own_entry, self.first_answer, own];
        signs.into_iter().flatten().min().unwrap_or(TimestampMs(i64::MAX))
    }
}
