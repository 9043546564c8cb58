//! Whoever does what the report shows as the fix gets past the rule that showed it.
//!
//! Each resource of a fixture that has to fail is written as source, with the fix of its finding in the place of
//! what the fix names, and judged again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use ward_policy::graph::{Attribute, Graph, Resource, Role};
use ward_policy::rules::{Fixture, RuleSet};
use ward_policy::terraform_source::{SourceFile, SourceOptions, read_terraform_source};
use ward_policy::{Finding, Verdict, read_named_input};

use crate::rule_fixtures::{RuleSets, fixtures, found};

/// Rules and types whose fix is not all there is to do, and why.
const MORE_TO_DO: [(&str, &str, &str); 10] = [
    ("W-011", "google_sql_database_instance", "flags that are set already stay beside the one that is shown"),
    ("W-036", "aws_cloudtrail", "two attributes; the fix names the one that is left out most"),
    ("W-045", "aws_lb_listener_rule", "the fix names a listener that is not part of it"),
    ("W-045", "google_compute_target_http_proxy", "the fix is of the map of addresses, not of the proxy"),
    ("W-047", "aws_lb", "two attributes; the fix names the one that is left out most"),
    ("W-052", "AWS::ElastiCache::ReplicationGroup", "two attributes, of which a single cache knows one"),
    ("W-059", "azurerm_linux_virtual_machine", "scripts hold secrets too; the fix is about the password"),
    ("W-059", "azurerm_virtual_machine", "the password has to go from the profile as well"),
    ("W-059", "google_compute_instance", "scripts hold secrets too; the fix is about the key of the disk"),
    ("W-074", "AWS::RDS::DBInstance", "what the fix says stands beside the properties, not among them"),
];

#[test]
fn a_resource_that_fails_passes_once_it_is_as_its_fix_says() {
    let fixtures = fixtures();
    let sets = RuleSets::new(&fixtures);
    let (mut tried, mut wrong, mut excused) = (0, Vec::new(), BTreeSet::new());
    for fixture in &fixtures {
        for case in &fixture.cases {
            for (address, _) in case.expected.iter().filter(|(_, verdict)| *verdict == Verdict::Fail) {
                let rules = sets.of(fixture);
                let finding = found(&case.graph, rules, fixture, address).unwrap();
                let Some(text) = mended(&case.graph, &finding) else { continue };
                tried += 1;
                let Err(why) = passes(&text, fixture, rules, finding.resource) else { continue };
                let is_this = |(rule, kind, _): &&(&str, &str, &str)| {
                    *rule == fixture.rule.as_str() && **kind == *finding.resource.kind
                };
                if let Some(known) = MORE_TO_DO.iter().find(is_this) {
                    excused.insert(known);
                } else {
                    wrong.push(format!("{} {address}: {why}\n{text}", fixture.rule));
                }
            }
        }
    }
    assert!(tried > 600, "{tried}");
    assert_eq!(excused.len(), MORE_TO_DO.len(), "each of these is needed: {excused:#?}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n\n"));
}

fn is_of_template(kind: &str) -> bool {
    kind.contains("::")
}

/// The infrastructure as source, mended. `None` if the fix is a sentence, or part of a manifest: where in the
/// manifest it belongs, it does not say.
fn mended(graph: &Graph, finding: &Finding<'_>) -> Option<String> {
    let fix = finding.cell.fix.as_deref()?;
    let is_sentence = fix.lines().all(|line| line.starts_with('#'));
    let kind = &*finding.resource.kind;
    match kind {
        _ if is_sentence => None,
        kind if is_of_template(kind) => Some(template(graph, finding.resource, fix)),
        kind if kind.contains('_') => Some(source(graph, finding.resource, fix)),
        _ => None,
    }
}

fn passes(text: &str, fixture: &Fixture, rules: &RuleSet, resource: &Resource) -> Result<(), String> {
    let graph = if is_of_template(&resource.kind) {
        read_named_input("mended.yaml", text.as_bytes())
    } else {
        let file = SourceFile { path: "mended.tf", bytes: text.as_bytes() };
        read_terraform_source(&[file], &SourceOptions::default())
    };
    let graph = graph.map_err(|error| error.to_string())?;
    let name = logical_id(resource);
    let address = if is_of_template(&resource.kind) { &*name } else { &*resource.address };
    let finding = found(&graph, rules, fixture, address).ok_or("it is not there any more")?;
    if finding.verdict == Verdict::Pass {
        return Ok(());
    }
    let seen: Vec<String> = finding.observed.iter().map(ward_policy::Observation::line).collect();
    Err(format!("{}: {}", finding.verdict, seen.join("; ")))
}

