//! Strict JSON without a tree of everything: a reader that walks, skips, and keeps only what is asked.
//!
//! Plans repeat themselves: two thirds of one are skipped without building anything.

mod names;
mod scanner;

pub(crate) use scanner::{Kind, Scanner};

use crate::graph::{Attribute, Block, Name};
use crate::input_error::InputError;
use names::Names;

/// A whole JSON text as one tree.
///
/// # Errors
/// [`InputError`] when it is not JSON, is too deep, or gives a name twice.
pub(crate) fn read_json(text: &str) -> Result<Attribute, InputError> {
    let mut scanner = Scanner::new(text);
    let value = Trees::of_text(text.len()).value(&mut scanner)?;
    scanner.end()?;
    Ok(value)
}

/// The next value, which has to be an object, as a block.
pub(crate) fn read_block(scanner: &mut Scanner<'_>) -> Result<Block, InputError> {
    Trees::of_text(scanner.rest_bytes()).block(scanner)
}

/// Reads trees one after another. Parts wait here until all of their block or list are there: it takes
/// exactly the room that it needs.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    names: Names,
    entries: Vec<(Name, Attribute)>,
    items: Vec<Attribute>,
}

impl Trees {
    /// For a text of so many bytes.
    pub(crate) fn of_text(bytes: usize) -> Self {
        Self { names: Names::of_text(bytes), ..Self::default() }
    }

    fn value(&mut self, scanner: &mut Scanner<'_>) -> Result<Attribute, InputError> {
        Ok(match scanner.peek()? {
            Kind::Null => {
                scanner.skip()?;
                Attribute::Null
            }
            Kind::Bool => Attribute::Bool(scanner.bool()?),
            Kind::Number => Attribute::Number(scanner.number()?),
            Kind::Text => Attribute::Text(scanner.text()?.into()),
            Kind::Array => {
                let first = self.items.len();
                scanner.array(|scanner| {
                    let item = self.value(scanner)?;
                    self.items.push(item);
                    Ok(())
                })?;
                Attribute::List(self.items.drain(first..).collect())
            }
            Kind::Object => Attribute::Block(self.block(scanner)?),
        })
    }

    /// The next value, which has to be an object, as a block.
    pub(crate) fn block(&mut self, scanner: &mut Scanner<'_>) -> Result<Block, InputError> {
        let first = self.entries.len();
        scanner.object(|name, scanner| {
            let value = self.value(scanner)?;
            self.entries.push((self.names.shared(&name), value));
            Ok(())
        })?;
        let block = Block::of(self.entries.drain(first..).collect());
        block.map_err(|name| InputError::GivenTwice { line: scanner.line(), name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_everything() {
        let value =
            read_json(r#" {"b": [1, -2.5e1, "x\u00e9\ud83c\udfe5\n", true, null], "a": {}} "#).unwrap();
        assert_eq!(value.shown(), r#"{a = {}, b = [1, -25, "xé🏥\n", true, null]}"#);
    }

    #[test]
    fn a_name_twice_is_told() {
        let error = read_json("{\"a\": 1,\n\"a\": 2}").unwrap_err();
        assert_eq!(error, InputError::GivenTwice { line: 2, name: "a".into() });
    }
}
