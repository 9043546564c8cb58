//! What the demo verifies when the story is over. Each check names what it found; none is assumed.

use super::cast::{Device, Patient, Site, settle};
use super::days::{Written, entries_of};
use super::note_of_two::is_merged;
use super::story::PatientPlan;
use crate::exit::Failure;
use crate::home::from_client;
use serde::Serialize;
use std::path::{Path, PathBuf};
use ward_client::SyncProblem;
use ward_client::views::ChartForms;
use ward_sync::MedicationId;

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What must hold.
    pub what: &'static str,
    /// Whether it does.
    pub holds: bool,
    /// What was counted or found.
    pub found: String,
}

impl Check {
    /// A check with what was found.
    pub fn new(what: &'static str, holds: bool, found: impl Into<String>) -> Self {
        Self { what, holds, found: found.into() }
    }
}

/// Everybody meets the server once more.
///
/// # Errors
/// What went wrong that should not.
pub async fn meet_again(sites: &mut [Site], patients: &mut [Patient]) -> Result<(), Failure> {
    for patient in patients.iter_mut() {
        settle(&mut patient.phone).await?;
    }
    for site in sites.iter_mut() {
        for device in site.staff() {
            settle(device).await?;
        }
    }
    // What the last of them wrote reaches the first.
    for site in sites.iter_mut() {
        for device in site.staff() {
            settle(device).await?;
        }
    }
    for patient in patients.iter_mut() {
        settle(&mut patient.phone).await?;
    }
    Ok(())
}

/// Each answer stands on both clinicians' devices, byte for byte.
pub fn answers_arrived(
    sites: &[Site],
    patients: &[Patient],
    plans: &[PatientPlan],
    written: &Written,
) -> Check {
    let (mut arrived, mut expected) = (0, 0);
    for truth in &written.responses {
        let (Some(patient), Some(plan)) = (patients.get(truth.patient), plans.get(truth.patient)) else {
            continue;
        };
        let Some(site) = sites.get(plan.site) else { continue };
        for clinician in &site.clinicians {
            expected += 1;
            let Ok(view) = clinician.chart(patient.chart) else { continue };
            let forms = ChartForms::of(&view);
            let intact = |one: &ward_sync::Written<'_, ward_sync::Response>| {
                one.id() == truth.entry && forms.json_of(one.value).is_ok_and(|json| *json == *truth.response)
            };
            let mut threads = view.responses().values().flatten();
            let found = threads.any(|thread| {
                let mut all = thread.current.iter().chain(&thread.past);
                all.any(intact)
            });
            arrived += usize::from(found);
        }
    }
    let holds = arrived == expected && expected > 0;
    Check::new(
        "every answer stands intact on both clinicians' devices",
        holds,
        format!("{arrived} of {expected}"),
    )
}

/// Nothing waits, nothing was refused, nothing was lost on the way.
pub fn accounts_balance(sites: &[Site], patients: &[Patient], plans: &[PatientPlan]) -> Check {
    let (mut charts, mut balanced, mut entries) = (0, 0, 0);
    for (patient, plan) in patients.iter().zip(plans) {
        let phone = entries_of(&patient.phone, patient.chart);
        let Some(site) = sites.get(plan.site) else { continue };
        for clinician in &site.clinicians {
            charts += 1;
            let Ok(view) = clinician.chart(patient.chart) else { continue };
            let accounting = view.accounting();
            entries += view.timeline().len();
            let whole =
                accounting.balances() && view.timeline().len() == phone && view.parked().next().is_none();
            balanced += usize::from(whole);
        }
    }
    let found = format!("{balanced} of {charts} charts, {entries} entries");
    Check::new(
        "every chart is the same on phone and laptops, and every entry is accounted for",
        balanced == charts,
        found,
    )
}

/// The devices of a chart's clinicians, and the participant's phone.
fn devices_of<'a>(
    chart: ward_id::ChartId,
    sites: &'a [Site],
    patients: &'a [Patient],
    plans: &[PatientPlan],
) -> Vec<&'a Device> {
    let mut devices: Vec<&Device> = Vec::new();
    for (patient, plan) in patients.iter().zip(plans).filter(|(patient, _)| patient.chart == chart) {
        devices.push(&patient.phone);
        devices.extend(sites.get(plan.site).into_iter().flat_map(|site| &site.clinicians));
    }
    devices
}

