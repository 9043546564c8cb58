//! Values while a configuration is evaluated: what is known, and where it comes from.

use super::evaluator::ModuleId;
use crate::graph::{
    Attribute, Block, BlockReference, Expression, Reason, Reference, References, Referent, Sensitive, Unknown,
};
use crate::limits::{MAX_REFERENCES, MAX_VALUE_DEPTH, MAX_VALUE_SIZE};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value, what it was taken from, and whether it is secret.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) data: Data,
    pub(super) from: References,
    pub(super) is_secret: bool,
}

/// What a value holds.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    /// Items in order: a list, a tuple or a set.
    List(Rc<Sized<Vec<Value>>>),
    /// A map or an object.
    Map(Rc<Sized<Entries>>),
    /// A JSON text that holds values which are not known.
    Document(Rc<Value>),
    /// One instance of a resource or a data source.
    Block(Rc<BlockValue>),
    /// A resource whose instances are not known: any of them.
    AnyBlock(Rc<BlockValue>),
    /// One instance of a module.
    Module(ModuleId),
    Unknown(Rc<NotKnown>),
}

pub(super) type Entries = BTreeMap<Rc<str>, Value>;

/// A collection with what it weighs, so that nothing grows without end, and with what holds for all in
/// it, so that nobody has to walk through it to ask.
#[derive(Debug)]
pub(super) struct Sized<T> {
    pub(super) inner: T,
    size: usize,
    height: usize,
    is_known: bool,
    holds_secret: bool,
    from: References,
}

/// One instance of a resource or a data source.
#[derive(Debug)]
pub(super) struct BlockValue {
    /// Leads to this instance; without attribute.
    pub(super) reference: BlockReference,
    /// As the source writes it: `aws_s3_bucket.b`.
    pub(super) written: Box<str>,
    pub(super) attributes: Entries,
    /// What the expressions of its attributes refer to.
    pub(super) expressions: Vec<Expression>,
}

/// Why a value is not known, and what it may be.
#[derive(Debug, Clone)]
pub(super) struct NotKnown {
    pub(super) reason: Reason,
    /// Terraform itself would refuse the expression: `try` goes on.
    pub(super) is_fault: bool,
    /// The expression as the source writes it.
    pub(super) written: Option<Box<str>>,
    /// What lies beneath a resource that it was read from: the value hangs on that too, the link does not.
    pub(super) beneath: References,
    /// Every value it can take; plain values only. Empty if it can take any.
    pub(super) branches: Vec<Value>,
}

impl Value {
    pub(super) fn new(data: Data) -> Self {
        Self { data, from: References::default(), is_secret: false }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::new(Data::Text(text.into()))
    }

    pub(super) fn bool(value: bool) -> Self {
        Self::new(Data::Bool(value))
    }

    pub(super) fn null() -> Self {
        Self::new(Data::Null)
    }

    /// A number; what is no number is nothing that Ward evaluates.
    pub(super) fn number(number: f64) -> Self {
        if number.is_finite() { Self::new(Data::Number(number)) } else { Self::fault() }
    }

    /// Items in order; not known if they are too many or too deep.
    pub(super) fn list(items: Vec<Self>) -> Self {
        if let Some(refused) = items.iter().find(|item| item.is_fault()) {
            return refused.clone();
        }
        match Sized::of(items, |items| items.iter().map(|item| (item, 0)).collect()) {
            Some(list) => Self::new(Data::List(Rc::new(list))),
            None => Self::unknown(Reason::Expression),
        }
    }

    /// Names and values; not known if they are too many or too deep.
    pub(super) fn map(entries: Entries) -> Self {
        if let Some(refused) = entries.values().find(|value| value.is_fault()) {
            return refused.clone();
        }
        match Sized::of(entries, |entries| entries.iter().map(|(key, value)| (value, key.len())).collect()) {
            Some(map) => Self::new(Data::Map(Rc::new(map))),
            None => Self::unknown(Reason::Expression),
        }
    }

    pub(super) fn unknown(reason: Reason) -> Self {
        Self::not_known_as(NotKnown::new(reason))
    }

    /// Not known, in this way.
    pub(super) fn not_known_as(not_known: NotKnown) -> Self {
        Self::new(Data::Unknown(Rc::new(not_known)))
    }

    /// Not known, and one of these.
    pub(super) fn one_of(reason: Reason, branches: Vec<Self>) -> Self {
        Self::not_known_as(NotKnown { branches, ..NotKnown::new(reason) })
    }

    /// What Terraform would refuse.
    pub(super) fn fault() -> Self {
        Self::not_known_as(NotKnown { is_fault: true, ..NotKnown::new(Reason::Expression) })
    }

