//! Inputs to begin with: the project's instruments and vectors, and files from elsewhere where the
//! machine has them. Those are read and never kept with the project.

use serde_json::Value;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use ward_forms::{Questionnaire, QuestionnaireResponse, ResponseStatus, encode_answers};
use ward_sync::MlogEntry;

/// Longest seed: what the fuzzer would cut off is no JSON any more.
const SEED_BYTES: usize = 16_384;
/// Formats that the target of envelopes chooses from by its first byte, and those of notes.
const ENVELOPE_FORMATS: u8 = 13;
const NOTE_FORMATS: u8 = 4;

type Seeds = BTreeSet<Vec<u8>>;
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The inputs of one target.
pub fn of(target: &str, corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut seeds = match target {
        "questionnaire" => questionnaires(corpora)?,
        "response" => responses(corpora)?,
        "expression" => expressions(corpora)?,
        "alert_rules" => alert_rules()?,
        "dense_answers" => dense_answers()?,
        "envelope" => envelopes()?,
        "payload" => payloads()?,
        "mlog_entry" => mlog_entries()?,
        "text_edits" => text_edits()?,
        "note" => notes()?,
        "terraform_source" => terraform_sources(corpora)?,
        "plan" => policy_files(corpora, "plans", &["json"])?,
        "cloudformation" => policy_files(corpora, "aws-templates", &["json", "yaml", "yml", "template"])?,
        "manifests" => manifests(corpora)?,
        "own_rules" => own_rules()?,
        _ => Seeds::new(),
    };
    seeds.retain(|seed| seed.len() <= SEED_BYTES);
    Ok(seeds)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixture(name: &str) -> Outcome<Vec<u8>> {
    Ok(fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name))?)
}

fn vector(file: &str) -> Outcome<Value> {
    Ok(serde_json::from_slice(&fs::read(root().join("crates/core").join(file))?)?)
}

/// JSON files below a folder.
fn json_files(folder: &Path) -> Outcome<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(json_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(fs::read(&path)?);
        }
    }
    Ok(files)
}

fn foreign_files(corpora: Option<&Path>) -> Outcome<Vec<Vec<u8>>> {
    corpora.map_or(Ok(Vec::new()), |folder| json_files(&folder.join("forms")))
}

/// JSON without the blanks between its parts: more of it fits into an input.
fn compact(json: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(json).ok()?;
    serde_json::to_vec(&value).ok()
}

fn followed_by(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}

fn questionnaires(corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut files = json_files(&root().join("testdata/instruments"))?;
    files.push(fixture("every-type.json")?);
    files.extend(foreign_files(corpora)?);
    let is_form = |json: &&Vec<u8>| Questionnaire::parse(json).is_ok();
    let with_choices = |json: Vec<u8>| {
        let choices: [&[u8]; 3] = [b"", b"\x05\x09\x01\x07\x02\x0b", b"\x03\x03\x03\x03"];
        choices.map(|choices| followed_by(&[&json, choices]))
    };
    Ok(files.iter().filter(is_form).filter_map(|json| compact(json)).flat_map(with_choices).collect())
}

fn responses(corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut files = vec![fixture("every-type-answered.json")?];
    files.extend(foreign_files(corpora)?);
    let forms: Vec<Questionnaire> = files.iter().filter_map(|json| Questionnaire::parse(json).ok()).collect();
    let mut seeds = Seeds::new();
    for json in files.iter().filter_map(|json| compact(json)) {
        let Ok(response) = QuestionnaireResponse::parse(&json) else { continue };
        let named = response.questionnaire().unwrap_or_default();
        let form =
            forms.iter().find(|form| form.url() == Some(named) || form.canonical().as_deref() == Some(named));
        if let Some(form) = form.and_then(|form| compact(form.as_json())) {
            seeds.insert(followed_by(&[&json, &form]));
        }
        seeds.insert(json);
    }
    Ok(seeds)
}

const EXPRESSIONS: [&str; 12] = [
    "%resource.item.where(linkId = 'yes').answer.value",
    "item.item.where(linkId = 'decimal').answer.value * 2 + 1.50",
    "descendants().where(linkId = 'tried').answer.value.code.distinct().join(', ')",
    "iif(item.answer.value.ofType(Quantity).exists(), 70.5 'kg', {})",
    "item.aggregate($this.answer.count() + $total, 0)",
    "item.repeat(item).select($index + 1).sum()",
    "@2024-02-29 + 1 year = @2025-02-28 and today() > @2026-01 and now() is dateTime",
    "'a,b'.split(',').select('<' & $this & '>').join('').replaceMatches('[<>]', '')",
    "(1 | 2 | 3).where($this > 1).skip(1).first() div 2 mod 3",
    "defineVariable('x', item.first()).select(%x.linkId)",
    "-(3.14159.round(2).power(2)) ~ 9.9 'cm'.toQuantity() implies true xor false",
    "item.answer.value.ordinal().sum() + %questionnaire.item.count()",
];

