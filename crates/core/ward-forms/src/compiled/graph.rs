//! In which order the items of a form are evaluated.
//!
//! An item waits for the item that holds it, for the questions of its conditions, and for all that
//! its expressions may read. What an expression may read is more than what it reads, so a circle of
//! such arrows need not be one: the items of a circle are evaluated together until nothing changes.

use super::CompiledItem;
use super::reads::{Reads, takes_answers};
use crate::dependency_order;
use crate::questionnaire::Questionnaire;

/// Items that are evaluated together.
#[derive(Debug, Default)]
pub(crate) struct Stratum {
    pub(crate) items: Vec<usize>,
    /// Whether they may wait for one another.
    pub(crate) is_cyclic: bool,
}

/// All items in strata, each of which comes after all that it waits for.
///
/// Three kinds of node: each item; each item with all that lies below it; and the whole form. So the
/// graph stays as large as the form however much its expressions read.
pub(super) fn strata(form: &Questionnaire, items: &[CompiledItem]) -> Vec<Stratum> {
    let count = items.len();
    let whole = 2 * count;
    let mut needs: Vec<Vec<usize>> = Vec::with_capacity(whole + 1);
    for (index, item) in items.iter().enumerate() {
        let conditions = form.items().get(index).into_iter().flat_map(|item| &item.conditions);
        let targets = conditions.filter_map(|condition| condition.target).map(|target| target.0);
        let mut own: Vec<usize> = item.parent.into_iter().chain(targets).collect();
        for reads in evaluated(item) {
            own.extend(reads.items.iter().map(|read| count + read.item));
            own.extend(reads.is_everything.then_some(whole));
        }
        own.sort_unstable();
        own.dedup();
        needs.push(own);
    }
    for (index, item) in form.items().iter().enumerate() {
        needs.push([index].into_iter().chain(item.children.iter().map(|child| count + child.0)).collect());
    }
    needs.push(form.top_items().iter().map(|top| count + top.0).collect());
    let mut strata = Vec::new();
    for component in components(&needs) {
        let only = component.first().copied().filter(|_| component.len() == 1);
        let waits_for_itself =
            only.is_some_and(|node| needs.get(node).is_some_and(|needs| needs.contains(&node)));
        let is_cyclic = component.len() > 1 || waits_for_itself;
        let mut items: Vec<usize> = component.into_iter().filter(|node| *node < count).collect();
        items.sort_unstable();
        if !items.is_empty() {
            strata.push(Stratum { items, is_cyclic });
        }
    }
    strata
}

fn evaluated(item: &CompiledItem) -> impl Iterator<Item = &Reads> {
    [&item.enable, &item.calculated].into_iter().flatten().map(|formula| &formula.reads)
}

/// Items that certainly wait for one another, by linkId: through conditions and through questions
/// that expressions name.
pub(super) fn certain_loop(form: &Questionnaire, items: &[CompiledItem]) -> Option<Vec<String>> {
    let needs: Vec<Vec<usize>> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let conditions = form.items().get(index).into_iter().flat_map(|item| &item.conditions);
            let targets = conditions.filter_map(|condition| condition.target).map(|target| target.0);
            let read = evaluated(item).flat_map(|reads| &reads.items);
            let named = read
                .filter(|read| takes_answers(form, read) && read.within != Some(read.item))
                .map(|read| read.item);
            let mut needs: Vec<usize> = item.parent.into_iter().chain(targets).chain(named).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        })
        .collect();
    let cycle = dependency_order::settle(&needs).err()?;
    let named = cycle.iter().filter_map(|index| form.items().get(*index));
    Some(named.map(|item| item.link_id.clone()).collect())
}

/// The strongly connected components of a graph, each after those that it needs (Tarjan 1972),
/// without recursion: a form may be one long chain.
fn components(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        needs,
        number: vec![usize::MAX; needs.len()],
        low: vec![usize::MAX; needs.len()],
        is_open: vec![false; needs.len()],
        open: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    for node in 0..needs.len() {
        if search.number.get(node) == Some(&usize::MAX) {
            search.run(node);
        }
    }
    search.found
}

struct Search<'g> {
    needs: &'g [Vec<usize>],
    number: Vec<usize>,
    low: Vec<usize>,
    is_open: Vec<bool>,
    open: Vec<usize>,
    next: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn run(&mut self, start: usize) {
        let mut walk = vec![(start, 0)];
        self.enter(start);
        while let Some((node, place)) = walk.last_mut() {
            let node = *node;
            let Some(needed) = self.needs.get(node).and_then(|needs| needs.get(*place)).copied() else {
                walk.pop();
                self.leave(node, walk.last().map(|(above, _)| *above));
                continue;
            };
            *place += 1;
            if self.number.get(needed) == Some(&usize::MAX) {
                self.enter(needed);
                walk.push((needed, 0));
            } else if self.is_open.get(needed) == Some(&true) {
                let number = self.number.get(needed).copied().unwrap_or(usize::MAX);
                self.lower(node, number);
            }
        }
    }

    fn enter(&mut self, node: usize) {
        for list in [&mut self.number, &mut self.low] {
            if let Some(slot) = list.get_mut(node) {
                *slot = self.next;
            }
        }
        self.next += 1;
        self.open.push(node);
        if let Some(slot) = self.is_open.get_mut(node) {
            *slot = true;
        }
    }

    fn lower(&mut self, node: usize, to: usize) {
        if let Some(slot) = self.low.get_mut(node) {
            *slot = to.min(*slot);
        }
    }

    fn leave(&mut self, node: usize, above: Option<usize>) {
        let low = self.low.get(node).copied().unwrap_or(usize::MAX);
        if let Some(above) = above {
            self.lower(above, low);
        }
        if self.number.get(node) != Some(&low) {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.open.pop() {
            if let Some(slot) = self.is_open.get_mut(member) {
                *slot = false;
            }
            component.push(member);
            if member == node {
                break;
            }
        }
        self.found.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_come_after_what_they_need() {
        let needs = vec![vec![1], vec![2, 3], vec![1], vec![], vec![0, 4]];
        let mut found = components(&needs);
        for component in &mut found {
            component.sort_unstable();
        }
        assert_eq!(found, [vec![3], vec![1, 2], vec![0], vec![4]]);
        let chain: Vec<Vec<usize>> =
            (0..100_000).map(|node: usize| node.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(components(&chain).len(), 100_000);
    }
}
