//! What charts mean to people: scores, what needs attention, what is due. Pure functions over
//! [`ward_sync::ChartView`] and the questionnaires that the chart itself holds, so that every
//! device of the care team comes to the same answer; the server cannot compute any of it.
//!
//! Invariant: no clock, no storage, no network; "now" is an argument. Nothing is chosen where
//! people disagree, and no alarm ends without a person who says so.

mod adherence;
mod alert_report;
mod alert_work;
pub mod calendar;
mod causes;
mod chart_forms;
mod chart_reports;
mod drop_work;
mod evidence;
mod kept_aside;
mod local_day;
mod missed_times;
mod named_chart;
mod notes_of_many;
mod open_conflicts;
mod planned_answers;
mod planned_work;
mod raised_alert;
mod row_work;
mod rule_book;
mod rule_work;
mod schedule;
mod scores;
mod set_aside_work;
mod standing_words;
mod unscored_work;
mod unsettled_work;
mod wording;
mod work_item;
mod worklist;

pub use adherence::{InstrumentAdherence, MissedSince, adherence, adherence_of};
pub use alert_report::{AlertReport, AlertWeek, RuleReport, alert_report, no_action};
pub(crate) use chart_forms::implied_status;
pub use chart_forms::{AnswersUnreadable, ChartForms, FormProblem};
pub(crate) use drop_work::{drop_work, sealed_drop_work};
pub use local_day::{Here, local_day, local_instant};
pub use named_chart::NamedChart;
pub use notes_of_many::{Passage, SharedText, SignedText, TextChange, shared_texts};
pub use open_conflicts::{ShownCandidate, ShownConflict, open_conflicts};
pub use planned_answers::PlannedAnswer;
pub use raised_alert::RaisedAlert;
pub use rule_book::{RuleBook, RuleRevision, UnreadableRules, read_rules, score_refusal};
pub use rule_work::rule_work;
pub use schedule::{
    DueInstrument, MissedInstrument, PlannedInstrument, Planning, due, missed, occurrence_of, schedule_of,
};
pub use scores::{ChartScores, ScoreProblem, ScoredResponse, SymptomPoint, SymptomSeries, Version, scores};
pub use set_aside_work::{SetAside, set_aside_work};
pub use ward_forms::schedule::{AdherenceCounts, AdherenceWeek};
pub use wording::{answered_by_code, plain_line, role_name, status_code};
pub use work_item::{Acknowledged, Urgency, WorkItem};
pub(crate) use worklist::sort_items;
pub use worklist::{worklist, worklist_by};
