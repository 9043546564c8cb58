//! Tokens: a device proves its key, gets an access token for minutes and a refresh token for one
//! use.

use crate::App;
use crate::call::{Answer, Call, Caller, answer, done};
use crate::clock::random;
use crate::gate::{certified, not_suspended, take_up};
use crate::jose::access_token::TokenSubject;
use crate::jose::dpop::VerifiedProof;
use crate::limits::{REFRESH_LIFE_PATIENT_MS, REFRESH_LIFE_STAFF_MS};
use crate::problem_response::{Refusal, no_randomness, rate_limited, refuse};
use crate::server_secrets::refresh_hash;
use crate::store_problem::store_failed;
use ward_api::{ErrorCode, RefreshText, TOKEN_TYPE, TokenAnswer, TokenRequest};
use ward_id::{DeviceId, base64url_decode, base64url_encode};
use ward_store::{FamilyId, KeyThumbprint, NewRefreshFamily, RotateError, RotateRefresh, Store};
use zeroize::Zeroizing;

pub(super) async fn grant<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let proof = call.proof()?;
    let request =
        TokenRequest::from_form(&call.body).map_err(|error| refuse(ErrorCode::BadForm, error.to_string()))?;
    match request {
        TokenRequest::Device(device) => {
            let caller = admit(app, call, device, proof)?;
            let version = session_version(app, call, device).await?;
            let refresh = begin_family(app, call, &caller, proof).await?;
            token_answer(app, call, &caller, version, proof, &refresh)
        }
        TokenRequest::Refresh(text) => refresh(app, call, &text, proof).await,
    }
}

fn admit<S: Store>(
    app: &App<S>,
    call: &Call,
    device: DeviceId,
    proof: &VerifiedProof,
) -> Result<Caller, Refusal> {
    let caller = certified(app, device, proof, call.now)?;
    take_up(app, proof, call.now)?;
    app.rates().check_device(caller.device, caller.person).map_err(rate_limited)?;
    Ok(caller)
}

async fn session_version<S: Store>(app: &App<S>, call: &Call, device: DeviceId) -> Result<u64, Refusal> {
    let session = app.store().device_session(device, call.now).await.map_err(store_failed)?;
    not_suspended(session.suspension.map(|suspension| suspension.until))?;
    Ok(session.session_version)
}

async fn begin_family<S: Store>(
    app: &App<S>,
    call: &Call,
    caller: &Caller,
    proof: &VerifiedProof,
) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let family = FamilyId::from_bytes(random(app.entropy()).map_err(no_randomness)?);
    let token = app.secrets().refresh_token(family, 0);
    let life_ms = if caller.role.is_staff() { REFRESH_LIFE_STAFF_MS } else { REFRESH_LIFE_PATIENT_MS };
    let new = NewRefreshFamily {
        family,
        device: caller.device,
        jkt: KeyThumbprint::from_bytes(proof.key.0),
        token_hash: refresh_hash(&token),
        expires_at: call.now.plus_ms(life_ms),
    };
    app.store().create_refresh_family(new).await.map_err(store_failed)?;
    Ok(token)
}

async fn refresh<S: Store>(app: &App<S>, call: &Call, text: &RefreshText, proof: &VerifiedProof) -> Answer {
    let invalid = || {
        refuse(ErrorCode::RefreshInvalid, "Ask for a new session with grant_type=urn:ward:device-assertion.")
    };
    let bytes = Zeroizing::new(base64url_decode(text.as_str()).map_err(|_| invalid())?);
    let token: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.as_slice().try_into().map_err(|_| invalid())?);
    let token_hash = refresh_hash(&token);
    let known = app.store().refresh_token(token_hash).await.map_err(store_failed)?.ok_or_else(invalid)?;
    let jkt = KeyThumbprint::from_bytes(proof.key.0);
    // Another key than the device's ends the family below; its own must still be good. A refusal
    // comes before the token is used up: the device will try again with it.
    let holder = if known.jkt == jkt {
        let caller = admit(app, call, known.device, proof)?;
        Some((caller, session_version(app, call, caller.device).await?))
    } else {
        None
    };
    let successor = app.secrets().refresh_token(known.family, known.generation.saturating_add(1));
    let rotate = RotateRefresh { token_hash, successor_hash: refresh_hash(&successor), jkt, now: call.now };
    app.store().rotate_refresh(rotate).await.map_err(|error| match error {
        RotateError::Invalid => invalid(),
        RotateError::Reused { device } => {
            app.sessions().forget(device);
            refuse(
                ErrorCode::RefreshReused,
                "Sign in anew; if the device was out of your hands, tell the study team.",
            )
        }
        RotateError::Store(error) => store_failed(error),
    })?;
    let (caller, version) = holder.ok_or_else(invalid)?;
    token_answer(app, call, &caller, version, proof, &successor)
}

fn token_answer<S: Store>(
    app: &App<S>,
    call: &Call,
    caller: &Caller,
    session_version: u64,
    proof: &VerifiedProof,
    refresh: &[u8; 32],
) -> Answer {
    let subject = TokenSubject { device: caller.device, role: caller.role, session_version, key: proof.key };
    let jti = random(app.entropy()).map_err(no_randomness)?;
    let (access_token, expires_in) = app.tokens().issue(&subject, &jti, call.now);
    let body = TokenAnswer {
        access_token,
        token_type: TOKEN_TYPE.to_owned(),
        expires_in,
        refresh_token: base64url_encode(refresh),
    };
    let text = serde_json::to_string(&body)
        .map_err(|_| refuse(ErrorCode::Internal, "The answer cannot be written."))?;
    answer(call.spec, text)
}

/// Ends the caller's session: its refresh family and every access token given out so far.
pub(super) async fn end_session<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device = call.caller()?.device;
    app.store().end_sessions(device).await.map_err(store_failed)?;
    app.sessions().forget(device);
    done(call.spec)
}
