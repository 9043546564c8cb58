//! Access policies of AWS: the statements of a document, and the questions that rules ask.
//!
//! Where a statement is not wholly known, the answer is that nobody knows.

use super::policy_values::Values;
use super::trust;
use super::truth::Truth;
use crate::graph::{Attribute, Block};
use crate::rules::{CidrTest, PolicyQuestion};

/// Condition keys that tie a statement to named callers, when their value is fixed.
const RESTRICTING_KEYS: [&str; 15] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "kms:calleraccount",
];

/// The part of an ARN that holds the account, counted from 0.
const ARN_ACCOUNT: usize = 4;

/// Operators under which a value restricts; the negated ones let everybody else in.
const RESTRICTING_OPERATORS: [&str; 8] = [
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "arnequals",
    "arnlike",
    "ipaddress",
    "numericequals",
    "bool",
];

/// One statement, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) principals: Values,
    /// Everybody but these.
    pub(super) is_not_principal: bool,
    pub(super) actions: Values,
    pub(super) is_not_action: bool,
    resources: Values,
    is_not_resource: bool,
    pub(super) conditions: Vec<Clause>,
    /// Something in it is not known, or not understood.
    pub(super) is_unclear: bool,
}

/// One clause of a statement's condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    pub(super) operator: Box<str>,
    pub(super) key: Box<str>,
    pub(super) values: Values,
}

/// Answers a question about a document: JSON that was read, or the statements of a data source.
pub(super) fn answer(document: &Attribute, asks: PolicyQuestion) -> Truth {
    let Some(statements) = statements(document) else { return Truth::Broken };
    let truths = statements.iter().map(|statement| match asks {
        PolicyQuestion::NoPublicPrincipal => is_not_public(statement),
        PolicyQuestion::NoFullAccess => is_not_full(statement),
        PolicyQuestion::TlsRequired => requires_tls(statement),
        PolicyQuestion::NoOpenTrust => trust::is_named(statement),
        PolicyQuestion::TrustsPeople => trust::trusts_people(statement),
        PolicyQuestion::SecondFactor => trust::asks_second_factor(statement),
    });
    let truths: Vec<Truth> = truths.collect();
    match asks {
        PolicyQuestion::TrustsPeople => first_of(&truths, [Truth::Yes, Truth::Maybe, Truth::No], Truth::No),
        // A denial for all others is enough; without one, each permission has to ask for it.
        PolicyQuestion::SecondFactor if statements.iter().any(trust::denies_without_second_factor) => {
            Truth::Yes
        }
        PolicyQuestion::SecondFactor if !statements.iter().any(|statement| statement.allows) => Truth::No,
        // One statement that requires it is enough.
        PolicyQuestion::TlsRequired => first_of(&truths, [Truth::Yes, Truth::Maybe, Truth::No], Truth::No),
        PolicyQuestion::NoPublicPrincipal
        | PolicyQuestion::NoFullAccess
        | PolicyQuestion::NoOpenTrust
        | PolicyQuestion::SecondFactor => {
            first_of(&truths, [Truth::No, Truth::Maybe, Truth::Yes], Truth::Yes)
        }
    }
}

fn first_of(truths: &[Truth], order: [Truth; 3], none: Truth) -> Truth {
    order.into_iter().find(|truth| truths.contains(truth)).unwrap_or(none)
}

fn statements(document: &Attribute) -> Option<Vec<Statement>> {
    let Attribute::Block(document) = document else { return None };
    // A document of a data source has blocks named `statement`; JSON has `Statement`.
    match (document.get("Statement"), document.get("statement")) {
        (Some(Attribute::List(items)), _) => items.iter().map(of_json).collect(),
        (Some(one), _) => Some(vec![of_json(one)?]),
        (None, Some(Attribute::List(items))) => items.iter().map(of_blocks).collect(),
        (None, Some(one)) => Some(vec![of_blocks(one)?]),
        (None, None) => None,
    }
}

fn of_json(statement: &Attribute) -> Option<Statement> {
    let statement = match statement {
        Attribute::Block(block) => block,
        Attribute::Unknown(_) => return Some(Statement::unclear()),
        _ => return None,
    };
    let effect = Values::of(statement.get("Effect"));
    let (principals, is_not_principal) = either(statement, "Principal", "NotPrincipal");
    let (actions, is_not_action) = either(statement, "Action", "NotAction");
    let (resources, is_not_resource) = either(statement, "Resource", "NotResource");
    let mut conditions = Vec::new();
    let mut is_unclear = !effect.is_known();
    match statement.get("Condition") {
        None | Some(Attribute::Null) => {}
        Some(Attribute::Block(operators)) => {
            for (operator, keys) in operators.entries() {
                let Attribute::Block(keys) = keys else {
                    is_unclear = true;
                    continue;
                };
                conditions.extend(keys.entries().map(|(key, value)| clause(operator, key, Some(value))));
            }
        }
        Some(_) => is_unclear = true,
    }
    let allows = effect.has(|effect| effect == "Allow");
    is_unclear |= !allows && !effect.has(|effect| effect == "Deny");
    Some(Statement {
        allows,
        principals,
        is_not_principal,
        actions,
        is_not_action,
        resources,
        is_not_resource,
        conditions,
        is_unclear,
    })
}

