//! Paragraphs of law, and the requirements that rules name: data with its own reader.
//!
//! A [`Citation`] is one paragraph of one instrument, with a sentence of Ward's own about it. A
//! [`Requirement`] groups the paragraphs that one kind of safeguard supports, each with its relation
//! and the reason for it. Rules name requirements; a paragraph is written down once.

mod edition;
mod reader;
mod verification;

pub use edition::{Edition, OfficialParagraph, paragraph_sha256};
pub(crate) use reader::{instrument_of, requirements_of};
pub use reader::{read_instrument, read_requirements};
pub use verification::{CheckedCitation, ParagraphState, Review, verify_law};

use crate::rules::RuleError;
use std::collections::HashMap;

/// How binding a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    /// A standard, or a rule that binds as it stands.
    Standard,
    /// An implementation specification that is required.
    Required,
    /// An implementation specification that is addressable, 45 CFR 164.306(d)(3).
    Addressable,
    /// Proposed, not in force.
    Proposed,
}

impl Strength {
    /// Its word in data and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Required => "required",
            Self::Addressable => "addressable",
            Self::Proposed => "proposed",
        }
    }
}

/// How a safeguard stands to a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// It does what the paragraph asks for.
    Implements,
    /// It helps to do it.
    Supports,
    /// It is part of the evidence that it was done.
    EvidencesPartially,
}

impl Relation {
    /// Its word in data and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Implements => "implements",
            Self::Supports => "supports",
            Self::EvidencesPartially => "evidences-partially",
        }
    }

    /// What leaving the safeguard out does to the paragraph.
    #[must_use]
    pub const fn without_it(self) -> &'static str {
        match self {
            Self::Implements => "would violate",
            Self::Supports | Self::EvidencesPartially => "works against",
        }
    }
}

/// One paragraph of law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Key that requirements name, such as `hipaa-312-a-2-iv`.
    pub key: Box<str>,
    /// As a lawyer writes it: `45 CFR 164.312(a)(2)(iv)`.
    pub cite: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// What it asks for, in one sentence of Ward's own.
    pub summary: Box<str>,
    /// How binding it is.
    pub strength: Strength,
    /// Since when, as an ISO date.
    pub effective: Box<str>,
    /// Where the official text stands.
    pub source: Box<str>,
    /// SHA-256 of the official paragraph with white space folded, or why there is none.
    pub paragraph: ParagraphHash,
    /// The day on which the summary was compared with the official text.
    pub verified: Option<Box<str>>,
}

/// Whether the official paragraph can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParagraphHash {
    /// Its SHA-256 in lower-case hexadecimal.
    Sha256(Box<str>),
    /// Not checked, with the reason.
    None(Box<str>),
}

/// A kind of safeguard and the paragraphs it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name that rules use, such as `encryption-at-rest`.
    pub name: Box<str>,
    /// In a few words.
    pub title: Box<str>,
    /// What follows when it is missing.
    pub consequence: Box<str>,
    /// The paragraphs, most important first.
    pub citations: Vec<Cited>,
}

/// A paragraph that a requirement stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited {
    /// Key of the citation.
    pub key: Box<str>,
    /// How the safeguard stands to it.
    pub relation: Relation,
    /// Why.
    pub rationale: Box<str>,
}

/// All law that rules may name.
#[derive(Debug, Clone, Default)]
pub struct Law {
    citations: HashMap<Box<str>, Citation>,
    requirements: HashMap<Box<str>, Requirement>,
}

impl Law {
    /// Takes citations and requirements together.
    ///
    /// # Errors
    /// [`RuleError`] when a key is there twice, or a requirement names a citation that is not there,
    /// or only such whose paragraph is not checked.
    pub fn new(citations: Vec<Citation>, requirements: Vec<Requirement>) -> Result<Self, RuleError> {
        let mut law = Self::default();
        for citation in citations {
            let key = citation.key.clone();
            if law.citations.insert(key.clone(), citation).is_some() {
                return Err(RuleError::law(&key, "this citation is there twice"));
            }
        }
        for requirement in requirements {
            let name = requirement.name.clone();
            let mut is_checked = false;
            for cited in &requirement.citations {
                let citation = law.citations.get(&cited.key).ok_or_else(|| {
                    RuleError::law(&name, &format!("no citation has the key {}", cited.key))
                })?;
                is_checked |= matches!(citation.paragraph, ParagraphHash::Sha256(_));
            }
            if !is_checked {
                return Err(RuleError::law(&name, "none of its citations has a paragraph that was checked"));
            }
            if law.requirements.insert(name.clone(), requirement).is_some() {
                return Err(RuleError::law(&name, "this requirement is there twice"));
            }
        }
        Ok(law)
    }

    /// Every citation, in the order of their keys.
    #[must_use]
    pub fn citations(&self) -> Vec<&Citation> {
        let mut all: Vec<&Citation> = self.citations.values().collect();
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// A citation.
    #[must_use]
    pub fn citation(&self, key: &str) -> Option<&Citation> {
        self.citations.get(key)
    }

    /// A requirement.
    #[must_use]
    pub fn requirement(&self, name: &str) -> Option<&Requirement> {
        self.requirements.get(name)
    }
}
