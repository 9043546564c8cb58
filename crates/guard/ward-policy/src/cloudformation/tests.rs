//! Whole templates, and what becomes of their values.

use super::*;
use crate::graph::{AttributePath, Reason, Referent, reach};

fn read(text: &str) -> Graph {
    read_cloudformation("t.yaml", text).unwrap()
}

fn shown(graph: &Graph, name: &str, path: &str) -> Vec<String> {
    let (_, resource) = graph.at(name).unwrap();
    reach(&resource.attributes, &AttributePath::of(path)).unwrap().iter().map(|one| one.shown()).collect()
}

/// The one property `V` of a resource, as text.
fn value(text: &str, expression: &str) -> String {
    let graph = read(&format!(
        "{text}\nResources:\n  K: {{Type: AWS::KMS::Key}}\n  \
        S: {{Type: AWS::CloudFormation::Stack}}\n  C: {{Type: 'Custom::Thing'}}\n  \
        R:\n    Type: T::T::T\n    Properties:\n      V: {expression}\n"
    ));
    shown(&graph, "R", "V").concat()
}

fn branches(text: &str, expression: &str) -> Vec<String> {
    let graph = read(&format!(
        "{text}\nResources:\n  R:\n    Type: T::T::T\n    Properties:\n      V: {expression}\n"
    ));
    match graph.at("R").unwrap().1.attributes.get("V") {
        Some(Attribute::Unknown(unknown)) => unknown.branches.iter().map(Attribute::shown).collect(),
        other => panic!("{other:?}"),
    }
}

const INPUTS: &str = "
Parameters:
  Free: {Type: String, Default: 'true'}
  Two: {Type: String, AllowedValues: [dev, prod]}
  Only: {Type: String, AllowedValues: [one]}
Mappings:
  M:
    dev: {Size: 1, Name: x}
    prod: {Size: 2, Name: x}
Conditions:
  IsProd: !Equals [!Ref Two, prod]
  IsOther: !Equals [!Ref Two, other]
  IsOne: !Equals [!Ref Only, one]
  NotOne: !Not [!Condition IsOne]
  Both: !And [!Condition IsProd, !Condition IsOne]
  Either: !Or [!Condition IsOther, !Condition NotOne]
  Circle: !Not [!Condition Circle]
  InAccount: !Equals [!Ref 'AWS::AccountId', '111122223333']";

#[test]
fn functions_of_known_values_are_carried_out() {
    for (expression, wanted) in [
        ("!Join [':', [a, !Ref Only, 1]]", "\"a:one:1\""),
        ("!Sub '${Only}-${!Only}-$x'", "\"one-${Only}-$x\""),
        ("!Sub ['${A}.${Only}', {A: b}]", "\"b.one\""),
        ("!Select [1, [a, b]]", "\"b\""),
        ("!Select ['1', !Split ['-', 'a-b']]", "\"b\""),
        ("!FindInMap [M, dev, Size]", "1"),
        ("!FindInMap [M, !Ref Two, Name]", "\"x\""),
        ("!Length [a, b]", "[\"a\", \"b\"]"),
        ("{'Fn::Length': [a, b]}", "2"),
        ("!Base64 secret", "\"secret\""),
        ("!If [IsOne, yes it is, no]", "\"yes it is\""),
        ("!If [NotOne, a, b]", "\"b\""),
        ("!If [IsOther, a, b]", "\"b\""),
        ("!If [Either, a, b]", "\"b\""),
        ("!If [IsProd, a, a]", "\"a\""),
        ("[a, !Ref 'AWS::NoValue', b]", "[\"a\", \"b\"]"),
        ("!Ref AWS::NoValue", "not set"),
        (
            "!Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'",
            "\"arn:${AWS::Partition}:iam::${AWS::AccountId}:root\"",
        ),
        ("'true'", "\"true\""),
    ] {
        let expression_in = if expression.starts_with("!Length") { "[a, b]" } else { expression };
        assert_eq!(value(INPUTS, expression_in), wanted, "{expression}");
    }
}

#[test]
fn every_value_that_an_expression_can_take_is_a_branch() {
    for (expression, wanted) in [
        ("!Ref Two", vec!["\"dev\"", "\"prod\""]),
        ("!If [IsProd, true, false]", vec!["true", "false"]),
        ("!If [Both, true, !Ref 'AWS::NoValue']", vec!["true", "null"]),
        ("!If [InAccount, 1, 2]", vec!["1", "2"]),
        ("!If [Circle, 1, 2]", vec!["1", "2"]),
        ("!FindInMap [M, !Ref Two, Size]", vec!["1", "2"]),
        ("!FindInMap [M, !Ref 'AWS::Region', Size]", vec!["1", "2"]),
        ("!Sub '${Two}-db'", vec!["\"dev-db\"", "\"prod-db\""]),
        ("!If [IsProd, !Ref Two, 1]", vec!["\"dev\"", "\"prod\"", "1"]),
    ] {
        assert_eq!(branches(INPUTS, expression), wanted, "{expression}");
    }
}

