//! Whom a role trusts, and whether people have to show a second factor.

use super::policy_document::{Clause, Statement, is_open_arn};
use super::policy_values::{OIDC_KIND, SAML_KIND, USER_KIND};
use super::truth::Truth;

/// Condition keys by which SAML and the services for consumers name who is meant, at their ends.
const CALLER_ENDS: [&str; 4] = [":sub", ":aud", ":amr", ":oaud"];

/// Condition keys that tell which caller of another account is meant.
const CALLER_KEYS: [&str; 8] = [
    "sts:externalid",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:userid",
];

const SECOND_FACTOR: &str = "aws:multifactorauthpresent";
const SECOND_FACTOR_AGE: &str = "aws:multifactorauthage";

/// Whether a statement of a trust policy names whom it trusts.
pub(super) fn is_named(statement: &Statement) -> Truth {
    if statement.is_unclear {
        return Truth::Maybe;
    }
    if !statement.allows {
        return Truth::Yes;
    }
    if statement.is_not_principal || statement.principals.has(|name| name == "*") {
        let keys = |clause: &Clause| CALLER_KEYS.contains(&&*clause.key);
        return by_clauses(statement, keys);
    }
    // Which provider of identities a resource of the template is, its name does not tell.
    if statement.principals.names(OIDC_KIND) || statement.principals.has(is_federation_of_subjects) {
        let subject = |clause: &Clause| clause.key.ends_with(":sub") || is_repository(clause);
        return by_clauses(statement, subject);
    }
    if statement.principals.names(SAML_KIND) || statement.principals.has(is_federation) {
        return by_clauses(statement, |clause| CALLER_ENDS.iter().any(|end| clause.key.ends_with(end)));
    }
    if statement.principals.are_identities() { Truth::Yes } else { Truth::Maybe }
}

fn is_repository(clause: &Clause) -> bool {
    clause.key.ends_with(":repository") || clause.key.ends_with(":repository_owner")
}

/// A provider of OpenID Connect: its audience is that of everybody it knows, and says nothing about who
/// comes.
fn is_federation_of_subjects(name: &str) -> bool {
    let is_host = ["token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"]
        .iter()
        .any(|host| name.ends_with(host));
    is_host || name.contains(":oidc-provider/")
}

fn is_federation(name: &str) -> bool {
    name.contains(":saml-provider/")
        || ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com", "graph.facebook.com"]
            .contains(&name)
}

/// Whether one of these clauses restricts the statement to values that are written out.
fn by_clauses(statement: &Statement, is_meant: impl Fn(&Clause) -> bool) -> Truth {
    let mut truth = Truth::No;
    for clause in statement.conditions.iter().filter(|clause| is_meant(clause) && is_positive(clause)) {
        if !clause.values.is_known() {
            truth = Truth::Maybe;
        } else if !clause.values.known.is_empty() && !clause.values.has(|value| is_open_for(clause, value)) {
            return Truth::Yes;
        }
    }
    truth
}

/// Operators that let only the values through. With `IfExists` a caller without the key comes in too.
fn is_positive(clause: &Clause) -> bool {
    let operator = clause.operator.strip_prefix("foranyvalue:").unwrap_or(&clause.operator);
    ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"].contains(&operator)
}

/// Beginnings of subjects of GitHub that name an owner or a repository. Others, such as the name of a
/// workflow, everybody may choose for a repository of their own.
const OWNERS: [&str; 7] = [
    "repo:",
    "repository:",
    "repository_id:",
    "repository_owner:",
    "repository_owner_id:",
    "job_workflow_ref:",
    "enterprise:",
];

/// Whether a value of a clause leaves open who is meant.
fn is_open_for(clause: &Clause, value: &str) -> bool {
    let is_subject = &*clause.key == "token.actions.githubusercontent.com:sub";
    is_open(value) || (is_subject && !OWNERS.iter().any(|owner| value.starts_with(owner)))
}

/// Names that are whole before the first letter that is left open, so that somebody is meant.
const NAMED_PARTS: usize = 2;

/// Beginnings of subjects whose first words say only what kind of subject it is.
const KINDS_OF_SUBJECTS: [&str; 3] =
    ["system:serviceaccount:", "pulumi:deploy:org:", "pulumi:environments:org:"];

