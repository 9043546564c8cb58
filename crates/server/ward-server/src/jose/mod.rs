//! The two JSON Web Tokens that the server reads: its own access tokens (RFC 9068) and DPoP
//! proofs (RFC 9449). Nothing here is negotiated: one header, one algorithm, one set of claims
//! for each, all of them required, unknown ones refused. This leaves no room for confusing one
//! token, key or algorithm with another.

pub mod access_token;
pub(crate) mod bounded_memo;
pub mod dpop;
pub mod htu;
pub mod nonce;
pub mod replay;

use sha2_256::digest;

/// SHA-256 through the TLS provider, which is already linked.
pub(crate) mod sha2_256 {
    /// SHA-256 over the concatenation of `parts`.
    pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        out
    }
}

/// The thumbprint of a DPoP key (RFC 7638): what binds a token to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyThumbprint(pub [u8; 32]);

impl KeyThumbprint {
    /// The thumbprint of the P-256 key with these coordinates in base64url.
    fn of_p256(x: &str, y: &str) -> Self {
        // RFC 7638 §3.2: the required members of an EC key in lexicographic order, no spaces.
        let json = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Self(digest(&[json.as_bytes()]))
    }

    /// As it stands in `cnf.jkt`.
    pub fn to_text(self) -> String {
        ward_id::base64url_encode(&self.0)
    }

    /// Reads `cnf.jkt`.
    pub fn from_text(text: &str) -> Option<Self> {
        ward_id::base64url_decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// The three parts of a compact JWS (RFC 7515 §7.1).
struct Compact<'a> {
    header: &'a str,
    payload: &'a str,
    signed: &'a str,
    signature: Vec<u8>,
}

/// Splits a compact JWS; the signature of both algorithms in use has 64 bytes.
fn split_compact(token: &str) -> Option<Compact<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    if payload.contains('.') {
        return None;
    }
    let signature = ward_id::base64url_decode(signature).ok()?;
    (signature.len() == 64).then_some(Compact { header, payload, signed, signature })
}

/// Decodes one base64url JSON part into a closed type.
fn decode_part<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&ward_id::base64url_decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_has_one_text() {
        let print = KeyThumbprint::of_p256("a", "b");
        assert_eq!(KeyThumbprint::from_text(&print.to_text()), Some(print));
        assert_eq!(KeyThumbprint::from_text("AAAA"), None);
    }

    #[test]
    fn compact_has_three_parts_and_a_full_signature() {
        let signature = ward_id::base64url_encode(&[1; 64]);
        assert!(split_compact(&format!("aa.bb.{signature}")).is_some());
        for bad in [
            format!("aa.{signature}"),
            format!("aa.bb.cc.{signature}"),
            "aa.bb.AAAA".to_owned(),
            String::new(),
        ] {
            assert!(split_compact(&bad).is_none(), "{bad}");
        }
    }
}