#[test]
fn fails_closed_what_is_not_known_is_never_a_fact() {
    for (expression, wanted) in [
        ("!Ref Free", "(the value of an input was not given: !Ref Free, whose default is \"true\")"),
        ("!Sub '${Free}x'", "(the value of an input was not given: !Sub ${Free}x)"),
        ("!Ref AWS::Region", "(the value of an input was not given: !Ref AWS::Region)"),
        ("!ImportValue shared", "(held by another deployment: !ImportValue shared)"),
        ("!GetAtt S.Outputs.Key", "(held by another deployment: !GetAtt S.Outputs.Key)"),
        ("!GetAtt K.Arn", "(known after apply: !GetAtt K.Arn)"),
        ("!GetAtt [K, Arn]", "(known after apply: !GetAtt K.Arn)"),
        ("!Ref Gone", "(refers to something that is not declared: !Ref Gone)"),
        ("!FindInMap [M, test, Size]", "(refers to something that is not declared: !FindInMap M)"),
        ("!Select [5, [a]]", "(refers to something that is not declared: !Select 5)"),
        ("!Cidr [10.0.0.0/16, 2, 8]", "(an expression that Ward does not evaluate: !Cidr 10.0.0.0/16)"),
        ("!Nonsense x", "(an expression that Ward does not evaluate: Fn::Nonsense)"),
        ("{'Fn::Transform': {Name: X}}", "(a macro or module that was not at hand: Fn::Transform)"),
        ("{'Fn::Transform': {Name: X}, A: 1}", "(a macro or module that was not at hand: Fn::Transform)"),
        ("{'Fn::ForEach::X': [], A: 1}", "(a macro or module that was not at hand: Fn::Transform)"),
        ("'{{resolve:ssm:enc}}'", "(held by another deployment: {{resolve:ssm:enc}})"),
        ("!Sub '{{resolve:ssm:${Only}}}'", "(held by another deployment: {{resolve:ssm:one}})"),
        (
            "!Sub '{{resolve:secretsmanager:${K}}}'",
            "(held by another deployment: !Sub {{resolve:secretsmanager:${K}}})",
        ),
        ("{'Fn::Join': ['', ['{{resolve:ssm:', !Ref K, '}}']]}", "(held by another deployment: !Join \"\")"),
        (
            "!ImportValue {'Fn::Sub': '${Only}-key'}",
            "(held by another deployment: !ImportValue !Sub ${Only}-key)",
        ),
    ] {
        assert_eq!(value(INPUTS, expression), wanted, "{expression}");
    }
}

#[test]
fn fails_closed_a_custom_resource_may_say_nothing() {
    let graph =
        read("Resources:\n  C: {Type: 'Custom::Thing'}\n  R: {Type: T, Properties: {V: !GetAtt C.Arn}}\n");
    let expression = &graph.at("R").unwrap().1.expressions[0];
    assert_eq!(expression.references[0].to, Referent::Computed);
}

#[test]
fn references_stand_at_their_paths() {
    let graph = read(
        "
Resources:
  B: {Type: AWS::S3::Bucket}
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref B
      Rules: [{Key: !If [C, !Ref B, !Ref 'AWS::NoValue']}]
",
    );
    let (_, policy) = graph.at("P").unwrap();
    let references =
        |path: &str| policy.references_of(path).flat_map(|all| all.iter()).cloned().collect::<Vec<_>>();
    let [bucket] = &references("Bucket")[..] else { panic!("{:?}", policy.expressions) };
    let Referent::Block(block) = &bucket.to else { panic!("{bucket:?}") };
    assert_eq!((&*block.kind, &*block.name), ("AWS::S3::Bucket", "B"));
    // Perhaps it points there: so it is not certain.
    assert!(references("Rules").iter().any(|reference| reference.to == Referent::Computed));
}

