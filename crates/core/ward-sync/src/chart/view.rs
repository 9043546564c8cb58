//! The view: where each entry stands, and the values that follow.

use super::Chart;
use super::adoption::{Collected, collect};
use super::authority::{Author, Authority};
use super::decisions::{self, ByKind, Items, Outcome};
use super::held::{Arrival, Held};
use super::instruments::{Instruments, place_of_unbound};
use super::place::{Accounting, Place, QuarantineReason};
use super::sets::{ElementSet, sets_of};
use super::settle::{by_key, by_lineage};
use super::texts::{self, Text, Writes};
use super::thread::{Thread, Written};
use super::value::Value;
use crate::entry::SignedEntry;
use crate::kind::EntryKind;
use crate::membership::Standing;
use crate::payload::{
    AccessReceipt, AlertAcknowledgement, Appointment, AppointmentId, Attachment, Carry, CarryReason,
    Checkpoint, CheckpointCosignature, Consent, Decoded, DeviceClosed, Dose, DropDeclined, FieldKey,
    IncarnationOpen, Incident, Instrument, MedicationId, MedicationPlanField, Note, Occurrence, Opened,
    Participation, Payload, PayloadError, ProfileField, Response, SetChange, TextId,
};
use crate::permission::may_write;
use crate::study_schema::{StudySchema, merge_class};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use ward_id::{EntryId, TimestampMs};

/// Which field of which medication.
pub type MedicationField = (MedicationId, String);
/// Which questionnaire for which of its planned times.
pub type ResponseKey = (String, Occurrence);

/// One entry of the chart with its place, whatever that is.
#[derive(Debug, Clone, Copy)]
pub struct TimelineItem<'a> {
    /// The entry.
    pub entry: &'a SignedEntry,
    /// Where it stands.
    pub place: Place,
    /// Who wrote it; `None` without a certificate.
    pub author: Option<Author>,
    /// When and where it arrived.
    pub arrival: Arrival,
    /// The entry that carries it: staff adopted it, or, where it is kept aside, only brought it.
    pub carried_by: Option<EntryId>,
    /// Whether its device signed two histories at or before this place.
    pub forked: bool,
}

/// A field or record in which several values hold and nobody has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenConflict {
    /// Which field, or which kind of record.
    pub field: FieldKey,
    /// All candidates: what a decision names.
    pub candidates: Vec<EntryId>,
}

/// An entry while the view is computed.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) held: &'a Held,
    pub(super) carried_by: Option<EntryId>,
    /// Whether what carries it only brings it, and takes nothing over.
    pub(super) aside: bool,
    pub(super) author: Option<Author>,
    pub(super) forked: bool,
    pub(super) proved_index: Option<u64>,
}

/// An entry and what it says.
type Said<'a> = (Item<'a>, &'a Payload);

impl<'a> Item<'a> {
    const fn order(&self) -> (u64, EntryId) {
        (self.held.entry.body().lamport, self.held.entry.id())
    }

