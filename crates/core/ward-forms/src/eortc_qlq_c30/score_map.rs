//! Which question of a study's form is which number of the questionnaire: data of the study.
//!
//! ```json
//! {"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0",
//!  "questionnaire": "https://example.org/quality-of-life",
//!  "items": {"walk-far": 1, "walk-near": 2}}
//! ```
//!
//! A map is about one questionnaire, by its address, with `|version` for one version of it only:
//! another form may use the same linkIds for other questions.

use super::scales::{ITEMS, highest_answer};
use crate::item_score::whole_number;
use crate::limits::{MAX_LINK_ID_BYTES, MAX_SCORE_MAP_BYTES, MAX_URL_BYTES};
use crate::questionnaire::{Item, Questionnaire};
use crate::strict_json::{self, Fields, StrictJsonError, wrong};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

const FORMAT: &str = "ward/score-map";
const VERSION: u64 = 1;
const INSTRUMENT: &str = "eortc-qlq-c30/3.0";

/// From the form's linkIds to the numbers of the questionnaire. Each number has one question at most;
/// numbers may be left out, and their scales then say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreMap {
    questionnaire: String,
    by_item: BTreeMap<u8, String>,
}

impl ScoreMap {
    /// Reads a map from JSON.
    ///
    /// # Errors
    /// [`StrictJsonError`] with the path of what the study has to correct.
    pub fn parse(json: &[u8]) -> Result<Self, StrictJsonError> {
        let value = strict_json::read(json, MAX_SCORE_MAP_BYTES)?;
        let fields = Fields::of(&value, "$", &["format", "version", "instrument", "questionnaire", "items"])?;
        if fields.need("format")?.as_str() != Some(FORMAT) {
            return Err(wrong(&fields.path_of("format"), format!("\"{FORMAT}\"")));
        }
        if fields.need("version")?.as_u64() != Some(VERSION) {
            return Err(wrong(&fields.path_of("version"), VERSION.to_string()));
        }
        if fields.need("instrument")?.as_str() != Some(INSTRUMENT) {
            return Err(wrong(&fields.path_of("instrument"), format!("\"{INSTRUMENT}\"")));
        }
        let questionnaire = fields.name("questionnaire", MAX_URL_BYTES)?;
        let path = fields.path_of("items");
        let items = fields.need("items")?.as_object().ok_or_else(|| wrong(&path, "an object"))?;
        let mut by_item = BTreeMap::new();
        for (link_id, number) in items {
            let path = format!("{path}.{link_id}");
            if link_id.is_empty() || link_id.len() > MAX_LINK_ID_BYTES {
                return Err(wrong(&path, format!("a linkId of 1 to {MAX_LINK_ID_BYTES} bytes")));
            }
            let number = number
                .as_u64()
                .and_then(|number| u8::try_from(number).ok())
                .filter(|number| highest_answer(*number).is_some())
                .ok_or_else(|| wrong(&path, format!("a number from 1 to {ITEMS}")))?;
            if by_item.insert(number, link_id.clone()).is_some() {
                return Err(StrictJsonError::NameTwice { path, name: number.to_string() });
            }
        }
        Ok(Self { questionnaire, by_item })
    }

    /// The question with this number.
    #[must_use]
    pub fn link_id(&self, item: u8) -> Option<&str> {
        self.by_item.get(&item).map(String::as_str)
    }

    /// Whether the map is about this form.
    #[must_use]
    pub fn is_about(&self, form: &Questionnaire) -> bool {
        let own = Some(self.questionnaire.as_str());
        form.url() == own || form.canonical().as_deref() == own
    }

    /// What doesn't fit between the map and a form. A study whose map has a problem would get wrong or
    /// missing scores; it must not go live.
    #[must_use]
    pub fn check(&self, form: &Questionnaire) -> Vec<ScoreMapProblem> {
        let mut problems = Vec::new();
        if !self.is_about(form) {
            problems.push(ScoreMapProblem::OtherForm { questionnaire: self.questionnaire.clone() });
        }
        for (number, link_id) in &self.by_item {
            let Some(item) = form.item(link_id) else {
                problems.push(ScoreMapProblem::NotInForm { item: *number, link_id: link_id.clone() });
                continue;
            };
            if !item.item_type.takes_answers() {
                problems.push(ScoreMapProblem::NoQuestion { item: *number, link_id: link_id.clone() });
                continue;
            }
            let offered = offered(item);
            let highest = highest_answer(*number).map_or(0, i32::from);
            let expected: BTreeSet<i32> = (1..=highest).collect();
            // A question without a list takes any whole number; each answer is checked then.
            if !offered.is_empty() && offered != expected {
                let offered = offered.into_iter().collect();
                problems.push(ScoreMapProblem::OtherAnswers {
                    item: *number,
                    link_id: link_id.clone(),
                    highest,
                    offered,
                });
            }
        }
        problems
    }
}

