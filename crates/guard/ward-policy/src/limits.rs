//! Every size and count this crate accepts, in one place.
//!
//! Plans, templates and rules come from elsewhere. The numbers leave room above the largest plans
//! seen (10,000 resources, 17 MB) and keep memory and time bounded.

/// Largest input accepted, in bytes.
pub const MAX_INPUT_BYTES: usize = 64 * 1024 * 1024;

/// Deepest nesting of JSON objects and arrays accepted.
pub const MAX_JSON_DEPTH: usize = 100;

/// Deepest nesting of YAML mappings and sequences accepted.
pub const MAX_YAML_DEPTH: usize = 64;

/// Most nodes accepted in one YAML input, copies through aliases counted.
pub const MAX_YAML_NODES: usize = 2_000_000;

/// Most documents accepted in one YAML input.
pub const MAX_YAML_DOCUMENTS: usize = 10_000;

/// Deepest nesting of modules accepted.
pub const MAX_MODULE_DEPTH: usize = 32;

/// Most resources accepted in one input.
pub const MAX_RESOURCES: usize = 200_000;

/// Most values that one path of a rule may reach in one resource.
pub const MAX_REACHED: usize = 10_000;

/// Longest value that a report shows, in characters.
pub const MAX_SHOWN_CHARS: usize = 120;

/// Most steps taken through variables, outputs and locals for one reference.
pub const MAX_REFERENCE_STEPS: usize = 64;

/// Deepest nesting of conditions in a rule.
pub const MAX_CONDITION_DEPTH: usize = 24;

/// Longest JSON document accepted inside a text of a resource, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// Most observations kept for one finding.
pub const MAX_OBSERVATIONS: usize = 8;

/// Deepest nesting of values that is searched for secrets.
pub const MAX_SECRET_DEPTH: usize = 16;

/// Most values shown of what meets a condition that must not be met.
pub const MAX_WITNESSES: usize = 4;

/// Largest file of settings accepted, in bytes.
pub const MAX_SETTINGS_BYTES: usize = 1024 * 1024;
