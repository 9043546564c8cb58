//! The merge rule again, as plainly as it can be said: one list of single scalars, replayed from
//! the beginning. Slow, and without any structure of the crate.

use std::collections::{BTreeMap, BTreeSet};
use ward_id::EntryId;
use ward_text::limits::DOCUMENT_MAX_SCALARS;
use ward_text::{EditId, NewEdit, TextRun};

struct Item {
    scalar: char,
    edit: EditId,
    left: Option<usize>,
    right: Option<usize>,
    key: usize,
    /// 0 not inserted, 1 stands, more: deleted so many times.
    state: u32,
    gone: bool,
}

#[derive(Clone, Copy)]
enum Effect {
    Inserted(usize),
    Deleted(usize),
}

/// The text of some edits whose parents are all among them.
pub fn slow_text(edits: &[NewEdit]) -> String {
    let by_name: BTreeMap<EntryId, &NewEdit> = edits.iter().map(|edit| (edit.id.entry, edit)).collect();
    let mut items: Vec<Item> = Vec::new();
    let mut effects: BTreeMap<EntryId, Vec<Effect>> = BTreeMap::new();
    let mut done: Vec<EntryId> = Vec::new();
    let mut at: BTreeSet<EntryId> = BTreeSet::new();
    let mut next_key = 0;
    while done.len() < by_name.len() {
        let next = by_name.values().find(|edit| {
            !done.contains(&edit.id.entry) && edit.parents.iter().all(|parent| done.contains(parent))
        });
        let next = *next.unwrap();
        let wanted = ancestors(&next.parents, &by_name);
        for entry in done.iter().rev().filter(|entry| at.contains(entry) && !wanted.contains(entry)) {
            for effect in effects[entry].iter().rev() {
                step(&mut items, *effect, -1);
            }
        }
        for entry in done.iter().filter(|entry| !at.contains(entry) && wanted.contains(entry)) {
            for effect in &effects[entry] {
                step(&mut items, *effect, 1);
            }
        }
        let length = items.iter().filter(|item| item.state == 1).count() as u32;
        let after = next.edit.length_after(length);
        let fits = after.is_some_and(|after| after <= DOCUMENT_MAX_SCALARS || after <= length);
        let done_now = if fits { apply(&mut items, next, &mut next_key) } else { Vec::new() };
        effects.insert(next.id.entry, done_now);
        done.push(next.id.entry);
        at = wanted;
        at.insert(next.id.entry);
    }
    items.iter().filter(|item| !item.gone).map(|item| item.scalar).collect()
}

fn ancestors(of: &[EntryId], by_name: &BTreeMap<EntryId, &NewEdit>) -> BTreeSet<EntryId> {
    let mut out = BTreeSet::new();
    let mut open: Vec<EntryId> = of.to_vec();
    while let Some(entry) = open.pop() {
        if out.insert(entry) {
            open.extend(&by_name[&entry].parents);
        }
    }
    out
}

fn step(items: &mut [Item], effect: Effect, by: i32) {
    let (Effect::Inserted(key) | Effect::Deleted(key)) = effect;
    let item = items.iter_mut().find(|item| item.key == key).unwrap();
    item.state = item.state.checked_add_signed(by).unwrap();
}

fn apply(items: &mut Vec<Item>, edit: &NewEdit, next_key: &mut usize) -> Vec<Effect> {
    let mut effects = Vec::new();
    for run in edit.edit.runs() {
        match run {
            TextRun::Insert { at, text } => {
                for (at, scalar) in (at as usize..).zip(text.chars()) {
                    insert(items, edit.id, at, scalar, *next_key);
                    effects.push(Effect::Inserted(*next_key));
                    *next_key += 1;
                }
            }
            TextRun::Delete { at, count } => {
                for _ in 0..count {
                    let standing: Vec<usize> = (0..items.len()).filter(|i| items[*i].state == 1).collect();
                    let item = &mut items[standing[at as usize]];
                    item.state = 2;
                    item.gone = true;
                    effects.push(Effect::Deleted(item.key));
                }
            }
        }
    }
    effects
}

fn insert(items: &mut Vec<Item>, edit: EditId, at: usize, scalar: char, key: usize) {
    let standing: Vec<usize> = (0..items.len()).filter(|i| items[*i].state == 1).collect();
    let left_at = at.checked_sub(1).map(|before| standing[before]);
    let from = left_at.map_or(0, |left| left + 1);
    let right_at = (from..items.len()).find(|i| items[*i].state != 0);
    let index = |key: Option<usize>, none: isize| {
        key.map_or(none, |key| items.iter().position(|item| item.key == key).unwrap() as isize)
    };
    let my_left = left_at.map_or(-1, |left| left as isize);
    let my_right = right_at.map_or(items.len() as isize, |right| right as isize);
    let mut place = from;
    let mut passing = false;
    for i in from..right_at.unwrap_or(items.len()) {
        let other = &items[i];
        let left = index(other.left, -1);
        if left < my_left {
            break;
        }
        if left == my_left {
            let right = index(other.right, items.len() as isize);
            if right == my_right && edit < other.edit {
                break;
            }
            passing = right < my_right;
        }
        if !passing {
            place = i + 1;
        }
    }
    let left = left_at.map(|i| items[i].key);
    let right = right_at.map(|i| items[i].key);
    items.insert(place, Item { scalar, edit, left, right, key, state: 1, gone: false });
}
