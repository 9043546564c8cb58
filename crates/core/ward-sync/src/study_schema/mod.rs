//! The study schema: how values of each field merge, who decides where they contradict each other,
//! and which apps are too old to change what they cannot fully read. An admin signs it into the
//! membership log, so every device follows the same one.

mod check;

pub use check::{SchemaFault, SchemaFinding};

use crate::kind::EntryKind;
use crate::limits::{READER_LEVEL, SCHEMA_MAX_BYTES, SHORT_TEXT_MAX_BYTES};
use crate::limits::{SCHEMA_FIELDS_MAX, SCHEMA_MIN_READERS_MAX};
use crate::payload::FieldKey;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use minicbor::{Decode, Encode};
use ward_crypto::{Role, V1, sha256};
use ward_id::{Canonical as _, SchemaHash, StudyId};

/// How several current values of one field merge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct MergeClass(#[n(0)] pub u8);

impl MergeClass {
    /// Nobody has chosen: all are shown, until a decision names all of them.
    pub const REVIEW: Self = Self(1);
    /// As [`MergeClass::REVIEW`], and until then whatever follows from the field follows from the
    /// worst of them.
    pub const WORST_CASE: Self = Self(2);
    /// All of them hold together.
    pub const UNION: Self = Self(3);
    /// The last one holds, by logical clock and then by name: for preferences only.
    pub const UI_LWW: Self = Self(4);

    /// Every class that this version knows.
    pub const ALL: [Self; 4] = [Self::REVIEW, Self::WORST_CASE, Self::UNION, Self::UI_LWW];

    /// Whether this version knows the class.
    pub fn is_known(self) -> bool {
        Self::ALL.contains(&self)
    }

    /// The class that this version follows: review, where it does not know the class.
    pub fn effective(self) -> Self {
        if self.is_known() { self } else { Self::REVIEW }
    }

    /// Whether only a decision ends a contradiction.
    pub fn asks_a_person(self) -> bool {
        matches!(self.effective(), Self::REVIEW | Self::WORST_CASE)
    }

    /// The name in the protocol's table.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "review",
            2 => "worst-case",
            3 => "union",
            4 => "ui-lww",
            _ => "unknown",
        }
    }
}

impl fmt::Debug for MergeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MergeClass({}, {})", self.0, self.name())
    }
}

/// Which of the four shapes data has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DataShape {
    /// Only grows; a version amends another.
    #[n(1)]
    Record,
    /// A field that is written again.
    #[n(2)]
    Register,
    /// Text that several people edit.
    #[n(3)]
    Text,
    /// Elements that are put in and taken out.
    #[n(4)]
    Set,
}

impl DataShape {
    /// The shape of the entries of a kind; `None` for kinds that are no data, or not known.
    pub const fn of(kind: EntryKind) -> Option<Self> {
        match kind.0 {
            2 | 4 | 7 | 8 | 9 | 11 => Some(Self::Record),
            3 | 5 | 6 | 12 => Some(Self::Register),
            14 => Some(Self::Text),
            18 => Some(Self::Set),
            _ => None,
        }
    }
}

/// One field, or all fields of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SchemaField {
    /// Its shape.
    #[n(0)]
    pub shape: DataShape,
    /// The kind of entries that write it.
    #[n(1)]
    pub kind: EntryKind,
    /// Its name; absent for every field of the kind that has no row of its own.
    #[n(2)]
    pub name: Option<String>,
    /// How its values merge.
    #[n(3)]
    pub class: MergeClass,
    /// Whether somebody's safety hangs on it.
    #[n(4)]
    pub safety: bool,
    /// Who decides where values contradict each other, sorted; empty for the default.
    #[n(5)]
    pub resolvers: Vec<Role>,
}

/// Apps below a level may read entries of a kind and schema, but change none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MinReader {
    /// The kind.
    #[n(0)]
    pub kind: EntryKind,
    /// The schema of its payload.
    #[n(1)]
    pub schema: String,
    /// The least level, as [`READER_LEVEL`] counts.
    #[n(2)]
    pub level: u64,
}

/// The study schema.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StudySchema {
    /// The version of this form.
    #[n(0)]
    pub v: V1,
    /// The study.
    #[n(1)]
    pub study: StudyId,
    /// Counted from 0.
    #[n(2)]
    pub number: u64,
    /// The schema before; absent at number 0.
    #[n(3)]
    pub prev: Option<SchemaHash>,
    /// The fields, sorted by kind and name.
    #[n(4)]
    pub fields: Vec<SchemaField>,
    /// Who is too old to change what, sorted by kind and schema.
    #[n(5)]
    pub min_readers: Vec<MinReader>,
}

