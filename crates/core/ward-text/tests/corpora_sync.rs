//! Histories that Ward did not write: the conformance suite of the eg-walker paper, vectors of an
//! operational transformation library with characters beyond the basic plane, and recordings of
//! people writing. They are read where `WARD_CORPORA` points and never copied.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]
#![expect(clippy::print_stdout, reason = "agreement and skips must be seen")]

mod suite;

use serde_json::Value;
use std::path::{Path, PathBuf};
use suite::gunzip::gunzip;
use suite::history::{Numbers, delivered, id, new_edit, random_history};
use ward_id::EntryId;
use ward_text::{Burst, Document, NewEdit, TextEdit, TextRun};

const CONFORMANCE_CASES: usize = 500;
const TRANSFORM_LINES: usize = 4_508;
const COMPOSE_LINES: usize = 1_415;
const APPLY_LINES: usize = 4_316;
/// Traces: transactions, and scalars of the text at the end.
const PAPER: (usize, usize) = (259_778, 104_852);
const BLOG_POST: (usize, usize) = (21_411, 31_510);
const FRIENDS: (usize, usize) = (26_078, 21_362);
/// Random orders of delivery of each conformance case, and of each of as many random histories.
const ORDERS: usize = 20;
const RANDOM_HISTORIES: usize = 500;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("sync"));
    if root.is_none() {
        println!("skipped: WARD_CORPORA is not set, so there are no outside histories to replay");
    }
    root
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {} can't be read: {error}", path.display()))
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

/// Steps of the form `[position, deleted, inserted]`.
fn patches(value: &Value) -> Option<TextEdit> {
    let mut burst = Burst::new();
    for patch in value.as_array().unwrap() {
        let (at, text) = (number(&patch[0]), patch[2].as_str().unwrap());
        burst.delete(at, number(&patch[1])).unwrap();
        burst.insert(at, text).unwrap();
    }
    burst.finish()
}

fn document_of(edits: &[NewEdit]) -> Document {
    let mut document = Document::new();
    document.insert_all(edits.iter().cloned()).unwrap();
    document
}

/// One conformance case: its edits and the text at the end.
fn conformance_case(case: &Value, number_of_case: u64) -> (Vec<NewEdit>, String) {
    let mut edits: Vec<NewEdit> = Vec::new();
    // An event stands for as many numbers as it has letters; parents name the last one.
    let mut ends: Vec<(u32, Vec<EntryId>)> = Vec::new();
    for (index, txn) in (0_u64..).zip(case["txns"].as_array().unwrap()) {
        let device = txn["agent"].as_str().unwrap().as_bytes()[0];
        let name = id(device, txn["seqStart"].as_u64().unwrap(), number_of_case * 10_000 + index);
        let parents: Vec<EntryId> = txn["parents"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|event| {
                let at = ends.binary_search_by_key(&(number(event) + 1), |(end, _)| *end);
                ends[at.expect("parents name the last event of a transaction")].1.clone()
            })
            .collect();
        let edit = patches(&txn["ops"]);
        // One that undoes itself is no edit: what names it as a parent names its parents.
        ends.push((number(&txn["span"][1]), if edit.is_some() { vec![name.entry] } else { parents.clone() }));
        edits.extend(edit.map(|edit| new_edit(name, &parents, edit)));
    }
    (edits, case["endContent"].as_str().unwrap().to_owned())
}

#[test]
fn all_conformance_cases_give_their_text() {
    let Some(root) = corpora() else { return };
    let cases: Value = serde_json::from_slice(&read(&root.join("egwalker-conformance.json"))).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), CONFORMANCE_CASES);
    let mut orders = 0;
    for (index, case) in (0_u64..).zip(cases) {
        let (edits, wanted) = conformance_case(case, index);
        assert_eq!(document_of(&edits).text(), wanted, "case {index}");
        let mut numbers = Numbers::new(index);
        for _ in 0..ORDERS {
            let document = delivered(&edits, &mut numbers);
            assert_eq!((document.text(), document.parked_count()), (wanted.clone(), 0), "case {index}");
            orders += 1;
        }
    }
    println!("corpus egwalker-conformance: {}/{CONFORMANCE_CASES}", cases.len());
    println!("{orders} random orders");
}

#[test]
fn random_histories_give_one_text_in_any_order() {
    if corpora().is_none() {
        return;
    }
    let mut orders = 0;
    for seed in 0..RANDOM_HISTORIES as u64 {
        let history = random_history(seed, 60, 4);
        let wanted = document_of(&history).text();
        let mut numbers = Numbers::new(seed);
        for _ in 0..ORDERS {
            assert_eq!(delivered(&history, &mut numbers).text(), wanted, "history {seed}");
            orders += 1;
        }
    }
    println!("{RANDOM_HISTORIES} random histories, {orders} random orders");
}

/// A part of an operation of the vectors: go on, insert, or delete.
enum Part<'a> {
    Skip(usize),
    Insert(&'a str),
    Delete(usize),
}