#[test]
fn fails_closed_a_condition_makes_a_resource_uncertain() {
    let graph = read(&format!(
        "{INPUTS}
Resources:
  Sometimes: {{Type: T, Condition: IsProd, Properties: {{V: !If [IsProd, 1, 2], W: !If [Both, 1, 2]}}}}
  Always: {{Type: T, Condition: IsOne, Properties: {{V: !If [IsProd, 1, 2]}}}}
  Never: {{Type: T, Condition: NotOne}}
  OfBoth: {{Type: T, Condition: Both, Properties: {{V: !If [IsProd, 1, 2]}}}}
"
    ));
    let condition = |name: &str| graph.at(name).unwrap().1.condition.as_deref().map(str::to_owned);
    assert_eq!(condition("Sometimes").as_deref(), Some("IsProd"));
    assert_eq!(condition("Always"), None);
    assert!(graph.at("Never").is_none());
    assert_eq!(graph.notes().len(), 1);
    // Where the resource is, its own condition holds, and each part of it.
    assert_eq!(shown(&graph, "Sometimes", "V"), ["1"]);
    assert_eq!(shown(&graph, "OfBoth", "V"), ["1"]);
    assert!(shown(&graph, "Sometimes", "W")[0].starts_with("(the value of an input"));
    assert!(shown(&graph, "Always", "V")[0].starts_with("(the value of an input"));
    let (_, sometimes) = graph.at("Sometimes").unwrap();
    let (_, always) = graph.at("Always").unwrap();
    assert!(!sometimes.is_there_with(always));
    assert!(always.is_there_with(sometimes) && sometimes.is_there_with(sometimes));
}

#[test]
fn fails_closed_what_may_be_empty_is_not_set() {
    for expression in [
        "[!If [IsProd, {A: 1}, !Ref 'AWS::NoValue']]",
        "{A: !If [IsProd, 1, !Ref 'AWS::NoValue']}",
        "!If [IsProd, [a], []]",
        "!If [IsProd, {A: 1}, !Ref 'AWS::NoValue']",
    ] {
        assert!(branches(INPUTS, expression).is_empty(), "{expression}");
    }
    let certain = value(INPUTS, "[a, !If [IsProd, {A: 1}, !Ref 'AWS::NoValue']]");
    assert_eq!(certain, "[\"a\", (the value of an input was not given)]");
}

#[test]
fn fails_closed_what_deploys_more_than_the_template_blocks() {
    for text in [
        "Transform: AWS::Serverless-2016-10-31\nResources: {}\n",
        "Transform: [AWS::LanguageExtensions, Mine]\nResources: {}\n",
        "Transform: {Name: 'AWS::Include'}\nResources: {}\n",
        "Resources:\n  S: {Type: AWS::CloudFormation::Stack}\n",
        "Resources:\n  S: {Type: AWS::Serverless::Function}\n",
        "Resources:\n  S: {Type: My::Own::Thing::MODULE}\n",
        "Resources:\n  S: {Properties: {}}\n",
        "Resources:\n  S: {Type: T, Properties: !Transform {Name: X}}\n",
        "Resources:\n  S: {Type: T, 'Fn::Transform': {Name: X}}\n",
        "Resources:\n  'Fn::Transform': {Name: X}\n",
        "Resources:\n  'Fn::ForEach::L': [X, !Ref Names, {'${X}': {Type: T}}]\n",
    ] {
        assert_eq!(read(text).notes().iter().filter(|note| note.blocks).count(), 1, "{text}");
    }
    assert!(read("Transform: AWS::LanguageExtensions\nResources: {}\n").notes().is_empty());
}

#[test]
fn loops_over_resources_are_written_out() {
    let graph = read(
        "
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Outer:
    - X
    - [a-1, b]
    - Fn::ForEach::Inner:
        - Y
        - [c]
        - 'T&{X}${Y}': {Type: T, Properties: {Name: !Ref X, Text: !Sub '${X}/${Y}'}}
",
    );
    assert_eq!(graph.len(), 2);
    assert_eq!(shown(&graph, "Ta1c", "Name"), ["\"a-1\""]);
    assert_eq!(shown(&graph, "Tbc", "Text"), ["\"b/c\""]);
}

#[test]
fn fails_closed_loops_that_multiply_are_left_out_and_block() {
    let items = (0..2000).map(|at| format!("x{at}")).collect::<Vec<_>>().join(", ");
    let mut body = "{'T${A}${B}': {Type: T}}".to_owned();
    for name in ["A", "B"] {
        body = format!("{{'Fn::ForEach::{name}': [{name}, [{items}], {body}]}}");
    }
    let graph = read(&format!("Resources: {body}\n"));
    assert!(graph.notes().iter().any(|note| note.blocks));
}

#[test]
fn both_writings_give_one_graph() {
    let yaml = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    Properties:\n      \
                Name: !Sub '${AWS::StackName}-x'\n      Key: !GetAtt K.Arn\n  K: {Type: AWS::KMS::Key}\n";
    let json = r#"{"Resources": {
        "B": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {
            "Name": {"Fn::Sub": "${AWS::StackName}-x"}, "Key": {"Fn::GetAtt": ["K", "Arn"]}}},
        "K": {"Type": "AWS::KMS::Key"}}}"#;
    let bucket = |text: &str| read(text).at("B").unwrap().1.attributes.clone();
    assert_eq!(bucket(yaml), bucket(json));
    assert_eq!(bucket(yaml).get("deletion_policy"), Some(&"Retain".into()));
    assert_eq!(read(json).at("K").unwrap().1.place.as_ref().unwrap().line, 4);
}

