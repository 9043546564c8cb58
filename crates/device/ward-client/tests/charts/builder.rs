//! A chart that a test writes entry by entry, with every author it needs.

use std::collections::{BTreeMap, BTreeSet};
use ward_client::views::NamedChart;
use ward_crypto::{CaptureSignature, DeviceCert, HedgeKey, Role, SignKey, random_bytes};
use ward_forms::{AnswerValue, Answering, ItemType, Questionnaire};
use ward_id::{ChartId, DeviceId, EntryId, Incarnation, PersonId, SiteId, TimestampMs, VersionVector};
use ward_sync::*;
use ward_testkit::SeededRng;

pub const DIARY: &[u8] = include_bytes!("../../../../../testdata/instruments/ward-symptom-diary.json");
pub const URL: &str = "https://ward.example/fhir/Questionnaire/ward-symptom-diary";
pub const VERSION: &str = "1.0.0";
pub const HOUR_MS: i64 = 3_600_000;
/// 2026-03-02.
pub const DAY: i64 = 20_514;
/// How long after it was written an entry arrives.
pub const ARRIVES_AFTER_MS: i64 = 60_000;

/// An instant on a day of the story, counted from 0, at 09:00 UTC.
pub fn day(number: i64) -> TimestampMs {
    TimestampMs((DAY + number) * 24 * HOUR_MS + 9 * HOUR_MS)
}

pub fn occurrence(number: i64) -> String {
    ward_client::views::calendar::iso_day(DAY + number)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Phone,
    LostPhone,
    Coordinator,
    Clinician,
    OtherClinician,
    /// Its own app believes it is a coordinator, its certificate says patient.
    Pretender,
}

impl Who {
    const fn role(self) -> Role {
        match self {
            Self::Phone | Self::LostPhone | Self::Pretender => Role::Patient,
            Self::Coordinator => Role::Coordinator,
            Self::Clinician | Self::OtherClinician => Role::Clinician,
        }
    }
}

pub struct Pen {
    pub author: Author,
    pub key: SignKey,
    pub hedge: HedgeKey,
    chain: EntryChain,
}

#[derive(Default)]
struct Authors {
    authors: BTreeMap<DeviceId, Author>,
    lost: BTreeSet<DeviceId>,
    severed: BTreeSet<DeviceId>,
    /// When the participant's first device was certified.
    enrolled_at: Option<TimestampMs>,
    left_out: BTreeSet<EntryId>,
}

impl Authority for Authors {
    fn author(&self, device: DeviceId) -> Option<Author> {
        self.authors.get(&device).copied()
    }

    fn certificate(&self, _device: DeviceId) -> Option<&DeviceCert> {
        None
    }

    fn standing(&self, device: DeviceId, _olog_index: Option<u64>) -> Standing {
        if self.severed.contains(&device) {
            Standing::Severed
        } else if self.lost.contains(&device) {
            Standing::ToBeAdopted
        } else {
            Standing::Effective
        }
    }

    fn leaves_out(&self, entry: EntryId) -> bool {
        self.left_out.contains(&entry)
    }

    fn participant_since(&self) -> Option<TimestampMs> {
        self.enrolled_at
    }
}

/// The monotonic clock of every device began a day before the story.
fn monotonic_ms(at: TimestampMs) -> u64 {
    u64::try_from(at.since_ms(day(-1))).unwrap_or(0)
}

pub struct TestChart {
    pub site: SiteId,
    pub id: ChartId,
    pub chart: Chart,
    pub pens: BTreeMap<Who, Pen>,
    pub rng: SeededRng,
    /// The size of the membership log under which what is written next is sealed.
    pub sealed_at: Option<u64>,
    authors: Authors,
    arrived: u64,
    /// Where everybody is who writes next.
    pub zone: String,
}

