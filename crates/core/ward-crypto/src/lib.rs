//! Keys, certificates, sealed envelopes and the key hierarchy of Ward.
//!
//! Everything here is composed from published constructions and nothing is negotiated: one byte,
//! the [`Suite`], fixes the algorithms. There is one public way in, the items at the root of this
//! crate. The raw algorithms are private to it.
//!
//! The crate does no input or output, reads no clock and has no random generator of its own:
//! whoever calls hands in a [`rand_core::CryptoRng`].
//!
//! ```
//! use ward_crypto::{SignKey, labels};
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let key = SignKey::generate(&mut rng);
//! let digest = ward_crypto::sha256(b"what is signed");
//! let signature = key.sign_labelled(labels::MLOG, &digest);
//! assert!(key.public().verify_labelled(labels::MLOG, &digest, &signature).is_ok());
//! assert!(key.public().verify_labelled(labels::OP_SIG, &digest, &signature).is_err());
//! ```
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod codec;
mod error;
mod hazmat;
pub mod labels;
pub mod limits;
mod safe;

pub use codec::{Signature, V1};
pub use error::{
    AuthSignError, BatchError, CryptoError, FormatError, KeyError, PassphraseError, TicketError,
};
pub use labels::Label;
pub use rand_core;
pub use safe::*;
pub use zeroize::Zeroizing;
