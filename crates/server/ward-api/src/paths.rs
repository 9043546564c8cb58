//! Paths: route patterns as constants (`{name}` marks a variable part) and, for callers, one
//! function each that fills in typed values.

use crate::token::escape;
use crate::{LogName, TilePath};
use ward_id::{BlobAddress, ChartId, DeviceId, MlogEntryHash, TicketId};

/// The process is up.
pub const HEALTHZ: &str = "/healthz";
/// The process can serve: store, logs and keys are at hand.
pub const READYZ: &str = "/readyz";
/// [`crate::Limits`].
pub const LIMITS: &str = "/v1/limits";
/// The OpenAPI document.
pub const OPENAPI: &str = "/v1/openapi.json";
/// [`crate::SiteInfo`].
pub const SITE: &str = "/v1/site";
/// Registering and listing tickets.
pub const TICKETS: &str = "/v1/tickets";
/// Setting a ticket's state.
pub const TICKET_STATE: &str = "/v1/tickets/{ticket}/state";
/// Reading and redeeming a ticket.
pub const ENROL: &str = "/v1/enrol/{ticket}";
/// Tokens (RFC 6749 §3.2).
pub const TOKEN: &str = "/v1/token";
/// Ending a refresh family (RFC 7009).
pub const TOKEN_REVOKE: &str = "/v1/token/revoke";
/// The newest signed note of the membership log.
pub const MLOG_CHECKPOINT: &str = "/v1/mlog/checkpoint";
/// The newest signed note of the operation log.
pub const OLOG_CHECKPOINT: &str = "/v1/olog/checkpoint";
/// Tiles of the membership log.
pub const MLOG_TILE: &str = "/v1/mlog/tile/{level}/{*index}";
/// Tiles of the operation log.
pub const OLOG_TILE: &str = "/v1/olog/tile/{level}/{*index}";
/// What a restored server waits for before its operation log goes on.
pub const OLOG_REOPENING: &str = "/v1/olog/reopening";
/// Consistency proofs of the membership log.
pub const MLOG_CONSISTENCY: &str = "/v1/mlog/consistency";
/// Consistency proofs of the operation log.
pub const OLOG_CONSISTENCY: &str = "/v1/olog/consistency";
/// Many proofs about the operation log under one head.
pub const OLOG_PROOFS: &str = "/v1/olog/proofs";
/// Leaves of the membership log.
pub const MLOG_LEAVES: &str = "/v1/mlog/leaves";
/// Reading and appending membership entries.
pub const MLOG_ENTRIES: &str = "/v1/mlog/entries";
/// Entries that wait for a second signature.
pub const MLOG_PROPOSALS: &str = "/v1/mlog/proposals";
/// One of them.
pub const MLOG_PROPOSAL: &str = "/v1/mlog/proposals/{hash}";
/// The caller's charts.
pub const CHARTS: &str = "/v1/charts";
/// Pushing and pulling envelopes.
pub const ENVELOPES: &str = "/v1/charts/{chart}/envelopes";
/// The version vector.
pub const HAVE: &str = "/v1/charts/{chart}/have";
/// Comparing the version vectors of many charts.
pub const HAVE_OF_MANY: &str = "/v1/have";
/// Counted epoch packages.
pub const EPOCHS: &str = "/v1/charts/{chart}/epochs";
/// The stream of hints.
pub const EVENTS: &str = "/v1/charts/{chart}/events";
/// Asking the witnesses for the time.
pub const WITNESS_TIME: &str = "/v1/witness/time";
/// Suspending a device.
pub const SUSPEND: &str = "/v1/devices/{device}/suspend";
/// Bisecting one chain.
pub const RECONCILE: &str = "/v1/charts/{chart}/reconcile";
/// Handing in envelopes of others that the server lacks.
pub const RELAY: &str = "/v1/charts/{chart}/relay";
/// What the server has of a blob.
pub const BLOB: &str = "/v1/charts/{chart}/blobs/{address}";
/// One chunk of it.
pub const BLOB_CHUNK: &str = "/v1/charts/{chart}/blobs/{address}/{chunk}";
/// The drop box: handing entries over, and listing what waits.
pub const DROP: &str = "/v1/drop";
/// Saying what became of a drop.
pub const DROP_STATE: &str = "/v1/drop/state";
/// What the membership log says against a device, for that device.
pub const REVOCATION: &str = "/v1/devices/{device}/revocation";
/// Of a witness service: cosigns a checkpoint (C2SP tlog-witness).
pub const WITNESS_ADD_CHECKPOINT: &str = "/add-checkpoint";
/// Of a witness service: signs a nonce with its time.
pub const WITNESS_SIGN_TIME: &str = "/sign-time";
/// Of a witness service: the newest checkpoint that it cosigned for a log, where a mirror of the log has
/// its own (C2SP tlog-mirror).
pub const WITNESS_CHECKPOINT: &str = "/{origin}/checkpoint";

