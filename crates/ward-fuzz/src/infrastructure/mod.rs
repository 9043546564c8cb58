//! Targets of the readers of infrastructure code: files that somebody wrote, checked before a deployment.

pub(crate) mod admission_review;
pub(crate) mod cloudformation;
mod judged;
pub(crate) mod manifests;
pub(crate) mod own_rules;
pub(crate) mod plan;
pub(crate) mod terraform_source;
pub(crate) mod waiver;
