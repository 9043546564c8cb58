//! The rules, defaults and law that come with Ward: the files of `policies`, part of the program.

use crate::law::{Citation, Law, Requirement, instrument_of, requirements_of};
use crate::rules::{Defaults, RuleError, RuleFile, RuleSet, defaults_of, rules_of};
use crate::yaml::YamlNode;
use crate::yaml_nodes::read_nodes;

/// A file that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinFile {
    /// Its path in the project.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Its nodes, as the build read them.
    pub(crate) nodes: &'static [u8],
}

impl BuiltinFile {
    fn node(&self) -> Result<YamlNode, RuleError> {
        read_nodes(self.nodes)
            .ok_or_else(|| RuleError::rule(self.name, "the build did not read this file whole"))
    }
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(BuiltinFile {
            name: concat!("policies/", $path),
            text: include_str!(concat!("../../../../policies/", $path)),
            nodes: include_bytes!(concat!(env!("OUT_DIR"), "/", $path, ".nodes")),
        }),*]
    };
}

/// Rules, one file an area.
pub const RULE_FILES: &[BuiltinFile] = &files![
    "databases.yaml",
    "disks.yaml",
    "buckets.yaml",
    "storage.yaml",
    "keys.yaml",
    "logging.yaml",
    "network.yaml",
    "compute.yaml",
    "data-services.yaml",
    "secrets.yaml",
    "iam.yaml",
    "clusters.yaml",
    "registries.yaml",
    "serverless.yaml",
    "kubernetes.yaml",
    "governance.yaml",
];
/// Instruments of law.
pub const LAW_FILES: &[BuiltinFile] = &files![
    "law/hipaa.yaml",
    "law/part11.yaml",
    "law/gdpr.yaml",
    "law/states.yaml",
    "law/nist.yaml",
    "law/nprm.yaml",
];
/// What providers take where nothing is written.
pub const DEFAULTS_FILE: &BuiltinFile = &files!["defaults.yaml"][0];
/// Requirements that rules name.
pub const REQUIREMENTS_FILE: &BuiltinFile = &files!["requirements.yaml"][0];

/// What comes with Ward, read and not yet put together.
pub(crate) struct BuiltinParts {
    pub(crate) rules: Vec<RuleFile>,
    pub(crate) defaults: Defaults,
    pub(crate) citations: Vec<Citation>,
    pub(crate) requirements: Vec<Requirement>,
}

/// Reads what comes with Ward.
///
/// # Errors
/// [`RuleError`] when a file has a fault. The tests of this crate read all of them.
pub fn builtin_rules() -> Result<RuleSet, RuleError> {
    let parts = builtin_parts()?;
    RuleSet::new(parts.rules, parts.defaults, Law::new(parts.citations, parts.requirements)?)
}

/// As [`builtin_rules`], in parts, so that others can be added.
pub(crate) fn builtin_parts() -> Result<BuiltinParts, RuleError> {
    let mut citations = Vec::new();
    for file in LAW_FILES {
        citations.extend(instrument_of(file.name, &file.node()?)?);
    }
    let files = RULE_FILES.iter().map(|file| rules_of(file.name, &file.node()?));
    Ok(BuiltinParts {
        rules: files.collect::<Result<_, _>>()?,
        defaults: defaults_of(DEFAULTS_FILE.name, &DEFAULTS_FILE.node()?)?,
        citations,
        requirements: requirements_of(REQUIREMENTS_FILE.name, &REQUIREMENTS_FILE.node()?)?,
    })
}
