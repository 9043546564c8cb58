//! `ward text`: notes that several people edit. What a person writes is compared with what they
//! saw; where somebody else wrote since, nothing is written before they have looked again.

use crate::cli::TextCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::{Out, instant};
use crate::shown_plan;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use ward_client::native::NativeClient;
use ward_client::views::{Passage, SharedText, SignedText, TextChange, role_name, shared_texts};
use ward_id::{ChartId, EntryId, hex_encode};
use ward_sync::{Author, ChartView, TextId};

/// Runs `ward text` and its subcommands.
///
/// # Errors
/// When the chart is unclear, the note is not known, somebody wrote since it was looked at, or this
/// device may not.
pub async fn run(command: TextCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    match command {
        TextCommand::List { chart } => {
            let chart = chart_or_only(&client, chart)?;
            list(&client, chart, out)
        }
        TextCommand::Show { text, chart } => {
            let chart = chart_or_only(&client, chart)?;
            show(&mut client, home, (chart, text), out).await
        }
        TextCommand::Write { text, from, chart } => {
            let chart = chart_or_only(&client, chart)?;
            let new = read_text(&from)?;
            write(&mut client, home, (chart, text), &new, out).await
        }
        TextCommand::Append { text, words, chart } => {
            let chart = chart_or_only(&client, chart)?;
            append(&mut client, (chart, text), &words, out).await
        }
        TextCommand::Sign { text, meaning, chart } => {
            let chart = chart_or_only(&client, chart)?;
            sign(&mut client, home, (chart, text), meaning, out).await
        }
    }
}

/// One note of one chart.
type Which = (ChartId, TextId);

fn of_chart(client: &NativeClient, (chart, id): Which) -> Result<SharedText, Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    shared_texts(&view).into_iter().find(|text| text.id == id).ok_or_else(|| {
        Failure::input(
            format!("The note {} is not on this device", hex_encode(&id.0)),
            "it is mistyped, of another chart, or was not fetched yet",
            "look at `ward text list`, or run `ward sync`",
        )
        .with_code("WARD-6017")
    })
}

fn list(client: &NativeClient, chart: ChartId, out: &Out) -> Done {
    let view = client.chart(chart).map_err(from_client)?;
    let texts = shared_texts(&view);
    let rows: Vec<Vec<String>> = texts
        .iter()
        .map(|text| {
            let first = text.text.lines().next().unwrap_or_default();
            vec![
                hex_encode(&text.id.0),
                instant(text.written_at),
                remarks(text).join(", "),
                first.chars().take(60).collect(),
            ]
        })
        .collect();
    out.table(&["note", "last written", "", "begins"], &rows);
    out.document(&json!({"chart": chart, "texts": texts.iter().map(json_of).collect::<Vec<_>>()}));
    Ok(())
}

async fn show(client: &mut NativeClient, home: &Home, which: Which, out: &Out) -> Done {
    let text = of_chart(client, which)?;
    lines(&text, out);
    for change in text.signatures.last().into_iter().flat_map(|signed| &signed.changes) {
        out.line(change_words(change));
    }
    out.document(&json_of(&text));
    note_shown(home, which.0, &text.version)?;
    client.note_access(which.0, ward_sync::AccessPurpose::Care).await.map_err(from_client)
}

/// Adds a version to what was shown of a chart.
fn note_shown(home: &Home, chart: ChartId, version: &[EntryId]) -> Done {
    let mut shown = shown_plan::shown_in(home, chart);
    shown.extend(version);
    shown_plan::note(home, chart, shown)
}

async fn write(
    client: &mut NativeClient,
    home: &Home,
    (chart, named): (ChartId, Option<TextId>),
    new: &str,
    out: &Out,
) -> Done {
    let id = match named {
        Some(id) => {
            require_seen(client, home, &of_chart(client, (chart, id))?, chart)?;
            id
        }
        None => client.new_text().map_err(from_client)?,
    };
    client.open_text(chart, id).map_err(from_client)?;
    client.write_text(chart, id, new).await.map_err(from_client)?;
    leave(client, (chart, id), out).await
}

async fn append(client: &mut NativeClient, which: Which, words: &str, out: &Out) -> Done {
    let (chart, id) = which;
    let now = of_chart(client, which)?.text;
    let new = if now.is_empty() { words.to_owned() } else { format!("{now}\n{words}") };
    client.open_text(chart, id).map_err(from_client)?;
    client.write_text(chart, id, &new).await.map_err(from_client)?;
    leave(client, which, out).await
}

async fn leave(client: &mut NativeClient, (chart, id): Which, out: &Out) -> Done {
    let entry = client.leave_text(chart, id).await.map_err(from_client)?;
    let name = hex_encode(&id.0);
    match entry {
        Some(entry) => out.both(
            format!("Note {name}: saved on this device as {entry}. `ward sync` sends it."),
            &json!({"saved": true, "chart": chart, "text": name, "entry": entry}),
        ),
        None => out.both(
            format!("Note {name} says that already; nothing was written."),
            &json!({"saved": false, "chart": chart, "text": name}),
        ),
    }
    Ok(())
}