/// The shared note is the same on every device of its chart.
pub fn note_is_merged(
    sites: &[Site],
    patients: &[Patient],
    plans: &[PatientPlan],
    written: &Written,
) -> Check {
    let devices = written.conflict_chart.map(|chart| devices_of(chart, sites, patients, plans));
    is_merged(&devices.unwrap_or_default(), written.note.as_ref())
}

/// Both values of the dose are kept, everywhere.
pub fn conflict_is_kept(
    sites: &[Site],
    patients: &[Patient],
    plans: &[PatientPlan],
    written: &Written,
) -> Check {
    let what = "two doses written at the same time are both kept, and nobody chose";
    let Some(chart) = written.conflict_chart else { return Check::new(what, false, "there was no conflict") };
    let devices = devices_of(chart, sites, patients, plans);
    let key = (MedicationId::new("ondansetron"), "dose".to_owned());
    let keeps = |device: &&&Device| {
        let Ok(view) = device.chart(chart) else { return false };
        let current =
            view.medication_plan().get(&key).map(ward_sync::Thread::current_ids).unwrap_or_default();
        current.len() == 2 && written.conflict.iter().all(|entry| current.contains(entry))
    };
    let kept = devices.iter().filter(keeps).count();
    Check::new(what, kept == devices.len() && kept > 0, format!("on {kept} of {} devices", devices.len()))
}

/// The conflict before was ended by a decision that names both values, on every device alike.
pub fn conflict_is_decided(
    sites: &[Site],
    patients: &[Patient],
    plans: &[PatientPlan],
    written: &Written,
) -> Check {
    let what = "a decision that names both doses ended the conflict before, and both stay in the trail";
    let (Some(chart), Some(decision)) = (written.conflict_chart, written.decision) else {
        return Check::new(what, false, "nobody decided");
    };
    let of_chart = patients.iter().zip(plans).find(|(patient, _)| patient.chart == chart);
    let clinicians =
        of_chart.and_then(|(_, plan)| sites.get(plan.site)).map(|site| site.clinicians.as_slice());
    let key = (MedicationId::new("ondansetron"), "dose".to_owned());
    let has_trail = |device: &&Device| {
        let Ok(view) = device.chart(chart) else { return false };
        let Some(thread) = view.medication_plan().get(&key) else { return false };
        let decided = thread.past.iter().find(|past| past.id() == decision);
        decided.is_some_and(|past| past.is_decision() && past.entry.body().reason.is_some())
            && thread.past.len() >= 4
    };
    let trails = clinicians.unwrap_or_default().iter().filter(has_trail).count();
    let (held, looked) = written.decided_on;
    let holds = held == looked && held > 0 && trails == clinicians.map_or(0, <[Device]>::len);
    Check::new(what, holds, format!("one value on {held} of {looked} devices"))
}

/// The lost phone was thrown out, and reads nothing that came after.
///
/// # Errors
/// When the phone's store cannot be used at all.
pub async fn lost_phone_is_blind(patients: &mut [Patient], written: &Written) -> Result<Check, Failure> {
    let what = "the lost phone is revoked, and reads nothing new";
    for patient in patients.iter_mut() {
        let now = entries_of(&patient.phone, patient.chart);
        let Some(lost) = &mut patient.lost else { continue };
        let report = lost.sync().await.map_err(from_client)?;
        let refused = report.problems.iter().any(|problem| matches!(problem, SyncProblem::Revoked));
        let sees = entries_of(lost, patient.chart);
        let holds = refused && report.pulled == 0 && sees == written.lost_phone_entries && now > sees;
        return Ok(Check::new(what, holds, format!("it holds {sees} entries, the new phone {now}")));
    }
    Ok(Check::new(what, false, "no phone was lost"))
}

