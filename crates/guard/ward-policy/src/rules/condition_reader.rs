//! Conditions from YAML: each mapping is exactly one condition.

use super::addresses::read_addresses;
use super::change::{is_change, read_change};
use super::condition::{CidrTest, Companion, Condition, Over, PolicyQuestion, Present, Target, Test};
use super::decided::{is_decided, read_decided};
use super::ports::read_ports;
use super::secret::read_secret;
use super::{Fields, RuleError};
use crate::graph::{Attribute, AttributePath};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::yaml::YamlNode;

const OVERS: [Over; 3] = [Over::Every, Over::Some, Over::None];
const QUESTIONS: [PolicyQuestion; 6] = [
    PolicyQuestion::NoPublicPrincipal,
    PolicyQuestion::TlsRequired,
    PolicyQuestion::NoFullAccess,
    PolicyQuestion::NoOpenTrust,
    PolicyQuestion::TrustsPeople,
    PolicyQuestion::SecondFactor,
];
const CIDR_TESTS: [CidrTest; 3] = [CidrTest::Private, CidrTest::NotEverywhere, CidrTest::Everywhere];

/// Reads one condition.
pub(super) fn read_condition(file: &str, node: &YamlNode) -> Result<Condition, RuleError> {
    read_nested(file, node, 0)
}

fn read_nested(file: &str, node: &YamlNode, depth: usize) -> Result<Condition, RuleError> {
    let mut fields = Fields::of(file, node)?;
    if depth >= MAX_CONDITION_DEPTH {
        return Err(fields.fault(&format!("conditions nest at most {MAX_CONDITION_DEPTH} deep")));
    }
    let condition = match () {
        () if fields.has("all") => Condition::All(several(&mut fields, "all", depth)?),
        () if fields.has("any") => Condition::Any(several(&mut fields, "any", depth)?),
        () if fields.has("none") => Condition::NoOne(several(&mut fields, "none", depth)?),
        () if is_decided(&fields) => Condition::Decided(read_decided(&mut fields)?),
        () if fields.has("path") => Condition::Test {
            path: path(&mut fields, "path")?,
            over: over_values(&mut fields)?,
            test: test(&mut fields)?,
        },
        () if fields.has("blocks") => blocks(&mut fields, depth)?,
        () if fields.has("document") => {
            Condition::Document { path: path(&mut fields, "document")?, of: needed(&mut fields, depth)? }
        }
        () if fields.has("policy") => Condition::Policy {
            path: path(&mut fields, "policy")?,
            asks: fields.word("asks", &QUESTIONS, question_word)?,
        },
        () if fields.has("companion") => companion(&mut fields, depth)?,
        () if fields.has("target") => target(&mut fields, depth)?,
        () if fields.has("present") => present(&mut fields, depth)?,
        () if fields.has("ports") => {
            let node = fields.need("ports")?;
            Condition::Ports(read_ports(Fields::of(file, node)?)?)
        }
        () if fields.has("addresses") => {
            let node = fields.need("addresses")?;
            Condition::Addresses(read_addresses(Fields::of(file, node)?)?)
        }
        () if fields.has("secret") => Condition::Secret(read_secret(&mut fields)?),
        () if is_change(&fields) => Condition::Change(read_change(&mut fields)?),
        () => return Err(fields.fault("this is no condition")),
    };
    fields.end()?;
    Ok(condition)
}

fn several(fields: &mut Fields<'_>, name: &str, depth: usize) -> Result<Vec<Condition>, RuleError> {
    let node = fields.need(name)?;
    let items = node.as_items().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| fields.fault(&format!("{name} has to be a list of conditions")))?;
    items.iter().map(|item| read_nested(fields.file(), item, depth + 1)).collect()
}

fn needed(fields: &mut Fields<'_>, depth: usize) -> Result<Box<Condition>, RuleError> {
    let node = fields.need("where")?;
    read_nested(fields.file(), node, depth + 1).map(Box::new)
}

