//! What holds, computed anew from the entries of a chart by rules of their own that walk through them
//! in the order of their logical clocks. Where a view says otherwise, it hides something.

use std::collections::{BTreeMap, BTreeSet};
use ward_id::EntryId;
use ward_sync::{
    Author, ChartView, Decoded, EntryKind, FieldKey, Payload, Place, Resolution, SetChange, Thread,
    TimelineItem, Value,
};

/// What one entry does about a field: what it says, what it names, and whether it is a decision.
struct Act {
    says: Said,
    names: BTreeSet<EntryId>,
    decides: bool,
    by: Option<Author>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Value(String),
    Void,
}

impl Act {
    /// Two acts with the same of this are one value: decisions that agree, and writes that made the
    /// same of one state.
    fn sameness(&self, known: &BTreeSet<EntryId>) -> (&Said, Option<Vec<EntryId>>) {
        let state = || self.names.intersection(known).copied().collect();
        (&self.says, (!self.decides).then(state))
    }

    /// Whether a write to a record may replace another act: staff replace what anybody wrote, a
    /// participant what they wrote themselves.
    fn reaches(&self, other: &Self) -> bool {
        let same_person = self.by.zip(other.by).is_some_and(|(by, other)| by.person == other.person);
        same_person || self.by.is_some_and(|by| by.role.is_staff())
    }
}

type Acts = Vec<(EntryId, Act)>;

/// The first field in which the view shows other values than hold, or hides that there are several.
pub(super) fn hidden_value(view: &ChartView<'_>) -> Option<String> {
    hidden_in(view, &shown(view), |entry| view.place(entry))
}

/// The same for what is shown, and where it is said to stand.
pub(super) fn hidden_in(
    view: &ChartView<'_>,
    shown: &BTreeMap<FieldKey, BTreeSet<EntryId>>,
    place_of: impl Fn(EntryId) -> Option<Place>,
) -> Option<String> {
    let acts = acts_by_field(view);
    let fields: BTreeSet<&FieldKey> = acts.keys().chain(shown.keys()).collect();
    fields.into_iter().find_map(|field| {
        let none = Acts::new();
        let wanted = wanted(acts.get(field).unwrap_or(&none), field);
        let holds: BTreeSet<EntryId> = wanted.keys().copied().collect();
        let shown = shown.get(field).cloned().unwrap_or_default();
        if holds != shown {
            return Some(format!("{field}: {holds:?} hold, {shown:?} are shown"));
        }
        let wrong = wanted.iter().find(|(entry, place)| place_of(**entry) != Some(**place));
        wrong.map(|(entry, place)| format!("{field}: {entry} is {:?}, not {place:?}", place_of(*entry)))
    })
}

/// The first set in which the view shows other elements than were put in and not taken out.
pub(super) fn wrong_set(view: &ChartView<'_>) -> Option<String> {
    let mut added: BTreeMap<(String, String), BTreeSet<EntryId>> = BTreeMap::new();
    let mut removed: BTreeSet<EntryId> = BTreeSet::new();
    for item in view.timeline().iter().filter(counts) {
        let Decoded::Known(Payload::SetChange(SetChange { set, add, removes })) =
            item.entry.body().decode_payload()
        else {
            continue;
        };
        removed.extend(removes);
        if let Some(element) = add {
            added.entry((set, element)).or_default().insert(item.entry.id());
        }
    }
    added.values_mut().for_each(|additions| additions.retain(|addition| !removed.contains(addition)));
    added.retain(|_, additions| !additions.is_empty());
    let mut shown: BTreeMap<(String, String), BTreeSet<EntryId>> = BTreeMap::new();
    for (name, set) in view.sets() {
        for (element, additions) in &set.elements {
            let additions = additions.iter().map(ward_sync::Written::id).collect();
            shown.insert((name.clone(), element.clone()), additions);
        }
    }
    (added != shown).then(|| format!("{added:?} are in, {shown:?} are shown"))
}

/// Whether an entry takes part in what the chart says.
fn counts(item: &&TimelineItem<'_>) -> bool {
    matches!(item.place, Place::Visible | Place::Superseded | Place::InConflict)
}

