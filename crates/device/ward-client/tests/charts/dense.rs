//! Answers bound to the entry with their questionnaire mean and leave a device as FHIR answers do.

use crate::builder::*;
use serde_json::Value;
use ward_client::export::{answers_csv, fhir_ndjson, patient_page};
use ward_client::views::{ChartForms, ScoreProblem, adherence, scores, worklist};
use ward_forms::{Questionnaire, QuestionnaireResponse as FormResponse, encode_answers};
use ward_id::EntryId;
use ward_sync::*;

/// The same answers, bound to an instrument.
fn bound(instrument: EntryId, general: &QuestionnaireResponse) -> DenseResponse {
    let form = Questionnaire::parse(DIARY).unwrap();
    let response = FormResponse::parse(&general.response).unwrap();
    let status = match general.status {
        ResponseStatus::Draft => ward_forms::ResponseStatus::InProgress,
        ResponseStatus::Completed => ward_forms::ResponseStatus::Completed,
        ResponseStatus::Amended => ward_forms::ResponseStatus::Amended,
    };
    DenseResponse {
        instrument,
        occurrence: general.occurrence.clone(),
        status: general.status,
        answered_by: general.answered_by,
        answers: encode_answers(&form, status, &response).unwrap(),
    }
}

fn diary_entry(chart: &TestChart) -> EntryId {
    chart.view().instruments()[0].current[0].id()
}

/// A week of answers with a correction. Every response for which `is_dense` holds is bound.
fn week(is_dense: impl Fn(i64) -> bool) -> TestChart {
    let mut chart = TestChart::with_diary(1, 14);
    let instrument = diary_entry(&chart);
    let severe = Answers { scores: SEVERE, note: Some("=1 <b>"), call_me: true, ..Answers::default() };
    let mut write = |number: i64, status, answers: &Answers<'_>, amends: Option<EntryId>| {
        let general = response(&occurrence(number), status, answers);
        let payload: Payload =
            if is_dense(number) { bound(instrument, &general).into() } else { general.into() };
        match amends {
            None => chart.write(Who::Phone, day(number), payload),
            Some(record) => chart.amend(Who::Phone, day(number), payload, record, "mixed up two questions"),
        }
    };
    for number in 0..5 {
        let answers = if number == 3 { severe.clone() } else { Answers::of(MILD) };
        let entry = write(number, ResponseStatus::Completed, &answers, None);
        if number == 1 {
            write(number, ResponseStatus::Amended, &Answers::of(SEVERE), Some(entry));
        }
    }
    write(5, ResponseStatus::Draft, &Answers::of(MILD), None);
    chart
}

/// Everything that a chart means and says, without the names of its entries.
fn without_names(chart: &TestChart) -> Vec<String> {
    let view = chart.view();
    let names: Vec<String> = view.timeline().iter().map(|item| item.entry.id().to_string()).collect();
    let all = chart.with_named(|named| {
        let work = worklist(std::slice::from_ref(named), day(8));
        vec![
            answers_csv(std::slice::from_ref(named)),
            fhir_ndjson(std::slice::from_ref(named)),
            patient_page(named, day(8)),
            // The ids of items hang on the names of their entries.
            work.iter().map(|item| format!("{:?} {}\n", item.urgency, item.reason)).collect(),
            format!("{:?}", adherence(&view, day(8))),
            serde_json::to_string_pretty(&scores(&view, &ChartForms::of(&view)).series).unwrap(),
        ]
    });
    let clean = |text: String| {
        let text = names
            .iter()
            .enumerate()
            .fold(text, |text, (place, name)| text.replace(name, &format!("entry {place}")));
        // Debug forms and short names of entries.
        names
            .iter()
            .enumerate()
            .fold(text, |text, (place, name)| text.replace(&name[..12], &format!("entry {place}")))
    };
    all.into_iter().map(clean).collect()
}

#[test]
fn both_forms_mean_and_export_the_same() {
    let general = without_names(&week(|_| false));
    let dense = without_names(&week(|_| true));
    let mixed = without_names(&week(|number| number % 2 == 0));
    assert!(general[1].contains("valueCoding") && general[0].lines().count() > 20);
    for ((general, dense), mixed) in general.iter().zip(&dense).zip(&mixed) {
        assert_eq!(general, dense);
        assert_eq!(general, mixed);
    }
}