/// A block `statement` of a data source: `effect` is Allow unless it says otherwise.
fn of_blocks(statement: &Attribute) -> Option<Statement> {
    let statement = match statement {
        Attribute::Block(block) => block,
        Attribute::Unknown(_) => return Some(Statement::unclear()),
        _ => return None,
    };
    let effect = Values::of(statement.get("effect"));
    let (principals, is_not_principal) = either_of_blocks(statement, "principals", "not_principals");
    let (actions, is_not_action) = either(statement, "actions", "not_actions");
    let (resources, is_not_resource) = either(statement, "resources", "not_resources");
    let mut conditions = Vec::new();
    let mut is_unclear = !effect.is_known();
    match statement.get("condition") {
        None | Some(Attribute::Null) => {}
        Some(Attribute::List(items)) => {
            for item in items {
                let Attribute::Block(block) = item else {
                    is_unclear = true;
                    continue;
                };
                match (block.get("test"), block.get("variable")) {
                    (Some(Attribute::Text(test)), Some(Attribute::Text(variable))) => {
                        conditions.push(clause(test, variable, block.get("values")));
                    }
                    _ => is_unclear = true,
                }
            }
        }
        Some(_) => is_unclear = true,
    }
    let allows = effect.known.is_empty() || effect.has(|effect| effect == "Allow");
    Some(Statement {
        allows,
        principals,
        is_not_principal,
        actions,
        is_not_action,
        resources,
        is_not_resource,
        conditions,
        is_unclear,
    })
}

impl Statement {
    /// Whether it is about every resource.
    pub(super) fn is_of_everything(&self) -> bool {
        !self.is_not_resource && self.resources.has(|name| name == "*")
    }

    fn unclear() -> Self {
        Self {
            allows: true,
            principals: Values::default(),
            is_not_principal: false,
            actions: Values::default(),
            is_not_action: false,
            resources: Values::default(),
            is_not_resource: false,
            conditions: Vec::new(),
            is_unclear: true,
        }
    }
}

fn either(statement: &Block, name: &str, negated: &str) -> (Values, bool) {
    let given = |name: &str| statement.get(name).filter(|value| !is_nothing(value));
    match given(negated) {
        Some(value) => (Values::of(Some(value)), true),
        None => (Values::of(statement.get(name)), false),
    }
}

/// Whether a principal is everybody, or anybody of any account.
fn is_anybody(name: &str) -> bool {
    let is_any = |part: &str| part.contains(['*', '?']);
    name == "*" || (name.starts_with("arn:") && name.split(':').nth(ARN_ACCOUNT).is_some_and(is_any))
}

/// `principals { type, identifiers }`: only the identifiers count; a type `*` comes with `*`.
fn either_of_blocks(statement: &Block, name: &str, negated: &str) -> (Values, bool) {
    let read = |value: &Attribute| {
        let mut values = Values::default();
        let blocks = match value {
            Attribute::List(items) => items.iter().collect(),
            one => vec![one],
        };
        for block in blocks {
            match block {
                Attribute::Block(block) => match block.get("identifiers") {
                    Some(identifiers) => values.take(identifiers),
                    None => values.miss(),
                },
                other => values.take(other),
            }
        }
        values
    };
    match statement.get(negated).filter(|value| !is_nothing(value)) {
        Some(value) => (read(value), true),
        None => (statement.get(name).map(read).unwrap_or_default(), false),
    }
}

fn is_nothing(value: &Attribute) -> bool {
    match value {
        Attribute::Null => true,
        Attribute::List(items) => items.is_empty(),
        _ => false,
    }
}

fn clause(operator: &str, key: &str, value: Option<&Attribute>) -> Clause {
    Clause {
        operator: operator.to_ascii_lowercase().into(),
        key: key.to_ascii_lowercase().into(),
        values: Values::of(value),
    }
}

fn is_not_public(statement: &Statement) -> Truth {
    if statement.is_unclear {
        return Truth::Maybe;
    }
    if !statement.allows {
        return Truth::Yes;
    }
    let is_public = statement.is_not_principal || statement.principals.has(is_anybody);
    if is_public {
        return if statement.conditions.iter().any(restricts) {
            Truth::Yes
        } else if statement.conditions.iter().any(may_restrict) {
            Truth::Maybe
        } else {
            Truth::No
        };
    }
    if statement.principals.is_known() { Truth::Yes } else { Truth::Maybe }
}

