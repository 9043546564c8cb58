//! Reading a file of rules.

use super::condition_reader::read_condition;
use super::{Cell, Fields, NotCovered, Rule, RuleError, RuleId, Severity, read_document};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Digits of a rule's hash that reports show.
const HASH_DIGITS: usize = 16;

/// One file of rules: an area.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFile {
    /// Name of the area.
    pub area: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// Reads one file of rules.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_rules(file: &str, text: &str) -> Result<RuleFile, RuleError> {
    let document = read_document(file, text)?;
    let mut fields = Fields::of(file, &document)?;
    fields.version(1)?;
    let area = fields.text("area")?;
    let title = fields.text("title")?;
    let rules = fields.items("rules", |fields| rule(fields, &area))?;
    fields.end()?;
    Ok(RuleFile { area, title, rules })
}

fn rule(mut fields: Fields<'_>, area: &str) -> Result<Rule, RuleError> {
    let id = fields.text("id")?;
    let mut rule = Rule {
        id: RuleId::parse(&id).ok_or_else(|| fields.fault("id has to be letters, a dash and digits"))?,
        area: area.into(),
        title: fields.text("title")?,
        severity: fields.word("severity", &Severity::ALL, Severity::word)?,
        requirements: fields.texts("requirements")?,
        consequence: fields.optional_text("consequence")?,
        note: fields.optional_text("note")?,
        cells: fields.items("cells", cell)?,
        not_covered: if fields.has("not_covered") { fields.items("not_covered", not_covered)? } else { Vec::new() },
        hash: Box::default(),
    };
    fields.end()?;
    rule.hash = hash(&rule);
    Ok(rule)
}

fn cell(mut fields: Fields<'_>) -> Result<Cell, RuleError> {
    let file = fields.file();
    let applies = fields.take("applies").map(|node| read_condition(file, node)).transpose()?;
    let check = fields.need("check")?;
    let cell = Cell {
        types: fields.texts("types")?,
        aspect: fields.optional_text("aspect")?,
        requirements: fields.optional_texts("requirements")?,
        judges_removed: fields.optional_flag("removed")?.unwrap_or(false),
        expected: fields.text("expected")?,
        applies,
        check: read_condition(file, check)?,
        fix: fields.optional_text("fix")?,
    };
    fields.end()?;
    Ok(cell)
}

fn not_covered(mut fields: Fields<'_>) -> Result<NotCovered, RuleError> {
    let not_covered = NotCovered { place: fields.text("where")?, because: fields.text("because")? };
    fields.end()?;
    Ok(not_covered)
}

/// The rule as it was read, in one text, hashed. Space and order of keys in the file do not count.
fn hash(rule: &Rule) -> Box<str> {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write!(text, "{rule:?}");
    let mut digits = String::with_capacity(HASH_DIGITS);
    for byte in Sha256::digest(text.as_bytes()).iter().take(HASH_DIGITS / 2) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits.into()
}
