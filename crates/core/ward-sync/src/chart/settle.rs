//! Which acts of a thread still stand: a pure function of what they name.
//!
//! - A write replaces what it names. If it names several candidates that are not one value, it
//!   replaces none of them: it becomes one candidate more, for only a decision ends a conflict.
//! - A decision replaces all candidates that it names, and no others. One that it does not name, or
//!   that was written beside it, stands beside its outcome.
//! - A write that names what its author may not take back replaces nothing either: it stands beside
//!   what it names, and the two are a conflict.
//! - A declaration that a record is void replaces the version that it names, like a write.
//!
//! Candidates are one value if they say the same and are decisions, or are writes that replace the same:
//! two who found one state and made the same of it. A write on top of one candidate that repeats what
//! another says is not: so nobody ends a conflict by joining one side of it.
//!
//! Fields whose class asks nobody (union, ui-lww) have no conflict to end: every write replaces all
//! that it names.

use super::thread::{Thread, Written};
use super::value::Value;
use crate::payload::Void;
use crate::study_schema::MergeClass;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::EntryId;

/// What an act says.
#[derive(Debug)]
pub(super) enum Said<'a, P> {
    Value(&'a P),
    Void(&'a Void),
}

impl<P> Clone for Said<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Said<'_, P> {}

impl<P: Value> Said<'_, P> {
    fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => a.says_the_same(b),
            (Self::Void(_), Self::Void(_)) => true,
            _ => false,
        }
    }
}

/// How an act meets the candidates that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It replaces them unless they contradict each other.
    Write,
    /// It replaces them: that is what it is for.
    Decide,
}

/// One entry of a thread.
#[derive(Debug, Clone)]
pub(super) struct Act<'a, P> {
    /// The entry and its author.
    pub(super) by: Written<'a, ()>,
    pub(super) said: Said<'a, P>,
    pub(super) manner: Manner,
    /// What it names; names outside the thread mean nothing here.
    pub(super) names: Vec<EntryId>,
    /// What it names and its author may not take back.
    pub(super) out_of_reach: Vec<EntryId>,
}

impl<P> Act<'_, P> {
    pub(super) const fn id(&self) -> EntryId {
        self.by.id()
    }
}

