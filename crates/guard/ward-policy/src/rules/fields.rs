//! A strict reader of one mapping: every key is known, every value has its type, every fault its line.

use super::RuleError;
use crate::graph::Attribute;
use crate::yaml::{YamlNode, read_yaml};

/// The one document of a file.
///
/// # Errors
/// [`RuleError`] when the text is not YAML or not one document.
pub fn read_document(file: &str, text: &str) -> Result<YamlNode, RuleError> {
    let unread = |error| RuleError::NotRead { file: file.into(), error };
    let mut documents = read_yaml(text).map_err(unread)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(RuleError::Wrong { file: file.into(), line: 1, what: "one document was expected".into() }),
    }
}

/// The keys of a mapping that were not read yet.
#[derive(Debug)]
pub struct Fields<'a> {
    file: &'a str,
    node: &'a YamlNode,
    left: Vec<(&'a str, &'a YamlNode)>,
}

impl<'a> Fields<'a> {
    /// The fields of a mapping.
    ///
    /// # Errors
    /// [`RuleError`] when it is none.
    pub fn of(file: &'a str, node: &'a YamlNode) -> Result<Self, RuleError> {
        let mut fields = Self { file, node, left: Vec::new() };
        let entries = node.as_entries().ok_or_else(|| fields.fault("a mapping was expected"))?;
        fields.left.reserve_exact(entries.len());
        for (key, value) in entries {
            let name = key.as_text().ok_or_else(|| fields.fault("a key is not a text"))?;
            fields.left.push((name, value));
        }
        Ok(fields)
    }

    /// A fault of this mapping.
    #[must_use]
    pub fn fault(&self, what: &str) -> RuleError {
        self.fault_at(self.node.line, what)
    }

    fn fault_at(&self, line: u32, what: &str) -> RuleError {
        RuleError::Wrong { file: self.file.into(), line, what: what.into() }
    }

