//! Which items an expression reads, so that only what depends on an answer is evaluated again.

use crate::fhirpath::Expression;
use crate::limits::MAX_READS;
use crate::questionnaire::{ItemIndex, Questionnaire};
use std::cell::Cell;
use std::collections::BTreeSet;

/// What an expression reads of the answers. A read of an item is one of all that lies below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    pub(crate) items: BTreeSet<Read>,
    /// Anything of the whole response.
    pub(crate) is_everything: bool,
}

/// One item that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    pub(crate) item: usize,
    /// Only occurrences below the nearest occurrence of this item are read; `None` means all.
    pub(crate) within: Option<usize>,
}

/// A form whose expressions share many variables could name more reads than there is memory for.
#[derive(Debug)]
pub(super) struct ReadsLeft(Cell<usize>);

impl Default for ReadsLeft {
    fn default() -> Self {
        Self(Cell::new(MAX_READS))
    }
}

impl ReadsLeft {
    /// Adds the reads of a variable; beyond the limit an expression counts as reading everything.
    pub(super) fn add(&self, reads: &mut Reads, other: &Reads) {
        reads.is_everything |= other.is_everything;
        let left = self.0.get().saturating_sub(other.items.len());
        self.0.set(left);
        if left == 0 {
            reads.items.clear();
            reads.is_everything = true;
        } else {
            reads.items.extend(&other.items);
        }
    }
}

/// What an expression at `owner` reads itself, its variables aside.
pub(super) fn of(expression: &Expression, form: &Questionnaire, owner: Option<usize>) -> Reads {
    let dependencies = expression.dependencies();
    // Nothing leads from a part of a response up to what holds it, so an expression that never names
    // the whole reads at most what its item holds.
    let names_whole = dependencies.variables().any(|name| matches!(name, "resource" | "rootResource"));
    let within = owner.filter(|_| !names_whole);
    let mut reads = Reads::default();
    for link_id in dependencies.link_ids() {
        let Some(item) = form.item(link_id) else { continue };
        if !is_only_passed(expression.source(), link_id) {
            reads.items.insert(Read { item: item.index.0, within });
        }
    }
    if dependencies.is_everything() || is_in_doubt(expression.source()) {
        match within {
            Some(owner) => drop(reads.items.insert(Read { item: owner, within })),
            None => reads.is_everything = true,
        }
    }
    reads
}

/// Whether [`Expression::dependencies`] may not tell all that such an expression reads. It is then
/// taken to read everything it can reach.
fn is_in_doubt(source: &str) -> bool {
    ["select", "repeat", "aggregate", "$index", "$total", "defineVariable", "resolve"]
        .iter()
        .any(|word| source.contains(word))
}

/// Whether a result changes with the time.
pub(super) fn uses_time(expression: &Expression) -> bool {
    ["now", "today", "timeOfDay"].iter().any(|word| expression.source().contains(word))
}

/// Whether an item is named only on the way to items below it, which are named too:
/// `item.where(linkId='group').item.where(linkId='question')` reads the question alone.
fn is_only_passed(source: &str, link_id: &str) -> bool {
    // An escape or another quote could name the item in another way.
    if source.contains(['\\', '"', '`']) {
        return false;
    }
    let quoted = format!("'{link_id}'");
    let mut places = source.match_indices(&quoted).peekable();
    places.peek().is_some()
        && places.all(|(start, found)| {
            let before = source.get(..start).unwrap_or_default();
            let after = source.get(start + found.len()..).unwrap_or_default();
            is_start_of_filter(before) && leads_to_filter(after)
        })
}

fn is_start_of_filter(before: &str) -> bool {
    let word = |text: &'_ str, word: &str| text.trim_end().strip_suffix(word).map(str::len);
    let mut rest = before;
    for (part, is_needed) in [("=", true), ("linkId", true), (".", false), ("$this", false), ("(", true)] {
        match word(rest, part) {
            Some(length) => rest = rest.get(..length).unwrap_or_default(),
            None if is_needed => return false,
            None => {}
        }
    }
    rest.trim_end().ends_with("where")
}

fn leads_to_filter(after: &str) -> bool {
    let mut rest = after.trim_start();
    let mut eat = |part: &str| match rest.strip_prefix(part) {
        Some(left) => {
            rest = left.trim_start();
            true
        }
        None => false,
    };
    if !(eat(")") && eat(".")) {
        return false;
    }
    if eat("answer") && !eat(".") {
        return false;
    }
    if !(eat("item") && eat(".") && eat("where") && eat("(")) {
        return false;
    }
    if eat("$this") && !eat(".") {
        return false;
    }
    eat("linkId") && eat("=") && eat("'")
}

/// The item that a read is about, in the form.
pub(super) fn takes_answers(form: &Questionnaire, read: &Read) -> bool {
    form.get(ItemIndex(read.item)).is_some_and(|item| item.item_type.takes_answers())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str, owner: Option<&str>) -> (Vec<(String, Option<String>)>, bool) {
        let form = Questionnaire::parse(
            br#"{"resourceType": "Questionnaire", "status": "active", "item": [
                {"linkId": "g", "type": "group", "item": [
                    {"linkId": "a", "type": "integer"}, {"linkId": "b", "type": "integer"}]},
                {"linkId": "c", "type": "integer"}]}"#,
        )
        .unwrap();
        let name = |index: usize| form.items()[index].link_id.clone();
        let owner = owner.map(|link_id| form.item(link_id).unwrap().index.0);
        let reads = of(&Expression::parse(text).unwrap(), &form, owner);
        let items = reads.items.iter().map(|read| (name(read.item), read.within.map(name))).collect();
        (items, reads.is_everything)
    }

    #[test]
    fn a_path_through_a_group_reads_what_it_leads_to() {
        let of_a = (vec![("a".to_owned(), None)], false);
        assert_eq!(
            reads("%resource.item.where(linkId='g').item.where(linkId='a').answer.value", Some("c")),
            of_a
        );
        assert_eq!(
            reads(
                "%resource.item.where( $this.linkId = 'g' ) . item.where(linkId = 'a').answer.value",
                Some("c")
            ),
            of_a
        );
        let both = |text: &str| reads(text, Some("c")).0.len();
        assert_eq!(
            both(
                "%resource.item.where(linkId='g').item.where(linkId='a').answer.value + %resource.item.where(linkId='g').item.count()"
            ),
            2
        );
        assert_eq!(
            both("%resource.item.where(linkId='g' and item.exists()).item.where(linkId='a').answer"),
            2
        );
    }

    #[test]
    fn what_never_names_the_whole_reads_what_its_item_holds() {
        let own = (vec![("g".to_owned(), Some("g".to_owned()))], false);
        assert_eq!(reads("item.answer.value.sum()", Some("g")), own);
        assert_eq!(reads("item.select(answer.value)", Some("g")), own);
        assert_eq!(
            reads("item.where(linkId='b').answer.value > 3", Some("g")),
            (vec![("b".to_owned(), Some("g".to_owned()))], false)
        );
        assert!(reads("item.answer.value.sum()", None).1);
        assert!(reads("%resource.item.answer.value.sum()", Some("g")).1);
        assert_eq!(reads("today() > @2026-01-01", Some("c")), (vec![], false));
    }
}
