//! The raw algorithms. Private to this crate: none of these calls is safe with arbitrary input,
//! because keys, nonces and contexts must be chosen by the callers in `safe`.
//!
//! Under `--cfg ward_stand_in`, which nothing but the simulator sets, signatures and key wrapping are
//! keyed hashes of the same sizes: they fail where the real ones fail, and protect nothing.

pub(crate) mod aead;
#[cfg(not(ward_stand_in))]
pub(crate) mod ed25519;
#[cfg(ward_stand_in)]
#[path = "hazmat/ed25519_stand_in.rs"]
pub(crate) mod ed25519;
#[cfg(not(ward_stand_in))]
pub(crate) mod hpke_base;
#[cfg(ward_stand_in)]
#[path = "hazmat/hpke_base_stand_in.rs"]
pub(crate) mod hpke_base;
pub(crate) mod kdf;
#[cfg(not(ward_stand_in))]
pub(crate) mod p256_ecdsa;
#[cfg(ward_stand_in)]
#[path = "hazmat/p256_ecdsa_stand_in.rs"]
pub(crate) mod p256_ecdsa;
pub(crate) mod x25519_points;
