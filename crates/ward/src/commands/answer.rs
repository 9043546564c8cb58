//! `ward answer`: a questionnaire in the terminal or from a file, with or without a network.

use super::answer_file::fill_from_file;
use super::asked_time::{AskedTime, ask_line, asked_time};
use super::time_standing::{TimeStanding, time_standing};
use super::unfinished::{Wanted, discard, go_on_with, list_drafts};
use crate::cli::{AnswerArgs, AnsweredByArg};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use crate::terminal_form::{Ended, ask, say_again};
use serde_json::json;
use ward_client::native::NativeClient;
use ward_client::views::{ChartForms, local_instant};
use ward_client::{DraftKey, Environment as _};
use ward_forms::{
    Answering, LanguageChoice, Questionnaire, QuestionnaireResponse as FormResponse, Surroundings,
};
use ward_id::{ChartId, EntryId};
use ward_sync::{AnsweredBy, Draft, Occurrence, QuestionnaireResponse, ResponseStatus};

/// Answers that are being given.
struct Task {
    key: DraftKey,
    answering: Answering,
    /// What a correction corrects.
    earlier: Option<FormResponse>,
}

/// Asks, checks, and saves the response on this device.
///
/// # Errors
/// When there is no questionnaire, the answers are not complete, or they cannot be saved.
pub async fn run(args: AnswerArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if args.drafts {
        list_drafts(&client, args.chart, out);
        return Ok(());
    }
    if let Some(name) = &args.discard {
        return discard(&mut client, name, out).await;
    }
    let chart = chart_or_only(&client, args.chart)?;
    let mut task = match args.amend {
        Some(entry) => correction(&client, chart, entry, args.answers.is_some())?,
        None => new_answers(&mut client, chart, &args, out).await?,
    };
    task.answering.keep_within(task.key.answer_room());
    say_if_the_clock_is_off(&client, out);
    out.line(time_standing(&client, &task.key)?.words);
    if let Some(tag) = &args.language {
        task.answering.read_in(LanguageChoice::of(tag));
    }
    match &args.answers {
        Some(file) => fill_from_file(&mut task.answering, task.earlier.is_some(), file)?,
        None => {
            if ask_until_complete(&mut client, &mut task, out).await? == Ended::Stopped {
                out.both(
                    "Stopped. What you entered is kept; `ward answer` goes on.",
                    &json!({"saved": false, "draft": true}),
                );
                return Ok(());
            }
        }
    }
    submit(&mut client, task, &args, out).await
}

async fn submit(client: &mut NativeClient, task: Task, args: &AnswerArgs, out: &Out) -> Done {
    let Task { key, answering, earlier } = task;
    let is_from_file = args.answers.is_some();
    if earlier.as_ref().is_some_and(|earlier| answering.says_the_same(earlier)) {
        if !is_from_file {
            client.drop_draft(&key).await.map_err(from_client)?;
        }
        return Err(Failure::new(
            Kind::No,
            "Nothing was corrected",
            "the answers are the same as before, and an entry that corrects nothing is never signed",
            "change an answer, or leave the entry as it is",
        ));
    }
    let response = answering.finish(Some(&now_here(client))).map_err(|findings| {
        let text = findings
            .iter()
            .map(|finding| format!("{}: {}", finding.path, finding.message))
            .collect::<Vec<_>>();
        Failure::input(
            "The answers are not complete",
            text.join(" "),
            "answer what is missing; nothing was sent",
        )
    })?;
    let payload = QuestionnaireResponse {
        instrument_url: key.instrument_url.clone(),
        instrument_version: key.instrument_version.clone(),
        occurrence: Occurrence::new(key.occurrence.clone()),
        status: if earlier.is_some() { ResponseStatus::Amended } else { ResponseStatus::Completed },
        answered_by: answered_by(args.by),
        response: response.to_json(),
    };
    let draft = match (args.amend, &args.reason) {
        (Some(before), Some(reason)) => Draft::amending(payload, before, reason.clone()),
        _ => Draft::new(payload),
    };
    let TimeStanding { words, answered, .. } = time_standing(client, &key)?;
    // What was begun in the terminal is not in the file: it stays.
    let entry = if is_from_file {
        client.capture_draft(key.chart, draft).await
    } else {
        client.submit_draft(&key, draft).await
    }
    .map_err(from_client)?;
    out.both(
        format!("{words}: saved on this device as {entry}. `ward sync` sends it when there is a network."),
        &json!({"saved": true, "chart": key.chart, "entry": entry, "occurrence": key.occurrence,
            "answered_already": answered}),
    );
    Ok(())
}

