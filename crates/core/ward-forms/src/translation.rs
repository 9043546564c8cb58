//! Texts in several languages: what the form carries, and which one a person gets.
//!
//! Source: FHIR R4 extension `translation` on a text's `_field`, and
//! `ValueSet.compose.include.concept.designation` with its `use`.

use crate::limits::{MAX_LANGUAGE_TAG_BYTES, MAX_TRANSLATIONS_PER_TEXT};
use serde_json::{Map, Value};

pub(crate) const TRANSLATION: &str = "http://hl7.org/fhir/StructureDefinition/translation";

/// What a designation may be used for and still be the words that people are shown: FHIR's own
/// `display`, the preferred words of a language, and SNOMED's synonym, by which translations are given.
/// Others are a definition, a fully specified name, a code for machines.
const SHOWN_USES: [&str; 3] = ["display", "preferredForLanguage", "900000000000013009"];

/// The languages of a person, best first: from `de-CH` come `de-CH` and then `de`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguageChoice {
    tags: Vec<String>,
}

impl LanguageChoice {
    /// The order that starts with this BCP 47 tag and leaves out one part after the other. What is
    /// longer than any tag is none.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let mut tags = Vec::new();
        let mut rest = tag.trim();
        if rest.len() > MAX_LANGUAGE_TAG_BYTES {
            return Self::default();
        }
        while !rest.is_empty() {
            tags.push(rest.to_ascii_lowercase());
            rest = rest.rsplit_once('-').map_or("", |(head, _)| head);
            // RFC 4647 §3.4: a single letter introduces what follows and does not stand alone.
            if let Some((head, last)) = rest.rsplit_once('-')
                && last.len() == 1
            {
                rest = head;
            }
        }
        Self { tags }
    }
}

/// The translations of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translations {
    by_language: Vec<(String, String)>,
    /// Other words for the same thing, which nobody is shown.
    also_called: Vec<String>,
}