/// The newest checkpoint that a witness cosigned for the log with this origin, percent-encoded into one
/// segment (RFC 3986 §2.1).
pub fn witness_checkpoint(origin: &str) -> String {
    format!("/{}/checkpoint", escape(origin))
}

/// `POST` here sets the state of a ticket.
pub fn ticket_state(ticket: TicketId) -> String {
    format!("/v1/tickets/{ticket}/state")
}

/// `GET` reads, `POST` redeems a ticket.
pub fn enrol(ticket: TicketId) -> String {
    format!("/v1/enrol/{ticket}")
}

/// The newest signed note of a log.
pub fn checkpoint(log: LogName) -> String {
    format!("/v1/{}/checkpoint", log.as_str())
}

/// One tile of a log (C2SP tlog-tiles).
pub fn tile(log: LogName, path: TilePath) -> String {
    format!("/v1/{}/{path}", log.as_str())
}

/// The proof that the log of size `to` extends that of size `from`.
pub fn consistency(log: LogName, from: u64, to: u64) -> String {
    format!("/v1/{}/consistency?from={from}&to={to}", log.as_str())
}

/// Leaves `from..to` of the membership log.
pub fn mlog_leaves(from: u64, to: u64) -> String {
    format!("{MLOG_LEAVES}?from={from}&to={to}")
}

/// The caller's part of the membership entries `from..to`.
pub fn mlog_entries(from: u64, to: u64) -> String {
    format!("{MLOG_ENTRIES}?from={from}&to={to}")
}

/// `DELETE` withdraws a proposal.
pub fn mlog_proposal(hash: MlogEntryHash) -> String {
    format!("{MLOG_PROPOSALS}/{hash}")
}

/// `POST` asks which entries stand at places of one chain.
pub fn reconcile(chart: ChartId) -> String {
    format!("/v1/charts/{chart}/reconcile")
}

/// `POST` hands in envelopes of others.
pub fn relay(chart: ChartId) -> String {
    format!("/v1/charts/{chart}/relay")
}

/// `POST` pushes envelopes.
pub fn envelopes(chart: ChartId) -> String {
    format!("/v1/charts/{chart}/envelopes")
}

/// `GET` pulls envelopes after an olog index; `None` starts at the beginning.
pub fn envelopes_after(chart: ChartId, after: Option<u64>, limit_bytes: usize) -> String {
    match after {
        Some(after) => format!("/v1/charts/{chart}/envelopes?after={after}&limit_bytes={limit_bytes}"),
        None => format!("/v1/charts/{chart}/envelopes?limit_bytes={limit_bytes}"),
    }
}

/// The version vector of a chart.
pub fn have(chart: ChartId) -> String {
    format!("/v1/charts/{chart}/have")
}

/// Counted epoch packages from an epoch on.
pub fn epochs(chart: ChartId, from: u64) -> String {
    format!("/v1/charts/{chart}/epochs?from={from}")
}

/// The stream of hints of a chart.
pub fn events(chart: ChartId) -> String {
    format!("/v1/charts/{chart}/events")
}