impl TestChart {
    /// A chart without entries.
    pub fn empty(number: u8) -> Self {
        let mut rng = SeededRng::new(u64::from(number), "chart");
        let (site, id) = (SiteId::from_bytes([7; 16]), ChartId::from_bytes([number; 16]));
        let mut pens = BTreeMap::new();
        let mut authors = Authors { enrolled_at: Some(day(-1)), ..Authors::default() };
        for who in [
            Who::Phone,
            Who::LostPhone,
            Who::Coordinator,
            Who::Clinician,
            Who::OtherClinician,
            Who::Pretender,
        ] {
            let mark = 0x20 + who as u8;
            let device = DeviceId::from_bytes([mark; 16]);
            let author = Author { person: PersonId::from_bytes([mark; 16]), role: who.role(), device };
            authors.authors.insert(device, author);
            let believed = if who == Who::Pretender { Role::Coordinator } else { who.role() };
            let chain = EntryChain::open(site, id, device, believed, Incarnation(1));
            let pen =
                Pen { author, key: SignKey::generate(&mut rng), hedge: HedgeKey::generate(&mut rng), chain };
            pens.insert(who, pen);
        }
        let (chart, zone) = (Chart::new(site, id), "Europe/Vienna".into());
        Self { site, id, chart, pens, rng, sealed_at: None, zone, authors, arrived: 0 }
    }

    /// A chart with the diary, due every day for `days` days from day 0.
    pub fn with_diary(number: u8, days: u16) -> Self {
        let mut out = Self::empty(number);
        out.write(Who::Coordinator, day(0), diary(DAY, 1, days));
        out
    }

    pub fn write(&mut self, who: Who, at: TimestampMs, payload: impl Into<Payload>) -> EntryId {
        self.write_draft(who, at, &Draft::new(payload))
    }

    pub fn amend(
        &mut self,
        who: Who,
        at: TimestampMs,
        payload: impl Into<Payload>,
        record: EntryId,
        why: &str,
    ) -> EntryId {
        self.write_draft(who, at, &Draft::amending(payload, record, why))
    }

    /// A decision, or a declaration that something is void.
    pub fn decide(&mut self, who: Who, at: TimestampMs, payload: impl Into<Payload>, why: &str) -> EntryId {
        self.write_draft(who, at, &Draft::because(payload, why))
    }

    fn write_draft(&mut self, who: Who, at: TimestampMs, draft: &Draft) -> EntryId {
        let have = self.chart.have();
        self.write_seeing(who, at, draft, &have)
    }

    fn write_seeing(&mut self, who: Who, at: TimestampMs, draft: &Draft, have: &VersionVector) -> EntryId {
        let entry = self.signed(who, at, draft, have);
        self.insert(entry, at)
    }

    /// Writes without a network: nobody has it before it arrives.
    pub fn write_offline(&mut self, who: Who, at: TimestampMs, payload: impl Into<Payload>) -> SignedEntry {
        self.draft_offline(who, at, &Draft::new(payload))
    }

    pub fn draft_offline(&mut self, who: Who, at: TimestampMs, draft: &Draft) -> SignedEntry {
        let have = self.chart.have();
        self.signed(who, at, draft, &have)
    }

    fn signed(&mut self, who: Who, at: TimestampMs, draft: &Draft, have: &VersionVector) -> SignedEntry {
        let moment = Moment {
            random16: random_bytes(&mut self.rng),
            captured_at: at,
            zone: self.zone.clone(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: monotonic_ms(at) },
            olog: None,
        };
        let seen = Seen { heads: have, lamport: self.chart.lamport() };
        let pen = self.pens.get_mut(&who).unwrap();
        let key = &pen.key;
        pen.chain.append(draft, &moment, seen, |id| Ok(CaptureSignature::sign(key, id))).unwrap()
    }

    fn insert(&mut self, entry: SignedEntry, at: TimestampMs) -> EntryId {
        self.arrive(entry, at.plus_ms(ARRIVES_AFTER_MS))
    }

    /// An entry that somebody wrote without a network arrives, by the server's word at this time.
    pub fn arrive(&mut self, entry: SignedEntry, received_at: TimestampMs) -> EntryId {
        let id = entry.id();
        let arrival = Arrival::at(self.arrived, received_at).sealed_under(self.sealed_at);
        self.arrived += 1;
        assert_eq!(self.chart.insert(entry, arrival), Ok(Inserted::New));
        id
    }

