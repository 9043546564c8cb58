//! Rules on templates of CloudFormation: nothing that depends on what is given passes.

use crate::judged::{exit, rule_set, verdict};
use ward_policy::Exit;
use ward_policy::Verdict::{self, Fail, Indeterminate, Pass};

const INPUTS: &str = "
Parameters:
  Free: {Type: String, Default: 'true'}
  Only: {Type: String, AllowedValues: ['true']}
  Off: {Type: String, AllowedValues: ['false', 'no']}
  Either: {Type: String, AllowedValues: ['true', 'false']}
Conditions:
  Open: !Equals [!Ref Either, 'true']
  Other: !Equals [!Ref Free, x]
";

/// How a check of the property `V` judges a resource.
fn of_value(check: &str, value: &str) -> Verdict {
    let rules = rule_set("[T::T::T]", check, "[{types: [T::T::T], path: V, value: false, note: a default}]");
    let text = format!(
        "{INPUTS}Resources:\n  K: {{Type: AWS::KMS::Key}}\n  L: {{Type: AWS::KMS::Key}}\n  \
         C: {{Type: 'Custom::Key'}}\n  R:\n    Type: T::T::T\n    Properties: {{V: {value}}}\n"
    );
    verdict(&rules, &text, "R")
}

#[test]
fn fails_closed_a_value_counts_only_if_it_holds_in_every_deployment() {
    for (value, wanted) in [
        ("true", Pass),
        ("'true'", Pass),
        ("'True'", Pass),
        ("false", Fail),
        ("!Ref Only", Pass),
        ("!Ref Off", Fail),
        ("!Ref Either", Indeterminate),
        ("!Ref Free", Indeterminate),
        ("!If [Open, true, 'true']", Pass),
        ("!If [Open, true, false]", Indeterminate),
        ("!If [Open, 'no', false]", Fail),
        ("!If [Open, true, !Ref 'AWS::NoValue']", Indeterminate),
        // The default is false.
        ("!If [Open, false, !Ref 'AWS::NoValue']", Fail),
        ("!Ref AWS::NoValue", Fail),
        ("yes", Indeterminate),
        ("'{{resolve:ssm:enc}}'", Indeterminate),
        ("!ImportValue enc", Indeterminate),
        ("!Transform {Name: X}", Indeterminate),
        ("!GetAtt K.Enabled", Indeterminate),
        ("!Ref Gone", Indeterminate),
    ] {
        assert_eq!(of_value("{path: V, equals: true}", value), wanted, "{value}");
        // Turned around it must not pass either.
        let turned = of_value("{path: V, not_equals: true}", value);
        let wanted = match wanted {
            Pass => Fail,
            Fail => Pass,
            other => other,
        };
        assert_eq!(turned, wanted, "not {value}");
    }
}

#[test]
fn fails_closed_a_key_is_set_only_if_it_will_be_there() {
    for (value, wanted) in [
        ("!Ref K", Pass),
        ("!GetAtt K.Arn", Pass),
        ("!Sub '${K.Arn}'", Pass),
        ("!If [Open, !Ref K, !GetAtt L.Arn]", Pass),
        ("!If [Open, !Ref K, !Ref 'AWS::NoValue']", Indeterminate),
        ("!If [Open, !Ref K, !Ref Free]", Indeterminate),
        ("!If [Open, !Ref K, !!binary aGk=]", Indeterminate),
        ("!Select [3, [!Ref K]]", Indeterminate),
        ("{? [a] : 1}", Indeterminate),
        ("!GetAtt C.Arn", Indeterminate),
        ("!ImportValue key", Indeterminate),
        ("!Ref Free", Indeterminate),
        ("[!If [Open, !Ref K, !Ref 'AWS::NoValue']]", Indeterminate),
        ("{A: !If [Open, 1, !Ref 'AWS::NoValue']}", Indeterminate),
        ("''", Fail),
    ] {
        assert_eq!(of_value("{path: V, set: true}", value), wanted, "{value}");
    }
}

