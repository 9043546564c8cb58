//! Every route of the server in one table: who may call it, what it takes, what it gives. The
//! router, the OpenAPI document and the authorisation tests are all made from it, so a route
//! cannot exist without a limit, a rule and a test.

use crate::limits::{DROP_ENCODING_BYTES, ENROL_MAX_BYTES, SMALL_BODY_MAX_BYTES, SUBMISSION_MAX_BYTES};
use ward_api::{headers, limits, paths};

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// `GET /healthz`
    Healthz,
    /// `GET /readyz`
    Readyz,
    /// `GET /v1/limits`
    Limits,
    /// `GET /v1/openapi.json`
    OpenApi,
    /// `GET /v1/site`
    Site,
    /// `POST /v1/tickets`
    RegisterTicket,
    /// `GET /v1/tickets`
    ListTickets,
    /// `POST /v1/tickets/{ticket}/state`
    SetTicketState,
    /// `GET /v1/enrol/{ticket}`
    ReadTicket,
    /// `POST /v1/enrol/{ticket}`
    RedeemTicket,
    /// `POST /v1/token`
    Token,
    /// `POST /v1/token/revoke`
    EndSession,
    /// `GET /v1/mlog/checkpoint`
    MlogCheckpoint,
    /// `GET /v1/olog/checkpoint`
    OlogCheckpoint,
    /// `GET /v1/mlog/tile/{level}/{*index}`
    MlogTile,
    /// `GET /v1/olog/tile/{level}/{*index}`
    OlogTile,
    /// `GET /v1/mlog/consistency`
    MlogConsistency,
    /// `GET /v1/olog/consistency`
    OlogConsistency,
    /// `POST /v1/olog/proofs`
    OlogProofs,
    /// `GET /v1/mlog/leaves`
    MlogLeaves,
    /// `GET /v1/mlog/entries`
    ReadMlog,
    /// `POST /v1/mlog/entries`
    AppendMlog,
    /// `POST /v1/mlog/proposals`
    Propose,
    /// `GET /v1/mlog/proposals`
    ListProposals,
    /// `DELETE /v1/mlog/proposals/{hash}`
    WithdrawProposal,
    /// `GET /v1/charts`
    Charts,
    /// `POST /v1/charts/{chart}/envelopes`
    Push,
    /// `GET /v1/charts/{chart}/envelopes`
    Pull,
    /// `GET /v1/charts/{chart}/have`
    Have,
    /// `GET /v1/charts/{chart}/epochs`
    Epochs,
    /// `GET /v1/charts/{chart}/events`
    Events,
    /// `POST /v1/witness/time`
    WitnessTime,
    /// `POST /v1/devices/{device}/suspend`
    Suspend,
    /// `POST /v1/charts/{chart}/have`
    CompareHave,
    /// `POST /v1/have`
    CompareMany,
    /// `POST /v1/charts/{chart}/reconcile`
    Reconcile,
    /// `POST /v1/charts/{chart}/relay`
    Relay,
    /// `GET /v1/olog/reopening`
    OlogReopening,
    /// `POST /v1/olog/reopening`
    BringCheckpoint,
    /// `GET /v1/charts/{chart}/blobs/{address}`
    BlobState,
    /// `GET /v1/charts/{chart}/blobs/{address}/{chunk}`
    ReadBlob,
    /// `PUT /v1/charts/{chart}/blobs/{address}/{chunk}`
    WriteBlob,
    /// `POST /v1/drop`
    HandOver,
    /// `GET /v1/drop`
    ListDrops,
    /// `POST /v1/drop/state`
    SetDropState,
    /// `GET /v1/devices/{device}/revocation`
    Revocation,
}

