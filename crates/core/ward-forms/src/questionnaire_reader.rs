//! Builds a [`Questionnaire`] from JSON.

use crate::answer_options::{AnswerOptions, ContainedValueSets, extension, read_options};
use crate::answer_value::{AnswerValue, Coding};
use crate::compiled::CompiledOnce;
use crate::dependency_order;
use crate::enable_when::{Condition, EnableBehavior};
use crate::error::FormError;
use crate::item_extensions::ItemExtensions;
use crate::json_bounds::{read_bounded, read_stored};
use crate::json_fields::{Fields, choice_field, expect_resource, wrong};
use crate::limits::{MAX_ITEM_DEPTH, MAX_ITEMS, MAX_LINK_ID_BYTES, MAX_OPTIONS, MAX_QUESTIONNAIRE_BYTES};
use crate::number_text::NumberTexts;
use crate::questionnaire::{AnswerRules, Item, ItemIndex, ItemType, PublicationStatus, Questionnaire};
use crate::stored::Stored;
use crate::translation::Translations;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";
const ROOT: &str = "Questionnaire";

/// Reads a form; see [`Questionnaire::parse`].
pub(crate) fn read(json: &[u8]) -> Result<Questionnaire, FormError> {
    let (raw, digits) = read_bounded(json, MAX_QUESTIONNAIRE_BYTES)?;
    let form = read_resource(json, raw, digits)?;
    form.extensions.check(ROOT)?;
    form.items.iter().try_for_each(|item| item.extensions.check(&form.path_of(item).to_string()))?;
    Ok(form)
}

/// Reads a stored form; see [`Questionnaire::parse_stored`].
pub(crate) fn read_again(json: &[u8]) -> Result<Stored<Questionnaire>, FormError> {
    let (raw, digits, doubt) = read_stored(json, MAX_QUESTIONNAIRE_BYTES)?;
    Ok(Stored { content: read_resource(json, raw, digits)?, doubt })
}

fn read_resource(json: &[u8], raw: Value, digits: NumberTexts) -> Result<Questionnaire, FormError> {
    expect_resource(&raw, ROOT)?;
    let fields = Fields::of(&raw, ROOT, ROOT)?;
    let status = fields
        .string("status")?
        .ok_or_else(|| FormError::MissingField { at: ROOT.to_owned(), field: "status" })?;
    let status = PublicationStatus::read(status)
        .ok_or_else(|| wrong(ROOT, "status", "one of draft, active, retired, unknown"))?;
    let (url, version, title) = (fields.text("url")?, fields.text("version")?, fields.text("title")?);
    let (language, title_translations) =
        (fields.text("language")?, Translations::of_field(fields.map(), "title"));
    let extensions = ItemExtensions::read(fields.map());
    let contained = ContainedValueSets::of(&fields)?;
    let mut reader = Reader { contained, items: Vec::new(), by_link_id: BTreeMap::new(), options: 0 };
    let top = reader.read_items(&fields, None, ROOT, 0)?;
    let Reader { mut items, by_link_id, .. } = reader;
    dependency_order::resolve(&mut items, &by_link_id);
    let order = dependency_order::order(&items)?;
    Ok(Questionnaire {
        json: json.into(),
        raw,
        digits,
        url,
        version,
        title,
        title_translations,
        language,
        extensions,
        status,
        items,
        top,
        by_link_id,
        order,
        compiled: CompiledOnce::default(),
    })
}

struct Reader<'a> {
    contained: ContainedValueSets<'a>,
    items: Vec<Item>,
    by_link_id: BTreeMap<String, ItemIndex>,
    options: usize,
}

impl Reader<'_> {
    fn read_items(
        &mut self,
        holder: &Fields<'_>,
        parent: Option<ItemIndex>,
        at: &str,
        depth: usize,
    ) -> Result<Vec<ItemIndex>, FormError> {
        let list = holder.array("item")?;
        if !list.is_empty() && depth >= MAX_ITEM_DEPTH {
            return Err(FormError::ItemsTooDeep { at: at.to_owned(), limit: MAX_ITEM_DEPTH });
        }
        list.iter().map(|value| self.read_item(value, parent, at, depth)).collect()
    }

    fn read_item(
        &mut self,
        value: &Value,
        parent: Option<ItemIndex>,
        above: &str,
        depth: usize,
    ) -> Result<ItemIndex, FormError> {
        if self.items.len() >= MAX_ITEMS {
            return Err(FormError::TooMany { at: above.to_owned(), what: "items", limit: MAX_ITEMS });
        }
        let link_id = Fields::of(value, above, "item")?
            .bounded("linkId", MAX_LINK_ID_BYTES)?
            .filter(|link_id| !link_id.is_empty())
            .ok_or_else(|| FormError::MissingField { at: above.to_owned(), field: "linkId" })?;
        let at = if parent.is_some() { format!("{above}/{link_id}") } else { link_id.clone() };
        let fields = Fields::of(value, &at, "item")?;
        let index = ItemIndex(self.items.len());
        if self.by_link_id.insert(link_id.clone(), index).is_some() {
            return Err(FormError::DuplicateLinkId { link_id });
        }
        let item = self.read_own_fields(&fields, &at, index, link_id, parent, depth)?;
        self.items.push(item);
        let children = self.read_items(&fields, Some(index), &at, depth + 1)?;
        if let Some(item) = self.items.get_mut(index.0) {
            item.children = children;
        }
        Ok(index)
    }

    fn read_own_fields(
        &mut self,
        fields: &Fields<'_>,
        at: &str,
        index: ItemIndex,
        link_id: String,
        parent: Option<ItemIndex>,
        depth: usize,
    ) -> Result<Item, FormError> {
        let code = fields
            .string("type")?
            .ok_or_else(|| FormError::MissingField { at: at.to_owned(), field: "type" })?;
        let item_type =
            ItemType::from_code(code).ok_or_else(|| wrong(at, "type", "one of the FHIR R4 item types"))?;
        let options = read_options(fields, &self.contained, at)?;
        self.count_options(&options)?;
        Ok(Item {
            index,
            parent,
            children: Vec::new(),
            depth,
            link_id,
            prefix: fields.text("prefix")?,
            prefix_translations: Translations::of_field(fields.map(), "prefix"),
            text_translations: Translations::of_field(fields.map(), "text"),
            text: fields.text("text")?,
            item_type,
            codes: fields.array("code")?.iter().filter_map(Coding::read).collect(),
            required: fields.flag("required")?,
            repeats: fields.flag("repeats")?,
            read_only: fields.flag("readOnly")?,
            hidden: flag_extension(fields.map(), &format!("{BASE}questionnaire-hidden")),
            initial: read_initial(fields, &options, at)?,
            options,
            rules: read_rules(fields)?,
            conditions: Condition::read_all(fields, at)?,
            enable_behavior: read_behavior(fields, at)?,
            extensions: ItemExtensions::read(fields.map()),
        })
    }

    /// A small value set may be named by thousands of items; the sum is bounded.
    fn count_options(&mut self, options: &AnswerOptions) -> Result<(), FormError> {
        self.options += options.listed().len();
        if self.options > MAX_OPTIONS {
            return Err(FormError::TooMany {
                at: ROOT.to_owned(),
                what: "answer options",
                limit: MAX_OPTIONS,
            });
        }
        Ok(())
    }
}

