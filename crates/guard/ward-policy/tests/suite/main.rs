//! Tests of the crate through its public interface.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod admission_own_rules;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod fails_closed;
#[cfg(test)]
mod hostile_names;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod reference_infrastructure;
#[cfg(test)]
mod report;
#[cfg(test)]
mod report_forms;
#[cfg(test)]
mod rule_fixes;
#[cfg(test)]
mod rule_fixtures;
#[cfg(test)]
mod rule_pages;
#[cfg(test)]
mod rule_table;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod waiver_binding;
#[cfg(test)]
mod waivers;
#[cfg(test)]
mod webhook_manifest;