/// A value that leaves open who is meant: `*`, `repo:*`, `repo:my-org*`, any service account.
fn is_open(value: &str) -> bool {
    let Some(at) = value.find(['*', '?']) else { return false };
    if value.starts_with("arn:") {
        return is_open_arn(value);
    }
    let before = value.get(..at).unwrap_or_default();
    let kind = KINDS_OF_SUBJECTS.into_iter().find(|kind| value.starts_with(kind));
    // The last part goes on where the pattern begins: only those before it are whole.
    let parts = |text: &str| text.matches([':', '/']).count();
    match kind {
        Some(kind) => parts(before) <= parts(kind),
        None => parts(before) < NAMED_PARTS || before.contains("::") || before.contains("//"),
    }
}

/// Whether people can take on a role by this statement: it trusts an account as a whole, or a user.
pub(super) fn trusts_people(statement: &Statement) -> Truth {
    if statement.is_unclear {
        return Truth::Maybe;
    }
    if !statement.allows {
        return Truth::No;
    }
    let users = statement.principals.names(USER_KIND);
    if statement.is_not_principal || users || statement.principals.has(is_of_people) {
        return Truth::Yes;
    }
    if statement.principals.are_identities() { Truth::No } else { Truth::Maybe }
}

fn is_of_people(name: &str) -> bool {
    let is_number = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    // The account of the stack itself, in a template.
    let is_own_account = name == "${AccountId}";
    name == "*"
        || is_number
        || is_own_account
        || (name.starts_with("arn:") && (name.ends_with(":root") || name.contains(":user/")))
}

/// Whether a statement that lets people in asks for a second factor. One that lets nobody in does.
pub(super) fn asks_second_factor(statement: &Statement) -> Truth {
    // A policy of a group has no principals: it is for people throughout.
    let has_principals = statement.is_not_principal
        || !statement.principals.known.is_empty()
        || !statement.principals.is_known();
    let people = if has_principals { trusts_people(statement) } else { Truth::from(statement.allows) };
    if statement.is_unclear || people != Truth::Yes {
        return if people == Truth::No { Truth::Yes } else { Truth::Maybe };
    }
    let mut truth = Truth::No;
    for clause in &statement.conditions {
        let is_asked = match &*clause.key {
            SECOND_FACTOR => {
                &*clause.operator == "bool" && clause.values.has(|value| value.eq_ignore_ascii_case("true"))
            }
            SECOND_FACTOR_AGE => {
                clause.operator.starts_with("numericlessthan") && !clause.operator.ends_with("ifexists")
            }
            _ => continue,
        };
        if is_asked {
            return Truth::Yes;
        }
        if !clause.values.is_known() {
            truth = Truth::Maybe;
        }
    }
    truth
}

/// Whether a statement denies what comes without a second factor.
pub(super) fn denies_without_second_factor(statement: &Statement) -> bool {
    let asks = |clause: &Clause| {
        &*clause.key == SECOND_FACTOR
            && &*clause.operator == "boolifexists"
            && clause.values.has(|value| value.eq_ignore_ascii_case("false"))
    };
    // `Bool` alone leaves out callers with long-lived keys, which carry no such key.
    // A further clause, or a resource, leaves something open without a second factor.
    let [clause] = statement.conditions.as_slice() else { return false };
    let is_whole = asks(clause) && statement.is_of_everything();
    !statement.allows
        && !statement.is_unclear
        && is_whole
        && (statement.is_not_action || statement.actions.has(|name| name == "*"))
}

#[cfg(test)]
mod tests {
    use super::super::policy_document::answer;
    use super::*;
    use crate::json::read_json;
    use crate::rules::PolicyQuestion;

    fn ask(statement: &str, asks: PolicyQuestion) -> Truth {
        answer(&read_json(&format!("{{\"Statement\": [{statement}]}}")).unwrap(), asks)
    }

    fn trust(principal: &str, condition: &str) -> String {
        format!(
            r#"{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {principal}, "Condition": {condition}}}"#
        )
    }

