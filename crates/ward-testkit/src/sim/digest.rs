//! A chart as one device sees it, in a form that can be compared with another device's.

use std::collections::{BTreeMap, BTreeSet};
use ward_id::EntryId;
use ward_sync::{ChartView, Decoded, MedicationField, Payload, Place, Thread};

/// Where one entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) entry: EntryId,
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
}

impl Digest {
    pub(super) fn of(view: &ChartView<'_>) -> Self {
        let standing = |item: &ward_sync::TimelineItem<'_>| Standing {
            entry: item.entry.id(),
            place: item.place,
            carried_by: item.carried_by,
            forked: item.forked,
            olog_index: item.arrival.olog_index,
        };
        let mut out =
            Self { standings: view.timeline().iter().map(standing).collect(), threads: BTreeMap::new() };
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
        out
    }

    fn add<P>(&mut self, name: String, thread: &Thread<'_, P>) {
        let past = thread.past.iter().map(ward_sync::Written::id).collect();
        self.threads.insert(name, (thread.current_ids(), past));
    }

    fn add_list<P>(&mut self, name: &str, threads: &[Thread<'_, P>]) {
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
        (self != other).then(|| "the order of entries, or a list of threads".to_owned())
    }
}

/// Computes anew which values of the medication plan hold, by a rule of its own: those that no
/// other write that counts names as replaced. Gives the first field where the view says otherwise,
/// or where it hides that there are several.
pub(super) fn hidden_value(view: &ChartView<'_>) -> Option<String> {
    let mut fields: BTreeMap<MedicationField, (BTreeSet<EntryId>, BTreeSet<EntryId>)> = BTreeMap::new();
    for item in view.timeline() {
        let counts = matches!(item.place, Place::Visible | Place::Superseded | Place::InConflict);
        let Decoded::Known(Payload::MedicationPlanField(write)) = item.entry.body().decode_payload() else {
            continue;
        };
        if counts {
            let key = (write.medication.clone(), write.field.clone());
            let (written, replaced) = fields.entry(key).or_default();
            written.insert(item.entry.id());
            replaced.extend(write.supersedes);
        }
    }
    for (key, (written, replaced)) in fields {
        let holds: BTreeSet<EntryId> = written.difference(&replaced).copied().collect();
        let shown: BTreeSet<EntryId> = view
            .medication_plan()
            .get(&key)
            .map(Thread::current_ids)
            .unwrap_or_default()
            .into_iter()
            .collect();
        let wanted = if holds.len() > 1 { Place::InConflict } else { Place::Visible };
        if holds != shown || holds.iter().any(|entry| view.place(*entry) != Some(wanted)) {
            return Some(format!("{} {}: {holds:?} hold, {shown:?} are shown", key.0, key.1));
        }
    }
    None
}