    pub(super) fn written<P>(&self, value: &'a P) -> Option<Written<'a, P>> {
        let Self { held, carried_by, author, forked, .. } = *self;
        Some(Written {
            value,
            entry: &held.entry,
            author: author?,
            arrival: held.arrival,
            carried_by,
            forked,
        })
    }
}

/// Everything that a chart amounts to. Equal sets of entries give equal views.
#[derive(Debug, Clone)]
pub struct ChartView<'a> {
    total: usize,
    participant_since: Option<TimestampMs>,
    timeline: Vec<TimelineItem<'a>>,
    places: BTreeMap<EntryId, Place>,
    responses: BTreeMap<ResponseKey, Vec<Thread<'a, Response>>>,
    medication_plan: BTreeMap<MedicationField, Thread<'a, MedicationPlanField>>,
    doses: Vec<Thread<'a, Dose>>,
    appointments: BTreeMap<AppointmentId, Thread<'a, Appointment>>,
    notes: Vec<Thread<'a, Note>>,
    acknowledgements: Vec<Thread<'a, AlertAcknowledgement>>,
    consents: Vec<Thread<'a, Consent>>,
    participation: Vec<Thread<'a, Participation>>,
    access_receipts: Vec<Thread<'a, AccessReceipt>>,
    instruments: Vec<Thread<'a, Instrument>>,
    instrument_entries: Instruments<'a>,
    profile: BTreeMap<String, Thread<'a, ProfileField>>,
    incarnations: Vec<Thread<'a, IncarnationOpen>>,
    carries: Vec<Thread<'a, Carry>>,
    sets: BTreeMap<String, ElementSet<'a>>,
    /// Decisions that decide nothing.
    refused: Vec<EntryId>,
    /// Declarations about records that take no part in the values.
    alone: Vec<EntryId>,
    drop_declines: Vec<Thread<'a, DropDeclined>>,
    closures: Vec<Thread<'a, DeviceClosed>>,
    incidents: Vec<Thread<'a, Incident>>,
    opened: Vec<Thread<'a, Opened>>,
    texts: BTreeMap<TextId, Text<'a>>,
    attachments: Vec<Thread<'a, Attachment>>,
    checkpoints: Vec<Thread<'a, Checkpoint>>,
    cosignatures: Vec<Thread<'a, CheckpointCosignature>>,
}

impl<'a> ChartView<'a> {
    pub(super) fn compute(chart: &'a Chart, authority: &impl Authority) -> Self {
        let Collected { items, parked } = collect(chart, authority);
        let mut places: BTreeMap<EntryId, Place> = BTreeMap::new();
        let mut accepted: Vec<Said<'a>> = Vec::new();
        let mut aside: Vec<Said<'a>> = Vec::new();
        let admitted = |id: &EntryId, item: &Item<'a>| admit(item, parked.contains(id), &items, authority);
        let stands = |id: &EntryId| items.get(id).is_some_and(|item| admitted(id, item).is_ok());
        let declined = declined(&items, stands);
        for (id, item) in &items {
            let judged = admitted(id, item).and_then(|payload| {
                decisions::judge(item, payload, &items, authority.schema())?;
                let is_adopted = || !is_own_act(*id, &items, authority);
                decisions::judge_choice(payload, &items, is_adopted, |entry| declined.contains(&entry))?;
                Ok(payload)
            });
            match judged {
                Ok(payload) => accepted.push((*item, payload)),
                Err(place) => {
                    aside.extend(writing_aside(item, place).map(|payload| (*item, payload)));
                    places.insert(*id, place);
                }
            }
        }
        aside.sort_by_key(|(item, _)| item.order());
        accepted.sort_by_key(|(item, _)| item.order());
        let bound = accepted.iter().filter_map(|(item, payload)| match payload {
            Payload::Instrument(instrument) => Some((item.held.entry.id(), instrument)),
            _ => None,
        });
        let bound: Instruments<'a> = bound.collect();
        accepted.retain(|(item, payload)| {
            let said = match payload {
                Payload::Resolve(resolve) => match decisions::outcome(resolve, &items) {
                    Ok(Outcome::Value(value)) => value,
                    _ => return true,
                },
                other => other,
            };
            let unbound = place_of_unbound(said, &bound, &places, |id| items.contains_key(id));
            unbound.is_none_or(|place| places.insert(item.held.entry.id(), place).is_some())
        });
        let mut view = Self::of_payloads((&accepted, &aside), &items, bound, authority.schema());
        view.note_places(&mut places);
        view.total = items.len();
        view.participant_since = authority.participant_since();
        view.timeline = items
            .iter()
            .filter_map(|(id, item)| {
                let Item { held, carried_by, author, forked, .. } = *item;
                let place = *places.get(id)?;
                Some(TimelineItem {
                    entry: &held.entry,
                    place,
                    author,
                    arrival: held.arrival,
                    carried_by,
                    forked,
                })
            })
            .collect();
        view.timeline.sort_by_key(|item| (item.entry.body().lamport, item.entry.id()));
        view.places = places;
        view
    }

