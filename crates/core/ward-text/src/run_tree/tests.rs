//! The tree against a plain list.

use super::{Cursor, Places, Run, RunTree, Unnamed};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use proptest::prelude::*;

/// Numbers in a row, hidden or not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    first: u32,
    len: u32,
    hidden: bool,
}

impl Run<2> for Row {
    fn len(&self) -> u32 {
        self.len
    }

    fn measure(&self) -> [u32; 2] {
        [if self.hidden { 0 } else { self.len }, self.len]
    }

    fn split_off(&mut self, at: u32) -> Self {
        let tail = Self { first: self.first + at, len: self.len - at, ..*self };
        self.len = at;
        tail
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let is_one = next.first == self.first + self.len && next.hidden == self.hidden;
        self.len += if is_one { next.len } else { 0 };
        is_one
    }
}

#[derive(Default)]
struct Leaves(BTreeMap<u32, u32>);

impl Places<Row> for Leaves {
    fn put(&mut self, run: &Row, leaf: u32) {
        self.0.insert(run.first, leaf);
    }

    fn forget(&mut self, run: &Row) {
        self.0.remove(&run.first);
    }
}

/// Each number with whether it is hidden.
fn flat(tree: &RunTree<Row, 2>) -> Vec<(u32, bool)> {
    tree.runs().flat_map(|row| (row.first..row.first + row.len).map(|n| (n, row.hidden))).collect()
}

/// Behind the unit before a position of all units.
fn place(tree: &RunTree<Row, 2>, at: usize) -> Cursor {
    let before = at.checked_sub(1).and_then(|before| tree.find(1, u32::try_from(before).unwrap()));
    before.map_or_else(|| tree.start(), |found| Cursor { offset: found.offset + 1, ..found })
}

proptest! {
    #[test]
    fn inserting_and_hiding_is_what_a_list_does(steps in proptest::collection::vec((any::<u16>(), 1..20_u32, 0..3_u8), 1..400)) {
        let (mut tree, mut list, mut next) = (RunTree::<Row, 2>::new(), Vec::<(u32, bool)>::new(), 0);
        let mut leaves = Leaves::default();
        for (at, len, what) in steps {
            let at = usize::from(at) % (list.len() + 1);
            if what == 0 && at < list.len() {
                let cursor = tree.find(1, u32::try_from(at).unwrap()).unwrap();
                let taken = len.min(tree.run(cursor).unwrap().len - cursor.offset);
                tree.change(cursor, taken, |row| row.hidden = !row.hidden, &mut leaves);
                for item in &mut list[at..at + taken as usize] {
                    item.1 = !item.1;
                }
            } else {
                tree.insert(place(&tree, at), Row { first: next, len, hidden: false }, &mut leaves);
                list.splice(at..at, (next..next + len).map(|n| (n, false)));
                next += len;
            }
        }
        prop_assert_eq!(flat(&tree), list.clone());
        let shown: Vec<u32> = list.iter().filter(|item| !item.1).map(|item| item.0).collect();
        prop_assert_eq!(tree.total(0) as usize, shown.len());
        prop_assert!(tree.find(0, tree.total(0)).is_none());
        for (position, wanted) in shown.iter().enumerate() {
            let cursor = tree.find(0, u32::try_from(position).unwrap()).unwrap();
            prop_assert_eq!(tree.run(cursor).unwrap().first + cursor.offset, *wanted);
            prop_assert_eq!(tree.before(cursor, 0) as usize, position);
        }
        // Every number is found by its name, and knows its place.
        for (position, (number, _)) in list.iter().enumerate() {
            let (_, leaf) = leaves.0.range(..=number).next_back().unwrap();
            let cursor = tree.find_run(*leaf, |row| (row.first..row.first + row.len).contains(number)).unwrap();
            let offset = number - tree.run(cursor).unwrap().first;
            prop_assert_eq!(tree.before(Cursor { offset, ..cursor }, 1) as usize, position);
        }
    }

    #[test]
    fn inserting_and_removing_is_what_a_list_does(steps in proptest::collection::vec((any::<u16>(), 1..90_u32, any::<bool>()), 1..400)) {
        let (mut tree, mut list, mut next) = (RunTree::<Row, 2>::new(), Vec::<u32>::new(), 0);
        for (at, len, removes) in steps {
            let at = usize::from(at) % (list.len() + 1);
            if removes {
                let end = list.len().min(at + len as usize);
                tree.remove(0, u32::try_from(at).unwrap(), u32::try_from(end - at).unwrap());
                list.drain(at..end);
            } else {
                let len = len % 9 + 1;
                tree.insert(place(&tree, at), Row { first: next, len, hidden: false }, &mut Unnamed);
                list.splice(at..at, next..next + len);
                next += len;
            }
            prop_assert_eq!(tree.total(0) as usize, list.len());
        }
        let left: Vec<u32> = flat(&tree).into_iter().map(|(number, _)| number).collect();
        prop_assert_eq!(left, list);
    }
}
