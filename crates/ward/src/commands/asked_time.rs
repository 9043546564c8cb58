//! Which planned time is answered: the one that was named, or the one that waits. Nothing is guessed where a
//! schedule can be read: who answers when nothing waits is told what they can do.

use super::due::{answer_command, planning_of};
use super::unfinished::instrument_of;
use crate::exit::{Failure, Kind};
use crate::home::from_client;
use crate::limits::AFTER_MIDNIGHT_MIN;
use crate::planned_words::planned_words;
use crate::print::shown;
use std::io::{BufRead, Write};
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::calendar::iso_day;
use ward_client::views::{ChartForms, PlannedInstrument, Planning, local_day, local_instant};
use ward_forms::Questionnaire;
use ward_forms::schedule::{Excuse, Occurrence, OccurrenceName, OccurrenceState};
use ward_id::{ChartId, TimestampMs};
use ward_sync::Instrument;

/// Puts a question to whoever sits at the terminal.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Result<String, Failure>;

/// A planned time with the questionnaire that is asked then.
pub struct AskedTime {
    /// The questionnaire.
    pub instrument: Instrument,
    /// The same, read.
    pub form: Questionnaire,
    /// The planned time.
    pub occurrence: String,
}

/// One planned time of one questionnaire.
struct Choice<'p, 'v> {
    planned: &'p PlannedInstrument<'v>,
    time: Occurrence,
}

impl Choice<'_, '_> {
    fn name(&self) -> String {
        self.time.name.to_string()
    }

    fn words(&self) -> String {
        let late = if self.time.state == OccurrenceState::Late { " (late)" } else { "" };
        format!("{}{late}", planned_words(&self.name()))
    }
}

/// The planned time that is answered now.
///
/// # Errors
/// When none waits, it is not clear which, or its questionnaire cannot be read.
pub fn asked_time(
    client: &NativeClient,
    chart: ChartId,
    (url, named): (Option<&str>, Option<&str>),
    ask: Option<Ask<'_>>,
) -> Result<AskedTime, Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let now = client.environment().wall();
    let planning = planning_of(client, &view)?;
    let desk = Desk {
        planning: &planning,
        forms: &ChartForms::of(&view),
        now,
        zone: &client.environment().zone(),
        url,
    };
    if desk.instruments().next().is_none() {
        // There is nothing to go by: the day itself, and it is said.
        let (instrument, form) = instrument_of(client, chart, url)
            .map_err(|failure| why_none(failure, url.is_some(), desk.why_nothing_counts()))?;
        let occurrence = named.map_or_else(|| iso_day(local_day(desk.zone, now)), str::to_owned);
        return Ok(AskedTime { instrument, form, occurrence });
    }
    let choice = match named {
        Some(named) => desk.named(named)?,
        None => desk.waiting(ask)?,
    };
    let unplanned =
        || Failure::fault("The questionnaire of this time is not known", "its schedule has no entry");
    let instrument = choice.planned.instrument_of(&choice.time).ok_or_else(unplanned)?.clone();
    let form = Questionnaire::parse(&instrument.questionnaire).map_err(|error| {
        Failure::input("The questionnaire cannot be read", error, "tell your site; it must publish it again")
    })?;
    Ok(AskedTime { instrument, form, occurrence: choice.name() })
}

struct Desk<'p, 'v> {
    planning: &'p Planning<'v>,
    forms: &'p ChartForms,
    now: TimestampMs,
    zone: &'p str,
    url: Option<&'p str>,
}

