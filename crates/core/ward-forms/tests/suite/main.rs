//! Tests of the crate through its public interface.

#[cfg(test)]
mod alert_places;
#[cfg(test)]
mod alert_rule_check;
#[cfg(test)]
mod alert_rule_sets;
#[cfg(test)]
mod alert_rules;
#[cfg(test)]
mod alert_simulation;
#[cfg(test)]
mod answer_room;
#[cfg(test)]
mod answering;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod calculated_nested;
#[cfg(test)]
mod check_properties;
#[cfg(test)]
mod checks_not_made;
#[cfg(test)]
mod dense_answers;
#[cfg(test)]
mod dense_vectors;
#[cfg(test)]
mod digits;
#[cfg(test)]
mod digits_in_expressions;
#[cfg(test)]
mod eortc_qlq_c30;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod evaluation_changes;
#[cfg(test)]
mod evaluation_circles;
#[cfg(test)]
mod evaluation_properties;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod fhirpath_dependencies;
#[cfg(test)]
mod fhirpath_language;
#[cfg(test)]
mod fhirpath_limits;
#[cfg(test)]
mod fhirpath_properties;
#[cfg(test)]
mod finishing;
#[cfg(test)]
mod form_parts;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod pro_ctcae_missing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod resuming;
#[cfg(test)]
mod schedule_amendments;
#[cfg(test)]
mod schedule_arrivals;
mod schedule_calendar;
#[cfg(test)]
mod schedule_due;
#[cfg(test)]
mod schedule_properties;
#[cfg(test)]
mod schedule_reading;
#[cfg(test)]
mod schedule_reminders;
#[cfg(test)]
mod skip_logic;
#[cfg(test)]
mod stored_records;
#[cfg(test)]
mod symptom_diary;
#[cfg(test)]
mod validation;
#[cfg(test)]
mod walk;
