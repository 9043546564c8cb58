//! The raw algorithms. Private to this crate: none of these calls is safe with arbitrary input,
//! because keys, nonces and contexts must be chosen by the callers in `safe`.

pub(crate) mod aead;
pub(crate) mod ed25519;
pub(crate) mod hpke_base;
pub(crate) mod kdf;
pub(crate) mod x25519_points;
