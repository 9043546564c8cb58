//! Questionnaires: reading, skip logic, answering, validation and symptom scoring.
//!
//! One engine for the patient's browser, the clinician's browser, the SDK and the
//! export. It takes bytes and values and returns values: no files, no network, no
//! clock, no randomness, and it builds for `wasm32-unknown-unknown`.
//!
//! - [`Questionnaire`] reads a FHIR R4 `Questionnaire`; [`check_instrument`] tells its
//!   author what to repair, whatever the bytes are.
//! - [`Answering`] walks a person through it one question at a time, and
//!   [`Answering::finish`] gives the completed response.
//! - [`Questionnaire::text_of`] and its like choose the language of a person.
//! - [`CompiledForm`] is a form compiled once; after an answer only what depends on it is evaluated
//!   again. [`Surroundings`] tells its expressions the time, and what the app knows.
//! - [`QuestionnaireResponse`] reads and writes responses; [`validate`] checks one
//!   against its form.
//! - [`encode_answers`] writes a response in few bytes for readers who hold its form.
//! - [`fhirpath`] evaluates the expressions that forms compute with.
//! - [`score_symptoms`] gives the PRO-CTCAE attributes and composite grades;
//!   [`eortc_qlq_c30`] the scales of the EORTC QLQ-C30. A [`Score`] says which answers
//!   it used and why it is missing when it is.
//! - [`alert_rules`] evaluates a study's alert rules over what a participant reported, and
//!   simulates them over past data.
//! - [`schedule`] says when questionnaires are due, reminds, and counts what was answered.
//!
//! Content that this crate doesn't know is kept and written back.
//!
//! ```
//! use ward_forms::{Answering, AnswerValue, ItemPath, Questionnaire};
//!
//! let form = Questionnaire::parse(br#"{
//!     "resourceType": "Questionnaire", "url": "https://example.org/sleep", "version": "1", "status": "active",
//!     "item": [
//!         {"linkId": "woke", "type": "boolean", "text": "Did you wake up at night?", "required": true},
//!         {"linkId": "times", "type": "integer", "text": "How many times?", "required": true,
//!          "enableWhen": [{"question": "woke", "operator": "=", "answerBoolean": true}]}
//!     ]}"#)?;
//!
//! let mut answering = Answering::new(form);
//! let first = answering.next_question().ok_or("a question is waiting")?;
//! assert_eq!(first.text.as_deref(), Some("Did you wake up at night?"));
//! answering.answer(&first.path, AnswerValue::Boolean(true))?;
//!
//! let second = answering.next_question().ok_or("another question is waiting")?;
//! assert_eq!(second.path, ItemPath::top("times"));
//! answering.answer(&second.path, AnswerValue::Integer(2))?;
//!
//! // Changing the first answer switches the second question off, so that its
//! // answer is not part of the completed response.
//! answering.answer(&first.path, AnswerValue::Boolean(false))?;
//! assert!(answering.next_question().is_none());
//! let response = answering.finish(Some("2026-03-01T09:30:00Z")).map_err(|_| "it is complete")?;
//! assert_eq!(response.items().len(), 1);
//! assert_eq!(response.questionnaire(), Some("https://example.org/sleep|1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod alert_rules;
mod answer_check;
mod answer_options;
mod answer_value;
mod answering;
mod compiled;
mod completion;
mod date_time;
mod dense_answers;
mod dependency_order;
mod enable_when;
pub mod eortc_qlq_c30;
mod error;
pub mod fhirpath;
mod finding;
mod forest;
mod instrument_check;
mod instrument_report;
mod item_extensions;
mod item_path;
mod item_score;
mod json_bounds;
mod json_digits;
mod json_fields;
pub mod limits;
mod lint;
mod live;
mod number_text;
mod option_weights;
mod pattern;
pub mod pro_ctcae;
mod questionnaire;
mod questionnaire_reader;
mod response;
mod response_reader;
pub mod schedule;
mod score;
mod skip_logic;
mod standard_value_sets;
mod stored;
mod strict_json;
mod translation;
mod validate;

pub use answer_options::{AnswerOption, AnswerOptions};
pub use answer_value::{AnswerValue, Coding, Quantity};
pub use answering::{AnswerError, AnswerRoom, Answering, ItemState, Progress, QuestionStep};
pub use compiled::{CompiledForm, ExpressionFailure};
pub use dense_answers::{DenseError, decode_answers, encode_answers};
pub use enable_when::{Condition, EnableBehavior, Operator};
pub use error::FormError;
pub use finding::{Finding, FindingCode, Severity};
pub use instrument_check::{InstrumentCheck, check_instrument};
pub use instrument_report::{CheckedFile, json_report, sarif_report, text_report};
pub use item_extensions::{Constraint, Expression, FHIRPATH, ItemExtensions, Orientation};
pub use item_path::{ItemPath, PathStep};
pub use json_digits::JsonDigits;
pub use lint::lint;
pub use live::Surroundings;
pub use pro_ctcae::{SymptomScore, score_symptom_instances, score_symptoms};
pub use questionnaire::{AnswerRules, Item, ItemIndex, ItemType, PublicationStatus, Questionnaire};
pub use response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
pub use score::{Algorithm, LeftOut, LeftOutReason, Score, ScoreMissing, ScoreOutcome, UsedAnswer};
pub use stored::Stored;
pub use strict_json::StrictJsonError;
pub use translation::{LanguageChoice, Translations};
pub use validate::{validate, validate_among, validate_in};