/// The acts of each field or kind of record that count.
fn acts_by_field(view: &ChartView<'_>) -> BTreeMap<FieldKey, Acts> {
    let mut fields: BTreeMap<FieldKey, Acts> = BTreeMap::new();
    let mut kinds: BTreeMap<EntryId, EntryKind> = BTreeMap::new();
    for item in view.timeline().iter().filter(counts) {
        let (entry, body) = (item.entry.id(), item.entry.body());
        let Decoded::Known(payload) = body.decode_payload() else { continue };
        let (field, act) = match &payload {
            Payload::Resolve(decision) => {
                let says = match &decision.resolution {
                    Resolution::Candidate(chosen) => {
                        said_by(&fields, *chosen).or_else(|| said_aside(view, *chosen))
                    }
                    Resolution::Value(value) => Some(said(value, &value.encode())),
                };
                let Some(says) = says else { continue };
                let names = decision.candidates.iter().copied().collect();
                (decision.field.clone(), Act { says, names, decides: true, by: item.author })
            }
            Payload::Void(void) => {
                let Some(kind) = kinds.get(&void.target) else { continue };
                let names = BTreeSet::from([void.target]);
                (FieldKey::Record(*kind), Act { says: Said::Void, names, decides: false, by: item.author })
            }
            other => {
                let Some(field) = other.field_key() else { continue };
                kinds.insert(entry, field.kind());
                let names = other.supersedes().iter().copied().chain(body.amends).collect();
                (field, Act { says: said(other, &body.payload), names, decides: false, by: item.author })
            }
        };
        fields.entry(field).or_default().push((entry, act));
    }
    fields
}

/// What a write says, apart from what it replaces.
fn said(payload: &Payload, bytes: &[u8]) -> Said {
    Said::Value(match payload {
        Payload::MedicationPlanField(write) => format!("{:?} {:?}", write.value, write.unit),
        Payload::Appointment(write) => format!(
            "{:?} {:?} {} {:?} {:?}",
            write.status, write.starts_at, write.minutes, write.place, write.purpose
        ),
        Payload::ProfileField(write) => write.value.clone(),
        Payload::Note(write) => write.text.clone(),
        _ => ward_id::hex_encode(bytes),
    })
}

fn said_by(fields: &BTreeMap<FieldKey, Acts>, chosen: EntryId) -> Option<Said> {
    let mut all = fields.values().flatten();
    all.find(|(entry, _)| *entry == chosen).map(|(_, act)| act.says.clone())
}

/// What an entry says that does not stand itself: whoever decided for it has read it.
fn said_aside(view: &ChartView<'_>, chosen: EntryId) -> Option<Said> {
    let item = view.timeline().iter().find(|item| item.entry.id() == chosen)?;
    let Decoded::Known(payload) = item.entry.body().decode_payload() else { return None };
    match &payload {
        Payload::Resolve(decision) => match &decision.resolution {
            Resolution::Candidate(chosen) => said_aside(view, *chosen),
            Resolution::Value(value) => Some(said(value, &value.encode())),
        },
        Payload::Void(_) => Some(Said::Void),
        other => Some(said(other, &item.entry.body().payload)),
    }
}

/// What no other act replaces, with the place where it must stand.
fn wanted(acts: &Acts, field: &FieldKey) -> BTreeMap<EntryId, Place> {
    let of_records = matches!(field, FieldKey::Record(_));
    let holds = holding(acts, of_records);
    let known: BTreeSet<EntryId> = acts.iter().map(|(entry, _)| *entry).collect();
    let groups = groups(acts, of_records);
    let mut out = BTreeMap::new();
    for group in groups {
        let of_group: Vec<&(EntryId, Act)> = acts.iter().filter(|(entry, _)| group.contains(entry)).collect();
        // A declaration about a record that takes no part in the values says nothing.
        if of_group.iter().all(|(_, act)| act.says == Said::Void) {
            continue;
        }
        let open = of_group.iter().filter(|(entry, _)| holds.contains(entry));
        let said: BTreeSet<_> = open.clone().map(|(_, act)| act.sameness(&known)).collect();
        let place = if said.len() > 1 { Place::InConflict } else { Place::Visible };
        out.extend(open.map(|(entry, _)| (*entry, place)));
    }
    out
}

