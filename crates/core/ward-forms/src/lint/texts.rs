//! Checks of what people read: translations that are missing, markup that would be shown as it
//! stands, and values that are none.

use crate::answer_value::AnswerValue;
use crate::finding::{Finding, FindingCode, Severity};
use crate::item_path::ItemPath;
use crate::limits::MAX_LANGUAGES;
use crate::questionnaire::{Item, Questionnaire};
use crate::translation::Translations;
use std::collections::BTreeSet;

pub(super) fn check(form: &Questionnaire, findings: &mut Vec<Finding>) {
    let languages = languages_of(form);
    let title = form.title().map(|title| (title, &form.title_translations));
    report_missing(ItemPath::root(), title.into_iter(), &languages, findings);
    for item in form.items() {
        let labels: Vec<(String, &Translations)> = item
            .options
            .listed()
            .iter()
            .filter(|option| matches!(option.value, AnswerValue::Coding(_) | AnswerValue::String(_)))
            .map(|option| (option.label(), &option.label_translations))
            .collect();
        let own = [(item.text.as_deref(), &item.text_translations)];
        let texts = own
            .into_iter()
            .filter_map(|(text, translations)| Some((text?, translations)))
            .chain(labels.iter().map(|(label, translations)| (label.as_str(), *translations)));
        if !item.hidden {
            report_missing(form.path_of(item), texts, &languages, findings);
        }
        markup(form, item, &labels, findings);
        values(form, item, findings);
    }
}

/// Every language that any text of the form is translated into, besides the form's own.
fn languages_of(form: &Questionnaire) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = BTreeSet::new();
    let mut add = |translations: &Translations| {
        out.extend(translations.languages().map(str::to_ascii_lowercase));
    };
    add(&form.title_translations);
    for item in form.items() {
        add(&item.text_translations);
        add(&item.prefix_translations);
        item.options.listed().iter().for_each(|option| add(&option.label_translations));
    }
    if let Some(own) = form.language() {
        out.remove(&own.to_ascii_lowercase());
    }
    out.into_iter().take(MAX_LANGUAGES).collect()
}

fn report_missing<'t>(
    path: ItemPath,
    texts: impl Iterator<Item = (&'t str, &'t Translations)>,
    languages: &BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    if languages.is_empty() {
        return;
    }
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    for (text, translations) in texts {
        // A number reads the same in every language.
        if text.chars().any(char::is_alphabetic) {
            missing
                .extend(languages.iter().map(String::as_str).filter(|tag| translations.get(tag).is_none()));
        }
    }
    if !missing.is_empty() {
        let list: Vec<&str> = missing.into_iter().collect();
        let message = format!(
            "Other texts of this form are translated; here a translation is missing for {}.",
            list.join(", ")
        );
        findings.push(Finding::new(path, FindingCode::MissingTranslation, Severity::Warning, message));
    }
}

fn markup(
    form: &Questionnaire,
    item: &Item,
    labels: &[(String, &Translations)],
    findings: &mut Vec<Finding>,
) {
    let own = [item.text.as_deref(), item.prefix.as_deref()];
    let mut texts = own.into_iter().flatten().chain(labels.iter().map(|(label, _)| label.as_str()));
    if texts.any(has_markup) {
        let message = "A text holds HTML; people would see the tags, because texts are shown as they are.";
        findings.push(Finding::new(form.path_of(item), FindingCode::Markup, Severity::Warning, message));
    }
}

/// Whether a text holds what looks like a tag: `<b>`, `</b>`, `<br/>`, `<!--`. `a < b` is none.
fn has_markup(text: &str) -> bool {
    text.split('<').skip(1).any(|after| {
        let name = after.strip_prefix('/').unwrap_or(after);
        after.starts_with("!--")
            || (name.starts_with(|c: char| c.is_ascii_alphabetic()) && after.contains('>'))
    })
}

fn values(form: &Questionnaire, item: &Item, findings: &mut Vec<Finding>) {
    let mut add = |code, message: &str| {
        findings.push(Finding::error(form.path_of(item), code, message));
    };
    let rules = &item.rules;
    let own = item.initial.iter().chain(&rules.min_value).chain(&rules.max_value);
    let offered = item.options.listed().iter().map(|option| &option.value);
    let asked = item.conditions.iter().map(|condition| &condition.answer);
    if own.chain(offered).chain(asked).any(|value| !value.is_well_formed()) {
        add(FindingCode::BadValue, "A value given here is none, such as a date that does not exist.");
    }
    let is_above = |least: Option<usize>, most: Option<usize>| matches!((least, most), (Some(least), Some(most)) if least > most);
    let no_value = match (&rules.min_value, &rules.max_value) {
        (Some(least), Some(most)) => least.order(most).is_some_and(std::cmp::Ordering::is_gt),
        _ => false,
    };
    if no_value || is_above(rules.min_chars, rules.max_chars) || is_above(rules.min_occurs, rules.max_occurs)
    {
        add(FindingCode::EmptyRange, "The least that is asked for is more than the most that is allowed.");
    }
}

#[cfg(test)]
mod tests {
    use super::has_markup;

    #[test]
    fn tags_are_markup_and_comparisons_are_not() {
        for text in
            ["<b>x</b>", "a <br/> b", "</p>", "<!-- x -->", "<script>alert(1)</script>", "<a href='x'>"]
        {
            assert!(has_markup(text), "{text}");
        }
        for text in ["a < b", "<3", "x <- y", "5 <b", "< b >", "a > b", ""] {
            assert!(!has_markup(text), "{text}");
        }
    }
}
