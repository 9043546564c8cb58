//! What an operator may set. Reading the file and the environment is the command's business.

use crate::client_address::AddressBlock;
use crate::limits::DRAIN_DEFAULT_S;
use crate::witness_client::WitnessAddress;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use ward_api::Limits;

/// Configuration of one server. Unknown names are errors: a misspelt limit must not pass for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The addresses under which devices reach this server, such as `https://ward.example`. The
    /// first one names the issuer of tokens.
    pub origins: Vec<String>,
    /// Certificate and key. Only a loopback address may go without.
    pub tls: Option<TlsFiles>,
    /// Where `/metrics` listens; nowhere by default.
    pub metrics_listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressBlock>,
    /// Time that a shutdown gives to requests in flight, seconds.
    pub drain_s: u64,
    /// Request rates.
    pub rates: RateConfig,
    /// Witness services. Without any, witnesses must be given to the server in its own process.
    pub witnesses: Vec<WitnessAddress>,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub cert_file: PathBuf,
    /// The private key; its owner alone may read it.
    pub key_file: PathBuf,
}

/// Requests per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateConfig {
    /// Of one device.
    pub device_per_min: u32,
    /// Of one person over all devices.
    pub person_per_min: u32,
    /// From one address.
    pub address_per_min: u32,
    /// From one address without a token.
    pub anonymous_per_min: u32,
    /// Bytes that one device sends.
    pub device_bytes_per_min: u32,
    /// Membership entries that one device sends.
    pub device_mlog_appends_per_min: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            device_per_min: limits.device_requests_per_min,
            person_per_min: limits.person_requests_per_min,
            address_per_min: limits.address_requests_per_min,
            anonymous_per_min: limits.address_anonymous_per_min,
            device_bytes_per_min: limits.device_bytes_per_min,
            device_mlog_appends_per_min: limits.device_mlog_appends_per_min,
        }
    }
}

impl RateConfig {
    /// The limits with these rates.
    pub fn limits(&self) -> Limits {
        Limits {
            device_requests_per_min: self.device_per_min,
            person_requests_per_min: self.person_per_min,
            address_requests_per_min: self.address_per_min,
            address_anonymous_per_min: self.anonymous_per_min,
            device_bytes_per_min: self.device_bytes_per_min,
            device_mlog_appends_per_min: self.device_mlog_appends_per_min,
            ..Limits::default()
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_443),
            origins: vec!["https://localhost:8443".to_owned()],
            tls: None,
            metrics_listen: None,
            trusted_proxies: Vec::new(),
            drain_s: DRAIN_DEFAULT_S,
            rates: RateConfig::default(),
            witnesses: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_errors_at_every_level() {
        for bad in [
            r#"{"lisen": "127.0.0.1:1"}"#,
            r#"{"rates": {"devices_per_min": 1}}"#,
            r#"{"tls": {"cert_file": "a", "key_file": "b", "key": "c"}}"#,
            r#"{"witnesses": [{"name": "a", "url": "b", "key": "c"}]}"#,
            r#"{"trusted_proxies": ["10.0.0.0/99"]}"#,
        ] {
            assert!(serde_json::from_str::<ServerConfig>(bad).is_err(), "{bad}");
        }
        let default: ServerConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(default, ServerConfig::default());
        let text = serde_json::to_string(&default).unwrap();
        assert_eq!(serde_json::from_str::<ServerConfig>(&text).unwrap(), default);
    }
}
