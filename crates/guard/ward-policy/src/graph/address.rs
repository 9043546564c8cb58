//! Where a resource stands in its source: the modules around it and its key among its instances.

use crate::limits::MAX_MODULE_DEPTH;
use std::fmt;

/// Key of one instance of a block that `count` or `for_each` repeats.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// The place that `count` gives.
    Index(u64),
    /// The key that `for_each` gives.
    Name(Box<str>),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Name(name) => write!(f, "[\"{name}\"]"),
        }
    }
}

/// One module call on the way from the root to a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// Name of the call.
    pub name: Box<str>,
    /// Which instance of the call; `None` if it is not repeated, or if the writer named none.
    pub key: Option<InstanceKey>,
}

/// The module calls from the root to a resource, outermost first. Empty for the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Box<[ModuleStep]>);

impl ModulePath {
    /// The root module.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of these steps.
    #[must_use]
    pub fn new(steps: Vec<ModuleStep>) -> Self {
        Self(steps.into())
    }

    /// Reads `module.network["eu"].module.subnet[0]`. The empty text is the root.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = split_address(text)?;
        let (pairs, rest) = parts.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > MAX_MODULE_DEPTH {
            return None;
        }
        let step = |[word, call]: &[AddressPart<'_>; 2]| {
            (word.name == "module" && word.key.is_none())
                .then(|| ModuleStep { name: call.name.into(), key: call.key.clone() })
        };
        pairs.iter().map(step).collect::<Option<Vec<_>>>().map(Self::new)
    }

    /// The steps, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// Whether it is the root module.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The module that holds the innermost call, and that call.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &ModuleStep)> {
        let (last, outer) = self.0.split_last()?;
        Some((Self(outer.into()), last))
    }

    /// The module that a call in this one leads to.
    #[must_use]
    pub fn join(&self, step: ModuleStep) -> Self {
        let mut steps = self.0.to_vec();
        steps.push(step);
        Self::new(steps)
    }

    /// The same calls without the keys of their instances, as they stand in the source.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        Self(self.0.iter().map(|step| ModuleStep { name: step.name.clone(), key: None }).collect())
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}module.{}", step.name)?;
            step.key.iter().try_for_each(|key| write!(f, "{key}"))?;
        }
        Ok(())
    }
}

/// One part of an address: a name, and the key behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPart<'a> {
    /// The name before the bracket.
    pub name: &'a str,
    /// The key in brackets.
    pub key: Option<InstanceKey>,
}

/// Splits `module.a["x.y"].aws_s3_bucket.b[0].id` at its dots, not at those inside keys. `None` if
/// a bracket or a quote stays open, or a name is missing.
#[must_use]
pub fn split_address(text: &str) -> Option<Vec<AddressPart<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        let (key, mut tail) = match tail.strip_prefix('[') {
            Some(inner) => {
                let (key, tail) = read_key(inner)?;
                (Some(key), tail)
            }
            None => (None, tail),
        };
        parts.push(AddressPart { name, key });
        // A second bracket belongs to a value inside the resource: it names no instance.
        while let Some(inner) = tail.strip_prefix('[') {
            tail = read_key(inner)?.1;
        }
        rest = match tail.strip_prefix('.') {
            Some(after) if !after.is_empty() => after,
            None if tail.is_empty() => tail,
            _ => return None,
        };
    }
    Some(parts)
}

/// Reads a key whose bracket is open, and gives what follows the closing one.
fn read_key(text: &str) -> Option<(InstanceKey, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (digits, rest) = text.split_once(']')?;
        return Some((InstanceKey::Index(digits.parse().ok()?), rest));
    };
    let mut name = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = quoted.get(at + 1..)?.strip_prefix(']')?;
                return Some((InstanceKey::Name(name.into()), rest));
            }
            '\\' => match letters.next()?.1 {
                'n' => name.push('\n'),
                't' => name.push('\t'),
                'r' => name.push('\r'),
                other => name.push(other),
            },
            // Written twice so that it begins no template.
            '$' | '%' if quoted.get(at + 1..)?.starts_with(letter) => {
                letters.next();
                name.push(letter);
            }
            other => name.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_hold_dots_brackets_and_quotes() {
        let parts = split_address(r#"module.a["x.y]\"z"].aws_s3_bucket.b[12].id"#).unwrap();
        let names: Vec<_> = parts.iter().map(|part| part.name).collect();
        assert_eq!(names, ["module", "a", "aws_s3_bucket", "b", "id"]);
        assert_eq!(parts[1].key, Some(InstanceKey::Name("x.y]\"z".into())));
        assert_eq!(parts[3].key, Some(InstanceKey::Index(12)));
    }

    #[test]
    fn what_is_not_an_address_is_none() {
        for text in [".a", "a.", "a[", "a[x]", "a[\"x]", "a[\"x\"", "a..b", "a[1]b"] {
            assert_eq!(split_address(text), None, "{text}");
        }
    }

    #[test]
    fn a_module_path_reads_what_it_writes() {
        let text = r#"module.network["eu"].module.subnet[0].module.plain"#;
        let path = ModulePath::parse(text).unwrap();
        assert_eq!(path.to_string(), text);
        assert_eq!(path.without_keys().to_string(), "module.network.module.subnet.module.plain");
        assert_eq!(ModulePath::parse("").unwrap(), ModulePath::root());
        assert_eq!(ModulePath::parse("aws_s3_bucket.b"), None);
        let deep = |count: usize| vec!["module.m"; count].join(".");
        assert!(ModulePath::parse(&deep(MAX_MODULE_DEPTH)).is_some());
        assert_eq!(ModulePath::parse(&deep(MAX_MODULE_DEPTH + 1)), None);
    }
}
