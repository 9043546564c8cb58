//! The digits of numbers for whoever writes JSON that holds forms or answers as a part of it.

use crate::number_text::NumberTexts;
use serde_json::Value;
use std::collections::BTreeMap;

/// How the numbers of a JSON document were written, where reading them as values loses some of it: `1.50`
/// reads as the number that is written `1.5`.
///
/// ```
/// use ward_forms::JsonDigits;
///
/// let answer = r#"{"valueDecimal":1.50}"#;
/// let read = serde_json::json!({"answers": [serde_json::from_str::<serde_json::Value>(answer)?]});
/// let digits = JsonDigits::of(answer.as_bytes());
/// let all = JsonDigits::of_list([digits]).under("answers");
/// assert_eq!(all.write_pretty(&read), "{\n  \"answers\": [\n    {\n      \"valueDecimal\": 1.50\n    }\n  ]\n}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonDigits(NumberTexts);

impl JsonDigits {
    /// The digits in a document. None in what is no JSON.
    #[must_use]
    pub fn of(json: &[u8]) -> Self {
        let text = std::str::from_utf8(json).ok();
        // The parser also bounds how deep it is.
        let text = text.filter(|text| serde_json::from_str::<Value>(text).is_ok());
        Self(text.map_or(NumberTexts::None, |text| NumberTexts::of_stored(text).0))
    }

    /// The digits of a list of documents.
    #[must_use]
    pub fn of_list(elements: impl IntoIterator<Item = Self>) -> Self {
        let texts = elements.into_iter().map(|element| element.0).enumerate();
        let texts: BTreeMap<usize, NumberTexts> =
            texts.filter(|(_, texts)| *texts != NumberTexts::None).collect();
        Self(if texts.is_empty() { NumberTexts::None } else { NumberTexts::Elements(texts) })
    }

    /// The digits of an object that holds the document in this field.
    #[must_use]
    pub fn under(self, field: &str) -> Self {
        match self.0 {
            NumberTexts::None => self,
            texts => Self(NumberTexts::Fields(BTreeMap::from([(field.to_owned(), texts)]))),
        }
    }

    /// Writes a value with line breaks, two spaces a level: each number that is still the one it was with
    /// its digits.
    #[must_use]
    pub fn write_pretty(&self, value: &Value) -> String {
        let mut out = String::new();
        write(value, &self.0, 0, &mut out);
        out
    }
}

fn write(value: &Value, texts: &NumberTexts, level: usize, out: &mut String) {
    match value {
        Value::Number(number) => match texts.text_of(number) {
            Some(text) => out.push_str(text),
            None => out.push_str(&number.to_string()),
        },
        Value::Array(list) if !list.is_empty() => {
            for (at, element) in list.iter().enumerate() {
                begin(if at == 0 { "[" } else { "," }, level + 1, out);
                write(element, texts.element(at).unwrap_or(&NumberTexts::None), level + 1, out);
            }
            begin("", level, out);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            for (at, (field, value)) in map.iter().enumerate() {
                begin(if at == 0 { "{" } else { "," }, level + 1, out);
                out.push_str(&Value::String(field.clone()).to_string());
                out.push_str(": ");
                write(value, texts.field(field).unwrap_or(&NumberTexts::None), level + 1, out);
            }
            begin("", level, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Writes a mark and begins a line.
fn begin(mark: &str, level: usize, out: &mut String) {
    out.push_str(mark);
    out.push('\n');
    out.push_str(&"  ".repeat(level));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn without_digits_it_is_written_as_serde_writes_it() {
        let value = json!({"a": [1, -2.5, [], {}, {"b": null, "c\"": "x\ny"}], "d": true, "e": {"f": [[1]]}});
        assert_eq!(JsonDigits::default().write_pretty(&value), serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn digits_stay_where_they_were() {
        let parts = ["[1.50,{\"x\":1E2}]", "[2]", "no json: 1.50", "[0.10]"];
        let list = JsonDigits::of_list(parts.map(|part| JsonDigits::of(part.as_bytes())));
        let value = json!({"p": [[1.5, {"x": 100.0}], [2], null, [0.1]], "q": [1.5]});
        let written = list.under("p").write_pretty(&value);
        assert!(written.contains("1.50") && written.contains("1E2") && written.contains("0.10"), "{written}");
        assert!(written.ends_with("1.5\n  ]\n}"), "{written}");
    }
}