impl<'p, 'v> Desk<'p, 'v> {
    /// The questionnaires in question.
    fn instruments(&self) -> impl Iterator<Item = &'p PlannedInstrument<'v>> + '_ {
        self.planning.instruments.iter().filter(|planned| self.url.is_none_or(|url| planned.url == url))
    }

    fn several(&self) -> bool {
        self.planning.instruments.len() > 1
    }

    fn times(&self) -> Vec<Choice<'p, 'v>> {
        let of = |planned: &'p PlannedInstrument<'v>| {
            let list = self.planning.due_list(planned, self.now, 0);
            list.occurrences.into_iter().map(move |time| Choice { planned, time })
        };
        self.instruments().flat_map(of).collect()
    }

    /// A planned time that was named, if a schedule knows it and it has come.
    fn named(&self, named: &str) -> Result<Choice<'p, 'v>, Failure> {
        let mut found = self.times();
        found.retain(|choice| choice.name() == named && choice.time.opens_at <= self.now);
        self.only(found)?.ok_or_else(|| {
            Failure::new(
                Kind::Usage,
                format!("Nothing is planned for {named}"),
                "the schedule has no such time, or it is still to come",
                "use a name that `ward due` shows",
            )
        })
    }

    /// The only questionnaire's choice, the first if there are several of it.
    fn only(&self, found: Vec<Choice<'p, 'v>>) -> Result<Option<Choice<'p, 'v>>, Failure> {
        let mut commands: Vec<String> = Vec::new();
        for choice in &found {
            let command = answer_command(choice.planned.url, &choice.name(), true);
            let title = self.forms.title(choice.planned.url);
            commands.push(format!("{title}, {}: {command}", choice.words()));
        }
        let is_one =
            found.iter().all(|one| found.first().is_some_and(|first| first.planned.url == one.planned.url));
        if is_one {
            return Ok(found.into_iter().next());
        }
        Err(Failure::new(Kind::Usage, "Which questionnaire?", "several wait", commands.join("; ")))
    }

    /// What waits: what is in time before what is late, and then what closes first.
    fn waiting(&self, ask: Option<Ask<'_>>) -> Result<Choice<'p, 'v>, Failure> {
        let mut due = self.times();
        due.retain(|choice| choice.time.state.is_due());
        due.sort_by_key(|choice| (choice.time.state == OccurrenceState::Late, choice.time.closes_at));
        let (today, time) = self.planning.calendar().shown_at(self.now);
        let names: Vec<&OccurrenceName> = due.iter().map(|choice| &choice.time.name).collect();
        let yesterday = yesterday_shortly_after_midnight(today, time.minutes(), &names);
        let Some(first) = self.only(due)? else { return Err(self.nothing_waits()) };
        let (Some(ask), Some(yesterday)) = (ask, yesterday) else { return Ok(first) };
        let question = format!(
            "It is shortly after midnight, and two days wait.\n  Enter answers for {}; 'y' for {} > ",
            first.words(),
            planned_words(&yesterday)
        );
        match ask(&question)?.trim() {
            "y" | "Y" => self.named(&yesterday),
            _ => Ok(first),
        }
    }

    /// Why nothing waits, and what can be done.
    fn nothing_waits(&self) -> Failure {
        let times = self.times();
        let is_now = |one: &&Choice<'_, '_>| one.time.opens_at <= self.now && self.now < one.time.closes_at;
        let next = self.next_time();
        let answered = times.iter().rev().find(|one| is_now(one) && one.time.state.answer().is_some());
        if let Some((choice, answer)) =
            answered.and_then(|one| Some((one, one.planned.answer_of(&one.time)?)))
        {
            return Failure::new(
                Kind::No,
                format!("{} is answered already", choice.words()),
                next.unwrap_or_else(|| "nothing else waits".to_owned()),
                format!("`ward answer --amend {}` corrects it, with --reason", answer.entry),
            );
        }
        let resting = times.iter().rev().find_map(|one| match one.time.state {
            OccurrenceState::NotOwed(excuse) if is_now(&one) => Some((one, excuse)),
            _ => None,
        });
        if let Some((choice, excuse)) = resting {
            let command = answer_command(choice.planned.url, &choice.name(), self.several());
            return Failure::new(
                Kind::No,
                "Nothing is asked for now",
                why_not_asked(excuse),
                format!("to answer for {} all the same: {command}", choice.words()),
            );
        }
        if let Some(failure) = self.why_nothing_counts() {
            return failure;
        }
        let missed = times.iter().filter(|one| one.time.state == OccurrenceState::Missed);
        if let Some(choice) = missed.max_by_key(|one| one.time.closes_at) {
            let command = answer_command(choice.planned.url, &choice.name(), self.several());
            let closed = format!("the time for {} is over", choice.words());
            let why = next.map_or_else(|| closed.clone(), |next| format!("{closed}; {next}"));
            let how = format!("{command} gives it all the same; it counts as after its close");
            return Failure::new(Kind::No, "Nothing waits for answers now", why, how);
        }
        let why = next.unwrap_or_else(|| "nothing is planned any more".to_owned());
        Failure::new(Kind::No, "Nothing waits for answers now", why, "`ward due` shows what is planned")
    }

    /// That what the site planned does not count, or not yet, if that is so.
    fn why_nothing_counts(&self) -> Option<Failure> {
        let Planning { being_checked, not_trusted, .. } = self.planning;
        match (being_checked.is_empty(), not_trusted.is_empty()) {
            (false, _) => Some(is_being_checked()),
            (true, false) => Some(must_plan_again()),
            (true, true) => None,
        }
    }

    /// What opens next, in words.
    fn next_time(&self) -> Option<String> {
        let ahead =
            |planned: &'p PlannedInstrument<'v>| self.planning.due_list(planned, self.now, 62).occurrences;
        let coming = self.instruments().flat_map(ahead).filter(|one| one.state == OccurrenceState::Upcoming);
        let next = coming.min_by_key(|one| one.opens_at)?;
        let opens = local_instant(self.zone, next.opens_at);
        Some(format!("the next one, {}, opens at {opens}", planned_words(&next.name.to_string())))
    }
}