    /// Not known for this reason, and it leads there.
    pub(super) fn leading(reason: Reason, written: &str, to: Referent) -> Self {
        Self::unknown(reason).and_from(&[Reference { written: written.into(), to }].into())
    }

    /// The same value, which was also taken from these.
    pub(super) fn and_from(mut self, from: &References) -> Self {
        self.from = joined(&self.from, from);
        self
    }

    /// The same value, which was computed: where it leads is not sure if it is not known.
    pub(super) fn computed(self, written: &str) -> Self {
        match self.data {
            Data::Unknown(_) => self.and_from(&computed_reference(written)),
            _ => self,
        }
    }

    /// The same value, secret if another is that it was made of.
    pub(super) fn secret_if(mut self, is_secret: bool) -> Self {
        self.is_secret |= is_secret;
        self
    }

    pub(super) fn not_known(&self) -> Option<&NotKnown> {
        match &self.data {
            Data::Unknown(not_known) => Some(not_known),
            _ => None,
        }
    }

    pub(super) fn is_fault(&self) -> bool {
        self.not_known().is_some_and(|not_known| not_known.is_fault)
    }

    /// Not refused where another name asks for it: a refusal stays with the expression it is in.
    pub(super) fn without_fault(self) -> Self {
        match &self.data {
            Data::Unknown(not_known) if not_known.is_fault => Self {
                data: Self::not_known_as(NotKnown { is_fault: false, ..(**not_known).clone() }).data,
                ..self
            },
            _ => self,
        }
    }

    /// The same value; if it is not known, with the expression that the source writes.
    pub(super) fn written_as(self, written: Option<&str>) -> Self {
        match &self.data {
            Data::Unknown(not_known) => {
                let written = written.map(Into::into);
                Self { data: Self::not_known_as(NotKnown { written, ..(**not_known).clone() }).data, ..self }
            }
            _ => self,
        }
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.data, Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.data {
            Data::List(list) => Some(&list.inner),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> Option<&Entries> {
        match &self.data {
            Data::Map(map) => Some(&map.inner),
            _ => None,
        }
    }

    /// How many values it holds, itself counted.
    pub(super) fn size(&self) -> usize {
        match &self.data {
            Data::List(list) => list.size,
            Data::Map(map) => map.size,
            Data::Document(of) => of.size().saturating_add(1),
            Data::Text(text) => 1 + text.len() / 64,
            _ => 1,
        }
    }

    fn height(&self) -> usize {
        match &self.data {
            Data::List(list) => list.height,
            Data::Map(map) => map.height,
            Data::Document(of) => of.height().saturating_add(1),
            _ => 1,
        }
    }

    /// Whether it and everything in it is known.
    pub(super) fn is_wholly_known(&self) -> bool {
        match &self.data {
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) => true,
            Data::List(list) => list.is_known,
            Data::Map(map) => map.is_known,
            Data::Document(_) | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_) | Data::Unknown(_) => {
                false
            }
        }
    }

    /// Whether something in it is secret.
    pub(super) fn holds_secret(&self) -> bool {
        self.is_secret
            || match &self.data {
                Data::List(list) => list.holds_secret,
                Data::Map(map) => map.holds_secret,
                Data::Document(of) => of.holds_secret(),
                _ => false,
            }
    }

    /// Everything that it and what it holds was taken from.
    pub(super) fn all_from(&self) -> References {
        match &self.data {
            Data::List(list) => joined(&self.from, &list.from),
            Data::Map(map) => joined(&self.from, &map.from),
            Data::Document(of) => joined(&self.from, &of.all_from()),
            Data::Block(block) | Data::AnyBlock(block) => joined(&self.from, &block.leads_here("")),
            _ => self.from.clone(),
        }
    }

    /// The same value without resources and modules in it: they become what leads there.
    pub(super) fn sealed(self) -> Self {
        let Self { data, from, is_secret } = self;
        let sealed = match data {
            Data::List(list) => Self::list(list.inner.iter().cloned().map(Self::sealed).collect()),
            Data::Map(map) => Self::map(
                map.inner.iter().map(|(key, value)| (key.clone(), value.clone().sealed())).collect(),
            ),
            Data::Block(block) | Data::AnyBlock(block) => {
                Self::unknown(block.reason()).and_from(&block.leads_here(""))
            }
            Data::Module(_) => Self::unknown(Reason::Expression).computed("module"),
            data => Self::new(data),
        };
        sealed.and_from(&from).secret_if(is_secret)
    }

