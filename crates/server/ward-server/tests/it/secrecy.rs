//! What the server writes about its work names nobody and gives away nothing.

use crate::support::World;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use ward_api::{RefreshText, TokenRequest, paths};
use ward_server::log_subscriber;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything at the lowest level is kept, then searched for ids, tokens and planted words.
#[tokio::test]
async fn logs_and_figures_hold_no_ids_no_tokens_and_no_words_of_callers() {
    const CANARY: &str = "canary-7f3a";
    let kept = Kept::default();
    let _guard = tracing::subscriber::set_default(log_subscriber("trace", kept.clone()).unwrap());
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let head = world.people.membership.head();
    phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
    phone.get(&paths::have(chart)).await.ok();
    phone.get(&format!("/v1/charts/{CANARY}/have")).await;
    phone.get(&format!("/{CANARY}?{CANARY}={CANARY}")).await;
    phone.call("POST", &paths::envelopes(chart), Some(CANARY), CANARY.into()).await;
    world.login(&world.people.outsider).await.get(&paths::have(chart)).await;
    let (token, refresh) = (phone.token.lock().unwrap().clone(), phone.refresh.lock().unwrap().clone());
    phone.grant(&TokenRequest::Refresh(RefreshText::new(refresh.clone()))).await.ok();
    phone.grant(&TokenRequest::Refresh(RefreshText::new(CANARY.to_owned()))).await;

    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let figures = world.app.metrics().render();
    let people = &world.people;
    let mut words =
        vec![CANARY.to_owned(), token, refresh, chart.to_string(), people.other_chart.to_string()];
    for device in [&people.phone, &people.coordinator, &people.outsider, &people.admins[0]] {
        words.extend([device.id.to_string(), device.person.to_string()]);
    }
    for word in words {
        assert!(!log.contains(&word), "{word} stands in the log:\n{log}");
        assert!(!figures.contains(&word), "{word} stands in the figures:\n{figures}");
    }
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert!(requests.len() > 10);
    assert!(requests.iter().any(|line| line["route"] == "/v1/charts/{chart}/have" && line["status"] == 403));
    for line in requests {
        let mut names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["code", "level", "message", "method", "request", "route", "status", "timestamp", "took_ms"]
        );
    }
}