    fn of_payloads(
        (accepted, aside): (&[Said<'a>], &[Said<'a>]),
        items: &Items<'a>,
        bound: Instruments<'a>,
        schema: Option<&StudySchema>,
    ) -> Self {
        let (mut refused, mut alone) = (Vec::new(), Vec::new());
        let by_kind = ByKind::of(accepted, items);
        macro_rules! acts {
            ($variant:ident $kind:ident $links:expr) => {{
                let pick = |payload: &'a Payload| match payload {
                    Payload::$variant(value) => Some(value),
                    _ => None,
                };
                by_kind.acts(EntryKind::$kind, items, pick, $links)
            }};
        }
        macro_rules! records {
            ($variant:ident $kind:ident $links:expr) => {{
                let class = merge_class(schema, &FieldKey::Record(EntryKind::$kind));
                let lineages = by_lineage(acts!($variant $kind $links), class);
                refused.extend(lineages.refused);
                alone.extend(lineages.alone);
                lineages.threads
            }};
        }
        let responses = records!(Response QUESTIONNAIRE_RESPONSE amends);
        Self {
            total: accepted.len(),
            participant_since: None,
            timeline: Vec::new(),
            places: BTreeMap::new(),
            responses: by_response(responses, &bound),
            medication_plan: by_key(
                acts!(MedicationPlanField MEDICATION_PLAN_FIELD |written| written.value.supersedes.clone()),
                |value| (value.medication.clone(), value.field.clone()),
                |(medication, field)| {
                    merge_class(schema, &FieldKey::MedicationPlan(medication.clone(), field.clone()))
                },
            ),
            doses: records!(Dose DOSE amends),
            appointments: by_key(
                acts!(Appointment APPOINTMENT |written| written.value.supersedes.clone()),
                |value| value.appointment,
                |visit| merge_class(schema, &FieldKey::Appointment(*visit)),
            ),
            notes: records!(Note NOTE |written: &Written<'a, Note>| written.value.supersedes.clone()),
            acknowledgements: records!(AlertAcknowledgement ALERT_ACKNOWLEDGEMENT amends),
            consents: records!(Consent CONSENT amends),
            participation: records!(Participation PARTICIPATION amends),
            access_receipts: records!(AccessReceipt ACCESS_RECEIPT stays),
            instruments: records!(Instrument INSTRUMENT amends),
            instrument_entries: bound,
            profile: by_key(
                acts!(ProfileField PROFILE_FIELD |written| written.value.supersedes.clone()),
                |value| value.field.clone(),
                |field| merge_class(schema, &FieldKey::Profile(field.clone())),
            ),
            incarnations: records!(IncarnationOpen INCARNATION_OPEN stays),
            carries: records!(Carry CARRY stays),
            sets: sets_of(set_changes(accepted)),
            drop_declines: records!(DropDeclined DROP_DECLINED stays),
            closures: records!(DeviceClosed DEVICE_CLOSED stays),
            incidents: records!(Incident INCIDENT stays),
            opened: records!(Opened OPENED stays),
            attachments: records!(Attachment ATTACHMENT amends),
            checkpoints: records!(Checkpoint CHECKPOINT stays),
            cosignatures: records!(CheckpointCosignature CHECKPOINT_COSIGNATURE stays),
            refused,
            alone,
            texts: texts_of(accepted, aside),
        }
    }

