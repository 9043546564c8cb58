//! Where a participant stood over time, by what was written about participation and consent.
//!
//! An end is an end: what was written before it, or by somebody who had not seen it, does not take it back.
//! Only staff who had seen it do, with a later word. Consent that was withdrawn is an end like leaving.
//! No word begins outside the time at which it can have been written, and the first one says nothing of what
//! was before it: who has a device and was asked took part until somebody said that they do not. One that is
//! declared void held until then.

use super::causes::Causes;
use super::evidence::Evidence;
use super::local_day::Here;
use ward_crypto::Role;
use ward_forms::schedule::{EndReason, Participation, Standing};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    ChartTimes, ChartView, ConsentStatus, EntryTime, FieldState, ParticipationState, ResponseStatus, Thread,
    Value, Written,
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

/// What was ever said of where a participant stands.
#[derive(Default)]
struct Words {
    /// What nothing replaced.
    standing: Vec<Word>,
    /// What was replaced by another word.
    replaced: Vec<Word>,
    /// What was declared void.
    void: Vec<VoidWord>,
}

/// A word that was declared void: until that could be known, it held.
#[derive(Clone, Copy)]
struct VoidWord {
    word: Word,
    /// From when it could be known that it is void.
    until: TimestampMs,
    /// When that was written.
    written: TimestampMs,
}

impl VoidWord {
    /// Whether it held at an instant.
    fn is_believed_at(&self, at: TimestampMs) -> bool {
        self.word.from <= at && at < self.until
    }
}

/// Where a participant stood over time; and the same as far as it had been said by then: no word reaches back
/// behind the time at which it was written, and none is gone because another one replaced it later.
pub(super) fn participations(
    view: &ChartView<'_>,
    (times, evidence): (&ChartTimes<'_>, &Evidence<'_, '_>),
    here: Option<&Here>,
) -> (Participation, Participation) {
    let Words { standing, replaced, void } = words(view, times, evidence);
    let as_said = |word: &Word| Word { from: word.from.max(word.counted), ..*word };
    let said = standing.iter().chain(&replaced).map(as_said).collect();
    let void_as_said = |void: &VoidWord| VoidWord { word: as_said(&void.word), until: void.written, ..*void };
    let said_void: Vec<VoidWord> = void.iter().map(void_as_said).collect();
    let has_end = standing.iter().chain(&replaced).any(Word::is_end);
    let causes = has_end.then(|| Causes::of(view));
    let begins = Signs::of(view, times).could_be_asked(view, here);
    let over = |words, void: &[VoidWord]| participation(words, void, causes.as_ref()).beginning(begins);
    (over(standing, &void), over(said, &said_void))
}

fn participation(mut words: Vec<Word>, void: &[VoidWord], causes: Option<&Causes<'_>>) -> Participation {
    words.sort_by_key(|word| (word.from, word.order));
    let takes_back = |word: &Word, end: &Word| {
        word.is_staff && causes.is_some_and(|causes| causes.follows(word.order.1, end.order.1))
    };
    let holds = |word: &&Word| {
        let before = |end: &&Word| end.is_end() && end.from <= word.from;
        word.is_end() || words.iter().filter(before).all(|end| takes_back(word, end))
    };
    let held: Vec<&Word> = words.iter().filter(holds).collect();
    let mut changes: Vec<(TimestampMs, Standing)> =
        held.iter().map(|word| (word.from, word.standing)).collect();
    let without = Participation::new(changes.iter().copied());
    // While it was believed, the participant was asked by it.
    for VoidWord { word, until, .. } in void.iter().filter(|void| void.word.from < void.until) {
        let age = |word: &Word| (word.from, word.order);
        let newest_held = held.iter().filter(|word| word.from <= *until).map(|word| age(word)).max();
        // Another one may be believed still.
        let others = void.iter().filter(|other| other.is_believed_at(*until)).map(|other| other.word);
        let believed = others.max_by_key(age).filter(|other| Some(age(other)) > newest_held);
        changes.push((word.from, word.standing));
        changes.push((*until, believed.map_or_else(|| without.at(*until), |other| other.standing)));
    }
    Participation::new(changes)
}

/// The words of a chart.
fn words(view: &ChartView<'_>, times: &ChartTimes<'_>, evidence: &Evidence<'_, '_>) -> Words {
    let mut out = Words::default();
    for thread in view.participation() {
        out.take(thread, (times, evidence), |written| {
            let standing = match written.value.state {
                ParticipationState::Screened => Standing::NotYet,
                ParticipationState::Active => Standing::Active,
                ParticipationState::Paused => Standing::Paused,
                ParticipationState::Withdrawn => Standing::Ended(EndReason::Withdrawn),
                ParticipationState::Completed => Standing::Ended(EndReason::Completed),
            };
            Some(word(written, times, written.value.from, standing))
        });
    }
    for thread in view.consents() {
        out.take(thread, (times, evidence), |written| {
            let is_withdrawn = written.value.status == ConsentStatus::Withdrawn;
            let ended = Standing::Ended(EndReason::Withdrawn);
            is_withdrawn.then(|| word(written, times, written.captured_at(), ended))
        });
    }
    out
}

impl Words {
    fn take<P: Value>(
        &mut self,
        thread: &Thread<'_, P>,
        (times, evidence): (&ChartTimes<'_>, &Evidence<'_, '_>),
        word: impl Fn(&Written<'_, P>) -> Option<Word>,
    ) {
        self.standing.extend(thread.current.iter().filter_map(&word));
        let mut replaced: Vec<&Written<'_, P>> = thread.past.iter().collect();
        replaced.sort_by_key(|written| written.order());
        if let FieldState::Voided(void) = thread.state() {
            let last = replaced.pop().and_then(&word);
            let (until, written) = (evidence.known_at(void), counted_at(void, times));
            self.void.extend(last.map(|word| VoidWord { word, until, written }));
        }
        self.replaced.extend(replaced.into_iter().filter_map(&word));
    }
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
