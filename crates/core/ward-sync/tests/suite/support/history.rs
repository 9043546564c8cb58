//! Random histories of one chart: several devices with replicas of their own, one without a
//! certificate, one that was lost, one that was copied, and every kind of entry.

use super::TestRng;
use proptest::prelude::*;
use ward_crypto::{CaptureSignature, DeviceCert, Role, Signature, V1};
use ward_id::*;
use ward_sync::*;

pub const SITE: SiteId = SiteId::from_bytes([1; 16]);
pub const CHART: ChartId = ChartId::from_bytes([2; 16]);
const ROLES: [Role; 4] = [Role::Patient, Role::Coordinator, Role::Clinician, Role::Investigator];

/// Roles by device; the device `LOST` was revoked below a place in the log.
pub struct Table {
    cut_off: u64,
    schema: StudySchema,
}

pub const LOST: u8 = 3;

/// Every merge class once. `ui-lww` breaks ties by names, and names hang on clocks, so a test of clocks
/// leaves it out.
fn schema(with_last_writer: bool) -> StudySchema {
    let row = |kind, name: &str, class| SchemaField {
        shape: DataShape::Register,
        kind,
        name: Some(name.into()),
        class,
        safety: false,
        resolvers: vec![],
    };
    let mut fields = vec![row(EntryKind::MEDICATION_PLAN_FIELD, "field-0", MergeClass::WORST_CASE)];
    if with_last_writer {
        fields.push(row(EntryKind::PROFILE_FIELD, "field-1", MergeClass::UI_LWW));
    }
    fields.push(row(EntryKind::PROFILE_FIELD, "field-2", MergeClass::UNION));
    let (study, min_readers) = (StudyId::from_bytes([5; 16]), vec![]);
    StudySchema { v: V1, study, number: 0, prev: None, fields, min_readers }
}

impl Table {
    pub fn new(cut_off: u64) -> Self {
        Self { cut_off, schema: schema(false) }
    }

    pub fn with_all_classes(cut_off: u64) -> Self {
        Self { cut_off, schema: schema(true) }
    }
}

impl Authority for Table {
    fn author(&self, device: DeviceId) -> Option<Author> {
        let number = device.as_bytes()[0];
        let role = *ROLES.get(usize::from(number))?;
        Some(Author { person: PersonId::from_bytes([number; 16]), role, device })
    }
    fn certificate(&self, _: DeviceId) -> Option<&DeviceCert> {
        None
    }
    fn standing(&self, device: DeviceId, olog_index: Option<u64>) -> Standing {
        let late = olog_index.is_none_or(|index| index >= self.cut_off);
        if device.as_bytes()[0] == LOST && late { Standing::ToBeAdopted } else { Standing::Effective }
    }
    fn schema(&self) -> Option<&StudySchema> {
        Some(&self.schema)
    }
}

/// One device with its own replica.
#[derive(Clone)]
struct Replica {
    device: DeviceId,
    chart: Chart,
    seq: u64,
    prev: Option<EntryId>,
}

#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub device: u8,
    pub action: u8,
    pub argument: u8,
}

/// The entries of a history, in the order in which they were made.
pub fn play(steps: &[Step], clock_seed: u64) -> Vec<SignedEntry> {
    let mut clock = TestRng::new(clock_seed);
    let mut random = TestRng::new(7);
    let replica = |number: u8| Replica {
        device: DeviceId::from_bytes([number; 16]),
        chart: Chart::new(SITE, CHART),
        seq: 0,
        prev: None,
    };
    // Four devices, a fifth without a certificate, and a copy of the first one that forks it.
    let mut replicas: Vec<Replica> = (0..5).map(replica).chain([replica(0)]).collect();
    let mut all = Vec::new();
    for step in steps {
        let from = usize::from(step.argument) % replicas.len();
        let at = usize::from(step.device) % replicas.len();
        if step.action.is_multiple_of(3) {
            let source: Vec<SignedEntry> = all.clone();
            let (to, other) = (at, replicas[from].chart.clone());
            for entry in source.iter().filter(|entry: &&SignedEntry| other.get(entry.id()).is_some()) {
                replicas[to].chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
            }
            continue;
        }
        let entry = write(&mut replicas[at], *step, &mut clock, &mut random);
        all.push(entry);
    }
    all
}

