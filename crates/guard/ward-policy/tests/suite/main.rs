//! Tests of the crate through its public interface.

#[cfg(test)]
mod judged;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod templates;
