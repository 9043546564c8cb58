//! The past answers of an export, as histories that alert rules run on.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use ward_client::export::ENTRY_EXTENSION;
use ward_forms::alert_rules::{History, Occasion, Report, ReportVersion};
use ward_forms::eortc_qlq_c30::ScoreMap;
use ward_forms::{Questionnaire, QuestionnaireResponse};

/// The forms that answers are read by, by address and version.
pub struct Forms {
    by_canonical: BTreeMap<String, Questionnaire>,
    map: Option<ScoreMap>,
}

impl Forms {
    /// Forms, with the numbers of their questions where some are scored.
    ///
    /// # Errors
    /// A sentence when a form has no address or two claim the same one, or when the numbers fit no form
    /// or do not fit theirs: scores would be wrong or missing.
    pub fn new(forms: Vec<Questionnaire>, map: Option<ScoreMap>) -> Result<Self, String> {
        let mut by_canonical = BTreeMap::new();
        for form in forms {
            let name = form.canonical().ok_or("a questionnaire has no url, so no answers can name it")?;
            if by_canonical.insert(name.clone(), form).is_some() {
                return Err(format!("the questionnaire {name} was given twice"));
            }
        }
        if let Some(map) = &map {
            let mut about = by_canonical.values().filter(|form| map.is_about(form)).peekable();
            if about.peek().is_none() {
                return Err("the score map is about none of the questionnaires".to_owned());
            }
            if let Some(problem) = about.flat_map(|form| map.check(form)).next() {
                return Err(format!("the score map does not fit: {problem}"));
            }
        }
        Ok(Self { by_canonical, map })
    }

    /// The form that answers name; without a version the only one with that address.
    fn find(&self, canonical: &str) -> Option<&Questionnaire> {
        let of_address = || {
            let mut own = self.by_canonical.values().filter(|form| form.url() == Some(canonical));
            own.next().filter(|_| own.next().is_none())
        };
        self.by_canonical.get(canonical).or_else(of_address)
    }

    fn title(&self, canonical: &str) -> String {
        let title = self.find(canonical).and_then(Questionnaire::title).map(str::to_owned);
        title.unwrap_or_else(|| without_version(canonical).to_owned())
    }
}

/// What of an export takes no part, and how much of it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Drafts: nobody has finished them.
    pub drafts: usize,
    /// Answers that were declared void.
    pub void: usize,
    /// Answers that the export itself says cannot be read.
    pub unreadable: usize,
    /// Answers to questionnaires that were not given, by address and version. They count as surveys,
    /// and no rule can be judged on them.
    pub without_form: BTreeMap<String, usize>,
}

/// The past answers of an export.
#[derive(Debug)]
pub struct Replay {
    /// A history for each participant, by pseudonym.
    pub histories: Vec<History>,
    /// What takes no part.
    pub left_out: LeftOut,
}

/// Reads an export of FHIR NDJSON. Several answers to one planned time are versions of one report.
///
/// # Errors
/// A sentence with the line that is none of such an export. Nothing is half read.
pub fn read(text: &str, forms: &Forms) -> Result<Replay, String> {
    let mut by_participant: BTreeMap<String, History> = BTreeMap::new();
    let mut left_out = LeftOut::default();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |why: &str| format!("line {}: {why}", place + 1);
        let resource: Value = serde_json::from_str(line).map_err(|error| at(&error.to_string()))?;
        match text_of(&resource, "resourceType") {
            Some("Patient") => {
                let id = text_of(&resource, "id").ok_or_else(|| at("a Patient without an id"))?;
                history_of(&mut by_participant, id);
            }
            Some("OperationOutcome") if fact(&resource, "entry").is_some() => left_out.unreadable += 1,
            Some("QuestionnaireResponse") => match text_of(&resource, "status") {
                Some("completed" | "amended") => {
                    let (participant, report) =
                        report(&resource, line, forms, &mut left_out).map_err(|why| at(&why))?;
                    history_of(&mut by_participant, participant).reports.push(report);
                }
                Some("entered-in-error") => left_out.void += 1,
                Some("in-progress") => left_out.drafts += 1,
                _ => return Err(at("answers with a status that Ward does not write")),
            },
            Some(_) => {}
            None => return Err(at("no FHIR resource")),
        }
    }
    Ok(Replay { histories: by_participant.into_values().collect(), left_out })
}

fn history_of<'h>(all: &'h mut BTreeMap<String, History>, participant: &str) -> &'h mut History {
    all.entry(participant.to_owned())
        .or_insert_with(|| History { participant: participant.to_owned(), ..History::default() })
}