/// None of the texts stands in any file of the servers, of the witnesses or of the devices.
///
/// # Errors
/// When a file cannot be read.
pub fn no_plaintext(dir: &Path, canaries: &[String], more: &[(String, Vec<u8>)]) -> Result<Check, Failure> {
    let mut files = Vec::new();
    collect(dir, &mut files).map_err(|error| Failure::fault("The demo's files cannot be read", error))?;
    let needles: Vec<&[u8]> = canaries.iter().map(|text| text.as_bytes()).collect();
    let mut found = Vec::new();
    let mut bytes_read = 0u64;
    for file in &files {
        let bytes = std::fs::read(file).map_err(|error| Failure::fault(file.display(), error))?;
        bytes_read += bytes.len() as u64;
        if contains_any(&bytes, &needles) {
            found.push(file.display().to_string());
        }
    }
    for (name, bytes) in more {
        bytes_read += bytes.len() as u64;
        if contains_any(bytes, &needles) {
            found.push(name.clone());
        }
    }
    let what = "no name, answer or note stands readable in a database, log, metric or answer";
    let summary = if found.is_empty() {
        format!("{} texts in {} files, {} KiB", needles.len(), files.len() + more.len(), bytes_read / 1024)
    } else {
        format!("found in {}", found.join(", "))
    };
    Ok(Check::new(what, found.is_empty() && !needles.is_empty() && bytes_read > 0, summary))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn contains_any(haystack: &[u8], needles: &[&[u8]]) -> bool {
    // One pass over the first bytes, then a comparison: the needles are few and long.
    needles.iter().any(|needle| {
        let Some((first, _)) = needle.split_first() else { return false };
        let mut from = 0;
        while let Some(at) = haystack.get(from..).and_then(|rest| rest.iter().position(|byte| byte == first))
        {
            let start = from + at;
            if haystack.get(start..start + needle.len()) == Some(*needle) {
                return true;
            }
            from = start + 1;
        }
        false
    })
}

/// Both logs verify as every staff device sees them, under heads that a quorum cosigned.
pub fn logs_verify(sites: &mut [Site]) -> Check {
    let (mut verified, mut devices) = (0, 0);
    let (mut mlog, mut olog) = (0, 0);
    for site in sites.iter_mut() {
        for device in site.staff() {
            devices += 1;
            let Ok(status) = device.status() else { continue };
            let (Some(mlog_head), Some(olog_head)) = (&status.mlog, &status.olog) else { continue };
            let witnessed = status.witnesses.iter().filter(|witness| witness.cosigned_at.is_some()).count();
            let whole =
                status.fresh && status.stopped_by.is_empty() && witnessed >= usize::from(status.quorum);
            verified += usize::from(whole && mlog_head.size > 0 && olog_head.size > 0);
            (mlog, olog) = (mlog.max(mlog_head.size), olog.max(olog_head.size));
        }
    }
    let found = format!("{verified} of {devices} devices; membership {mlog}, operations {olog} entries");
    Check::new(
        "both logs verify under heads that two of three witnesses signed",
        verified == devices && devices > 0,
        found,
    )
}

/// The server's database verifies as a whole, by somebody who trusts none of its notes.
pub async fn server_verifies(config: &Path) -> Check {
    let what = "the server's database verifies: every leaf, signature and chain, under the witnessed heads";
    let loaded = match crate::server_folder::settings::load(config, std::iter::empty()) {
        Ok(loaded) => loaded,
        Err(failure) => return Check::new(what, false, failure.to_string()),
    };
    match crate::server_folder::verify::verify_server(&loaded).await {
        Err(failure) => Check::new(what, false, failure.to_string()),
        Ok(found) => match found.faults.first() {
            None => Check::new(
                what,
                found.operations > 0,
                format!("{} operations, {} signatures", found.operations, found.signatures),
            ),
            Some(fault) => Check::new(what, false, fault.clone()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_text_is_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner/file"), b"....Adax Ada Example-7....").unwrap();
        let canary = vec!["Ada Example-7".to_owned()];
        assert!(!no_plaintext(folder.path(), &canary, &[]).unwrap().holds);
        assert!(no_plaintext(folder.path(), &["Bela".to_owned()], &[]).unwrap().holds);
        let more = [("answer".to_owned(), b"Bela".to_vec())];
        assert!(!no_plaintext(folder.path(), &["Bela".to_owned()], &more).unwrap().holds);
        assert!(!no_plaintext(folder.path(), &[], &[]).unwrap().holds, "nothing searched is nothing shown");
    }
}
