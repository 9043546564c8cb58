//! `ward answer`: a questionnaire in the terminal or from a file, with or without a network.

use crate::cli::{AnswerArgs, AnsweredByArg};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::Out;
use crate::terminal_form::{Ended, ask};
use serde_json::{Value, json};
use std::path::Path;
use ward_client::native::NativeClient;
use ward_client::{DraftKey, Environment as _};
use ward_forms::{AnswerValue, Answering, Questionnaire, QuestionnaireResponse as FormResponse};
use ward_id::{ChartId, EntryId};
use ward_sync::{AnsweredBy, Instrument, Occurrence, QuestionnaireResponse, ResponseStatus};

/// Asks, checks, and saves the response on this device.
///
/// # Errors
/// When there is no questionnaire, the answers are not complete, or they cannot be saved.
pub async fn run(args: AnswerArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let chart = chart_or_only(&client, args.chart)?;
    let (instrument, form) = instrument_of(&client, chart, args.instrument.as_deref())?;
    let now = client.environment().wall();
    let day = Occurrence::new(crate::print::day(now));
    let earlier = args.amend.map(|entry| earlier_response(&client, chart, entry)).transpose()?;
    let occurrence = earlier.as_ref().map_or(day, |earlier| earlier.occurrence.clone());
    let key = DraftKey {
        chart,
        instrument_url: instrument.url.clone(),
        instrument_version: instrument.version.clone(),
        occurrence: occurrence.to_string(),
    };
    let mut answering = match (&earlier, read_draft(&client, &key)) {
        (Some(earlier), _) => Answering::amend(form, parse_response(&earlier.response)?),
        (None, Some(draft)) => Answering::resume(form, draft),
        (None, None) => Answering::new(form),
    };
    match &args.answers {
        Some(file) => fill_from_file(&mut answering, file)?,
        None => {
            if ask_and_keep(&mut client, &key, &mut answering).await? == Ended::Stopped {
                out.both(
                    "Stopped. What you entered is kept; `ward answer` goes on.",
                    &json!({"saved": false, "draft": true}),
                );
                return Ok(());
            }
        }
    }
    let response = answering.finish(Some(&crate::print::instant(now))).map_err(|findings| {
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
        instrument_url: instrument.url,
        instrument_version: instrument.version,
        occurrence,
        status: if earlier.is_some() { ResponseStatus::Amended } else { ResponseStatus::Completed },
        answered_by: answered_by(args.by),
        response: response.to_json(),
    };
    let entry = match (args.amend, args.reason) {
        (Some(before), Some(reason)) => client.amend(chart, before, reason, payload).await,
        _ => client.capture(chart, payload).await,
    }
    .map_err(from_client)?;
    client.drop_draft(&key).await.map_err(from_client)?;
    out.both(
        format!("Saved on this device as {entry}. `ward sync` sends it when there is a network."),
        &json!({"saved": true, "chart": chart, "entry": entry}),
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

fn instrument_of(
    client: &NativeClient,
    chart: ChartId,
    url: Option<&str>,
) -> Result<(Instrument, Questionnaire), Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let current = view.instruments().iter().flat_map(|thread| &thread.current).map(|written| written.value);
    let mut wanted: Vec<&Instrument> = current.filter(|one| url.is_none_or(|url| one.url == url)).collect();
    // The newest assignment of an instrument is the one that is asked.
    wanted.sort_by_key(|one| one.first_day);
    let mut urls: Vec<&str> = wanted.iter().map(|one| one.url.as_str()).collect();
    urls.dedup();
    let Some(instrument) = wanted.last() else {
        return Err(Failure::new(
            Kind::NotNow,
            "There is nothing to answer",
            "no questionnaire has reached this device",
            "run `ward sync`; if it stays, ask your site",
        ));
    };
    if urls.len() > 1 {
        return Err(Failure::new(
            Kind::Usage,
            "Which questionnaire?",
            urls.join(", "),
            "name one with --instrument",
        ));
    }
    let form = Questionnaire::parse(&instrument.questionnaire).map_err(|error| {
        Failure::input("The questionnaire cannot be read", error, "tell your site; it must publish it again")
    })?;
    Ok(((*instrument).clone(), form))
}

fn earlier_response(
    client: &NativeClient,
    chart: ChartId,
    entry: EntryId,
) -> Result<QuestionnaireResponse, Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let written = view.responses().values().flatten().flat_map(|thread| &thread.current);
    written.filter(|written| written.id() == entry).map(|written| written.value.clone()).next().ok_or_else(
        || {
            Failure::input(
                format!("{entry} is no current response of this chart"),
                "it is mistyped, or was corrected already",
                "look at `ward chart` for the newest one",
            )
        },
    )
}

fn parse_response(bytes: &[u8]) -> Result<FormResponse, Failure> {
    FormResponse::parse(bytes).map_err(|error| {
        Failure::input("The answers cannot be read", error, "check that it is a FHIR response")
    })
}

fn read_draft(client: &NativeClient, key: &DraftKey) -> Option<FormResponse> {
    let bytes = client.draft(key)?;
    FormResponse::parse(bytes).ok()
}

async fn ask_and_keep(
    client: &mut NativeClient,
    key: &DraftKey,
    answering: &mut Answering,
) -> Result<Ended, Failure> {
    // One question at a time: after each answer the draft is stored, then the next one is asked.
    let stdin = std::io::stdin();
    let mut input = stdin.lock();
    let mut output = std::io::stdout();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        ask(answering, &mut input, &mut output, |answering| {
            let bytes = answering.draft().to_json();
            runtime.block_on(client.save_draft(key, &bytes)).map_err(from_client)
        })
    })
}

fn fill_from_file(answering: &mut Answering, file: &Path) -> Result<(), Failure> {
    let text = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| {
        Failure::input(format!("{} is not JSON", file.display()), error, "check the file")
    })?;
    if value.get("resourceType").is_some() {
        let given = parse_response(&text)?;
        let form = answering.questionnaire().clone();
        *answering = Answering::resume(form, given);
        return Ok(());
    }
    let Some(map) = value.as_object() else {
        return Err(Failure::input(
            format!("{} holds no answers", file.display()),
            "it is neither a FHIR response nor an object of linkId and value",
            "see `ward answer --help`",
        ));
    };
    // Answers switch questions on, so go on as long as something new could be answered.
    let mut left: Vec<(&String, &Value)> = map.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        let mut refused = None;
        left.retain(|(link_id, value)| match answer_one(answering, link_id, value) {
            Ok(()) => false,
            Err(why) => {
                refused = Some(format!("{link_id}: {why}"));
                true
            }
        });
        if left.len() == before {
            return Err(Failure::input(
                "An answer was not taken",
                refused.unwrap_or_default(),
                "correct the file; nothing was saved",
            ));
        }
    }
    Ok(())
}

fn answer_one(answering: &mut Answering, link_id: &str, value: &Value) -> Result<(), String> {
    let path = answering.path_of(link_id).ok_or("there is no such question")?;
    let step = answering.question(&path).ok_or("it is not asked, given the other answers")?;
    let texts: Vec<String> = match value {
        Value::Array(values) => values.iter().map(as_text).collect(),
        one => vec![as_text(one)],
    };
    let values: Vec<AnswerValue> =
        texts.iter().map(|text| crate::terminal_form::read_word(&step, text)).collect::<Result<_, _>>()?;
    answering.answer_all(&path, values).map_err(|error| error.to_string())
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