fn report<'r>(
    resource: &'r Value,
    line: &str,
    forms: &Forms,
    left_out: &mut LeftOut,
) -> Result<(&'r str, Report), String> {
    let subject = resource.get("subject").and_then(|subject| text_of(subject, "reference"));
    let participant = subject.and_then(|subject| subject.strip_prefix("Patient/"));
    let participant = participant.ok_or("answers without a participant")?;
    let canonical = text_of(resource, "questionnaire").ok_or("answers that name no questionnaire")?;
    let occurrence = fact(resource, "occurrence").ok_or("answers without a planned time")?;
    let at_ms = planned_ms(occurrence)
        .or_else(|| instant_ms(text_of(resource, "authored")?))
        .ok_or("answers without a time")?;
    let id = resource.get("meta").and_then(|meta| text_of(meta, "versionId"));
    let id = id.or_else(|| text_of(resource, "id")).ok_or("answers without an id")?;
    let version = match forms.find(canonical) {
        None => {
            *left_out.without_form.entry(canonical.to_owned()).or_default() += 1;
            ReportVersion::unreadable(id, &format!("the questionnaire {canonical} was not given"))
        }
        Some(form) => {
            let response =
                QuestionnaireResponse::parse_stored(line.as_bytes()).map_err(|error| error.to_string())?;
            ReportVersion::read(id, form, &response.content, forms.map.as_ref())
        }
    };
    let occasion = Occasion {
        planned_at_ms: at_ms,
        at_ms,
        occurrence: occurrence.to_owned(),
        instrument: without_version(canonical).to_owned(),
        title: forms.title(canonical),
    };
    Ok((participant, Report { occasion, versions: vec![version], ends_rows: true }))
}

fn without_version(canonical: &str) -> &str {
    canonical.split_once('|').map_or(canonical, |(url, _)| url)
}

fn text_of<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

/// One of Ward's own facts of a resource.
fn fact<'v>(resource: &'v Value, name: &str) -> Option<&'v str> {
    let all = |value: &'v Value| value.get("extension").and_then(Value::as_array).into_iter().flatten();
    let mut own = all(resource).filter(|one| text_of(one, "url") == Some(ENTRY_EXTENSION)).flat_map(all);
    let found = own.find(|one| text_of(one, "url") == Some(name))?;
    found
        .as_object()?
        .iter()
        .filter(|(field, _)| field.starts_with("value"))
        .find_map(|(_, value)| value.as_str())
}

/// The start of a planned day, in UTC.
fn planned_ms(occurrence: &str) -> Option<i64> {
    instant_ms(&format!("{occurrence}T00:00:00Z"))
}

