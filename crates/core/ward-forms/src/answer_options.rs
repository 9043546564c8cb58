//! The answers a question offers: listed on the item, or in a value set that the
//! form carries.

use crate::answer_value::{AnswerValue, Coding};
use crate::error::FormError;
use crate::json_fields::{Fields, choice_field, wrong};
use crate::limits::{MAX_ITEM_DEPTH, MAX_OPTIONS_PER_ITEM, MAX_TEXT_BYTES};
use crate::standard_value_sets;
use crate::translation::Translations;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const ITEM_WEIGHT: &str = "http://hl7.org/fhir/StructureDefinition/itemWeight";
const ORDINAL_VALUE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";
const OPTION_EXCLUSIVE: &str = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive";

/// One answer that a question offers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnswerOption {
    /// The answer.
    pub value: AnswerValue,
    /// Whether it is chosen when the form is opened.
    pub initial_selected: bool,
    /// Whether it must stand alone (`optionExclusive`), such as "none of these".
    pub exclusive: bool,
    /// Its number for scoring (`itemWeight` or `ordinalValue`).
    pub weight: Option<f64>,
    /// Its words in other languages.
    pub label_translations: Translations,
    /// The words chosen for the person who is asked, where these are not the form's own.
    pub(crate) chosen_label: Option<String>,
}

impl AnswerOption {
    /// Whether an answer with this option's code comes with words that are this option's in none of
    /// its languages. Then nobody knows what the person chose: the words or the code.
    pub(crate) fn has_other_words(&self, answer: &AnswerValue) -> bool {
        let (AnswerValue::Coding(own), AnswerValue::Coding(given)) = (&self.value, answer) else {
            return false;
        };
        let (Some(own), Some(given)) = (&own.display, &given.display) else {
            return false;
        };
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let given = plain(given);
        plain(own) != given && !self.label_translations.texts().any(|text| plain(text) == given)
    }

    /// The words to show.
    #[must_use]
    pub fn label(&self) -> String {
        if let Some(chosen) = &self.chosen_label {
            return chosen.clone();
        }
        match &self.value {
            AnswerValue::Coding(coding) => {
                coding.display.clone().or_else(|| coding.code.clone()).unwrap_or_default()
            }
            AnswerValue::String(text)
            | AnswerValue::Date(text)
            | AnswerValue::DateTime(text)
            | AnswerValue::Time(text)
            | AnswerValue::Uri(text) => text.clone(),
            AnswerValue::Integer(number) => number.to_string(),
            AnswerValue::Reference(value) => value
                .get("display")
                .or_else(|| value.get("reference"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            other => other.write().1.to_string(),
        }
    }
}

/// Where the offered answers of a question come from.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum AnswerOptions {
    /// The item offers no list.
    #[default]
    None,
    /// Listed in the form, on the item or in a contained value set.
    Listed(Vec<AnswerOption>),
    /// In a short list of FHIR itself that the form names but doesn't carry.
    Standard(Vec<AnswerOption>),
    /// In a value set that the form names but doesn't carry.
    Elsewhere(String),
}

impl AnswerOptions {
    /// The listed options; empty when there are none or they are elsewhere.
    #[must_use]
    pub fn listed(&self) -> &[AnswerOption] {
        match self {
            Self::Listed(options) | Self::Standard(options) => options,
            Self::None | Self::Elsewhere(_) => &[],
        }
    }

    /// The options that the form carries: what is stored may name them by their place, which nothing
    /// outside of the form can change.
    #[must_use]
    pub fn carried(&self) -> &[AnswerOption] {
        match self {
            Self::Listed(options) => options,
            Self::None | Self::Standard(_) | Self::Elsewhere(_) => &[],
        }
    }

    /// The listed option with this answer.
    #[must_use]
    pub fn find(&self, value: &AnswerValue) -> Option<&AnswerOption> {
        self.listed().iter().find(|option| option.value.is_same(value))
    }
}

/// The value sets a form carries, by their id within it.
pub(crate) struct ContainedValueSets<'a> {
    by_id: BTreeMap<&'a str, &'a Value>,
    /// Lists of the standard that forms name without carrying them.
    standard: BTreeMap<String, Value>,
}

impl<'a> ContainedValueSets<'a> {
    pub(crate) fn of(questionnaire: &Fields<'a>) -> Result<Self, FormError> {
        let mut by_id = BTreeMap::new();
        for resource in questionnaire.array("contained")? {
            let is_value_set = resource.get("resourceType").and_then(Value::as_str) == Some("ValueSet");
            if let (true, Some(id)) = (is_value_set, resource.get("id").and_then(Value::as_str)) {
                by_id.insert(id, resource);
            }
        }
        Ok(Self { by_id, standard: standard_value_sets::lists() })
    }

    fn find(&self, reference: &str) -> Option<&Value> {
        match reference.strip_prefix('#') {
            Some(id) => self.by_id.get(id).copied(),
            None => self.standard.get(standard_value_sets::address(reference)?),
        }
    }

    /// The codes of a value set that the form carries or the standard defines, or `None` when it is
    /// elsewhere or its codes aren't all written out.
    fn codes(&self, reference: &str, at: &str) -> Result<Option<Vec<AnswerOption>>, FormError> {
        let Some(value_set) = self.find(reference) else {
            return Ok(None);
        };
        let mut options = Vec::new();
        if let Some(contains) = value_set.pointer("/expansion/contains") {
            expand(contains, at, 0, &mut options)?;
            return Ok(Some(options));
        }
        let Some(includes) = value_set.pointer("/compose/include").and_then(Value::as_array) else {
            return Ok(None);
        };
        if value_set.pointer("/compose/exclude").is_some() {
            return Ok(None);
        }
        for include in includes {
            if !enumerate(include, at, &mut options)? {
                return Ok(None);
            }
        }
        Ok(Some(options))
    }
}

