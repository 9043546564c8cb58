//! `ward answer`: a questionnaire in the terminal or from a file, with or without a network.

use super::answer_file::fill_from_file;
use super::asked_time::{Ask, AskedTime, ask_line, asked_time, told_time};
use super::unfinished::{discard, go_on_with, list_drafts};
use crate::cli::{AnswerArgs, AnsweredByArg};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use crate::terminal_form::{Ended, ask, say_again};
use serde_json::json;
use std::io::Write;
use ward_client::native::NativeClient;
use ward_client::views::{ChartForms, local_instant};
use ward_client::{DraftKey, Environment as _};
use ward_forms::{Answering, LanguageChoice, QuestionnaireResponse as FormResponse, Surroundings};
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
    say_if_the_clock_is_off(&client, out);
    let told = told_time(&client, chart, &task.key.instrument_url, &task.key.occurrence)?;
    out.line(told);
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
    if earlier.as_ref().is_some_and(|earlier| answering.says_the_same(earlier)) {
        client.drop_draft(&key).await.map_err(from_client)?;
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
    let told = told_time(client, key.chart, &key.instrument_url, &key.occurrence)?;
    let entry = client.submit_draft(&key, draft).await.map_err(from_client)?;
    out.both(
        format!("{told}: saved on this device as {entry}. `ward sync` sends it when there is a network."),
        &json!({"saved": true, "chart": key.chart, "entry": entry, "occurrence": key.occurrence}),
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
    // A file is for what waits first; a person is asked where that is not plain.
    let is_asked = args.answers.is_none();
    let mut ask = |question: &str| {
        let mut output: Box<dyn Write> =
            if out.is_json() { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        ask_line(question, &mut std::io::stdin().lock(), &mut output)
    };
    let wanted = (args.instrument.as_deref(), args.occurrence.as_deref());
    let ask: Option<Ask<'_>> = if is_asked { Some(&mut ask) } else { None };
    let AskedTime { instrument, form, occurrence } = asked_time(client, chart, wanted, ask)?;
    let key = DraftKey {
        chart,
        instrument_url: instrument.url,
        instrument_version: instrument.version,
        occurrence,
        amends: None,
    };
    if args.answers.is_some() {
        // A file holds all answers: what was begun in the terminal is not mixed with it.
        return Ok(Task { key, answering: Answering::new_in(form, surroundings(client)), earlier: None });
    }
    if let Some((key, form)) = go_on_with(client, &key, out).await? {
        let answering = match read_draft(client, &key)? {
            Some(draft) => Answering::resume_in(form, draft, surroundings(client)),
            None => Answering::new_in(form, surroundings(client)),
        };
        return Ok(Task { key, answering, earlier: None });
    }
    let answering = match read_draft(client, &key)? {
        Some(draft) => Answering::resume_in(form, draft, surroundings(client)),
        None => Answering::new_in(form, surroundings(client)),
    };
    Ok(Task { key, answering, earlier: None })
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
    let written = current.find(|written| written.id() == entry).ok_or_else(|| {
        Failure::input(
            format!("{entry} is no current response of this chart"),
            "it is mistyped, or was corrected already",
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
        let mut output: Box<dyn Write> =
            if out.is_json() { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        say_again(&findings, &mut output)?;
    }
}

async fn ask_and_keep(
    client: &mut NativeClient,
    key: &DraftKey,
    answering: &mut Answering,
    out: &Out,
) -> Result<Ended, Failure> {
    // One question at a time: after each answer the draft is stored, then the next one is asked.
    let stdin = std::io::stdin();
    let mut input = stdin.lock();
    // With --json, standard output holds the document alone.
    let mut output: Box<dyn Write> =
        if out.is_json() { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        ask(answering, &mut input, &mut output, |answering| {
            let bytes = answering.draft().to_json();
            runtime.block_on(client.save_draft(key, &bytes)).map_err(from_client)
        })
    })
}
