//! Alert rules of a study: data that is evaluated over what participants reported.
//!
//! - [`AlertRules`] reads a study's rule set, strictly: a misspelt field is refused, not skipped.
//!   [`AlertRules::check`] says which rules can't do their work on a form;
//!   [`AlertRules::built_in`] are the rules of a study that published none.
//! - [`History`] is what one participant reported and missed.
//! - [`evaluate`] runs every rule on every report and says which alerts they raise, what could not be
//!   judged and why, and which rules ask for something that nobody was asked.
//! - [`simulate`] counts, over past data, how many alerts a week each rule would have raised, and which
//!   share of them somebody acted upon.
//!
//! The rules run on devices of the care team, because the server can't read answers. Evaluation is a
//! pure function: the same rules and histories give the same alerts, in whatever order the reports are
//! given.
//!
//! **Contradictions.** Where several versions of a report hold at once and nobody has chosen, every
//! rule runs on each of them, and one that fires is enough. A comparison with an earlier report that
//! has several versions takes the one against which the new value is worse.
//!
//! **Missing is not zero, and not silence.** A grade of which a part is missing is judged by the grades
//! that the known part allows: if the least of them fires, there is an alert that says "at least"; if
//! none of them fires, there is none; else the report is listed as not judged, with what is missing. A
//! question that the skip logic did not ask is not missing: the rule then has nothing to judge, and a
//! grade stands by what was asked.
//!
//! **Places.** In a repeating group each instance is judged by itself, and one that fires is enough.
//!
//! A grade is what the published table says: after a first answer of "not at all" it is 0, whatever else
//! was answered. A study that wants to hear of the later answers too adds a rule about attributes
//! (`{"symptom": "*", "attribute": "*"}`).
//!
//! Published load to design against: in the PRO-TECT trial (Basch et al., JAMA 2022;327(24):2413-2422)
//! about a third of the surveys raised an alert, and nurses acted on more than half of them.
//!
//! ```
//! use ward_forms::alert_rules::AlertRules;
//!
//! let rules = AlertRules::parse(br#"{
//!     "format": "ward/alert-rules", "version": 1, "name": "nausea study", "revision": "3",
//!     "rules": [
//!         {"id": "severe", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 3},
//!         {"id": "worse", "kind": "worsening", "severity": "concern", "of": {"symptom": "nausea"},
//!          "by": 2, "since": "baseline"},
//!         {"id": "silent", "kind": "missed", "severity": "notice", "inARow": 2},
//!         {"id": "call", "kind": "patient-urgent", "severity": "urgent", "item": "call-me"}
//!     ]}"#)?;
//! assert_eq!(rules.rules().len(), 4);
//! # Ok::<(), ward_forms::StrictJsonError>(())
//! ```

mod acknowledgement;
mod alert;
mod amount;
mod built_in;
mod check;
mod evaluate;
mod history;
mod kept;
mod missed_rows;
mod reading;
mod rule;
mod rule_reader;
mod run;
mod simulate;
mod threshold;
mod wish;
mod wording;
mod worsening;

pub use acknowledgement::{Acknowledgement, AcknowledgementError};
pub use alert::{Alert, AlertKey, Compared, Evaluation, NotJudged, Trigger};
pub use check::AlertRuleProblem;
pub use evaluate::evaluate;
pub use history::{History, Occasion, Report, ReportVersion};
pub use rule::{AlertRule, AlertRules, AlertSeverity, RuleKind, Since, SymptomName, Target, Threshold};
pub use rule_reader::{RefusedRule, StoredRules};
pub use simulate::{RuleLoad, Share, Simulation, simulate};
