//! Conditions over what the organisation decided: its settings, classes of data, regions, services,
//! tags.

use super::condition_reader::path;
use super::{Fields, RuleError};
use crate::graph::AttributePath;

/// A condition over the settings of the organisation.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// The settings say something about this.
    Setting(SettingName),
    /// The resource holds data of this class, by its tag.
    Class(DataClass),
    /// The region or zone at a path is on the list.
    Region(AttributePath),
    /// The type of the resource is a service on the list.
    Service,
    /// Every tag on the list is set in the map at a path.
    Tags(AttributePath),
}

/// What settings may say something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingName {
    /// Regions that data may lie in.
    Regions,
    /// Services that a contract covers.
    Services,
    /// Tags that data has to carry.
    Tags,
    /// That inputs describe an account as a whole.
    WholeAccount,
}

impl SettingName {
    /// Every name.
    pub const ALL: [Self; 4] = [Self::Regions, Self::Services, Self::Tags, Self::WholeAccount];

    /// Its word in rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Regions => "regions",
            Self::Services => "services",
            Self::Tags => "tags",
            Self::WholeAccount => "whole-account",
        }
    }
}

/// A class of data that rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataClass {
    /// Health information of persons.
    Phi,
    /// Records that have to be kept, and logs.
    Records,
    /// Keys that sign records.
    Signing,
}

impl DataClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Phi, Self::Records, Self::Signing];

    /// Its word in rules and settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Phi => "phi",
            Self::Records => "records",
            Self::Signing => "signing",
        }
    }
}

/// Whether a mapping is such a condition.
pub(super) fn is_decided(fields: &Fields<'_>) -> bool {
    ["setting", "class", "in_setting", "kind", "tags"].iter().any(|name| fields.has(name))
}

/// Reads one.
pub(super) fn read_decided(fields: &mut Fields<'_>) -> Result<Decided, RuleError> {
    Ok(match () {
        () if fields.has("setting") => {
            Decided::Setting(fields.word("setting", &SettingName::ALL, SettingName::word)?)
        }
        () if fields.has("class") => {
            Decided::Class(fields.word("class", &DataClass::ALL, DataClass::word)?)
        }
        () if fields.has("in_setting") => {
            fields.word("in_setting", &[SettingName::Regions], SettingName::word)?;
            Decided::Region(path(fields, "path")?)
        }
        () if fields.has("kind") => {
            fields.word("kind", &[SettingName::Services], SettingName::word)?;
            Decided::Service
        }
        () => Decided::Tags(path(fields, "tags")?),
    })
}