/// `GET` lists drops after a number; `None` starts at the beginning.
pub fn drops_after(after: Option<u64>) -> String {
    match after {
        Some(after) => format!("{DROP}?after={after}"),
        None => DROP.to_owned(),
    }
}

/// The path of [`revocation_from`] without its query.
pub fn revocation(device: DeviceId) -> String {
    format!("/v1/devices/{device}/revocation")
}

/// `GET` proves what stands against a device, from a size of the membership log on.
pub fn revocation_from(device: DeviceId, from: u64) -> String {
    format!("/v1/devices/{device}/revocation?from={from}")
}

/// What the server has of a blob.
pub fn blob(chart: ChartId, address: BlobAddress) -> String {
    format!("/v1/charts/{chart}/blobs/{address}")
}

/// `GET` reads one chunk of a blob.
pub fn blob_chunk(chart: ChartId, address: BlobAddress, chunk: u32) -> String {
    format!("/v1/charts/{chart}/blobs/{address}/{chunk}")
}

/// `PUT` sends one chunk of a blob that has so many bytes of ciphertext in all.
pub fn send_blob_chunk(chart: ChartId, address: BlobAddress, chunk: u32, sealed_size: u64) -> String {
    format!("/v1/charts/{chart}/blobs/{address}/{chunk}?sealed_size={sealed_size}")
}

/// `POST` suspends a device.
pub fn suspend(device: DeviceId) -> String {
    format!("/v1/devices/{device}/suspend")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern fits a path if each part is equal or the pattern's part is a variable.
    fn fits(pattern: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or("");
        let mut parts = path.split('/');
        for want in pattern.split('/') {
            if want.starts_with("{*") {
                return parts.next().is_some();
            }
            let Some(have) = parts.next() else { return false };
            if !(want == have || want.starts_with('{') && !have.is_empty()) {
                return false;
            }
        }
        parts.next().is_none()
    }

    #[test]
    fn every_builder_fits_its_pattern() {
        let (chart, device) = (ChartId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let (ticket, hash) = (TicketId::from_bytes([3; 16]), MlogEntryHash::from_bytes([4; 32]));
        let path: TilePath = "tile/0/x001/x234/067".parse().unwrap();
        let cases = [
            (TICKET_STATE, ticket_state(ticket)),
            (ENROL, enrol(ticket)),
            (MLOG_CHECKPOINT, checkpoint(LogName::Mlog)),
            (OLOG_CHECKPOINT, checkpoint(LogName::Olog)),
            (MLOG_TILE, tile(LogName::Mlog, path)),
            (OLOG_TILE, tile(LogName::Olog, path)),
            (OLOG_CONSISTENCY, consistency(LogName::Olog, 1, 2)),
            (MLOG_CONSISTENCY, consistency(LogName::Mlog, 1, 2)),
            (MLOG_LEAVES, mlog_leaves(0, 9)),
            (MLOG_ENTRIES, mlog_entries(0, 9)),
            (MLOG_PROPOSAL, mlog_proposal(hash)),
            (ENVELOPES, envelopes(chart)),
            (ENVELOPES, envelopes_after(chart, Some(3), 100)),
            (HAVE, have(chart)),
            (EPOCHS, epochs(chart, 0)),
            (EVENTS, events(chart)),
            (BLOB, blob(chart, BlobAddress::from_bytes([5; 32]))),
            (BLOB_CHUNK, blob_chunk(chart, BlobAddress::from_bytes([5; 32]), 7)),
            (BLOB_CHUNK, send_blob_chunk(chart, BlobAddress::from_bytes([5; 32]), 7, 100)),
            (SUSPEND, suspend(device)),
            (DROP, drops_after(None)),
            (DROP, drops_after(Some(7))),
            (REVOCATION, revocation(device)),
            (REVOCATION, revocation_from(device, 9)),
        ];
        for (pattern, path) in cases {
            assert!(fits(pattern, &path), "{pattern} {path}");
        }
        assert!(!fits(HAVE, &events(chart)));
    }
}
