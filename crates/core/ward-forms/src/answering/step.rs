//! One question as it is shown, and how far a person is.

use crate::answer_options::AnswerOption;
use crate::answer_value::AnswerValue;
use crate::compiled::ExpressionFailure;
use crate::finding::Finding;
use crate::item_path::ItemPath;
use crate::live::{LiveForm, Place, PlaceId};
use crate::questionnaire::{Item, ItemType};
use crate::translation::LanguageChoice;
use std::collections::BTreeSet;

/// One question, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QuestionStep {
    /// Its place; give it back with the answer.
    pub path: ItemPath,
    /// Its linkId.
    pub link_id: String,
    /// The texts of the groups around it, outermost first.
    pub headings: Vec<String>,
    /// Texts for reading between the question before and this one, and answers that nobody may change.
    pub notes: Vec<String>,
    /// A number or letter to show before the text.
    pub prefix: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The kind of answer.
    pub item_type: ItemType,
    /// Whether it must be answered before the form is complete.
    pub is_owed: bool,
    /// Whether several answers may be given.
    pub repeats: bool,
    /// Most characters of a text answer.
    pub max_chars: Option<usize>,
    /// The offered answers.
    pub options: Vec<AnswerOption>,
    /// The answers so far.
    pub answers: Vec<AnswerValue>,
    /// Whether the answers so far are what the form calculates. Another answer stands until it is
    /// cleared.
    pub is_calculated: bool,
    /// What is to be said beside it: rules that are broken, expressions that failed.
    pub findings: Vec<Finding>,
}

/// How far a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Questions that are asked, given the answers so far, and have an answer.
    pub answered: usize,
    /// Questions that are asked, given the answers so far.
    pub asked: usize,
    /// Questions that still must be answered.
    pub owed: usize,
}

/// An item where it stands, asked or not: for screens that show a whole form.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ItemState {
    /// Its place.
    pub path: ItemPath,
    /// Its linkId.
    pub link_id: String,
    /// Whether it is on, given the answers so far. What is off is not given away.
    pub is_on: bool,
    /// Whether the form keeps it from people's eyes.
    pub is_hidden: bool,
    /// Whether a person is asked it.
    pub is_asked: bool,
    /// The answers so far, of an item that is off too.
    pub answers: Vec<AnswerValue>,
    /// What the form calculates here: nothing where an answer that it needs is missing.
    pub calculated: Option<Result<Vec<AnswerValue>, ExpressionFailure>>,
    /// Whether a person has given another answer than what is calculated.
    pub is_overridden: bool,
}

/// Said behind the text of a question that is kept, but can't be answered.
const UNSUPPORTED: &str = "this can't be answered here";

/// The form laid over the draft, as a person sees it.
pub(super) struct View<'a> {
    live: &'a LiveForm<'static>,
    languages: &'a LanguageChoice,
    last_chances: BTreeSet<PlaceId>,
    spare: BTreeSet<PlaceId>,
}

impl<'a> View<'a> {
    pub(super) fn of(live: &'a LiveForm<'static>, languages: &'a LanguageChoice) -> Self {
        let last_chances = live.order.iter().filter_map(|id| live.last_chance(*id)).collect();
        Self { live, languages, last_chances, spare: live.spare_repetitions() }
    }

    fn place(&self, id: PlaceId) -> Option<(&'a Place, &'a Item)> {
        let place = self.live.places.get(id)?;
        Some((place, self.live.form.items().get(place.item)?))
    }

    pub(super) fn asked(&self) -> impl Iterator<Item = PlaceId> {
        self.live.order.iter().copied().filter(|id| self.is_asked(*id))
    }

    pub(super) fn is_asked(&self, id: PlaceId) -> bool {
        self.live.is_asked(id)
    }

    fn is_hidden(&self, place: &Place) -> bool {
        self.live.compiled.item(place.item).is_some_and(|item| item.is_hidden)
    }

    fn is_owed(&self, id: PlaceId) -> bool {
        let is_spare = || self.live.places.chain(id).any(|above| self.spare.contains(&above));
        (self.last_chances.contains(&id) || self.live.is_owed(id)) && !is_spare()
    }

    /// Owed and without an answer.
    pub(super) fn is_unpaid(&self, id: PlaceId) -> bool {
        self.is_owed(id) && !self.place(id).is_some_and(|(place, _)| place.has_value)
    }

