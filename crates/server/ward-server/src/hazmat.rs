//! The raw signatures of the server's own work, from the TLS provider. Under `--cfg ward_stand_in`,
//! which nothing but the simulator sets, they are keyed hashes of the same sizes: they fail where
//! the real ones fail, and protect nothing.

#[cfg(not(ward_stand_in))]
pub(crate) mod signatures;
#[cfg(ward_stand_in)]
#[path = "hazmat/signatures_stand_in.rs"]
pub(crate) mod signatures;
