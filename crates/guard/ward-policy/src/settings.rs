//! What an organisation decided: regions, services, tags, classes of data. Its own document,
//! `ward-policy.yaml`, with its own reader.

use crate::rules::{DataClass, Fields, RuleError, SettingName, read_document};
use crate::waiver::{WaiverSigner, hexadecimal};
use crate::yaml::YamlNode;

/// Tag that names the class of data, unless the settings name another.
const CLASS_TAG: &str = "data_class";

/// What an organisation decided. Nothing, if there is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    regions: Vec<Box<str>>,
    services: Vec<Box<str>>,
    tags: Vec<Box<str>>,
    is_whole_account: bool,
    class_tag: Box<str>,
    classes: Vec<(DataClass, Vec<Box<str>>)>,
    untagged: Option<DataClass>,
    counts_proposed: bool,
    stage: Option<Box<str>>,
    waiver_signers: Vec<WaiverSigner>,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
        Self {
            regions: Vec::new(),
            services: Vec::new(),
            tags: Vec::new(),
            is_whole_account: false,
            class_tag: CLASS_TAG.into(),
            classes: vec![
                (DataClass::Phi, words(&["phi", "ephi", "health", "patient", "special-category"])),
                (DataClass::Records, words(&["record", "records", "source-data", "audit", "log", "logs"])),
                (DataClass::Signing, words(&["signing", "signature"])),
            ],
            untagged: None,
            counts_proposed: false,
            stage: None,
            waiver_signers: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether something was decided about this.
    #[must_use]
    pub const fn has(&self, name: SettingName) -> bool {
        match name {
            SettingName::Regions => !self.regions.is_empty(),
            SettingName::Services => !self.services.is_empty(),
            SettingName::Tags => !self.tags.is_empty(),
            SettingName::WholeAccount => self.is_whole_account,
        }
    }

    /// Whether data may lie in a region, or in a zone of one.
    #[must_use]
    pub fn allows_region(&self, written: &str) -> bool {
        let written = plain(written);
        self.regions.iter().any(|region| {
            let region = plain(region);
            let rest = written.strip_prefix(&*region);
            rest.is_some_and(|rest| match rest.as_bytes() {
                [] => true,
                // Zones: `eu-central-1a`, `europe-west3-b`, and nothing longer.
                [letter] => letter.is_ascii_lowercase(),
                _ => false,
            })
        })
    }

    /// Whether a contract covers a service, by the type of its resource.
    #[must_use]
    pub fn allows_service(&self, kind: &str) -> bool {
        self.services.iter().any(|service| match service.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => kind == &**service,
        })
    }

    /// Tags that data has to carry.
    #[must_use]
    pub fn tags(&self) -> &[Box<str>] {
        &self.tags
    }

    /// Whether a tag names the class of data.
    #[must_use]
    pub fn is_class_tag(&self, name: &str) -> bool {
        letters(name).eq(letters(&self.class_tag))
    }

    /// Whether the value of that tag means a class.
    #[must_use]
    pub fn is_class(&self, written: &str, class: DataClass) -> bool {
        let written = plain(written);
        let words = self.classes.iter().filter(|(known, _)| *known == class).flat_map(|(_, words)| words);
        words.into_iter().any(|word| plain(word) == written)
    }

    /// Whether law that is proposed and not in force is named in findings.
    #[must_use]
    pub const fn counts_proposed(&self) -> bool {
        self.counts_proposed
    }

    /// The stage that these settings are for, such as `production`: a waiver counts for one stage only.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// Who may sign waivers.
    #[must_use]
    pub fn waiver_signers(&self) -> &[WaiverSigner] {
        &self.waiver_signers
    }

    /// The class of what carries no such tag, if one was decided on.
    #[must_use]
    pub const fn untagged(&self) -> Option<DataClass> {
        self.untagged
    }
}

