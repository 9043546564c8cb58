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
    /// Whether the insert is left out of the version at hand.
    unseen: bool,
    gone: bool,
}

impl Item {
    fn stands(&self) -> bool {
        self.state == 1 && !self.unseen
    }
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
        let left_out = unseen(&next.parents, &by_name);
        for entry in &left_out {
            effects[entry].iter().for_each(|effect| leave_out(&mut items, *effect, true));
        }
        let length = items.iter().filter(|item| item.stands()).count() as u32;
        let after = next.edit.length_after(length);
        let fits = after.is_some_and(|after| after <= DOCUMENT_MAX_SCALARS || after <= length);
        let done_now = if fits { apply(&mut items, next, &mut next_key) } else { Vec::new() };
        for entry in &left_out {
            effects[entry].iter().for_each(|effect| leave_out(&mut items, *effect, false));
        }
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

/// What a version leaves out: names that others of it know are turns, off and on, of their chains.
pub fn unseen(named: &[EntryId], by_name: &BTreeMap<EntryId, &NewEdit>) -> Vec<EntryId> {
    let known: BTreeSet<EntryId> =
        named.iter().flat_map(|entry| ancestors(&by_name[entry].parents, by_name)).collect();
    let turns: Vec<EditId> =
        named.iter().filter(|entry| known.contains(entry)).map(|entry| by_name[entry].id).collect();
    let chain = |id: EditId| (id.device, id.incarnation);
    let is_left_out = |entry: &&EntryId| {
        let id = by_name[*entry].id;
        let before = turns.iter().filter(|turn| chain(**turn) == chain(id) && **turn <= id).count();
        before % 2 == 1 && (!named.contains(entry) || known.contains(entry))
    };
    known.iter().filter(is_left_out).copied().collect()
}

fn leave_out(items: &mut [Item], effect: Effect, out: bool) {
    match effect {
        Effect::Inserted(key) => items.iter_mut().find(|item| item.key == key).unwrap().unseen = out,
        Effect::Deleted(_) => step(items, effect, if out { -1 } else { 1 }),
    }
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
                    insert(items, edit, at, scalar, *next_key);
                    effects.push(Effect::Inserted(*next_key));
                    *next_key += 1;
                }
            }
            TextRun::Delete { at, count } => {
                for _ in 0..count {
                    let standing: Vec<usize> = (0..items.len()).filter(|i| items[*i].stands()).collect();
                    let item = &mut items[standing[at as usize]];
                    item.state = 2;
                    item.gone |= !edit.hidden;
                    effects.push(Effect::Deleted(item.key));
                }
            }
        }
    }
    effects
}

fn insert(items: &mut Vec<Item>, new: &NewEdit, at: usize, scalar: char, key: usize) {
    let edit = new.id;
    let standing: Vec<usize> = (0..items.len()).filter(|i| items[*i].stands()).collect();
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
    let gone = new.hidden;
    items.insert(place, Item { scalar, edit, left, right, key, state: 1, unseen: false, gone });
}
