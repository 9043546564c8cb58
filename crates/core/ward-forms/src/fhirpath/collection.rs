//! Collections: what every part of an expression gives.

use super::error::EvaluationError;
use super::operators::truth;
use super::value::Value;

/// Values in order. None and one, by far the most frequent, take no memory of their own.
#[derive(Debug, Clone, Default)]
pub struct Collection<'d> {
    held: Held<'d>,
}

#[derive(Debug, Clone, Default)]
enum Held<'d> {
    #[default]
    None,
    One(Value<'d>),
    Many(Vec<Value<'d>>),
}

impl<'d> Collection<'d> {
    /// No value.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// One value.
    #[must_use]
    pub fn one(value: Value<'d>) -> Self {
        Self { held: Held::One(value) }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.held, Held::None)
    }

    /// The values in order.
    #[must_use]
    pub fn values(&self) -> &[Value<'d>] {
        match &self.held {
            Held::None => &[],
            Held::One(value) => std::slice::from_ref(value),
            Held::Many(values) => values,
        }
    }

    /// The values in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value<'d>> {
        self.values().iter()
    }

    /// The only value; nothing if there are none or several.
    #[must_use]
    pub fn single(&self) -> Option<&Value<'d>> {
        match self.values() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The truth of it, as a condition of a form takes it: nothing of nothing, the value of one
    /// boolean, and true of any other one value (FHIRPath 2.0 §5.5).
    ///
    /// # Errors
    /// [`EvaluationError::NotSingle`] when there are several values.
    pub fn truth(&self) -> Result<Option<bool>, EvaluationError> {
        truth(self, "a condition")
    }

    pub(super) fn push(&mut self, value: Value<'d>) {
        if let Held::Many(values) = &mut self.held {
            values.push(value);
            return;
        }
        self.held = match std::mem::take(&mut self.held) {
            Held::One(first) => Held::Many(vec![first, value]),
            Held::None | Held::Many(_) => Held::One(value),
        };
    }

    pub(super) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
        } else {
            match other.held {
                Held::None => {}
                Held::One(value) => self.push(value),
                Held::Many(values) => values.into_iter().for_each(|value| self.push(value)),
            }
        }
    }
}

impl<'d> From<Value<'d>> for Collection<'d> {
    fn from(value: Value<'d>) -> Self {
        Self::one(value)
    }
}

impl<'d> From<Option<Value<'d>>> for Collection<'d> {
    fn from(value: Option<Value<'d>>) -> Self {
        value.map_or_else(Self::empty, Self::one)
    }
}

impl From<bool> for Collection<'_> {
    fn from(value: bool) -> Self {
        Self::one(Value::Boolean(value))
    }
}

impl From<Option<bool>> for Collection<'_> {
    fn from(value: Option<bool>) -> Self {
        value.map_or_else(Self::empty, Self::from)
    }
}

impl<'d> From<Vec<Value<'d>>> for Collection<'d> {
    fn from(mut values: Vec<Value<'d>>) -> Self {
        let held = match values.len() {
            0 => Held::None,
            1 => values.pop().map_or(Held::None, Held::One),
            _ => Held::Many(values),
        };
        Self { held }
    }
}

impl<'d> FromIterator<Value<'d>> for Collection<'d> {
    fn from_iter<I: IntoIterator<Item = Value<'d>>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'d> IntoIterator for Collection<'d> {
    type Item = Value<'d>;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Value<'d>>, std::vec::IntoIter<Value<'d>>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self.held {
            Held::None => (None, Vec::new()),
            Held::One(value) => (Some(value), Vec::new()),
            Held::Many(values) => (None, values),
        };
        one.into_iter().chain(many)
    }
}

impl<'c, 'd> IntoIterator for &'c Collection<'d> {
    type Item = &'c Value<'d>;
    type IntoIter = std::slice::Iter<'c, Value<'d>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
