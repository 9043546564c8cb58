//! Whether others come to the same text.

use crate::diamond::Diamond;
use crate::history::{Numbers, id, new_edit, random_edit};
use crate::replicas::{AutomergeReplica, LoroReplica, Replica, YrsReplica};
use crate::stopwatch::quick;
use crate::traces::{Keystroke, Traces};
use diamond_types::list::OpLog;
use ward_text::{Document, NewEdit, TextEdit, TextRun};

fn keys_of(edit: &TextEdit) -> Vec<Keystroke> {
    let key = |run| match run {
        TextRun::Insert { at, text } => Keystroke { at, deleted: 0, inserted: text.to_owned() },
        TextRun::Delete { at, count } => Keystroke { at, deleted: count, inserted: String::new() },
    };
    edit.runs().map(key).collect()
}

/// Random histories of four devices, with inserts at the same places: the ordering rule is the
/// same, so the text must be.
pub fn with_diamond_types() {
    let histories = if quick() { 20 } else { 1_000 };
    for seed in 0..histories {
        let mut numbers = Numbers::new(seed);
        let mut devices: Vec<Document> = vec![Document::new(); 4];
        let mut history: Vec<NewEdit> = Vec::new();
        let mut log = OpLog::new();
        let agents = ["a", "b", "c", "d"].map(|name| log.get_or_create_agent_id(name));
        let mut versions = std::collections::BTreeMap::new();
        for number in 0..60_u64 {
            let who = numbers.below(4);
            if numbers.chance(30) {
                let other = devices[numbers.below(4)].clone();
                let missing = history.iter().filter(|edit| other.holds(&edit.id.entry)).cloned();
                devices[who].insert_all(missing).unwrap();
            }
            let content = random_edit(&mut numbers, devices[who].scalars(), false);
            let parents = devices[who].frontier();
            // diamond-types takes parents in the order of its own times.
            let mut times: Vec<usize> = parents.iter().map(|parent| versions[parent]).collect();
            times.sort_unstable();
            let time = crate::diamond::add(&mut log, agents[who], &times, &keys_of(&content))[0];
            let new = new_edit(id(who as u8 + 1, number + 1, seed * 1_000 + number), &parents, content);
            versions.insert(new.id.entry, time);
            devices[who].insert_all([new.clone()]).unwrap();
            history.push(new);
        }
        let mut whole = Document::new();
        whole.insert_all(history).unwrap();
        assert_eq!(whole.text(), Diamond { log }.text(), "history {seed}");
    }
    println!("\nequal text with diamond-types on {histories} random histories of 60 edits by 4 devices");
}

/// Three devices write at three different places of one text, again and again.
fn apart<R: Replica>(seed: u64) -> (String, String) {
    let mut numbers = Numbers::new(seed);
    let mut replicas: Vec<R> = (1..=3).map(R::new).collect();
    let base = Keystroke {
        at: 0,
        deleted: 0,
        inserted: "The patient slept well and had no pain at all. ".repeat(3),
    };
    replicas[0].key(&base);
    let update = replicas[0].update();
    replicas[1].apply(&update);
    replicas[2].apply(&update);
    let mut ward = Document::new();
    let exact = |key: &Keystroke| {
        let mut burst = ward_text::Burst::new();
        burst.delete(key.at, key.deleted).unwrap();
        burst.insert(key.at, &key.inserted).unwrap();
        burst.finish().unwrap()
    };
    ward.insert_all([new_edit(id(1, 1, 1), &[], exact(&base))]).unwrap();
    for round in 0..40_u64 {
        let parents = ward.frontier();
        let third = ward.scalars() / 3;
        let mut updates = Vec::new();
        for (who, replica) in (0_u64..).zip(replicas.iter_mut()) {
            // A few letters in the middle of a third of its own: no two at one place.
            let at = third * who as u32 + 2 + numbers.below(third as usize - 8) as u32;
            let deletes = numbers.chance(30);
            let key = Keystroke {
                at,
                deleted: if deletes { 1 + numbers.below(4) as u32 } else { 0 },
                inserted: if deletes { String::new() } else { format!("{round}.{who} ") },
            };
            replica.key(&key);
            updates.push(replica.update());
            let name = id(who as u8 + 1, round + 2, 10 + round * 3 + who);
            ward.insert_all([new_edit(name, &parents, exact(&key))]).unwrap();
        }
        for (who, replica) in replicas.iter_mut().enumerate() {
            for (_, update) in updates.iter().enumerate().filter(|(other, _)| *other != who) {
                replica.apply(update);
            }
        }
    }
    assert!(replicas.iter().all(|replica| replica.text() == replicas[0].text()));
    (ward.text(), replicas[0].text())
}

/// Traces without inserts at one place: any sequence library must come to Ward's text.
pub fn with_all(traces: &Traces) {
    for (name, keys, wanted) in &traces.sequential {
        let part = if quick() { &keys[..2_000] } else { &keys[..] };
        let ward = crate::ward_side::typed(part).text();
        assert!(quick() || ward == *wanted, "{name}");
        assert_eq!(Diamond::typed(part).text(), ward, "{name}");
        assert_eq!(YrsReplica::typed(1, part).text(), ward, "{name}");
        assert_eq!(LoroReplica::typed(1, part).text(), ward, "{name}");
        assert_eq!(AutomergeReplica::typed(1, part).text(), ward, "{name}");
    }
    println!(
        "equal text with diamond-types, yrs, loro and automerge on {} sequential traces",
        traces.sequential.len()
    );
    let seeds = if quick() { 2 } else { 50 };
    for seed in 0..seeds {
        for (ward, other) in
            [apart::<YrsReplica>(seed), apart::<LoroReplica>(seed), apart::<AutomergeReplica>(seed)]
        {
            assert_eq!(ward, other, "seed {seed}");
        }
    }
    println!(
        "equal text with yrs, loro and automerge on {seeds} histories of 3 devices without inserts at one place"
    );
}
