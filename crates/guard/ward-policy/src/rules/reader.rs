//! Reading a file of rules.

use super::condition_reader::read_condition;
use super::{Cell, Fields, NotCovered, Rule, RuleError, RuleId, Severity, read_document};
use crate::yaml::{YamlNode, YamlValue};
use sha2::{Digest as _, Sha256};

/// Bytes of a rule's hash that reports show.
const HASH_BYTES: usize = 8;

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
    rules_of(file, &read_document(file, text)?)
}

/// As [`read_rules`], from nodes.
pub(crate) fn rules_of(file: &str, document: &YamlNode) -> Result<RuleFile, RuleError> {
    let mut fields = Fields::of(file, document)?;
    fields.version(1)?;
    let area = fields.text("area")?;
    let title = fields.text("title")?;
    let rules = fields.items("rules", |fields| rule(fields, &area))?;
    fields.end()?;
    Ok(RuleFile { area, title, rules })
}

fn rule(mut fields: Fields<'_>, area: &str) -> Result<Rule, RuleError> {
    let id = fields.text("id")?;
    let digest = digest(fields.node());
    let rule = Rule {
        id: RuleId::parse(&id).ok_or_else(|| fields.fault("id has to be letters, a dash and digits"))?,
        area: area.into(),
        title: fields.text("title")?,
        severity: fields.word("severity", &Severity::ALL, Severity::word)?,
        requirements: fields.texts("requirements")?,
        consequence: fields.optional_text("consequence")?,
        note: fields.optional_text("note")?,
        cells: fields.items("cells", cell)?,
        not_covered: if fields.has("not_covered") {
            fields.items("not_covered", not_covered)?
        } else {
            Vec::new()
        },
        place: fields.place().into(),
        hash: ward_id::hex_encode(digest.get(..HASH_BYTES).unwrap_or_default()).into(),
        digest,
    };
    fields.end()?;
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

/// The rule as it was read, without its lines, hashed. Space, comments and quotes in the file do not count.
fn digest(node: &YamlNode) -> [u8; 32] {
    let mut hasher = Sha256::new();
    feed(node, &mut hasher);
    hasher.finalize().into()
}

/// Each value with its kind and length before it, so that no two trees give the same bytes.
fn feed(node: &YamlNode, hasher: &mut Sha256) {
    match &node.value {
        YamlValue::Scalar { text, .. } => {
            // `true` and `"true"` are different values.
            hasher.update([b's', u8::from(node.says_text())]);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        YamlValue::Sequence(items) => {
            hasher.update(*b"l");
            hasher.update((items.len() as u64).to_be_bytes());
            items.iter().for_each(|item| feed(item, hasher));
        }
        YamlValue::Mapping(entries) => {
            hasher.update(*b"m");
            hasher.update((entries.len() as u64).to_be_bytes());
            for (key, value) in entries {
                feed(key, hasher);
                feed(value, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    #[test]
    fn a_hash_tells_what_is_asked_and_not_how_it_is_written() {
        let of = |text: &str| digest(&read_yaml(text).unwrap()[0]);
        let one = of("{path: a, equals: true}");
        assert_eq!(one, of("# a comment\npath: 'a'\nequals:   true\n"));
        assert_ne!(one, of("{path: a, equals: 'true'}"));
        assert_ne!(one, of("{path: a, equals: false}"));
        assert_ne!(of("[[a], b]"), of("[[a, b]]"));
    }
}