/// Why there is no questionnaire. What the site planned is in nobody's way who has one, or who named one.
fn why_none(failure: Failure, is_named: bool, why_nothing_counts: Option<Failure>) -> Failure {
    let is_missing = failure.kind() == Kind::NotNow && !is_named;
    why_nothing_counts.filter(|_| is_missing).unwrap_or(failure)
}

/// A schedule, or a word about participation, came of a device of the site that was lost, and nobody has said
/// yet whether it counts.
fn is_being_checked() -> Failure {
    Failure::new(
        Kind::NotNow,
        "What your site planned for you is being checked",
        "the device of the site that wrote it down was lost",
        "ask your site; `ward sync` shows when it counts again",
    )
}

/// It came of a device of the site that is not trusted any more.
fn must_plan_again() -> Failure {
    Failure::new(
        Kind::NotNow,
        "What your site planned for you does not count any more",
        "the device of the site that wrote it down is not trusted any more",
        "ask your site, which must plan again; `ward sync` shows when it has",
    )
}

/// The name of yesterday's planned time, if today's waits first, and today has only begun.
fn yesterday_shortly_after_midnight(today: i64, minutes: u16, due: &[&OccurrenceName]) -> Option<String> {
    let is_of = |name: &OccurrenceName, wanted: i64| matches!(name, OccurrenceName::Day { day, .. } if *day == wanted);
    let first = due.first()?;
    if minutes >= AFTER_MIDNIGHT_MIN || !is_of(first, today) {
        return None;
    }
    let yesterday = due.iter().rev().find(|name| is_of(name, today.saturating_sub(1)));
    yesterday.map(ToString::to_string)
}

const fn why_not_asked(excuse: Excuse) -> &'static str {
    match excuse {
        Excuse::NotYet => "you do not take part yet, as your site wrote it down",
        Excuse::Paused => "you are pausing, as your site wrote it down",
        Excuse::Ended(_) => "you have left or finished, as it was written down",
        Excuse::TakenBack => "your site took this schedule back",
        Excuse::KeptAside => "answers of a lost device are kept aside for it, and your site looks at them",
        Excuse::NoTime | Excuse::PlannedTooLate => "its time was over before you could be asked",
    }
}

/// Asks in the terminal.
///
/// # Errors
/// When the terminal cannot be used.
pub fn ask_line(
    question: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<String, Failure> {
    let unusable = |error| Failure::fault("The terminal cannot be used", error);
    output.write_all(shown(question).as_bytes()).and_then(|()| output.flush()).map_err(unusable)?;
    let mut line = String::new();
    input.read_line(&mut line).map_err(unusable)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_checked_is_said_only_where_there_is_nothing_else() {
        let nothing = || Failure::new(Kind::NotNow, "There is nothing to answer", "none", "sync");
        let which = Failure::new(Kind::Usage, "Which questionnaire?", "two", "name one");
        let shown = |failure: Failure| failure.to_string();
        assert!(shown(why_none(nothing(), false, Some(is_being_checked()))).contains("is being checked"));
        assert!(shown(why_none(nothing(), false, Some(must_plan_again()))).contains("any more"));
        assert!(shown(why_none(nothing(), true, Some(is_being_checked()))).contains("nothing to answer"));
        assert!(shown(why_none(nothing(), false, None)).contains("nothing to answer"));
        assert!(shown(why_none(which, false, Some(is_being_checked()))).contains("Which questionnaire?"));
    }

    #[test]
    fn shortly_after_midnight_it_is_asked_which_day_is_meant() {
        let [monday, tuesday] = [20_514, 20_515].map(|day| OccurrenceName::Day { day, slot: 1 });
        let visit = OccurrenceName::Visit { item: "baseline".to_owned() };
        let asked = |minutes, due: &[&OccurrenceName]| yesterday_shortly_after_midnight(20_515, minutes, due);
        assert_eq!(asked(10, &[&tuesday, &visit, &monday]).as_deref(), Some("2026-03-02"));
        assert_eq!(asked(AFTER_MIDNIGHT_MIN, &[&tuesday, &monday]), None, "by then it is plain");
        assert_eq!(asked(10, &[&tuesday]), None, "yesterday is answered");
        assert_eq!(asked(10, &[&monday]), None, "today is answered");
        let mut shown = Vec::new();
        assert_eq!(ask_line("Which? > ", &mut "y\n".as_bytes(), &mut shown).unwrap(), "y\n");
        assert_eq!(shown, b"Which? > ");
    }
}