impl StudySchema {
    /// SHA-256 over the canonical bytes.
    pub fn hash(&self) -> SchemaHash {
        SchemaHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// Whether this is the next schema after `before`, or the first one.
    pub fn extends(&self, before: Option<&Self>) -> bool {
        match before {
            None => self.number == 0 && self.prev.is_none(),
            Some(before) => {
                self.study == before.study
                    && before.number.checked_add(1) == Some(self.number)
                    && self.prev == Some(before.hash())
            }
        }
    }

    /// The row of a field: its own, else that of its kind.
    pub fn field(&self, kind: EntryKind, name: &str) -> Option<&SchemaField> {
        let of_kind = || self.fields.iter().filter(move |field| field.kind == kind);
        let own = of_kind().find(|field| field.name.as_deref() == Some(name));
        own.or_else(|| of_kind().find(|field| field.name.is_none()))
    }

    /// Checks counts, lengths and order: what does not hold here is no schema.
    pub(crate) fn check_form(&self) -> Result<(), &'static str> {
        let holds = |holds: bool, text: &'static str| if holds { Ok(()) } else { Err(text) };
        holds(self.fields.len() <= SCHEMA_FIELDS_MAX, "a study schema describes too many fields")?;
        holds(self.min_readers.len() <= SCHEMA_MIN_READERS_MAX, "a study schema has too many kinds")?;
        holds((self.number == 0) == self.prev.is_none(), "a study schema names the one before it")?;
        let key = |field: &SchemaField| (field.kind, field.name.clone());
        let rising = |pair: &[SchemaField]| matches!(pair, [a, b] if key(a) < key(b));
        holds(self.fields.windows(2).all(rising), "the fields are not sorted, or one stands twice")?;
        let named = |field: &SchemaField| {
            field.name.as_ref().is_none_or(|name| !name.is_empty() && name.len() <= SHORT_TEXT_MAX_BYTES)
        };
        holds(self.fields.iter().all(named), "the name of a field is empty or too long")?;
        let roles = |field: &SchemaField| {
            field.resolvers.windows(2).all(|pair| matches!(pair, [a, b] if a.number() < b.number()))
        };
        holds(self.fields.iter().all(roles), "the roles are not sorted, or one stands twice")?;
        let of = |reader: &MinReader| (reader.kind, reader.schema.clone());
        let rising = |pair: &[MinReader]| matches!(pair, [a, b] if of(a) < of(b));
        holds(self.min_readers.windows(2).all(rising), "the kinds are not sorted, or one stands twice")?;
        let fits = |reader: &MinReader| !reader.schema.is_empty() && reader.schema.len() <= SCHEMA_MAX_BYTES;
        holds(self.min_readers.iter().all(fits), "the name of a payload's schema is empty or too long")
    }
}

/// How values of a field merge. Without a schema, and without a row in it, a person looks at them.
pub fn merge_class(schema: Option<&StudySchema>, field: &FieldKey) -> MergeClass {
    let row = schema.and_then(|schema| schema.field(field.kind(), field.name()));
    row.map_or(MergeClass::REVIEW, |row| row.class.effective())
}

/// Whether a role may decide about a field.
pub fn may_resolve(schema: Option<&StudySchema>, role: Role, field: &FieldKey) -> bool {
    let row = schema.and_then(|schema| schema.field(field.kind(), field.name()));
    match row.map(|row| row.resolvers.as_slice()) {
        None | Some([]) => may_resolve_by_default(role, field.kind()),
        Some(roles) => roles.contains(&role),
    }
}

/// Who decides where no schema says anything: who treats, about the medication plan; the participant
/// and who may write it, about consent; the participant too, about their profile; staff, about the rest.
pub(crate) fn may_resolve_by_default(role: Role, kind: EntryKind) -> bool {
    match kind {
        EntryKind::MEDICATION_PLAN_FIELD => matches!(role, Role::Clinician | Role::Investigator),
        EntryKind::CONSENT => matches!(role, Role::Patient | Role::Coordinator),
        EntryKind::PROFILE_FIELD => role == Role::Patient || role.is_staff(),
        _ => role.is_staff(),
    }
}

/// The level that an app needs to change entries of a kind and schema, if this one is below it.
pub fn needed_level(schema: Option<&StudySchema>, kind: EntryKind, payload_schema: &str) -> Option<u64> {
    let rows = schema.map_or(&[][..], |schema| schema.min_readers.as_slice());
    let row = rows.iter().find(|row| row.kind == kind && row.schema == payload_schema)?;
    (row.level > READER_LEVEL).then_some(row.level)
}
