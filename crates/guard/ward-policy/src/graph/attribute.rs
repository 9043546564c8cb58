//! The values of a resource as one tree, whatever format they came from.

use super::{HIDDEN, Sensitive, Unknown};
use crate::limits::MAX_SHOWN_CHARS;
use std::fmt::Write as _;
use std::sync::Arc;

/// One value of a resource. What is not in the tree at all is unset.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// Written as null: rules treat it as unset.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// Values in order; also the repeated blocks of one name.
    List(Box<[Attribute]>),
    /// Names and values: a block or a map.
    Block(Block),
    /// Not known before the deployment.
    Unknown(Box<Unknown>),
    /// Evaluated, never shown.
    Sensitive(Sensitive),
}

impl Attribute {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }

    /// What kind of value it is, in a word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Block(_) => "a block",
            Self::Unknown(_) => "unknown",
            Self::Sensitive(_) => "sensitive",
        }
    }

    /// The value as a report shows it: short, and without what is sensitive.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = String::new();
        self.write_shown(&mut out);
        if out.chars().count() > MAX_SHOWN_CHARS {
            out = out.chars().take(MAX_SHOWN_CHARS).collect();
            out.push('…');
        }
        out
    }

    fn write_shown(&self, out: &mut String) {
        // What is cut off later need not be written.
        if out.len() > MAX_SHOWN_CHARS * 4 {
            return;
        }
        // Writing to a text does not fail.
        let _ = match self {
            Self::Null => write!(out, "null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::Text(value) => write!(out, "{value:?}"),
            Self::Unknown(unknown) => write!(out, "({})", unknown.reason),
            Self::Sensitive(_) => write!(out, "{HIDDEN}"),
            Self::List(items) => {
                write_parts(out, ['[', ']'], items.iter(), |out, item| item.write_shown(out));
                Ok(())
            }
            Self::Block(block) => {
                write_parts(out, ['{', '}'], block.entries(), |out, (name, value)| {
                    let _ = write!(out, "{name} = ");
                    value.write_shown(out);
                });
                Ok(())
            }
        };
    }
}

fn write_parts<T>(
    out: &mut String,
    [open, close]: [char; 2],
    parts: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push(open);
    for (place, part) in parts.enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        write(out, part);
    }
    out.push(close);
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<Vec<Self>> for Attribute {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

impl From<Block> for Attribute {
    fn from(block: Block) -> Self {
        Self::Block(block)
    }
}

/// A name in a block. Most resources have the same few names: whoever reads many lets them share each.
pub type Name = Arc<str>;

/// As many names as are looked through one after another. More are sorted first: one by one, a block of very
/// many would take the square of them.
pub(crate) const FEW_NAMES: usize = 40;

/// Names and their values, sorted by name, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block(Box<[(Name, Attribute)]>);

impl Block {
    /// A block of these entries.
    ///
    /// # Errors
    /// The name that was given twice: which of two values counts is nobody's guess.
    pub fn new(entries: Vec<(Name, Attribute)>) -> Result<Self, Box<str>> {
        Self::of(entries.into())
    }

    /// As [`new`](Self::new), without room for more.
    pub(crate) fn of(mut entries: Box<[(Name, Attribute)]>) -> Result<Self, Box<str>> {
        // Most come in order, and then no name is there twice.
        if entries.is_sorted_by(|one, next| one.0 < next.0) {
            return Ok(Self(entries));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        match entries.array_windows().find(|[one, next]| one.0 == next.0) {
            Some([twice, _]) => Err((&*twice.0).into()),
            None => Ok(Self(entries)),
        }
    }

    /// The value of a name. `None` if it is unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.get(self.place(name)?).map(|(_, value)| value)
    }

    /// As [`get`](Self::get), to exchange the value.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Attribute> {
        let at = self.place(name)?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    fn place(&self, name: &str) -> Option<usize> {
        // Lengths stand in the block itself: of a few names, only those of the same length are looked at.
        if self.0.len() <= FEW_NAMES {
            return self.0.iter().position(|(known, _)| **known == *name);
        }
        self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()
    }

    /// Names and values, which may be exchanged in place.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut Attribute)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
    }

    /// Names and values, in the order of the names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many names it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its entries, to build another block of them.
    #[must_use]
    pub fn into_entries(self) -> Vec<(Name, Attribute)> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_given_twice_is_told() {
        let entry = |name: &str, value: bool| (name.into(), Attribute::Bool(value));
        assert_eq!(Block::new(vec![entry("a", true), entry("b", true), entry("a", false)]), Err("a".into()));
        let block = Block::new(vec![entry("b", true), entry("a", false)]).unwrap();
        assert_eq!(block.get("a"), Some(&Attribute::Bool(false)));
        assert_eq!(block.get("c"), None);
    }

    #[test]
    fn names_are_found_among_few_and_among_many() {
        for count in [FEW_NAMES, FEW_NAMES + 1] {
            let names: Vec<String> = (0..count).map(|number| format!("n{}", number * 7)).collect();
            let entries = names.iter().map(|name| (name.as_str().into(), name.as_str().into())).collect();
            let block = Block::new(entries).unwrap();
            assert!(names.iter().all(|name| block.get(name) == Some(&name.as_str().into())));
            assert_eq!((block.get("n1"), block.get("")), (None, None));
        }
    }

    #[test]
    fn what_is_shown_is_short_and_of_one_line() {
        let long = Attribute::text(&"x".repeat(MAX_SHOWN_CHARS * 2));
        assert_eq!(long.shown().chars().count(), MAX_SHOWN_CHARS + 1);
        let block =
            Block::new(vec![("a".into(), Attribute::list(vec![true.into(), "x\ny".into()]))]).unwrap();
        assert_eq!(Attribute::from(block).shown(), r#"{a = [true, "x\ny"]}"#);
    }

    #[test]
    fn ten_thousand_attributes_stay_small() {
        assert!(size_of::<Attribute>() <= 24, "{}", size_of::<Attribute>());
    }
}
