//! Hostile relays: whatever stands between a device and its server can drop, alter, replay and
//! freeze what passes, or lead to another server.

use crate::{InProcessHints, InProcessTransport};
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use ward_api::{HaveOfManyAnswer, HaveOfManyQuestion, HaveQuestion, LogName, Opaque, paths};
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
    hangs: Vec<(String, Arc<Notify>)>,
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

    /// From now on every log read gets the answer that it got first, and each log's head stays the one that
    /// passed first: news is withheld.
    pub fn freeze(&self) {
        for log in [LogName::Mlog, LogName::Olog] {
            let mut first = None;
            self.on_heads(log, move |note| {
                let kept: &Vec<u8> = first.get_or_insert_with(|| note.clone());
                note.clone_from(kept);
            });
        }
        self.lock().frozen = Some(BTreeMap::new());
    }

    /// Alters the note of a log's newest head wherever it passes: asked for by itself, and as a meeting
    /// begins with it.
    pub fn on_heads(&self, log: LogName, mut alter: impl FnMut(&mut Vec<u8>) + Send + 'static) {
        let by_itself = paths::checkpoint(log);
        self.after(move |request, response| {
            if response.status != 200 {
                return;
            }
            if request.path == by_itself {
                alter(&mut response.body);
            } else if let Some(mut answer) = greeted(request, response)
                && let Some(note) = note_of(log, &mut answer)
            {
                alter(&mut note.0);
                response.body = answer.to_canonical();
            }
        });
    }

    /// Alters what the server says as a meeting begins.
    pub fn on_greetings(&self, mut alter: impl FnMut(&mut HaveOfManyAnswer) + Send + 'static) {
        self.after(move |request, response| {
            if let Some(mut answer) = greeted(request, response) {
                alter(&mut answer);
                response.body = answer.to_canonical();
            }
        });
    }

    /// What the device asks about is altered, so that it seems to have something else of each chart than the
    /// server: whole vectors and pages pass at every sync, also when it has everything.
    pub fn always_differs(&self) {
        self.before(|request| {
            if request.method == HttpMethod::Post && request.path == paths::HAVE_OF_MANY {
                if let Ok(mut question) = HaveOfManyQuestion::from_canonical(&request.body) {
                    question.charts.iter_mut().for_each(|one| one.digest = [0; 32]);
                    request.body = question.to_canonical();
                }
            } else if request.method == HttpMethod::Post && request.path.ends_with("/have") {
                request.body = HaveQuestion { digest: [0; 32] }.to_canonical();
            }
            true
        });
    }

    /// From now on no heads of logs are asked for with the greeting, and none is cosigned for it.
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

    /// Requests to paths that contain `part` are never answered. What is given tells when one hangs.
    pub fn hang(&self, part: &str) -> Arc<Notify> {
        let hanging = Arc::new(Notify::new());
        self.lock().hangs.push((part.to_owned(), hanging.clone()));
        hanging
    }

    /// Becomes an honest relay again. What passed so far stays in the record.
    pub fn heal(&self) {
        let mut rules = self.lock();
        rules.offline = false;
        rules.frozen = None;
        rules.elsewhere = None;
        rules.before.clear();
        rules.after.clear();
        rules.hangs.clear();
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
    note_of(log, &mut greeted(&passed.request, response)?).map(|note| note.0.clone())
}

/// What a server said as a meeting began.
fn greeted(request: &HttpRequest, response: &HttpResponse) -> Option<HaveOfManyAnswer> {
    let is_greeting = response.status == 200 && request.path == paths::HAVE_OF_MANY;
    HaveOfManyAnswer::from_canonical(&response.body).ok().filter(|_| is_greeting)
}

const fn note_of(log: LogName, answer: &mut HaveOfManyAnswer) -> Option<&mut Opaque> {
    match log {
        LogName::Mlog => answer.mlog.as_mut(),
        LogName::Olog => answer.olog.as_mut(),
    }
}

/// Whether a request reads a log, beside its newest head.
fn reads_log(request: &HttpRequest) -> bool {
    let is_head = [paths::MLOG_CHECKPOINT, paths::OLOG_CHECKPOINT].contains(&request.path.as_str());
    request.method == HttpMethod::Get && request.path.contains("log/") && !is_head
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

    async fn hang_if_told(&self, path: &str) {
        let hanging = {
            let rules = self.relay.lock();
            rules.hangs.iter().find(|(part, _)| path.contains(part)).map(|(_, hanging)| hanging.clone())
        };
        if let Some(hanging) = hanging {
            hanging.notify_one();
            pending::<()>().await;
        }
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
        if let Some(frozen) = rules.frozen.as_mut().filter(|_| reads_log(request)) {
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
        self.hang_if_told(&request.path).await;
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