    /// As a resource of the graph holds it. Resources and modules in it were sealed before.
    pub(super) fn into_attribute(self) -> Attribute {
        let attribute = match self.data {
            Data::Null => Attribute::Null,
            Data::Bool(value) => Attribute::Bool(value),
            Data::Number(value) => Attribute::Number(value),
            Data::Text(text) => Attribute::text(&text),
            Data::List(list) => {
                Attribute::list(list.inner.iter().map(|item| item.clone().into_attribute()).collect())
            }
            Data::Map(map) => {
                let entries =
                    map.inner.iter().map(|(key, value)| ((&**key).into(), value.clone().into_attribute()));
                // The keys of a map are there once.
                Block::new(entries.collect()).map_or(Attribute::Null, Attribute::Block)
            }
            Data::Document(of) => (*of).clone().into_attribute(),
            Data::Block(_) | Data::AnyBlock(_) | Data::Module(_) => {
                Attribute::Unknown(Box::new(Unknown::new(Reason::Expression, computed_reference("resource"))))
            }
            Data::Unknown(not_known) => {
                let mut unknown = Unknown::new(not_known.reason, joined(&self.from, &not_known.beneath));
                unknown.written.clone_from(&not_known.written);
                unknown.branches =
                    not_known.branches.iter().map(|branch| branch.clone().into_attribute()).collect();
                Attribute::Unknown(Box::new(unknown))
            }
        };
        if self.is_secret { Attribute::Sensitive(Sensitive::new(attribute)) } else { attribute }
    }
}

impl NotKnown {
    pub(super) fn new(reason: Reason) -> Self {
        Self { reason, is_fault: false, written: None, beneath: References::default(), branches: Vec::new() }
    }
}

impl<T> Sized<T> {
    fn of(inner: T, parts: impl FnOnce(&T) -> Vec<(&Value, usize)>) -> Option<Self> {
        let (mut size, mut height) = (1_usize, 1);
        let (mut is_known, mut holds_secret) = (true, false);
        let mut from = References::default();
        for (value, key_bytes) in parts(&inner) {
            size = size.saturating_add(value.size()).saturating_add(key_bytes / 64);
            height = height.max(value.height().saturating_add(1));
            is_known &= value.is_wholly_known();
            holds_secret |= value.holds_secret();
            from = joined(&from, &value.all_from());
        }
        let fits = size <= MAX_VALUE_SIZE && height <= MAX_VALUE_DEPTH;
        fits.then_some(Self { inner, size, height, is_known, holds_secret, from })
    }
}

impl BlockValue {
    /// Why what it does not say is not known.
    pub(super) fn reason(&self) -> Reason {
        match (self.reference.is_data, &*self.reference.kind) {
            (true, "terraform_remote_state") => Reason::Elsewhere,
            (true, _) => Reason::DataSource,
            (false, _) => Reason::AfterApply,
        }
    }

    /// The value of an attribute, as an expression elsewhere reads it.
    pub(super) fn read(&self, attribute: &str) -> Value {
        let from = self.leads_here(attribute);
        match self.attributes.get(attribute) {
            None => Value::unknown(self.reason()).and_from(&from),
            Some(value) => {
                let data = match &value.data {
                    // The provider may put something in its place, or leave it empty.
                    Data::Null => {
                        let beneath = computed_reference("null");
                        Value::not_known_as(NotKnown { beneath, ..NotKnown::new(self.reason()) }).data
                    }
                    Data::Unknown(not_known) => {
                        let beneath = joined(&value.from, &not_known.beneath);
                        Value::not_known_as(NotKnown { beneath, written: None, ..(**not_known).clone() }).data
                    }
                    data => data.clone(),
                };
                Value { data, from, is_secret: value.is_secret }
            }
        }
    }

    /// The reference to an attribute of it.
    pub(super) fn leads_here(&self, attribute: &str) -> References {
        let written = match attribute {
            "" => self.written.clone(),
            attribute => format!("{}.{attribute}", self.written).into(),
        };
        let to = match self.reason() {
            Reason::Elsewhere => Referent::Elsewhere,
            _ => Referent::Block(BlockReference { attribute: attribute.into(), ..self.reference.clone() }),
        };
        [Reference { written, to }].into()
    }
}

/// Stands in the place of all references once there are too many.
const MORE: &str = "more references than a check follows";

/// Says that a value was computed between.
pub(super) fn computed_reference(written: &str) -> References {
    [Reference { written: written.into(), to: Referent::Computed }].into()
}

/// Both, each reference once.
pub(super) fn joined(one: &References, other: &References) -> References {
    if one.is_empty() {
        return other.clone();
    }
    let is_full = |all: &References| all.first().is_some_and(|first| &*first.written == MORE);
    if is_full(one) || other.iter().all(|reference| one.contains(reference)) {
        return one.clone();
    }
    if is_full(other) || one.len() + other.len() > MAX_REFERENCES {
        return computed_reference(MORE);
    }
    let new = other.iter().filter(|reference| !one.contains(reference));
    one.iter().chain(new).cloned().collect()
}