async fn sign(client: &mut NativeClient, home: &Home, which: Which, meaning: String, out: &Out) -> Done {
    let (chart, id) = which;
    require_seen(client, home, &of_chart(client, which)?, chart)?;
    let entry = client.sign_text(chart, id, meaning).await.map_err(from_client)?;
    out.both(
        format!("Signed, and saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "text": hex_encode(&id.0), "entry": entry}),
    );
    Ok(())
}

/// Refuses where somebody else wrote since the note was shown here: their words would be deleted, or
/// signed, by somebody who never read them.
fn require_seen(client: &NativeClient, home: &Home, text: &SharedText, chart: ChartId) -> Done {
    let shown = shown_plan::shown_in(home, chart);
    let me = client.me().map_err(from_client)?.device;
    let view = client.chart(chart).map_err(from_client)?;
    let bursts = view.texts().get(&text.id).map(ward_sync::Text::bursts).unwrap_or_default();
    let own = |entry: &EntryId| bursts.iter().any(|burst| burst.id() == *entry && burst.author.device == me);
    if text.version.iter().all(|entry| shown.contains(entry) || own(entry)) {
        return Ok(());
    }
    let name = hex_encode(&text.id.0);
    Err(Failure::new(
        Kind::NotNow,
        "Somebody wrote in this note since you looked at it here",
        "what they wrote would be deleted or signed unread",
        format!("look at `ward text show {name}`, then run this again"),
    ))
}

fn read_text(from: &Path) -> Result<String, Failure> {
    let bytes = if from == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(INPUT_FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(|error| {
            Failure::input("The text cannot be read", error, "give it through standard input")
        })?;
        bytes
    } else {
        super::read_input_file(from, INPUT_FILE_MAX_BYTES)?
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| Failure::input("The text is not UTF-8", error, "save it as UTF-8"))?;
    // An editor ends the last line; the note does not.
    Ok(text.strip_suffix('\n').map_or(text.clone(), str::to_owned))
}

/// The notes of a chart, for `ward chart`.
pub fn section(view: &ChartView<'_>, out: &Out) -> Vec<SharedText> {
    let texts = shared_texts(view);
    if !texts.is_empty() {
        out.heading("Notes that several people edit");
    }
    texts.iter().for_each(|text| lines(text, out));
    texts
}

fn lines(text: &SharedText, out: &Out) {
    let by: Vec<&str> = text.contributors.iter().map(|author| role_name(author.role)).collect();
    out.line(format!(
        "{}  last written {} · {}",
        hex_encode(&text.id.0),
        instant(text.written_at),
        by.join(", ")
    ));
    // The lines of a note stay apart from those of the chart.
    out.line(format!("    {}", text.text.replace('\n', "\n    ")));
    for passage in &text.to_review {
        out.line(passage_words(passage));
    }
    text.signatures.iter().for_each(|signed| out.line(signature_words(signed)));
    if text.hidden > 0 {
        out.line(format!("  {} bursts of a device that was taken out are hidden.", text.hidden));
    }
}

fn remarks(text: &SharedText) -> Vec<String> {
    let mut out = Vec::new();
    if !text.to_review.is_empty() {
        out.push(format!("{} merged, please review", text.to_review.len()));
    }
    match text.signatures.last() {
        Some(signed) if signed.changed_since => out.push("changed since signature".to_owned()),
        Some(_) => out.push("signed".to_owned()),
        None => {}
    }
    out
}

fn passage_words(passage: &Passage) -> String {
    let by: Vec<String> = passage.by.iter().map(writer).collect();
    format!("  ! merged, please review ({}): {}", by.join(" and "), passage.text)
}

fn signature_words(signed: &SignedText) -> String {
    let since = if signed.changed_since { "  — changed since signature" } else { "" };
    format!("  Signed by {} on {}: {}{since}", writer(&signed.by), instant(signed.at), signed.meaning)
}

fn change_words(change: &TextChange) -> String {
    let by = change.by.as_ref().map_or_else(|| "somebody".to_owned(), writer);
    let what = if change.inserted { "now" } else { "no more" };
    format!("    since the last signature, {what}: “{}” ({by})", change.text)
}

fn writer(author: &Author) -> String {
    format!("{} {}", role_name(author.role), author.person)
}

/// A note for programs.
pub fn json_of(text: &SharedText) -> Value {
    let people = |all: &[Author]| {
        all.iter()
            .map(|author| json!({"person": author.person, "role": role_name(author.role)}))
            .collect::<Vec<_>>()
    };
    json!({
        "text": hex_encode(&text.id.0), "says": text.text, "version": text.version,
        "begun_at": instant(text.begun_at), "written_at": instant(text.written_at),
        "contributors": people(&text.contributors), "hidden": text.hidden,
        "to_review": text.to_review.iter().map(|passage| json!({
            "start": passage.start, "says": passage.text, "by": people(&passage.by)})).collect::<Vec<_>>(),
        "signatures": text.signatures.iter().map(|signed| json!({
            "entry": signed.entry, "by": signed.by.person, "role": role_name(signed.by.role),
            "at": instant(signed.at), "meaning": signed.meaning, "changed_since": signed.changed_since,
            "changes": signed.changes.iter().map(|change| json!({
                "inserted": change.inserted, "says": change.text,
                "by": change.by.map(|author| author.person)})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
