//! The page for the participant.

use crate::builder::*;
use ward_client::export::patient_page;
use ward_sync::*;

const HOSTILE: &str =
    "</td></tr></table><script>alert(1)</script><img src=x onerror=\"alert('2')\">&amp;\u{202e}\u{0}";

fn page(chart: &TestChart) -> String {
    chart.with_named(|named| patient_page(named, day(20)))
}

/// A chart in which everything that a person can write is hostile.
fn hostile_chart() -> TestChart {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Coordinator, day(0), profile("name", HOSTILE));
    chart.write(Who::Coordinator, day(0), profile(HOSTILE, HOSTILE));
    let first = chart.report(0, &Answers { note: Some(HOSTILE), ..Answers::default() });
    let fixed = response(
        &occurrence(0),
        ResponseStatus::Amended,
        &Answers { note: Some(HOSTILE), ..Answers::default() },
    );
    chart.amend(Who::Phone, day(0), fixed, first, HOSTILE);
    let odd = QuestionnaireResponse {
        instrument_url: HOSTILE.into(),
        occurrence: Occurrence::new(HOSTILE),
        response: b"?".to_vec(),
        ..response("x", ResponseStatus::Completed, &Answers::default())
    };
    chart.write(Who::Phone, day(0), odd);
    for who in [Who::Clinician, Who::OtherClinician] {
        let field = MedicationPlanField {
            medication: MedicationId::new(HOSTILE),
            field: HOSTILE.into(),
            value: Some(format!("{HOSTILE}{who:?}")),
            unit: Some(HOSTILE.into()),
            supersedes: Vec::new(),
        };
        chart.write(who, day(0), field);
    }
    let dose = Dose {
        medication: MedicationId::new(HOSTILE),
        due_at: day(0),
        outcome: DoseOutcome::Skipped,
        at: day(0),
        note: Some(HOSTILE.into()),
    };
    chart.write(Who::Phone, day(0), dose);
    let visit = Appointment {
        appointment: AppointmentId([1; 16]),
        status: AppointmentStatus::Booked,
        starts_at: day(5),
        minutes: 30,
        place: HOSTILE.into(),
        purpose: HOSTILE.into(),
        supersedes: Vec::new(),
    };
    chart.write(Who::Coordinator, day(0), visit);
    chart.write(Who::Phone, day(0), note(HOSTILE));
    let consent = Consent { consent_version: HOSTILE.into(), status: ConsentStatus::Given, choice: None };
    chart.write(Who::Phone, day(0), consent);
    chart
}

#[test]
fn hostile_words_stay_words() {
    let html = page(&hostile_chart());
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror=\""));
    assert!(!html.contains('\u{0}'));
    assert!(html.matches("&lt;script&gt;").count() >= 12, "shown everywhere as text");
    // Only these elements exist, and each one that opens closes.
    let mut open: Vec<String> = Vec::new();
    for part in html.split('<').skip(1) {
        let name: String =
            part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/' || *c == '!').collect();
        match name.as_str() {
            "!doctype" | "meta" => {}
            closing if closing.starts_with('/') => assert_eq!(open.pop().as_deref(), Some(&closing[1..])),
            opening => {
                let known = [
                    "html", "head", "title", "style", "body", "main", "h1", "h2", "h3", "p", "code", "bdi",
                    "table", "caption", "thead", "tbody", "tr", "th", "td", "strong", "ul", "li",
                ];
                assert!(known.contains(&opening), "{opening}");
                open.push(opening.to_owned());
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn a_page_stands_alone_and_can_be_read_by_everybody() {
    let html = page(&hostile_chart());
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    for needed in [
        "name=\"viewport\"",
        "default-src 'none'",
        "@media print",
        "<th scope=\"col\">",
        "<th scope=\"row\">",
        "<h1>",
        "<main>",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for outside in ["http://", "https://ward.example\"", "src=", "href=", "@import", "url("] {
        let escaped_only = html.replace("src=x", "");
        assert!(!escaped_only.contains(outside), "{outside}");
    }
}

#[test]
fn the_page_says_what_the_chart_says() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Coordinator, day(0), profile("name", "Ada"));
    let first = chart.report(0, &Answers { note: Some("bad night"), ..Answers::of(SEVERE) });
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, day(1), fixed, first, "pressed the wrong one");
    chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    chart.write(Who::OtherClinician, day(0), plan_field(Some("8"), vec![]));
    let withdrawn = Consent {
        consent_version: "v3".into(),
        status: ConsentStatus::Withdrawn,
        choice: Some(DataChoice::Erase),
    };
    chart.write(Who::Phone, day(2), withdrawn);
    let receipt = AccessReceipt {
        purpose: AccessPurpose::BreakGlass,
        day: DAY,
        first_at: day(0),
        last_at: day(0),
        count: 2,
    };
    chart.write(Who::Clinician, day(0), receipt);
    chart.write(Who::Pretender, day(0), diary(DAY, 1, 3));
    let html = page(&chart);
    for needed in [
        "<h1>Study chart of Ada</h1>",
        "<h3>2026-03-02</h3>",
        "How have you been? (answered by you on 2026-03-02 09:00 UTC, corrected later)",
        "How have you been? (answered by you on 2026-03-03 09:00 UTC, a correction)",
        "<th scope=\"row\"><bdi>How often did you feel sick to your stomach?</bdi></th><td><bdi>Nearly all the time</bdi></td>",
        "Reason for the correction: <bdi>pressed the wrong one</bdi>",
        "your team is deciding between <bdi>4 mg</bdi> and <bdi>8 mg</bdi>",
        "withdrawn; you asked for your data to be erased",
        "<td>clinician</td><td>in an emergency, outside the usual rules</td><td>2 times</td>",
        "<li>1 were written by somebody who may not write them.</li>",
    ] {
        assert!(html.contains(needed), "{needed}\n{html}");
    }
    assert_eq!(html, page(&chart), "the same chart gives the same page");
}