fn optional(fields: &mut Fields<'_>, depth: usize) -> Result<Option<Box<Condition>>, RuleError> {
    let node = fields.take("where");
    node.map(|node| read_nested(fields.file(), node, depth + 1).map(Box::new)).transpose()
}

fn blocks(fields: &mut Fields<'_>, depth: usize) -> Result<Condition, RuleError> {
    let path = path(fields, "blocks")?;
    let over = over(fields, Over::Every)?;
    // "Some block" is not met by none; "every" and "no" are.
    let empty = fields.optional_flag("empty")?.unwrap_or(over != Over::Some);
    Ok(Condition::Blocks { path, over, empty, of: needed(fields, depth)? })
}

fn companion(fields: &mut Fields<'_>, depth: usize) -> Result<Condition, RuleError> {
    let node = fields.need("companion")?;
    let mut inner = Fields::of(fields.file(), node)?;
    let companion = Companion {
        types: inner.texts("types")?,
        by: path(&mut inner, "by")?,
        own: own(&mut inner)?,
        over: over(&mut inner, Over::Some)?,
        is_sure: inner.optional_flag("sure")?.unwrap_or(false),
        of: optional(&mut inner, depth)?,
    };
    inner.end()?;
    Ok(Condition::Companion(companion))
}

fn target(fields: &mut Fields<'_>, depth: usize) -> Result<Condition, RuleError> {
    let node = fields.need("target")?;
    let mut inner = Fields::of(fields.file(), node)?;
    let target = Target {
        path: path(&mut inner, "path")?,
        types: inner.texts("types")?,
        own: own(&mut inner)?,
        of: optional(&mut inner, depth)?,
    };
    inner.end()?;
    Ok(Condition::Target(target))
}

fn present(fields: &mut Fields<'_>, depth: usize) -> Result<Condition, RuleError> {
    let node = fields.need("present")?;
    let mut inner = Fields::of(fields.file(), node)?;
    let present = Present {
        types: inner.texts("types")?,
        is_owed: inner.optional_flag("owed")?.unwrap_or(false),
        of: optional(&mut inner, depth)?,
    };
    inner.end()?;
    Ok(Condition::Present(present))
}

/// Attributes that a pointing one may name: the id, unless others are given.
fn own(fields: &mut Fields<'_>) -> Result<Vec<AttributePath>, RuleError> {
    let names = fields.optional_texts("own")?;
    if names.is_empty() {
        return Ok(vec![AttributePath::of("id")]);
    }
    Ok(names.iter().map(|name| AttributePath::of(name)).collect())
}

/// A path with dots, or as a list of names that may hold dots.
pub(super) fn path(fields: &mut Fields<'_>, name: &str) -> Result<AttributePath, RuleError> {
    let node = fields.need(name)?;
    let path = match node.as_items() {
        Some(items) => items
            .iter()
            .map(|item| item.as_text().map(Into::into))
            .collect::<Option<Vec<_>>>()
            .map(AttributePath::of_names),
        None => node.as_text().map(AttributePath::of),
    };
    path.filter(|path| !path.is_empty()).ok_or_else(|| fields.fault(&format!("{name} has to be a path")))
}

fn over(fields: &mut Fields<'_>, usual: Over) -> Result<Over, RuleError> {
    if !fields.has("over") {
        return Ok(usual);
    }
    let word = |over| match over {
        Over::Every => "every",
        Over::Some => "some",
        Over::None => "none",
    };
    fields.word("over", &OVERS, word)
}

/// "Not a single value" would turn "not set" into a pass: each test has its opposite for that.
fn over_values(fields: &mut Fields<'_>) -> Result<Over, RuleError> {
    match over(fields, Over::Every)? {
        Over::None => Err(fields.fault("a test is over every value or some: take the opposite test")),
        other => Ok(other),
    }
}