/// What a fix stands in for: a provider takes one of both, or the secret goes where the fix says.
const INSTEAD_OF: [(&str, &str); 28] = [
    ("acl", "access_control_policy"),
    ("account_id", "group"),
    ("data_wo", "data"),
    ("disable_password_authentication", "admin_password"),
    ("encrypted_value", "plaintext_value"),
    ("group_by_email", "iam_member"),
    ("group_by_email", "special_group"),
    ("groups", "users"),
    ("https_traffic_only_enabled", "enable_https_traffic_only"),
    ("logging_config", "logging_service"),
    ("manage_master_user_password", "master_password"),
    ("manage_master_user_password", "password"),
    ("node_public_ip_enabled", "enable_node_public_ip"),
    ("non_ssl_port_enabled", "enable_non_ssl_port"),
    ("role_based_access_control_enabled", "role_based_access_control"),
    ("role_definition_name", "role_definition_id"),
    ("secret_data_wo", "secret_data"),
    ("secret_environment_variables", "environment_variables"),
    ("secret_string_wo", "secret_string"),
    ("source_address_prefix", "source_address_prefixes"),
    ("tags", "tags_all"),
    ("user_group_ids", "auth_token"),
    ("value_wo", "value"),
    ("GenerateSecretString", "SecretString"),
    ("Groups", "ManagedPolicyArns"),
    ("Groups", "Policies"),
    ("Groups", "Users"),
    ("ManageMasterUserPassword", "MasterUserPassword"),
];

/// Attributes of a resource that the fix takes the place of.
fn replaced_by(fix: &str, ends: &[char]) -> BTreeSet<String> {
    let lines = fix.lines().filter(|line| !line.starts_with([' ', '}', '#']));
    let mut names: BTreeSet<String> =
        lines.filter_map(|line| line.split_once(ends)).map(|(name, _)| name.trim().to_owned()).collect();
    let others =
        INSTEAD_OF.iter().filter(|(name, _)| names.contains(*name)).map(|(_, other)| (*other).to_owned());
    let others: Vec<String> = others.collect();
    names.extend(others);
    names
}

/// Terraform configuration.
fn source(graph: &Graph, mended: &Resource, fix: &str) -> String {
    // By this name a fix calls the resource that it mends.
    let own_name = format!("{}.this.", mended.kind);
    let fix = fix.replace(&own_name, &format!("{}.{}.", mended.kind, mended.name));
    let whole = |kind: &str| fix.contains(&format!("resource \"{kind}\" \""));
    let is_beside = fix.starts_with("resource \"");
    let replaced = replaced_by(&fix, &['=', '{']);
    let mut text = String::new();
    for (_, resource) in graph.resources().filter(|(_, resource)| !whole(&resource.kind)) {
        let word = if resource.role == Role::Data { "data" } else { "resource" };
        let is_mended = resource.address == mended.address;
        writeln!(text, "{word} \"{}\" \"{}\" {{", resource.kind, resource.name).unwrap();
        for (name, value) in resource.attributes.entries() {
            if !(is_mended && replaced.contains(name)) {
                writeln!(text, "  {name} = {}", expression(value)).unwrap();
            }
        }
        if is_mended && !is_beside {
            writeln!(text, "{fix}").unwrap();
        }
        text.push_str("}\n");
    }
    if is_beside {
        let as_it_was = format!("resource \"{}\" \"this\"", mended.kind);
        let named = fix.replace(&as_it_was, &format!("resource \"{}\" \"{}\"", mended.kind, mended.name));
        writeln!(text, "{named}").unwrap();
    }
    let more = declared(&text);
    text + &more
}

/// What the configuration refers to and does not declare, declared.
fn declared(text: &str) -> String {
    let mut more = BTreeSet::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))) {
        let parts: Vec<&str> = word.split('.').collect();
        match parts.as_slice() {
            ["var", name, ..] => more.insert(format!("variable \"{name}\" {{}}\n")),
            ["ephemeral", kind, name, ..] => more.insert(format!("ephemeral \"{kind}\" \"{name}\" {{}}\n")),
            ["data", kind, name, ..] => more.insert(format!("data \"{kind}\" \"{name}\" {{}}\n")),
            [kind, name, _, ..] if kind.contains('_') && !kind.contains('-') => {
                more.insert(format!("resource \"{kind}\" \"{name}\" {{}}\n"))
            }
            _ => false,
        };
    }
    let is_new = |block: &String| !text.contains(block.trim_end().trim_end_matches('}').trim_end());
    more.into_iter().filter(is_new).collect()
}

