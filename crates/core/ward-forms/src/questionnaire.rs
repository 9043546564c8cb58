//! A form: its head, its items in reading order, and the JSON it came from.

use crate::answer_options::{AnswerOption, AnswerOptions};
use crate::answer_value::{AnswerValue, Coding};
use crate::compiled::{CompiledForm, CompiledOnce};
use crate::enable_when::{Condition, EnableBehavior};
use crate::error::FormError;
use crate::item_extensions::ItemExtensions;
use crate::item_path::ItemPath;
use crate::number_text::NumberTexts;
use crate::questionnaire_reader;
use crate::stored::Stored;
use crate::translation::{LanguageChoice, Translations};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The place of an item within one [`Questionnaire`]; it means nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIndex(pub(crate) usize);

/// The kinds of item FHIR R4 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemType {
    /// Holds other items.
    Group,
    /// Text for reading.
    Display,
    /// The abstract kind; it can't be answered.
    Question,
    /// Yes or no.
    Boolean,
    /// A number.
    Decimal,
    /// A whole number.
    Integer,
    /// A date.
    Date,
    /// A date and time.
    DateTime,
    /// A time of day.
    Time,
    /// A line of text.
    String,
    /// A longer text.
    Text,
    /// A link.
    Url,
    /// One of the listed answers.
    Choice,
    /// One of the listed answers, or words of one's own.
    OpenChoice,
    /// An amount with a unit.
    Quantity,
    /// A file; kept, shown as unsupported.
    Attachment,
    /// A reference to another resource; kept, shown as unsupported.
    Reference,
}

impl ItemType {
    /// Every kind with its FHIR code.
    pub const ALL: [(Self, &'static str); 17] = [
        (Self::Group, "group"),
        (Self::Display, "display"),
        (Self::Question, "question"),
        (Self::Boolean, "boolean"),
        (Self::Decimal, "decimal"),
        (Self::Integer, "integer"),
        (Self::Date, "date"),
        (Self::DateTime, "dateTime"),
        (Self::Time, "time"),
        (Self::String, "string"),
        (Self::Text, "text"),
        (Self::Url, "url"),
        (Self::Choice, "choice"),
        (Self::OpenChoice, "open-choice"),
        (Self::Quantity, "quantity"),
        (Self::Attachment, "attachment"),
        (Self::Reference, "reference"),
    ];

    /// The kind with this FHIR code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(kind, _)| *kind)
    }

    /// The FHIR code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, code)| *code)
    }

    /// Whether the item takes answers.
    #[must_use]
    pub fn takes_answers(self) -> bool {
        !matches!(self, Self::Group | Self::Display | Self::Question)
    }

    /// Whether Ward lets people answer it; files and references are kept and
    /// shown as unsupported.
    #[must_use]
    pub fn is_supported(self) -> bool {
        !matches!(self, Self::Question | Self::Attachment | Self::Reference)
    }
}

/// Limits that an item sets on its answers.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AnswerRules {
    /// Least characters (`minLength`).
    pub min_chars: Option<usize>,
    /// Most characters (`maxLength`).
    pub max_chars: Option<usize>,
    /// Least value (`minValue`, or `minQuantity` of SDC).
    pub min_value: Option<AnswerValue>,
    /// Greatest value (`maxValue`, or `maxQuantity` of SDC).
    pub max_value: Option<AnswerValue>,
    /// Most decimal places (`maxDecimalPlaces`).
    pub max_decimal_places: Option<usize>,
    /// Largest file, in bytes (`maxSize`).
    pub max_file_bytes: Option<f64>,
    /// The form a text must have (`regex`), as written.
    pub pattern: Option<String>,
    /// Fewest answers or instances (`minOccurs`).
    pub min_occurs: Option<usize>,
    /// Most answers or instances (`maxOccurs`).
    pub max_occurs: Option<usize>,
    /// The units offered (`unitOption`, or the one `unit`); empty means any.
    pub units: Vec<Coding>,
}