fn is_restricting_key(clause: &Clause) -> bool {
    // Any of the caller's values is asked for one of these; a caller without the key is kept out. With
    // `ForAllValues` such a caller comes in.
    let operator = clause.operator.strip_prefix("foranyvalue:").unwrap_or(&clause.operator);
    RESTRICTING_KEYS.contains(&&*clause.key) && RESTRICTING_OPERATORS.contains(&operator)
}

/// Whether a clause leaves only callers that are named.
fn restricts(clause: &Clause) -> bool {
    is_restricting_key(clause)
        && clause.values.is_known()
        && !clause.values.known.is_empty()
        && !clause.values.has(|value| is_open(&clause.key, value))
}

/// Whether a value leaves the door open: a range that is everywhere, or a pattern that every account meets.
fn is_open(key: &str, value: &str) -> bool {
    if matches!(key, "aws:sourceip" | "aws:vpcsourceip") {
        return super::cidr::stands(value, CidrTest::NotEverywhere) != Some(true);
    }
    is_open_arn(value)
}

/// arn:partition:service:region:account:resource. Buckets have no account in theirs.
pub(super) fn is_open_arn(value: &str) -> bool {
    let mut arn = value.split(':');
    let account = if arn.next() == Some("arn") { arn.nth(3) } else { None };
    let is_any = |part: &str| part.trim_matches(['*', '?']).is_empty();
    let is_pattern = |part: &str| part.contains(['*', '?']);
    match account {
        Some("") => value.rsplit(':').next().is_none_or(is_any),
        Some(account) => is_pattern(account),
        // An organisation, an account or an endpoint is named in full, or many are meant.
        None => value.split([':', '/']).next().is_none_or(is_pattern) || value.starts_with("arn:"),
    }
}

fn may_restrict(clause: &Clause) -> bool {
    is_restricting_key(clause) && !clause.values.is_known()
}

fn is_not_full(statement: &Statement) -> Truth {
    if statement.is_unclear {
        return Truth::Maybe;
    }
    if !statement.allows {
        return Truth::Yes;
    }
    let every_action = statement.is_not_action || statement.actions.has(|name| matches!(name, "*" | "*:*"));
    let everything = statement.is_not_resource || statement.resources.has(|name| name == "*");
    if every_action && everything {
        return Truth::No;
    }
    // A part that is known and small settles it, whatever the other turns out to be.
    let is_small =
        (!every_action && statement.actions.is_known()) || (!everything && statement.resources.is_known());
    if is_small { Truth::Yes } else { Truth::Maybe }
}

/// Whether a statement denies everybody everything that does not come over TLS.
fn requires_tls(statement: &Statement) -> Truth {
    if statement.is_unclear {
        return Truth::Maybe;
    }
    // A further clause narrows the denial: then something may come without TLS.
    let [clause] = statement.conditions.as_slice() else { return Truth::No };
    let asks = matches!(&*clause.operator, "bool" | "boolifexists")
        && clause.key.as_ref() == "aws:securetransport"
        && clause.values.has(|value| value.eq_ignore_ascii_case("false"));
    let everybody = !statement.is_not_principal && statement.principals.has(|name| name == "*");
    let every_action = !statement.is_not_action
        && statement.actions.has(|name| matches!(name, "*" | "*:*") || name.eq_ignore_ascii_case("s3:*"));
    if statement.allows || !asks || !everybody || !every_action || statement.is_not_resource {
        return Truth::No;
    }
    covers_bucket_and_objects(&statement.resources)
}