const fn question_word(question: PolicyQuestion) -> &'static str {
    match question {
        PolicyQuestion::NoPublicPrincipal => "no-public-principal",
        PolicyQuestion::TlsRequired => "tls-required",
        PolicyQuestion::NoFullAccess => "no-full-access",
        PolicyQuestion::NoOpenTrust => "no-open-trust",
        PolicyQuestion::TrustsPeople => "trusts-people",
        PolicyQuestion::SecondFactor => "second-factor",
    }
}

const fn cidr_word(test: CidrTest) -> &'static str {
    match test {
        CidrTest::Private => "private",
        CidrTest::NotEverywhere => "not-everywhere",
        CidrTest::Everywhere => "everywhere",
    }
}

/// The one test that stands beside a path.
fn test(fields: &mut Fields<'_>) -> Result<Test, RuleError> {
    let names = [
        "set",
        "own_key",
        "equals",
        "not_equals",
        "in",
        "not_in",
        "at_least",
        "at_most",
        "contains",
        "not_contains",
        "starts_with",
        "not_starts_with",
        "ends_with",
        "not_ends_with",
        "has_part",
        "not_has_part",
        "refers_to",
        "cidr",
    ];
    let mut given = names.into_iter().filter(|name| fields.has(name));
    let (Some(name), None) = (given.next(), given.next()) else {
        return Err(fields.fault(&format!("a path has exactly one test of: {}", names.join(", "))));
    };
    Ok(match name {
        "set" if fields.optional_flag("set")? == Some(true) => Test::Set,
        "set" => Test::Unset,
        "own_key" if fields.optional_flag("own_key")? == Some(true) => Test::OwnKey,
        "own_key" => return Err(fields.fault("own_key can only be true")),
        "equals" => Test::Equals(literal(fields, name)?),
        "not_equals" => Test::NotEquals(literal(fields, name)?),
        "in" => Test::In(literals(fields, name)?),
        "not_in" => Test::NotIn(literals(fields, name)?),
        "at_least" => Test::AtLeast(number(fields, name)?),
        "at_most" => Test::AtMost(number(fields, name)?),
        "contains" => Test::Contains(literal(fields, name)?),
        "not_contains" => Test::NotContains(literal(fields, name)?),
        "starts_with" => Test::StartsWith(fields.text(name)?),
        "not_starts_with" => Test::NotStartsWith(fields.text(name)?),
        "ends_with" => Test::EndsWith(fields.text(name)?),
        "not_ends_with" => Test::NotEndsWith(fields.text(name)?),
        "refers_to" => Test::RefersTo(fields.texts(name)?),
        "has_part" => Test::HasPart(fields.text(name)?),
        "not_has_part" => Test::NotHasPart(fields.text(name)?),
        _ => Test::Cidr(fields.word("cidr", &CIDR_TESTS, cidr_word)?),
    })
}

fn literal(fields: &mut Fields<'_>, name: &str) -> Result<Attribute, RuleError> {
    let node = fields.need(name)?;
    scalar(node).ok_or_else(|| fields.fault(&format!("{name} has to be a text, a number, true or false")))
}

fn literals(fields: &mut Fields<'_>, name: &str) -> Result<Vec<Attribute>, RuleError> {
    let node = fields.need(name)?;
    let items = node.as_items().filter(|items| !items.is_empty());
    let values = items.and_then(|items| items.iter().map(scalar).collect());
    values.ok_or_else(|| fields.fault(&format!("{name} has to be a list of texts, numbers, true or false")))
}

/// A scalar that is not null: what is not set is asked with `set`.
fn scalar(node: &YamlNode) -> Option<Attribute> {
    node.scalar().filter(|value| *value != Attribute::Null)
}

fn number(fields: &mut Fields<'_>, name: &str) -> Result<f64, RuleError> {
    match literal(fields, name)? {
        Attribute::Number(number) => Ok(number),
        _ => Err(fields.fault(&format!("{name} has to be a number"))),
    }
}