fn parts(op: &Value) -> Vec<Part<'_>> {
    let part = |part: &'_ Value| match part {
        Value::Number(_) => Part::Skip(number(part) as usize),
        _ => Part::Delete(number(&part["d"]) as usize),
    };
    op.as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().map_or_else(|| part(value), Part::Insert))
        .collect()
}

/// An operation done by hand.
fn done(op: &Value, text: &str) -> String {
    let mut rest = text.chars();
    let mut out = String::new();
    for part in parts(op) {
        match part {
            Part::Skip(count) => out.extend(rest.by_ref().take(count)),
            Part::Insert(text) => out.push_str(text),
            Part::Delete(count) => assert_eq!(rest.by_ref().take(count).count(), count),
        }
    }
    out.extend(rest);
    out
}

/// An operation as an edit. Inserts first, while what will be deleted is still there: they stand in
/// front of it or behind it, as the operation says.
fn edit_of(op: &Value) -> Option<TextEdit> {
    let mut burst = Burst::new();
    let mut deletes = Vec::new();
    let mut at = 0;
    for part in parts(op) {
        match part {
            Part::Skip(count) => at += count as u32,
            Part::Insert(text) => {
                burst.insert(at, text).unwrap();
                at += text.chars().count() as u32;
            }
            Part::Delete(count) => {
                deletes.push((at, count as u32));
                at += count as u32;
            }
        }
    }
    for (at, count) in deletes.into_iter().rev() {
        burst.delete(at, count).unwrap();
    }
    burst.finish()
}

/// A text of letters that are all different, most of them beyond the basic plane.
fn base(scalars: u32) -> String {
    (0..scalars)
        .map(|i| char::from_u32(if i % 3 == 0 { 0x4e00 + i } else { 0x2_0000 + i }).unwrap())
        .collect()
}

fn lines(root: &Path, name: &str, count: usize) -> Vec<Value> {
    let text = String::from_utf8(read(&root.join("ot").join(name))).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), count, "{name}");
    lines
}

/// An edit by a device, if it does something, with what an edit after it names as parents.
fn step(device: u8, seq: u64, parents: &[EntryId], op: &Value) -> (Option<NewEdit>, Vec<EntryId>) {
    let name = id(device, seq, u64::from(device) * 1_000 + seq);
    let new = edit_of(op).map(|edit| new_edit(name, parents, edit));
    let newest = new.as_ref().map_or_else(|| parents.to_vec(), |new| vec![new.id.entry]);
    (new, newest)
}

fn written(text: &str) -> (Option<NewEdit>, Vec<EntryId>) {
    step(9, 1, &[], &serde_json::json!([text]))
}

#[test]
fn every_apply_vector_gives_its_text() {
    let Some(root) = corpora() else { return };
    for (index, line) in lines(&root, "apply.jsonl", APPLY_LINES).iter().enumerate() {
        let (first, parents) = match line["str"].as_str().unwrap() {
            "" => (None, vec![]),
            text => written(text),
        };
        let (second, _) = step(1, 1, &parents, &line["op"]);
        let edits: Vec<NewEdit> = [first, second].into_iter().flatten().collect();
        assert_eq!(document_of(&edits).text(), line["result"].as_str().unwrap(), "line {index}");
    }
    println!("corpus ot, edits applied: {APPLY_LINES}/{APPLY_LINES}");
}

#[test]
fn every_compose_vector_gives_the_text_of_both_edits() {
    let Some(root) = corpora() else { return };
    for (index, line) in lines(&root, "compose.jsonl", COMPOSE_LINES).iter().enumerate() {
        let text = base(1_000);
        let (first, parents) = written(&text);
        let (second, parents) = step(1, 1, &parents, &line["op1"]);
        let (third, _) = step(2, 1, &parents, &line["op2"]);
        let edits: Vec<NewEdit> = [first, second, third].into_iter().flatten().collect();
        assert_eq!(document_of(&edits).text(), done(&line["result"], &text), "line {index}");
    }
    println!("corpus ot, edits composed: {COMPOSE_LINES}/{COMPOSE_LINES}");
}

/// TP1: one edit and the other transformed give what the other and the one transformed give. Here
/// nothing is transformed by the caller: both orders of arrival must give the text that the vector
/// implies.
#[test]
fn every_transform_vector_converges_to_its_text() {
    let Some(root) = corpora() else { return };
    for (index, line) in lines(&root, "transform.jsonl", TRANSFORM_LINES).iter().enumerate() {
        let text = base(1_000);
        let (first, parents) = written(&text);
        // The left side stands in front where both insert at one place.
        let (device, other_device) = if line["side"] == "left" { (1, 2) } else { (2, 1) };
        let (one, _) = step(device, 1, &parents, &line["op"]);
        let (other, _) = step(other_device, 1, &parents, &line["otherOp"]);
        let wanted = done(&line["result"], &done(&line["otherOp"], &text));
        for order in [[&one, &other], [&other, &one]] {
            let edits = order.into_iter().flatten().cloned();
            let mut document = document_of(&[first.clone().unwrap()]);
            edits.for_each(|edit| document.insert_all([edit]).unwrap());
            assert_eq!(document.text(), wanted, "line {index}");
        }
    }
    println!("corpus ot, edits transformed, in both orders: {TRANSFORM_LINES}/{TRANSFORM_LINES}");
}

