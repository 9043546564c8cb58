//! What charts mean (scores, worklist, adherence) and how they leave a device (FHIR, table, page,
//! package), over charts built entry by entry.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helper functions of tests: a test that cannot set up its chart has failed"
)]

mod adherence;
mod alert_cost;
mod alert_lines;
mod alert_rows;
mod alert_rules;
mod audit_package;
mod balp;
mod builder;
mod dense;
mod fhir_and_csv;
mod late_arrivals;
mod page;
mod rule_news;
mod rule_sets;
mod schedules;
mod scores;
mod shapes;
mod standing_and_travel;
mod trail;
mod worklist;
