//! Waivers: somebody answers, for a while, for one finding that stays as it is.
//!
//! A waiver names one rule and one resource, and is bound to what was seen and to everything the resource says:
//! another value, another verdict or another version of the rule, and it is void. Its author and its
//! approvers sign it; who may sign stands in the settings of the organisation. It ends after 90 days at most.
//! What an addressable specification asks for is waived only with a word on what stands in its place, which is
//! stricter than 45 CFR 164.306(d)(3)(ii)(B).
//!
//! This module knows no signature scheme: whoever calls checks signatures ([`SignatureCheck`]).

mod apply;
mod asked_paths;
mod binding;
mod document;
mod signed;
mod validity;

pub use apply::{NamedWaiver, WaiverCheck, apply_waivers};
pub(crate) use asked_paths::asks_about_secrets;
pub use binding::binding_of;
pub(crate) use document::hexadecimal;
pub use document::{read_waiver, write_waiver};
pub use validity::{Demand, WaiverVoid, approved_for_any, demand_of, signed_well};

use crate::day::Day;
use crate::rules::RuleId;

/// What part somebody who signs plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignerRole {
    /// Wrote the waiver.
    Author,
    /// Answers for it, and did not write it.
    Approver,
}

impl SignerRole {
    /// Both, in the order in which they sign.
    pub const ALL: [Self; 2] = [Self::Author, Self::Approver];

    /// Its word in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Approver => "approver",
        }
    }
}

/// A signature under a waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverSignature {
    /// What part its maker plays.
    pub role: SignerRole,
    /// Who that is.
    pub name: Box<str>,
    /// The public key.
    pub key: [u8; 32],
    /// The signature over the digest of the words, the part, the name and the key.
    pub signature: [u8; 64],
}

/// Somebody who may sign waivers, as the organisation decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverSigner {
    /// Who that is.
    pub name: Box<str>,
    /// The public key.
    pub key: [u8; 32],
}

/// A waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The rule.
    pub rule: RuleId,
    /// The part of the rule, if it has several.
    pub aspect: Option<Box<str>>,
    /// The exact address of the resource.
    pub resource: Box<str>,
    /// The stage it counts for, as the settings name theirs.
    pub stage: Box<str>,
    /// What it is bound to: see [`binding_of`].
    pub binds: [u8; 32],
    /// What was seen, for those who read it.
    pub observed: Vec<Box<str>>,
    /// Why the finding stays for now.
    pub reason: Box<str>,
    /// What stands in place of the measure that is missing.
    pub alternative: Option<Box<str>>,
    /// Where it is followed up.
    pub ticket: Option<Box<str>>,
    /// When it was written.
    pub written: Day,
    /// The last day on which it counts.
    pub expires: Day,
    /// Who signed it.
    pub signatures: Vec<WaiverSignature>,
}

impl Waiver {
    /// Who signed in this part.
    pub fn signed_as(&self, role: SignerRole) -> impl Iterator<Item = &WaiverSignature> {
        self.signatures.iter().filter(move |signature| signature.role == role)
    }
}

/// Checks signatures, with whatever scheme the caller has.
pub trait SignatureCheck {
    /// Whether this key signed this digest as a waiver.
    fn holds(&self, key: &[u8; 32], digest: &[u8; 32], signature: &[u8; 64]) -> bool;
}

/// Two names are of one person if they differ in case, spaces and punctuation only.
#[must_use]
pub fn is_same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        name.chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    plain(one) == plain(other)
}