    /// The first entry of a new life of a device's store, with any content.
    pub fn write_raw(
        &mut self,
        who: Who,
        at: TimestampMs,
        life: u64,
        change: impl FnOnce(&mut EntryBody),
    ) -> EntryId {
        let mut body = EntryBody {
            random16: random_bytes(&mut self.rng),
            deps: Vec::new(),
            lamport: self.chart.lamport() + 1,
            kind: EntryKind::NOTE,
            schema: "ward/note".into(),
            version: 1,
            captured_at: at,
            zone: "UTC".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 0 },
            olog: None,
            amends: None,
            reason: None,
            payload: Payload::from(Note { text: "raw".into(), supersedes: Vec::new() }).encode(),
        };
        change(&mut body);
        let pen = &self.pens[&who];
        let frame = EntryFrame {
            site: self.site,
            chart: self.id,
            device: pen.author.device,
            incarnation: Incarnation(life),
            seq: 1,
            prev: None,
            body,
        };
        let entry = SignedEntry::sign(frame, |id| Ok(CaptureSignature::sign(&pen.key, id))).unwrap();
        self.insert(entry, at)
    }

    /// Writes in another zone than Vienna.
    pub fn write_in(
        &mut self,
        zone: &str,
        who: Who,
        at: TimestampMs,
        payload: impl Into<Payload>,
    ) -> EntryId {
        zone.clone_into(&mut self.zone);
        let entry = self.write(who, at, payload);
        "Europe/Vienna".clone_into(&mut self.zone);
        entry
    }

    /// Writes without having seen what others wrote since an earlier look at the chart.
    pub fn write_beside(
        &mut self,
        who: Who,
        at: TimestampMs,
        before: &VersionVector,
        payload: impl Into<Payload>,
    ) -> EntryId {
        self.write_seeing(who, at, &Draft::new(payload), before)
    }

    /// Writes with a wall clock that is off by so much; the entry arrives at its true time.
    pub fn write_off(
        &mut self,
        who: Who,
        at: TimestampMs,
        off_ms: i64,
        payload: impl Into<Payload>,
    ) -> EntryId {
        let have = self.chart.have();
        let moment = Moment {
            random16: random_bytes(&mut self.rng),
            captured_at: at.plus_ms(off_ms),
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: monotonic_ms(at) },
            olog: None,
        };
        let seen = Seen { heads: &have, lamport: self.chart.lamport() };
        let pen = self.pens.get_mut(&who).unwrap();
        let key = &pen.key;
        let draft = Draft::new(payload);
        let entry =
            pen.chain.append(&draft, &moment, seen, |id| Ok(CaptureSignature::sign(key, id))).unwrap();
        self.insert(entry, at)
    }

    /// Since when the participant has a device; `None` for never.
    pub fn enrolled_at(&mut self, at: Option<TimestampMs>) {
        self.authors.enrolled_at = at;
    }

    /// From now on the entries of the lost phone wait to be adopted.
    pub fn lose_phone(&mut self) {
        self.lose(Who::LostPhone);
    }

    /// From now on the entries of a device are kept aside, and nobody is to take them over.
    pub fn distrust(&mut self, who: Who) {
        let device = self.pens[&who].author.device;
        self.authors.severed.insert(device);
    }

    /// From now on the entries of a device wait to be adopted.
    pub fn lose(&mut self, who: Who) {
        let device = self.pens[&who].author.device;
        self.authors.lost.insert(device);
    }

    pub fn view(&self) -> ChartView<'_> {
        let view = self.chart.view(&self.authors);
        assert!(view.accounting().balances());
        view
    }

    /// The chart as it would be if nobody had lost a device, without what staff declined.
    pub fn trusted_view(&self) -> ChartView<'_> {
        let authors = Authors {
            authors: self.authors.authors.clone(),
            enrolled_at: self.authors.enrolled_at,
            left_out: self.view().declined(),
            ..Authors::default()
        };
        self.chart.view(&authors)
    }

    pub fn with_named<T>(&self, act: impl FnOnce(&NamedChart<'_>) -> T) -> T {
        let view = self.view();
        act(&NamedChart::new(self.id, &view))
    }

    /// A finished diary for a day of the story.
    pub fn report(&mut self, number: i64, answers: &Answers<'_>) -> EntryId {
        self.report_at(day(number), number, answers)
    }

    pub fn report_at(&mut self, at: TimestampMs, number: i64, answers: &Answers<'_>) -> EntryId {
        let payload = response(&occurrence(number), ResponseStatus::Completed, answers);
        self.write(Who::Phone, at, payload)
    }
}