/// Who may call a route. What depends on the thing itself (one's own ticket, a chart's devices)
/// is checked by the handler on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, counted strictly by address.
    Anybody,
    /// Anybody, for a supervisor's probes: counted by address as everything is.
    Probe,
    /// A device that proves its key, without a token.
    Possession,
    /// A device with a token.
    Device,
    /// A device of a coordinator, clinician, investigator or admin.
    Staff,
    /// A device of staff; and a participant's, for what asks for its own person's signature.
    Cosigner,
    /// A member of the chart in the path.
    Member,
}

/// The methods that routes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

impl Method {
    /// In capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What the server holds to for one route.
#[derive(Debug, Clone, Copy)]
pub struct RouteSpec {
    /// Which.
    pub route: Route,
    /// Its method.
    pub method: Method,
    /// Its path template.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Media type of the body, if it takes one.
    pub takes: Option<&'static str>,
    /// The largest body, bytes.
    pub body_max_bytes: usize,
    /// Status of success.
    pub success: u16,
    /// Media type of the answer, if it has a body.
    pub gives: Option<&'static str>,
    /// Query values: name and whether it must be there. All are decimal integers.
    pub query: &'static [(&'static str, bool)],
    /// What it does, in one line.
    pub summary: &'static str,
}

const CBOR: Option<&str> = Some(headers::MEDIA_CBOR);
const JSON: Option<&str> = Some(headers::MEDIA_JSON);
const TEXT: Option<&str> = Some(headers::MEDIA_TEXT);
const BYTES: Option<&str> = Some(headers::MEDIA_BYTES);
const EVENTS: Option<&str> = Some(headers::MEDIA_EVENTS);
const FORM: Option<&str> = Some(headers::MEDIA_FORM);
const RANGE: &[(&str, bool)] = &[("from", true), ("to", true)];

const fn get(
    route: Route,
    path: &'static str,
    access: Access,
    gives: Option<&'static str>,
    summary: &'static str,
) -> RouteSpec {
    let query = &[];
    RouteSpec {
        route,
        method: Method::Get,
        path,
        access,
        takes: None,
        body_max_bytes: 0,
        success: 200,
        gives,
        query,
        summary,
    }
}

const fn post(
    route: Route,
    path: &'static str,
    access: Access,
    body: (Option<&'static str>, usize),
    answer: (u16, Option<&'static str>),
    summary: &'static str,
) -> RouteSpec {
    RouteSpec {
        route,
        method: Method::Post,
        path,
        access,
        takes: body.0,
        body_max_bytes: body.1,
        success: answer.0,
        gives: answer.1,
        query: &[],
        summary,
    }
}

const fn asking(spec: RouteSpec, query: &'static [(&'static str, bool)]) -> RouteSpec {
    RouteSpec { query, ..spec }
}

const fn method(spec: RouteSpec, method: Method) -> RouteSpec {
    RouteSpec { method, ..spec }
}

