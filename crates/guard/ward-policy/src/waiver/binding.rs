//! What a waiver is bound to: a rule as it reads, a resource, a verdict, and the values that were seen.

use crate::finding::Finding;
use crate::graph::{Attribute, Graph, HIDDEN, Resource};
use crate::rules::Condition;
use sha2::{Digest as _, Sha256};

/// The first words that are hashed: the version of the binding.
const VERSION: &str = "ward-policy binding 1";

/// The SHA-256 of all that a waiver of a finding is bound to. `None` if the finding can't be waived: a
/// hidden value may change unseen, and a secret in the code has to be taken out of it.
#[must_use]
pub fn binding_of(finding: &Finding<'_>, graph: &Graph) -> Option<[u8; 32]> {
    if asks_about_secrets(&finding.cell.check) {
        return None;
    }
    let mut hasher = Sha256::new();
    let resource = finding.resource;
    let role = format!("{:?}", resource.role);
    let words = [
        VERSION,
        finding.rule.id.as_str(),
        &finding.rule.hash,
        finding.cell.aspect.as_deref().unwrap_or_default(),
        &resource.address,
        &resource.kind,
        &role,
        finding.verdict.word(),
    ];
    words.into_iter().for_each(|word| text(word, &mut hasher));
    for seen in &finding.observed {
        if seen.value.contains(HIDDEN) {
            return None;
        }
        let address = seen.address.as_deref().unwrap_or_default();
        [address, &seen.path, &seen.value, &seen.origin].into_iter().for_each(|word| text(word, &mut hasher));
        let holder = match &seen.address {
            Some(address) => graph.at(address).map(|(_, other)| other),
            None => Some(resource),
        };
        holder.is_none_or(|holder| whole(holder, &seen.path, &mut hasher)).then_some(())?;
    }
    Some(hasher.finalize().into())
}

/// Reports shorten values: the whole of what a path begins with is hashed beside them.
fn whole(holder: &Resource, path: &str, hasher: &mut Sha256) -> bool {
    let name = path.split(['.', '[']).next().unwrap_or_default();
    match holder.attributes.get(name) {
        Some(value) => feed(value, hasher),
        None => {
            hasher.update(*b"-");
            true
        }
    }
}

fn text(text: &str, hasher: &mut Sha256) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

/// Each value with its kind and length before it, so that no two give the same bytes. Says no if a secret
/// is met.
fn feed(value: &Attribute, hasher: &mut Sha256) -> bool {
    match value {
        Attribute::Null => hasher.update(*b"n"),
        Attribute::Bool(value) => hasher.update([b'b', u8::from(*value)]),
        Attribute::Number(value) => {
            hasher.update(*b"d");
            hasher.update(value.to_bits().to_be_bytes());
        }
        Attribute::Text(value) => {
            hasher.update(*b"t");
            text(value, hasher);
        }
        Attribute::List(items) => {
            hasher.update(*b"l");
            hasher.update((items.len() as u64).to_be_bytes());
            return items.iter().all(|item| feed(item, hasher));
        }
        Attribute::Block(block) => {
            hasher.update(*b"m");
            hasher.update((block.len() as u64).to_be_bytes());
            return block.entries().all(|(name, value)| {
                text(name, hasher);
                feed(value, hasher)
            });
        }
        Attribute::Unknown(unknown) => {
            hasher.update(*b"u");
            text(&unknown.reason.to_string(), hasher);
            text(&unknown.expression(), hasher);
            hasher.update((unknown.branches.len() as u64).to_be_bytes());
            return unknown.branches.iter().all(|branch| feed(branch, hasher));
        }
        Attribute::Sensitive(_) => return false,
    }
    true
}

/// Whether a condition looks for secrets somewhere.
pub(crate) fn asks_about_secrets(condition: &Condition) -> bool {
    let inner = |of: &Option<Box<Condition>>| of.as_deref().is_some_and(asks_about_secrets);
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::NoOne(parts) => {
            parts.iter().any(asks_about_secrets)
        }
        Condition::Blocks { of, .. } | Condition::Document { of, .. } => asks_about_secrets(of),
        Condition::Companion(companion) => inner(&companion.of),
        Condition::Target(target) => inner(&target.of),
        Condition::Present(present) => inner(&present.of),
        Condition::Secret(_) => true,
        Condition::Test { .. }
        | Condition::Policy { .. }
        | Condition::Ports(_)
        | Condition::Addresses(_)
        | Condition::Decided(_)
        | Condition::Change(_) => false,
    }
}
