//! How the numbers of the mirror were written, changed in place beside it.

use crate::number_text::NumberTexts;
use std::collections::BTreeMap;

/// A step into a document: a list, and the place of an element in it.
pub(super) type WayStep = (&'static str, usize);

/// What happens to a list of the mirror.
pub(super) enum ListChange {
    Insert(NumberTexts),
    Replace(NumberTexts),
    Remove,
}

/// Does with the texts what is done with the list `item` at the end of a way, at a place in it. Ways
/// without texts are not kept.
pub(super) fn change(texts: &mut NumberTexts, way: &[WayStep], at: usize, change: ListChange) {
    let is_without = |texts: &NumberTexts| matches!(texts, NumberTexts::None);
    let adds_none = match &change {
        ListChange::Insert(new) | ListChange::Replace(new) => is_without(new),
        ListChange::Remove => true,
    };
    if is_without(texts) && adds_none {
        return;
    }
    let step = way.first().copied();
    let (field, place) = step.unwrap_or(("item", at));
    let mut fields = match std::mem::take(texts) {
        NumberTexts::Fields(fields) => fields,
        _ => BTreeMap::new(),
    };
    let mut elements = match fields.remove(field) {
        Some(NumberTexts::Elements(elements)) => elements,
        _ => BTreeMap::new(),
    };
    if step.is_some() {
        let mut below = elements.remove(&place).unwrap_or_default();
        self::change(&mut below, way.get(1..).unwrap_or_default(), at, change);
        keep(&mut elements, place, below);
    } else {
        change_elements(&mut elements, place, change);
    }
    if !elements.is_empty() {
        fields.insert(field.to_owned(), NumberTexts::Elements(elements));
    }
    if !fields.is_empty() {
        *texts = NumberTexts::Fields(fields);
    }
}

fn change_elements(elements: &mut BTreeMap<usize, NumberTexts>, place: usize, change: ListChange) {
    match change {
        ListChange::Replace(new) => {
            elements.remove(&place);
            keep(elements, place, new);
        }
        ListChange::Insert(new) => {
            let behind = elements.split_off(&place);
            elements.extend(behind.into_iter().map(|(place, texts)| (place + 1, texts)));
            keep(elements, place, new);
        }
        ListChange::Remove => {
            elements.remove(&place);
            let behind = elements.split_off(&place);
            elements.extend(behind.into_iter().map(|(place, texts)| (place.saturating_sub(1), texts)));
        }
    }
}

fn keep(elements: &mut BTreeMap<usize, NumberTexts>, place: usize, texts: NumberTexts) {
    if !matches!(texts, NumberTexts::None) {
        elements.insert(place, texts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> NumberTexts {
        NumberTexts::of(json).unwrap()
    }

    #[test]
    fn texts_move_with_the_elements_of_their_list() {
        let mut own = texts(r#"{"x":1.0,"item":[{},{"answer":[{"item":[{"v":1.50},{"v":2.50}]}]}]}"#);
        let way = [("item", 1), ("answer", 0)];
        change(&mut own, &way, 0, ListChange::Insert(texts(r#"{"v":0.50}"#)));
        assert_eq!(
            own,
            texts(r#"{"x":1.0,"item":[{},{"answer":[{"item":[{"v":0.50},{"v":1.50},{"v":2.50}]}]}]}"#)
        );
        change(&mut own, &way, 1, ListChange::Replace(NumberTexts::None));
        change(&mut own, &way, 0, ListChange::Remove);
        assert_eq!(own, texts(r#"{"x":1.0,"item":[{},{"answer":[{"item":[{},{"v":2.50}]}]}]}"#));
        change(&mut own, &[], 0, ListChange::Remove);
        assert_eq!(own, texts(r#"{"x":1.0,"item":[{"answer":[{"item":[{},{"v":2.50}]}]}]}"#));
        change(&mut own, &[("item", 0), ("answer", 0)], 1, ListChange::Remove);
        assert_eq!(own, texts(r#"{"x":1.0}"#), "nothing is kept of a way to nothing");
    }

    #[test]
    fn what_has_no_texts_makes_no_way() {
        let mut own = NumberTexts::None;
        change(&mut own, &[("item", 4)], 0, ListChange::Insert(NumberTexts::None));
        assert_eq!(own, NumberTexts::None);
        change(&mut own, &[("item", 4)], 0, ListChange::Insert(texts(r#"{"v":1.50}"#)));
        assert_eq!(own, texts(r#"{"item":[{},{},{},{},{"item":[{"v":1.50}]}]}"#));
    }
}