/// One item of a form.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Item {
    /// Its place in the form.
    pub index: ItemIndex,
    /// The item it is nested in.
    pub parent: Option<ItemIndex>,
    /// The items nested in it, in reading order.
    pub children: Vec<ItemIndex>,
    /// Levels above it.
    pub depth: usize,
    /// Its name, unique in the form.
    pub link_id: String,
    /// A number or letter shown before the text.
    pub prefix: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The number or letter in other languages.
    pub prefix_translations: Translations,
    /// The text in other languages.
    pub text_translations: Translations,
    /// The kind of item.
    pub item_type: ItemType,
    /// Codes that say what the item is about.
    pub codes: Vec<Coding>,
    /// Whether an answer is owed when the item is enabled.
    pub required: bool,
    /// Whether there may be several answers or instances.
    pub repeats: bool,
    /// Whether people may not change the answer.
    pub read_only: bool,
    /// Whether the item is kept from people's eyes (`questionnaire-hidden`).
    pub hidden: bool,
    /// Answers filled in when the form is opened.
    pub initial: Vec<AnswerValue>,
    /// The offered answers.
    pub options: AnswerOptions,
    /// Limits on the answers.
    pub rules: AnswerRules,
    /// When the item is enabled; empty means always.
    pub conditions: Vec<Condition>,
    /// Whether all or any condition must hold; `None` when the form doesn't say,
    /// which counts as all.
    pub enable_behavior: Option<EnableBehavior>,
    /// What its extensions say beyond that.
    pub extensions: ItemExtensions,
}

impl Item {
    /// Whether Ward can take an answer from a person here: it knows the kind, and the list to choose
    /// from is at hand.
    pub(crate) fn can_be_answered(&self) -> bool {
        let is_list_missing =
            self.item_type != ItemType::OpenChoice && matches!(self.options, AnswerOptions::Elsewhere(_));
        self.item_type.takes_answers() && self.item_type.is_supported() && !is_list_missing
    }

    /// Whether an answer is owed here once the item is on; for a group, at least one in it. Texts for
    /// reading owe none, and neither does what nobody is shown, nor what only the form itself can
    /// answer: a calculation whose answers are missing must not keep a person from finishing.
    pub(crate) fn owes_answer(&self) -> bool {
        let least = self.rules.min_occurs.is_some_and(|least| least > 0);
        let can_owe = !matches!(self.item_type, ItemType::Display | ItemType::Question);
        let is_calculated_alone = self.read_only && self.extensions.calculated_expression.is_some();
        can_owe && !self.hidden && !is_calculated_alone && (self.required || least)
    }
}

/// Whether a form is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationStatus {
    /// Being written.
    Draft,
    /// In use.
    Active,
    /// No longer in use.
    Retired,
    /// Not known.
    Unknown,
}

