//! Acts about other entries: decisions, declarations that a record is void, removals from sets. Who
//! may, and what a decision comes to, follows from the entries that they name and from the study
//! schema, never from what else has arrived.

use super::authority::Author;
use super::place::{Place, QuarantineReason};
use super::settle::{Act, Manner, Said};
use super::thread::Written;
use super::view::Item;
use crate::kind::EntryKind;
use crate::payload::{Decoded, FieldKey, Payload, PayloadError, Resolution, Resolve, SetChange, Void};
use crate::study_schema::{StudySchema, may_resolve};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ward_crypto::Role;
use ward_id::EntryId;

pub(super) type Items<'a> = BTreeMap<EntryId, Item<'a>>;

/// What a decision comes to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome<'a> {
    Value(&'a Payload),
    Void(&'a Void),
}

/// The place of an act about other entries that does not count; nothing for every other entry.
pub(super) fn judge<'a>(
    item: &Item<'a>,
    payload: &'a Payload,
    items: &Items<'a>,
    schema: Option<&StudySchema>,
) -> Result<(), Place> {
    match payload {
        Payload::Resolve(resolve) => judge_resolve(item, resolve, items, schema),
        Payload::Void(void) => judge_void(item, void, items),
        Payload::SetChange(change) => judge_removal(item, change, items),
        _ => Ok(()),
    }
}

/// Whether an adopted decision may hold: staff who declined a value did not take it over with a decision
/// for it, which its author wrote on top of it. Whose own decision stands has read and chosen it.
pub(super) fn judge_choice(
    payload: &Payload,
    items: &Items<'_>,
    is_adopted: impl FnOnce() -> bool,
    is_declined: impl Fn(EntryId) -> bool,
) -> Result<(), Place> {
    let Payload::Resolve(resolve) = payload else { return Ok(()) };
    let mut resolution = &resolve.resolution;
    // What is chosen is named by its hash, so this ends.
    while let Resolution::Candidate(chosen) = resolution {
        if is_declined(*chosen) {
            if !is_adopted() {
                return Ok(());
            }
            return Err(Place::Quarantined(QuarantineReason::ChosenDeclined));
        }
        match items.get(chosen).map(|item| &item.held.payload) {
            Some(Decoded::Known(Payload::Resolve(earlier))) => resolution = &earlier.resolution,
            _ => break,
        }
    }
    Ok(())
}

fn judge_resolve<'a>(
    item: &Item<'a>,
    resolve: &'a Resolve,
    items: &Items<'a>,
    schema: Option<&StudySchema>,
) -> Result<(), Place> {
    if !item.author.is_some_and(|author| may_resolve(schema, author.role, &resolve.field)) {
        return Err(Place::NotPermitted);
    }
    if !resolve.candidates.iter().all(|candidate| fits(*candidate, &resolve.field, items)) {
        let text = "the decision names entries of another field";
        return Err(Place::Invalid(PayloadError::Contradiction(text)));
    }
    let of_field = match outcome(resolve, items)? {
        Outcome::Value(value) => value.field_key(),
        Outcome::Void(void) => record_kind(void.target, items).map(FieldKey::Record),
    };
    if of_field.as_ref() == Some(&resolve.field) {
        Ok(())
    } else {
        Err(Place::Invalid(PayloadError::Contradiction("the decision comes to a value of another field")))
    }
}

/// Whether an entry can be a candidate of a field. One that this version cannot read can.
fn fits(candidate: EntryId, field: &FieldKey, items: &Items<'_>) -> bool {
    let Some(item) = items.get(&candidate) else { return true };
    match &item.held.payload {
        Decoded::Known(Payload::Void(void)) => {
            record_kind(void.target, items).map(FieldKey::Record).as_ref() == Some(field)
        }
        Decoded::Known(payload) => payload.field_key().as_ref() == Some(field),
        Decoded::Unknown => true,
        Decoded::Invalid(_) => false,
    }
}

/// What a decision comes to. A choice of an earlier decision leads on to what that one chose.
///
/// # Errors
/// The place of a decision whose outcome is not here, or cannot be read by this version.
pub(super) fn outcome<'a>(resolve: &'a Resolve, items: &Items<'a>) -> Result<Outcome<'a>, Place> {
    let mut resolution = &resolve.resolution;
    loop {
        let chosen = match resolution {
            Resolution::Value(value) => return Ok(Outcome::Value(value)),
            Resolution::Candidate(chosen) => items.get(chosen).ok_or(Place::Parked)?,
        };
        // What is chosen is named by its hash, so this ends.
        match &chosen.held.payload {
            Decoded::Known(Payload::Resolve(earlier)) => resolution = &earlier.resolution,
            Decoded::Known(Payload::Void(void)) => return Ok(Outcome::Void(void)),
            Decoded::Known(value) => return Ok(Outcome::Value(value)),
            Decoded::Unknown => return Err(Place::UnknownKind),
            Decoded::Invalid(error) => return Err(Place::Invalid(*error)),
        }
    }
}

