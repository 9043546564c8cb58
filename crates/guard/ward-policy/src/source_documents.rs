//! Templates and manifests as trees with lines, whether they are written in JSON or in YAML.

use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use crate::limits::MAX_YAML_NODES;
use crate::yaml::{YamlNode, YamlValue, read_yaml};
use std::collections::HashSet;

/// The documents of a text. One that begins as JSON is read as JSON; if it is none, it may still
/// be YAML in brackets.
///
/// # Errors
/// [`InputError`] when it is neither, is too deep or too large, or gives a name twice.
pub(crate) fn read_documents(text: &str) -> Result<Vec<YamlNode>, InputError> {
    if !text.trim_start().starts_with(['{', '[']) {
        return read_yaml(text);
    }
    match read_json_document(text) {
        Err(fault @ InputError::NotJson { .. }) => match read_yaml(text) {
            // A text that is neither was most likely meant as JSON.
            Err(InputError::NotYaml { .. }) => Err(fault),
            other => other,
        },
        other => other.map(|document| vec![document]),
    }
}

/// One JSON text as a tree.
pub(crate) fn read_json_document(text: &str) -> Result<YamlNode, InputError> {
    let mut reader = JsonReader { lines: line_starts(text), count: 0 };
    let mut scanner = Scanner::new(text);
    let node = reader.node(&mut scanner)?;
    scanner.end()?;
    Ok(node)
}

struct JsonReader {
    /// Where lines begin, so that a place needs no walk from the beginning.
    lines: Vec<usize>,
    count: usize,
}

fn line_starts(text: &str) -> Vec<usize> {
    text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next).collect()
}

impl JsonReader {
    fn line(&self, scanner: &Scanner<'_>) -> u32 {
        let before = self.lines.partition_point(|start| *start <= scanner.at());
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    fn node(&mut self, scanner: &mut Scanner<'_>) -> Result<YamlNode, InputError> {
        self.count += 1;
        if self.count > MAX_YAML_NODES {
            return Err(InputError::YamlTooLarge);
        }
        let kind = scanner.peek()?;
        let line = self.line(scanner);
        let value = match kind {
            Kind::Text => YamlValue::Scalar { text: scanner.text()?.into_owned().into(), is_plain: false },
            Kind::Null | Kind::Bool => {
                YamlValue::Scalar { text: scanner.skip()?.to_owned().into(), is_plain: true }
            }
            Kind::Number => {
                // Read once for its bounds, kept as it is written.
                let written = scanner.clone().skip()?;
                scanner.number()?;
                YamlValue::Scalar { text: written.to_owned().into(), is_plain: true }
            }
            Kind::Array => {
                let mut items = Vec::new();
                scanner.array(|scanner| {
                    items.push(self.node(scanner)?);
                    Ok(())
                })?;
                YamlValue::Sequence(items)
            }
            Kind::Object => self.entries(scanner)?,
        };
        Ok(YamlNode { value, tag: None, line })
    }

    fn entries(&mut self, scanner: &mut Scanner<'_>) -> Result<YamlValue, InputError> {
        let mut entries = Vec::new();
        let mut known: HashSet<Box<str>> = HashSet::new();
        scanner.object(|name, scanner| {
            let value = self.node(scanner)?;
            if !known.insert(name.as_ref().into()) {
                return Err(InputError::GivenTwice { line: line_number(value.line), name: name.into() });
            }
            let key = YamlValue::Scalar { text: name.into_owned().into(), is_plain: false };
            entries.push((YamlNode { value: key, tag: None, line: value.line }, value));
            Ok(())
        })?;
        Ok(YamlValue::Mapping(entries))
    }
}

/// A line as errors carry it.
pub(crate) fn line_number(line: u32) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_make_one_tree() {
        let json = read_documents("{\n \"a\": [1, \"1\"],\n \"b\": null}").unwrap();
        let yaml = read_documents("a: [1, '1']\nb: null\n").unwrap();
        assert_eq!(json[0].to_attribute().unwrap(), yaml[0].to_attribute().unwrap());
        assert_eq!(json[0].get("b").unwrap().line, 3);
    }

    #[test]
    fn what_begins_as_json_may_be_yaml_in_brackets() {
        assert_eq!(read_documents("{a: 1, # one\n}").unwrap()[0].get("a").unwrap().as_text(), Some("1"));
        assert!(matches!(read_documents("{\"a\": "), Err(InputError::NotJson { .. })));
        let twice = read_documents("{\"a\": 1,\n\"a\": 2}");
        assert_eq!(twice, Err(InputError::GivenTwice { line: 2, name: "a".into() }));
    }
}
