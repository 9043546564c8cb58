//! The stream of hints (server-sent events). It carries nothing but "there may be something".

use crate::App;
use crate::call::{Answer, Call, Caller, answer};
use crate::events::Listener;
use crate::limits::{EVENTS_KEEP_ALIVE_MS, EVENTS_MAX_LIFE_MS, EVENTS_RECHECK_MS};
use crate::problem_response::{refuse, refuse_with};
use crate::store_problem::store_failed;
use axum::body::Body;
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use ward_api::limits::DEVICE_MAX_CONNECTIONS;
use ward_api::{ChartEvent, ErrorCode, ProblemMembers};
use ward_id::ChartId;
use ward_store::Store;

/// One open stream.
struct Stream<S: Store> {
    app: Arc<App<S>>,
    listener: Listener,
    caller: Caller,
    chart: ChartId,
    /// The session that opened it; a later one is not its own.
    session_version: u64,
    ends: Instant,
    quiet_since: Instant,
}

pub(super) async fn events<S: Store>(app: &Arc<App<S>>, call: &Call) -> Answer {
    let (chart, caller) = (call.chart()?, call.caller()?);
    let listener = app.hints().listen(caller.device).ok_or_else(|| {
        let members = ProblemMembers {
            limit: Some(DEVICE_MAX_CONNECTIONS as u64),
            retry_after_s: Some(60),
            ..ProblemMembers::default()
        };
        refuse_with(ErrorCode::TooManyConnections, "Close another stream of this device first.", members)
    })?;
    if app.is_draining() {
        return Err(refuse(ErrorCode::Draining, "Try again."));
    }
    let session = app.sessions().get(app.store(), caller.device, call.now).await.map_err(store_failed)?;
    let now = Instant::now();
    let ends = now + Duration::from_millis(EVENTS_MAX_LIFE_MS);
    app.metrics().streams(1);
    let (app, session_version) = (Arc::clone(app), session.session_version);
    let stream = Stream { app, listener, caller, chart, session_version, ends, quiet_since: now };
    answer(call.spec, Body::from_stream(futures_util::stream::unfold(stream, next)))
}

async fn next<S: Store>(mut stream: Stream<S>) -> Option<(Result<Bytes, Infallible>, Stream<S>)> {
    let text = loop {
        let recheck = tokio::time::sleep(Duration::from_millis(EVENTS_RECHECK_MS));
        tokio::select! {
            hint = stream.listener.next(stream.chart) => match hint {
                // Who was removed in the meantime learns nothing more, not even that it happened.
                Some(event) if stream.may_go_on().await => break event_text(&event),
                _ => return None,
            },
            () = recheck => {
                if !stream.may_go_on().await {
                    return None;
                }
                if stream.quiet_since.elapsed() >= Duration::from_millis(EVENTS_KEEP_ALIVE_MS) {
                    break ":\n\n".to_owned();
                }
            }
        }
    };
    stream.quiet_since = Instant::now();
    Some((Ok(Bytes::from(text)), stream))
}

fn event_text(event: &ChartEvent) -> String {
    format!("event: {}\ndata: {}\n\n", event.name(), event.data())
}

impl<S: Store> Stream<S> {
    async fn may_go_on(&self) -> bool {
        let app = &self.app;
        if app.is_draining() || Instant::now() >= self.ends {
            return false;
        }
        let now = app.clock().now();
        {
            let membership = app.membership().read();
            let in_date = |record: &ward_sync::DeviceRecord| record.cert().valid_at(now);
            if !membership.is_member(self.chart, self.caller.device)
                || !membership.record(self.caller.device).is_some_and(in_date)
            {
                return false;
            }
        }
        let session = app.sessions().get(app.store(), self.caller.device, now).await;
        session.is_ok_and(|session| {
            session.suspension.is_none() && session.session_version == self.session_version
        })
    }
}

impl<S: Store> Drop for Stream<S> {
    fn drop(&mut self) {
        self.app.metrics().streams(-1);
    }
}
