//! What a waiver is bound to: a rule as it reads, a verdict, what was seen, and all values of the resource it
//! names, so that neither who profits from it nor how far it reaches can be exchanged.

use super::asked_paths::{asked_paths, asks_about_secrets};
use crate::finding::Finding;
use crate::graph::{Attribute, Block, Graph, HIDDEN, Referent, Resolved, Resource, Role, Unknown};
use crate::verdict::Verdict;
use sha2::{Digest as _, Sha256};

/// The first words that are hashed: the version of the binding.
const VERSION: &str = "ward-policy binding 1";

/// The SHA-256 of all that a waiver of a finding is bound to. `None` if the finding can't be waived: a hidden
/// value may change unseen, a secret in the code has to be taken out of it, and nobody answers for what was
/// left out of the finding or not evaluated.
#[must_use]
pub fn binding_of(finding: &Finding<'_>, graph: &Graph) -> Option<[u8; 32]> {
    if !matches!(finding.verdict, Verdict::Fail | Verdict::Indeterminate) {
        return None;
    }
    let is_partial = |seen: &crate::finding::Observation| seen.is_partial() || seen.value.contains(HIDDEN);
    if asks_about_secrets(&finding.cell.check) || finding.observed.iter().any(is_partial) {
        return None;
    }
    let resource = finding.resource;
    if asked_paths(&finding.cell.check).iter().any(|path| hides(resource, path)) {
        return None;
    }
    let mut binder = Binder { hasher: Sha256::new(), graph, is_in_data: false, rests_on_hidden: false };
    let role = format!("{:?}", resource.role);
    let words = [
        VERSION,
        finding.rule.id.as_str(),
        finding.cell.aspect.as_deref().unwrap_or_default(),
        &resource.address,
        &resource.kind,
        &role,
        finding.verdict.word(),
    ];
    words.into_iter().for_each(|word| binder.text(word));
    binder.hasher.update(finding.rule.digest);
    binder.block(&resource.attributes);
    for seen in &finding.observed {
        let address = seen.address.as_deref().unwrap_or_default();
        [address, &seen.path, &seen.value, &seen.origin].into_iter().for_each(|word| binder.text(word));
        // What was seen elsewhere is bound as a whole too.
        if let Some((_, other)) = seen.address.as_deref().and_then(|address| graph.at(address)) {
            if hides(other, &seen.path) {
                return None;
            }
            binder.block(&other.attributes);
        }
    }
    (!binder.rests_on_hidden).then(|| binder.hasher.finalize().into())
}

/// Whether something is hidden in what a path begins with; in the whole resource if it is empty.
fn hides(resource: &Resource, path: &str) -> bool {
    match path.split(['.', '[']).next().unwrap_or_default() {
        "" => resource.attributes.entries().any(|(_, value)| has_hidden(value)),
        name => resource.attributes.get(name).is_some_and(has_hidden),
    }
}

fn has_hidden(value: &Attribute) -> bool {
    match value {
        Attribute::Sensitive(_) => true,
        Attribute::List(items) => items.iter().any(has_hidden),
        Attribute::Block(block) => block.entries().any(|(_, value)| has_hidden(value)),
        Attribute::Unknown(unknown) => unknown.branches.iter().any(has_hidden),
        Attribute::Null | Attribute::Bool(_) | Attribute::Number(_) | Attribute::Text(_) => false,
    }
}

/// Hashes values, each with its kind and length before it, so that no two give the same bytes.
struct Binder<'g> {
    hasher: Sha256,
    graph: &'g Graph,
    /// Whether the values are those of a data source that another value refers to.
    is_in_data: bool,
    /// Whether such a data source hides something.
    rests_on_hidden: bool,
}

impl Binder<'_> {
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.hasher.update(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.hasher.update((count as u64).to_be_bytes());
    }

    fn block(&mut self, block: &Block) {
        self.hasher.update(*b"m");
        self.count(block.len());
        for (name, value) in block.entries() {
            self.text(name);
            self.value(value);
        }
    }

    fn list(&mut self, items: &[Attribute]) {
        self.count(items.len());
        items.iter().for_each(|item| self.value(item));
    }

    fn value(&mut self, value: &Attribute) {
        match value {
            Attribute::Null => self.hasher.update(*b"n"),
            Attribute::Bool(value) => self.hasher.update([b'b', u8::from(*value)]),
            Attribute::Number(value) => {
                self.hasher.update(*b"d");
                self.hasher.update(value.to_bits().to_be_bytes());
            }
            Attribute::Text(value) => {
                self.hasher.update(*b"t");
                self.text(value);
            }
            Attribute::List(items) => {
                self.hasher.update(*b"l");
                self.list(items);
            }
            Attribute::Block(block) => self.block(block),
            Attribute::Unknown(unknown) => self.unknown(unknown),
            // That it is hidden is bound, not what it is: a hash of a secret would help to guess it.
            Attribute::Sensitive(_) => {
                self.hasher.update(*b"s");
                self.rests_on_hidden |= self.is_in_data;
            }
        }
    }

    /// A policy that is not known as text may be a data source of statements: they are bound with it.
    fn unknown(&mut self, unknown: &Unknown) {
        self.hasher.update(*b"u");
        self.text(&unknown.reason.to_string());
        self.text(&unknown.expression());
        self.list(&unknown.branches);
        if self.is_in_data {
            return;
        }
        for reference in unknown.references.iter() {
            let Referent::Block(block) = &reference.to else { continue };
            let Resolved::One(id) = self.graph.resolve(block) else { continue };
            if let Some(data) = self.graph.get(id).filter(|data| data.role == Role::Data) {
                self.is_in_data = true;
                self.block(&data.attributes);
                self.is_in_data = false;
            }
        }
    }
}
