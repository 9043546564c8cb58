//! The days of the story: answers, doses, offline spells, corrections, a conflict, a lost phone.

use super::answers::fill_in;
use super::cast::{Device, Patient, Site, replace_phone, settle};
use super::clock::DemoClock;
use super::note_of_two::{self, NoteOfTwo};
use super::story::{Dice, PatientPlan};
use crate::exit::Failure;
use crate::home::from_client;
use crate::print::{Progress, instant};
use ward_client::SyncProblem;
use ward_client::views::{Urgency, occurrence_of};
use ward_forms::Questionnaire;
use ward_id::{ChartId, EntryId, TimestampMs};
use ward_server::Clock as _;
use ward_sync::{
    AnsweredBy, Dose, DoseOutcome, FieldKey, MedicationId, MedicationPlanField, QuestionnaireResponse,
    Resolve, ResponseStatus,
};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
const MEDICATION: &str = "ondansetron";

/// Something that was written on a phone, to be found again on the clinicians' devices.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Whose.
    pub patient: usize,
    /// Its name.
    pub entry: EntryId,
    /// The exact bytes of the answers.
    pub response: Vec<u8>,
}

/// What came of the days.
#[derive(Debug, Default)]
pub struct Written {
    /// Every response, amended ones too.
    pub responses: Vec<Truth>,
    /// Responses that were corrected.
    pub amended: u64,
    /// Responses given a day late.
    pub late: u64,
    /// Doses.
    pub doses: u64,
    /// Days on which a phone wrote without a network.
    pub offline_days: u64,
    /// The two writes of the dose conflict that is still open.
    pub conflict: Vec<EntryId>,
    /// The decision that ended the one before.
    pub decision: Option<EntryId>,
    /// The note that two wrote in apart.
    pub note: Option<NoteOfTwo>,
    /// On how many devices one value held after it, and on how many it was looked for.
    pub decided_on: (usize, usize),
    /// The chart with the conflict.
    pub conflict_chart: Option<ChartId>,
    /// Entries that the lost phone could read when it was lost, and the charts' newest epoch then.
    pub lost_phone_entries: usize,
    /// Texts that must not stand anywhere in clear.
    pub canaries: Vec<String>,
}

/// Everything that the days need.
pub struct Story<'a> {
    /// The sites.
    pub sites: &'a mut [Site],
    /// The participants.
    pub patients: &'a mut [Patient],
    /// Their weeks.
    pub plans: &'a [PatientPlan],
    /// The questionnaire.
    pub form: &'a Questionnaire,
    /// The clock of everybody.
    pub clock: &'a DemoClock,
    /// Midnight of the first day.
    pub first_midnight: TimestampMs,
    /// Seed of the dice.
    pub seed: u64,
    /// A text that marks every free text of the demo.
    pub mark: &'a str,
}

