//! The gate: every request passes here, in one order, before a handler sees it. Address rate,
//! declared size, token, proof, certificate, replay, device rate, session, role, then the body. A small body
//! without a token comes before its proof.

use crate::App;
use crate::body_room::BodyShare;
use crate::call::{Call, Caller, Query, path_id, path_values};
use crate::client_address::client_address;
use crate::jose::access_token::{AccessTokenError, TokenSubject};
use crate::jose::dpop::{DpopError, ProofRequest, VerifiedProof};
use crate::jose::replay::ReplayError;
use crate::limits::{BODY_TIMEOUT_MS, SMALL_BODY_MAX_BYTES};
use crate::membership_desk::policy_number;
use crate::problem_response::{Refusal, rate_limited, refuse, refuse_with};
use crate::route_table::{Access, Route, RouteSpec};
use crate::store_problem::store_failed;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::net::IpAddr;
use std::time::Duration;
use ward_api::{ErrorCode, ProblemMembers, headers, limits::TARGET_MAX_BYTES};
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, TimestampMs};
use ward_store::Store;

/// The address of the peer, put into the request by the listener. A router that is called without
/// a socket has none, and then no address is counted.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub IpAddr);

/// Lets a request through or refuses it.
pub(crate) async fn pass<S: Store>(
    app: &App<S>,
    spec: &'static RouteSpec,
    request: Request<Body>,
) -> Result<Call, Refusal> {
    let (mut parts, body) = request.into_parts();
    let now = app.clock().now();
    let peer = check_address(app, &parts)?;
    check_anonymous(app, spec, peer)?;
    check_declared(spec, &parts)?;
    let params = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| refuse(ErrorCode::BadPath, "The path has a part that is not UTF-8."))?;
    let path = path_values(&params);
    let (mut caller, mut proof) = (None, None);
    match spec.access {
        Access::Anybody | Access::Probe => {}
        Access::Possession if spec.body_max_bytes > SMALL_BODY_MAX_BYTES => {
            proof = Some(certified_proof(app, &parts, now)?);
        }
        // After its body: an answer before it is read ends the connection, and the first proof of a
        // session mostly lacks the newest nonce.
        Access::Possession => {}
        Access::Device | Access::Staff | Access::Cosigner | Access::Member => {
            let known = authenticate(app, &parts, now).await?;
            check_access(app, spec, &known, &path)?;
            caller = Some(known);
        }
    }
    let query = Query::read(parts.uri.query(), spec.query)?;
    let mut room = app.body_room().share();
    let body = read_body(spec, body, &mut room).await?;
    if spec.access == Access::Possession && proof.is_none() {
        proof = Some(proof_of(app, &parts, None, now)?);
    }
    Ok(Call { spec, caller, proof, path, query, body, now, _room: room })
}

/// The proof of somebody without a token whose large body is to be read: only if the key stands in a
/// certificate. Keys that anybody can make would fill the memory. The handler asks whose key it is.
fn certified_proof<S: Store>(
    app: &App<S>,
    parts: &Parts,
    now: TimestampMs,
) -> Result<VerifiedProof, Refusal> {
    let proof = proof_of(app, parts, None, now)?;
    if app.membership().read().knows_auth_key(&proof.auth_key_sec1) {
        return Ok(proof);
    }
    let detail = "Enrol the device, or wait until its certificate is in the log.";
    Err(refuse(ErrorCode::DeviceUnknown, detail))
}

fn peer_address<S: Store>(app: &App<S>, parts: &Parts) -> Option<IpAddr> {
    let PeerAddress(peer) = *parts.extensions.get::<PeerAddress>()?;
    let forwarded: Vec<&str> =
        parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    Some(client_address(peer, &forwarded, app.trusted_proxies()))
}

/// Counts a request by the address it comes from, whatever it asks for, also where there is nothing.
pub(crate) fn check_address<S: Store>(app: &App<S>, parts: &Parts) -> Result<Option<IpAddr>, Refusal> {
    let peer = peer_address(app, parts);
    if let Some(peer) = peer {
        app.rates().check_address(peer).map_err(rate_limited)?;
    }
    Ok(peer)
}

fn check_anonymous<S: Store>(app: &App<S>, spec: &RouteSpec, peer: Option<IpAddr>) -> Result<(), Refusal> {
    match (spec.access, peer) {
        (Access::Anybody | Access::Possession, Some(peer)) => {
            app.rates().check_anonymous(peer).map_err(rate_limited)
        }
        _ => Ok(()),
    }
}

