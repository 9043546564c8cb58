//! `ward attachment`: photographs, letters and scans of a chart.

use crate::cli::AttachmentCommand;
use crate::exit::{Done, Failure};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use crate::private_file;
use serde_json::json;
use std::path::Path;
use ward_client::native::NativeClient;
use ward_client::{AttachmentState, AttachmentView};
use ward_id::{ChartId, EntryId};

/// What a file is, by the end of its name.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
];
const OTHER_MEDIA_TYPE: &str = "application/octet-stream";

/// Runs `ward attachment` and its subcommands.
///
/// # Errors
/// When the chart or the file is unclear, or the content is not there or damaged.
pub async fn run(command: AttachmentCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    match command {
        AttachmentCommand::Add { file, media_type, name, chart } => {
            let chart = chart_or_only(&client, chart)?;
            let given = Given { media_type, name };
            add(&mut client, chart, &file, given, out).await
        }
        AttachmentCommand::List { chart } => {
            let chart = chart_or_only(&client, chart)?;
            list(&client.attachments(chart).map_err(from_client)?, chart, out);
            Ok(())
        }
        AttachmentCommand::Fetch { entry, output, chart } => {
            let chart = chart_or_only(&client, chart)?;
            fetch(&mut client, chart, entry, &output, out).await
        }
    }
}

/// What the person said of the file.
struct Given {
    media_type: Option<String>,
    name: Option<String>,
}

async fn add(client: &mut NativeClient, chart: ChartId, file: &Path, given: Given, out: &Out) -> Done {
    let content = std::fs::File::open(file).map_err(|error| {
        Failure::input(format!("{} cannot be read", file.display()), error, "check the name of the file")
    })?;
    let own_name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = given.name.or(own_name).unwrap_or_default();
    let media_type = given.media_type.unwrap_or_else(|| media_type_of(file).to_owned());
    let entry = client.attach(chart, content, &media_type, &name).await.map_err(from_client)?;
    out.both(
        format!("Saved on this device as {entry} ({name}, {media_type}). `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry, "name": name, "media_type": media_type}),
    );
    Ok(())
}

fn media_type_of(file: &Path) -> &'static str {
    let end = file.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    let known = MEDIA_TYPES.iter().find(|(name, _)| Some(*name) == end.as_deref());
    known.map_or(OTHER_MEDIA_TYPE, |(_, media_type)| media_type)
}

fn list(all: &[AttachmentView], chart: ChartId, out: &Out) {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            vec![
                one.entry.to_string(),
                one.name.clone(),
                one.media_type.clone(),
                one.size.to_string(),
                state_words(one.state),
            ]
        })
        .collect();
    out.table(&["attachment", "name", "what", "bytes", "where"], &rows);
    out.document(&json!({"chart": chart, "attachments": all.iter().map(|one| json!({
        "entry": one.entry, "name": one.name, "media_type": one.media_type, "size": one.size,
        "state": state_words(one.state)})).collect::<Vec<_>>()}));
}

fn state_words(state: AttachmentState) -> String {
    match state {
        AttachmentState::SavedHere => "on this device, not sent".to_owned(),
        AttachmentState::Pending => "not here; its author may not have sent it yet".to_owned(),
        AttachmentState::Sending { sent, of } => format!("on this device, {sent} of {of} parts sent"),
        AttachmentState::Here => "on this device".to_owned(),
        AttachmentState::AtServer => "not fetched".to_owned(),
        AttachmentState::Fetching { here, of } => format!("{here} of {of} parts fetched"),
    }
}

/// The file appears only once all of it is the attachment that the entry names.
async fn fetch(client: &mut NativeClient, chart: ChartId, entry: EntryId, output: &Path, out: &Out) -> Done {
    let known = client.attachments(chart).map_err(from_client)?;
    let found = known.iter().find(|one| one.entry == entry);
    let here = |state| {
        matches!(state, AttachmentState::Here | AttachmentState::SavedHere | AttachmentState::Sending { .. })
    };
    if !found.is_some_and(|one| here(one.state)) {
        client.fetch_attachment(chart, entry).await.map_err(from_client)?;
    }
    let mut content = Vec::new();
    client.read_attachment(chart, entry, &mut content).await.map_err(from_client)?;
    private_file::write(output, &content)?;
    client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)?;
    out.both(
        format!("Written to {}. It is not encrypted: keep it as carefully as the chart.", output.display()),
        &json!({"file": output, "bytes": content.len(), "entry": entry, "chart": chart}),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says_or_just_bytes() {
        assert_eq!(media_type_of(Path::new("wound.JPG")), "image/jpeg");
        assert_eq!(media_type_of(Path::new("letter.pdf")), "application/pdf");
        assert_eq!(media_type_of(Path::new("data")), OTHER_MEDIA_TYPE);
    }
}
