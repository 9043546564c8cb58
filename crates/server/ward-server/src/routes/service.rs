//! What the server says about itself, and the witnesses' time.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use crate::openapi::openapi_text;
use crate::problem_response::refuse;
use crate::store_problem::store_failed;
use std::sync::OnceLock;
use ward_api::{ErrorCode, LogName, Opaque, SiteInfo, WitnessNonce};
use ward_store::Store;

pub(super) fn healthz(call: &Call) -> Answer {
    answer(call.spec, "ok\n")
}

/// Store writable, membership loaded, both logs compared with the witnesses, not shutting down.
pub(super) async fn readyz<S: Store>(app: &App<S>, call: &Call) -> Answer {
    if app.is_draining() {
        return Err(refuse(ErrorCode::Draining, "Send requests to another node."));
    }
    app.confirmed()?;
    if app.membership().read().manifest().is_none() {
        return Err(refuse(ErrorCode::Internal, "The membership log has no manifest."));
    }
    if app.desk(LogName::Mlog).cosigned().is_none() {
        return Err(refuse(
            ErrorCode::WitnessesUnreachable,
            "No head of the membership log was cosigned yet.",
        ));
    }
    app.check_writable().await.map_err(store_failed)?;
    answer(call.spec, "ready\n")
}

pub(super) fn limits<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let text = serde_json::to_string(app.limits());
    answer(call.spec, text.map_err(|_| refuse(ErrorCode::Internal, "The limits cannot be written."))?)
}

pub(super) fn openapi(call: &Call) -> Answer {
    static TEXT: OnceLock<String> = OnceLock::new();
    answer(call.spec, TEXT.get_or_init(openapi_text).as_str())
}

pub(super) fn site<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let info = SiteInfo {
        root_policy: Opaque(app.root_policy().to_vec()),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        mlog_origin: app.desk(LogName::Mlog).origin().to_string(),
        olog_origin: app.desk(LogName::Olog).origin().to_string(),
        restore: app.restore_mark().map(|mark| Opaque(mark.to_vec())),
    };
    answer_cbor(call.spec, &info)
}

pub(super) async fn witness_time<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let WitnessNonce(nonce) = call.decode()?;
    let times = app.witnesses().times(nonce).await;
    if times.is_empty() {
        return Err(refuse(
            ErrorCode::WitnessesUnreachable,
            "No witness answered; try again, or tell the operator.",
        ));
    }
    answer_cbor(call.spec, &times)
}