fn instant_ms(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use ward_forms::alert_rules::{AlertRules, Share, simulate};

    const URL: &str = "https://example.org/diary";

    fn forms() -> Forms {
        let form = json!({"resourceType": "Questionnaire", "url": URL, "version": "2", "status": "active",
            "item": [{"linkId": "steps", "type": "integer", "text": "Steps"}]});
        Forms::new(vec![Questionnaire::parse(form.to_string().as_bytes()).unwrap()], None).unwrap()
    }

    fn answers(id: &str, day: &str, steps: i32) -> Value {
        json!({"resourceType": "QuestionnaireResponse", "id": id, "status": "completed",
            "questionnaire": format!("{URL}|2"), "subject": {"reference": "Patient/p1"},
            "authored": "2026-03-09T10:00:00Z",
            "extension": [{"url": ENTRY_EXTENSION, "extension": [{"url": "occurrence", "valueString": day}]}],
            "item": [{"linkId": "steps", "answer": [{"valueInteger": steps}]}]})
    }

    fn with(mut resource: Value, field: &str, value: Value) -> Value {
        resource[field] = value;
        resource
    }

    fn lines(resources: &[Value]) -> String {
        resources.iter().map(|one| format!("{one}\n")).collect()
    }

    #[test]
    fn what_is_in_an_export_is_replayed_or_counted() {
        let text = lines(&[
            json!({"resourceType": "Patient", "id": "p1"}),
            json!({"resourceType": "Patient", "id": "p2"}),
            answers("a", "2026-03-02", 10),
            answers("b", "2026-03-09", 20),
            answers("c", "2026-03-09", 5),
            with(answers("d", "2026-03-10", 1), "status", json!("in-progress")),
            with(answers("e", "2026-03-11", 1), "status", json!("entered-in-error")),
            with(answers("f", "2026-03-12", 1), "questionnaire", json!("https://example.org/other|1")),
            json!({"resourceType": "OperationOutcome", "id": "g", "extension": [
                {"url": ENTRY_EXTENSION, "extension": [{"url": "entry", "valueString": "g"}]}]}),
            json!({"resourceType": "Provenance", "id": "h"}),
        ]);
        let replay = read(&text, &forms()).unwrap();
        let without_form = BTreeMap::from([("https://example.org/other|1".to_owned(), 1)]);
        assert_eq!(replay.left_out, LeftOut { drafts: 1, void: 1, unreadable: 1, without_form });
        let set = json!({"format": "ward/alert-rules", "version": 1, "name": "n", "revision": "1", "rules": [
            {"id": "many", "kind": "threshold", "severity": "notice", "of": {"item": "steps"}, "atLeast": 20}]});
        let load = simulate(&AlertRules::parse(set.to_string().as_bytes()).unwrap(), &replay.histories, &[]);
        assert_eq!((load.participants, load.surveys_with_alert), (2, Share { part: 1, whole: 3 }));
        assert_eq!(load.weeks, ["2026-03-02", "2026-03-09"]);
        assert_eq!((load.rules[0].per_week.as_slice(), load.rules[0].not_judged), (&[0, 1][..], 1));
    }

    #[test]
    fn a_line_that_is_none_of_an_export_is_refused_with_its_number() {
        let bad =
            |resource: Value| read(&lines(&[answers("a", "2026-03-02", 1), resource]), &forms()).unwrap_err();
        let good = || answers("b", "2026-03-03", 1);
        for (resource, why) in [
            (json!({"id": "x"}), "no FHIR resource"),
            (with(good(), "subject", json!({})), "answers without a participant"),
            (with(good(), "questionnaire", json!(3)), "answers that name no questionnaire"),
            (with(good(), "extension", json!([])), "answers without a planned time"),
            (with(good(), "status", json!("stopped")), "a status that Ward does not write"),
            (with(good(), "item", json!(3)), "item"),
        ] {
            let said = bad(resource);
            assert!(said.starts_with("line 2: ") && said.contains(why), "{said}");
        }
        assert!(read("not json", &forms()).unwrap_err().starts_with("line 1: "));
        assert!(read("", &forms()).unwrap().histories.is_empty());
        let unplanned = with(answers("b", "as needed", 1), "authored", json!("not a time"));
        assert!(bad(unplanned).contains("answers without a time"));
        let as_needed = read(&lines(&[answers("b", "as needed", 1)]), &forms()).unwrap();
        assert_eq!(
            as_needed.histories[0].reports[0].occasion.at_ms,
            instant_ms("2026-03-09T10:00:00Z").unwrap()
        );
    }

    #[test]
    fn answers_that_name_no_version_belong_to_the_only_form() {
        let unversioned = || with(answers("a", "2026-03-02", 1), "questionnaire", json!(URL));
        let replay = read(&lines(&[unversioned()]), &forms()).unwrap();
        assert!(replay.left_out.without_form.is_empty());
        let form = |version: &str| {
            let form =
                json!({"resourceType": "Questionnaire", "url": URL, "version": version, "status": "active"});
            Questionnaire::parse(form.to_string().as_bytes()).unwrap()
        };
        let two = Forms::new(vec![form("1"), form("2")], None).unwrap();
        let replay = read(&lines(&[unversioned()]), &two).unwrap();
        assert_eq!(replay.left_out.without_form.len(), 1, "nobody knows which of two it was");
    }

    #[test]
    fn forms_have_an_address_of_their_own() {
        let form = |url: Value| {
            let form =
                json!({"resourceType": "Questionnaire", "url": url, "version": "1", "status": "active"});
            Questionnaire::parse(form.to_string().as_bytes()).unwrap()
        };
        assert!(
            Forms::new(vec![form(json!("a")), form(json!("a"))], None)
                .is_err_and(|why| why.contains("twice"))
        );
        let map = |questionnaire: &str, item: &str| {
            let map = json!({"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0",
                "questionnaire": questionnaire, "items": {item: 1}});
            ScoreMap::parse(map.to_string().as_bytes()).unwrap()
        };
        let with_map = |map| Forms::new(vec![form(json!("a"))], Some(map)).err().unwrap_or_default();
        assert!(with_map(map("b", "x")).contains("none of the questionnaires"));
        assert!(with_map(map("a", "x")).contains("the form has no question x"));
        let nameless =
            Questionnaire::parse(br#"{"resourceType": "Questionnaire", "status": "active"}"#).unwrap();
        assert!(Forms::new(vec![nameless], None).is_err_and(|why| why.contains("no url")));
    }
}
