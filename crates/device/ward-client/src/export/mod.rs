//! Taking data out: FHIR R4, a table for statistics, a readable page for the participant, and a
//! package for an inspector. Pure functions over charts and bytes that the caller gathered.
//!
//! Invariant: no clock, no storage, no network, no key. The same input gives the same bytes. Where
//! values contradict each other all of them are written, marked; nothing is chosen in silence.
//! Whatever a person wrote is escaped for the format it goes into.

mod answers;
mod answers_csv;
mod balp;
mod fhir_ndjson;
mod fhir_resources;
mod fhir_text;
mod fhir_trail;
mod package;
mod package_check;
mod package_entries;
mod package_events;
mod package_page;
mod page_text;
mod patient_page;
mod payload_json;
mod place_words;
mod returned;
mod trail;
mod trail_change;
mod trail_csv;
mod trail_json;
mod trail_text;
mod trail_words;

pub use answers::{AnswerRow, answer_rows};
pub use answers_csv::{CSV_COLUMNS, answers_csv};
pub use balp::{BALP_PROFILES, STANDING_EXTENSION, TIME_EXTENSION, balp_ndjson};
pub use fhir_ndjson::{DEVICE_SYSTEM, ENTRY_EXTENSION, ENTRY_SYSTEM, PERSON_SYSTEM, fhir_ndjson};
pub use package::{PackageParts, PackagedCertificate, PackagedEnvelope, PackagedProof, audit_package};
pub use package_check::{PackageCheck, PackageFiles, check_package};
pub use page_text::escaped;
pub use patient_page::patient_page;
pub use returned::{EarlierReceipt, ReopenedLog, Reopenings, Returned};
pub use trail::{Trail, TrailAuthor, TrailEntry, TrailParts, TrailTime, WaitingAccess, trail};
pub use trail_change::Change;
pub use trail_csv::{TRAIL_CSV_COLUMNS, trail_csv};
pub use trail_json::trail_json;
pub use trail_text::trail_text;
pub use trail_words::{claim_code, delivery_code, delivery_words, duration_words, fault_words};
