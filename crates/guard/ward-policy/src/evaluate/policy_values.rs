//! The texts of an access policy, as far as they are known.

use super::bucket_names::{Extent, NamedBucket, named_bucket};
use crate::graph::{Attribute, Reference, Referent, Unknown};

/// Texts of a statement, some of which may not be known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Values {
    pub(super) known: Vec<Box<str>>,
    /// Types of the resources of this template that are named: what a name of theirs says nothing about.
    kinds: Vec<Box<str>>,
    unknown_count: usize,
    /// Buckets of this deployment that are named before their names are known.
    buckets: Vec<NamedBucket>,
}

/// Types of CloudFormation that a principal may name: whom they let in is told by the type.
const IDENTITY_KINDS: [&str; 5] =
    ["AWS::IAM::Role", USER_KIND, OIDC_KIND, SAML_KIND, "AWS::CloudFront::CloudFrontOriginAccessIdentity"];
pub(super) const USER_KIND: &str = "AWS::IAM::User";
pub(super) const OIDC_KIND: &str = "AWS::IAM::OIDCProvider";
pub(super) const SAML_KIND: &str = "AWS::IAM::SAMLProvider";

impl Values {
    pub(super) fn of(value: Option<&Attribute>) -> Self {
        let mut values = Self::default();
        if let Some(value) = value {
            values.take(value);
        }
        values
    }

    pub(super) fn take(&mut self, value: &Attribute) {
        match value {
            Attribute::Text(text) => self.known.push(without_colons_in_marks(text)),
            Attribute::Bool(flag) => self.known.push(flag.to_string().into()),
            Attribute::Number(number) => self.known.push(number.to_string().into()),
            Attribute::List(items) => items.iter().for_each(|item| self.take(item)),
            // What stands in a policy is no secret: it is evaluated, and never shown.
            Attribute::Sensitive(secret) => self.take(secret.value()),
            // The name of one resource is not everybody and not everything.
            Attribute::Unknown(unknown) if names_resources(unknown) => match name_of(unknown) {
                Some(name) => {
                    self.known.push(name);
                    self.kinds.extend(unknown.references.iter().filter_map(|one| match &one.to {
                        Referent::Block(block) => Some(block.kind.clone()),
                        _ => None,
                    }));
                }
                None => self.unknown_count += 1,
            },
            Attribute::Unknown(unknown) => {
                self.unknown_count += 1;
                self.buckets.extend(named_bucket(unknown));
            }
            Attribute::Null => {}
            Attribute::Block(block) => block.entries().for_each(|(_, value)| self.take(value)),
        }
    }

    pub(super) fn has(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        self.known.iter().any(|text| is_meant(text))
    }

    /// Counts one that is not known.
    pub(super) fn miss(&mut self) {
        self.unknown_count += 1;
    }

    /// Whether a bucket and all that lies in it are both named, before its name is known.
    pub(super) fn name_whole_bucket(&self) -> bool {
        let of = |extent: Extent| self.buckets.iter().filter(move |one| one.extent == extent);
        of(Extent::Bucket).any(|one| of(Extent::Objects).any(|other| one.bucket == other.bucket))
    }

    /// Whether a resource of this type is named.
    pub(super) fn names(&self, kind: &str) -> bool {
        self.kinds.iter().any(|known| &**known == kind)
    }

    pub(super) const fn is_known(&self) -> bool {
        self.unknown_count == 0
    }

    /// Whether they are known to be identities: whom another type stands for is not known.
    pub(super) fn are_identities(&self) -> bool {
        self.is_known() && self.kinds.iter().all(|kind| IDENTITY_KINDS.contains(&&**kind))
    }
}

/// A pseudo parameter stands in a text as `${AWS::Partition}`: its colons are none of the ARN's.
fn without_colons_in_marks(text: &str) -> Box<str> {
    if text.contains("${AWS::") { text.replace("${AWS::", "${").into() } else { text.into() }
}

/// Whether a value is made of names of resources in this template, and of nothing else that is
/// not known. Other attributes may hold anything.
fn names_resources(unknown: &Unknown) -> bool {
    let names_one = |reference: &Reference| match &reference.to {
        Referent::Block(block) => {
            !block.is_data
                && block.kind.starts_with("AWS::")
                && (block.attribute.is_empty()
                    || block.attribute.ends_with("Arn")
                    || &*block.attribute == "S3CanonicalUserId")
        }
        _ => false,
    };
    unknown.branches.is_empty() && !unknown.references.is_empty() && unknown.references.iter().all(names_one)
}

/// What is known of a name that is made of names of resources. What other functions make of them is not
/// read, so there may be a star among it.
fn name_of(unknown: &Unknown) -> Option<Box<str>> {
    let written = unknown.expression();
    match written
        .strip_prefix("!Sub ")
        .or_else(|| written.strip_prefix("!Join ").filter(|text| text.contains("${…}")))
    {
        Some(template) => Some(without_colons_in_marks(template)),
        None if written.starts_with('!')
            && !["!Ref ", "!GetAtt "].iter().any(|by| written.starts_with(by)) =>
        {
            None
        }
        None => Some(written.into()),
    }
}
