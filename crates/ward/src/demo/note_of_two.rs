//! Two clinicians write in one note, each without a network, after one of them signed it.

use super::cast::{Device, Site, settle};
use super::checks::Check;
use crate::exit::Failure;
use crate::home::from_client;
use ward_id::ChartId;
use ward_sync::TextId;

/// The note and what each of the two put into it.
#[derive(Debug, Clone)]
pub struct NoteOfTwo {
    chart: ChartId,
    document: TextId,
    /// The note after the two met again.
    merged: String,
}

/// Writes the note. `mark` is a text that must not stand anywhere in clear.
///
/// # Errors
/// What went wrong that should not.
pub async fn write(site: &mut Site, chart: ChartId, mark: &str) -> Result<Option<NoteOfTwo>, Failure> {
    let [first, second, ..] = site.clinicians.as_mut_slice() else { return Ok(None) };
    let document = first.new_text().map_err(from_client)?;
    put(first, chart, document, "Reports nausea.").await?;
    first.sign_text(chart, document, "read with the participant").await.map_err(from_client)?;
    settle(first).await?;
    settle(second).await?;
    let since = format!("Reports nausea since Monday, note-{mark}.");
    put(first, chart, document, "Reports severe nausea.").await?;
    put(second, chart, document, &since).await?;
    settle(first).await?;
    settle(second).await?;
    settle(first).await?;
    let merged = format!("Reports severe nausea since Monday, note-{mark}.");
    Ok(Some(NoteOfTwo { chart, document, merged }))
}

async fn put(device: &mut Device, chart: ChartId, document: TextId, text: &str) -> Result<(), Failure> {
    device.write_text(chart, document, text).await.map_err(from_client)?;
    device.leave_text(chart, document).await.map_err(from_client)?;
    Ok(())
}

/// Both wordings stand in one note on every device, marked for review, and the signature says that
/// the note went on.
pub fn is_merged(devices: &[&Device], note: Option<&NoteOfTwo>) -> Check {
    let what =
        "a note that two wrote in apart holds the words of both, marked for review, signed version known";
    let Some(note) = note else { return Check::new(what, false, "nobody wrote a note") };
    let holds = |device: &&&Device| {
        let Ok(texts) = device.texts(note.chart) else { return false };
        texts.get(&note.document).is_some_and(|text| {
            text.text() == note.merged
                && !text.review_marks().is_empty()
                && text.signatures().iter().any(ward_sync::SignedVersion::changed_since)
        })
    };
    let merged = devices.iter().filter(holds).count();
    Check::new(what, merged == devices.len() && merged > 0, format!("on {merged} of {}", devices.len()))
}

/// What the note says, for whoever looks around.
pub fn words(device: &Device, note: &NoteOfTwo) -> Option<String> {
    let texts = device.texts(note.chart).ok()?;
    let text = texts.get(&note.document)?;
    let mark = if text.review_marks().is_empty() { "" } else { "  [merged, please review]" };
    let changed = text.signatures().iter().any(ward_sync::SignedVersion::changed_since);
    let signed = if changed { "  [changed since signature]" } else { "" };
    Some(format!("{}{mark}{signed}", text.text()))
}