/// What can be refused from the head alone.
fn check_declared(spec: &RouteSpec, parts: &Parts) -> Result<(), Refusal> {
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET_MAX_BYTES) {
        return Err(refuse(ErrorCode::BadPath, format!("A path has at most {TARGET_MAX_BYTES} bytes.")));
    }
    let declared = single(&parts.headers, CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > spec.body_max_bytes as u64) {
        return Err(too_large(spec));
    }
    match (spec.takes, single(&parts.headers, CONTENT_TYPE.as_str())) {
        (Some(media), Some(given)) if media_of(given).eq_ignore_ascii_case(media) => Ok(()),
        (Some(media), _) => Err(refuse(ErrorCode::MediaType, format!("Send the body as {media}."))),
        (None, _) => Ok(()),
    }
}

fn media_of(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn too_large(spec: &RouteSpec) -> Refusal {
    let pushes = matches!(spec.route, Route::Push | Route::Relay | Route::HandOver);
    let code = if pushes { ErrorCode::PushTooLarge } else { ErrorCode::TooLarge };
    let members = ProblemMembers { limit: Some(spec.body_max_bytes as u64), ..ProblemMembers::default() };
    refuse_with(code, format!("A body here has at most {} bytes.", spec.body_max_bytes), members)
}

async fn read_body(spec: &RouteSpec, body: Body, room: &mut BodyShare) -> Result<Bytes, Refusal> {
    let whole = read_parts(spec, Limited::new(body, spec.body_max_bytes), room);
    match tokio::time::timeout(Duration::from_millis(BODY_TIMEOUT_MS), whole).await {
        Ok(whole) => whole,
        Err(_) => Err(refuse(ErrorCode::RequestTimeout, "The body took too long; send it again.")),
    }
}

/// Takes room for each part as it comes: who declares much and sends nothing holds nobody up.
async fn read_parts(
    spec: &RouteSpec,
    mut body: Limited<Body>,
    room: &mut BodyShare,
) -> Result<Bytes, Refusal> {
    let mut parts: Vec<Bytes> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => too_large(spec),
            None => refuse(ErrorCode::Malformed, "The body broke off; send it again."),
        })?;
        if let Ok(data) = frame.into_data() {
            room.grow(data.len())?;
            parts.push(data);
        }
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => Ok(parts.into_iter().chain(last).collect::<Vec<Bytes>>().concat().into()),
    }
}

/// A header that stands there once, as text.
pub(crate) fn single<'a>(map: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = map.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

async fn authenticate<S: Store>(app: &App<S>, parts: &Parts, now: TimestampMs) -> Result<Caller, Refusal> {
    let token = access_token(&parts.headers)?;
    let subject = app.tokens().verify(token, now).map_err(token_refused)?;
    let proof = proof_of(app, parts, Some(token), now)?;
    if proof.key != subject.key {
        return Err(proof_invalid());
    }
    let caller = certified(app, subject.device, &proof, now)?;
    take_up(app, &proof, now)?;
    if caller.role != subject.role {
        return Err(token_refused(AccessTokenError::Invalid));
    }
    app.rates().check_device(caller.device, caller.person).map_err(rate_limited)?;
    check_session(app, &subject, now).await?;
    Ok(caller)
}