    fn note_places(&self, places: &mut BTreeMap<EntryId, Place>) {
        self.responses.values().flatten().for_each(|thread| thread.note_places(places));
        self.medication_plan.values().for_each(|thread| thread.note_places(places));
        self.doses.iter().for_each(|thread| thread.note_places(places));
        self.appointments.values().for_each(|thread| thread.note_places(places));
        self.notes.iter().for_each(|thread| thread.note_places(places));
        self.acknowledgements.iter().for_each(|thread| thread.note_places(places));
        self.consents.iter().for_each(|thread| thread.note_places(places));
        self.participation.iter().for_each(|thread| thread.note_places(places));
        self.access_receipts.iter().for_each(|thread| thread.note_places(places));
        self.instruments.iter().for_each(|thread| thread.note_places(places));
        self.profile.values().for_each(|thread| thread.note_places(places));
        self.incarnations.iter().for_each(|thread| thread.note_places(places));
        self.carries.iter().for_each(|thread| thread.note_places(places));
        self.sets.values().for_each(|set| set.note_places(places));
        let text = "the decision names versions of different records";
        let invalid = Place::Invalid(PayloadError::Contradiction(text));
        places.extend(self.refused.iter().map(|entry| (*entry, invalid)));
        places.extend(self.alone.iter().map(|entry| (*entry, Place::Visible)));
        self.drop_declines.iter().for_each(|thread| thread.note_places(places));
        self.closures.iter().for_each(|thread| thread.note_places(places));
        self.incidents.iter().for_each(|thread| thread.note_places(places));
        self.opened.iter().for_each(|thread| thread.note_places(places));
        self.texts.values().for_each(|text| text.note_places(places));
        self.attachments.iter().for_each(|thread| thread.note_places(places));
        self.checkpoints.iter().for_each(|thread| thread.note_places(places));
        self.cosignatures.iter().for_each(|thread| thread.note_places(places));
    }

    /// Since when the participant has had a device, as its certificate says; `None` if they never had one.
    pub const fn participant_since(&self) -> Option<TimestampMs> {
        self.participant_since
    }

    /// How many entries stand where.
    pub fn accounting(&self) -> Accounting {
        Accounting::count(self.total, self.places.iter())
    }

    /// Where an entry stands.
    pub fn place(&self, entry: EntryId) -> Option<Place> {
        self.places.get(&entry).copied()
    }

    /// Every entry with its place, in the order that is the same on every device.
    pub fn timeline(&self) -> &[TimelineItem<'a>] {
        &self.timeline
    }

