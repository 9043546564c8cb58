//! The address a DPoP proof is made for (`htu`, RFC 9449 §4.2), compared exactly.
//!
//! Scheme and host are compared without regard to case and the default port may be left out
//! (RFC 3986 §6.2.2.1 and §6.2.3). Paths are compared byte for byte: a proof for `/a/../b` is no
//! proof for `/b`, and nobody needs one that is.

/// An address the server answers under, such as `https://ward.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// Text that is not an origin. Whoever wrote the configuration must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin: write https://host or https://host:port, without a path")]
pub struct OriginError(pub String);

impl Origin {
    /// Reads `scheme://host[:port]`.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let wrong = || OriginError(text.to_owned());
        let (origin, path) = split(text).ok_or_else(wrong)?;
        if path.is_empty() { Ok(Self(origin)) } else { Err(wrong()) }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `htu` names `path` under this origin.
    pub fn names(&self, htu: &str, path: &str) -> bool {
        // The usual spelling needs no taking apart; a path has neither query nor fragment.
        let plain = path.starts_with('/') && !path.contains(['?', '#']);
        if plain && htu.strip_prefix(self.0.as_str()) == Some(path) {
            return true;
        }
        split(htu).is_some_and(|(origin, claimed)| origin == self.0 && claimed == path)
    }
}

/// Splits an absolute address into its normalised origin and its path.
/// Queries, fragments and user information are refused.
fn split(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '?' | '#' | '\\' | '%' | '"' | '<' | '>');
    if authority.is_empty() || !authority.chars().all(plain) || path.contains(['?', '#']) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    Some((format!("{scheme}://{authority}"), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_scheme_host_and_default_port_is_free() {
        let origin = Origin::parse("https://Ward.Example:443").unwrap();
        assert_eq!(origin.as_str(), "https://ward.example");
        for same in ["https://ward.example/v1/site", "HTTPS://WARD.EXAMPLE:443/v1/site"] {
            assert!(origin.names(same, "/v1/site"), "{same}");
        }
    }

    /// Red team 37: a proof for another address is no proof.
    #[test]
    fn rt_37_other_addresses_are_refused() {
        let origin = Origin::parse("https://ward.example").unwrap();
        let other = [
            "http://ward.example/v1/site",
            "https://ward.example:8443/v1/site",
            "https://ward.example.evil/v1/site",
            "https://evil/ward.example/v1/site",
            "https://ward.example@evil/v1/site",
            "https://user@ward.example/v1/site",
            "https://ward.example/v1/site?x=1",
            "https://ward.example/v1/site#x",
            "https://ward.example/v1/site/",
            "https://ward.example//v1/site",
            "https://ward.example/v1/./site",
            "https://ward.example/v1/x/../site",
            "https://ward.example/v1/%73ite",
            "https://ward.example/V1/site",
            "https://ward.example\\/v1/site",
            "/v1/site",
            "",
        ];
        for text in other {
            assert!(!origin.names(text, "/v1/site"), "{text}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        for bad in ["https://a/", "https://a/b", "ftp://a", "a", "https://", "https://a?b"] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
