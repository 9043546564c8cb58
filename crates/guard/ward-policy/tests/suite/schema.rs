//! The files of `policies` against their JSON schemas, and the reader against both: what the schema
//! refuses, the reader refuses too.

use serde_json::{Map, Value, json};
use std::path::PathBuf;
use ward_policy::law::{read_instrument, read_requirements};
use ward_policy::rules::{read_defaults, read_rules};
use ward_policy::yaml::{YamlNode, YamlValue, read_yaml};
use ward_policy::{BuiltinFile, DEFAULTS_FILE, LAW_FILES, REQUIREMENTS_FILE, RULE_FILES};

fn folder(part: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../policies")).join(part)
}

fn schema(name: &str) -> Value {
    let text = std::fs::read_to_string(folder("schema").join(format!("{name}.schema.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// YAML as JSON, by the core schema.
fn as_json(node: &YamlNode) -> Value {
    match &node.value {
        YamlValue::Scalar { text, .. } => match node.scalar() {
            Some(ward_policy::graph::Attribute::Bool(flag)) => json!(flag),
            Some(ward_policy::graph::Attribute::Number(number)) => json!(number),
            Some(ward_policy::graph::Attribute::Null) => Value::Null,
            _ => json!(text),
        },
        YamlValue::Sequence(items) => items.iter().map(as_json).collect(),
        YamlValue::Mapping(entries) => {
            let entry =
                |(key, value): &(YamlNode, YamlNode)| (key.as_text().unwrap().to_owned(), as_json(value));
            Value::Object(entries.iter().map(entry).collect::<Map<_, _>>())
        }
    }
}

/// The first fault of a value. Keywords that are not used here are refused, so that none is overlooked.
fn fault(value: &Value, schema: &Value, root: &Value, at: &str) -> Option<String> {
    schema.as_object().unwrap().iter().find_map(|(keyword, asked)| match keyword.as_str() {
        "$schema" | "title" | "description" | "$defs" => None,
        "$ref" => {
            let name = asked.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            fault(value, &root["$defs"][name], root, at)
        }
        "type" => {
            let is_one = |name: &Value| is_of_type(value, name.as_str().unwrap());
            let fits = asked.as_array().map_or_else(|| is_one(asked), |names| names.iter().any(is_one));
            (!fits).then(|| format!("{at}: {value} is not {asked}"))
        }
        "const" => {
            let same = value == asked || (value.as_f64().is_some() && value.as_f64() == asked.as_f64());
            (!same).then(|| format!("{at}: {value} is not {asked}"))
        }
        "enum" => {
            (!asked.as_array().unwrap().contains(value)).then(|| format!("{at}: {value} is none of {asked}"))
        }
        "minLength" => value.as_str().is_some_and(str::is_empty).then(|| format!("{at}: empty")),
        "minItems" => value.as_array().is_some_and(Vec::is_empty).then(|| format!("{at}: empty")),
        "required" => {
            let names = asked.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let mut missing = names.filter(|name| value.is_object() && value.get(name).is_none());
            missing.next().map(|name| format!("{at}: {name} is missing"))
        }
        "additionalProperties" => {
            assert_eq!(asked, &json!(false));
            let known = schema["properties"].as_object().unwrap();
            let mut names = value.as_object().into_iter().flat_map(Map::keys);
            names.find(|name| !known.contains_key(*name)).map(|name| format!("{at}: {name} is not known"))
        }
        "properties" => asked.as_object().unwrap().iter().find_map(|(name, inner)| {
            value.get(name).and_then(|value| fault(value, inner, root, &format!("{at}.{name}")))
        }),
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .find_map(|(place, item)| fault(item, asked, root, &format!("{at}[{place}]"))),
        "oneOf" => {
            let faults: Vec<_> =
                asked.as_array().unwrap().iter().map(|one| fault(value, one, root, at)).collect();
            let fitting = faults.iter().filter(|fault| fault.is_none()).count();
            (fitting != 1).then(|| format!("{at}: {value} fits {fitting} of the choices"))
        }
        other => panic!("this reader does not know the keyword {other}"),
    })
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

fn fault_of(text: &str, schema: &Value) -> Option<String> {
    fault(&as_json(&read_yaml(text).unwrap()[0]), schema, schema, "")
}

#[test]
fn every_file_of_policies_fits_its_schema() {
    let check = |files: &[BuiltinFile], name: &str| {
        let schema = schema(name);
        for file in files {
            assert_eq!(fault_of(file.text, &schema), None, "{}", file.name);
        }
    };
    check(RULE_FILES, "rules");
    check(LAW_FILES, "law");
    check(&[*REQUIREMENTS_FILE], "requirements");
    check(&[*DEFAULTS_FILE], "defaults");
}

#[test]
fn every_file_of_policies_is_part_of_the_program() {
    let names = |part: &str, files: &[BuiltinFile]| {
        let mut there: Vec<String> = std::fs::read_dir(folder(part))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            // What other tools' test cases expect is for tests alone.
            .filter(|name| name.ends_with(".yaml") && name != "disputed.yaml")
            .collect();
        there.sort();
        let mut known: Vec<String> =
            files.iter().map(|file| file.name.rsplit('/').next().unwrap().to_owned()).collect();
        known.sort();
        assert_eq!(there, known);
    };
    names("law", LAW_FILES);
    let top: Vec<BuiltinFile> =
        RULE_FILES.iter().chain([DEFAULTS_FILE, REQUIREMENTS_FILE]).copied().collect();
    names("", &top);
}

#[test]
fn the_schema_and_the_reader_refuse_the_same() {
    let rule = |cell: &str| {
        format!(
            "version: 1\narea: a\ntitle: A\nrules:\n  - id: W-001\n    title: T\n    severity: high\n    \
             requirements: [r]\n    cells:\n      - {{types: [t], expected: e, check: {cell}}}\n"
        )
    };
    let schema = schema("rules");
    for cell in [
        "{path: a, equals: true}",
        "{path: [a, 'b.c'], over: some, in: [1, two]}",
        "{all: [{path: a, set: true}, {any: [{policy: p, asks: tls-required}]}]}",
        "{blocks: b, over: none, where: {path: c, cidr: private}}",
        "{companion: {types: [x], by: y, own: [id], over: every, where: {path: c, at_least: 7}}}",
        "{target: {path: p, types: x}}",
        "{present: {types: [x], owed: true}}",
        "{document: d, where: {path: a, contains: b}}",
        "{addresses: {from: a, to: b, at_most: 256}}",
        "{path: a, own_key: true}",
    ] {
        assert_eq!(fault_of(&rule(cell), &schema), None, "{cell}");
        assert!(read_rules("f", &rule(cell)).is_ok(), "{cell}: {:?}", read_rules("f", &rule(cell)).err());
    }
    for cell in [
        "{path: a}",
        "{path: a, equals: true, set: true}",
        "{path: a, equals: null}",
        "{path: a, equals: [1]}",
        "{path: a, over: none, equals: 1}",
        "{path: a, at_least: seven}",
        "{path: a, in: []}",
        "{path: a, matches: x}",
        "{not: {path: a, set: true}}",
        "{all: []}",
        "{blocks: b}",
        "{blocks: b, over: most, where: {path: c, set: true}}",
        "{policy: p, asks: anything}",
        "{companion: {types: [x]}}",
        "{present: {types: [x], owed: 1}}",
        "{addresses: {from: a, to: b}}",
        "{path: a, own_key: false}",
        "{addresses: {from: a, to: b, at_most: few}}",
        "[]",
    ] {
        assert!(fault_of(&rule(cell), &schema).is_some(), "{cell}");
        assert!(read_rules("f", &rule(cell)).is_err(), "{cell}");
    }
    let whole = rule("{path: a, equals: true}");
    for (from, to) in [
        ("version: 1", "version: 2"),
        ("severity: high", "severity: dire"),
        ("    title: T\n", ""),
        ("area: a", "area: a\nowner: me"),
        ("requirements: [r]", "requirements: []"),
    ] {
        assert!(whole.contains(from));
        let text = whole.replacen(from, to, 1);
        assert!(fault_of(&text, &schema).is_some(), "{to}");
        assert!(read_rules("f", &text).is_err(), "{to}");
    }
}

#[test]
fn faults_of_law_and_defaults_are_told_with_their_line() {
    let hash = "0".repeat(64);
    let law = format!(
        "version: 1\ninstrument: I\nname: N\ncitations:\n  - key: k\n    cite: C\n    title: T\n    strength: required\n    \
         summary: S\n    effective: 2013-03-26\n    source: https://example.org\n    text_sha256: '{hash}'\n    verified: false\n"
    );
    assert!(read_instrument("law.yaml", &law).is_ok());
    for (from, to, line) in [
        ("strength: required", "strength: R", "law.yaml:8"),
        ("2013-03-26", "26 March 2013", "law.yaml:5"),
        (&*hash, "ABC", "law.yaml:5"),
        ("verified: false", "verified: soon", "law.yaml:5"),
        ("    cite: C\n", "", "law.yaml:5"),
    ] {
        let error = read_instrument("law.yaml", &law.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(line), "{to}: {error}");
    }
    let requirement = "version: 1\nrequirements:\n  - {name: n, title: t, consequence: c, citations: [{citation: k, relation: helps, rationale: r}]}\n";
    assert!(read_requirements("r.yaml", requirement).unwrap_err().to_string().starts_with("r.yaml:3"));
    for default in
        ["{types: [t], path: p, note: n}", "{types: [t], path: p, value: 1, depends: true, note: n}"]
    {
        let text = format!("version: 1\ndefaults:\n  - {default}\n");
        assert!(read_defaults("d.yaml", &text).is_err(), "{default}");
        assert!(fault_of(&text, &schema("defaults")).is_some(), "{default}");
    }
}