impl Translations {
    /// The languages there are, as written.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.by_language.iter().map(|(language, _)| language.as_str())
    }

    /// Every word for it, also those that nobody is shown.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.by_language.iter().map(|(_, text)| text).chain(&self.also_called).map(String::as_str)
    }

    /// The text in exactly this language.
    #[must_use]
    pub fn get(&self, language: &str) -> Option<&str> {
        self.by_language
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(language))
            .map(|(_, text)| text.as_str())
    }

    /// The text for a person: their language, then that language without its region, then the
    /// form's language, then the text as the form has it. `base` is that text, written in
    /// `form_language`; in that language it comes before a translation.
    #[must_use]
    pub fn choose<'t>(
        &'t self,
        base: Option<&'t str>,
        form_language: Option<&str>,
        choice: &LanguageChoice,
    ) -> Option<&'t str> {
        let wanted = choice.tags.iter().map(String::as_str).chain(form_language);
        for tag in wanted {
            if base.is_some() && form_language.is_some_and(|own| own.eq_ignore_ascii_case(tag)) {
                return base;
            }
            if let Some(text) = self.get(tag) {
                return Some(text);
            }
        }
        base
    }

    /// Reads the translations of a field from the `_field` beside it.
    pub(crate) fn of_field(map: &Map<String, Value>, field: &str) -> Self {
        map.get(&format!("_{field}")).map(Self::of_element).unwrap_or_default()
    }

    /// Reads the translations among the extensions of an element.
    pub(crate) fn of_element(element: &Value) -> Self {
        let extensions = element.get("extension").and_then(Value::as_array);
        let mut out = Self::default();
        for extension in extensions.into_iter().flatten() {
            if extension.get("url").and_then(Value::as_str) != Some(TRANSLATION) {
                continue;
            }
            let part = |name: &str| {
                let parts = extension.get("extension")?.as_array()?;
                let part = parts.iter().find(|part| part.get("url").and_then(Value::as_str) == Some(name))?;
                ["valueCode", "valueString", "valueMarkdown"]
                    .iter()
                    .find_map(|kind| part.get(*kind)?.as_str())
            };
            out.add(part("lang"), part("content"));
        }
        out
    }

    /// Reads the designations of a concept in a value set. Those whose use is not to be shown are other
    /// words for the concept and no translation.
    pub(crate) fn of_designations(concept: &Value) -> Self {
        let mut out = Self::default();
        for designation in concept.get("designation").and_then(Value::as_array).into_iter().flatten() {
            let part = |name: &str| designation.get(name).and_then(Value::as_str);
            let used_for = designation.pointer("/use/code").and_then(Value::as_str);
            if used_for.is_none_or(|code| SHOWN_USES.contains(&code)) {
                out.add(part("language"), part("value"));
            } else if let Some(text) = part("value")
                && out.also_called.len() < MAX_TRANSLATIONS_PER_TEXT
            {
                out.also_called.push(text.to_owned());
            }
        }
        out
    }

    /// The first text given for a language counts.
    fn add(&mut self, language: Option<&str>, text: Option<&str>) {
        if let (Some(language), Some(text)) = (language, text)
            && self.by_language.len() < MAX_TRANSLATIONS_PER_TEXT
            && self.get(language).is_none()
            && !text.trim().is_empty()
        {
            self.by_language.push((language.to_owned(), text.to_owned()));
        }
    }

    /// These translations and those of languages that are only in the other list.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (language, text) in other.by_language {
            self.add(Some(&language), Some(&text));
        }
        self.also_called.extend(other.also_called);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn translated() -> Translations {
        let one = |language: &str, text: &str| {
            json!({"url": TRANSLATION, "extension": [
                {"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]})
        };
        let map = json!({"_text": {"extension": [
            one("de", "Schlaf"), one("DE-ch", "Schlof"), one("fr", "Sommeil"), one("de", "zweimal"), one("it", " "),
            {"url": TRANSLATION}, {"url": "https://example.org/other"}, 3]}});
        Translations::of_field(map.as_object().unwrap(), "text")
    }

    #[test]
    fn the_language_is_chosen_in_order() {
        let chosen = |form: Option<&str>, tag: &str| {
            translated().choose(Some("Sleep"), form, &LanguageChoice::of(tag)).map(str::to_owned).unwrap()
        };
        assert_eq!(chosen(Some("en"), "de-CH"), "Schlof");
        assert_eq!(chosen(Some("en"), "de-AT"), "Schlaf");
        assert_eq!(chosen(Some("en"), "de-Latn-CH-x-old"), "Schlaf");
        assert_eq!(chosen(Some("en"), "fr-CH"), "Sommeil");
        assert_eq!(chosen(Some("en"), "en-GB"), "Sleep");
        assert_eq!(chosen(Some("en"), "pt"), "Sleep");
        assert_eq!(chosen(None, "pt"), "Sleep");
        assert_eq!(chosen(None, ""), "Sleep");
        // In its own language the text of the form comes before a translation into that language.
        assert_eq!(chosen(Some("fr"), "pt"), "Sleep");
        assert_eq!(chosen(Some("fr"), "fr-CH"), "Sleep");
        assert_eq!(chosen(Some("fr"), "de-CH"), "Schlof");
        assert_eq!(translated().choose(None, Some("en"), &LanguageChoice::of("pt")), None);
    }

    #[test]
    fn designations_are_translations() {
        let concept =
            json!({"code": "y", "designation": [{"language": "de", "value": "Ja"}, {"value": "?"}]});
        let read = Translations::of_designations(&concept);
        assert_eq!(read.get("DE"), Some("Ja"));
        assert_eq!(read.languages().count(), 1);
    }

    #[test]
    fn a_designation_for_another_use_is_not_shown_and_still_known() {
        let of = |code: &str, value: &str| json!({"language": "de", "value": value, "use": {"code": code}});
        let concept = json!({"designation": [of("definition", "Heftiger Schmerz im Kopf"),
            of("900000000000003001", "Kopfschmerz (Befund)"), of("display", "Kopfweh")]});
        let read = Translations::of_designations(&concept);
        assert_eq!(read.get("de"), Some("Kopfweh"));
        assert!(read.texts().any(|text| text == "Kopfschmerz (Befund)"), "its words are still its own");
        let only_definition = json!({"designation": [of("definition", "Heftiger Schmerz im Kopf")]});
        assert_eq!(Translations::of_designations(&only_definition).get("de"), None);
    }

    #[test]
    fn a_language_tag_at_the_limit_and_one_past() {
        let tag = |bytes: usize| "de-".to_owned() + &"x".repeat(bytes - 3);
        assert_eq!(
            LanguageChoice::of(&tag(MAX_LANGUAGE_TAG_BYTES)).tags.last().map(String::as_str),
            Some("de")
        );
        assert_eq!(LanguageChoice::of(&tag(MAX_LANGUAGE_TAG_BYTES + 1)), LanguageChoice::default());
    }
}
