//! `ward policy webhook`: what a cluster asks before it admits an object.
//!
//! Whatever goes wrong is no answer that admits: the cluster's own configuration (`failurePolicy: Fail`) then
//! refuses. The only command of `ward policy` that starts a runtime.

use super::rules_of;
use crate::cli::{OpenFindingsArg, PolicyWebhookArgs};
use crate::commands::serve::{stop_signal, write_logs};
use crate::exit::Failure;
use crate::print::Out;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use ward_policy::admission::{OpenFindings, answer_review};
use ward_policy::limits::MAX_REVIEW_BYTES;
use ward_policy::rules::RuleSet;
use ward_server::{Listeners, TlsIdentity, serve_router};

/// Seconds in which requests in flight are finished; a cluster waits for five.
const DRAIN_S: u64 = 5;

/// What every review is judged by.
struct Judge {
    rules: RuleSet,
    open: OpenFindings,
}

/// Runs the command.
///
/// # Errors
/// Every reason not to start.
pub fn run(args: &PolicyWebhookArgs, out: &Out) -> Result<ExitCode, Failure> {
    let rules = rules_of(args.rules.as_deref(), args.settings.as_deref())?;
    let open = match args.open {
        OpenFindingsArg::Refuse => OpenFindings::Refuse,
        OpenFindingsArg::Warn => OpenFindings::Warn,
    };
    let identity = TlsIdentity::from_files(&args.cert, &args.key).map_err(|error| {
        Failure::input("the webhook does not start", error, "give a certificate and its key as PEM")
    })?;
    write_logs()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("the asynchronous runtime did not start", error))?;
    runtime.block_on(serve(args, identity, Arc::new(Judge { rules, open }), out))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    args: &PolicyWebhookArgs,
    identity: TlsIdentity,
    judge: Arc<Judge>,
    out: &Out,
) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let drain = Duration::from_secs(DRAIN_S);
    let listeners =
        Listeners::bind_with(args.listen, Some(identity), None, drain).await.map_err(|error| {
            Failure::input(
                "the webhook does not start",
                error,
                "choose another address, or mend the certificate",
            )
        })?;
    let address = listeners.address().unwrap_or(args.listen);
    out.both(
        format!("Ward answers reviews on https://{address}/validate"),
        &serde_json::json!({"address": address}),
    );
    serve_router(router(judge), listeners, stop).await;
    out.line("Stopped.");
    Ok(())
}

fn router(judge: Arc<Judge>) -> Router {
    Router::new()
        .route("/validate", post(validate))
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(MAX_REVIEW_BYTES))
        .with_state(judge)
}

async fn validate(State(judge): State<Arc<Judge>>, body: Bytes) -> Response {
    // A large object takes a while: connections that wait are not held up by it.
    let judged = tokio::task::spawn_blocking(move || answer_review(&body, &judge.rules, judge.open)).await;
    match judged {
        Ok(Ok(answer)) => {
            tracing::info!(admitted = answer.admits(), "a review was answered");
            ([(CONTENT_TYPE, "application/json")], answer.to_json()).into_response()
        }
        Ok(Err(nameless)) => {
            tracing::warn!(error = %nameless, "a request was no review");
            (StatusCode::BAD_REQUEST, nameless.to_string()).into_response()
        }
        Err(fault) => {
            tracing::error!(error = %fault, "a review was not judged");
            (StatusCode::INTERNAL_SERVER_ERROR, "the review was not judged").into_response()
        }
    }
}
