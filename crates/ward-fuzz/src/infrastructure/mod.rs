//! Targets of the readers of infrastructure code: files that somebody wrote, checked before a deployment.

pub(crate) mod terraform_source;
