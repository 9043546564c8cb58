//! The registry of typed ids. Confusing a participant with a site is a privacy incident,
//! so bare byte strings and texts stay out of public signatures.

use crate::text::{hex_decode, hex_encode};
use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use minicbor::bytes::ByteArray;

/// Text that is not an id of the expected kind. Whoever typed or sent it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: it is written as {digits} lower-case hexadecimal digits")]
pub struct IdParseError {
    /// The kind of id that was expected.
    pub kind: &'static str,
    /// How many digits it has.
    pub digits: usize,
}

macro_rules! fixed_bytes {
    ($($(#[$doc:meta])* $name:ident[$len:expr];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Bytes of this id.
            pub const BYTES: usize = $len;

            /// Wraps bytes that are already known to be such an id.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Wraps a slice if its length fits.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; $len]>::try_from(bytes).ok().map(Self)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex_encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;
            fn from_str(text: &str) -> Result<Self, IdParseError> {
                let error = IdParseError { kind: stringify!($name), digits: $len * 2 };
                let bytes = hex_decode(text).map_err(|_| error)?;
                Self::from_slice(&bytes).ok_or(error)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes: ByteArray<$len> = minicbor::Decode::decode(d, ctx)?;
                Ok(Self(*bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&hex_encode(&self.0))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

fixed_bytes! {
    /// A clinical trial.
    StudyId[16];
    /// A centre that takes part in a study; the owner of a trust root and of two logs.
    SiteId[16];
    /// A participant's encrypted record space.
    ChartId[16];
    /// An enrolled app installation with its own keys. One id per site.
    DeviceId[16];
    /// A principal, known by a random pseudonym only. A participant is the person of their chart.
    PersonId[16];
    /// A list of staff who look after charts together.
    TeamId[16];
    /// A one-time invitation.
    TicketId[16];
    /// SHA-256 over an entry: its permanent name.
    EntryId[32];
    /// SHA-256 over the bytes of a sealed envelope: its leaf in the olog.
    EnvelopeHash[32];
    /// SHA-256 over a device certificate.
    CertHash[32];
    /// SHA-256 over a signed entry of the membership log.
    MlogEntryHash[32];
    /// SHA-256 over a site manifest.
    ManifestHash[32];
    /// SHA-256 over a study schema.
    SchemaHash[32];
    /// SHA-256 over the members of a chart and their encryption keys.
    MemberSetHash[32];
    /// SHA-256 over an epoch package.
    PackageHash[32];
    /// SHA-256 over the site's root policy: the pin that a ticket carries.
    RootFingerprint[32];
    /// The root of a Merkle tree (RFC 6962 §2.1).
    TreeRoot[32];
    /// SHA-256 over the ciphertext of a blob.
    BlobAddress[32];
    /// What an entry of the membership log is about: a chart or the site, in clear, so that a
    /// client can tell which leaves concern it.
    Subject[16];
}

impl From<ChartId> for Subject {
    fn from(chart: ChartId) -> Self {
        Self(chart.0)
    }
}

impl From<SiteId> for Subject {
    fn from(site: SiteId) -> Self {
        Self(site.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    #[test]
    fn text_and_cbor_round_trip() {
        let id = DeviceId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse::<DeviceId>(), Ok(id));
        assert_eq!(DeviceId::from_canonical(&id.to_canonical()), Ok(id));
        assert_eq!(serde_json::from_str::<DeviceId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_eq!(id.to_canonical().len(), 17);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        assert!("ab".parse::<DeviceId>().is_err());
        assert!(DeviceId::from_slice(&[0; 15]).is_none());
        assert!(DeviceId::from_canonical(&EntryId::from_bytes([0; 32]).to_canonical()).is_err());
    }
}