const fn answered_by(by: AnsweredByArg) -> AnsweredBy {
    match by {
        AnsweredByArg::Self_ => AnsweredBy::Self_,
        AnsweredByArg::WithHelp => AnsweredBy::WithHelp,
        AnsweredByArg::Interview => AnsweredBy::Interview,
    }
}

/// New answers: those of what is due now, or earlier ones that were begun and not finished.
async fn new_answers(
    client: &mut NativeClient,
    chart: ChartId,
    args: &AnswerArgs,
    out: &Out,
) -> Result<Task, Failure> {
    let named = (args.instrument.as_deref(), args.occurrence.as_deref());
    if args.answers.is_some() {
        // A file is for what waits first, and holds all answers: what was begun in the terminal is not mixed
        // with it.
        let (key, form) = asked_for(chart, asked_time(client, chart, named, None)?);
        if !args.again {
            refuse_to_answer_twice(client, &key)?;
        }
        return Ok(Task { key, answering: Answering::new_in(form, surroundings(client)), earlier: None });
    }
    let mut ask = |question: &str| at_terminal(question, out);
    let asked = asked_time(client, chart, named, Some(&mut ask)).map(|asked| asked_for(chart, asked));
    // What was begun is found again also where nothing waits.
    let now = asked.as_ref().ok().map(|(key, _)| key);
    let wanted = Wanted { chart, url: named.0, occurrence: named.1, now };
    if let Some((key, form)) = go_on_with(client, &wanted, out).await? {
        return begin_or_go_on(client, key, form);
    }
    let (key, form) = asked?;
    ask_whether_to_answer_twice(client, &key, out)?;
    begin_or_go_on(client, key, form)
}

fn asked_for(chart: ChartId, asked: AskedTime) -> (DraftKey, Questionnaire) {
    let AskedTime { instrument, form, occurrence } = asked;
    let key = DraftKey {
        chart,
        instrument_url: instrument.url,
        instrument_version: instrument.version,
        occurrence,
        amends: None,
    };
    (key, form)
}

fn begin_or_go_on(client: &NativeClient, key: DraftKey, form: Questionnaire) -> Result<Task, Failure> {
    let answering = match read_draft(client, &key)? {
        Some(draft) => Answering::resume_in(form, draft, surroundings(client)),
        None => Answering::new_in(form, surroundings(client)),
    };
    Ok(Task { key, answering, earlier: None })
}

/// A job that runs again gives no second answers to one time.
fn refuse_to_answer_twice(client: &NativeClient, key: &DraftKey) -> Result<(), Failure> {
    let TimeStanding { words, answered: Some(entry), .. } = time_standing(client, key)? else {
        return Ok(());
    };
    let how =
        format!("`ward answer --amend {entry}` corrects it, with --reason; --again gives answers once more");
    Err(Failure::new(Kind::No, words, "nothing was given twice", how))
}

/// Asks where the time was answered already; only a plain yes gives its answers once more.
fn ask_whether_to_answer_twice(client: &NativeClient, key: &DraftKey, out: &Out) -> Result<(), Failure> {
    let TimeStanding { words, answered: Some(entry), .. } = time_standing(client, key)? else {
        return Ok(());
    };
    let question = format!("{words}.\n  Enter leaves it so; 'y' gives its answers once more > ");
    if matches!(at_terminal(&question, out)?.trim(), "y" | "Y") {
        return Ok(());
    }
    let kept = client.draft(key).is_some();
    Err(Failure::new(
        Kind::No,
        words,
        if kept { "nothing was given twice; what you began is kept" } else { "nothing was given twice" },
        format!("`ward answer --amend {entry}` corrects it, with --reason"),
    ))
}

/// Asks a question.
fn at_terminal(question: &str, out: &Out) -> Result<String, Failure> {
    ask_line(question, &mut std::io::stdin().lock(), &mut out.for_people())
}

fn say_if_the_clock_is_off(client: &NativeClient, out: &Out) {
    if let Some(words) = clock_words(client) {
        out.line(format!("! {words}. Set it right first: answers are filed by it."));
    }
}