    #[test]
    fn fails_closed_whom_a_role_trusts() {
        let cluster =
            r#"{"Federated": "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"}"#;
        let github = r#"{"Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"}"#;
        let shared = r#"{"Federated": "arn:aws:iam::1:oidc-provider/agent.buildkite.com"}"#;
        for (principal, condition, truth) in [
            (r#"{"Service": "ec2.amazonaws.com"}"#, "{}", Truth::Yes),
            (r#"{"AWS": "arn:aws:iam::111122223333:role/deploy"}"#, "{}", Truth::Yes),
            (r#""*""#, "{}", Truth::No),
            (r#"{"AWS": "*"}"#, "{}", Truth::No),
            (r#"{"AWS": "*"}"#, r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, Truth::Yes),
            (r#"{"AWS": "*"}"#, r#"{"StringLike": {"aws:PrincipalArn": "*"}}"#, Truth::No),
            (github, "{}", Truth::No),
            (
                github,
                r#"{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}"#,
                Truth::No,
            ),
            (github, r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}"#, Truth::No),
            (github, r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}"#, Truth::No),
            (
                github,
                r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:ward*"}}"#,
                Truth::No,
            ),
            (
                github,
                r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:????/*"}}"#,
                Truth::No,
            ),
            (
                github,
                r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:ward/*"}}"#,
                Truth::Yes,
            ),
            (
                github,
                r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "workflow:deploy:repo:ward/site"}}"#,
                Truth::No,
            ),
            (
                cluster,
                r#"{"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:*:*"}}"#,
                Truth::No,
            ),
            // The audience is the same for every service account of the cluster.
            (
                cluster,
                r#"{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/A:aud": "sts.amazonaws.com"}}"#,
                Truth::No,
            ),
            (
                cluster,
                r#"{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/A:aud": "sts.amazonaws.com"}, "StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:*:*"}}"#,
                Truth::No,
            ),
            (
                cluster,
                r#"{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/A:aud": "sts.amazonaws.com", "oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:ns:a"}}"#,
                Truth::Yes,
            ),
            (shared, r#"{"StringEquals": {"agent.buildkite.com:aud": "sts.amazonaws.com"}}"#, Truth::No),
            (shared, r#"{"StringLike": {"agent.buildkite.com:sub": "organization:*"}}"#, Truth::No),
            (shared, r#"{"StringLike": {"agent.buildkite.com:sub": "organization:ward:*"}}"#, Truth::Yes),
            (
                cluster,
                r#"{"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:a*:b"}}"#,
                Truth::No,
            ),
            (
                cluster,
                r#"{"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:ns:*"}}"#,
                Truth::Yes,
            ),
            (r#"{"AWS": "*"}"#, r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}"#, Truth::No),
            (
                r#"{"AWS": "*"}"#,
                r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}"#,
                Truth::Yes,
            ),
            (
                github,
                r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:ward/site:*"}}"#,
                Truth::Yes,
            ),
            (
                r#"{"Federated": "arn:aws:iam::1:saml-provider/idp"}"#,
                r#"{"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}"#,
                Truth::Yes,
            ),
        ] {
            let statement = trust(principal, condition);
            assert_eq!(ask(&statement, PolicyQuestion::NoOpenTrust), truth, "{statement}");
        }
    }

    #[test]
    fn people_and_their_second_factor() {
        let present = r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#;
        let if_exists = r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#;
        for (principal, condition, people, factor) in [
            (r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, "{}", Truth::Yes, Truth::No),
            (r#"{"AWS": "111122223333"}"#, present, Truth::Yes, Truth::Yes),
            (r#"{"AWS": "arn:aws:iam::1:user/ann"}"#, if_exists, Truth::Yes, Truth::No),
            (r#"{"AWS": "arn:aws:iam::1:role/r"}"#, "{}", Truth::No, Truth::Yes),
            (r#"{"Service": "ec2.amazonaws.com"}"#, "{}", Truth::No, Truth::Yes),
        ] {
            let statement = trust(principal, condition);
            assert_eq!(ask(&statement, PolicyQuestion::TrustsPeople), people, "{statement}");
            assert_eq!(ask(&statement, PolicyQuestion::SecondFactor), factor, "{statement}");
        }
    }

    #[test]
    fn fails_closed_a_policy_of_a_group_denies_without_a_second_factor_or_asks_for_it() {
        let deny = r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}"#;
        assert_eq!(ask(deny, PolicyQuestion::SecondFactor), Truth::Yes);
        for narrower in [
            deny.replace("BoolIfExists", "Bool"),
            deny.replace(r#""Resource": "*""#, r#""Resource": "arn:aws:s3:::b""#),
            deny.replace(r#""Condition": {"#, r#""Condition": {"StringEquals": {"aws:username": "ann"}, "#),
        ] {
            assert_eq!(ask(&narrower, PolicyQuestion::SecondFactor), Truth::No, "{narrower}");
        }
        let allow = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#;
        assert_eq!(ask(allow, PolicyQuestion::SecondFactor), Truth::Yes);
        assert_eq!(ask(&allow.replace("true", "false"), PolicyQuestion::SecondFactor), Truth::No);
    }
}