fn write(replica: &mut Replica, step: Step, clock: &mut TestRng, random: &mut TestRng) -> SignedEntry {
    let have = replica.chart.have();
    let own = |d: DeviceId, i: Incarnation| (d, i) == (replica.device, Incarnation(1));
    let deps = have.iter().filter(|(d, i, _)| !own(*d, *i)).map(|(_, _, head)| head.entry).collect();
    let view = replica.chart.view(&Table::new(u64::MAX));
    let Content { kind, schema, version, payload, amends, reason } = content(&view, step);
    let body = EntryBody {
        random16: ward_crypto::random_bytes(random),
        deps,
        lamport: replica.chart.lamport() + 1,
        kind,
        schema,
        version,
        captured_at: TimestampMs((clock.next() >> 20) as i64),
        zone: "UTC".into(),
        evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
        olog: None,
        amends,
        reason,
        payload,
    };
    replica.seq += 1;
    let frame = EntryFrame {
        site: SITE,
        chart: CHART,
        device: replica.device,
        incarnation: Incarnation(1),
        seq: replica.seq,
        prev: replica.prev,
        body,
    };
    let unsigned = |_| Ok(CaptureSignature::Device(Signature::from_bytes([0; 64])));
    let entry = SignedEntry::sign(frame, unsigned).unwrap();
    replica.prev = Some(entry.id());
    replica.chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
    entry
}

struct Content {
    kind: EntryKind,
    schema: String,
    version: u64,
    payload: Vec<u8>,
    amends: Option<EntryId>,
    reason: Option<String>,
}

fn content(view: &ChartView<'_>, step: Step) -> Content {
    let field = format!("field-{}", step.argument % 3);
    let known = |payload: Payload, amends| Content {
        kind: payload.kind(),
        schema: payload.schema().into(),
        version: payload.version(),
        reason: payload.needs_reason().then(|| "asked".to_owned()),
        payload: payload.encode(),
        amends,
    };
    let odd = |kind, schema: &str, payload| Content {
        kind,
        schema: schema.into(),
        version: 1,
        payload,
        amends: None,
        reason: None,
    };
    match step.action % 19 {
        1 => {
            let key = (MedicationId::new("m"), field.clone());
            let supersedes = view.medication_plan().get(&key).map_or(vec![], Thread::current_ids);
            let (value, unit) = (Some(step.argument.to_string()), None);
            known(MedicationPlanField { medication: key.0, field, value, unit, supersedes }.into(), None)
        }
        2 => {
            let supersedes = view.profile().get(&field).map_or(vec![], Thread::current_ids);
            known(ProfileField { field, value: step.argument.to_string(), supersedes }.into(), None)
        }
        4 => {
            let mut notes: Vec<_> = view.notes().iter().collect();
            notes.sort_by_key(|note| note.first().map(seal_of));
            let note = notes.get(usize::from(step.argument) % 4);
            let supersedes = note.map_or(vec![], |note| note.current_ids());
            known(Note { text: step.argument.to_string(), supersedes }.into(), None)
        }
        5 => {
            let payload = super::response(&field, ResponseStatus::Completed, AnsweredBy::Interview);
            let responses = view.responses().values().flatten().flat_map(|thread| &thread.current);
            let there = responses.min_by_key(|written| seal_of(written));
            let amends = there.filter(|_| step.argument.is_multiple_of(2)).map(|written| written.id());
            known(payload.into(), amends)
        }
        7 => odd(EntryKind(30), "ward/future", vec![step.argument]),
        8 => known(super::instrument(&field).into(), None),
        9 => {
            // Mostly an instrument, if there is one; now and then any entry.
            let instruments = view.instruments().iter().flat_map(|thread| &thread.current);
            let there = instruments.min_by_key(|written| seal_of(written)).map(Written::id);
            let any = view.timeline().iter().min_by_key(|item| item.entry.body().random16);
            let any = any.map(|item| item.entry.id());
            let named = if step.argument.is_multiple_of(8) { any } else { there.or(any) };
            match named {
                Some(named) => known(super::dense(named, &field, AnsweredBy::Interview).into(), None),
                None => known(super::note("nothing to answer").into(), None),
            }
        }
        10 | 11 => decision(view, step)
            .map_or_else(|| known(support_note(step), None), |decision| known(decision.into(), None)),
        13 => match versions(view).get(usize::from(step.argument) % 5) {
            Some(target) => known(Void { target: *target }.into(), None),
            None => known(support_note(step), None),
        },
        14 => {
            // A correction of any version, declarations that it is void among them.
            let any = view.timeline().iter().filter(|item| {
                matches!(item.entry.body().kind, EntryKind::VOID | EntryKind::QUESTIONNAIRE_RESPONSE)
            });
            let mut any: Vec<_> = any.map(|item| (item.entry.body().random16, item.entry.id())).collect();
            any.sort_unstable();
            let amends = any.get(usize::from(step.argument) % 7).map(|(_, id)| *id);
            let payload = super::response(&field, ResponseStatus::Amended, AnsweredBy::Interview);
            known(payload.into(), amends)
        }
        16 => known(SetChange::adding(field, step.argument.to_string()).into(), None),
        17 => {
            let additions = view.sets().get(&field).into_iter().flat_map(|set| set.elements.values());
            let mut seen: Vec<_> = additions.flatten().map(|w| (seal_of(w), w.id())).collect();
            seen.sort_unstable();
            let removes: Vec<EntryId> = seen.into_iter().take(2).map(|(_, id)| id).collect();
            if removes.is_empty() {
                known(SetChange::adding(field, "0").into(), None)
            } else {
                known(SetChange::removing(field, removes).into(), None)
            }
        }
        18 => {
            // Whoever sees some of the values only, or none.
            let key = (MedicationId::new("m"), field.clone());
            let current = view.medication_plan().get(&key).into_iter().flat_map(|thread| &thread.current);
            let mut seen: Vec<_> = current.map(|w| (seal_of(w), w.id())).collect();
            seen.sort_unstable();
            let some = seen.into_iter().take(usize::from(step.argument) % 3);
            let supersedes = some.map(|(_, id)| id).collect();
            let (value, unit) = (Some((step.argument / 8).to_string()), None);
            known(MedicationPlanField { medication: key.0, field, value, unit, supersedes }.into(), None)
        }
        _ => odd(EntryKind::NOTE, "ward/note", vec![0xff, step.argument]),
    }
}