fn trace(root: &Path, name: &str, transactions: usize) -> Value {
    let trace: Value =
        serde_json::from_slice(&gunzip(&read(&root.join("editing-traces").join(name)))).unwrap();
    assert_eq!(trace["txns"].as_array().unwrap().len(), transactions, "{name}");
    trace
}

/// One person writes: bursts as full as they go.
fn bursts(trace: &Value) -> Vec<NewEdit> {
    let mut edits: Vec<NewEdit> = Vec::new();
    let mut burst = Burst::new();
    let mut flush = |burst: &mut Burst| {
        let parents: Vec<EntryId> = edits.last().map(|last: &NewEdit| last.id.entry).into_iter().collect();
        let seq = edits.len() as u64 + 1;
        let edit = std::mem::take(burst).finish();
        edits.extend(edit.map(|edit| new_edit(id(1, seq, seq), &parents, edit)));
    };
    for txn in trace["txns"].as_array().unwrap() {
        for patch in txn["patches"].as_array().unwrap() {
            let (at, gone, text) = (number(&patch[0]), number(&patch[1]), patch[2].as_str().unwrap());
            for run in [TextRun::Delete { at, count: gone }, TextRun::Insert { at, text }] {
                if burst.push(run).is_err() {
                    flush(&mut burst);
                    burst.push(run).unwrap();
                }
            }
        }
    }
    flush(&mut burst);
    edits
}

#[test]
fn sequential_traces_end_with_their_text() {
    let Some(root) = corpora() else { return };
    let traces = [
        ("sequential_traces_ascii_only_automerge-paper.json.gz", PAPER),
        ("sequential_traces_json-crdt-blog-post.json.gz", BLOG_POST),
        ("sequential_traces_friendsforever_flat.json.gz", FRIENDS),
    ];
    for (name, (transactions, scalars)) in traces {
        let trace = trace(&root, name, transactions);
        let edits = bursts(&trace);
        let document = document_of(&edits);
        assert_eq!(document.text(), trace["endContent"].as_str().unwrap(), "{name}");
        assert_eq!(document.scalars() as usize, scalars, "{name}");
        // One by one and backwards is the same.
        let mut backwards = Document::new();
        backwards.insert_all(edits.iter().rev().cloned()).unwrap();
        assert_eq!(backwards.text(), document.text(), "{name}");
        println!("{name}: {transactions} transactions in {} edits", edits.len());
    }
    println!("corpus editing-traces, sequential: {}/{}", traces.len(), traces.len());
}

/// Every transaction of the concurrent trace as an edit of its own.
fn concurrent_edits(trace: &Value) -> Vec<NewEdit> {
    let mut edits: Vec<NewEdit> = Vec::new();
    let mut names: Vec<Vec<EntryId>> = Vec::new();
    let mut seqs = [0; 2];
    for txn in trace["txns"].as_array().unwrap() {
        let agent = number(&txn["agent"]) as usize;
        seqs[agent] += 1;
        let parents: Vec<EntryId> = txn["parents"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|parent| names[number(parent) as usize].clone())
            .collect();
        let name = id(agent as u8, seqs[agent], agent as u64 * 1_000_000 + seqs[agent]);
        let edit = patches(&txn["patches"]);
        names.push(if edit.is_some() { vec![name.entry] } else { parents.clone() });
        edits.extend(edit.map(|edit| new_edit(name, &parents, edit)));
    }
    edits
}

#[test]
fn the_concurrent_trace_ends_with_its_text_in_every_order() {
    let Some(root) = corpora() else { return };
    let trace = trace(&root, "concurrent_traces_friendsforever.json.gz", FRIENDS.0);
    let edits = concurrent_edits(&trace);
    let wanted = trace["endContent"].as_str().unwrap();
    assert_eq!(document_of(&edits).text(), wanted);
    let mut backwards = Document::new();
    backwards.insert_all(edits.iter().rev().cloned()).unwrap();
    assert_eq!(backwards.text(), wanted);
    assert_eq!(backwards.scalars() as usize, FRIENDS.1);
    // Both directions: all of one person first, as far as they come alone, then the other's.
    for first in [0, 1] {
        let device = id(first, 1, 1).device;
        let (one, other): (Vec<_>, Vec<_>) = edits.iter().cloned().partition(|edit| edit.id.device == device);
        let mut document = Document::new();
        for part in one.chunks(4_000).chain(other.chunks(4_000)) {
            document.insert_all(part.iter().cloned()).unwrap();
        }
        assert_eq!((document.text().as_str(), document.parked_count()), (wanted, 0));
    }
    println!("corpus editing-traces, concurrent, in every order: 1/1");
}