fn holding(acts: &Acts, of_records: bool) -> BTreeSet<EntryId> {
    let mut replaces: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
    let known: BTreeMap<EntryId, &Act> = acts.iter().map(|(entry, act)| (*entry, act)).collect();
    let entries: BTreeSet<EntryId> = known.keys().copied().collect();
    for (entry, act) in acts {
        let named: BTreeSet<EntryId> =
            act.names.iter().filter(|name| known.contains_key(name)).copied().collect();
        let older: BTreeSet<EntryId> =
            named.iter().filter_map(|name| replaces.get(name)).flatten().copied().collect();
        let said: BTreeSet<_> = named
            .difference(&older)
            .filter_map(|name| known.get(name))
            .map(|act| act.sameness(&entries))
            .collect();
        let free = !of_records || act.decides || act.says == Said::Void;
        let may = free || named.iter().filter_map(|name| known.get(name)).all(|other| act.reaches(other));
        let takes = may && (act.decides || named.len() < 2 || said.len() < 2);
        replaces.insert(*entry, if takes { named } else { BTreeSet::new() });
    }
    let replaced: BTreeSet<EntryId> = replaces.into_values().flatten().collect();
    known.keys().filter(|entry| !replaced.contains(entry)).copied().collect()
}

/// All acts of a register; of records, those that hang together.
fn groups(acts: &Acts, of_records: bool) -> Vec<BTreeSet<EntryId>> {
    if !of_records {
        return vec![acts.iter().map(|(entry, _)| *entry).collect()];
    }
    let mut groups: Vec<BTreeSet<EntryId>> = Vec::new();
    for (entry, act) in acts {
        let (mine, others): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| act.names.iter().any(|name| group.contains(name)));
        let mut group: BTreeSet<EntryId> = mine.into_iter().flatten().collect();
        group.insert(*entry);
        groups = others;
        groups.push(group);
    }
    groups
}

/// What the view shows of each field and kind of record as holding.
pub(super) fn shown(view: &ChartView<'_>) -> BTreeMap<FieldKey, BTreeSet<EntryId>> {
    let mut out: BTreeMap<FieldKey, BTreeSet<EntryId>> = BTreeMap::new();
    for ((medication, field), thread) in view.medication_plan() {
        add(&mut out, FieldKey::MedicationPlan(medication.clone(), field.clone()), thread);
    }
    for (visit, thread) in view.appointments() {
        add(&mut out, FieldKey::Appointment(*visit), thread);
    }
    for (field, thread) in view.profile() {
        add(&mut out, FieldKey::Profile(field.clone()), thread);
    }
    let records = FieldKey::Record;
    for thread in view.responses().values().flatten() {
        add(&mut out, records(EntryKind::QUESTIONNAIRE_RESPONSE), thread);
    }
    view.notes().iter().for_each(|thread| add(&mut out, records(EntryKind::NOTE), thread));
    view.doses().iter().for_each(|thread| add(&mut out, records(EntryKind::DOSE), thread));
    let acknowledgements = view.acknowledgements().iter();
    acknowledgements.for_each(|thread| add(&mut out, records(EntryKind::ALERT_ACKNOWLEDGEMENT), thread));
    view.consents().iter().for_each(|thread| add(&mut out, records(EntryKind::CONSENT), thread));
    view.participation().iter().for_each(|thread| add(&mut out, records(EntryKind::PARTICIPATION), thread));
    view.instruments().iter().for_each(|thread| add(&mut out, records(EntryKind::INSTRUMENT), thread));
    view.attachments().iter().for_each(|thread| add(&mut out, records(EntryKind::ATTACHMENT), thread));
    out
}

fn add<P: Value>(out: &mut BTreeMap<FieldKey, BTreeSet<EntryId>>, field: FieldKey, thread: &Thread<'_, P>) {
    out.entry(field).or_default().extend(thread.current_ids());
}
