//! Reading the files of `policies/law` and `policies/requirements.yaml`.

use super::{Citation, Cited, ParagraphHash, Relation, Requirement, Strength};
use crate::rules::{Fields, RuleError, read_document};
use crate::yaml::YamlNode;

/// Reads one instrument of `policies/law`.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_instrument(file: &str, text: &str) -> Result<Vec<Citation>, RuleError> {
    instrument_of(file, &read_document(file, text)?)
}

/// As [`read_instrument`], from nodes.
pub(crate) fn instrument_of(file: &str, document: &YamlNode) -> Result<Vec<Citation>, RuleError> {
    let mut fields = Fields::of(file, document)?;
    fields.version(1)?;
    fields.text("instrument")?;
    fields.text("name")?;
    let citations = fields.items("citations", citation)?;
    fields.end()?;
    Ok(citations)
}

fn citation(mut fields: Fields<'_>) -> Result<Citation, RuleError> {
    let strength = fields.word(
        "strength",
        &[Strength::Standard, Strength::Required, Strength::Addressable, Strength::Proposed],
        |strength| strength.word(),
    )?;
    let hash = fields.text("text_sha256")?;
    let paragraph = if &*hash == "none" {
        ParagraphHash::None(fields.text("not_checked_because")?)
    } else if hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        ParagraphHash::Sha256(hash)
    } else {
        return Err(fields.fault("text_sha256 is 64 digits in lower-case hexadecimal, or none"));
    };
    let citation = Citation {
        key: fields.text("key")?,
        cite: fields.text("cite")?,
        title: fields.text("title")?,
        summary: fields.text("summary")?,
        strength,
        effective: fields.date("effective")?,
        source: fields.text("source")?,
        paragraph,
        verified: if fields.is_false("verified") { None } else { Some(fields.date("verified")?) },
    };
    fields.end()?;
    Ok(citation)
}

/// Reads `policies/requirements.yaml`.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_requirements(file: &str, text: &str) -> Result<Vec<Requirement>, RuleError> {
    requirements_of(file, &read_document(file, text)?)
}

/// As [`read_requirements`], from nodes.
pub(crate) fn requirements_of(file: &str, document: &YamlNode) -> Result<Vec<Requirement>, RuleError> {
    let mut fields = Fields::of(file, document)?;
    fields.version(1)?;
    let requirements = fields.items("requirements", requirement)?;
    fields.end()?;
    Ok(requirements)
}

fn requirement(mut fields: Fields<'_>) -> Result<Requirement, RuleError> {
    let requirement = Requirement {
        name: fields.text("name")?,
        title: fields.text("title")?,
        consequence: fields.text("consequence")?,
        citations: fields.items("citations", |mut fields| {
            let cited = Cited {
                key: fields.text("citation")?,
                relation: fields.word(
                    "relation",
                    &[Relation::Implements, Relation::Supports, Relation::EvidencesPartially],
                    |relation| relation.word(),
                )?,
                rationale: fields.text("rationale")?,
            };
            fields.end()?;
            Ok(cited)
        })?,
    };
    fields.end()?;
    Ok(requirement)
}
