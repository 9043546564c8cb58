//! The token endpoint: a form goes in (RFC 6749 §4), JSON comes out. Both hold secrets, so neither
//! is printed.

use serde::{Deserialize, Serialize};
use ward_id::DeviceId;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Grant type of a device that proves its certificate's key.
pub const GRANT_DEVICE: &str = "urn:ward:device-assertion";
/// Grant type of a refresh (RFC 6749 §6).
pub const GRANT_REFRESH: &str = "refresh_token";
/// The only token type (RFC 9449 §5).
pub const TOKEN_TYPE: &str = "DPoP";

/// What a device asks the token endpoint for.
#[derive(Clone)]
pub enum TokenRequest {
    /// The device proves its key anew.
    Device(DeviceId),
    /// It trades its refresh token.
    Refresh(RefreshText),
}

/// A refresh token as text (base64url of 32 bytes); wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RefreshText(String);

/// A form that is no token request. The app must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Not `name=value` pairs, or a broken percent escape.
    #[error("the body is not a form")]
    Malformed,
    /// A name twice, an unknown name, or one that is missing.
    #[error("the form has a field twice, an unknown field, or lacks one")]
    Fields,
    /// A grant type that this server does not give.
    #[error("the grant type is not one of this server's")]
    GrantType,
    /// The device is not 32 lower-case hexadecimal digits.
    #[error("the device is not 32 lower-case hexadecimal digits")]
    Device,
}

impl RefreshText {
    /// Takes the text as it came.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text. The caller must not print or log it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TokenRequest {
    /// The body to send.
    pub fn to_form(&self) -> String {
        match self {
            Self::Device(device) => format!("grant_type={}&device={device}", escape(GRANT_DEVICE)),
            Self::Refresh(text) => {
                format!("grant_type={GRANT_REFRESH}&refresh_token={}", escape(text.as_str()))
            }
        }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`FormError`]; the app must act.
    pub fn from_form(body: &[u8]) -> Result<Self, FormError> {
        let body = core::str::from_utf8(body).map_err(|_| FormError::Malformed)?;
        let (mut grant, mut device, mut refresh) = (None, None, None);
        for pair in body.split('&') {
            let (name, value) = pair.split_once('=').ok_or(FormError::Malformed)?;
            let slot = match name {
                "grant_type" => &mut grant,
                "device" => &mut device,
                "refresh_token" => &mut refresh,
                _ => return Err(FormError::Fields),
            };
            if slot.replace(unescape(value)?).is_some() {
                return Err(FormError::Fields);
            }
        }
        match (grant.as_deref(), device, refresh) {
            (Some(GRANT_DEVICE), Some(device), None) => {
                device.parse().map(Self::Device).map_err(|_| FormError::Device)
            }
            (Some(GRANT_REFRESH), None, Some(text)) => Ok(Self::Refresh(RefreshText(text))),
            (Some(GRANT_DEVICE | GRANT_REFRESH) | None, _, _) => Err(FormError::Fields),
            (Some(_), _, _) => Err(FormError::GrantType),
        }
    }
}

/// Answer of `POST /v1/token` (RFC 6749 §5.1).
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct TokenAnswer {
    /// A JWT (RFC 9068); opaque to the device.
    pub access_token: String,
    /// Always [`TOKEN_TYPE`].
    pub token_type: String,
    /// Seconds until it ends.
    pub expires_in: u32,
    /// For the next request; used once.
    pub refresh_token: String,
}

/// Everything but the unreserved characters percent-encoded (RFC 3986 §2.1, §2.3).
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |b: Option<u8>| {
                    b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok())
                };
                let high = digit(bytes.next()).ok_or(FormError::Malformed)?;
                let low = digit(bytes.next()).ok_or(FormError::Malformed)?;
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| FormError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_round_trip() {
        let device = DeviceId::from_bytes([0xab; 16]);
        let form = TokenRequest::Device(device).to_form();
        assert_eq!(form, format!("grant_type=urn%3Award%3Adevice-assertion&device={device}"));
        assert!(
            matches!(TokenRequest::from_form(form.as_bytes()), Ok(TokenRequest::Device(d)) if d == device)
        );
        let plain = format!("grant_type={GRANT_DEVICE}&device={device}");
        assert!(matches!(TokenRequest::from_form(plain.as_bytes()), Ok(TokenRequest::Device(_))));
        let form = TokenRequest::Refresh(RefreshText::new("a-b_c%+".into())).to_form();
        assert!(
            matches!(TokenRequest::from_form(form.as_bytes()), Ok(TokenRequest::Refresh(t)) if t.as_str() == "a-b_c%+")
        );
    }

    #[test]
    fn bad_forms_are_refused_with_their_cause() {
        let cases: [(&[u8], FormError); 9] = [
            (b"", FormError::Malformed),
            (b"\xff=1", FormError::Malformed),
            (b"grant_type=%4", FormError::Malformed),
            (b"grant_type=password&device=1", FormError::GrantType),
            (b"grant_type=refresh_token", FormError::Fields),
            (b"grant_type=refresh_token&refresh_token=a&refresh_token=b", FormError::Fields),
            (b"grant_type=refresh_token&refresh_token=a&scope=b", FormError::Fields),
            (b"device=00", FormError::Fields),
            (b"grant_type=urn:ward:device-assertion&device=00", FormError::Device),
        ];
        for (body, error) in cases {
            assert_eq!(TokenRequest::from_form(body).err(), Some(error), "{}", String::from_utf8_lossy(body));
        }
    }
}