    /// Answers, by questionnaire and planned time. More than one thread for a key means that it
    /// was submitted more than once: all are kept, for a person to review.
    pub const fn responses(&self) -> &BTreeMap<ResponseKey, Vec<Thread<'a, Response>>> {
        &self.responses
    }

    /// Questionnaires that were submitted more than once for one planned time.
    pub fn duplicate_responses(&self) -> impl Iterator<Item = &ResponseKey> {
        let holding =
            |threads: &[Thread<'a, Response>]| threads.iter().filter(|thread| !thread.is_voided()).count();
        self.responses.iter().filter(move |(_, threads)| holding(threads) > 1).map(|(key, _)| key)
    }

    /// Every field and record in which several values hold and nobody has chosen.
    pub fn conflicts(&self) -> Vec<OpenConflict> {
        fn open<P: Value>(thread: &Thread<'_, P>, field: FieldKey) -> Option<OpenConflict> {
            thread.is_conflict().then(|| OpenConflict { field, candidates: thread.current_ids() })
        }
        macro_rules! of_records {
            ($threads:expr, $kind:ident) => {
                $threads.filter_map(|thread| open(thread, FieldKey::Record(EntryKind::$kind)))
            };
        }
        let plan = self.medication_plan.iter().filter_map(|((medication, field), thread)| {
            open(thread, FieldKey::MedicationPlan(medication.clone(), field.clone()))
        });
        let visits =
            self.appointments.iter().filter_map(|(id, thread)| open(thread, FieldKey::Appointment(*id)));
        let profile =
            self.profile.iter().filter_map(|(name, thread)| open(thread, FieldKey::Profile(name.clone())));
        plan.chain(visits)
            .chain(profile)
            .chain(of_records!(self.responses.values().flatten(), QUESTIONNAIRE_RESPONSE))
            .chain(of_records!(self.doses.iter(), DOSE))
            .chain(of_records!(self.notes.iter(), NOTE))
            .chain(of_records!(self.acknowledgements.iter(), ALERT_ACKNOWLEDGEMENT))
            .chain(of_records!(self.consents.iter(), CONSENT))
            .chain(of_records!(self.participation.iter(), PARTICIPATION))
            .chain(of_records!(self.instruments.iter(), INSTRUMENT))
            .chain(of_records!(self.attachments.iter(), ATTACHMENT))
            .collect()
    }

    /// Sets by name.
    pub const fn sets(&self) -> &BTreeMap<String, ElementSet<'a>> {
        &self.sets
    }

    /// How many entries of a kind this version cannot read. What it shows of that kind may be out of
    /// date: a newer app may have replaced it.
    pub fn unreadable(&self, kind: EntryKind) -> usize {
        let unread =
            |item: &&TimelineItem<'a>| item.place == Place::UnknownKind && item.entry.body().kind == kind;
        self.timeline.iter().filter(unread).count()
    }

    /// The medication plan, field by field.
    pub const fn medication_plan(&self) -> &BTreeMap<MedicationField, Thread<'a, MedicationPlanField>> {
        &self.medication_plan
    }

    /// Doses taken and skipped.
    pub fn doses(&self) -> &[Thread<'a, Dose>] {
        &self.doses
    }

    /// Visits.
    pub const fn appointments(&self) -> &BTreeMap<AppointmentId, Thread<'a, Appointment>> {
        &self.appointments
    }

    /// Notes.
    pub fn notes(&self) -> &[Thread<'a, Note>] {
        &self.notes
    }

    /// Acknowledgements of alerts.
    pub fn acknowledgements(&self) -> &[Thread<'a, AlertAcknowledgement>] {
        &self.acknowledgements
    }

    /// Consents given and withdrawn.
    pub fn consents(&self) -> &[Thread<'a, Consent>] {
        &self.consents
    }

    /// Where the participant stood and stands.
    pub fn participation(&self) -> &[Thread<'a, Participation>] {
        &self.participation
    }

    /// Who opened the chart.
    pub fn access_receipts(&self) -> &[Thread<'a, AccessReceipt>] {
        &self.access_receipts
    }

    /// Questionnaires and their schedules.
    pub fn instruments(&self) -> &[Thread<'a, Instrument>] {
        &self.instruments
    }

    /// The questionnaire and schedule that an entry brought: what answers name that are bound to it.
    pub fn instrument(&self, entry: EntryId) -> Option<&'a Instrument> {
        self.instrument_entries.get(&entry).copied()
    }

    /// The profile, field by field.
    pub const fn profile(&self) -> &BTreeMap<String, Thread<'a, ProfileField>> {
        &self.profile
    }

    /// New lives of devices' stores.
    pub fn incarnations(&self) -> &[Thread<'a, IncarnationOpen>] {
        &self.incarnations
    }

    /// Entries that carry others.
    pub fn carries(&self) -> &[Thread<'a, Carry>] {
        &self.carries
    }

    /// Entries that staff did not take over, with the reason in each.
    pub fn drop_declines(&self) -> &[Thread<'a, DropDeclined>] {
        &self.drop_declines
    }

    /// Chains that were closed; see [`ChartView::closed_chains`] for those that count.
    pub fn closures(&self) -> &[Thread<'a, DeviceClosed>] {
        &self.closures
    }

    /// What happened to the logs and to chains.
    pub fn incidents(&self) -> &[Thread<'a, Incident>] {
        &self.incidents
    }

    /// What devices of staff say that they have opened.
    pub fn opened(&self) -> &[Thread<'a, Opened>] {
        &self.opened
    }

    /// Texts that several people edit.
    pub const fn texts(&self) -> &BTreeMap<TextId, Text<'a>> {
        &self.texts
    }

    /// The texts, taken out of the view.
    pub fn into_texts(self) -> BTreeMap<TextId, Text<'a>> {
        self.texts
    }

    /// Blobs that entries name.
    pub fn attachments(&self) -> &[Thread<'a, Attachment>] {
        &self.attachments
    }

    /// What devices say that the chart held up to a place.
    pub fn checkpoints(&self) -> &[Thread<'a, Checkpoint>] {
        &self.checkpoints
    }

    /// Which devices came to the same.
    pub fn checkpoint_cosignatures(&self) -> &[Thread<'a, CheckpointCosignature>] {
        &self.cosignatures
    }

    /// Entries of lost devices that staff may adopt, in order, those that were declined before among them
    /// ([`ChartView::declined`]). What comes along with one of them is left out.
    pub fn to_adopt(&self) -> impl Iterator<Item = &TimelineItem<'a>> {
        let wanted = |place| place == Place::Quarantined(QuarantineReason::ToBeAdopted);
        let along = move |carrier| self.place(carrier).is_some_and(wanted);
        self.timeline.iter().filter(move |item| wanted(item.place) && !item.carried_by.is_some_and(along))
    }

    /// Entries that staff declined to take over, whatever became of them since.
    pub fn declined(&self) -> BTreeSet<EntryId> {
        let threads = self.drop_declines.iter();
        let all = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
        all.map(|written| written.value.entry).collect()
    }

    /// Entries that wait for others, in order. While there are any, the chart is incomplete.
    pub fn parked(&self) -> impl Iterator<Item = &TimelineItem<'a>> {
        self.timeline.iter().filter(|item| item.place == Place::Parked)
    }
}