fn expressions(corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut texts: BTreeSet<String> = EXPRESSIONS.iter().map(|text| (*text).to_owned()).collect();
    for json in foreign_files(corpora)? {
        if let Ok(value) = serde_json::from_slice(&json) {
            strings(&value, Some("expression"), &mut texts);
        }
    }
    if let Some(folder) = corpora.map(|folder| folder.join("forms/fhirpath")).filter(|folder| folder.is_dir())
    {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "xml") {
                texts.extend(in_tags(&fs::read_to_string(&path)?));
            }
        }
    }
    Ok(texts.into_iter().map(String::into_bytes).collect())
}

/// What stands between `<expression ...>` and its end.
fn in_tags(xml: &str) -> Vec<String> {
    let plain = |text: &str| {
        let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let after = |part: &str| Some(plain(part.split_once('>')?.1.split_once("</expression>")?.0));
    xml.split("<expression").skip(1).filter_map(after).collect()
}

/// Every text in JSON; with a field, only texts of that field.
fn strings(value: &Value, field: Option<&str>, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if field.is_none() => drop(found.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| strings(value, field, found)),
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(text) = value.as_str().filter(|_| field == Some(name)) {
                    found.insert(text.to_owned());
                }
                strings(value, field, found);
            }
        }
        _ => {}
    }
}

fn alert_rules() -> Outcome<Seeds> {
    let rules = compact(&fixture("alert-rules.json")?).ok_or("the rules are JSON")?;
    let choices: [&[u8]; 4] =
        [b"", b"\x05\x00\x02", b"\x05\x00\x00\x01\x00\x00\x00", b"\x03\x01\x01\x0b\x0b\x0b"];
    Ok(choices.iter().map(|choices| followed_by(&[&rules, choices])).collect())
}

fn dense_answers() -> Outcome<Seeds> {
    let form = Questionnaire::parse(&fixture("every-type.json")?)?;
    let json = fixture("every-type-answered.json")?;
    let mut seeds = Seeds::new();
    // A number may be written in a way that the dense form does not give back.
    for json in [json.clone(), String::from_utf8(json)?.replace("1.50", "1.5").into_bytes()] {
        let response = QuestionnaireResponse::parse(&json)?;
        for (choice, status) in [(1, ResponseStatus::Completed), (3, ResponseStatus::Amended)] {
            let dense = encode_answers(&form, status, &response);
            seeds.extend(dense.map(|dense| [vec![choice], dense].concat()));
        }
    }
    seeds.extend((0..6).map(|choice| vec![choice, 0xa1, 0x00, 0x80]));
    Ok(seeds)
}

/// Every text of hexadecimal digits in the vectors of a crate, as bytes.
fn hexadecimal(files: &[PathBuf]) -> Outcome<Seeds> {
    let mut texts = BTreeSet::new();
    for file in files {
        strings(&serde_json::from_slice(&fs::read(file)?)?, None, &mut texts);
    }
    Ok(texts.iter().filter_map(|text| bytes(text)).collect())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn vectors_of(krate: &str) -> Outcome<Vec<PathBuf>> {
    let folder = root().join("crates/core").join(krate).join("vectors");
    let paths: Result<Vec<PathBuf>, _> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths?)
}

fn envelopes() -> Outcome<Seeds> {
    let mut files = vectors_of("ward-crypto")?;
    files.extend(vectors_of("ward-audit")?);
    let mut bodies = hexadecimal(&files)?;
    let ticket = vector("ward-crypto/vectors/ticket.json")?;
    bodies.extend(ticket.get("text").and_then(Value::as_str).map(|text| text.as_bytes().to_vec()));
    bodies.insert([b"content".as_slice(), &[0x80], &[0; 248]].concat());
    let chosen =
        |body: Vec<u8>| (0..ENVELOPE_FORMATS).map(move |format| [vec![format], body.clone()].concat());
    Ok(bodies.into_iter().flat_map(chosen).collect())
}