/// The kind of the record that an entry is a version of.
pub(super) fn record_kind(entry: EntryId, items: &Items<'_>) -> Option<EntryKind> {
    match &items.get(&entry)?.held.payload {
        Decoded::Known(payload) => match payload.field_key()? {
            FieldKey::Record(kind) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

/// Authors take back what they wrote; staff what anybody wrote, but for what a participant said about
/// their own consent and participation.
fn judge_void(item: &Item<'_>, void: &Void, items: &Items<'_>) -> Result<(), Place> {
    let target = items.get(&void.target).ok_or(Place::Parked)?;
    if target.held.payload == Decoded::Unknown {
        return Err(Place::UnknownKind);
    }
    // A decision is part of the trail: another decision follows it.
    let is_decision = matches!(target.held.payload, Decoded::Known(Payload::Resolve(_)));
    let kind = record_kind(void.target, items).filter(|_| !is_decision).ok_or({
        Place::Invalid(PayloadError::Contradiction("what is declared void is no record and no note"))
    })?;
    let may = item.author.is_some_and(|author| may_take_back(author, target, kind, items));
    if may { Ok(()) } else { Err(Place::NotPermitted) }
}

/// Whether somebody may take back what an entry of a record says, or put something else in its place.
fn may_take_back(author: Author, target: &Item<'_>, kind: EntryKind, items: &Items<'_>) -> bool {
    let is_own = target.author.is_some_and(|theirs| theirs.person == author.person);
    let is_a_right = matches!(kind, EntryKind::CONSENT | EntryKind::PARTICIPATION);
    let is_somebody_elses_right = is_a_right
        && chosen(target, items)
            .author
            .is_none_or(|by| by.role == Role::Patient && by.person != author.person);
    (is_own || author.role.is_staff()) && !is_somebody_elses_right
}

/// The entry whose words hold by an entry: for a decision the one that it chose, if that is here.
fn chosen<'i, 'a>(item: &'i Item<'a>, items: &'i Items<'a>) -> &'i Item<'a> {
    let mut at = item;
    // What is chosen is named by its hash, so this ends.
    while let Decoded::Known(Payload::Resolve(Resolve { resolution: Resolution::Candidate(next), .. })) =
        &at.held.payload
    {
        match items.get(next) {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

/// What an entry names of its own kind and may not replace: it stands beside that. Registers are
/// written again by whoever may write them.
fn out_of_reach(item: &Item<'_>, kind: EntryKind, names: &[EntryId], items: &Items<'_>) -> Vec<EntryId> {
    if !FieldKey::is_voidable(kind) {
        return Vec::new();
    }
    let reaches = |name: &&EntryId| match (item.author, items.get(name)) {
        (Some(author), Some(target)) => may_take_back(author, target, kind, items),
        _ => false,
    };
    names.iter().filter(|name| !reaches(name)).copied().collect()
}

/// Staff take out of a set what anybody put in; others what they put in.
fn judge_removal(item: &Item<'_>, change: &SetChange, items: &Items<'_>) -> Result<(), Place> {
    let Some(author) = item.author else { return Err(Place::NotPermitted) };
    let is_own = |addition: &EntryId| {
        let theirs = items.get(addition).and_then(|item| item.author);
        theirs.is_some_and(|theirs| theirs.person == author.person)
    };
    if author.role.is_staff() || change.removes.iter().all(is_own) {
        Ok(())
    } else {
        Err(Place::NotPermitted)
    }
}

/// The entries that take part in the chart's values, by the kind of what they are about: a decision is about
/// the values that it names, a declaration about its record. Each kind in the order of the chart.
pub(super) struct ByKind<'s, 'a>(BTreeMap<EntryKind, Vec<&'s (Item<'a>, &'a Payload)>>);

impl<'s, 'a> ByKind<'s, 'a> {
    pub(super) fn of(accepted: &'s [(Item<'a>, &'a Payload)], items: &Items<'a>) -> Self {
        let mut by_kind: BTreeMap<EntryKind, Vec<_>> = BTreeMap::new();
        for said in accepted {
            let kind = match said.1 {
                Payload::Resolve(resolve) => Some(resolve.field.kind()),
                Payload::Void(void) => record_kind(void.target, items),
                other => Some(other.kind()),
            };
            if let Some(kind) = kind {
                by_kind.entry(kind).or_default().push(said);
            }
        }
        Self(by_kind)
    }

    /// The acts of one kind, in their order.
    pub(super) fn acts<P>(
        &self,
        kind: EntryKind,
        items: &Items<'a>,
        pick: impl Fn(&'a Payload) -> Option<&'a P>,
        links: impl Fn(&Written<'a, P>) -> Vec<EntryId>,
    ) -> Vec<Act<'a, P>> {
        let act = |&&(ref item, payload): &&'s (Item<'a>, &'a Payload)| {
            let by = item.written(&())?;
            Some(match payload {
                Payload::Resolve(resolve) => {
                    let said = match outcome(resolve, items).ok()? {
                        Outcome::Value(value) => Said::Value(pick(value)?),
                        Outcome::Void(void) => Said::Void(void),
                    };
                    let names = resolve.candidates.clone();
                    Act { by, said, manner: Manner::Decide, names, out_of_reach: Vec::new() }
                }
                Payload::Void(void) => {
                    let names = Vec::from([void.target]);
                    Act { by, said: Said::Void(void), manner: Manner::Write, names, out_of_reach: Vec::new() }
                }
                other => {
                    let value = pick(other)?;
                    let names = links(&by.saying(value));
                    let out_of_reach = out_of_reach(item, kind, &names, items);
                    Act { by, said: Said::Value(value), manner: Manner::Write, names, out_of_reach }
                }
            })
        };
        self.0.get(&kind).into_iter().flatten().filter_map(act).collect()
    }
}
