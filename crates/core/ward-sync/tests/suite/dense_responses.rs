//! Answers that are bound to the entry with their questionnaire: arrival in any order, wrong
//! names, both forms side by side, and what they weigh.

use crate::support::*;
use serde_json::Value;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

/// Published in the protocol: bytes on the wire of 20 answers and two entries seen.
const ENVELOPE_20_MAX_BYTES: usize = 850;
/// The occurrence of that envelope: a day.
const DAY_NAME: &str = "2026-11-23";

struct Story {
    ward: Ward,
    chart: Chart,
}

impl Story {
    fn new(seed: u64) -> Self {
        let ward = Ward::new(seed);
        let chart = Chart::new(ward.site.site, ward.chart);
        Self { ward, chart }
    }

    fn pen<'a>(&self, device: &'a Device, incarnation: u64) -> Pen<'a> {
        Pen::new(self.ward.site.site, self.ward.chart, device, incarnation)
    }

    fn check<R>(&self, chart: &Chart, look: impl FnOnce(&ChartView<'_>) -> R) -> R {
        let view =
            chart.view(&ChartAuthority { membership: &self.ward.site.membership, chart: self.ward.chart });
        assert!(view.accounting().balances(), "{:?}", view.accounting());
        look(&view)
    }
}

fn arrive(chart: &mut Chart, entry: &SignedEntry) {
    let place = chart.len() as u64;
    assert_eq!(chart.insert(entry.clone(), Arrival::at(place, T0)), Ok(Inserted::New));
    chart.prove(entry.id(), place);
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut story = Story::new(1);
    let ward = Ward::new(1);
    let plan = story.pen(&ward.coordinator, 1).write(&story.chart, instrument("https://ward.example/q"));
    // The phone has seen the instrument, but names it nowhere else than in the payload.
    let answers = story.pen(&ward.phone, 2).write(&story.chart, dense(plan.id(), "day-1", AnsweredBy::Self_));
    assert!(answers.body().deps.is_empty());
    arrive(&mut story.chart, &answers);
    assert_eq!(story.chart.missing(), [plan.id()], "the instrument is a cause");
    assert_eq!(story.chart.settled().iter().count(), 0, "nobody names what waits");
    story.check(&story.chart, |view| {
        assert_eq!(view.place(answers.id()), Some(Place::Parked));
        assert!(view.responses().is_empty());
    });
    arrive(&mut story.chart, &plan);
    assert!(story.chart.missing().is_empty());
    story.check(&story.chart, |view| {
        assert_eq!(view.place(answers.id()), Some(Place::Visible));
        let (key, threads) = view.responses().iter().next().unwrap();
        assert_eq!(key, &("https://ward.example/q".to_owned(), Occurrence::new("day-1")));
        assert_eq!(threads[0].single().unwrap().value.instrument(), Some(&plan.id()));
        assert_eq!(view.instrument(plan.id()).unwrap().version, "1");
    });
}

#[test]
fn both_forms_stand_in_one_thread() {
    let mut story = Story::new(2);
    let ward = Ward::new(2);
    let url = response("x", ResponseStatus::Completed, AnsweredBy::Self_).instrument_url;
    let plan = story.pen(&ward.coordinator, 1).write(&story.chart, instrument(&url));
    arrive(&mut story.chart, &plan);
    let mut phone = story.pen(&ward.phone, 2);
    let general = response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    let first = phone.write(&story.chart, general);
    arrive(&mut story.chart, &first);
    let second = phone.amend(&story.chart, dense(plan.id(), "day-1", AnsweredBy::Self_), first.id());
    arrive(&mut story.chart, &second);
    story.check(&story.chart, |view| {
        assert_eq!(view.responses().len(), 1);
        let thread = &view.responses().values().next().unwrap()[0];
        assert!(matches!(thread.single().unwrap().value, Response::Dense(_)));
        assert!(matches!(thread.past[0].value, Response::General(_)));
        assert_eq!(view.place(first.id()), Some(Place::Superseded));
    });
}

#[test]
fn a_wrong_name_is_kept_and_said() {
    let mut story = Story::new(3);
    let ward = Ward::new(3);
    let mut coordinator = story.pen(&ward.coordinator, 1);
    let talk = coordinator.write(&story.chart, note("no questionnaire"));
    arrive(&mut story.chart, &talk);
    let mut phone = story.pen(&ward.phone, 2);
    let on_note = phone.write(&story.chart, dense(talk.id(), "day-1", AnsweredBy::Self_));
    arrive(&mut story.chart, &on_note);
    let nowhere = EntryId::from_bytes([9; 32]);
    let on_nothing =
        story.pen(&ward.phone, 3).write(&story.chart, dense(nowhere, "day-2", AnsweredBy::Self_));
    arrive(&mut story.chart, &on_nothing);
    // A later entry of the same chain is not dragged along.
    let later = phone.write(&story.chart, note("slept well"));
    arrive(&mut story.chart, &later);
    story.check(&story.chart, |view| {
        assert!(matches!(view.place(on_note.id()), Some(Place::Invalid(PayloadError::Contradiction(_)))));
        assert_eq!(view.place(on_nothing.id()), Some(Place::Parked));
        assert_eq!(view.place(later.id()), Some(Place::Visible));
        assert!(view.responses().is_empty());
        assert_eq!(view.timeline().len(), 4, "nothing is lost");
    });
    assert_eq!(story.chart.missing(), [nowhere]);
}

