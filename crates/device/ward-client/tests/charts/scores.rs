//! Scores and series.

use crate::builder::*;
use ward_client::views::{ChartForms, FormProblem, ScoreProblem, Version, scores};
use ward_sync::{QuestionnaireResponse, ResponseStatus};

#[test]
fn a_symptom_is_a_series_with_its_start_and_its_worst() {
    let mut chart = TestChart::with_diary(1, 14);
    for (number, score) in [(0, 1), (1, 4), (2, 0)] {
        chart.report(number, &Answers::of(&[("nausea", score)]));
    }
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    let nausea = scored.series_of(URL, "nausea").unwrap();
    assert_eq!(nausea.label, "Feeling sick");
    let grades: Vec<_> = nausea.points.iter().map(|point| point.score.grade).collect();
    assert_eq!(grades, [Some(1), Some(3), Some(0)]);
    assert_eq!((nausea.baseline, nausea.worst), (Some(1), Some(3)));
    assert_eq!(nausea.points[1].occurrence, "2026-03-03");
    assert_eq!(scored.series.len(), 9, "one for each symptom of the diary");
}

#[test]
fn a_late_answer_takes_its_planned_place() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(1, &Answers::of(SEVERE));
    chart.report_at(day(3), 0, &Answers::of(MILD));
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    assert_eq!(scored.series_of(URL, "nausea").unwrap().baseline, Some(1));
}

#[test]
fn a_correction_replaces_what_it_corrects() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.report(0, &Answers { note: Some("mistyped"), ..Answers::of(SEVERE) });
    let fixed =
        response(&occurrence(0), ResponseStatus::Amended, &Answers { call_me: true, ..Answers::of(MILD) });
    let second = chart.amend(Who::Phone, day(0).plus_ms(HOUR_MS), fixed, first, "mistyped");
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    let versions: Vec<_> =
        scored.responses.iter().map(|r| (r.written.id(), r.version, r.record, r.call_me)).collect();
    assert_eq!(versions, [(first, Version::Replaced, first, false), (second, Version::Current, first, true)]);
    assert_eq!(scored.responses[0].note.as_deref(), Some("mistyped"));
    let nausea = scored.series_of(URL, "nausea").unwrap();
    assert_eq!((nausea.points.len(), nausea.worst), (1, Some(1)));
}

#[test]
fn two_corrections_at_once_both_count() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.report(0, &Answers::of(MILD));
    for scores in [SEVERE, &[("nausea", 2)]] {
        let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(scores));
        chart.amend(Who::Phone, day(0), fixed, first, "again");
    }
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    let held = scored.responses.iter().filter(|r| r.version == Version::OneOfSeveral).count();
    assert_eq!(held, 2);
    assert_eq!(scored.series_of(URL, "nausea").unwrap().points.len(), 2);
}

#[test]
fn drafts_are_not_scored_and_problems_are_named() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Phone, day(0), response(&occurrence(0), ResponseStatus::Draft, &Answers::of(SEVERE)));
    let urgent = Answers { call_me: true, ..Answers::default() };
    let other = QuestionnaireResponse {
        instrument_version: "2.0.0".into(),
        ..response(&occurrence(1), ResponseStatus::Completed, &urgent)
    };
    chart.write(Who::Phone, day(1), other);
    let broken = QuestionnaireResponse {
        response: b"{not json".to_vec(),
        ..response(&occurrence(2), ResponseStatus::Completed, &urgent)
    };
    chart.write(Who::Phone, day(2), broken);
    let view = chart.view();
    let scored = scores(&view, &ChartForms::of(&view));
    let problems: Vec<_> = scored.responses.iter().map(|r| (r.problem, r.call_me)).collect();
    assert_eq!(
        problems,
        [(Some(ScoreProblem::Form(FormProblem::Missing)), true), (Some(ScoreProblem::Answers), false),],
        "a wish to be called is read even without the form"
    );
}

#[test]
fn an_older_version_of_the_form_still_scores_its_answers() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.view().instruments()[0].current[0].id();
    chart.report(0, &Answers::of(SEVERE));
    let newer = ward_sync::Instrument { version: "1.1.0".into(), ..diary(DAY, 1, 14) };
    chart.amend(Who::Coordinator, day(1), newer, first, "new version");
    let changed = ward_sync::Instrument { questionnaire: b"{}".to_vec(), ..diary(DAY, 1, 14) };
    let changed = chart.write(Who::Coordinator, day(2), changed);
    let view = chart.view();
    let forms = ChartForms::of(&view);
    assert_eq!(scores(&view, &forms).series_of(URL, "nausea").unwrap().worst, Some(3));
    assert!(forms.get(URL, "1.0.0").is_ok() && forms.get(URL, "1.1.0").is_ok());
    assert_eq!(forms.contradictions(), [changed], "a version never changes");
    assert_eq!(forms.title(URL), "How have you been?");
}