pub fn diary(first_day: i64, every_days: u16, days: u16) -> Instrument {
    Instrument {
        url: URL.into(),
        version: VERSION.into(),
        questionnaire: DIARY.to_vec(),
        schedule: InstrumentSchedule::EveryDays { first_day, every_days, days },
    }
}

/// Answers to the diary: a score for the symptoms that are named, nothing for the others.
#[derive(Debug, Clone, Default)]
pub struct Answers<'a> {
    pub scores: &'a [(&'a str, usize)],
    pub note: Option<&'a str>,
    pub call_me: bool,
    /// linkIds of questions that are not answered.
    pub refused: &'a [&'a str],
}

impl<'a> Answers<'a> {
    pub fn of(scores: &'a [(&'a str, usize)]) -> Self {
        Self { scores, ..Self::default() }
    }

    pub fn json(&self) -> Vec<u8> {
        let mut answering = Answering::new(Questionnaire::parse(DIARY).unwrap());
        while let Some(step) = answering.next_question() {
            let score = self.scores.iter().find(|(symptom, _)| step.link_id.starts_with(symptom));
            let value = match (step.link_id.as_str(), self.note) {
                ("note", Some(note)) => Some(AnswerValue::text(note)),
                ("call-me", _) if self.call_me => Some(AnswerValue::Boolean(true)),
                _ if step.item_type == ItemType::Choice => {
                    Some(step.options[score.map_or(0, |(_, score)| *score)].value.clone())
                }
                _ => None,
            };
            match value {
                Some(value) => answering.answer(&step.path, value).unwrap(),
                None => answering.skip(&step.path).unwrap(),
            }
        }
        let mut finished = answering.finish(Some("2026-03-02T09:00:00Z")).unwrap().to_value();
        take_out(&mut finished, self.refused);
        finished.to_string().into_bytes()
    }
}

/// As an app sends it that lets a question be refused.
fn take_out(value: &mut serde_json::Value, refused: &[&str]) {
    let Some(items) = value.get_mut("item").and_then(serde_json::Value::as_array_mut) else { return };
    items.retain(|item| !refused.iter().any(|link_id| item["linkId"] == *link_id));
    items.iter_mut().for_each(|item| take_out(item, refused));
}

/// Feeling sick nearly all the time, as bad as it can be: grade 3.
pub const SEVERE: &[(&str, usize)] = &[("nausea", 4)];
/// Feeling sick a few times, a little bad: grade 1.
pub const MILD: &[(&str, usize)] = &[("nausea", 1)];

pub fn response(occurrence: &str, status: ResponseStatus, answers: &Answers<'_>) -> QuestionnaireResponse {
    QuestionnaireResponse {
        instrument_url: URL.into(),
        instrument_version: VERSION.into(),
        occurrence: Occurrence::new(occurrence),
        status,
        answered_by: AnsweredBy::Self_,
        response: answers.json(),
    }
}

pub fn plan_field(value: Option<&str>, supersedes: Vec<EntryId>) -> MedicationPlanField {
    MedicationPlanField {
        medication: MedicationId::new("ondansetron"),
        field: "dose".into(),
        value: value.map(Into::into),
        unit: value.map(|_| "mg".into()),
        supersedes,
    }
}

pub fn profile(field: &str, value: &str) -> ProfileField {
    ProfileField { field: field.into(), value: value.into(), supersedes: Vec::new() }
}

pub fn note(text: &str) -> Note {
    Note { text: text.into(), supersedes: Vec::new() }
}
