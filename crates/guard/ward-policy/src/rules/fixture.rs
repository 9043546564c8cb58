//! Fixtures of rules: small infrastructures in YAML, and the verdict that each resource has to get.
//!
//! ```yaml
//! version: 1
//! area: databases
//! fixtures:
//!   - rule: W-001
//!     cases:
//!       - pass: {aws_db_instance.a: {storage_encrypted: true}}
//!         fail: {aws_db_instance.b: {}}
//!         indeterminate: {aws_db_instance.c: {storage_encrypted: !unknown}}
//!         beside: {aws_kms_key.k: {}}
//! ```
//!
//! The resources of one case make one graph. `!unknown` is a value that nobody knows, `!ref ADDRESS`
//! one that another resource of the case will have, `!either [A, B]` one of several, `!sensitive V` a
//! secret one. What stands under `beside` is there and not asked for.

use super::{Fields, RuleError, RuleId, read_document};
use crate::graph::{
    Action, Attribute, Block, BlockReference, Expression, Format, Graph, ModulePath, Reason, Reference,
    References, Referent, ReferredKey, Resource, Role, Sensitive, Unknown, split_address,
};
use crate::verdict::Verdict;
use crate::yaml::{YamlNode, YamlValue};

/// Verdicts that a fixture may expect.
const EXPECTED: [Verdict; 5] =
    [Verdict::Pass, Verdict::Fail, Verdict::Indeterminate, Verdict::Error, Verdict::NotApplicable];

/// The cases of one rule.
#[derive(Debug)]
pub struct Fixture {
    /// The rule.
    pub rule: RuleId,
    /// Its cases.
    pub cases: Vec<FixtureCase>,
}

/// One small infrastructure.
#[derive(Debug)]
pub struct FixtureCase {
    /// Where it stands: file and line.
    pub place: String,
    /// The infrastructure.
    pub graph: Graph,
    /// Addresses, and the verdict that the rule has to give them.
    pub expected: Vec<(Box<str>, Verdict)>,
}

/// Reads one file of fixtures.
///
/// # Errors
/// [`RuleError`] with the file and the line.
pub fn read_fixtures(file: &str, text: &str) -> Result<Vec<Fixture>, RuleError> {
    let document = read_document(file, text)?;
    let mut fields = Fields::of(file, &document)?;
    fields.version(1)?;
    fields.text("area")?;
    let fixtures = fields.items("fixtures", fixture)?;
    fields.end()?;
    Ok(fixtures)
}

fn fixture(mut fields: Fields<'_>) -> Result<Fixture, RuleError> {
    let id = fields.text("rule")?;
    let rule = RuleId::parse(&id).ok_or_else(|| fields.fault("rule has to be an id"))?;
    let cases = fields.items("cases", case)?;
    fields.end()?;
    Ok(Fixture { rule, cases })
}

fn case(mut fields: Fields<'_>) -> Result<FixtureCase, RuleError> {
    let mut resources = Vec::new();
    let mut expected = Vec::new();
    for verdict in EXPECTED {
        for resource in section(&mut fields, verdict.word())? {
            expected.push((resource.address.clone(), verdict));
            resources.push(resource);
        }
    }
    resources.extend(section(&mut fields, "beside")?);
    let place = fields.place();
    let graph = Graph::new(Format::TerraformPlan, resources, Vec::new())
        .map_err(|error| fields.fault(&error.to_string()))?;
    fields.end()?;
    Ok(FixtureCase { place, graph, expected })
}

/// Resources by their addresses.
fn section(fields: &mut Fields<'_>, name: &str) -> Result<Vec<Resource>, RuleError> {
    let Some(node) = fields.take(name) else { return Ok(Vec::new()) };
    let entries = node.as_entries().ok_or_else(|| fields.fault(&format!("{name} has to be a mapping")))?;
    let read = |(address, values): &(YamlNode, YamlNode)| {
        let address = address.as_text().unwrap_or_default();
        resource(address, values)
            .ok_or_else(|| fields.fault(&format!("{address:?} is no resource with values")))
    };
    entries.iter().map(read).collect()
}

fn resource(address: &str, values: &YamlNode) -> Option<Resource> {
    let data_address = address.strip_prefix("data.");
    let (kind, name) = data_address.unwrap_or(address).rsplit_once('.')?;
    let mut resource = Resource::new(address, kind, name);
    if data_address.is_some() {
        resource.role = Role::Data;
        resource.action = Action::Read;
    }
    let mut expressions = Vec::new();
    match value(values, "", &mut expressions)? {
        Attribute::Block(block) => resource.attributes = block,
        _ => return None,
    }
    resource.expressions = expressions;
    Some(resource)
}

/// One value, and the expressions met in it.
fn value(node: &YamlNode, path: &str, expressions: &mut Vec<Expression>) -> Option<Attribute> {
    match node.tag.as_deref() {
        None => plain(node, path, expressions),
        Some("!unknown") => Some(unknown(Reason::Expression, References::default())),
        Some("!sensitive") => {
            plain(node, path, expressions).map(|value| Attribute::Sensitive(Sensitive::new(value)))
        }
        Some("!either") => {
            let branches = node.as_items()?.iter().map(YamlNode::scalar).collect::<Option<Vec<_>>>()?;
            Some(Attribute::Unknown(Box::new(Unknown::one_of(Reason::Expression, branches))))
        }
        Some("!ref") => {
            let references: References = vec![reference(node.as_text()?)?].into();
            expressions.push(Expression { path: path.into(), references: References::clone(&references) });
            Some(unknown(Reason::AfterApply, references))
        }
        Some(_) => None,
    }
}

fn plain(node: &YamlNode, path: &str, expressions: &mut Vec<Expression>) -> Option<Attribute> {
    match &node.value {
        YamlValue::Scalar { .. } => node.scalar(),
        YamlValue::Sequence(items) => items
            .iter()
            .map(|item| value(item, path, expressions))
            .collect::<Option<Vec<_>>>()
            .map(Attribute::list),
        YamlValue::Mapping(entries) => {
            let mut named = Vec::with_capacity(entries.len());
            for (key, inner) in entries {
                let name = key.as_text()?;
                let inner_path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                named.push((name.into(), value(inner, &inner_path, expressions)?));
            }
            Block::new(named).ok().map(Attribute::Block)
        }
    }
}

fn unknown(reason: Reason, references: References) -> Attribute {
    Attribute::Unknown(Box::new(Unknown::new(reason, references)))
}

fn reference(written: &str) -> Option<Reference> {
    let is_data = written.starts_with("data.");
    let parts = split_address(written.strip_prefix("data.").unwrap_or(written))?;
    let [kind, name, rest @ ..] = parts.as_slice() else { return None };
    let attribute: Vec<&str> = rest.iter().map(|part| part.name).collect();
    let to = Referent::Block(BlockReference {
        module: ModulePath::root(),
        is_data,
        kind: kind.name.into(),
        name: name.name.into(),
        key: name.key.clone().map_or(ReferredKey::NotGiven, ReferredKey::Given),
        attribute: attribute.join(".").into(),
    });
    Some(Reference { written: written.into(), to })
}
