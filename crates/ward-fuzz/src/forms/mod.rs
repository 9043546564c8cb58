//! Targets of `ward-forms`: what authors of studies and devices of patients send.

pub(crate) mod alert_rules;
pub(crate) mod dense_answers;
pub(crate) mod expression;
pub(crate) mod questionnaire;
pub(crate) mod response;
mod walk;
mod written_again;
