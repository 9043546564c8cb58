//! YAML as a tree with lines and tags: rules, templates and manifests are read through it.
//!
//! Aliases are copied, and the copies count against the limit. A key given twice is an error.
//! Merge keys (`<<`) are carried out.

use crate::graph::{Attribute, Block};
use crate::input_error::InputError;
use crate::limits::{MAX_YAML_DEPTH, MAX_YAML_DOCUMENTS, MAX_YAML_NODES};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Keys that are compared one by one.
const FEW_KEYS: usize = 16;

/// One value of a YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlNode {
    /// What it holds.
    pub value: YamlValue,
    /// Its tag as written, such as `!Ref`; none if the source gives none.
    pub tag: Option<Box<str>>,
    /// Line of its beginning, from 1.
    pub line: u32,
}

/// What a YAML value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum YamlValue {
    /// A text, and whether it was written without quotes (then it may be a number, true or null).
    Scalar {
        /// The text. What comes with Ward is part of the program, and is not copied.
        text: Cow<'static, str>,
        /// Written without quotes.
        is_plain: bool,
    },
    /// Values in order.
    Sequence(Vec<YamlNode>),
    /// Keys and values, in the order of the source.
    Mapping(Vec<(YamlNode, YamlNode)>),
}

impl YamlNode {
    /// The text of a scalar, quoted or not.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Scalar { text, .. } => Some(text),
            YamlValue::Sequence(_) | YamlValue::Mapping(_) => None,
        }
    }

    /// The items of a sequence.
    #[must_use]
    pub fn as_items(&self) -> Option<&[Self]> {
        match &self.value {
            YamlValue::Sequence(items) => Some(items),
            YamlValue::Scalar { .. } | YamlValue::Mapping(_) => None,
        }
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn as_entries(&self) -> Option<&[(Self, Self)]> {
        match &self.value {
            YamlValue::Mapping(entries) => Some(entries),
            YamlValue::Scalar { .. } | YamlValue::Sequence(_) => None,
        }
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.as_entries()?.iter().find(|(name, _)| name.as_text() == Some(key))?;
        Some(value)
    }

    /// A plain scalar by the core schema of YAML 1.2, a quoted one as its text. `None` for others.
    #[must_use]
    pub fn scalar(&self) -> Option<Attribute> {
        let YamlValue::Scalar { text, is_plain } = &self.value else { return None };
        if !is_plain {
            return Some(Attribute::text(text));
        }
        Some(plain(text).unwrap_or_else(|| Attribute::text(text)))
    }

    /// Whether it is a scalar that says a text, and no number, true or null.
    pub(crate) fn says_text(&self) -> bool {
        match &self.value {
            YamlValue::Scalar { text, is_plain } => !is_plain || plain(text).is_none(),
            YamlValue::Sequence(_) | YamlValue::Mapping(_) => false,
        }
    }

    /// The whole tree without tags and lines.
    ///
    /// # Errors
    /// [`InputError`] when a key is no scalar or is given twice.
    pub fn to_attribute(&self) -> Result<Attribute, InputError> {
        match &self.value {
            YamlValue::Scalar { .. } => Ok(self.scalar().unwrap_or(Attribute::Null)),
            YamlValue::Sequence(items) => {
                items.iter().map(Self::to_attribute).collect::<Result<Vec<_>, _>>().map(Attribute::list)
            }
            YamlValue::Mapping(entries) => {
                let mut named = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let name = key.as_text().ok_or_else(|| self.fault("a key is not a text"))?;
                    named.push((name.into(), value.to_attribute()?));
                }
                let twice = |name| InputError::GivenTwice { line: line_of(self), name };
                Block::new(named).map(Attribute::Block).map_err(twice)
            }
        }
    }

    fn fault(&self, what: &str) -> InputError {
        InputError::NotYaml { line: line_of(self), column: 1, what: what.into() }
    }
}

fn line_of(node: &YamlNode) -> usize {
    usize::try_from(node.line).unwrap_or(usize::MAX)
}

/// What a scalar without quotes says, if it is no text.
pub(crate) fn plain(text: &str) -> Option<Attribute> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Attribute::Null),
        "true" | "True" | "TRUE" => Some(Attribute::Bool(true)),
        "false" | "False" | "FALSE" => Some(Attribute::Bool(false)),
        other => number(other).map(Attribute::Number),
    }
}

/// Numbers of the core schema. Words that only Rust reads as numbers stay texts.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16).ok().map(f64::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u32::from_str_radix(octal, 8).ok().map(f64::from);
    }
    let begins = digits.strip_prefix('.').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit());
    let is_number = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    (begins && is_number).then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// Reads every document of a YAML text.
