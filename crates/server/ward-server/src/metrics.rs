//! Counters for the operator. Labels are route templates, statuses and codes: never an id.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// One route and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

/// One cause of refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: u16,
}

/// One of the two logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LogLabels {
    log: &'static str,
}

/// Upper ends of the latency buckets, seconds.
const LATENCY_BUCKETS_S: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];

/// All figures of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram>,
    refusals: Family<CodeLabels, Counter>,
    log_size: Family<LogLabels, Gauge>,
    operations: Counter,
    drops: Counter,
    drops_decided: Counter,
    in_flight: Gauge,
    streams: Gauge,
    connections: Gauge,
    witness_failures: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ward");
        let metrics = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS_S)),
            refusals: Family::default(),
            log_size: Family::default(),
            operations: Counter::default(),
            drops: Counter::default(),
            drops_decided: Counter::default(),
            in_flight: Gauge::default(),
            streams: Gauge::default(),
            connections: Gauge::default(),
            witness_failures: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("request_seconds", "Time to answer", metrics.latency.clone());
        registry.register("refusals", "Refusals by WARD code", metrics.refusals.clone());
        registry.register("log_leaves", "Leaves of each log", metrics.log_size.clone());
        registry.register("operations", "Operations accepted", metrics.operations.clone());
        registry.register("drops", "Entries taken into the drop box", metrics.drops.clone());
        registry.register(
            "drops_decided",
            "Drops that staff adopted or declined",
            metrics.drops_decided.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests begun and not yet answered",
            metrics.in_flight.clone(),
        );
        registry.register("event_streams", "Open event streams", metrics.streams.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "witness_failures",
            "Witnesses that did not answer",
            metrics.witness_failures.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, route: &'static str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
        self.latency.get_or_create(&RouteLabels { route }).observe(seconds);
    }

    /// A request was refused with this code.
    pub(crate) fn refused(&self, code: u16) {
        self.refusals.get_or_create(&CodeLabels { code }).inc();
    }

    /// A log has this many leaves.
    pub(crate) fn log_size(&self, log: ward_api::LogName, size: u64) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        self.log_size.get_or_create(&LogLabels { log: log.as_str() }).set(size);
    }

    /// Operations were committed.
    pub(crate) fn accepted(&self, operations: u64) {
        self.operations.inc_by(operations);
    }

    /// Entries came into the drop box.
    pub(crate) fn dropped(&self, entries: u64) {
        self.drops.inc_by(entries);
    }

    /// Staff decided about a drop.
    pub(crate) fn drop_decided(&self) {
        self.drops_decided.inc();
    }

    /// A request was begun (`1`), or answered or given up (`-1`).
    pub(crate) fn in_flight(&self, change: i64) {
        self.in_flight.inc_by(change);
    }

    /// An event stream opened (`1`) or closed (`-1`).
    pub(crate) fn streams(&self, change: i64) {
        self.streams.inc_by(change);
    }

    /// A connection opened (`1`) or closed (`-1`).
    pub(crate) fn connections(&self, change: i64) {
        self.connections.inc_by(change);
    }

    /// A witness did not answer, or not usably.
    pub(crate) fn witness_failed(&self) {
        self.witness_failures.inc();
    }

    /// The OpenMetrics text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_templates_and_never_ids() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/v1/charts/{chart}/have", 200, 0.003);
        metrics.refused(4002);
        metrics.log_size(ward_api::LogName::Olog, 7);
        metrics.accepted(3);
        metrics.dropped(2);
        metrics.drop_decided();
        let text = metrics.render();
        for line in [
            r#"ward_requests_total{method="GET",route="/v1/charts/{chart}/have",status="200"} 1"#,
            r#"ward_refusals_total{code="4002"} 1"#,
            r#"ward_log_leaves{log="olog"} 7"#,
            "ward_operations_total 3",
            "ward_drops_total 2",
            "ward_drops_decided_total 1",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
