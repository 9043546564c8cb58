//! Why an input was not read.

use crate::graph::GraphError;
use crate::limits::{MAX_INPUT_BYTES, MAX_JSON_DEPTH, MAX_YAML_DEPTH, MAX_YAML_DOCUMENTS, MAX_YAML_NODES};

/// Why an input was not read. Whoever made the file has to look at it; nothing of it was checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Larger than a check accepts.
    #[error("the input has more than {MAX_INPUT_BYTES} bytes")]
    TooLarge,
    /// Bytes that are no text in UTF-8 or UTF-16.
    #[error("the input is not text in UTF-8 or UTF-16: byte {at_byte} does not fit")]
    NotText {
        /// The first byte that does not fit.
        at_byte: usize,
    },
    /// Not JSON.
    #[error("line {line}, column {column}: not JSON: {what}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Not infrastructure code.
    #[error("this is no plan, no state, no template of CloudFormation and no manifest of Kubernetes")]
    NotInfrastructure,
    /// JSON nested deeper than a check accepts.
    #[error("line {line}: nested deeper than {MAX_JSON_DEPTH} levels")]
    JsonTooDeep {
        /// Line, from 1.
        line: usize,
    },
    /// A name that an object gives twice: readers disagree about which value counts.
    #[error("line {line}: {name:?} is given twice in one object")]
    GivenTwice {
        /// Line of the object or of its second value, from 1.
        line: usize,
        /// The name.
        name: Box<str>,
    },
    /// Not YAML.
    #[error("line {line}, column {column}: not YAML: {what}")]
    NotYaml {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        what: Box<str>,
    },
    /// YAML nested deeper than a check accepts.
    #[error("line {line}: nested deeper than {MAX_YAML_DEPTH} levels")]
    YamlTooDeep {
        /// Line, from 1.
        line: usize,
    },
    /// More YAML than a check accepts, copies through aliases counted.
    #[error("the input has more than {MAX_YAML_NODES} values or {MAX_YAML_DOCUMENTS} documents")]
    YamlTooLarge,
    /// Not HCL, the syntax of Terraform.
    #[error("line {line}, column {column}: not HCL: {what}")]
    NotHcl {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// One of several files was not read.
    #[error("{file}: {error}")]
    InFile {
        /// The file as the caller named it.
        file: Box<str>,
        /// Why it was not read.
        error: Box<InputError>,
    },
    /// A file whose format Ward does not read, or not in this version.
    #[error("{what}")]
    UnknownFormat {
        /// In a sentence.
        what: String,
    },
    /// A file of a known format in which something that must be there is not, or has another shape.
    #[error("{at}: {what}")]
    Malformed {
        /// Where in the file.
        at: String,
        /// What is wrong.
        what: String,
    },
    /// The resources make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