/// Names are compared without case, spaces, dashes and underscores: providers differ in these only.
fn plain(text: &str) -> Box<str> {
    letters(text).collect::<String>().into()
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    let kept = text.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-'));
    kept.flat_map(char::to_lowercase)
}

/// Reads `ward-policy.yaml`.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_settings(file: &str, text: &str) -> Result<Settings, RuleError> {
    let document = read_document(file, text)?;
    let mut fields = Fields::of(file, &document)?;
    fields.version(1)?;
    settings(fields)
}

/// Reads settings that stand in another document, without a version of their own.
pub(crate) fn read_settings_within(file: &str, node: &YamlNode) -> Result<Settings, RuleError> {
    settings(Fields::of(file, node)?)
}

fn settings(mut fields: Fields<'_>) -> Result<Settings, RuleError> {
    let mut settings = Settings {
        regions: fields.optional_texts("regions")?,
        services: fields.optional_texts("services")?,
        tags: fields.optional_texts("tags")?,
        is_whole_account: fields.optional_flag("whole_account")?.unwrap_or(false),
        counts_proposed: fields.optional_flag("proposed_law")?.unwrap_or(false),
        stage: fields.optional_text("stage")?,
        ..Settings::default()
    };
    if let Some(tag) = fields.optional_text("class_tag")? {
        settings.class_tag = tag;
    }
    if let Some(node) = fields.take("classes") {
        let mut inner = Fields::of(fields.file(), node)?;
        for (class, words) in &mut settings.classes {
            if inner.has(class.word()) {
                *words = inner.texts(class.word())?;
            }
        }
        inner.end()?;
    }
    if fields.has("untagged") {
        settings.untagged = Some(fields.word("untagged", &DataClass::ALL, DataClass::word)?);
    }
    if fields.has("waiver_signers") {
        settings.waiver_signers = fields.items("waiver_signers", waiver_signer)?;
    }
    fields.end()?;
    Ok(settings)
}

fn waiver_signer(mut fields: Fields<'_>) -> Result<WaiverSigner, RuleError> {
    let signer = WaiverSigner { name: fields.text("name")?, key: hexadecimal(&mut fields, "key")? };
    fields.end()?;
    Ok(signer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_their_zones() {
        let text = "version: 1\nregions: [eu-central-1, europe-west3, West Europe]\n";
        let settings = read_settings("ward-policy.yaml", text).unwrap();
        for (written, allowed) in [
            ("eu-central-1", true),
            ("eu-central-1a", true),
            ("eu-central-10", false),
            ("eu-central-1-wl1", false),
            ("europe-west3", true),
            ("EUROPE-WEST3", true),
            ("europe-west3-b", true),
            ("westeurope", true),
            ("us-east-1", false),
            ("", false),
        ] {
            assert_eq!(settings.allows_region(written), allowed, "{written}");
        }
    }

    #[test]
    fn services_and_classes() {
        let text = "version: 1\nservices: [\"aws_s3_*\", aws_db_instance]\nclasses: {phi: [C4]}\nuntagged: records\n";
        let settings = read_settings("ward-policy.yaml", text).unwrap();
        assert!(settings.allows_service("aws_s3_bucket") && settings.allows_service("aws_db_instance"));
        assert!(!settings.allows_service("aws_db_instance_role_association"));
        assert!(settings.is_class("c4", DataClass::Phi) && !settings.is_class("phi", DataClass::Phi));
        assert!(settings.is_class("Logs", DataClass::Records));
        assert!(settings.is_class_tag("data-class") && settings.is_class_tag("DataClass"));
        assert_eq!(settings.untagged(), Some(DataClass::Records));
        assert!(!settings.has(SettingName::Regions) && settings.has(SettingName::Services));
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for text in [
            "version: 1\nregion: [x]\n",
            "version: 2\n",
            "version: 1\nuntagged: some\n",
            "version: 1\nclasses: {phy: [x]}\n",
        ] {
            assert!(read_settings("ward-policy.yaml", text).is_err(), "{text}");
        }
    }
}