    pub(super) fn progress(&self) -> Progress {
        let mut progress = Progress { answered: 0, asked: 0, owed: 0 };
        for id in self.asked() {
            progress.asked += 1;
            progress.answered += usize::from(self.place(id).is_some_and(|(place, _)| place.has_value));
            progress.owed += usize::from(self.is_unpaid(id));
        }
        progress
    }

    pub(super) fn state(&self, id: PlaceId) -> Option<ItemState> {
        let (place, item) = self.place(id)?;
        let calculation = place.calculation.as_ref();
        Some(ItemState {
            path: self.live.path(id),
            link_id: item.link_id.clone(),
            is_on: place.is_on,
            is_hidden: self.is_hidden(place),
            is_asked: self.is_asked(id),
            answers: self.live.values(id),
            calculated: calculation.and_then(|calculation| calculation.result.clone()),
            is_overridden: place.is_overridden(),
        })
    }

    pub(super) fn step(&self, id: PlaceId) -> Option<QuestionStep> {
        let (place, item) = self.place(id)?;
        let mut headings: Vec<String> = self
            .live
            .places
            .chain(id)
            .skip(1)
            .filter_map(|above| self.place(above))
            .filter(|(_, above)| above.item_type == ItemType::Group)
            .filter_map(|(_, above)| self.text(above))
            .collect();
        headings.reverse();
        let answers = self.live.values(id);
        Some(QuestionStep {
            path: self.live.path(id),
            link_id: item.link_id.clone(),
            headings,
            notes: self.notes_before(place.at),
            prefix: self.live.form.prefix_of(item, self.languages).map(str::to_owned),
            text: self.text(item),
            item_type: item.item_type,
            is_owed: self.is_owed(id),
            repeats: item.repeats,
            max_chars: item.rules.max_chars,
            options: item.options.listed().iter().map(|option| self.option(option)).collect(),
            is_calculated: place.calculation.is_some() && !place.is_overridden() && !answers.is_empty(),
            answers,
            findings: self.live.findings(id),
        })
    }

    fn text(&self, item: &Item) -> Option<String> {
        self.live.form.text_of(item, self.languages).map(str::to_owned)
    }

    fn option(&self, option: &AnswerOption) -> AnswerOption {
        let label = self.live.form.label_of(option, self.languages);
        let chosen_label = Some(label).filter(|label| *label != option.label());
        AnswerOption { chosen_label, ..option.clone() }
    }

    /// What is read but not answered before a question: texts, answers that nobody may change, and
    /// questions of a kind that Ward can't ask, which must not vanish without a word.
    pub(super) fn notes_before(&self, at: usize) -> Vec<String> {
        let before = self.live.order.get(..at).unwrap_or_default();
        let mut notes: Vec<String> = before
            .iter()
            .rev()
            .copied()
            .take_while(|id| !self.is_asked(*id))
            .filter_map(|id| self.note(id))
            .collect();
        notes.reverse();
        notes
    }

    fn note(&self, id: PlaceId) -> Option<String> {
        let (place, item) = self.place(id)?;
        if !place.is_on || self.is_hidden(place) {
            return None;
        }
        if item.item_type == ItemType::Display {
            return self.text(item);
        }
        let answers = self.live.values(id);
        let words: Vec<String> = answers.iter().map(|answer| self.words(item, answer)).collect();
        let is_plain = item.can_be_answered() || item.item_type == ItemType::Group;
        match (words.is_empty(), is_plain) {
            (false, true) => Some(format!("{} {}", self.text(item)?, words.join(", "))),
            (true, true) => None,
            (_, false) => Some(format!("{} ({UNSUPPORTED})", self.text(item)?)),
        }
    }

    fn words(&self, item: &Item, answer: &AnswerValue) -> String {
        if let Some(option) = item.options.find(answer) {
            return self.live.form.label_of(option, self.languages);
        }
        match answer {
            AnswerValue::Boolean(true) => "yes".to_owned(),
            AnswerValue::Boolean(false) => "no".to_owned(),
            AnswerValue::Quantity(quantity) => {
                let number = quantity.value.as_ref().map(ToString::to_string).unwrap_or_default();
                let unit = quantity.unit.as_deref().or(quantity.code.as_deref()).unwrap_or_default();
                format!("{number} {unit}").trim().to_owned()
            }
            AnswerValue::Coding(coding) => {
                coding.display.clone().or_else(|| coding.code.clone()).unwrap_or_default()
            }
            other => match other.write().1 {
                serde_json::Value::String(text) => text,
                json => json.to_string(),
            },
        }
    }
}