impl PublicationStatus {
    pub(crate) fn read(code: &str) -> Option<Self> {
        Some(match code {
            "draft" => Self::Draft,
            "active" => Self::Active,
            "retired" => Self::Retired,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A FHIR R4 `Questionnaire`, read and checked for structure.
///
/// Whatever the reader doesn't know stays in the JSON that
/// [`Questionnaire::as_value`] gives back unchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Questionnaire {
    pub(crate) json: Arc<[u8]>,
    pub(crate) raw: Value,
    pub(crate) digits: NumberTexts,
    pub(crate) url: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) title_translations: Translations,
    pub(crate) language: Option<String>,
    pub(crate) extensions: ItemExtensions,
    pub(crate) status: PublicationStatus,
    pub(crate) items: Vec<Item>,
    pub(crate) top: Vec<ItemIndex>,
    pub(crate) by_link_id: BTreeMap<String, ItemIndex>,
    /// Items in an order in which each comes after all it depends on.
    pub(crate) order: Vec<ItemIndex>,
    pub(crate) compiled: CompiledOnce,
}

impl Questionnaire {
    /// Reads a form from JSON.
    ///
    /// # Errors
    /// [`FormError`] when the JSON is too large, not a `Questionnaire`, broken in
    /// structure, has duplicate linkIds, or items that wait for one another.
    pub fn parse(json: &[u8]) -> Result<Self, FormError> {
        questionnaire_reader::read(json)
    }

    /// Reads a form that was signed and stored: whatever was published once can be read. It may not be
    /// published again; [`crate::check_instrument`] says why.
    ///
    /// # Errors
    /// As [`Questionnaire::parse`], but for a field that is given twice and for too many or too long
    /// expressions.
    pub fn parse_stored(json: &[u8]) -> Result<Stored<Self>, FormError> {
        questionnaire_reader::read_again(json)
    }

    /// The canonical address, without the version.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The address with the version, as a response names the form.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        let url = self.url.as_deref()?;
        Some(self.version.as_deref().map_or_else(|| url.to_owned(), |version| format!("{url}|{version}")))
    }

    /// The title for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The title for a person who reads these languages.
    #[must_use]
    pub fn title_in(&self, choice: &LanguageChoice) -> Option<&str> {
        self.title_translations.choose(self.title(), self.language(), choice)
    }

    /// The language that the texts are written in, as a BCP 47 tag.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// The text of an item for a person who reads these languages.
    #[must_use]
    pub fn text_of<'q>(&'q self, item: &'q Item, choice: &LanguageChoice) -> Option<&'q str> {
        item.text_translations.choose(item.text.as_deref(), self.language(), choice)
    }

    /// The prefix of an item for a person who reads these languages.
    #[must_use]
    pub fn prefix_of<'q>(&'q self, item: &'q Item, choice: &LanguageChoice) -> Option<&'q str> {
        item.prefix_translations.choose(item.prefix.as_deref(), self.language(), choice)
    }

    /// The words of an offered answer for a person who reads these languages.
    #[must_use]
    pub fn label_of(&self, option: &AnswerOption, choice: &LanguageChoice) -> String {
        let base = option.label();
        let base = Some(base.as_str()).filter(|base| !base.is_empty());
        option.label_translations.choose(base, self.language(), choice).unwrap_or_default().to_owned()
    }

    /// What the extensions of the form itself say.
    #[must_use]
    pub fn extensions(&self) -> &ItemExtensions {
        &self.extensions
    }

    /// The path of an item, from the top down.
    #[must_use]
    pub fn path_of(&self, item: &Item) -> ItemPath {
        let mut above: Vec<&Item> = self.ancestors(item).collect();
        above.reverse();
        let path = above.iter().fold(ItemPath::root(), |path, holder| path.child(&holder.link_id, 0));
        path.child(&item.link_id, 0)
    }

    /// Whether the form is in use.
    #[must_use]
    pub fn status(&self) -> PublicationStatus {
        self.status
    }

    /// All items in reading order, nested ones after the item that holds them.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The top-level items.
    #[must_use]
    pub fn top_items(&self) -> &[ItemIndex] {
        &self.top
    }

    /// The item with this linkId.
    #[must_use]
    pub fn item(&self, link_id: &str) -> Option<&Item> {
        self.by_link_id.get(link_id).and_then(|index| self.get(*index))
    }

    /// The item at this place; `None` for a place of another form.
    #[must_use]
    pub fn get(&self, index: ItemIndex) -> Option<&Item> {
        self.items.get(index.0)
    }

    /// The bytes the form was read from, so that the text of its numbers stays too.
    #[must_use]
    pub fn as_json(&self) -> &[u8] {
        &self.json
    }

    /// The JSON the form was read from, unchanged.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.raw
    }

    /// How the numbers of the JSON were written.
    pub(crate) fn digits(&self) -> &NumberTexts {
        &self.digits
    }

    /// The form compiled for evaluation: made at its first use, and kept.
    #[must_use]
    pub fn compiled(&self) -> &Arc<CompiledForm> {
        self.compiled.get(self)
    }

    /// The items that hold this one, nearest first.
    pub(crate) fn ancestors(&self, item: &Item) -> impl Iterator<Item = &Item> {
        std::iter::successors(item.parent.and_then(|index| self.get(index)), |above| {
            above.parent.and_then(|index| self.get(index))
        })
    }
}