///
/// # Errors
/// [`InputError`] when it is not YAML, too deep or too large, or a key is given twice.
pub fn read_yaml(text: &str) -> Result<Vec<YamlNode>, InputError> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_YAML_DEPTH,
        block_nesting_limit: MAX_YAML_DEPTH * 2,
    };
    let mut reader = Reader::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        reader.take(event, span)?;
    }
    Ok(reader.documents)
}

fn syntax(error: &ScanError) -> InputError {
    InputError::NotYaml {
        line: error.marker().line(),
        column: error.marker().col() + 1,
        what: error.info().into(),
    }
}

#[derive(Default)]
struct Reader {
    documents: Vec<YamlNode>,
    open: Vec<Open>,
    anchors: HashMap<usize, YamlNode>,
    count: usize,
}

/// A collection whose end was not met yet.
struct Open {
    anchor: usize,
    tag: Option<Box<str>>,
    line: u32,
    children: Vec<YamlNode>,
    is_mapping: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), InputError> {
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let value = YamlValue::Scalar { text: text.into_owned().into(), is_plain };
                self.place(YamlNode { value, tag: tag.map(|tag| written(&tag)), line }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(anchor, tag.map(|tag| written(&tag)), line, false)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(anchor, tag.map(|tag| written(&tag)), line, true)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let fault = InputError::NotYaml {
                    line: span.start.line(),
                    column: span.start.col() + 1,
                    what: "an alias stands inside what it names".into(),
                };
                let copy = self.anchors.get(&anchor).cloned().ok_or(fault)?;
                if self.open.len() + depth_of_tree(&copy) > MAX_YAML_DEPTH {
                    return Err(InputError::YamlTooDeep { line: span.start.line() });
                }
                self.count = self.count.saturating_add(size_of_tree(&copy));
                self.place(copy, 0)
            }
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<Box<str>>,
        line: u32,
        is_mapping: bool,
    ) -> Result<(), InputError> {
        if self.open.len() >= MAX_YAML_DEPTH {
            return Err(InputError::YamlTooDeep { line: usize::try_from(line).unwrap_or(usize::MAX) });
        }
        self.open.push(Open { anchor, tag, line, children: Vec::new(), is_mapping });
        Ok(())
    }

    fn close(&mut self) -> Result<(), InputError> {
        let Some(Open { anchor, tag, line, children, is_mapping }) = self.open.pop() else { return Ok(()) };
        let value = if is_mapping {
            YamlValue::Mapping(entries_of(children)?)
        } else {
            YamlValue::Sequence(children)
        };
        self.place(YamlNode { value, tag, line }, anchor)
    }

    fn place(&mut self, node: YamlNode, anchor: usize) -> Result<(), InputError> {
        self.count += 1;
        if anchor != 0 {
            self.count = self.count.saturating_add(size_of_tree(&node));
        }
        if self.count > MAX_YAML_NODES || self.documents.len() >= MAX_YAML_DOCUMENTS {
            return Err(InputError::YamlTooLarge);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

/// A tag as its author wrote it: `!Ref`.
fn written(tag: &granit_parser::Tag) -> Box<str> {
    tag.original().into()
}

fn size_of_tree(node: &YamlNode) -> usize {
    1 + match &node.value {
        YamlValue::Scalar { .. } => 0,
        YamlValue::Sequence(items) => items.iter().map(size_of_tree).sum(),
        YamlValue::Mapping(entries) => {
            entries.iter().map(|(key, value)| size_of_tree(key) + size_of_tree(value)).sum()
        }
    }
}

/// How deep collections nest in a tree. No tree is deeper than the limit.
fn depth_of_tree(node: &YamlNode) -> usize {
    match &node.value {
        YamlValue::Scalar { .. } => 0,
        YamlValue::Sequence(items) => 1 + items.iter().map(depth_of_tree).max().unwrap_or(0),
        YamlValue::Mapping(entries) => {
            let depths = entries.iter().flat_map(|(key, value)| [depth_of_tree(key), depth_of_tree(value)]);
            1 + depths.max().unwrap_or(0)
        }
    }
}

/// Keys and values in turn become entries; `<<` brings in those of another mapping that are not given.
fn entries_of(children: Vec<YamlNode>) -> Result<Vec<(YamlNode, YamlNode)>, InputError> {
    let mut entries: Vec<(YamlNode, YamlNode)> = Vec::with_capacity(children.len() / 2);
    let mut merged = Vec::new();
    let mut known = KnownKeys::default();
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        if matches!(&key.value, YamlValue::Scalar { text, is_plain: true } if &**text == "<<") {
            merged.push(value);
            continue;
        }
        if let Some(text) = key.as_text()
            && !known.insert(text, &entries)
        {
            return Err(InputError::GivenTwice { line: line_of(&key), name: text.into() });
        }
        entries.push((key, value));
    }
    for source in merged {
        let sources = match source.value {
            YamlValue::Sequence(items) => items,
            _ => vec![source],
        };
        for (key, value) in sources.into_iter().filter_map(mapping_entries).flatten() {
            let is_new = key.as_text().is_none_or(|text| known.insert(text, &entries));
            if is_new {
                entries.push((key, value));
            }
        }
    }
    Ok(entries)
}

/// The keys of one mapping. Few are compared one by one; many get a set.
#[derive(Default)]
struct KnownKeys(HashSet<Box<str>>);

impl KnownKeys {
    /// Whether a key is new beside these entries.
    fn insert(&mut self, text: &str, entries: &[(YamlNode, YamlNode)]) -> bool {
        let keys = || entries.iter().filter_map(|(key, _)| key.as_text());
        if entries.len() < FEW_KEYS {
            return keys().all(|key| key != text);
        }
        if self.0.is_empty() {
            self.0 = keys().map(Into::into).collect();
        }
        self.0.insert(text.into())
    }
}

fn mapping_entries(node: YamlNode) -> Option<Vec<(YamlNode, YamlNode)>> {
    match node.value {
        YamlValue::Mapping(entries) => Some(entries),
        YamlValue::Scalar { .. } | YamlValue::Sequence(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tags_and_several_documents() {
        let text = "a: !Ref Key\nb:\n  - 1\n  - \"2\"\n---\nkind: Pod\n";
        let documents = read_yaml(text).unwrap();
        assert_eq!(documents.len(), 2);
        let a = documents[0].get("a").unwrap();
        assert_eq!((a.tag.as_deref(), a.as_text(), a.line), (Some("!Ref"), Some("Key"), 1));
        let b = documents[0].get("b").unwrap().to_attribute().unwrap();
        assert_eq!(b, Attribute::list(vec![Attribute::Number(1.0), "2".into()]));
        assert_eq!(documents[1].get("kind").unwrap().line, 6);
    }

    #[test]
    fn scalars_by_the_core_schema() {
        for (text, value) in [
            ("true", Attribute::Bool(true)),
            ("~", Attribute::Null),
            ("12", Attribute::Number(12.0)),
            ("-1.5e3", Attribute::Number(-1500.0)),
            ("0x1f", Attribute::Number(31.0)),
            ("'12'", "12".into()),
            ("yes", "yes".into()),
            ("inf", "inf".into()),
            ("10.0.0.0/8", "10.0.0.0/8".into()),
            ("2012-10-17", "2012-10-17".into()),
        ] {
            assert_eq!(read_yaml(text).unwrap()[0].scalar(), Some(value), "{text}");
        }
    }

    #[test]
    fn aliases_are_copied_and_merge_keys_carried_out() {
        let text = "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n";
        let document = &read_yaml(text).unwrap()[0];
        let merged = document.get("use").unwrap().to_attribute().unwrap();
        assert_eq!(merged.shown(), "{x = 1, y = 3}");
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let copies = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{copies}]\n"));
        }
        assert_eq!(read_yaml(&text), Err(InputError::YamlTooLarge));
    }

    #[test]
    fn aliases_do_not_nest_deeper_than_the_limit() {
        let nested = |depth: usize, inner: &str| format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
        let half = MAX_YAML_DEPTH / 2;
        // The mapping around them is a level as well.
        let text = |depth: usize| format!("a: &a {}\nb: {}\n", nested(half, "x"), nested(depth, "*a"));
        assert!(read_yaml(&text(half - 1)).is_ok());
        assert_eq!(read_yaml(&text(half)), Err(InputError::YamlTooDeep { line: 2 }));
    }

    #[test]
    fn what_is_kept_for_aliases_counts() {
        let inner = vec!["x"; MAX_YAML_NODES / 8].join(",");
        let named: String = (0..10).map(|at| format!("&a{at} [")).collect();
        let text = format!("{named}{inner}{}", "]".repeat(10));
        assert_eq!(read_yaml(&text), Err(InputError::YamlTooLarge));
    }

    #[test]
    fn depth_at_the_limit_and_one_past() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read_yaml(&nested(MAX_YAML_DEPTH)).is_ok());
        assert!(read_yaml(&nested(MAX_YAML_DEPTH + 1)).is_err());
        let block = |depth: usize| (0..depth).map(|at| format!("{}a:\n", " ".repeat(at))).collect::<String>();
        assert!(read_yaml(&block(MAX_YAML_DEPTH)).is_ok());
        assert!(matches!(read_yaml(&block(MAX_YAML_DEPTH + 1)), Err(InputError::YamlTooDeep { .. })));
    }

    #[test]
    fn a_key_twice_and_what_is_not_yaml_are_told_with_their_line() {
        let twice = read_yaml("a: 1\nb: 2\na: 3\n");
        assert_eq!(twice, Err(InputError::GivenTwice { line: 3, name: "a".into() }));
        assert!(matches!(read_yaml("a: [1,\n"), Err(InputError::NotYaml { .. })));
    }
}