#[test]
fn bound_answers_come_back_byte_for_byte() {
    let (general, dense) = (week(|_| false), week(|_| true));
    let read = |chart: &TestChart| -> Vec<(String, Vec<u8>)> {
        let view = chart.view();
        let forms = ChartForms::of(&view);
        let threads = view.responses().values().flatten();
        let all = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
        all.map(|written| {
            let (url, version) = forms.name_of(written.value);
            assert_eq!((url, version), (URL, VERSION));
            (written.value.occurrence().to_string(), forms.json_of(written.value).unwrap().into_owned())
        })
        .collect()
    };
    let (general, dense) = (read(&general), read(&dense));
    assert_eq!(general.len(), 7);
    assert_eq!(general, dense);
}

#[test]
fn broken_bound_answers_are_named_and_kept() {
    let mut chart = TestChart::with_diary(1, 14);
    let instrument = diary_entry(&chart);
    let good = bound(instrument, &response(&occurrence(0), ResponseStatus::Completed, &Answers::of(SEVERE)));
    let last = good.answers.len() - 1;
    let broken: [Vec<u8>; 4] = [
        good.answers[..last].to_vec(),
        [good.answers.as_slice(), &[0]].concat(),
        vec![0xa1, 0x00, 0x82, 0x38, 0xff, 0x00],
        b"{not cbor".to_vec(),
    ];
    for (number, answers) in (0..).zip(broken) {
        let payload =
            DenseResponse { occurrence: Occurrence::new(occurrence(number)), answers, ..good.clone() };
        chart.write(Who::Phone, day(number), payload);
    }
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    assert_eq!(scored.responses.len(), 4);
    assert!(scored.responses.iter().all(|response| response.problem == Some(ScoreProblem::Answers)));
    drop(view);
    chart.with_named(|named| {
        let named = std::slice::from_ref(named);
        let csv = answers_csv(named);
        assert_eq!(csv.matches(",unreadable\r\n").count(), 4, "{csv}");
        assert_eq!(fhir_ndjson(named).matches("\"OperationOutcome\"").count(), 4);
        assert_eq!(patient_page(&named[0], day(5)).matches("this app cannot read them").count(), 4);
        let work = worklist(named, day(5));
        assert!(work.iter().any(|item| item.reason.contains("they cannot be read")), "{work:?}");
    });
}

#[test]
fn bound_answers_are_read_by_the_questionnaire_that_they_name() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = diary_entry(&chart);
    // Somebody changes the form without a new version: the options in another order.
    let mut changed: Value = serde_json::from_slice(DIARY).unwrap();
    reverse_options(&mut changed);
    let changed = Instrument { questionnaire: changed.to_string().into_bytes(), ..diary(DAY, 1, 14) };
    let second = chart.write(Who::Coordinator, day(0), changed);
    let general = response(&occurrence(1), ResponseStatus::Completed, &Answers::of(SEVERE));
    let on_first = chart.write(Who::Phone, day(1), bound(first, &general));
    let on_second = chart.write(
        Who::Phone,
        day(2),
        DenseResponse {
            instrument: second,
            occurrence: Occurrence::new(occurrence(2)),
            ..bound(first, &general)
        },
    );
    let view = chart.view();
    let forms = ChartForms::of(&view);
    assert_eq!(forms.contradictions(), [second]);
    let json = |entry| {
        let mut all = view.responses().values().flatten().flat_map(|thread| &thread.current);
        let written = all.find(|written| written.id() == entry).unwrap();
        forms.json_of(written.value).map(std::borrow::Cow::into_owned)
    };
    assert_eq!(json(on_first).unwrap(), general.response);
    assert_ne!(json(on_second).ok(), Some(general.response), "the same bytes mean something else there");
}

fn reverse_options(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(options)) = fields.get_mut("answerOption") {
                options.reverse();
            }
            if let Some(Value::Array(concepts)) = fields.get_mut("concept") {
                concepts.reverse();
            }
            fields.values_mut().for_each(reverse_options);
        }
        Value::Array(list) => list.iter_mut().for_each(reverse_options),
        _ => {}
    }
}
