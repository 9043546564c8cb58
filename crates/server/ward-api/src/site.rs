//! What anybody may ask a server about its site.

use crate::Opaque;
use minicbor::{Decode, Encode};

/// Answer of `GET /v1/site`. Nothing in it is trusted: a device compares the hash of the root
/// policy with the pin of its ticket.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SiteInfo {
    /// Canonical bytes of the root policy.
    #[n(0)]
    pub root_policy: Opaque,
    /// Version of the server program.
    #[n(1)]
    pub server_version: String,
    /// Origin line of the membership log.
    #[n(2)]
    pub mlog_origin: String,
    /// Origin line of the operation log.
    #[n(3)]
    pub olog_origin: String,
    /// Names the newest restore of the server's database, if it was ever restored: whoever handed something
    /// over before does so again.
    #[n(4)]
    pub restore: Option<Opaque>,
}