fn support_note(step: Step) -> Payload {
    super::note(&step.argument.to_string()).into()
}

/// A decision about one of the open conflicts: mostly between all candidates, sometimes with one left
/// out, sometimes for a value that nobody wrote.
fn decision(view: &ChartView<'_>, step: Step) -> Option<Resolve> {
    let seal = |id: &EntryId| {
        let item = view.timeline().iter().find(|item| item.entry.id() == *id);
        item.map(|item| item.entry.body().random16)
    };
    let mut open: Vec<_> = view
        .conflicts()
        .into_iter()
        .map(|conflict| {
            let mut candidates = conflict.candidates;
            candidates.sort_by_key(seal);
            (candidates.first().and_then(seal), conflict.field, candidates)
        })
        .collect();
    open.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let count = open.len();
    let (_, field, mut candidates) = open.into_iter().nth(usize::from(step.argument) % count.max(1))?;
    if step.argument.is_multiple_of(7) && candidates.len() > 2 {
        candidates.pop();
    }
    let chosen = candidates[usize::from(step.argument / 4) % candidates.len()];
    Some(match &field {
        FieldKey::MedicationPlan(medication, name) if step.argument.is_multiple_of(5) => {
            let value = MedicationPlanField {
                medication: medication.clone(),
                field: name.clone(),
                value: Some("77".into()),
                unit: None,
                supersedes: vec![],
            };
            Resolve::with_value(field.clone(), candidates, value)
        }
        _ => Resolve::choosing(field, candidates, chosen),
    })
}

/// Versions of records and notes that hold, in an order that hangs on no name.
fn versions(view: &ChartView<'_>) -> Vec<EntryId> {
    let responses = view.responses().values().flatten().flat_map(|thread| &thread.current);
    let notes = view.notes().iter().flat_map(|thread| &thread.current);
    let mut out: Vec<_> = responses.map(|w| (seal_of(w), w.id())).collect();
    out.extend(notes.map(|w| (seal_of(w), w.id())));
    out.sort_unstable();
    out.into_iter().map(|(_, id)| id).collect()
}

/// An author's choice must not hang on names, for names hang on clocks: entries are told apart by
/// their random bytes, which are the same in every playing of a history.
fn seal_of<P>(written: &Written<'_, P>) -> [u8; 16] {
    written.entry.body().random16
}

pub fn chart_of<'a>(entries: impl IntoIterator<Item = (usize, &'a SignedEntry)>) -> Chart {
    let mut chart = Chart::new(SITE, CHART);
    for (place, entry) in entries {
        chart.insert(entry.clone(), Arrival::at(place as u64, TimestampMs(place as i64))).unwrap();
        chart.prove(entry.id(), place as u64);
    }
    chart
}

pub fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut rng = TestRng::new(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, (rng.next() % (i as u64 + 1)) as usize);
    }
    // A fifth of all entries comes twice.
    let twice: Vec<usize> = order.iter().copied().filter(|_| rng.next().is_multiple_of(5)).collect();
    order.extend(twice);
    order
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), any::<u8>(), any::<u8>());
    prop::collection::vec(
        step.prop_map(|(device, action, argument)| Step { device, action, argument }),
        1..60,
    )
}
