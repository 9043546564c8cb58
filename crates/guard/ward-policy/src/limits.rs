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

/// Most steps that all references of one plan may take behind those that stand in its resources: what leads
/// further is taken as computed.
pub const MAX_PLAN_STEPS: usize = 2_000_000;

/// Deepest nesting of conditions in a rule.
pub const MAX_CONDITION_DEPTH: usize = 24;

/// Longest JSON document accepted inside a text of a resource, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// Deepest nesting of blocks and expressions accepted in a Terraform file.
pub const MAX_HCL_DEPTH: usize = 64;

/// Most levels of one expression's tree.
pub const MAX_HCL_HEIGHT: usize = 100;

/// Most labels of one block.
pub const MAX_BLOCK_LABELS: usize = 8;

/// Largest Terraform file accepted, in bytes.
pub const MAX_SOURCE_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Most Terraform files accepted in one check.
pub const MAX_SOURCE_FILES: usize = 20_000;

/// Most files of values looked at beside those that Terraform reads by itself, for one root module.
pub const MAX_VALUE_FILES: usize = 200;

/// Most instances that `count` or `for_each` may make of one block.
pub const MAX_INSTANCES: usize = 10_000;

/// Most instances of modules in one check.
pub const MAX_MODULE_INSTANCES: usize = 10_000;

/// Most steps that evaluating the source of one check may take.
pub const MAX_EVALUATION_STEPS: usize = 5_000_000;

/// Deepest nesting of evaluations: expressions in expressions, through locals, inputs and outputs.
pub const MAX_EVALUATION_DEPTH: usize = 160;

/// Most values in one evaluated value, copies counted.
pub const MAX_VALUE_SIZE: usize = 100_000;

/// Deepest nesting of one evaluated value.
pub const MAX_VALUE_DEPTH: usize = 64;

/// Longest text that an expression may make, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Most notes kept of one check.
pub const MAX_NOTES: usize = 200;

/// Most references kept for one value; what has more leads nowhere for certain.
pub const MAX_REFERENCES: usize = 256;

/// Most observations kept for one finding.
pub const MAX_OBSERVATIONS: usize = 8;

/// Deepest nesting of values that is searched for secrets.
pub const MAX_SECRET_DEPTH: usize = 16;

/// Most values shown of what meets a condition that must not be met.
pub const MAX_WITNESSES: usize = 8;

/// Largest template accepted, in bytes. CloudFormation takes 1 MB.
pub const MAX_TEMPLATE_BYTES: usize = 2 * 1024 * 1024;

/// Most values kept that one expression can take; beyond it the expression may be anything.
pub const MAX_BRANCHES: usize = 64;

/// Most bytes that all expressions of a template together may come to.
pub const MAX_EVALUATED_BYTES: usize = 16 * 1024 * 1024;

/// Deepest nesting of expressions evaluated, conditions that lead to other conditions counted.
pub const MAX_TEMPLATE_DEPTH: usize = 192;

/// Most comparisons of a selector or a name with an object; beyond it a link may lead anywhere.
pub const MAX_LINK_STEPS: usize = 20_000_000;

/// Longest part of a text searched for the words of a chart behind its braces, in bytes.
pub const MAX_MARK_BYTES: usize = 1024;

/// Most links that selectors of manifests may make; beyond it they may lead anywhere.
pub const MAX_SELECTED: usize = 200_000;

/// Largest review of a cluster accepted, in bytes: an object before and after, each at most 3 MB.
pub const MAX_REVIEW_BYTES: usize = 8 * 1024 * 1024;

/// Longest uid of a review accepted, in bytes.
pub const MAX_UID_BYTES: usize = 256;

/// Longest message of a refusal, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// Most warnings in an answer to a cluster.
pub const MAX_WARNINGS: usize = 16;

/// Longest warning, in bytes; a cluster cuts what is longer.
pub const MAX_WARNING_BYTES: usize = 256;

/// Most audit annotations in an answer to a cluster.
pub const MAX_AUDIT_ANNOTATIONS: usize = 16;

/// Largest file of settings accepted, in bytes.
pub const MAX_SETTINGS_BYTES: usize = 1024 * 1024;

/// Most lines of a block searched for the attributes that a report shows.
pub const MAX_BLOCK_LINES: usize = 2_000;

/// Largest file of an edition of law accepted, in bytes.
pub const MAX_EDITION_BYTES: usize = 16 * 1024 * 1024;

/// Days after which a summary of law is compared with the official text again.
pub const REVIEW_INTERVAL_DAYS: i64 = 365;

/// Longest a waiver may count, in days.
pub const MAX_WAIVER_DAYS: i64 = 90;

/// Longest text of a waiver, in bytes.
pub const MAX_WAIVER_TEXT_BYTES: usize = 4_096;

/// Most signatures under a waiver.
pub const MAX_WAIVER_SIGNATURES: usize = 8;

/// Largest file of a waiver accepted, in bytes.
pub const MAX_WAIVER_BYTES: usize = 64 * 1024;

/// Largest baseline accepted, in bytes.
pub const MAX_BASELINE_BYTES: usize = 64 * 1024 * 1024;
