//! From a request to its answer: the route table becomes a router, every answer gets its headers,
//! its figures and its line in the log.

use crate::App;
use crate::call::{Answer, Call};
use crate::clock::random;
use crate::gate;
use crate::limits::REQUEST_TIMEOUT_MS;
use crate::problem_response::{Refusal, RefusalCode, problem_response, rate_limited, refuse};
use crate::route_table::{Method, ROUTES, Route, RouteSpec};
use crate::routes;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use http::Request;
use http::header::{CACHE_CONTROL, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use ward_api::{ErrorCode, headers};
use ward_store::Store;

/// The whole interface as a service. It needs no socket: tests and the in-process transport call
/// it directly. A listener adds the peer's address as [`crate::PeerAddress`].
pub fn router<S: Store>(app: Arc<App<S>>) -> Router {
    let mut router = Router::new();
    for spec in ROUTES {
        let handler =
            move |State(app): State<Arc<App<S>>>, request: Request<Body>| dispatch(app, spec, request);
        router = router.route(spec.path, on(filter(spec.method), handler));
    }
    router
        .fallback(|State(app): State<Arc<App<S>>>, request: Request<Body>| {
            nothing_here(
                app,
                request,
                ErrorCode::NotFound,
                "See docs/protocol.md for the paths of this version.",
            )
        })
        .method_not_allowed_fallback(|State(app): State<Arc<App<S>>>, request: Request<Body>| {
            nothing_here(
                app,
                request,
                ErrorCode::MethodNotAllowed,
                "See docs/protocol.md for the methods of this path.",
            )
        })
        .with_state(app)
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}

async fn dispatch<S: Store>(app: Arc<App<S>>, spec: &'static RouteSpec, request: Request<Body>) -> Response {
    let trace = Trace::begin(&app, spec.method.as_str(), spec.path);
    let _begun = InFlight::begin(&app);
    let answer = async {
        let call = gate::pass(&app, spec, request).await?;
        check_amounts(&app, &call)?;
        routes::handle(&app, call).await
    };
    let outcome = tokio::time::timeout(Duration::from_millis(REQUEST_TIMEOUT_MS), answer).await;
    let outcome = outcome.unwrap_or_else(|_| Err(refuse(ErrorCode::RequestSlow, "Try again later.")));
    trace.finish(&app, outcome)
}

/// What a device may send in a minute, beyond the number of its requests.
fn check_amounts<S: Store>(app: &App<S>, call: &Call) -> Result<(), Refusal> {
    let Some(caller) = call.caller else { return Ok(()) };
    app.rates().check_bytes(caller.device, call.body.len()).map_err(rate_limited)?;
    if call.spec.route == Route::AppendMlog {
        app.rates().check_mlog_append(caller.device).map_err(rate_limited)?;
    }
    Ok(())
}

async fn nothing_here<S: Store>(
    app: Arc<App<S>>,
    request: Request<Body>,
    code: ErrorCode,
    detail: &'static str,
) -> Response {
    // Neither the path nor an unknown method is repeated: both are the caller's words.
    let trace = Trace::begin(&app, "OTHER", "none");
    let (parts, _) = request.into_parts();
    let refusal = gate::check_address(&app, &parts).err().unwrap_or_else(|| refuse(code, detail));
    trace.finish(&app, Err(refusal))
}

/// Counts a request while it runs, and also when its caller hangs up.
struct InFlight<S: Store>(Arc<App<S>>);

impl<S: Store> InFlight<S> {
    fn begin(app: &Arc<App<S>>) -> Self {
        app.metrics().in_flight(1);
        Self(Arc::clone(app))
    }
}

impl<S: Store> Drop for InFlight<S> {
    fn drop(&mut self) {
        self.0.metrics().in_flight(-1);
    }
}

/// One request in the records: an id of its own, the route's template, no id of anybody.
struct Trace {
    id: String,
    method: &'static str,
    route: &'static str,
    began_ms: u64,
}

impl Trace {
    fn begin<S: Store>(app: &App<S>, method: &'static str, route: &'static str) -> Self {
        let id = random::<8>(app.entropy()).unwrap_or_default();
        Self { id: ward_id::hex_encode(&id), method, route, began_ms: app.clock().monotonic_ms() }
    }

    fn finish<S: Store>(self, app: &App<S>, outcome: Answer) -> Response {
        let mut response = outcome.unwrap_or_else(|mut problem| {
            problem.members.request_id = Some(self.id.clone());
            problem_response(&problem)
        });
        let refusal = response.extensions().get::<RefusalCode>().map(|code| code.0);
        let out = response.headers_mut();
        out.insert(CACHE_CONTROL, HeaderValue::from_static(headers::NO_STORE));
        let nonce = app.proofs().fresh_nonce(app.clock().now());
        for (name, value) in [(headers::DPOP_NONCE, nonce), (headers::REQUEST_ID, self.id.clone())] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                out.insert(name, value);
            }
        }
        self.record(app, response.status().as_u16(), refusal);
        response
    }

    fn record<S: Store>(&self, app: &App<S>, status: u16, refusal: Option<u16>) {
        let took_ms = app.clock().monotonic_ms().saturating_sub(self.began_ms);
        app.metrics().answered(self.method, self.route, status, Duration::from_millis(took_ms).as_secs_f64());
        if let Some(code) = refusal {
            app.metrics().refused(code);
        }
        let Self { id, method, route, .. } = self;
        tracing::info!(request = %id, method, route, status, code = refusal.unwrap_or_default(), took_ms, "request");
    }
}