/// Whether an entry stands without anybody's adoption: by itself, or because its author wrote it again.
/// That somebody carries it too makes it no act of theirs.
fn is_own_act(id: EntryId, items: &Items<'_>, authority: &impl Authority) -> bool {
    let Some(item) = items.get(&id) else { return false };
    let alone = Item { carried_by: None, aside: false, ..*item };
    if admit(&alone, false, items, authority).is_ok() {
        return true;
    }
    // What carries it is named by its hash, so this ends.
    let carrier = item.carried_by.and_then(|carrier| Some((carrier, items.get(&carrier)?)));
    carrier.is_some_and(|(carrier, outer)| match &outer.held.payload {
        Decoded::Known(Payload::Carry(carry)) => {
            carry.why == CarryReason::Reauthor && is_own_act(carrier, items, authority)
        }
        _ => false,
    })
}

/// What staff declined and nobody took over.
fn declined(items: &Items<'_>, stands: impl Fn(&EntryId) -> bool) -> BTreeSet<EntryId> {
    let declined = items.iter().filter_map(|(id, item)| match &item.held.payload {
        Decoded::Known(Payload::DropDeclined(declined)) if stands(id) => Some(declined.entry),
        _ => None,
    });
    declined.filter(|entry| !stands(entry)).collect()
}

/// The texts, with their bursts and signatures.
fn texts_of<'a>(accepted: &[Said<'a>], aside: &[Said<'a>]) -> BTreeMap<TextId, Text<'a>> {
    let mut writes = Writes::default();
    for (item, payload) in accepted {
        match payload {
            Payload::TextBurst(burst) => writes.bursts.extend(item.written(burst)),
            Payload::TextSignature(signature) => writes.signatures.extend(item.written(signature)),
            _ => {}
        }
    }
    for (item, payload) in aside {
        if let Payload::TextBurst(burst) = payload {
            writes.aside.extend(item.written(burst));
        }
    }
    texts::of(writes)
}

/// What an entry wrote in a text, if it is aside because its device was lost or severed: its place in
/// the text stays, for what others wrote on top of it.
fn writing_aside<'a>(item: &Item<'a>, place: Place) -> Option<&'a Payload> {
    if !is_of_a_revoked_device(place) {
        return None;
    }
    match &item.held.payload {
        Decoded::Known(payload @ Payload::TextBurst(_)) => Some(payload),
        _ => None,
    }
}

/// Whether an entry is kept aside because its device was lost or severed, or nobody took it over.
pub(super) const fn is_of_a_revoked_device(place: Place) -> bool {
    matches!(place, Place::Quarantined(QuarantineReason::ToBeAdopted | QuarantineReason::Severed))
}

fn amends<P>(written: &Written<'_, P>) -> Vec<EntryId> {
    written.entry.body().amends.into_iter().collect()
}