/// Reads the options of one item.
pub(crate) fn read_options(
    fields: &Fields<'_>,
    contained: &ContainedValueSets<'_>,
    at: &str,
) -> Result<AnswerOptions, FormError> {
    let listed = fields.array("answerOption")?;
    if !listed.is_empty() {
        if listed.len() > MAX_OPTIONS_PER_ITEM {
            return Err(too_many(at));
        }
        let options: Result<Vec<_>, _> = listed.iter().map(|value| read_option(value, at)).collect();
        return options.map(AnswerOptions::Listed);
    }
    let Some(reference) = fields.text("answerValueSet")? else {
        return Ok(AnswerOptions::None);
    };
    Ok(match contained.codes(&reference, at)? {
        Some(options) if reference.starts_with('#') => AnswerOptions::Listed(options),
        Some(options) => AnswerOptions::Standard(options),
        None => AnswerOptions::Elsewhere(reference),
    })
}

fn read_option(value: &Value, at: &str) -> Result<AnswerOption, FormError> {
    let fields = Fields::of(value, at, "answerOption")?;
    let (field, content) = choice_field(fields.map(), "value", at)?
        .ok_or_else(|| FormError::MissingField { at: at.to_owned(), field: "answerOption.value[x]" })?;
    let answer = AnswerValue::read(field, field.strip_prefix("value").unwrap_or(field), content);
    if matches!(answer, AnswerValue::Unreadable { .. }) {
        return Err(wrong(at, field, "a value of its type"));
    }
    let on_coding = content.as_object().and_then(weight_in);
    Ok(AnswerOption {
        value: answer,
        initial_selected: fields.flag("initialSelected")?,
        exclusive: extension(fields.map(), OPTION_EXCLUSIVE)
            .and_then(|extension| extension.get("valueBoolean"))
            .and_then(Value::as_bool)
            .unwrap_or(false),
        weight: weight_in(fields.map()).or(on_coding),
        label_translations: match content.as_object() {
            Some(coding) => Translations::of_field(coding, "display"),
            None => Translations::of_field(fields.map(), field),
        },
        chosen_label: None,
    })
}

/// The extension with this URL on an element.
pub(crate) fn extension<'a>(map: &'a Map<String, Value>, url: &str) -> Option<&'a Value> {
    map.get("extension")?
        .as_array()?
        .iter()
        .find(|extension| extension.get("url").and_then(Value::as_str) == Some(url))
}

fn weight_in(map: &Map<String, Value>) -> Option<f64> {
    [ITEM_WEIGHT, ORDINAL_VALUE].iter().find_map(|url| extension(map, url)?.get("valueDecimal")?.as_f64())
}

/// Walks `expansion.contains`, which nests; abstract entries are headings.
fn expand(
    contains: &Value,
    at: &str,
    depth: usize,
    options: &mut Vec<AnswerOption>,
) -> Result<(), FormError> {
    if depth >= MAX_ITEM_DEPTH {
        return Err(FormError::ItemsTooDeep { at: at.to_owned(), limit: MAX_ITEM_DEPTH });
    }
    let entries = contains.as_array().ok_or_else(|| wrong(at, "ValueSet.expansion.contains", "an array"))?;
    for entry in entries {
        let is_heading = entry.get("abstract").and_then(Value::as_bool).unwrap_or(false);
        if !is_heading && entry.get("code").is_some() {
            push_code(entry, entry.get("system"), at, options)?;
        }
        if let Some(nested) = entry.get("contains") {
            expand(nested, at, depth + 1, options)?;
        }
    }
    Ok(())
}

/// Adds the concepts of one `compose.include` when they are written out; false
/// when the include is a rule (filter, other value set, whole system).
fn enumerate(include: &Value, at: &str, options: &mut Vec<AnswerOption>) -> Result<bool, FormError> {
    let Some(concepts) = include.get("concept").and_then(Value::as_array) else {
        return Ok(false);
    };
    if include.get("filter").is_some() || include.get("valueSet").is_some() {
        return Ok(false);
    }
    for concept in concepts {
        push_code(concept, include.get("system"), at, options)?;
    }
    Ok(true)
}

fn push_code(
    concept: &Value,
    system: Option<&Value>,
    at: &str,
    options: &mut Vec<AnswerOption>,
) -> Result<(), FormError> {
    if options.len() >= MAX_OPTIONS_PER_ITEM {
        return Err(too_many(at));
    }
    let map = concept.as_object().ok_or_else(|| wrong(at, "ValueSet concept", "an object"))?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let display = text(map.get("display"));
    if display.as_ref().is_some_and(|display| display.len() > MAX_TEXT_BYTES) {
        return Err(FormError::FieldTooLong {
            at: at.to_owned(),
            field: "display".to_owned(),
            limit_bytes: MAX_TEXT_BYTES,
        });
    }
    options.push(AnswerOption {
        value: AnswerValue::Coding(Coding {
            system: text(system),
            version: None,
            code: text(map.get("code")),
            display,
        }),
        initial_selected: false,
        exclusive: false,
        weight: weight_in(map),
        label_translations: Translations::of_field(map, "display").or(Translations::of_designations(concept)),
        chosen_label: None,
    });
    Ok(())
}

fn too_many(at: &str) -> FormError {
    FormError::TooMany { at: at.to_owned(), what: "answer options", limit: MAX_OPTIONS_PER_ITEM }
}