fn payloads() -> Outcome<Seeds> {
    let entries = vector("ward-sync/vectors/entries.json")?;
    let frame_choice = u8::try_from(ward_sync::EntryKind::ALL.len() + 1)?;
    let mut seeds = Seeds::new();
    for entry in entries.as_array().into_iter().flatten() {
        let number = |field: &str| entry.get(field)?.as_u64().and_then(|number| u8::try_from(number).ok());
        let part = |field: &str| entry.get(field)?.as_str().and_then(bytes);
        let (Some(kind), Some(version)) = (number("kind"), number("version")) else { continue };
        seeds.extend(part("payload").map(|payload| [vec![kind, version], payload].concat()));
        let Some(frame) = part("frame") else { continue };
        // A stored entry is an array of its frame, the algorithm and the signature.
        let signature = [vec![0x01, 0x58, 0x40], vec![0x55; 64]].concat();
        seeds.insert([vec![0, 0, 0x83], frame.clone(), signature].concat());
        seeds.insert([vec![frame_choice, 0], frame].concat());
    }
    Ok(seeds)
}

fn mlog_entries() -> Outcome<Seeds> {
    let entries = vector("ward-sync/vectors/mlog.json")?;
    let mut seeds = Seeds::new();
    for entry in entries.as_array().into_iter().flatten() {
        let Some(bytes) = entry.get("entry").and_then(Value::as_str).and_then(bytes) else { continue };
        if let Ok(body) = MlogEntry::read(&bytes).and_then(|entry| entry.decode_body()) {
            seeds.insert([vec![body.kind().number()], body.encode()].concat());
        }
        seeds.insert([vec![0], bytes].concat());
    }
    Ok(seeds)
}

fn text_edits() -> Outcome<Seeds> {
    let vectors = vector("ward-text/vectors/edits.json")?;
    let edits: Vec<Vec<u8>> = vectors
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|vector| vector.get("edit")?.as_str().and_then(bytes))
        .filter(|edit| edit.len() < 256)
        .collect();
    let framed = |knew: u8| {
        let one = |(place, edit): (usize, &Vec<u8>)| {
            let author = u8::try_from(place % 4).unwrap_or_default();
            [vec![u8::try_from(edit.len()).unwrap_or_default(), author, knew], edit.clone()].concat()
        };
        edits.iter().enumerate().map(one).collect::<Vec<_>>().concat()
    };
    Ok([0, 255, 0x10, 0x21].into_iter().map(framed).collect())
}

fn notes() -> Outcome<Seeds> {
    let mut texts = BTreeSet::new();
    for file in vectors_of("ward-audit")? {
        strings(&serde_json::from_slice(&fs::read(file)?)?, None, &mut texts);
    }
    texts.insert("ward.example/site/olog".to_owned());
    let lines: Vec<String> = texts.iter().flat_map(|text| text.lines().map(str::to_owned)).collect();
    texts.extend(lines);
    let chosen = |text: String| {
        (0..NOTE_FORMATS).map(move |format| [vec![format], text.clone().into_bytes()].concat())
    };
    Ok(texts.into_iter().flat_map(chosen).collect())
}

/// The inputs that are kept, and each configuration file from elsewhere, with an open variable behind it.
fn terraform_sources(corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut seeds = Seeds::new();
    for entry in fs::read_dir(root().join("testdata/fuzz/terraform_source"))? {
        seeds.insert(fs::read(entry?.path())?);
    }
    let mut folders: Vec<PathBuf> = corpora.map(|corpora| corpora.join("policy")).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "tf") {
                seeds.insert([&*fs::read(path)?, b"\nvariable \"w\" {}\n"].concat());
            }
        }
    }
    Ok(seeds)
}

/// Manifests of the project and from elsewhere.
fn manifests(corpora: Option<&Path>) -> Outcome<Seeds> {
    let mut seeds = policy_files(corpora, "kubernetes-goat", &["json", "yaml", "yml"])?;
    for entry in fs::read_dir(root().join("deploy/kubernetes"))? {
        seeds.insert(fs::read(entry?.path())?);
    }
    Ok(seeds)
}

/// Each of Ward's own rules, with another id, as a file of its own.
fn own_rules() -> Outcome<Seeds> {
    const RULE: &str = "\n  - id: W-";
    let mut seeds = Seeds::new();
    for entry in fs::read_dir(root().join("policies"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = fs::read_to_string(path)?;
        let mut parts = text.split(RULE);
        let head = parts.next().unwrap_or_default();
        seeds.extend(parts.map(|rule| format!("{head}\n  - id: ORG-{rule}\n").into_bytes()));
    }
    Ok(seeds)
}

/// Files from elsewhere, as they are.
fn policy_files(corpora: Option<&Path>, part: &str, ends: &[&str]) -> Outcome<Seeds> {
    let mut seeds = Seeds::new();
    let mut folders: Vec<PathBuf> =
        corpora.map(|corpora| corpora.join("policy").join(part)).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| ends.iter().any(|known| end == *known)) {
                seeds.insert(fs::read(path)?);
            }
        }
    }
    Ok(seeds)
}