fn read_behavior(fields: &Fields<'_>, at: &str) -> Result<Option<EnableBehavior>, FormError> {
    match fields.string("enableBehavior")? {
        None => Ok(None),
        Some("all") => Ok(Some(EnableBehavior::All)),
        Some("any") => Ok(Some(EnableBehavior::Any)),
        Some(_) => Err(wrong(at, "enableBehavior", "all or any")),
    }
}

fn read_initial(
    fields: &Fields<'_>,
    options: &AnswerOptions,
    at: &str,
) -> Result<Vec<AnswerValue>, FormError> {
    let mut initial = Vec::new();
    for value in fields.array("initial")? {
        let entry = Fields::of(value, at, "initial")?;
        if let Some((field, content)) = choice_field(entry.map(), "value", at)? {
            initial.push(AnswerValue::read(field, field.strip_prefix("value").unwrap_or(field), content));
        }
    }
    initial.extend(
        options.listed().iter().filter(|option| option.initial_selected).map(|option| option.value.clone()),
    );
    Ok(initial)
}

fn read_rules(fields: &Fields<'_>) -> Result<AnswerRules, FormError> {
    let map = fields.map();
    let count = |url: String| {
        extension(map, &url)
            .and_then(|extension| extension.get("valueInteger"))
            .and_then(Value::as_u64)
            .and_then(|number| usize::try_from(number).ok())
    };
    Ok(AnswerRules {
        min_chars: count(format!("{BASE}minLength")),
        max_chars: fields.count("maxLength")?,
        min_value: bound(map, "minValue").or_else(|| quantity_bound(map, "minQuantity")),
        max_value: bound(map, "maxValue").or_else(|| quantity_bound(map, "maxQuantity")),
        max_decimal_places: count(format!("{BASE}maxDecimalPlaces")),
        max_file_bytes: extension(map, &format!("{BASE}maxSize"))
            .and_then(|extension| extension.get("valueDecimal"))
            .and_then(Value::as_f64),
        pattern: extension(map, &format!("{BASE}regex"))
            .and_then(|extension| extension.get("valueString"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        min_occurs: count(format!("{BASE}questionnaire-minOccurs")),
        max_occurs: count(format!("{BASE}questionnaire-maxOccurs")),
        units: read_units(map),
    })
}

fn bound(map: &Map<String, Value>, name: &str) -> Option<AnswerValue> {
    readable_value(extension(map, &format!("{BASE}{name}"))?)
}

fn quantity_bound(map: &Map<String, Value>, name: &str) -> Option<AnswerValue> {
    readable_value(extension(map, &format!("{SDC}{name}"))?)
}

fn readable_value(extension: &Value) -> Option<AnswerValue> {
    let (field, kind, content) = extension
        .as_object()?
        .iter()
        .find_map(|(field, content)| Some((field, field.strip_prefix("value")?, content)))?;
    let value = AnswerValue::read(field, kind, content);
    (!matches!(value, AnswerValue::Unreadable { .. })).then_some(value)
}

fn read_units(map: &Map<String, Value>) -> Vec<Coding> {
    let Some(list) = map.get("extension").and_then(Value::as_array) else {
        return Vec::new();
    };
    let option_url = format!("{BASE}questionnaire-unitOption");
    let unit_url = format!("{BASE}questionnaire-unit");
    let named = |url: &str| -> Vec<Coding> {
        list.iter()
            .filter(|extension| extension.get("url").and_then(Value::as_str) == Some(url))
            .filter_map(|extension| Coding::read(extension.get("valueCoding")?))
            .collect()
    };
    let offered = named(&option_url);
    if offered.is_empty() { named(&unit_url) } else { offered }
}

fn flag_extension(map: &Map<String, Value>, url: &str) -> bool {
    extension(map, url)
        .and_then(|extension| extension.get("valueBoolean"))
        .and_then(Value::as_bool)
        .unwrap_or(false)
}