    /// The file that is read.
    #[must_use]
    pub const fn file(&self) -> &'a str {
        self.file
    }

    /// The mapping itself.
    pub(super) const fn node(&self) -> &'a YamlNode {
        self.node
    }

    /// File and line of the mapping.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.node.line)
    }

    /// Whether a key is there, read or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.node.get(name).is_some()
    }

    /// Takes a value that may be missing.
    pub fn take(&mut self, name: &str) -> Option<&'a YamlNode> {
        let at = self.left.iter().position(|(known, _)| *known == name)?;
        Some(self.left.swap_remove(at).1)
    }

    /// Takes a value that has to be there.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing.
    pub fn need(&mut self, name: &str) -> Result<&'a YamlNode, RuleError> {
        self.take(name).ok_or_else(|| self.fault(&format!("{name} is missing")))
    }

    /// Takes the version of the format.
    ///
    /// # Errors
    /// [`RuleError`] when it is another than this one.
    pub fn version(&mut self, version: u32) -> Result<(), RuleError> {
        let node = self.need("version")?;
        if node.scalar() == Some(Attribute::Number(f64::from(version))) {
            return Ok(());
        }
        Err(self.fault_at(node.line, &format!("this Ward reads version {version} of these files")))
    }

    /// Takes a text that is not empty; its white space at both ends goes.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing or no text.
    pub fn text(&mut self, name: &str) -> Result<Box<str>, RuleError> {
        let node = self.need(name)?;
        self.as_text(name, node)
    }

    /// As [`text`](Self::text), for a text that may be missing.
    ///
    /// # Errors
    /// [`RuleError`] when it is no text.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<Box<str>>, RuleError> {
        self.take(name).map(|node| self.as_text(name, node)).transpose()
    }

    fn as_text(&self, name: &str, node: &YamlNode) -> Result<Box<str>, RuleError> {
        let text = node.as_text().map(str::trim).filter(|text| !text.is_empty());
        text.map(Into::into).ok_or_else(|| self.fault_at(node.line, &format!("{name} has to be a text")))
    }

    /// Takes a date such as `2026-11-30`.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing or no date.
    pub fn date(&mut self, name: &str) -> Result<Box<str>, RuleError> {
        let text = self.text(name)?;
        if is_date(&text) {
            return Ok(text);
        }
        Err(self.fault(&format!("{name} has to be a date such as 2026-11-30")))
    }

    /// Takes a value if it is the word `false`.
    pub fn is_false(&mut self, name: &str) -> bool {
        let is_false = |(known, node): &(&str, &YamlNode)| *known == name && node.as_text() == Some("false");
        let found = self.left.iter().position(is_false);
        found.map(|at| self.left.swap_remove(at)).is_some()
    }

    /// Takes one of several words.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing or another word.
    pub fn word<T: Copy>(
        &mut self,
        name: &str,
        choices: &[T],
        word_of: impl Fn(T) -> &'static str,
    ) -> Result<T, RuleError> {
        let node = self.need(name)?;
        let text = node.as_text().unwrap_or_default();
        if let Some(choice) = choices.iter().find(|choice| word_of(**choice) == text) {
            return Ok(*choice);
        }
        let words: Vec<_> = choices.iter().map(|choice| word_of(*choice)).collect();
        Err(self.fault_at(node.line, &format!("{name} has to be one of: {}", words.join(", "))))
    }

    /// Takes `true` or `false` that may be missing.
    ///
    /// # Errors
    /// [`RuleError`] when it is something else.
    pub fn optional_flag(&mut self, name: &str) -> Result<Option<bool>, RuleError> {
        let Some(node) = self.take(name) else { return Ok(None) };
        match node.scalar() {
            Some(Attribute::Bool(flag)) => Ok(Some(flag)),
            _ => Err(self.fault_at(node.line, &format!("{name} is true or false"))),
        }
    }

    /// Takes a list of texts; a single text is a list of one.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing, empty, or holds something else.
    pub fn texts(&mut self, name: &str) -> Result<Vec<Box<str>>, RuleError> {
        let node = self.need(name)?;
        let items = match node.as_items() {
            Some(items) => {
                items.iter().map(|item| self.as_text(name, item)).collect::<Result<Vec<_>, _>>()?
            }
            None => vec![self.as_text(name, node)?],
        };
        if items.is_empty() { Err(self.fault_at(node.line, &format!("{name} is empty"))) } else { Ok(items) }
    }

    /// As [`texts`](Self::texts), for a list that may be missing.
    ///
    /// # Errors
    /// [`RuleError`] when it is there and wrong.
    pub fn optional_texts(&mut self, name: &str) -> Result<Vec<Box<str>>, RuleError> {
        if self.has(name) { self.texts(name) } else { Ok(Vec::new()) }
    }

    /// Takes a list of mappings, at least one.
    ///
    /// # Errors
    /// [`RuleError`] when it is missing or empty, or one of them is wrong.
    pub fn items<T>(
        &mut self,
        name: &str,
        read: impl Fn(Fields<'a>) -> Result<T, RuleError>,
    ) -> Result<Vec<T>, RuleError> {
        let node = self.need(name)?;
        let items = node.as_items().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| self.fault_at(node.line, &format!("{name} has to be a list")))?;
        items.iter().map(|item| read(Fields::of(self.file, item)?)).collect()
    }

    /// Nothing else may be there.
    ///
    /// # Errors
    /// [`RuleError`] with the first key that nobody reads.
    pub fn end(self) -> Result<(), RuleError> {
        match self.left.first() {
            None => Ok(()),
            Some((name, node)) => Err(self.fault_at(node.line, &format!("{name} is not a key here"))),
        }
    }
}

fn is_date(text: &str) -> bool {
    let number = |part: &str, most: u16, digits: usize| {
        part.len() == digits && part.parse::<u16>().is_ok_and(|number| (1..=most).contains(&number))
    };
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    number(year, 9999, 4) && number(month, 12, 2) && number(day, 31, 2)
}
