//! A day at a site on SQLite, in which people write everything that Ward must keep to itself.

use crate::scene::note;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use ward_client::views::{Urgency, occurrence_of};
use ward_client::{DraftKey, SyncReport};
use ward_crypto::Role;
use ward_forms::pro_ctcae::STRUCTURE_SYSTEM;
use ward_id::{Canonical as _, ChartId, EntryId, TimestampMs};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::{
    AnsweredBy, Appointment, AppointmentId, AppointmentStatus, Consent, ConsentStatus, Dose, DoseOutcome,
    EntryKind, Instrument, InstrumentSchedule, MedicationId, MedicationPlanField, Participation,
    ParticipationState, Payload, ProfileField, QuestionnaireResponse, ResponseStatus,
};
use ward_testkit::{FileClient, START, Site, TestDevice};

/// Words of the form: its address, its title, its questions.
pub const FORM_URL: &str = "https://forms.zebrafinch.example/Questionnaire/gastric-diary";
pub const FORM_TITLE: &str = "Zebrafinch gastric diary";
pub const QUESTIONS: [&str; 3] = ["zf-nausea-how-bad", "zf-pain-how-bad", "zf-in-your-words"];

/// A device whose rows stand in a file.
pub struct Person {
    pub device: TestDevice,
    pub client: FileClient,
}

impl Person {
    async fn new(mut device: TestDevice, folder: &Path, name: &str) -> Self {
        let client = device.moved_to_file(&folder.join(format!("{name}.db"))).await;
        Self { device, client }
    }

    async fn sync(&mut self) -> SyncReport {
        let report = self.client.sync().await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        report
    }
}

/// A site after its day.
pub struct Day {
    pub site: Site<SqliteStore>,
    /// Where the server's database stands.
    pub server_files: TempDir,
    /// Where the devices' stores stand.
    pub device_files: TempDir,
    pub patients: Vec<Person>,
    pub charts: Vec<ChartId>,
    pub nurse: Person,
    /// Two members of the team whose rights end after the day.
    pub leavers: [TestDevice; 2],
    /// A text for everything that somebody wrote, each found nowhere else.
    pub canaries: Vec<String>,
    /// The draft that each patient left open.
    pub drafts: Vec<DraftKey>,
}

impl Day {
    /// A new text that nobody else ever wrote.
    fn canary(&mut self, what: &str) -> String {
        let text = format!("{what}-kestrel-{:02}-q9x7", self.canaries.len());
        self.canaries.push(text.clone());
        text
    }

    /// Time passes: nobody sends anything in the millisecond in which they wrote it.
    fn later(&self) {
        self.site.clock.advance_ms(61_237);
    }

    /// Everything that a chart's members read, as the nurse's device holds it opened.
    pub fn opened(&self, chart: ChartId) -> Vec<u8> {
        let view = self.nurse.client.chart(chart).unwrap();
        view.timeline().iter().flat_map(|item| item.entry.frame().to_canonical()).collect()
    }

    /// When entries were written, by the devices' clocks.
    pub fn capture_times(&self) -> Vec<TimestampMs> {
        let mut times = Vec::new();
        for chart in &self.charts {
            let view = self.nurse.client.chart(*chart).unwrap();
            // A device says what it has opened in the very sync that sends it: here, where clocks stand
            // still meanwhile, that is the time of arrival, which the server knows anyway.
            let by_people = view.timeline().iter().filter(|item| item.entry.body().kind != EntryKind::OPENED);
            times.extend(by_people.map(|item| item.entry.body().captured_at));
        }
        times
    }

    async fn coordinator_writes(&mut self, chart: ChartId) {
        let appointment = Appointment {
            appointment: AppointmentId([7; 16]),
            status: AppointmentStatus::Booked,
            starts_at: START.plus_ms(86_400_000),
            minutes: 30,
            place: self.canary("place"),
            purpose: self.canary("purpose"),
            supersedes: vec![],
        };
        let profile =
            ProfileField { field: "name".to_owned(), value: self.canary("name"), supersedes: vec![] };
        let consent = Consent {
            consent_version: self.canary("consent-form"),
            status: ConsentStatus::Given,
            choice: None,
        };
        let participation = Participation { state: ParticipationState::Active, from: START };
        let payloads: [Payload; 5] =
            [form().into(), profile.into(), consent.into(), participation.into(), appointment.into()];
        self.later();
        for payload in payloads {
            self.site.coordinator.client.capture(chart, payload).await.unwrap();
            self.later();
        }
        self.site.coordinator.sync().await;
    }

    async fn patient_writes(&mut self, index: usize) {
        let (chart, day) = (self.charts[index], START.utc_day());
        let words = [self.canary("answer"), self.canary("answer-corrected"), self.canary("draft")];
        let (reason, remark) = (self.canary("reason"), self.canary("dose-remark"));
        let (said, medication) = (self.canary("note-of-patient"), format!("{}-zofran", self.canaries[0]));
        self.patients[index].sync().await;
        self.patients[index].device.relay.set_offline(true);
        self.later();
        let first = self.wrote(index, chart, response(day, ResponseStatus::Completed, &words[0])).await;
        let corrected = response(day, ResponseStatus::Amended, &words[1]);
        self.patients[index].client.amend(chart, first, reason, corrected).await.unwrap();
        self.later();
        let dose = Dose {
            medication: MedicationId::new(medication),
            due_at: START,
            outcome: DoseOutcome::Taken,
            at: self.site.clock.now(),
            note: Some(remark),
        };
        self.wrote(index, chart, dose).await;
        self.wrote(index, chart, note(&said)).await;
        let key = DraftKey {
            chart,
            instrument_url: FORM_URL.to_owned(),
            instrument_version: "1".to_owned(),
            occurrence: occurrence_of(day + 1).to_string(),
            amends: None,
        };
        self.patients[index].client.save_draft(&key, words[2].as_bytes()).await.unwrap();
        self.drafts.push(key);
        self.patients[index].device.relay.set_offline(false);
        assert_eq!(self.patients[index].sync().await.pushed, 4);
    }

