//! Tests of the crate through its public interface.

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod builder;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod tiles;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod view;
#[cfg(test)]
mod witness;
