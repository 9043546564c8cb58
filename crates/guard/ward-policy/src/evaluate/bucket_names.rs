//! Which bucket of a deployment a policy names, before the name of the bucket is known.

use crate::graph::{BlockReference, Reference, Referent, Unknown};

/// What of a bucket is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The bucket itself.
    Bucket,
    /// All that lies in it.
    Objects,
}

/// A bucket of this deployment, and what of it is named.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NamedBucket {
    /// Leads to the bucket; without attribute.
    pub(super) bucket: BlockReference,
    pub(super) extent: Extent,
}

const BUCKET: &str = "aws_s3_bucket";
/// Attributes that hold the ARN of a bucket, and those that hold its name.
const ARNS: [&str; 1] = ["arn"];
const NAMES: [&str; 2] = ["id", "bucket"];

/// The bucket that a name surely means. Only two shapes prove something: nothing but the ARN, and the
/// ARN with `/*` behind it. Any other text may be a part of the bucket, or another one.
pub(super) fn named_bucket(unknown: &Unknown) -> Option<NamedBucket> {
    if !unknown.branches.is_empty() {
        return None;
    }
    let written = unknown.written.as_deref().filter(|written| written.contains('…'));
    let (text, attributes): (&str, &[&str]) = match written {
        None => ("${…}", &ARNS),
        Some(written) if written.starts_with("${…}") => (written, &ARNS),
        // Whatever partition it is in, a bucket has neither region nor account in its ARN.
        Some(written) => {
            let (partition, name) = written.strip_prefix("arn:")?.split_once(":s3:::")?;
            let is_one = partition == "${…}" || !partition.contains([':', '…', '*', '?']);
            (name, if is_one { &NAMES } else { return None })
        }
    };
    let extent = match text {
        "${…}" => Extent::Bucket,
        "${…}/*" => Extent::Objects,
        _ => return None,
    };
    let is_template = written.is_some();
    let mut found = None;
    for reference in unknown.references.iter().filter(|one| !leads_to_no_name(one, is_template)) {
        let bucket = match &reference.to {
            Referent::Block(block) if &*block.kind == BUCKET && attributes.contains(&&*block.attribute) => {
                BlockReference { attribute: Box::default(), ..block.clone() }
            }
            _ => return None,
        };
        if found.as_ref().is_some_and(|known| *known != bucket) {
            return None;
        }
        found = Some(bucket);
    }
    found.map(|bucket| NamedBucket { bucket, extent })
}

/// Whether a reference is none of a name: the partition, the key of an instance, or the text around the
/// name, whose shape is known.
fn leads_to_no_name(reference: &Reference, is_template: bool) -> bool {
    match &reference.to {
        Referent::OwnKey => true,
        Referent::Block(block) => block.is_data && &*block.kind == "aws_partition",
        Referent::Computed => is_template && &*reference.written == "template",
        Referent::Input | Referent::Elsewhere | Referent::Undeclared => false,
    }
}
