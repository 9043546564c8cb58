//! Hostile relays: whatever stands between a device and its server can drop, alter, replay and
//! freeze what passes, or lead to another server.

use crate::{InProcessHints, InProcessTransport};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ward_api::{HaveOfManyAnswer, HaveOfManyQuestion, LogName, paths};
use ward_client::{HttpMethod, HttpRequest, HttpResponse, ServerAddress, Transport, TransportError};
use ward_id::Canonical as _;

/// One request with its answer, as they passed.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the device sent.
    pub request: HttpRequest,
    /// What came back, before any alteration; `None` for a request that was dropped.
    pub response: Option<HttpResponse>,
}

type Before = Box<dyn FnMut(&mut HttpRequest) -> bool + Send>;
type After = Box<dyn FnMut(&HttpRequest, &mut HttpResponse) + Send>;

#[derive(Default)]
struct Rules {
    offline: bool,
    frozen: Option<BTreeMap<String, HttpResponse>>,
    elsewhere: Option<InProcessTransport>,
    before: Vec<Before>,
    after: Vec<After>,
    log: Vec<Exchange>,
}

/// The handle with which a test turns a relay hostile. Clones steer the same relay.
#[derive(Clone, Default)]
pub struct Relay {
    rules: Arc<Mutex<Rules>>,
}

impl Relay {
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing passes.
    pub fn set_offline(&self, offline: bool) {
        self.lock().offline = offline;
    }

    /// From now on every log read gets the answer that it got first: news is withheld.
    pub fn freeze(&self) {
        self.heads_apart();
        self.lock().frozen = Some(BTreeMap::new());
    }

    /// From now on the device gets no heads of logs with its greeting: it asks for them by their own
    /// paths, where rules find them.
    pub fn heads_apart(&self) {
        self.before(|request| {
            if request.path == paths::HAVE_OF_MANY
                && let Ok(question) = HaveOfManyQuestion::from_canonical(&request.body)
            {
                request.body = HaveOfManyQuestion { heads: false, ..question }.to_canonical();
            }
            true
        });
    }

    /// The note of a log's newest head that passed.
    pub fn newest_note(&self, log: LogName) -> Option<Vec<u8>> {
        self.lock().log.iter().rev().find_map(|one| note_in(log, one))
    }

    /// Leads to another server; `None` leads back.
    pub fn lead_to(&self, server: Option<InProcessTransport>) {
        self.lock().elsewhere = server;
    }

    /// Sees every request before the server: may alter it; `false` drops it.
    pub fn before(&self, rule: impl FnMut(&mut HttpRequest) -> bool + Send + 'static) {
        self.lock().before.push(Box::new(rule));
    }

    /// Sees every answer before the device and may alter it.
    pub fn after(&self, rule: impl FnMut(&HttpRequest, &mut HttpResponse) + Send + 'static) {
        self.lock().after.push(Box::new(rule));
    }

    /// Drops the answers of requests to paths that contain `part`; the server did its work.
    pub fn lose_answers_of(&self, method: HttpMethod, part: &str, mut times: usize) {
        let part = part.to_owned();
        self.after(move |request, response| {
            if times > 0 && request.method == method && request.path.contains(&part) {
                times -= 1;
                response.status = 0;
            }
        });
    }

    /// Becomes an honest relay again. What passed so far stays in the record.
    pub fn heal(&self) {
        let mut rules = self.lock();
        rules.offline = false;
        rules.frozen = None;
        rules.elsewhere = None;
        rules.before.clear();
        rules.after.clear();
    }

    /// Everything that passed.
    pub fn record(&self) -> Vec<Exchange> {
        self.lock().log.clone()
    }

    /// Forgets what passed.
    pub fn clear_record(&self) {
        self.lock().log.clear();
    }
}

fn note_in(log: LogName, passed: &Exchange) -> Option<Vec<u8>> {
    let response = passed.response.as_ref().filter(|response| response.status == 200)?;
    if passed.request.path == paths::checkpoint(log) {
        return Some(response.body.clone());
    }
    let greeted = passed.request.path == paths::HAVE_OF_MANY;
    let answer = HaveOfManyAnswer::from_canonical(&response.body).ok().filter(|_| greeted)?;
    let note = match log {
        LogName::Mlog => answer.mlog,
        LogName::Olog => answer.olog,
    };
    note.map(|note| note.0)
}

/// A transport with a relay in between.
#[derive(Clone)]
pub struct RelayTransport {
    inner: InProcessTransport,
    relay: Relay,
}

impl RelayTransport {
    /// Puts a relay before a transport.
    pub const fn new(inner: InProcessTransport, relay: Relay) -> Self {
        Self { inner, relay }
    }

    fn server(&self) -> InProcessTransport {
        self.relay.lock().elsewhere.clone().unwrap_or_else(|| self.inner.clone())
    }

    fn begin(&self, request: &mut HttpRequest) -> Result<Option<HttpResponse>, TransportError> {
        let mut rules = self.relay.lock();
        let dropped = rules.offline || !rules.before.iter_mut().all(|rule| rule(request));
        if dropped {
            rules.log.push(Exchange { request: request.clone(), response: None });
            return Err(TransportError::Unreachable("the relay dropped the request".to_owned()));
        }
        let frozen = rules.frozen.as_ref().and_then(|frozen| frozen.get(&request.path)).cloned();
        Ok(frozen.filter(|_| request.method == HttpMethod::Get))
    }

    fn end(&self, request: &HttpRequest, mut response: HttpResponse) -> Result<HttpResponse, TransportError> {
        let mut rules = self.relay.lock();
        rules.log.push(Exchange { request: request.clone(), response: Some(response.clone()) });
        let log_read = request.path.contains("log/");
        if let Some(frozen) = rules.frozen.as_mut().filter(|_| log_read && request.method == HttpMethod::Get)
        {
            frozen.entry(request.path.clone()).or_insert_with(|| response.clone());
        }
        rules.after.iter_mut().for_each(|rule| rule(request, &mut response));
        if response.status == 0 {
            return Err(TransportError::TimedOut);
        }
        Ok(response)
    }
}

impl Transport for RelayTransport {
    type Hints = InProcessHints;

    async fn send(
        &self,
        server: &ServerAddress,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        if let Some(frozen) = self.begin(&mut request)? {
            return Ok(frozen);
        }
        let response = self.server().send(server, request.clone()).await?;
        self.end(&request, response)
    }

    async fn events(
        &self,
        server: &ServerAddress,
        mut request: HttpRequest,
    ) -> Result<InProcessHints, TransportError> {
        self.begin(&mut request)?;
        self.server().events(server, request).await
    }
}
