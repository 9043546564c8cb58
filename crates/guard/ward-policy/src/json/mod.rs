//! Strict JSON without a tree of everything: a reader that walks, skips, and keeps only what is asked.
//!
//! Plans repeat themselves: two thirds of one are skipped without building anything.

mod scanner;

pub(crate) use scanner::{Kind, Scanner};

use crate::graph::{Attribute, Block};
use crate::input_error::InputError;

/// A whole JSON text as one tree.
///
/// # Errors
/// [`InputError`] when it is not JSON, is too deep, or gives a name twice.
pub(crate) fn read_json(text: &str) -> Result<Attribute, InputError> {
    let mut scanner = Scanner::new(text);
    let value = read_value(&mut scanner)?;
    scanner.end()?;
    Ok(value)
}

/// The next value as a tree.
pub(crate) fn read_value(scanner: &mut Scanner<'_>) -> Result<Attribute, InputError> {
    Ok(match scanner.peek()? {
        Kind::Null => {
            scanner.skip()?;
            Attribute::Null
        }
        Kind::Bool => Attribute::Bool(scanner.bool()?),
        Kind::Number => Attribute::Number(scanner.number()?),
        Kind::Text => Attribute::Text(scanner.text()?.into()),
        Kind::Array => {
            let mut items = Vec::new();
            scanner.array(|scanner| {
                items.push(read_value(scanner)?);
                Ok(())
            })?;
            Attribute::list(items)
        }
        Kind::Object => Attribute::Block(read_block(scanner)?),
    })
}

/// The next value, which has to be an object, as a block.
pub(crate) fn read_block(scanner: &mut Scanner<'_>) -> Result<Block, InputError> {
    let mut entries = Vec::new();
    scanner.object(|name, scanner| {
        entries.push((name.into(), read_value(scanner)?));
        Ok(())
    })?;
    Block::new(entries).map_err(|name| InputError::GivenTwice { line: scanner.line(), name })
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
