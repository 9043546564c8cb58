//! Values that came in from outside of the code.

use super::Attribute;
use std::collections::HashSet;
use std::fmt;

/// The texts that the inputs of a deployment have. They may be secrets.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Of inputs that have no value in the code: somebody gave it.
    pub given: Texts,
    /// Of all inputs.
    pub all: Texts,
}

/// Texts that are never shown.
#[derive(Default)]
pub struct Texts(HashSet<Box<str>>);

impl Texts {
    /// The texts of these values, however deep they lie.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Attribute>) -> Self {
        let mut texts = HashSet::new();
        let mut to_do: Vec<&Attribute> = values.into_iter().collect();
        while let Some(value) = to_do.pop() {
            match value {
                Attribute::Text(text) => drop(texts.insert(text.clone())),
                Attribute::List(items) => to_do.extend(items.iter()),
                Attribute::Block(block) => to_do.extend(block.entries().map(|(_, inner)| inner)),
                Attribute::Sensitive(secret) => to_do.push(secret.value()),
                Attribute::Null | Attribute::Bool(_) | Attribute::Number(_) | Attribute::Unknown(_) => {}
            }
        }
        Self(texts)
    }

    /// Whether this text is one of them, as it is.
    #[must_use]
    pub fn hold(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Block;

    #[test]
    fn texts_below_are_held_and_not_shown() {
        let block = Block::new(vec![("password".into(), "hunter2".into())]).unwrap();
        let texts = Texts::of(&[Attribute::list(vec![block.into()]), true.into()]);
        assert!(texts.hold("hunter2") && !texts.hold("hunter") && !texts.hold("true"));
        assert_eq!(format!("{texts:?}"), "Texts(1)");
    }
}
