//! What a provider takes where nothing is written: data with its own reader.

use super::known_names::KnownNames;
use super::{Fields, RuleError, read_document};
use crate::graph::Attribute;
use crate::yaml::YamlNode;

/// What holds where an attribute is not set.
#[derive(Debug, Clone, PartialEq)]
pub struct Default {
    /// What it is.
    pub value: DefaultValue,
    /// Whose default it is, for the report.
    pub note: Box<str>,
}

/// The value of a default.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// Always this.
    Is(Attribute),
    /// Something that stands outside of the input decides, such as a setting of the account.
    Depends,
}

/// Every default that Ward knows, by type and attribute.
#[derive(Debug, Clone, std::default::Default)]
pub struct Defaults(KnownNames<KnownNames<Default>>);

impl Defaults {
    /// The default of an attribute; its path has dots and no places in lists.
    #[must_use]
    pub fn of(&self, kind: &str, path: &str) -> Option<&Default> {
        self.0.get(kind)?.get(path)
    }
}

/// Reads `policies/defaults.yaml`.
///
/// # Errors
/// [`RuleError`] with the file and the line; also when a default is given twice.
pub fn read_defaults(file: &str, text: &str) -> Result<Defaults, RuleError> {
    defaults_of(file, &read_document(file, text)?)
}

/// As [`read_defaults`], from nodes.
pub(crate) fn defaults_of(file: &str, document: &YamlNode) -> Result<Defaults, RuleError> {
    let mut fields = Fields::of(file, document)?;
    fields.version(1)?;
    let entries = fields.items("defaults", entry)?;
    fields.end()?;
    let mut defaults = Defaults::default();
    for (types, path, default) in entries {
        for kind in types {
            let of_kind = defaults.0.entry(kind.clone()).or_default();
            if of_kind.insert(path.clone(), default.clone()).is_some() {
                return Err(RuleError::rule(&kind, &format!("the default of {path} is given twice")));
            }
        }
    }
    Ok(defaults)
}

type Entry = (Vec<Box<str>>, Box<str>, Default);

fn entry(mut fields: Fields<'_>) -> Result<Entry, RuleError> {
    let types = fields.texts("types")?;
    let path = fields.text("path")?;
    let depends = fields.take("depends").and_then(|node| node.scalar());
    let value = match (depends, fields.take("value")) {
        (Some(Attribute::Bool(true)), None) => DefaultValue::Depends,
        (None, Some(node)) => match node.scalar().filter(|value| *value != Attribute::Null) {
            Some(value) => DefaultValue::Is(value),
            None => return Err(fields.fault("value has to be a text, a number, true or false")),
        },
        _ => return Err(fields.fault("a default has a value, or depends: true")),
    };
    let note = fields.text("note")?;
    fields.end()?;
    Ok((types, path, Default { value, note }))
}