/// A value as an expression of Terraform.
fn expression(value: &Attribute) -> String {
    match value {
        Attribute::Null => "null".to_owned(),
        Attribute::Bool(value) => value.to_string(),
        Attribute::Number(value) => value.to_string(),
        Attribute::Text(text) => quoted(text).replace("${", "$${").replace("%{", "%%{"),
        Attribute::List(items) => {
            format!("[{}]", items.iter().map(expression).collect::<Vec<_>>().join(", "))
        }
        Attribute::Block(block) => {
            let entries =
                block.entries().map(|(name, value)| format!("{} = {}", quoted(name), expression(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Attribute::Unknown(unknown) => {
            unknown.references.first().map_or_else(|| "var.open".to_owned(), |one| one.written.to_string())
        }
        Attribute::Sensitive(_) => "\"kept-secret\"".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A template of CloudFormation.
fn template(graph: &Graph, mended: &Resource, fix: &str) -> String {
    // By the last word of its type a fix calls the resource that it mends.
    let own = mended.kind.rsplit("::").next().unwrap();
    let own = if own == "VPC" { "Vpc" } else { own };
    let fix = fix
        .replace(&format!("!Ref {own} "), &format!("!Ref {} ", logical_id(mended)))
        .replace(&format!("!Ref {own},"), &format!("!Ref {},", logical_id(mended)))
        .replace(&format!("!Ref {own}\n"), &format!("!Ref {}\n", logical_id(mended)))
        .replace(&format!("GetAtt {own}."), &format!("GetAtt {}.", logical_id(mended)))
        .replace(&format!("${{{own}."), &format!("${{{}.", logical_id(mended)));
    let is_beside = fix.lines().any(|line| line.starts_with("  Type: AWS::"));
    let is_declared = |kind: &str| is_beside && fix.contains(&format!("  Type: {kind}\n"));
    let replaced = replaced_by(&fix, &[':']);
    let mut text = "Resources:\n".to_owned();
    for (_, resource) in graph.resources().filter(|(_, one)| !is_declared(&one.kind)) {
        let is_mended = resource.address == mended.address;
        writeln!(text, "  {}:\n    Type: {}\n    Properties:", logical_id(resource), resource.kind).unwrap();
        for (name, value) in resource.attributes.entries() {
            if !(is_mended && replaced.contains(name)) {
                writeln!(text, "      {}: {}", quoted(name), property(value)).unwrap();
            }
        }
        if is_mended && !is_beside {
            fix.lines().for_each(|line| writeln!(text, "      {line}").unwrap());
        }
    }
    if is_beside {
        fix.lines().for_each(|line| writeln!(text, "  {line}").unwrap());
    }
    let mut more = BTreeSet::new();
    for start in ["!Ref ", "!GetAtt ", "${"] {
        for rest in text.split(start).skip(1) {
            more.extend(rest.split(|c: char| !c.is_ascii_alphanumeric()).next());
        }
    }
    let is_new = |name: &&str| !name.is_empty() && !text.contains(&format!("\n  {name}:\n"));
    let kind = |name: &str| {
        TYPES_BY_NAME.iter().find(|(end, _)| name.ends_with(end)).map_or("Custom::Other", |(_, kind)| kind)
    };
    let more: String = more
        .into_iter()
        .filter(is_new)
        .map(|name| format!("  {name}:\n    Type: {}\n", kind(name)))
        .collect();
    text + &more
}

/// What the fixes of templates call their neighbours.
const TYPES_BY_NAME: [(&str, &str); 5] = [
    ("Bucket", "AWS::S3::Bucket"),
    ("Key", "AWS::KMS::Key"),
    ("Logs", "AWS::Logs::LogGroup"),
    ("Role", "AWS::IAM::Role"),
    ("WebAcl", "AWS::WAFv2::WebACL"),
];

fn logical_id(resource: &Resource) -> String {
    format!("{}{}", resource.kind, resource.name).replace(|c: char| !c.is_ascii_alphanumeric(), "")
}

/// A value as YAML of a template.
fn property(value: &Attribute) -> String {
    match value {
        Attribute::Null => "null".to_owned(),
        Attribute::Bool(value) => value.to_string(),
        Attribute::Number(value) => value.to_string(),
        Attribute::Text(text) => quoted(text),
        Attribute::List(items) => format!("[{}]", items.iter().map(property).collect::<Vec<_>>().join(", ")),
        Attribute::Block(block) => {
            let entries =
                block.entries().map(|(name, value)| format!("{}: {}", quoted(name), property(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Attribute::Unknown(unknown) => {
            let written = unknown.references.first().map(|one| one.written.to_string()).unwrap_or_default();
            let after_kind = written.rsplit_once("::").and_then(|(_, rest)| rest.split_once('.'));
            after_kind.map_or_else(|| "!Ref Open".to_owned(), |_| pointer(&written))
        }
        Attribute::Sensitive(_) => "kept-secret".to_owned(),
    }
}

/// `AWS::S3::Bucket.logs.BucketName` as a template points there.
fn pointer(written: &str) -> String {
    let mut parts = written.split('.');
    let id = format!("{}{}", parts.next().unwrap(), parts.next().unwrap());
    let id = id.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    match parts.next() {
        Some("Arn") => format!("!GetAtt {id}.Arn"),
        _ => format!("!Ref {id}"),
    }
}
