//! Tests of the crate through its public interface.

#[cfg(test)]
mod alert_rules;
#[cfg(test)]
mod chains_apart;
#[cfg(test)]
mod chart_properties;
#[cfg(test)]
mod chart_texts;
#[cfg(test)]
mod chart_view;
#[cfg(test)]
mod declined_entries;
#[cfg(test)]
mod dense_responses;
#[cfg(test)]
mod entry_times;
#[cfg(test)]
mod given_back;
mod golden;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod many_candidates;
#[cfg(test)]
mod membership_rules;
#[cfg(test)]
mod own_device_orders;
#[cfg(test)]
mod partial_view;
#[cfg(test)]
mod red_team;
#[cfg(test)]
mod reopened_logs;
#[cfg(test)]
mod severed_texts;
#[cfg(test)]
mod shape_properties;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod taking_back;
