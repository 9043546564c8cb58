//! Recordings of people writing, and random writing.

use crate::gunzip::gunzip;
use crate::history::Numbers;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// One change of a text.
#[derive(Clone)]
pub struct Keystroke {
    pub at: u32,
    pub deleted: u32,
    pub inserted: String,
}

/// What one of two people did in one go, and what they had seen: the transactions that it names.
pub struct Transaction {
    pub agent: usize,
    pub parents: Vec<usize>,
    pub keys: Vec<Keystroke>,
}

pub struct Traces {
    pub paper: Vec<Keystroke>,
    pub sequential: Vec<(&'static str, Vec<Keystroke>, String)>,
    pub friends: Vec<Transaction>,
    pub friends_text: String,
}

impl Traces {
    pub fn read() -> Option<Self> {
        let root = PathBuf::from(std::env::var_os("WARD_CORPORA")?).join("sync/editing-traces");
        let names = [
            "sequential_traces_ascii_only_automerge-paper.json.gz",
            "sequential_traces_json-crdt-blog-post.json.gz",
            "sequential_traces_friendsforever_flat.json.gz",
        ];
        let sequential: Vec<_> = names
            .into_iter()
            .map(|name| {
                let trace = read(&root, name);
                let keys: Vec<Keystroke> =
                    trace["txns"].as_array().unwrap().iter().flat_map(|txn| keys(&txn["patches"])).collect();
                (name, keys, text(&trace))
            })
            .collect();
        let friends = read(&root, "concurrent_traces_friendsforever.json.gz");
        let transaction = |txn: &Value| Transaction {
            agent: number(&txn["agent"]) as usize,
            parents: txn["parents"]
                .as_array()
                .unwrap()
                .iter()
                .map(|parent| number(parent) as usize)
                .collect(),
            keys: keys(&txn["patches"]),
        };
        Some(Self {
            paper: sequential[0].1.clone(),
            sequential,
            friends: friends["txns"].as_array().unwrap().iter().map(transaction).collect(),
            friends_text: text(&friends),
        })
    }
}

fn read(root: &Path, name: &str) -> Value {
    serde_json::from_slice(&gunzip(&std::fs::read(root.join(name)).expect(name))).expect(name)
}

fn text(trace: &Value) -> String {
    trace["endContent"].as_str().unwrap().to_owned()
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn keys(patches: &Value) -> Vec<Keystroke> {
    let key = |patch: &Value| Keystroke {
        at: number(&patch[0]),
        deleted: number(&patch[1]),
        inserted: patch[2].as_str().unwrap().to_owned(),
    };
    patches.as_array().unwrap().iter().map(key).collect()
}

/// Single letters at random places, one in four of them deleted.
pub fn random_keys(seed: u64, base: &str, count: usize) -> Vec<Keystroke> {
    let mut numbers = Numbers::new(seed);
    let mut length = base.chars().count();
    let letter = if seed.is_multiple_of(2) { "b" } else { "a" };
    let mut key = || {
        let deletes = length > 10 && numbers.chance(25);
        let at = numbers.below(if deletes { length } else { length + 1 }) as u32;
        length = if deletes { length - 1 } else { length + 1 };
        Keystroke {
            at,
            deleted: u32::from(deletes),
            inserted: if deletes { String::new() } else { letter.into() },
        }
    };
    (0..count).map(|_| key()).collect()
}