    async fn wrote(&mut self, index: usize, chart: ChartId, payload: impl Into<Payload>) -> EntryId {
        let entry = self.patients[index].client.capture(chart, payload).await.unwrap();
        self.later();
        entry
    }

    async fn nurse_writes(&mut self, chart: ChartId) {
        let field = MedicationPlanField {
            medication: MedicationId::new(self.canary("medication")),
            field: "dose".to_owned(),
            value: Some(self.canary("dose")),
            unit: Some("mg".to_owned()),
            supersedes: vec![],
        };
        let (done, said) = (self.canary("called-the-patient"), self.canary("note-of-nurse"));
        self.nurse.sync().await;
        self.later();
        let now = self.site.clock.now();
        let list = self.nurse.client.worklist(now).unwrap();
        let item = list.iter().find(|item| item.chart == chart && item.urgency == Urgency::Urgent).unwrap();
        self.nurse.client.acknowledge(&item.id, &done).await.unwrap();
        self.later();
        for payload in [Payload::from(field), note(&said).into()] {
            self.nurse.client.capture(chart, payload).await.unwrap();
            self.later();
        }
        assert_eq!(self.nurse.sync().await.pushed, 3);
    }
}

fn form() -> Instrument {
    let grade = |link_id: &str, symptom: &str| {
        json!({"linkId": link_id, "type": "integer", "text": "How bad was it at its worst?",
            "code": [{"system": STRUCTURE_SYSTEM, "code": format!("{symptom}/severity"), "display": symptom}]})
    };
    let questionnaire = json!({
        "resourceType": "Questionnaire", "url": FORM_URL, "version": "1", "status": "active",
        "title": FORM_TITLE,
        "item": [grade(QUESTIONS[0], "nausea"), grade(QUESTIONS[1], "pain"),
            {"linkId": QUESTIONS[2], "type": "text", "text": "Anything else?"}],
    });
    Instrument {
        url: FORM_URL.to_owned(),
        version: "1".to_owned(),
        questionnaire: questionnaire.to_string().into_bytes(),
        schedule: InstrumentSchedule::EveryDays { first_day: START.utc_day(), every_days: 1, days: 14 },
    }
}

fn response(day: i64, status: ResponseStatus, words: &str) -> QuestionnaireResponse {
    let answer = |link_id: &str, value: Value| json!({"linkId": link_id, "answer": [value]});
    let state = if status == ResponseStatus::Amended { "amended" } else { "completed" };
    let response = json!({
        "resourceType": "QuestionnaireResponse", "questionnaire": format!("{FORM_URL}|1"), "status": state,
        "item": [answer(QUESTIONS[0], json!({"valueInteger": 4})), answer(QUESTIONS[1], json!({"valueInteger": 1})),
            answer(QUESTIONS[2], json!({"valueString": words}))],
    });
    QuestionnaireResponse {
        instrument_url: FORM_URL.to_owned(),
        instrument_version: "1".to_owned(),
        occurrence: occurrence_of(day),
        status,
        answered_by: AnsweredBy::Self_,
        response: response.to_string().into_bytes(),
    }
}

/// Opens a site and lives through its day: three patients, a nurse, a coordinator.
pub async fn whole_day(seed: u64) -> Day {
    let (server_files, device_files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SqliteStore::open(&server_files.path().join("site.db"), SqliteOptions::default()).unwrap();
    let mut site = Site::small_on(seed, store).await;
    let nurse = site.staff("nurse", Role::Clinician).await;
    let mut leavers =
        [site.staff("leaver", Role::Clinician).await, site.staff("another leaver", Role::Investigator).await];
    let mut patients = Vec::new();
    for name in ["ada", "ben", "cleo"] {
        patients.push(Person::new(site.patient(name).await, device_files.path(), name).await);
    }
    let nurse = Person::new(nurse, device_files.path(), "nurse").await;
    let charts: Vec<ChartId> = patients.iter().map(|patient| patient.device.chart()).collect();
    for leaver in &mut leavers {
        leaver.sync().await;
    }
    let (canaries, drafts) = (Vec::new(), Vec::new());
    let mut day =
        Day { site, server_files, device_files, patients, charts, nurse, leavers, canaries, drafts };
    for index in 0..day.charts.len() {
        let chart = day.charts[index];
        day.coordinator_writes(chart).await;
        day.patient_writes(index).await;
        day.nurse_writes(chart).await;
    }
    day.later();
    for patient in &mut day.patients {
        patient.sync().await;
    }
    for device in day.leavers.iter_mut().chain([&mut day.site.coordinator]) {
        device.sync().await;
    }
    day.nurse.sync().await;
    day
}