/// What is part of the trail amends nothing, for nobody may take it back.
const fn stays<P>(_: &Written<'_, P>) -> Vec<EntryId> {
    Vec::new()
}

fn set_changes<'a>(accepted: &[(Item<'a>, &'a Payload)]) -> Vec<Written<'a, SetChange>> {
    let change = |(item, payload): &(Item<'a>, &'a Payload)| match payload {
        Payload::SetChange(change) => item.written(change),
        _ => None,
    };
    accepted.iter().filter_map(change).collect()
}

/// Records of answers by questionnaire and planned time: those of the version that holds, or, where
/// none or several do, of the first version.
fn by_response<'a>(
    threads: Vec<Thread<'a, Response>>,
    bound: &Instruments<'a>,
) -> BTreeMap<ResponseKey, Vec<Thread<'a, Response>>> {
    let key_of = |response: &Response| {
        let url = match response {
            Response::General(response) => &response.instrument_url,
            // What is bound to no instrument was left out before.
            Response::Dense(response) => &bound.get(&response.instrument)?.url,
        };
        Some((url.clone(), response.occurrence().clone()))
    };
    let mut groups: BTreeMap<ResponseKey, Vec<Thread<'a, Response>>> = BTreeMap::new();
    for thread in threads {
        let decisive = thread.single().or_else(|| thread.first());
        if let Some(key) = decisive.and_then(|written| key_of(written.value)) {
            groups.entry(key).or_default().push(thread);
        }
    }
    groups
}

impl<'a> Item<'a> {
    /// What it carries, for a carry.
    pub(super) const fn carries(&self) -> Option<&'a Carry> {
        match &self.held.payload {
            Decoded::Known(Payload::Carry(carry)) => Some(carry),
            _ => None,
        }
    }
}

/// The payload of an entry that takes part in the chart's values, or the place of one that does not.
pub(super) fn admit<'a>(
    item: &Item<'a>,
    parked: bool,
    items: &BTreeMap<EntryId, Item<'a>>,
    authority: &impl Authority,
) -> Result<&'a Payload, Place> {
    if parked {
        return Err(Place::Parked);
    }
    let frame = item.held.entry.frame();
    let author = item.author.ok_or(Place::Quarantined(QuarantineReason::NoCertificate))?;
    if item.aside {
        let severed = authority.standing(frame.device, None) == Standing::Severed;
        let reason = if severed { QuarantineReason::Severed } else { QuarantineReason::ToBeAdopted };
        return Err(Place::Quarantined(reason));
    }
    if authority.leaves_out(item.held.entry.id()) {
        return Err(Place::Quarantined(QuarantineReason::ToBeAdopted));
    }
    if item.carried_by.is_none() {
        if !continues_chain(item, items) {
            return Err(Place::Quarantined(QuarantineReason::BrokenChain));
        }
        match authority.standing(frame.device, item.proved_index) {
            Standing::Effective => {}
            Standing::ToBeAdopted => return Err(Place::Quarantined(QuarantineReason::ToBeAdopted)),
            Standing::Severed => return Err(Place::Quarantined(QuarantineReason::Severed)),
        }
    }
    match &item.held.payload {
        Decoded::Unknown => Err(Place::UnknownKind),
        Decoded::Invalid(error) => Err(Place::Invalid(*error)),
        Decoded::Known(payload) if may_write(author.role, payload) => Ok(payload),
        Decoded::Known(_) => Err(Place::NotPermitted),
    }
}

/// Whether the entry before stands in the same chain, one place before.
fn continues_chain(item: &Item<'_>, items: &BTreeMap<EntryId, Item<'_>>) -> bool {
    let frame = item.held.entry.frame();
    let Some(before) = frame.prev.and_then(|prev| items.get(&prev)) else { return frame.prev.is_none() };
    let before = before.held.entry.frame();
    (before.device, before.incarnation, before.seq.saturating_add(1))
        == (frame.device, frame.incarnation, frame.seq)
}