#[test]
fn fails_closed_a_block_that_is_there_under_a_condition_only() {
    let check = "{blocks: V, over: none, where: {path: Cidr, equals: 0.0.0.0/0}}";
    for (value, wanted) in [
        ("[{Cidr: 10.0.0.0/8}]", Pass),
        ("[{Cidr: 10.0.0.0/8}, {Cidr: 0.0.0.0/0}]", Fail),
        ("[{Cidr: 10.0.0.0/8}, !If [Open, {Cidr: 0.0.0.0/0}, !Ref 'AWS::NoValue']]", Indeterminate),
        ("[{Cidr: !If [Open, 10.0.0.0/8, 0.0.0.0/0]}]", Indeterminate),
        ("[{Cidr: !If [Open, 10.0.0.0/8, 10.1.0.0/16]}]", Pass),
        ("!If [Open, [{Cidr: 10.0.0.0/8}], []]", Indeterminate),
        ("!If [Open, {Cidr: 10.0.0.0/8}, {Cidr: 10.1.0.0/16}]", Pass),
        ("!If [Open, {Cidr: 10.0.0.0/8}, {Cidr: 0.0.0.0/0}]", Indeterminate),
        ("!Ref Free", Indeterminate),
    ] {
        assert_eq!(of_value(check, value), wanted, "{value}");
    }
    // One of two blocks has the name: it is not set in every deployment.
    let either = "!If [Open, {A: 1}, {B: 1}]";
    assert_eq!(of_value("{path: V.A, set: true}", either), Indeterminate);
}

#[test]
fn fails_closed_a_companion_that_may_be_missing_proves_nothing() {
    let rules = rule_set(
        "[AWS::S3::Bucket]",
        "{companion: {types: [AWS::S3::BucketPolicy], by: Bucket, own: [BucketName]}}",
        "",
    );
    for (bucket, policy, wanted) in [
        ("", "Properties: {Bucket: !Ref B}", Pass),
        ("", "Properties: {Bucket: !Ref B}, Condition: Open", Indeterminate),
        ("Condition: Open, ", "Properties: {Bucket: !Ref B}, Condition: Open", Pass),
        ("Condition: Open, ", "Properties: {Bucket: !Ref B}, Condition: Other", Indeterminate),
        ("Properties: {BucketName: x}, ", "Properties: {Bucket: x}", Pass),
        ("Properties: {BucketName: x}, ", "Properties: {Bucket: x}, Condition: Open", Indeterminate),
        ("", "Properties: {Bucket: !If [Open, !Ref B, other]}", Indeterminate),
        ("", "Properties: {Bucket: !If [Open, !Ref B, !Ref A]}", Indeterminate),
        ("", "Properties: {Bucket: !Ref A}", Fail),
        ("", "Properties: {Bucket: !ImportValue b}", Indeterminate),
        ("", "Properties: {Bucket: [!Ref A, !Ref B]}", Pass),
        ("", "Properties: {Bucket: [!Ref A, other]}", Fail),
        ("", "Properties: {Bucket: [!Ref A, !Ref Free]}", Indeterminate),
    ] {
        let text = format!(
            "{INPUTS}Resources:\n  A: {{Type: AWS::S3::Bucket}}\n  B: {{{bucket}Type: AWS::S3::Bucket}}\n  \
             P: {{Type: AWS::S3::BucketPolicy, {policy}}}\n"
        );
        assert_eq!(verdict(&rules, &text, "B"), wanted, "{bucket} {policy}");
    }
}

#[test]
fn fails_closed_what_is_present_under_a_condition_proves_nothing() {
    let rules = rule_set("[T::T::T]", "{present: {types: [T::Trail::T], owed: true}}", "");
    for (trail, wanted) in [
        ("  A: {Type: T::Trail::T}\n", Pass),
        ("  A: {Type: T::Trail::T, Condition: Open}\n", Indeterminate),
        ("", Fail),
    ] {
        let text = format!("{INPUTS}Resources:\n  R: {{Type: T::T::T}}\n{trail}");
        assert_eq!(verdict(&rules, &text, "R"), wanted, "{trail}");
    }
}