#[test]
fn a_password_that_is_written_out_is_not_shown() {
    let graph = read(
        "
Parameters:
  P: {Type: String, Default: hunter2}
Resources:
  D:
    Type: AWS::RDS::DBInstance
    Properties: {MasterUserPassword: hunter2, A: {SecretString: !Sub 'hunter2-${P}'}, B: {Token: !Ref P}}
",
    );
    let (_, database) = graph.at("D").unwrap();
    assert!(!format!("{database:?}").contains("hunter2"), "{database:?}");
    assert_eq!(shown(&graph, "D", "MasterUserPassword"), ["(sensitive value, not shown)"]);
}

#[test]
fn a_text_that_is_no_template_is_refused() {
    for text in ["", "a: 1\n", "Resources: [1]\n", "Resources: {}\n---\nResources: {}\n", "a: [1\n"] {
        assert!(read_cloudformation("t", text).is_err(), "{text}");
    }
}

#[test]
fn fails_closed_expressions_that_multiply_are_refused() {
    // Each level says the one below it ten times.
    let mut text = String::from("Resources:\n  R:\n    Type: T\n    Properties:\n      V: ");
    for _ in 0..14 {
        text.push_str("!Sub ['${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}', {a: ");
    }
    text.push('x');
    text.push_str(&"}]".repeat(14));
    let error = read_cloudformation("t", &text).unwrap_err();
    assert!(error.to_string().contains("come to more than"), "{error}");
}

#[test]
fn fails_closed_what_leads_on_and_on_is_open() {
    let chain = |count: usize| {
        let mut text = String::from("Conditions:\n");
        for at in 0..count {
            text.push_str(&format!("  C{at}: !Or [!Condition C{}, !Condition C{}]\n", at + 1, at + 1));
        }
        text.push_str(&format!("  C{count}: !Equals [a, a]\n"));
        text + "Resources:\n  R: {Type: T, Condition: C0, Properties: {V: !If [C0, 1, 2]}}\n"
    };
    assert_eq!(read(&chain(crate::limits::MAX_REFERENCE_STEPS - 1)).at("R").unwrap().1.condition, None);
    let far = read(&chain(crate::limits::MAX_REFERENCE_STEPS));
    assert_eq!(far.at("R").unwrap().1.condition.as_deref(), Some("C0"));
    assert_eq!(read(&chain(20_000)).len(), 1);
    // A map that leads to itself, and braces without an end.
    let circle = "Mappings: {M: {a: {b: !FindInMap [M, a, b]}}}";
    assert!(value(circle, "!FindInMap [M, a, b]").starts_with("(an expression that Ward"));
    assert_eq!(
        value("", &format!("!Sub '{}'", "${".repeat(100_000))).len(),
        crate::limits::MAX_SHOWN_CHARS + "…".len()
    );
}

#[test]
fn fails_closed_conditions_that_nest_one_another_too_deep_are_open() {
    // Each condition adds its own nesting to the one that asks.
    let text = |levels: usize| {
        let mut text = String::from("Conditions:\n");
        for at in 0..levels {
            let join = "!Join ['', [".repeat(25);
            let close = "]]".repeat(25);
            text.push_str(&format!("  C{at}: !Equals [{join}!If [C{}, a, b]{close}, a]\n", at + 1));
        }
        text.push_str(&format!("  C{levels}: !Equals [a, a]\n"));
        text + "Resources:\n  R: {Type: T, Condition: C0}\n"
    };
    assert_eq!(read(&text(7)).at("R").unwrap().1.condition, None);
    assert_eq!(read(&text(8)).at("R").unwrap().1.condition.as_deref(), Some("C0"));
}

#[test]
fn bytes_at_the_limit_and_one_past() {
    let padded = |len: usize| {
        let text = "Resources: {}\n".to_owned();
        let room = len - text.len();
        text + &"\n".repeat(room)
    };
    assert!(read_cloudformation("t", &padded(MAX_TEMPLATE_BYTES)).is_ok());
    assert!(read_cloudformation("t", &padded(MAX_TEMPLATE_BYTES + 1)).is_err());
}

#[test]
fn the_reason_that_has_to_be_told_is_the_worse_one() {
    let graph = read(
        "Resources:\n  K: {Type: T}\n  R: {Type: T, Properties: {V: !If [C, !GetAtt K.Arn, !ImportValue x]}}\n",
    );
    let Some(Attribute::Unknown(unknown)) = graph.at("R").unwrap().1.attributes.get("V") else { panic!() };
    assert_eq!(unknown.reason, Reason::Elsewhere);
    assert_eq!(unknown.references.len(), 2);
}
