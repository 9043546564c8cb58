//! Which items decide about which, and an order in which one pass settles all.
//!
//! An item depends on the item that holds it and on every question its
//! conditions name. Evaluating in an order that respects these arrows reaches
//! the fixed point in one pass; a loop of arrows has no such order.

use crate::error::FormError;
use crate::questionnaire::{Item, ItemIndex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Fills in the target and the scope of every condition.
pub(crate) fn resolve(items: &mut [Item], by_link_id: &BTreeMap<String, ItemIndex>) {
    let parents: Vec<Option<ItemIndex>> = items.iter().map(|item| item.parent).collect();
    let chain =
        |from: ItemIndex| std::iter::successors(Some(from), |index| parents.get(index.0).copied().flatten());
    for item in items.iter_mut() {
        let above: BTreeSet<ItemIndex> = chain(item.index).collect();
        for condition in &mut item.conditions {
            condition.target = by_link_id.get(&condition.question).copied();
            condition.scope =
                condition.target.and_then(|target| chain(target).find(|index| above.contains(index)));
        }
    }
}

/// An order in which each item comes after all it depends on.
///
/// # Errors
/// [`FormError::EnableWhenLoop`] with the linkIds of one loop.
pub(crate) fn order(items: &[Item]) -> Result<Vec<ItemIndex>, FormError> {
    let needs: Vec<Vec<usize>> = items.iter().map(needs_of).collect();
    match settle(&needs) {
        Ok(order) => Ok(order.into_iter().map(ItemIndex).collect()),
        Err(cycle) => {
            let named = cycle.iter().filter_map(|index| items.get(*index));
            Err(FormError::EnableWhenLoop { cycle: named.map(|item| item.link_id.clone()).collect() })
        }
    }
}

/// An order of places in which each comes after all it needs; each need is named once.
///
/// # Errors
/// One loop: each place needs the next, the last needs the first.
pub(crate) fn settle(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut unlocks: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (index, list) in needs.iter().enumerate() {
        for needed in list {
            if let Some(unlocked) = unlocks.get_mut(*needed) {
                unlocked.push(index);
            }
        }
    }
    let mut ready: VecDeque<usize> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(index, _)| index).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(index) = ready.pop_front() {
        order.push(index);
        for dependent in unlocks.get(index).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push_back(*dependent);
                }
            }
        }
    }
    if order.len() == needs.len() { Ok(order) } else { Err(find_cycle(needs, &waiting)) }
}

/// The items that this one waits for, each named once.
fn needs_of(item: &Item) -> Vec<usize> {
    let mut needs: Vec<usize> = item
        .parent
        .into_iter()
        .chain(item.conditions.iter().filter_map(|condition| condition.target))
        .map(|index| index.0)
        .collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// Follows arrows among the items that never became ready; each of them waits for
/// another such item, so the walk must come back to an item it has seen.
fn find_cycle(needs: &[Vec<usize>], waiting: &[usize]) -> Vec<usize> {
    let is_stuck = |index: usize| waiting.get(index).is_some_and(|count| *count > 0);
    let mut walk: Vec<usize> = Vec::new();
    let mut seen_at: BTreeMap<usize, usize> = BTreeMap::new();
    let mut current = (0..needs.len()).find(|index| is_stuck(*index));
    while let Some(index) = current {
        if let Some(start) = seen_at.get(&index) {
            return walk.get(*start..).unwrap_or_default().to_vec();
        }
        seen_at.insert(index, walk.len());
        walk.push(index);
        current = needs.get(index).and_then(|list| list.iter().copied().find(|index| is_stuck(*index)));
    }
    Vec::new()
}
