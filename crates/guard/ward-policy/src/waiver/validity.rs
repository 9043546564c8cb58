//! When a waiver counts.

use super::{SignatureCheck, SignerRole, Waiver, WaiverSignature, WaiverSigner, is_same_person};
use crate::day::Day;
use crate::finding::Finding;
use crate::law::{Relation, Strength};
use crate::limits::MAX_WAIVER_DAYS;
use crate::rules::{Cell, Rule, RuleSet, Severity};
use crate::settings::Settings;

/// Why a waiver does not count. Its author has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaiverVoid {
    /// Its last day has passed.
    #[error("it expired on {0}")]
    Expired(Day),
    /// It was written on a day that has not come.
    #[error("it was written on {0}, which has not come yet")]
    NotYet(Day),
    /// It would count longer than a waiver may.
    #[error("it would count for {0} days; a waiver counts for {MAX_WAIVER_DAYS} at most")]
    TooLong(i64),
    /// It counts for another stage, or the settings name none.
    #[error("it counts for the stage {0}, and the settings are not of that stage")]
    OtherStage(Box<str>),
    /// What was waived is not what is there.
    #[error("it is bound to another value, verdict or version of the rule")]
    OtherValue,
    /// No rule has its id and its part.
    #[error("no rule has this id and this part")]
    UnknownRule,
    /// The finding can't be waived.
    #[error("this finding can't be waived: what it rests on is secret, or was not evaluated")]
    NotWaivable,
    /// Nobody signed as the author, or several did.
    #[error("it needs exactly one author's signature")]
    NoAuthor,
    /// A key that the settings do not name, or that belongs to somebody else there.
    #[error("the settings name no signer {0} with this key")]
    UnknownSigner(Box<str>),
    /// A signature that does not fit.
    #[error("the signature of {0} does not fit: something was changed after it was signed")]
    BadSignature(Box<str>),
    /// Somebody approves what they wrote, or approves it twice.
    #[error("{0} can't approve it: whoever approves is neither its author nor another approver")]
    OwnApproval(Box<str>),
    /// Too few people approved it.
    #[error("it has {have} of {need} approvals")]
    TooFewApprovals {
        /// How many there are.
        have: usize,
        /// How many there have to be.
        need: usize,
    },
    /// An addressable specification is waived without saying what stands in its place.
    #[error("it does not say what stands in place of an addressable specification (alternative)")]
    NoAlternative,
}

/// What a waiver of a finding needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// How many people have to approve it.
    pub approvals: usize,
    /// Whether it has to say what stands in place of the measure.
    pub alternative: bool,
}

/// What a waiver of a finding needs: two approvals where the harm is critical or a paragraph that binds as it
/// stands is not done, and an alternative measure where a specification is addressable.
#[must_use]
pub fn demand_of(finding: &Finding<'_>, rules: &RuleSet) -> Demand {
    demand(finding.rule, finding.cell, rules)
}

fn demand(rule: &Rule, cell: &Cell, rules: &RuleSet) -> Demand {
    let cited = rules.citations_of(rule, cell);
    let is_bound = cited.iter().any(|(cited, citation)| {
        cited.relation == Relation::Implements
            && matches!(citation.strength, Strength::Standard | Strength::Required)
    });
    let is_grave = rule.severity == Severity::Critical || is_bound;
    Demand {
        approvals: if is_grave { 2 } else { 1 },
        alternative: cited.iter().any(|(_, citation)| citation.strength == Strength::Addressable),
    }
}

/// Whether a waiver has all that any finding of its rule and part may need.
///
/// # Errors
/// [`WaiverVoid`] with what it has not.
pub fn approved_for_any(waiver: &Waiver, rules: &RuleSet) -> Result<(), WaiverVoid> {
    let rule = rules.rule(waiver.rule.as_str()).ok_or(WaiverVoid::UnknownRule)?;
    let mut parts = rule.cells.iter().filter(|cell| cell.aspect == waiver.aspect).peekable();
    if parts.peek().is_none() {
        return Err(WaiverVoid::UnknownRule);
    }
    parts.try_for_each(|cell| approved(waiver, demand(rule, cell, rules)))
}

/// Whether a waiver is of the stage of these settings, signed as it has to be by people whom they name, and
/// counts on a day; what it waives is not looked at.
///
/// # Errors
/// [`WaiverVoid`] with the first reason why not.
pub fn signed_well(
    waiver: &Waiver,
    settings: &Settings,
    today: Day,
    signatures: &dyn SignatureCheck,
) -> Result<(), WaiverVoid> {
    if settings.stage() != Some(&*waiver.stage) {
        return Err(WaiverVoid::OtherStage(waiver.stage.clone()));
    }
    let days = waiver.expires.days_since(waiver.written);
    if days > MAX_WAIVER_DAYS {
        return Err(WaiverVoid::TooLong(days));
    }
    if today < waiver.written {
        return Err(WaiverVoid::NotYet(waiver.written));
    }
    if today > waiver.expires {
        return Err(WaiverVoid::Expired(waiver.expires));
    }
    let mut authors = waiver.signed_as(SignerRole::Author);
    let (Some(author), None) = (authors.next(), authors.next()) else { return Err(WaiverVoid::NoAuthor) };
    let mut known: Vec<&WaiverSignature> = Vec::new();
    for one in std::iter::once(author).chain(waiver.signed_as(SignerRole::Approver)) {
        let is_signer =
            |signer: &WaiverSigner| signer.key == one.key && is_same_person(&signer.name, &one.name);
        if !settings.waiver_signers().iter().any(is_signer) {
            return Err(WaiverVoid::UnknownSigner(one.name.clone()));
        }
        if !signatures.holds(&one.key, &waiver.digest(one.role, &one.name, &one.key), &one.signature) {
            return Err(WaiverVoid::BadSignature(one.name.clone()));
        }
        if known.iter().any(|before| before.key == one.key || is_same_person(&before.name, &one.name)) {
            return Err(WaiverVoid::OwnApproval(one.name.clone()));
        }
        known.push(one);
    }
    Ok(())
}

/// Whether a waiver has what its finding needs.
pub(super) fn approved(waiver: &Waiver, demand: Demand) -> Result<(), WaiverVoid> {
    let have = waiver.signed_as(SignerRole::Approver).count();
    if have < demand.approvals {
        return Err(WaiverVoid::TooFewApprovals { have, need: demand.approvals });
    }
    if demand.alternative && waiver.alternative.is_none() {
        return Err(WaiverVoid::NoAlternative);
    }
    Ok(())
}