/// Whether resources are a whole bucket: it and what lies in it are two resources.
fn covers_bucket_and_objects(resources: &Values) -> Truth {
    // What stands behind the last colon: a name of a bucket has no slash.
    let path = |resource: &str| resource.rsplit_once(':').map_or(resource, |(_, path)| path).to_owned();
    if resources.has(|resource| !path(resource).contains('/') && resource.ends_with('*')) {
        return Truth::Yes;
    }
    let objects =
        resources.has(|resource| path(resource).split_once('/').is_some_and(|(_, rest)| rest == "*"));
    let bucket = resources.has(|resource| !path(resource).contains('/'));
    if (objects && bucket) || resources.name_whole_bucket() {
        Truth::Yes
    } else if resources.is_known() {
        Truth::No
    } else {
        // Two names that are not known may be two parts of it.
        Truth::Maybe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_json;

    fn ask(statements: &str, asks: PolicyQuestion) -> Truth {
        let text = format!("{{\"Version\": \"2012-10-17\", \"Statement\": {statements}}}");
        answer(&read_json(&text).unwrap(), asks)
    }

    #[test]
    fn fails_closed_who_is_everybody() {
        let asks = PolicyQuestion::NoPublicPrincipal;
        for (principal, truth) in [
            (r#""Principal": "*""#, Truth::No),
            (r#""Principal": {"AWS": "*"}"#, Truth::No),
            (r#""Principal": {"AWS": "arn:aws:iam::*:role/reader"}"#, Truth::No),
            (r#""Principal": {"AWS": "arn:${AWS::Partition}:iam::*:role/reader"}"#, Truth::No),
            (r#""Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}"#, Truth::Yes),
            (r#""Principal": {"AWS": "arn:aws:iam::1:role/*"}"#, Truth::Yes),
            (r#""Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}"#, Truth::No),
            (r#""NotPrincipal": {"AWS": "arn:aws:iam::1:root"}"#, Truth::No),
            (r#""Principal": {"AWS": "arn:aws:iam::1:root"}"#, Truth::Yes),
            (r#""Principal": {"Service": "logging.s3.amazonaws.com"}"#, Truth::Yes),
        ] {
            let statement =
                format!(r#"{{"Effect": "Allow", {principal}, "Action": "s3:GetObject", "Resource": "*"}}"#);
            assert_eq!(ask(&statement, asks), truth, "{principal}");
            assert_eq!(ask(&format!("[{statement}]"), asks), truth, "{principal}");
            let denied = statement.replace("Allow", "Deny");
            assert_eq!(ask(&denied, asks), Truth::Yes, "{principal}");
        }
    }

    #[test]
    fn fails_closed_which_conditions_restrict() {
        let asks = PolicyQuestion::NoPublicPrincipal;
        for (condition, truth) in [
            (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, Truth::Yes),
            (r#"{"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": ["o-1"]}}"#, Truth::Yes),
            (r#"{"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ["o-1"]}}"#, Truth::No),
            (r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, Truth::Yes),
            (r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}"#, Truth::No),
            (r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}"#, Truth::No),
            (r#"{"StringLike": {"aws:SourceArn": "*"}}"#, Truth::No),
            (r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#, Truth::No),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}"#, Truth::No),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:*"}}"#, Truth::No),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:${AWS::Partition}:iam::*:role/x"}}"#, Truth::No),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:s3:::*"}}"#, Truth::No),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:s3:::inbox"}}"#, Truth::Yes),
            (r#"{"StringLike": {"aws:SourceVpce": "vpce-*"}}"#, Truth::No),
            (r#"{"StringLike": {"aws:SourceAccount": "1111*"}}"#, Truth::No),
            (r#"{"StringLike": {"aws:userid": "AROA123:*"}}"#, Truth::Yes),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}"#, Truth::Yes),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::inbox"}}"#, Truth::Yes),
            (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, Truth::No),
        ] {
            let statement = format!(
                r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {condition}}}"#
            );
            assert_eq!(ask(&statement, asks), truth, "{condition}");
        }
    }

    #[test]
    fn fails_closed_what_requires_tls() {
        let asks = PolicyQuestion::TlsRequired;
        let whole = r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#;
        assert_eq!(ask(whole, asks), Truth::Yes);
        for (from, to) in [
            ("Deny", "Allow"),
            ("\"s3:*\"", "\"s3:GetObject\""),
            ("\"Principal\": \"*\"", "\"Principal\": {\"AWS\": \"arn:aws:iam::1:root\"}"),
            ("\"false\"", "\"true\""),
            (", \"arn:aws:s3:::b/*\"", ""),
            ("\"arn:aws:s3:::b\", ", ""),
            ("b/*", "b/public/*"),
            ("\"false\"}", "\"false\"}, \"StringEquals\": {\"aws:PrincipalArn\": \"x\"}"),
        ] {
            assert!(whole.contains(from));
            assert_eq!(ask(&whole.replace(from, to), asks), Truth::No, "{from} -> {to}");
        }
    }

    #[test]
    fn full_access() {
        let asks = PolicyQuestion::NoFullAccess;
        let full = r#"{"Effect": "Allow", "Action": ["s3:GetObject", "*"], "Resource": "*"}"#;
        assert_eq!(ask(full, asks), Truth::No);
        assert_eq!(ask(&full.replace(", \"*\"]", "]"), asks), Truth::Yes);
        assert_eq!(ask(&full.replace("Resource\": \"*\"", "Resource\": \"arn:x\""), asks), Truth::Yes);
        assert_eq!(ask(r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#, asks), Truth::No);
    }

    #[test]
    fn what_is_no_policy_is_broken_and_an_unknown_effect_is_open() {
        assert_eq!(answer(&read_json("{}").unwrap(), PolicyQuestion::NoFullAccess), Truth::Broken);
        assert_eq!(answer(&read_json("[]").unwrap(), PolicyQuestion::NoFullAccess), Truth::Broken);
        assert_eq!(ask(r#"{"Effect": "allow"}"#, PolicyQuestion::NoFullAccess), Truth::Maybe);
    }
}
