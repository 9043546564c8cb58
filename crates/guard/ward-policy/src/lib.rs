//! Policy over infrastructure code: refuse what would break the law, before it is deployed.
//!
//! Bytes in, findings out. A reader turns its format into a resource graph ([`graph`]); rules
//! ([`rules`]) are data that is read once and judges every resource of a type it knows; each rule
//! names requirements that stand for paragraphs of law ([`law`]). Nothing passes by accident: what
//! can't be known before the deployment is [`Verdict::Indeterminate`], what can't be evaluated is
//! [`Verdict::Error`], and both block.
//!
//! No file, no network, no clock, no randomness.

pub mod admission;
mod base64_text;
mod baseline;
mod builtin;
pub mod cloudformation;
mod day;
mod evaluate;
mod finding;
mod fix;
mod fixture_run;
pub mod folder;
pub mod graph;
mod input;
mod input_error;
mod input_text;
mod json;
pub mod kubernetes;
pub mod law;
pub mod limits;
mod own_rules;
mod recognise;
pub mod report;
pub mod rules;
mod secret_names;
mod settings;
pub mod shown_text;
mod source_documents;
mod terraform_plan;
pub mod terraform_source;
mod verdict;
pub mod waiver;
pub mod yaml;
mod yaml_nodes;
mod yaml_words;

pub use baseline::{Baseline, BaselineEntry, apply_baseline, entries_of};
pub use builtin::{BuiltinFile, DEFAULTS_FILE, LAW_FILES, REQUIREMENTS_FILE, RULE_FILES, builtin_rules};
pub use day::Day;
pub use evaluate::{Assessment, assess, verdict_for, verdict_for_part};
pub use finding::{Finding, Observation};
pub use fix::{MendedFile, TextFix, text_fix_of};
pub use fixture_run::{FixtureRun, Untried, WrongVerdict, run_fixtures};
pub use input::{read_input, read_named_input};
pub use input_error::InputError;
pub use input_text::read_text;
pub use own_rules::OwnRules;
pub use recognise::recognise;
pub use settings::{Settings, read_settings};
pub use terraform_plan::read_terraform;
pub use verdict::{Exit, Verdict};
