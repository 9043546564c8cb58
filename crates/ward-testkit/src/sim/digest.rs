//! A chart as one device sees it, in a form that can be compared with another device's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use ward_id::{DeviceId, EntryId};
use ward_sync::{ChartView, Place, Thread, Value, Written};

/// Where one entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) entry: EntryId,
    kind: &'static str,
    device: DeviceId,
    seq: u64,
    place: Place,
    carried_by: Option<EntryId>,
    forked: bool,
    olog_index: Option<u64>,
}

/// Everything that two members must see alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) standings: Vec<Standing>,
    /// For each register and record, what holds and what was replaced.
    threads: BTreeMap<String, (Vec<EntryId>, Vec<EntryId>)>,
    /// Open conflicts with their candidates, the members of sets, and what texts say.
    facts: BTreeMap<String, String>,
}

impl Digest {
    pub(super) fn of(view: &ChartView<'_>) -> Self {
        let standing = |item: &ward_sync::TimelineItem<'_>| Standing {
            entry: item.entry.id(),
            kind: item.entry.body().kind.name(),
            device: item.entry.frame().device,
            seq: item.entry.frame().seq,
            place: item.place,
            carried_by: item.carried_by,
            forked: item.forked,
            olog_index: item.arrival.olog_index,
        };
        let standings = view.timeline().iter().map(standing).collect();
        let mut out = Self { standings, threads: BTreeMap::new(), facts: BTreeMap::new() };
        for ((medication, field), thread) in view.medication_plan() {
            out.add(format!("plan {medication} {field}"), thread);
        }
        for (appointment, thread) in view.appointments() {
            out.add(format!("visit {:?}", appointment.0), thread);
        }
        for (field, thread) in view.profile() {
            out.add(format!("profile {field}"), thread);
        }
        for ((url, occurrence), threads) in view.responses() {
            for (number, thread) in threads.iter().enumerate() {
                out.add(format!("answers {url} {occurrence} {number}"), thread);
            }
        }
        out.add_list("note", view.notes());
        out.add_list("dose", view.doses());
        out.add_list("acknowledgement", view.acknowledgements());
        out.add_list("life", view.incarnations());
        out.add_list("carry", view.carries());
        out.add_list("declined", view.drop_declines());
        out.add_list("closed", view.closures());
        out.add_list("attachment", view.attachments());
        out.add_list("checkpoint", view.checkpoints());
        out.add_list("cosignature", view.checkpoint_cosignatures());
        out.add_conflicts(view);
        out.add_sets(view);
        out.add_texts(view);
        out
    }

    fn add_conflicts(&mut self, view: &ChartView<'_>) {
        for (number, open) in view.conflicts().into_iter().enumerate() {
            self.fact(format!("conflict {number} about {}", open.field), &open.candidates);
        }
    }

    fn add_sets(&mut self, view: &ChartView<'_>) {
        for (name, set) in view.sets() {
            for (element, additions) in &set.elements {
                let additions: Vec<EntryId> = additions.iter().map(Written::id).collect();
                self.fact(format!("{element} in {name}"), &additions);
            }
        }
    }

    fn add_texts(&mut self, view: &ChartView<'_>) {
        for (name, text) in view.texts() {
            let name = format!("text {:02x}", name.0.first().copied().unwrap_or(0));
            self.fact(format!("{name} says"), &text.text());
            self.fact(format!("{name} stands at"), &text.frontier());
            self.fact(format!("{name} to review"), &text.review_marks());
            for signed in text.signatures() {
                let signature = signed.signature.id();
                self.fact(format!("{name} changed since {signature}"), &signed.changes);
            }
        }
    }

    /// The same without conflicts, sets and texts.
    #[cfg(test)]
    pub(super) fn without_facts(mut self) -> Self {
        self.facts.clear();
        self
    }

    fn fact(&mut self, name: String, fact: &impl Debug) {
        self.facts.insert(name, format!("{fact:?}"));
    }

    fn add<P: Value>(&mut self, name: String, thread: &Thread<'_, P>) {
        let past = thread.past.iter().map(Written::id);
        let past = past.chain(thread.past_voids.iter().map(Written::id)).collect();
        self.threads.insert(name, (thread.current_ids(), past));
    }

    fn add_list<P: Value>(&mut self, name: &str, threads: &[Thread<'_, P>]) {
        for (number, thread) in threads.iter().enumerate() {
            self.add(format!("{name} {number}"), thread);
        }
    }

    /// The first thing that differs, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let theirs: BTreeMap<EntryId, &Standing> =
            other.standings.iter().map(|standing| (standing.entry, standing)).collect();
        for mine in &self.standings {
            match theirs.get(&mine.entry) {
                None => return Some(format!("only one holds {mine:?}")),
                Some(standing) if *standing != mine => return Some(format!("{mine:?} against {standing:?}")),
                Some(_) => {}
            }
        }
        let mine: BTreeSet<EntryId> = self.standings.iter().map(|standing| standing.entry).collect();
        if let Some(extra) = other.standings.iter().find(|standing| !mine.contains(&standing.entry)) {
            return Some(format!("only the other holds {extra:?}"));
        }
        for (name, thread) in &self.threads {
            if other.threads.get(name) != Some(thread) {
                return Some(format!("{name}: {thread:?} against {:?}", other.threads.get(name)));
            }
        }
        for (name, fact) in &self.facts {
            if other.facts.get(name) != Some(fact) {
                return Some(format!("{name}: {fact} against {:?}", other.facts.get(name)));
            }
        }
        (self != other).then(|| "the order of entries, or what only the other shows".to_owned())
    }
}
