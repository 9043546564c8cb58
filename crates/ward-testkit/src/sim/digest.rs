//! A chart as one device sees it, in a form that can be compared with another device's.

use std::collections::{BTreeMap, BTreeSet};
use ward_id::EntryId;
use ward_sync::{ChartView, Decoded, FieldKey, MedicationField, Payload, Place, Resolution, Thread, Value};

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

    fn add<P: Value>(&mut self, name: String, thread: &Thread<'_, P>) {
        let past = thread.past.iter().map(ward_sync::Written::id).collect();
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
        (self != other).then(|| "the order of entries, or a list of threads".to_owned())
    }
}

/// What one entry of the medication plan does: its value with its unit, what it names, and whether
/// it is a decision.
struct PlanAct {
    says: Option<(Option<String>, Option<String>)>,
    names: BTreeSet<EntryId>,
    decides: bool,
}

/// Computes anew which values of the medication plan hold, by a rule of its own that walks through
/// the entries in the order of their logical clocks. Gives the first field where the view says
/// otherwise, or where it hides that there are several.
pub(super) fn hidden_value(view: &ChartView<'_>) -> Option<String> {
    for (field, acts) in plan_acts(view) {
        let holds = holding(&acts);
        let thread = view.medication_plan().get(&field);
        let shown: BTreeSet<EntryId> =
            thread.map(Thread::current_ids).unwrap_or_default().into_iter().collect();
        let said: BTreeSet<_> =
            acts.iter().filter(|(entry, _)| holds.contains(entry)).map(|(_, act)| &act.says).collect();
        let wanted = if said.len() > 1 { Place::InConflict } else { Place::Visible };
        if holds != shown || holds.iter().any(|entry| view.place(*entry) != Some(wanted)) {
            return Some(format!("{} {}: {holds:?} hold, {shown:?} are shown", field.0, field.1));
        }
    }
    None
}

/// The acts of each field that count, in the order of their logical clocks.
fn plan_acts(view: &ChartView<'_>) -> BTreeMap<MedicationField, Vec<(EntryId, PlanAct)>> {
    let mut fields: BTreeMap<MedicationField, Vec<(EntryId, PlanAct)>> = BTreeMap::new();
    for item in view.timeline() {
        if !matches!(item.place, Place::Visible | Place::Superseded | Place::InConflict) {
            continue;
        }
        let (field, act) = match item.entry.body().decode_payload() {
            Decoded::Known(Payload::MedicationPlanField(write)) => {
                let names = write.supersedes.into_iter().collect();
                let act = PlanAct { says: Some((write.value, write.unit)), names, decides: false };
                ((write.medication, write.field), act)
            }
            Decoded::Known(Payload::Resolve(decision)) => {
                let FieldKey::MedicationPlan(medication, field) = decision.field.clone() else { continue };
                let says = match &decision.resolution {
                    Resolution::Candidate(chosen) => said_by(&fields, chosen),
                    Resolution::Value(_) => continue,
                };
                let names = decision.candidates.into_iter().collect();
                ((medication, field), PlanAct { says, names, decides: true })
            }
            _ => continue,
        };
        fields.entry(field).or_default().push((item.entry.id(), act));
    }
    fields
}

fn said_by(
    fields: &BTreeMap<MedicationField, Vec<(EntryId, PlanAct)>>,
    chosen: &EntryId,
) -> Option<(Option<String>, Option<String>)> {
    fields.values().flatten().find(|(entry, _)| entry == chosen)?.1.says.clone()
}

/// What no other act replaces.
fn holding(acts: &[(EntryId, PlanAct)]) -> BTreeSet<EntryId> {
    let mut replaces: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
    let known: BTreeMap<EntryId, &PlanAct> = acts.iter().map(|(entry, act)| (*entry, act)).collect();
    for (entry, act) in acts {
        let named: BTreeSet<EntryId> =
            act.names.iter().filter(|name| known.contains_key(name)).copied().collect();
        let older: BTreeSet<EntryId> =
            named.iter().filter_map(|name| replaces.get(name)).flatten().copied().collect();
        let said: BTreeSet<_> =
            named.difference(&older).filter_map(|name| known.get(name)).map(|act| &act.says).collect();
        let takes = act.decides || named.len() < 2 || said.len() < 2;
        replaces.insert(*entry, if takes { named } else { BTreeSet::new() });
    }
    let replaced: BTreeSet<EntryId> = replaces.into_values().flatten().collect();
    known.keys().filter(|entry| !replaced.contains(entry)).copied().collect()
}