/// All routes.
pub const ROUTES: &[RouteSpec] = &[
    get(Route::Healthz, paths::HEALTHZ, Access::Probe, TEXT, "The process is up"),
    get(Route::Readyz, paths::READYZ, Access::Probe, TEXT, "Store, logs and witnesses are in order"),
    get(Route::Limits, paths::LIMITS, Access::Anybody, JSON, "The limits of this server"),
    get(Route::OpenApi, paths::OPENAPI, Access::Anybody, JSON, "This document"),
    get(Route::Site, paths::SITE, Access::Anybody, CBOR, "Root policy, version and origins of the logs"),
    post(
        Route::RegisterTicket,
        paths::TICKETS,
        Access::Staff,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (201, None),
        "Registers a ticket",
    ),
    get(Route::ListTickets, paths::TICKETS, Access::Staff, CBOR, "The caller's tickets"),
    post(
        Route::SetTicketState,
        paths::TICKET_STATE,
        Access::Staff,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (204, None),
        "Certified, declined or void",
    ),
    get(
        Route::ReadTicket,
        paths::ENROL,
        Access::Anybody,
        CBOR,
        "Root policy and issuer's certificate for the holder of a ticket",
    ),
    post(
        Route::RedeemTicket,
        paths::ENROL,
        Access::Anybody,
        (CBOR, ENROL_MAX_BYTES),
        (202, None),
        "Redeems a ticket once",
    ),
    post(
        Route::Token,
        paths::TOKEN,
        Access::Possession,
        (FORM, SMALL_BODY_MAX_BYTES),
        (200, JSON),
        "Access and refresh tokens",
    ),
    post(
        Route::EndSession,
        paths::TOKEN_REVOKE,
        Access::Device,
        (None, 0),
        (204, None),
        "Ends the caller's session",
    ),
    get(
        Route::MlogCheckpoint,
        paths::MLOG_CHECKPOINT,
        Access::Device,
        TEXT,
        "The newest cosigned head of the membership log",
    ),
    get(
        Route::OlogCheckpoint,
        paths::OLOG_CHECKPOINT,
        Access::Device,
        TEXT,
        "The newest cosigned head of the operation log",
    ),
    get(Route::MlogTile, paths::MLOG_TILE, Access::Device, BYTES, "A tile of the membership log"),
    get(Route::OlogTile, paths::OLOG_TILE, Access::Device, BYTES, "A tile of the operation log"),
    asking(
        get(Route::MlogConsistency, paths::MLOG_CONSISTENCY, Access::Device, CBOR, "A consistency proof"),
        RANGE,
    ),
    asking(
        get(Route::OlogConsistency, paths::OLOG_CONSISTENCY, Access::Device, CBOR, "A consistency proof"),
        RANGE,
    ),
    post(
        Route::OlogProofs,
        paths::OLOG_PROOFS,
        Access::Device,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (200, CBOR),
        "Many proofs under one head of the operation log",
    ),
    asking(
        get(
            Route::MlogLeaves,
            paths::MLOG_LEAVES,
            Access::Device,
            BYTES,
            "Leaves of the membership log, 48 bytes each",
        ),
        RANGE,
    ),
    asking(
        get(
            Route::ReadMlog,
            paths::MLOG_ENTRIES,
            Access::Device,
            CBOR,
            "The caller's part of the membership log",
        ),
        RANGE,
    ),
    post(
        Route::AppendMlog,
        paths::MLOG_ENTRIES,
        Access::Device,
        (CBOR, SUBMISSION_MAX_BYTES),
        (200, CBOR),
        "Appends a membership entry",
    ),
    post(
        Route::Propose,
        paths::MLOG_PROPOSALS,
        Access::Staff,
        (CBOR, limits::MLOG_ENTRY_MAX_BYTES + 16),
        (201, None),
        "Puts an entry up for a second signature",
    ),
    get(
        Route::ListProposals,
        paths::MLOG_PROPOSALS,
        Access::Cosigner,
        CBOR,
        "Entries that wait for a second signature",
    ),
    method(
        post(
            Route::WithdrawProposal,
            paths::MLOG_PROPOSAL,
            Access::Cosigner,
            (None, 0),
            (204, None),
            "Withdraws a proposal",
        ),
        Method::Delete,
    ),
    get(Route::Charts, paths::CHARTS, Access::Device, CBOR, "Charts of which the caller is a member"),
    post(
        Route::Push,
        paths::ENVELOPES,
        Access::Member,
        (CBOR, limits::PUSH_MAX_BYTES + limits::PUSH_ENCODING_BYTES),
        (200, CBOR),
        "Pushes envelopes of one chain; gives a receipt",
    ),
    asking(
        get(Route::Pull, paths::ENVELOPES, Access::Member, CBOR, "Envelopes after an index"),
        &[("after", false), ("limit_bytes", false)],
    ),
    get(Route::Have, paths::HAVE, Access::Member, CBOR, "The version vector of the chart"),
    asking(
        get(Route::Epochs, paths::EPOCHS, Access::Member, CBOR, "Counted epoch packages"),
        &[("from", false)],
    ),
    get(Route::Events, paths::EVENTS, Access::Member, EVENTS, "A stream of hints"),
    post(
        Route::WitnessTime,
        paths::WITNESS_TIME,
        Access::Device,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (200, CBOR),
        "The witnesses' times over a nonce",
    ),
    post(
        Route::Suspend,
        paths::SUSPEND,
        Access::Staff,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (204, None),
        "Suspends a device for a time, or lifts it",
    ),
    post(
        Route::CompareHave,
        paths::HAVE,
        Access::Member,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (200, CBOR),
        "Compares the caller's version vector with the server's",
    ),
    post(
        Route::CompareMany,
        paths::HAVE_OF_MANY,
        Access::Device,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (200, CBOR),
        "Compares the caller's version vectors of many charts with the server's",
    ),
    post(
        Route::Reconcile,
        paths::RECONCILE,
        Access::Member,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (200, CBOR),
        "The entries at places of one chain",
    ),
    post(
        Route::Relay,
        paths::RELAY,
        Access::Member,
        (CBOR, limits::PUSH_MAX_BYTES + limits::PUSH_ENCODING_BYTES),
        (200, CBOR),
        "Takes envelopes of others that the server lacks; gives a receipt",
    ),
    get(
        Route::OlogReopening,
        paths::OLOG_REOPENING,
        Access::Device,
        CBOR,
        "What a restored server waits for before its operation log goes on",
    ),
    post(
        Route::BringCheckpoint,
        paths::OLOG_REOPENING,
        Access::Device,
        (CBOR, limits::OLD_CHECKPOINT_MAX_BYTES),
        (204, None),
        "Takes a cosigned checkpoint of the operation log that ended",
    ),
    post(
        Route::HandOver,
        paths::DROP,
        Access::Possession,
        (CBOR, limits::DROP_BATCH_MAX_BYTES + DROP_ENCODING_BYTES),
        (204, None),
        "Takes entries of a device that may not seal, sealed to staff",
    ),
    asking(
        get(Route::ListDrops, paths::DROP, Access::Staff, CBOR, "Drops that wait in the caller's charts"),
        &[("after", false)],
    ),
    post(
        Route::SetDropState,
        paths::DROP_STATE,
        Access::Staff,
        (CBOR, SMALL_BODY_MAX_BYTES),
        (204, None),
        "Takes a drop off the list: adopted or declined",
    ),
    asking(
        get(
            Route::Revocation,
            paths::REVOCATION,
            Access::Possession,
            CBOR,
            "What the membership log says against the calling device",
        ),
        &[("from", true)],
    ),
    get(Route::BlobState, paths::BLOB, Access::Member, CBOR, "Which chunks of a blob the server has"),
    get(Route::ReadBlob, paths::BLOB_CHUNK, Access::Member, BYTES, "A chunk of a complete blob"),
    asking(
        method(
            post(
                Route::WriteBlob,
                paths::BLOB_CHUNK,
                Access::Member,
                (BYTES, limits::BLOB_CHUNK_MAX_BYTES),
                (200, CBOR),
                "Sends a chunk of a blob; the last one completes it",
            ),
            Method::Put,
        ),
        &[("sealed_size", true)],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_route_stands_once_and_fits_its_rule() {
        let mut seen = BTreeSet::new();
        for spec in ROUTES {
            assert!(seen.insert((spec.path, spec.method.as_str())), "{} {}", spec.method.as_str(), spec.path);
            assert_eq!(spec.takes.is_some(), spec.body_max_bytes > 0, "{}", spec.path);
            assert!(spec.access != Access::Member || spec.path.contains("{chart}"), "{}", spec.path);
            assert!(!spec.summary.ends_with('.') && !spec.summary.is_empty());
        }
        assert_eq!(ROUTES.iter().map(|spec| spec.route).collect::<BTreeSet<_>>().len(), ROUTES.len());
    }
}