/// The thread that acts make up. They come in their order.
pub(super) fn settle<P: Value>(acts: Vec<Act<'_, P>>, class: MergeClass) -> Thread<'_, P> {
    // Most threads are one entry, and nothing is asked about those.
    let (replaced, repeats) = match acts.as_slice() {
        [] | [_] => (BTreeSet::new(), BTreeSet::new()),
        several => {
            let own = Acts::of(several);
            let replaced = own.replaced(class);
            let repeats = own.repeats(several.iter().filter(|act| !replaced.contains(&act.id())));
            (replaced, repeats)
        }
    };
    let mut out = Thread {
        current: Vec::new(),
        past: Vec::new(),
        voids: Vec::new(),
        past_voids: Vec::new(),
        class,
        repeats,
    };
    for act in acts {
        let stands = !replaced.contains(&act.id());
        match act.said {
            Said::Value(value) => {
                (if stands { &mut out.current } else { &mut out.past }).push(act.by.saying(value));
            }
            Said::Void(void) => {
                (if stands { &mut out.voids } else { &mut out.past_voids }).push(act.by.saying(void));
            }
        }
    }
    if class.effective() == MergeClass::UI_LWW {
        keep_last(&mut out);
    }
    out
}

/// Of several current values only the last one holds, by logical clock and then by name.
fn keep_last<P>(thread: &mut Thread<'_, P>) {
    thread.current.sort_by_key(Written::order);
    let last = thread.current.pop();
    thread.past.append(&mut thread.current);
    thread.past.sort_by_key(Written::order);
    thread.current.extend(last);
    // The last one may repeat what an earlier one said, which is past now.
    thread.repeats.clear();
}

/// The acts of one thread, with what each names within it.
struct Acts<'t, 'a, P> {
    by_id: BTreeMap<EntryId, &'t Act<'a, P>>,
    named: BTreeMap<EntryId, BTreeSet<EntryId>>,
}

impl<'t, 'a, P: Value> Acts<'t, 'a, P> {
    fn of(acts: &'t [Act<'a, P>]) -> Self {
        let by_id: BTreeMap<EntryId, &'t Act<'a, P>> = acts.iter().map(|act| (act.id(), act)).collect();
        let within = |act: &Act<'a, P>| {
            act.names.iter().copied().filter(|name| by_id.contains_key(name)).collect::<BTreeSet<_>>()
        };
        let named = acts.iter().map(|act| (act.id(), within(act))).collect();
        Self { by_id, named }
    }

    fn replaced(&self, class: MergeClass) -> BTreeSet<EntryId> {
        // What each act replaces, for acts whose causes were looked at already.
        let mut replaces: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
        for act in causes_first(&self.by_id, &self.named) {
            let named = self.named.get(&act.id()).cloned().unwrap_or_default();
            let all = act.manner == Manner::Decide || !class.asks_a_person() || named.len() < 2;
            let may = !act.out_of_reach.iter().any(|name| named.contains(name));
            let takes = may && (all || self.are_one_value(&still_open(&named, &replaces)));
            replaces.insert(act.id(), if takes { named } else { BTreeSet::new() });
        }
        replaces.into_values().flatten().collect()
    }

    fn are_one_value(&self, names: &[EntryId]) -> bool {
        let mut acts = names.iter().filter_map(|name| self.by_id.get(name));
        let Some(first) = acts.next() else { return true };
        acts.all(|act| self.is_one_value(first, act))
    }

    fn is_one_value(&self, one: &Act<'a, P>, other: &Act<'a, P>) -> bool {
        let alike = match (one.manner, other.manner) {
            (Manner::Decide, Manner::Decide) => true,
            (Manner::Write, Manner::Write) => self.named.get(&one.id()) == self.named.get(&other.id()),
            _ => false,
        };
        alike && one.said.is_same(other.said)
    }

    /// Candidates that are one value with an earlier one.
    fn repeats<'c>(&self, candidates: impl Iterator<Item = &'c Act<'a, P>>) -> BTreeSet<EntryId>
    where
        'a: 'c,
        P: 'c,
    {
        let mut firsts = BTreeSet::new();
        candidates.filter(|act| !firsts.insert(self.one_value_key(act))).map(Act::id).collect()
    }

    /// Equal for two acts exactly if they are one value: candidates may be too many to compare each with
    /// each.
    fn one_value_key(&self, act: &Act<'a, P>) -> (Option<&BTreeSet<EntryId>>, Option<Vec<u8>>) {
        let names = match act.manner {
            Manner::Decide => None,
            Manner::Write => self.named.get(&act.id()),
        };
        let words = match act.said {
            Said::Value(value) => Some(value.words()),
            Said::Void(_) => None,
        };
        (names, words)
    }
}

/// What is named and not replaced by another that is named beside it.
fn still_open(named: &BTreeSet<EntryId>, replaces: &BTreeMap<EntryId, BTreeSet<EntryId>>) -> Vec<EntryId> {
    let older: BTreeSet<EntryId> =
        named.iter().filter_map(|name| replaces.get(name)).flatten().copied().collect();
    named.iter().copied().filter(|name| !older.contains(name)).collect()
}

/// Acts in an order in which nothing comes before what it names. Names are hashes, so there is one.
fn causes_first<'t, 'a, P>(
    by_id: &BTreeMap<EntryId, &'t Act<'a, P>>,
    named: &BTreeMap<EntryId, BTreeSet<EntryId>>,
) -> Vec<&'t Act<'a, P>> {
    let mut waits_for: BTreeMap<EntryId, usize> = BTreeMap::new();
    let mut effects: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    for (id, names) in named {
        waits_for.insert(*id, names.len());
        names.iter().for_each(|name| effects.entry(*name).or_default().push(*id));
    }
    let mut ready: Vec<EntryId> =
        waits_for.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    let mut out = Vec::with_capacity(by_id.len());
    while let Some(id) = ready.pop() {
        out.extend(by_id.get(&id).copied());
        for effect in effects.get(&id).into_iter().flatten() {
            if let Some(count) = waits_for.get_mut(effect) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(*effect);
                }
            }
        }
    }
    out
}

