//! `ward assign`: what a participant is asked, and how often.

use crate::cli::AssignArgs;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::Out;
use serde_json::json;
use std::path::Path;
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::local_day;
use ward_forms::{Questionnaire, Severity};
use ward_id::{ChartId, EntryId};
use ward_sync::Instrument;

/// Puts a questionnaire and its schedule into a chart.
///
/// # Errors
/// When the questionnaire has errors or this device may not write it.
pub async fn run(args: AssignArgs, home: &Home, out: &Out) -> Done {
    let file = args.schedule.instrument.as_deref().ok_or_else(|| {
        Failure::new(Kind::Usage, "Which questionnaire?", "none was named", "name its file with --instrument")
    })?;
    let (form, bytes) = read_instrument(file)?;
    let mut client = home.unlock().await?;
    let entry = assign(&mut client, args.chart, bytes, args.schedule.every_days, args.schedule.days).await?;
    out.both(
        format!("{} is assigned; `ward sync` sends it.", form.title().unwrap_or("The questionnaire")),
        &json!({"saved": true, "chart": args.chart, "entry": entry}),
    );
    Ok(())
}

/// Reads a questionnaire and refuses one that its participants could not answer.
///
/// # Errors
/// What is wrong with it, by item.
pub fn read_instrument(file: &Path) -> Result<(Questionnaire, Vec<u8>), Failure> {
    let bytes = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    let form = Questionnaire::parse(&bytes).map_err(|error| {
        Failure::input(format!("{} is no questionnaire", file.display()), error, "correct it")
    })?;
    let errors: Vec<String> = ward_forms::lint(&form)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{}: {}", finding.path, finding.message))
        .collect();
    if form.url().is_none() || form.version().is_none() || !errors.is_empty() {
        let why = if errors.is_empty() { "it has no url or no version".to_owned() } else { errors.join(" ") };
        return Err(Failure::input(
            format!("{} cannot be given to participants", file.display()),
            why,
            "correct the questionnaire first",
        ));
    }
    Ok((form, bytes))
}

/// Captures the assignment, beginning today.
///
/// # Errors
/// When this device may not write it.
pub async fn assign(
    client: &mut NativeClient,
    chart: ChartId,
    questionnaire: Vec<u8>,
    every_days: u32,
    days: u32,
) -> Result<EntryId, Failure> {
    let environment = client.environment();
    let today = local_day(&environment.zone(), environment.wall());
    let instrument = instrument_payload(questionnaire, today, every_days, days)?;
    client.capture(chart, instrument).await.map_err(from_client)
}

/// A questionnaire with its schedule.
///
/// # Errors
/// When the questionnaire cannot be read or the schedule is too long.
pub fn instrument_payload(
    questionnaire: Vec<u8>,
    first_day: i64,
    every_days: u32,
    days: u32,
) -> Result<Instrument, Failure> {
    let form = Questionnaire::parse(&questionnaire)
        .map_err(|error| Failure::input("The questionnaire cannot be read", error, "correct it"))?;
    let too_long =
        |_| Failure::new(Kind::Usage, "The schedule is too long", "more days than a trial has", "use fewer");
    Ok(Instrument {
        url: form.url().unwrap_or_default().to_owned(),
        version: form.version().unwrap_or_default().to_owned(),
        questionnaire,
        first_day,
        every_days: u16::try_from(every_days).map_err(too_long)?,
        days: u16::try_from(days).map_err(too_long)?,
    })
}
