//! How the types of this crate become canonical bytes: byte strings of fixed length, numbered
//! enumerations, and structures whose rules are checked whenever they are made or decoded.

use crate::limits::SIGNATURE_BYTES;
use alloc::vec::Vec;
use core::fmt;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decoder, Encoder};

/// The version field of every format: the integer 1; another number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct V1;

impl<C> minicbor::Encode<C> for V1 {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u8(1)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for V1 {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        if d.u8()? == 1 { Ok(Self) } else { Err(DecodeError::message("unknown version")) }
    }
}

/// 64 bytes of a signature, Ed25519 or P-256 `r || s`. Not yet checked against anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// Takes the bytes as they are.
    pub const fn from_bytes(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }

    /// Takes a slice if it has 64 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; SIGNATURE_BYTES]>::try_from(bytes).ok().map(Self)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", ward_id::hex_encode(&self.0))
    }
}

/// Encodes by hand where a derived encoder would drop `null` at the end of an array.
pub(crate) fn canonical_with<F>(write: F) -> Vec<u8>
where
    F: FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), minicbor::encode::Error<core::convert::Infallible>>,
{
    let mut out = Vec::new();
    // Writing into a vector cannot fail, and no caller raises an error of its own.
    let done = write(&mut Encoder::new(&mut out));
    debug_assert!(done.is_ok());
    out
}

/// `Encode` and `Decode` as a byte string of fixed length for a type with `as_bytes` and a
/// fallible constructor from an array.
macro_rules! cbor_bytes {
    ($name:ident[$len:expr], $from:expr) => {
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes: &[u8; $len] =
                    d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message("wrong length"))?;
                $from(bytes).map_err(minicbor::decode::Error::message)
            }
        }
    };
}
pub(crate) use cbor_bytes;

cbor_bytes!(Signature[SIGNATURE_BYTES], |bytes: &[u8; SIGNATURE_BYTES]| {
    Ok::<_, &'static str>(Signature(*bytes))
});

/// An enumeration that travels as its number; other numbers are refused.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $number,)* }

        impl $name {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in the protocol.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The one with this number, if there is one.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.u8(self.number())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::from_number(d.u8()?).ok_or_else(|| minicbor::decode::Error::message("unknown number"))
            }
        }
    };
}
pub(crate) use numbered;

/// A structure with rules: made from plain fields by `new`, or decoded, and checked both times;
/// read through `Deref`; never changed in place.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident($fields:ident)) => {
        $(#[$doc])*
        pub struct $name($fields);

        impl $name {
            /// Takes the fields if they keep the rules of the format.
            ///
            /// # Errors
            /// The rule that is broken.
            pub fn new(fields: $fields) -> Result<Self, crate::FormatError> {
                fields.check()?;
                Ok(Self(fields))
            }
        }

        impl core::ops::Deref for $name {
            type Target = $fields;
            fn deref(&self) -> &$fields {
                &self.0
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                ctx: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                self.0.encode(e, ctx)
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::new($fields::decode(d, ctx)?).map_err(minicbor::decode::Error::message)
            }
        }
    };
}
pub(crate) use checked;

/// Whether a list is strictly ascending by a key: sorted and without repetition.
pub(crate) fn strictly_ascending<'a, T, K: Ord>(list: &'a [T], key: impl Fn(&'a T) -> K) -> bool {
    list.iter().zip(list.iter().skip(1)).all(|(a, b)| key(a) < key(b))
}

/// Whether no two items of a list have the same key.
pub(crate) fn all_distinct<'a, T, K: Ord>(list: &'a [T], key: impl Fn(&'a T) -> K) -> bool {
    let mut keys: Vec<K> = list.iter().map(key).collect();
    keys.sort_unstable();
    keys.iter().zip(keys.iter().skip(1)).all(|(a, b)| a < b)
}