#[test]
fn fails_closed_policies_with_names_of_resources_and_of_the_account_are_understood() {
    let check = "{policy: V, asks: no-public-principal}";
    for (principal, wanted) in [
        ("{AWS: !GetAtt C.Arn}", Indeterminate),
        ("{AWS: !Ref Free}", Indeterminate),
        ("{AWS: [!GetAtt K.Arn]}", Pass),
        ("{AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}", Pass),
        ("{AWS: !Ref 'AWS::AccountId'}", Pass),
        ("{AWS: !If [Open, '*', !GetAtt K.Arn]}", Indeterminate),
        ("'*'", Fail),
        ("{AWS: ['*', !GetAtt K.Arn]}", Fail),
        ("{AWS: !GetAtt K.Value}", Indeterminate),
        ("{AWS: !Sub 'arn:aws:iam::*:role/${K}'}", Fail),
        ("{AWS: !Sub 'arn:${AWS::Partition}:iam::*:role/${K}'}", Fail),
        ("{AWS: !Join ['', ['arn:aws:iam::*:role/', !Ref K]]}", Fail),
        ("{AWS: !Join ['', ['arn:aws:iam::1:role/', !Ref K]]}", Pass),
        ("{AWS: !Select [0, [!Join ['', [!Ref K, '*']]]]}", Indeterminate),
        ("{AWS: !Join ['', ['x', !Ref K]]}", Indeterminate),
    ] {
        let value = format!(
            "{{Statement: [{{Effect: Allow, Action: 's3:*', Resource: '*', Principal: {principal}}}]}}"
        );
        assert_eq!(of_value(check, &value), wanted, "{principal}");
    }
}

#[test]
fn fails_closed_a_part_of_a_bucket_is_not_the_bucket() {
    let check = "{policy: V, asks: tls-required}";
    for (resources, wanted) in [
        ("[!GetAtt K.Arn, !Sub '${K.Arn}/*']", Pass),
        ("[!Sub 'arn:${AWS::Partition}:s3:::${K}', !Sub 'arn:${AWS::Partition}:s3:::${K}/*']", Pass),
        ("[!GetAtt K.Arn, !Join ['', [!GetAtt K.Arn, '/*']]]", Pass),
        ("[!Sub '${K.Arn}/*']", Fail),
        ("[!GetAtt K.Arn, !Sub '${K.Arn}/public/*']", Fail),
        ("[!GetAtt K.Arn, !Sub 'arn:${AWS::Partition}:s3:::${K}/logs/${AWS::AccountId}/*']", Fail),
        ("[!Join ['', [!GetAtt K.Arn, '/*']]]", Fail),
        ("[!GetAtt K.Arn, !Join ['', [!GetAtt K.Arn, '/public/*']]]", Fail),
        // What a parameter or a function makes of a name may be a part of it.
        ("[!GetAtt K.Arn, !Sub '${K.Arn}/${Free}/*']", Indeterminate),
        ("[!GetAtt K.Arn, !Select [0, !Split [',', !GetAtt K.Arn]]]", Indeterminate),
    ] {
        let value = format!(
            "{{Statement: [{{Effect: Deny, Action: 's3:*', Principal: '*', Resource: {resources}, \
             Condition: {{Bool: {{'aws:SecureTransport': 'false'}}}}}}]}}"
        );
        assert_eq!(of_value(check, &value), wanted, "{resources}");
    }
}

#[test]
fn fails_closed_what_deploys_more_than_the_template_is_never_a_pass() {
    let rules = rule_set("[T::T::T]", "{path: V, equals: true}", "");
    let plain = "Resources:\n  R: {Type: T::T::T, Properties: {V: true}}\n";
    assert_eq!(exit(&rules, plain), Exit::Pass);
    for more in [
        "Transform: AWS::Serverless-2016-10-31\n",
        "Transform: [Mine]\n",
        "Fn::Transform: {Name: AWS::Include}\n",
    ] {
        assert_eq!(exit(&rules, &format!("{more}{plain}")), Exit::Indeterminate, "{more}");
    }
    for more in [
        "  S: {Type: AWS::CloudFormation::Stack}\n",
        "  M: {Type: My::Module::X::MODULE}\n",
        "  N: {Properties: {V: true}}\n",
        "  T: {Type: T::T::T, Properties: {V: true}, 'Fn::Transform': {Name: X}}\n",
        "  Fn::ForEach::L: [X, !Ref Names, {'A${X}': {Type: T::T::T}}]\n",
    ] {
        assert_eq!(exit(&rules, &format!("{plain}{more}")), Exit::Indeterminate, "{more}");
    }
    // Nothing that a rule knows is nothing that passes.
    assert_eq!(exit(&rules, "Resources: {}\nAWSTemplateFormatVersion: '2010-09-09'\n"), Exit::Indeterminate);
}