/// By how much the clock of this device is off, if it is.
pub(super) fn clock_words(client: &NativeClient) -> Option<String> {
    let off_ms = client.clock_is_off_by_ms()?;
    let (minutes, way) = (off_ms.abs() / 60_000, if off_ms > 0 { "ahead of" } else { "behind" });
    Some(format!("This device's clock is {minutes} minutes {way} the time of your site"))
}

/// The correction of a response, with the version of the questionnaire that it answered.
fn correction(
    client: &NativeClient,
    chart: ChartId,
    entry: EntryId,
    from_file: bool,
) -> Result<Task, Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let mut current = view.responses().values().flatten().flat_map(|thread| &thread.current);
    let is_begun = client.drafts().iter().any(|draft| draft.key.amends == Some(entry));
    let written = current.find(|written| written.id() == entry).ok_or_else(|| {
        Failure::input(
            format!("{entry} is no current response of this chart"),
            if is_begun {
                "it was corrected meanwhile; what you began is kept"
            } else {
                "it is mistyped, or was corrected already"
            },
            "look at `ward chart` for the newest one",
        )
    })?;
    let forms = ChartForms::of(&view);
    let form = forms.form_of(written.value).map_err(|_| {
        Failure::new(
            Kind::NotNow,
            "The questionnaire of these answers is not on this device, or cannot be read",
            "without it nobody can be asked again",
            "run `ward sync`; if it stays, ask your site",
        )
    })?;
    let earlier = forms.answers_of(written.value).map_err(|error| {
        Failure::input("The answers cannot be read", error, "tell your site which entry it is")
    })?;
    let (url, version) = forms.name_of(written.value);
    let key = DraftKey {
        chart,
        instrument_url: url.to_owned(),
        instrument_version: version.to_owned(),
        occurrence: written.value.occurrence().to_string(),
        amends: Some(entry),
    };
    // A file holds all answers: what was begun in the terminal is not mixed with it.
    let draft = if from_file { None } else { read_draft(client, &key)? };
    let answering = match draft {
        Some(draft) => Answering::resume_amendment_in(form.clone(), &earlier, draft, surroundings(client)),
        None => Answering::amend_in(form.clone(), earlier.clone(), surroundings(client)),
    };
    Ok(Task { key, answering, earlier: Some(earlier) })
}

/// What the expressions of a form may ask for.
fn surroundings(client: &NativeClient) -> Surroundings {
    Surroundings::new().at(&now_here(client))
}

/// The time in the zone of this device: what is today for a form is today for the person.
fn now_here(client: &NativeClient) -> String {
    let environment = client.environment();
    local_instant(&environment.zone(), environment.wall())
}

/// Unfinished answers, if there are any. Those that cannot be read are never written over.
fn read_draft(client: &NativeClient, key: &DraftKey) -> Result<Option<FormResponse>, Failure> {
    let Some(bytes) = client.draft(key) else { return Ok(None) };
    FormResponse::parse(bytes).map(Some).map_err(|error| {
        Failure::new(
            Kind::Input,
            "The unfinished answers cannot be read",
            error,
            "tell your site; `ward answer --drafts` lists them, and `ward answer --discard DRAFT` throws them away",
        )
    })
}

/// Asks until the answers would be taken, or until nothing that a person could change is left to mend.
async fn ask_until_complete(client: &mut NativeClient, task: &mut Task, out: &Out) -> Result<Ended, Failure> {
    loop {
        if ask_and_keep(client, &task.key, &mut task.answering, out).await? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        // It may be another day by now.
        task.answering.set_surroundings(surroundings(client));
        if task.answering.next_question().is_some() {
            continue;
        }
        let Err(findings) = task.answering.finish(Some(&now_here(client))) else {
            return Ok(Ended::Complete);
        };
        if !task.answering.ask_again(&findings) {
            return Ok(Ended::Complete);
        }
        say_again(&findings, &mut out.for_people())?;
    }
}

async fn ask_and_keep(
    client: &mut NativeClient,
    key: &DraftKey,
    answering: &mut Answering,
    out: &Out,
) -> Result<Ended, Failure> {
    // One question at a time: after each answer the draft is stored, then the next one is asked.
    let mut input = std::io::stdin().lock();
    let mut output = out.for_people();
    let keep = async |answering: &Answering| {
        client.save_draft(key, &answering.draft().to_json()).await.map_err(from_client)
    };
    ask(answering, &mut input, &mut output, keep).await
}
