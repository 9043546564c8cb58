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
///
/// Of a path through groups only the questions at its end are named: whoever switches, adds or removes a
/// group says so for each place in it.
pub(super) fn of(expression: &Expression, form: &Questionnaire, owner: Option<usize>) -> Reads {
    let dependencies = expression.dependencies();
    let mut reads = Reads::default();
    let own = owner.filter(|_| dependencies.is_within_context());
    match own {
        Some(owner) => drop(reads.items.insert(Read { item: owner, within: Some(owner) })),
        None => reads.is_everything = dependencies.is_everything(),
    }
    if reads.is_everything {
        return reads;
    }
    // Nothing leads from a part of a response up to what holds it, so an expression that never begins
    // at the whole finds only items that its own item holds.
    let names_whole = dependencies.variables().any(|name| matches!(name, "resource" | "rootResource"));
    let within = owner.filter(|_| !names_whole);
    let named = dependencies.link_ids().filter_map(|link_id| form.item(link_id));
    reads.items.extend(named.map(|item| Read { item: item.index.0, within }));
    reads
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
    fn a_filter_that_names_no_items_leaves_what_it_looks_through() {
        let of_g = (vec![("g".to_owned(), None)], false);
        for filter in ["linkId='a' or linkId.startsWith('b')", "linkId='a' + %n", "linkId='a' or true"] {
            let text = format!("%resource.item.where(linkId='g').item.where({filter}).answer.value.sum()");
            assert_eq!(reads(&text, Some("c")), of_g, "{filter}");
        }
        let named = reads(
            "%resource.item.where(linkId='g').item.where(linkId='a' or linkId='b').answer.value",
            Some("c"),
        );
        assert_eq!(named.0.len(), 2, "both are named, the group is not: {named:?}");
    }

    #[test]
    fn what_begins_at_the_whole_and_at_its_item_reads_both() {
        let (items, is_everything) =
            reads("%resource.item.where(linkId='c').answer.value + item.answer.value.sum()", Some("g"));
        assert!(!is_everything);
        assert_eq!(items, [("g".to_owned(), Some("g".to_owned())), ("c".to_owned(), None)]);
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