impl Story<'_> {
    /// Lives through all days.
    ///
    /// # Errors
    /// What went wrong that should not.
    pub async fn live(&mut self, progress: &Progress) -> Result<Written, Failure> {
        let mut written = Written::default();
        let days = self.plans.iter().map(|plan| plan.days.len()).max().unwrap_or(0);
        for day in 0..days {
            progress.now(&format!("day {} of {days}", day + 1));
            if day == 0 {
                self.prescribe().await?;
            }
            for (minute, index) in self.mornings(day) {
                self.at(day, minute);
                self.answer(day, index, &mut written).await?;
                progress.step();
            }
            self.at(day, 22 * 60);
            self.evening(day, &mut written).await?;
            self.staff_day(day).await?;
        }
        Ok(written)
    }

    fn at(&self, day: usize, minute: i64) {
        let day = i64::try_from(day).unwrap_or(0);
        self.clock.advance_to(self.first_midnight.plus_ms(day * DAY_MS + minute * MINUTE_MS));
    }

    /// Who answers when, in order.
    fn mornings(&self, day: usize) -> Vec<(i64, usize)> {
        let at = |plan: &PatientPlan| plan.days.get(day).map(|day| i64::try_from(day.at_minute).unwrap_or(0));
        let mut out: Vec<_> =
            self.plans.iter().enumerate().filter_map(|(index, plan)| Some((at(plan)?, index))).collect();
        out.sort_unstable();
        out
    }

    async fn prescribe(&mut self) -> Result<(), Failure> {
        for patient in self.patients.iter() {
            let site =
                self.plans.iter().zip(self.patients.iter()).find(|(_, other)| other.chart == patient.chart);
            let Some(site) = site.and_then(|(plan, _)| self.sites.get_mut(plan.site)) else { continue };
            if let Some(clinician) = site.clinicians.first_mut() {
                settle(clinician).await?;
                write_dose_field(clinician, patient.chart, "4", Vec::new()).await?;
            }
        }
        for site in self.sites.iter_mut() {
            for device in site.staff() {
                settle(device).await?;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, day: usize, index: usize, written: &mut Written) -> Result<(), Failure> {
        let (Some(plan), Some(patient)) = (self.plans.get(index), self.patients.get_mut(index)) else {
            return Ok(());
        };
        let Some(today) = plan.days.get(day).copied() else { return Ok(()) };
        if plan.loses_phone_on == Some(day) {
            settle(&mut patient.phone).await?;
            written.lost_phone_entries = entries_of(&patient.phone, patient.chart);
            let Some(site) = self.sites.get_mut(plan.site) else { return Ok(()) };
            settle(&mut site.coordinator).await?;
            replace_phone(site, patient, self.clock).await?;
        }
        let late_yesterday = day
            .checked_sub(1)
            .and_then(|before| plan.days.get(before))
            .is_some_and(|before| before.answers_late);
        let mut wanted = Vec::new();
        if late_yesterday {
            wanted.push((day - 1, true));
        }
        if today.answers {
            wanted.push((day, false));
        }
        for (for_day, late) in wanted {
            let seed = self.seed ^ ((index as u64) << 32) ^ for_day as u64;
            let mut dice = Dice::new(seed);
            let note = dice.chance(30).then(|| format!("slept badly, note-{}-{index}-{for_day}", self.mark));
            let planned = plan.days.get(for_day).copied().unwrap_or(today);
            let authored = instant(self.clock.now());
            let response =
                fill_in(self.form, &mut dice, planned.burden, planned.urgent, note.as_deref(), &authored)
                    .map_err(|why| {
                        Failure::input("The questionnaire cannot be answered", why, "try another one")
                    })?;
            let payload = self.form_payload(for_day, response.to_json(), ResponseStatus::Completed);
            let bytes = payload.response.clone();
            let Some(patient) = self.patients.get_mut(index) else { return Ok(()) };
            let entry = patient.phone.capture(patient.chart, payload).await.map_err(from_client)?;
            written.canaries.extend(note);
            written.late += u64::from(late);
            written.responses.push(Truth { patient: index, entry, response: bytes });
        }
        let Some(patient) = self.patients.get_mut(index) else { return Ok(()) };
        let now = self.clock.now();
        let outcome = if today.takes_dose { DoseOutcome::Taken } else { DoseOutcome::Skipped };
        let dose = Dice::new(self.seed ^ now.0.unsigned_abs())
            .chance(10)
            .then(|| format!("with food, dose-{}-{index}", self.mark));
        written.canaries.extend(dose.clone());
        let dose =
            Dose { medication: MedicationId::new(MEDICATION), due_at: now, outcome, at: now, note: dose };
        patient.phone.capture(patient.chart, dose).await.map_err(from_client)?;
        written.doses += 1;
        if today.online {
            sync_phone(&mut patient.phone).await?;
        } else {
            written.offline_days += 1;
        }
        Ok(())
    }

    fn form_payload(
        &self,
        for_day: usize,
        response: Vec<u8>,
        status: ResponseStatus,
    ) -> QuestionnaireResponse {
        let first = self.first_midnight.utc_day();
        QuestionnaireResponse {
            instrument_url: self.form.url().unwrap_or_default().to_owned(),
            instrument_version: self.form.version().unwrap_or_default().to_owned(),
            occurrence: occurrence_of(first + i64::try_from(for_day).unwrap_or(0)),
            status,
            answered_by: AnsweredBy::Self_,
            response,
        }
    }

    /// Corrections, and the conflict about a dose.
    async fn evening(&mut self, day: usize, written: &mut Written) -> Result<(), Failure> {
        for index in 0..self.patients.len() {
            let Some(plan) = self.plans.get(index) else { continue };
            let amends = plan.days.get(day).is_some_and(|day| day.amends && day.answers && day.online);
            let before = written.responses.iter().rev().find(|truth| truth.patient == index).cloned();
            if let (true, Some(before)) = (amends, before) {
                self.amend(index, day, &before, written).await?;
            }
            let Some(conflict_on) = plan.dose_conflict_on else { continue };
            let last = plan.days.len().saturating_sub(1);
            if conflict_on + 1 == day {
                self.decide(index, written).await?;
                self.share_note(index, written).await?;
            }
            // The second one is left open, for whoever looks around.
            if conflict_on == day || last == day {
                self.conflict(index, written).await?;
            }
        }
        Ok(())
    }

    async fn amend(
        &mut self,
        index: usize,
        day: usize,
        before: &Truth,
        written: &mut Written,
    ) -> Result<(), Failure> {
        let mut dice = Dice::new(self.seed ^ 0x00a3_e4d5 ^ index as u64);
        let authored = instant(self.clock.now());
        let response = fill_in(self.form, &mut dice, 1, false, None, &authored)
            .map_err(|why| Failure::input("The questionnaire cannot be answered", why, "try another one"))?;
        let payload = self.form_payload(day, response.to_json(), ResponseStatus::Amended);
        let bytes = payload.response.clone();
        let Some(patient) = self.patients.get_mut(index) else { return Ok(()) };
        let reason = format!("mixed up two questions, reason-{}", self.mark);
        written.canaries.push(reason.clone());
        let entry =
            patient.phone.amend(patient.chart, before.entry, reason, payload).await.map_err(from_client)?;
        sync_phone(&mut patient.phone).await?;
        written.amended += 1;
        written.responses.push(Truth { patient: index, entry, response: bytes });
        Ok(())
    }

    /// Two clinicians change one dose, each without having seen the other's change.
    async fn conflict(&mut self, index: usize, written: &mut Written) -> Result<(), Failure> {
        let (Some(plan), Some(patient)) = (self.plans.get(index), self.patients.get(index)) else {
            return Ok(());
        };
        let Some(site) = self.sites.get_mut(plan.site) else { return Ok(()) };
        for clinician in &mut site.clinicians {
            settle(clinician).await?;
        }
        written.conflict.clear();
        for (clinician, dose) in site.clinicians.iter_mut().zip(["8", "6"]) {
            let seen = current_dose(clinician, patient.chart)?;
            written.conflict.push(write_dose_field(clinician, patient.chart, dose, seen).await?);
        }
        written.conflict_chart = Some(patient.chart);
        for clinician in &mut site.clinicians {
            settle(clinician).await?;
        }
        Ok(())
    }

    /// The next day one of the two looks at both values and decides, which names both and says why.
    async fn decide(&mut self, index: usize, written: &mut Written) -> Result<(), Failure> {
        let (Some(plan), Some(patient)) = (self.plans.get(index), self.patients.get_mut(index)) else {
            return Ok(());
        };
        let Some(site) = self.sites.get_mut(plan.site) else { return Ok(()) };
        let chart = patient.chart;
        let Some(clinician) = site.clinicians.first_mut() else { return Ok(()) };
        settle(clinician).await?;
        let open = clinician.conflicts(chart).map_err(from_client)?;
        let key = dose_field();
        let Some(conflict) = open.into_iter().find(|open| open.field == key) else { return Ok(()) };
        let Some(chosen) = conflict.candidates.first().copied() else { return Ok(()) };
        let decision = Resolve::choosing(key, conflict.candidates, chosen);
        let entry = clinician.resolve(chart, decision, "spoke with both").await.map_err(from_client)?;
        written.decision = Some(entry);
        for clinician in &mut site.clinicians {
            settle(clinician).await?;
        }
        sync_phone(&mut patient.phone).await?;
        let mut devices: Vec<&Device> = site.clinicians.iter().collect();
        devices.push(&patient.phone);
        let one_value = |device: &&&Device| current_dose(device, chart).is_ok_and(|ids| ids == [entry]);
        written.decided_on = (devices.iter().filter(one_value).count(), devices.len());
        Ok(())
    }

    async fn share_note(&mut self, index: usize, written: &mut Written) -> Result<(), Failure> {
        let (Some(plan), Some(patient)) = (self.plans.get(index), self.patients.get(index)) else {
            return Ok(());
        };
        let Some(site) = self.sites.get_mut(plan.site) else { return Ok(()) };
        written.note = note_of_two::write(site, patient.chart, self.mark).await?;
        written.canaries.push(format!("since Monday, note-{}", self.mark));
        Ok(())
    }

    /// The team meets the server, and looks after what is urgent every other day.
    async fn staff_day(&mut self, day: usize) -> Result<(), Failure> {
        for site in self.sites.iter_mut() {
            for device in site.staff() {
                settle(device).await?;
            }
            let now = self.clock.now();
            if day % 2 == 1
                && let Some(clinician) = site.clinicians.first_mut()
            {
                let urgent: Vec<String> = clinician
                    .worklist(now)
                    .map_err(from_client)?
                    .into_iter()
                    .filter(|item| item.urgency >= Urgency::Urgent && item.acknowledged.is_none())
                    .map(|item| item.id)
                    .collect();
                for item in urgent {
                    clinician.acknowledge(&item, "called the participant").await.map_err(from_client)?;
                }
                settle(clinician).await?;
            }
        }
        Ok(())
    }
}

/// Syncs a phone; only that a chart waits for a new key is no trouble: the next sync has it.
async fn sync_phone(phone: &mut Device) -> Result<(), Failure> {
    let report = phone.sync().await.map_err(from_client)?;
    let wrong = report.problems.iter().find(|problem| !matches!(problem, SyncProblem::NeedsRotation(_)));
    match wrong {
        None => Ok(()),
        Some(problem) => Err(Failure::fault("A phone of the demo could not sync", format!("{problem:?}"))),
    }
}

/// How many entries of a chart a device holds.
pub fn entries_of(device: &Device, chart: ChartId) -> usize {
    device.chart(chart).map_or(0, |view| view.timeline().len())
}

fn dose_field() -> FieldKey {
    FieldKey::MedicationPlan(MedicationId::new(MEDICATION), "dose".to_owned())
}

fn current_dose(device: &Device, chart: ChartId) -> Result<Vec<EntryId>, Failure> {
    let view = device.chart(chart).map_err(from_client)?;
    let key = (MedicationId::new(MEDICATION), "dose".to_owned());
    Ok(view.medication_plan().get(&key).map(ward_sync::Thread::current_ids).unwrap_or_default())
}

async fn write_dose_field(
    device: &mut Device,
    chart: ChartId,
    value: &str,
    supersedes: Vec<EntryId>,
) -> Result<EntryId, Failure> {
    let field = MedicationPlanField {
        medication: MedicationId::new(MEDICATION),
        field: "dose".to_owned(),
        value: Some(value.to_owned()),
        unit: Some("mg".to_owned()),
        supersedes,
    };
    device.capture(chart, field).await.map_err(from_client)
}