/// The numbers of the offered answers. Answers without a number, such as "prefer not to answer", are
/// no problem: they count as missing.
fn offered(item: &Item) -> BTreeSet<i32> {
    match &item.options {
        crate::AnswerOptions::Listed(options) | crate::AnswerOptions::Standard(options) => {
            options.iter().filter_map(|option| whole_number(item, &option.value)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// What doesn't fit between a map and a form. The study's author has to act.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScoreMapProblem {
    /// The map is about another form, or the form has no address.
    OtherForm {
        /// The form that the map is about.
        questionnaire: String,
    },
    /// The form has no such question.
    NotInForm {
        /// The number.
        item: u8,
        /// The question named.
        link_id: String,
    },
    /// The item takes no answers.
    NoQuestion {
        /// The number.
        item: u8,
        /// The item named.
        link_id: String,
    },
    /// The offered answers count as other numbers than the question has, such as 0 to 3 for 1 to 4.
    OtherAnswers {
        /// The number.
        item: u8,
        /// The question.
        link_id: String,
        /// The highest number that the question has; the lowest is 1.
        highest: i32,
        /// The numbers offered.
        offered: Vec<i32>,
    },
}

impl fmt::Display for ScoreMapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherForm { questionnaire } => {
                write!(f, "the map is about {questionnaire}, not about this form")
            }
            Self::NotInForm { item, link_id } => {
                write!(f, "item {item}: the form has no question {link_id}")
            }
            Self::NoQuestion { item, link_id } => write!(f, "item {item}: {link_id} takes no answers"),
            Self::OtherAnswers { item, link_id, highest, offered } => {
                let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
                let offered = offered.join(", ");
                write!(
                    f,
                    "item {item}: {link_id} must offer 1 to {highest}, but its answers count as {offered}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FormError, Questionnaire};

    fn map(items: &str) -> Result<ScoreMap, StrictJsonError> {
        ScoreMap::parse(
            format!(r#"{{"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": {items}}}"#)
                .as_bytes(),
        )
    }

    #[test]
    fn a_map_is_read_strictly() {
        assert_eq!(map(r#"{"a": 1, "b": 30}"#).unwrap().link_id(30), Some("b"));
        for (items, at) in [
            (r#"{"a": 0}"#, "$.items.a"),
            (r#"{"a": 31}"#, "$.items.a"),
            (r#"{"a": "1"}"#, "$.items.a"),
            (r#"{"a": 1.5}"#, "$.items.a"),
            ("[]", "$.items"),
            (r#"{"a": 1, "b": 1}"#, "$.items.b"),
        ] {
            let error = map(items).unwrap_err().to_string();
            assert!(error.starts_with(at), "{error}");
        }
        assert!(matches!(
            map(r#"{"a": 1, "a": 2}"#),
            Err(StrictJsonError::Json(FormError::DuplicateField { .. }))
        ));
        let unknown = br#"{"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": {}, "note": 1}"#;
        assert!(
            matches!(ScoreMap::parse(unknown), Err(StrictJsonError::UnknownField { field, .. }) if field == "note")
        );
        for other in [
            r#"{"format": "ward/score-map", "version": 2, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": {}}"#,
            r#"{"format": "x", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": {}}"#,
            r#"{"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/2.0", "questionnaire": "u", "items": {}}"#,
            "{}",
        ] {
            assert!(ScoreMap::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn size_at_the_limit_and_one_past() {
        let text = r#"{"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": {}}"#;
        let at = format!("{text}{}", " ".repeat(MAX_SCORE_MAP_BYTES - text.len()));
        assert!(ScoreMap::parse(at.as_bytes()).is_ok());
        assert!(matches!(ScoreMap::parse(format!("{at} ").as_bytes()), Err(StrictJsonError::Json(_))));
        let long = |bytes: usize| map(&format!(r#"{{"{}": 1}}"#, "a".repeat(bytes)));
        assert!(long(MAX_LINK_ID_BYTES).is_ok());
        assert!(long(MAX_LINK_ID_BYTES + 1).is_err());
    }

    #[test]
    fn a_form_that_counts_from_zero_is_found() {
        let option = |code: &str| serde_json::json!({"valueCoding": {"code": code}});
        let form = |codes: [&str; 4]| {
            let form = serde_json::json!({"resourceType": "Questionnaire", "url": "u", "status": "active", "item": [
                {"linkId": "g", "type": "group"},
                {"linkId": "a", "type": "choice", "answerOption": codes.map(option)}]});
            Questionnaire::parse(form.to_string().as_bytes()).unwrap()
        };
        let map = map(r#"{"a": 1}"#).unwrap();
        assert_eq!(map.check(&form(["1", "2", "3", "4"])), []);
        let problems = map.check(&form(["0", "1", "2", "3"]));
        assert_eq!(
            problems[0].to_string(),
            "item 1: a must offer 1 to 4, but its answers count as 0, 1, 2, 3"
        );
        assert!(matches!(
            map.check(&form(["1", "2", "3", "refused"]))[..],
            [ScoreMapProblem::OtherAnswers { .. }]
        ));
        let elsewhere = super::tests::map(r#"{"x": 1, "g": 2}"#).unwrap().check(&form(["1", "2", "3", "4"]));
        assert!(matches!(
            elsewhere[..],
            [ScoreMapProblem::NotInForm { .. }, ScoreMapProblem::NoQuestion { .. }]
        ));
    }
}