#[test]
fn a_questionnaire_by_somebody_who_may_not_bring_one_binds_nothing() {
    let mut story = Story::new(4);
    let ward = Ward::new(4);
    let mut phone = story.pen(&ward.phone, 1);
    // The phone believes it is a coordinator; its certificate says patient.
    phone.chain =
        EntryChain::open(ward.site.site, ward.chart, ward.phone.id, Role::Coordinator, Incarnation(1));
    let own = phone.write(&story.chart, instrument("https://ward.example/q"));
    arrive(&mut story.chart, &own);
    let answers = story.pen(&ward.phone, 2).write(&story.chart, dense(own.id(), "day-1", AnsweredBy::Self_));
    arrive(&mut story.chart, &answers);
    story.check(&story.chart, |view| {
        assert_eq!(view.place(own.id()), Some(Place::NotPermitted));
        assert!(matches!(view.place(answers.id()), Some(Place::Invalid(_))));
        assert_eq!(view.instrument(own.id()), None);
    });
}

#[test]
fn the_role_rule_holds_for_both_forms() {
    let interview = Payload::from(dense(EntryId::from_bytes([1; 32]), "day-1", AnsweredBy::Interview));
    let alone = Payload::from(dense(EntryId::from_bytes([1; 32]), "day-1", AnsweredBy::Self_));
    assert!(may_write(Role::Coordinator, &interview) && !may_write(Role::Coordinator, &alone));
    assert!(may_write(Role::Patient, &alone) && !may_write(Role::Clinician, &interview));
}

#[test]
fn the_version_decides_the_form() {
    let dense = Payload::from(dense(EntryId::from_bytes([1; 32]), "day-1", AnsweredBy::Self_));
    let general = Payload::from(response("day-1", ResponseStatus::Completed, AnsweredBy::Self_));
    let read = |version, payload: &Payload| {
        Payload::decode(EntryKind::QUESTIONNAIRE_RESPONSE, payload.schema(), version, &payload.encode())
    };
    assert_eq!((general.version(), dense.version()), (1, 2));
    assert_eq!(read(1, &general), Decoded::Known(general.clone()));
    assert_eq!(read(2, &dense), Decoded::Known(dense.clone()));
    assert!(matches!(read(2, &general), Decoded::Invalid(_)));
    assert!(matches!(read(1, &dense), Decoded::Invalid(_)));
    assert_eq!(read(3, &dense), Decoded::Unknown);
    assert_eq!(read(0, &dense), Decoded::Unknown);
}

/// The published dense bytes of a response of this name.
fn published(name: &str) -> Vec<u8> {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../ward-forms/vectors/dense_answers.json")).unwrap();
    let mut all = vectors["vectors"].as_array().unwrap().iter();
    let vector = all.find(|vector| vector["name"] == name).unwrap();
    hex_decode(vector["dense"].as_str().unwrap()).unwrap()
}

/// The envelope of an answer whose author had seen two entries that were not named before.
fn envelope_bytes(answers: &[u8], occurrence: &str) -> usize {
    let mut ward = Ward::new(5);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let pen = |device, n| Pen::new(ward.site.site, ward.chart, device, n);
    let plan = pen(&ward.coordinator, 1).write(&chart, instrument("https://ward.example/q"));
    arrive(&mut chart, &plan);
    let seen = pen(&ward.clinician, 2).write(&chart, note("seen"));
    arrive(&mut chart, &seen);
    let mut payload = dense(plan.id(), occurrence, AnsweredBy::Self_);
    payload.answers = answers.to_vec();
    let entry = pen(&ward.phone, 3).write(&chart, payload);
    assert_eq!(entry.body().deps.len(), 2);
    let mut rng = TestRng::new(4);
    seal(header(&ward.site, &entry, 0), &entry, &ward.phone, &secret, &mut rng).to_canonical().len()
}

#[test]
fn twenty_answers_weigh_at_most_850_bytes() {
    let answers = published("twenty answers");
    let bytes = envelope_bytes(&answers, DAY_NAME);
    println!("20 answers: {} dense bytes, {bytes} on the wire", answers.len());
    assert!(bytes <= ENVELOPE_20_MAX_BYTES, "{bytes}");
    let diary = published("symptom diary");
    assert!(envelope_bytes(&diary, DAY_NAME) <= ENVELOPE_20_MAX_BYTES);
    // There is room for words: how many bytes more, and how long a name of the planned time.
    let more = |count: usize| envelope_bytes(&[answers.as_slice(), &vec![0; count]].concat(), DAY_NAME);
    let room = (0..).take_while(|count| more(*count) <= ENVELOPE_20_MAX_BYTES).last().unwrap();
    println!("bytes left in its bucket: {room}");
    assert!(room >= 100, "{room}");
    assert!(envelope_bytes(&answers, &"d".repeat(100)) <= ENVELOPE_20_MAX_BYTES);
}

/// Answers that differ give envelopes of one length, as long as they stay in one bucket.
#[test]
fn dense_answers_do_not_show_in_the_length() {
    let sizes: std::collections::BTreeSet<usize> =
        (1..=120).map(|count| envelope_bytes(&vec![0; count], DAY_NAME)).collect();
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}