/// RFC 9449 §7.1: `Authorization: DPoP <token>`; the scheme's case is free (RFC 9110 §11.1).
fn access_token(map: &HeaderMap) -> Result<&str, Refusal> {
    let value = single(map, AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    match value {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(headers::AUTH_SCHEME) => Ok(token),
        _ => Err(refuse(
            ErrorCode::TokenMissing,
            "Send `Authorization: DPoP <token>`; POST /v1/token gives one.",
        )),
    }
}

fn token_refused(error: AccessTokenError) -> Refusal {
    match error {
        AccessTokenError::Invalid => refuse(ErrorCode::TokenInvalid, "Ask POST /v1/token for another one."),
        AccessTokenError::Expired => refuse(ErrorCode::TokenExpired, "Refresh it at POST /v1/token."),
    }
}

pub(crate) fn proof_invalid() -> Refusal {
    refuse(
        ErrorCode::ProofInvalid,
        "Make a proof for this method, address, token and nonce with the device's key.",
    )
}

/// Checks the DPoP proof of a request. It counts as used only once [`take_up`] has it.
fn proof_of<S: Store>(
    app: &App<S>,
    parts: &Parts,
    access_token: Option<&str>,
    now: TimestampMs,
) -> Result<VerifiedProof, Refusal> {
    let proof = single(&parts.headers, headers::DPOP).ok_or_else(proof_invalid)?;
    let request = ProofRequest { method: parts.method.as_str(), path: parts.uri.path(), access_token, now };
    app.proofs().verify(proof, &request).map_err(|error| match error {
        DpopError::Invalid => proof_invalid(),
        DpopError::UseNonce => {
            refuse(ErrorCode::UseNonce, "Repeat the request with the DPoP-Nonce of this answer.")
        }
    })
}

/// Takes a proof up, so that it cannot be used again. Only for a key that stands in a certificate:
/// proofs by keys that anybody can make would fill the memory, and then everybody is refused.
pub(crate) fn take_up<S: Store>(
    app: &App<S>,
    proof: &VerifiedProof,
    now: TimestampMs,
) -> Result<(), Refusal> {
    app.replays().put_if_absent(proof.key, &proof.jti, proof.nonce_at, now).map_err(|error| match error {
        ReplayError::Replayed => refuse(ErrorCode::ProofReplayed, "Make a new proof for every request."),
        ReplayError::Full => {
            let members = ProblemMembers { retry_after_s: Some(60), ..ProblemMembers::default() };
            refuse_with(
                ErrorCode::Busy,
                "The server has taken up too many proofs within minutes; try again.",
                members,
            )
        }
    })
}

/// The device must stand in the membership log with this key, unrevoked and in its time.
pub(crate) fn certified<S: Store>(
    app: &App<S>,
    device: DeviceId,
    proof: &VerifiedProof,
    now: TimestampMs,
) -> Result<Caller, Refusal> {
    let membership = app.membership().read();
    let Some(record) = membership.record(device) else {
        return Err(refuse(
            ErrorCode::DeviceUnknown,
            "Enrol the device, or wait until its certificate is in the log.",
        ));
    };
    let binding = &record.cert().binding;
    if binding.auth_pk.as_bytes() != &proof.auth_key_sec1 {
        return Err(proof_invalid());
    }
    if let Some(revocation) = record.revocation() {
        let policy = Some(policy_number(revocation.policy));
        let members = ProblemMembers { policy, ..ProblemMembers::default() };
        return Err(refuse_with(ErrorCode::Revoked, "Ask the study team for a new ticket.", members));
    }
    if !record.cert().valid_at(now) {
        return Err(refuse(ErrorCode::CertificateExpired, "Ask the study team for a new ticket."));
    }
    Ok(Caller { device, person: record.person(), role: record.role() })
}

async fn check_session<S: Store>(
    app: &App<S>,
    subject: &TokenSubject,
    now: TimestampMs,
) -> Result<(), Refusal> {
    let session = app.sessions().get(app.store(), subject.device, now).await.map_err(store_failed)?;
    if session.session_version != subject.session_version {
        return Err(refuse(
            ErrorCode::SessionEnded,
            "Ask POST /v1/token for a new session with the device's key.",
        ));
    }
    not_suspended(session.suspension.map(|suspension| suspension.until))
}

/// Refuses while a suspension lasts.
pub(crate) fn not_suspended(until: Option<TimestampMs>) -> Result<(), Refusal> {
    match until {
        None => Ok(()),
        Some(until) => {
            let members = ProblemMembers { until: Some(until), ..ProblemMembers::default() };
            Err(refuse_with(
                ErrorCode::Suspended,
                "Ask the study team; what you enter stays on the device.",
                members,
            ))
        }
    }
}

fn check_access<S: Store>(
    app: &App<S>,
    spec: &RouteSpec,
    caller: &Caller,
    path: &[(String, String)],
) -> Result<(), Refusal> {
    match spec.access {
        Access::Staff if !acts_as_staff(app, caller) => Err(refuse(
            ErrorCode::RoleNotAllowed,
            "Coordinators, clinicians, investigators and admins may do this.",
        )),
        Access::Cosigner if caller.role != Role::Patient && !acts_as_staff(app, caller) => Err(refuse(
            ErrorCode::RoleNotAllowed,
            "Staff and participants sign what others began; this device is neither's.",
        )),
        Access::Member => {
            let chart: ChartId = path_id(path, "chart")?;
            check_member(app, chart, caller.device)
        }
        _ => Ok(()),
    }
}

/// Whether the caller is staff now. An admin acts only while the newest manifest names them,
/// whatever their certificate says.
fn acts_as_staff<S: Store>(app: &App<S>, caller: &Caller) -> bool {
    match caller.role {
        Role::Admin => app.membership().read().is_admin(caller.device),
        role => role.is_staff(),
    }
}

/// Refuses a device that is no member of the chart, in the same words whether the chart exists or
/// not.
pub(crate) fn check_member<S: Store>(app: &App<S>, chart: ChartId, device: DeviceId) -> Result<(), Refusal> {
    if app.membership().read().is_member(chart, device) {
        Ok(())
    } else {
        Err(refuse(
            ErrorCode::NotMember,
            "Ask an admin of the site to add you, if you look after this participant.",
        ))
    }
}