/// Threads of acts that share a key, such as the name of a field. Acts come in order.
pub(super) fn by_key<'a, P: Value, K: Ord>(
    acts: Vec<Act<'a, P>>,
    key: impl Fn(&P) -> K,
    class: impl Fn(&K) -> MergeClass,
) -> BTreeMap<K, Thread<'a, P>> {
    let mut groups: BTreeMap<K, Vec<Act<'a, P>>> = BTreeMap::new();
    for act in acts {
        // A register is never declared void.
        if let Said::Value(value) = act.said {
            groups.entry(key(value)).or_default().push(act);
        }
    }
    let thread = |(key, group): (K, Vec<Act<'a, P>>)| {
        let class = class(&key);
        (key, settle(group, class))
    };
    groups.into_iter().map(thread).collect()
}

/// Threads of acts that name each other.
pub(super) struct Lineages<'a, P> {
    /// In the order of their first writes.
    pub(super) threads: Vec<Thread<'a, P>>,
    /// Decisions between versions of different records: they decide nothing.
    pub(super) refused: Vec<EntryId>,
    /// Declarations about records that take no part in the chart's values.
    pub(super) alone: Vec<EntryId>,
}

/// Threads of acts that name each other. Acts come in order; a link to an entry outside the list
/// means nothing.
pub(super) fn by_lineage<P: Value>(acts: Vec<Act<'_, P>>, class: MergeClass) -> Lineages<'_, P> {
    let mut unions = Unions::of(acts.iter().map(Act::id));
    for act in &acts {
        // A decision joins its thread by one candidate: it makes no thread of two.
        let links = act.names.iter().filter(|name| unions.knows(name));
        let joins = if act.manner == Manner::Decide { 1 } else { usize::MAX };
        let links: Vec<EntryId> = links.take(joins).copied().collect();
        links.into_iter().for_each(|link| unions.join(act.id(), link));
    }
    let leader_of: BTreeMap<EntryId, EntryId> =
        acts.iter().map(|act| (act.id(), unions.leader(act.id()))).collect();
    let one_record = |act: &Act<'_, P>| {
        let own = leader_of.get(&act.id());
        act.names.iter().filter_map(|name| leader_of.get(name)).all(|leader| Some(leader) == own)
    };
    let refused: BTreeSet<EntryId> =
        acts.iter().filter(|act| act.manner == Manner::Decide && !one_record(act)).map(Act::id).collect();
    let mut groups: BTreeMap<EntryId, Vec<Act<'_, P>>> = BTreeMap::new();
    for act in acts.into_iter().filter(|act| !refused.contains(&act.id())) {
        if let Some(leader) = leader_of.get(&act.id()) {
            groups.entry(*leader).or_default().push(act);
        }
    }
    let settled = groups.into_values().map(|group| settle(group, class));
    let (mut threads, alone): (Vec<_>, Vec<_>) = settled.partition(|thread| thread.first().is_some());
    threads.sort_by_key(|thread| thread.first().map(Written::order));
    let alone = alone.iter().flat_map(|thread| thread.voids.iter().chain(&thread.past_voids));
    Lineages { threads, refused: refused.into_iter().collect(), alone: alone.map(Written::id).collect() }
}

/// Which entries hang together.
struct Unions(BTreeMap<EntryId, EntryId>);

impl Unions {
    fn of(entries: impl Iterator<Item = EntryId>) -> Self {
        Self(entries.map(|id| (id, id)).collect())
    }

    fn knows(&self, id: &EntryId) -> bool {
        self.0.contains_key(id)
    }

    /// The representative of an entry; the way to it is shortened for the next time.
    fn leader(&mut self, id: EntryId) -> EntryId {
        let mut leader = id;
        while let Some(next) = self.0.get(&leader).copied().filter(|next| *next != leader) {
            leader = next;
        }
        let mut at = id;
        while let Some(next) = self.0.insert(at, leader).filter(|next| *next != at && *next != leader) {
            at = next;
        }
        leader
    }

    fn join(&mut self, one: EntryId, other: EntryId) {
        let (a, b) = (self.leader(one), self.leader(other));
        self.0.insert(a.max(b), a.min(b));
    }
}
