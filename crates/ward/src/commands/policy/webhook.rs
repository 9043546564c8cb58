//! `ward policy webhook`: what a cluster asks before it admits an object.
//!
//! Whatever goes wrong is no answer that admits: the cluster's own configuration (`failurePolicy: Fail`) then
//! refuses. The only command of `ward policy` that starts a runtime.

mod pem_files;
mod renewal;

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
use pem_files::PemFiles;
use renewal::Renewal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use ward_policy::admission::{OpenFindings, answer_review};
use ward_policy::limits::MAX_REVIEW_BYTES;
use ward_policy::rules::RuleSet;
use ward_server::{Listeners, serve_router};

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
    let files = PemFiles::read(&args.cert, &args.key).map_err(|fault| not_started(&fault))?;
    write_logs()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("the asynchronous runtime did not start", error))?;
    runtime.block_on(serve(args, files, Arc::new(Judge { rules, open }), out))?;
    Ok(ExitCode::SUCCESS)
}

fn not_started(fault: &dyn std::fmt::Display) -> Failure {
    Failure::input("the webhook does not start", fault, "give a certificate and its key as PEM")
}

async fn serve(
    args: &PolicyWebhookArgs,
    files: PemFiles,
    judge: Arc<Judge>,
    out: &Out,
) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let identity = files.identity().map_err(|fault| not_started(&fault))?;
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
    let mut beside = tokio::task::JoinSet::new();
    if let Some(served) = listeners.identity() {
        let renewal = Renewal::of(args.cert.clone(), args.key.clone(), &files);
        beside.spawn(renewal.watch(served));
    }
    drop(files);
    serve_router(router(judge), listeners, stop).await;
    beside.shutdown().await;
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
