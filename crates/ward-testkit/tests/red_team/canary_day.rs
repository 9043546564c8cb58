//! Everything that people wrote in a day is looked for wherever somebody could look who is no
//! member of the chart.

use crate::caller::{Caller, anonymous};
use crate::loot::loot;
use crate::needles::Needles;
use crate::scene::a_team;
use crate::whole_day::{Day, whole_day};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use ward_api::headers::{MEDIA_CBOR, MEDIA_FORM};
use ward_api::{EnvelopeBatch, SuspendReason, SuspensionRequest, TokenRequest, paths};
use ward_client::HttpResponse;
use ward_crypto::{Envelope, Role};
use ward_id::{Canonical as _, ChartId};
use ward_server::{Access, ROUTES, Route, RouteSpec};
use ward_store::TicketStore as _;
use ward_sync::RevokePolicy;
use ward_testkit::TestDevice;

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// What the server's whole process logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// An answer that somebody got.
struct Heard {
    who: &'static str,
    route: Option<&'static RouteSpec>,
    path: String,
    answer: HttpResponse,
}

impl Heard {
    fn bytes(&self) -> Vec<u8> {
        let headers = self.answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        headers.collect::<String>().into_bytes().into_iter().chain(self.answer.body.clone()).collect()
    }
}

/// A request to make: its path filled in, and a body as an app would send it.
struct Ask {
    route: Option<&'static RouteSpec>,
    method: &'static str,
    path: String,
    media: Option<&'static str>,
    body: Vec<u8>,
}

/// Every method on every path, for every chart.
async fn asks(day: &Day) -> Vec<Ask> {
    let issuer = day.site.coordinator.device();
    let tickets = day.site.server.store.tickets_of(issuer, day.site.clock.now()).await.unwrap();
    let ticket = tickets[0].ticket.ticket.to_string();
    let mut out = Vec::new();
    for chart in &day.charts {
        for path in ROUTES.iter().map(|spec| spec.path).collect::<BTreeSet<_>>() {
            for method in METHODS {
                let route = ROUTES.iter().find(|spec| spec.path == path && spec.method.as_str() == method);
                let filled = path
                    .replace("{chart}", &chart.to_string())
                    .replace("{ticket}", &ticket)
                    .replace("{level}", "0")
                    .replace("{*index}", "000.p/1")
                    .replace("{hash}", &"0".repeat(64))
                    .replace("{address}", &"0".repeat(64))
                    .replace("{device}", &day.nurse.device.device().to_string());
                let query = route.map_or("", |spec| match spec.query.first() {
                    Some(("from", true)) => "?from=0&to=8",
                    Some(("from", false)) => "?from=0",
                    Some(("index", _)) => "?index=3&size=8",
                    Some(_) => "?limit_bytes=1000000",
                    None => "",
                });
                let body = match route.map(|spec| spec.route) {
                    Some(Route::Push) => batch(day, *chart).await.to_canonical(),
                    Some(Route::Token) => TokenRequest::Device(issuer).to_form().into_bytes(),
                    _ if method == "POST" => vec![0xa0],
                    _ => Vec::new(),
                };
                let media = route.and_then(|spec| spec.takes);
                let media = media.or((method == "POST").then_some(MEDIA_CBOR));
                out.push(Ask { route, method, path: format!("{filled}{query}"), media, body });
            }
        }
    }
    // Ending the session comes last: nothing is heard after it.
    out.sort_by_key(|ask| ask.route.is_some_and(|spec| spec.route == Route::EndSession));
    out
}

async fn batch(day: &Day, chart: ChartId) -> EnvelopeBatch {
    let rows = day.site.server.envelopes().await;
    let of_chart = |bytes: &[u8]| Envelope::from_canonical(bytes).unwrap().header().chart == chart;
    rows.into_iter().map(|row| row.envelope).filter(|envelope| of_chart(&envelope.0)).collect()
}

async fn heard_by(day: &Day, who: &'static str, caller: &mut Option<Caller<'_>>, out: &mut Vec<Heard>) {
    for Ask { route, method, path, media, body } in asks(day).await {
        let answer = match caller {
            Some(caller) => caller.call(method, &path, media, body).await,
            None => anonymous(&day.site.server.transport, method, &path, media, body).await,
        };
        out.push(Heard { who, route, path, answer });
    }
}

/// What four devices that are no members hear, and somebody without any device.
async fn heard_by_outsiders(day: &mut Day) -> Vec<Heard> {
    let bystander = day.site.patient("bystander").await;
    let mut foreign_nurse = day.site.device("nurse of another team").await;
    let person = day.site.new_person();
    day.site.enrol_staff_as(&mut foreign_nurse, person, Role::Clinician).await;
    day.site.admins[0].client.set_team(a_team(9), &[person]).await.unwrap();
    let (transport, clock) = (day.site.server.transport.clone(), day.site.clock.clone());
    let mut loots = Vec::new();
    for device in [&bystander, &foreign_nurse, &day.leavers[0], &day.leavers[1], &day.site.admins[0]] {
        loots.push(loot(device).await);
    }
    let mut callers = Vec::new();
    for one in &loots {
        callers.push(Caller::with(one, &transport, &clock).await);
        assert!(callers.last().unwrap().is_logged_in());
    }
    let mut admin = callers.pop().unwrap();
    // Both had a token and their keys; then one is suspended and the other revoked.
    let until = clock.now().plus_ms(86_400_000);
    let body = SuspensionRequest { until, reason: SuspendReason::Requested }.to_canonical();
    let path = paths::suspend(day.leavers[0].device());
    assert_eq!(admin.call("POST", &path, Some(MEDIA_CBOR), body).await.status, 204);
    let left = day.leavers[1].device();
    let revoked = day.site.admins[0].client.revoke(left, RevokePolicy::Sever, "left the site").await;
    assert!(revoked.unwrap().is_done());
    let mut out = Vec::new();
    for (who, caller) in ["another patient", "another team's nurse", "a suspended device", "a revoked device"]
        .into_iter()
        .zip(callers)
    {
        let mut caller = Some(caller);
        heard_by(day, who, &mut caller, &mut out).await;
        let form = TokenRequest::Device(left).to_form().into_bytes();
        let answer = caller.unwrap().call("POST", paths::TOKEN, Some(MEDIA_FORM), form).await;
        out.push(Heard { who, route: None, path: paths::TOKEN.to_owned(), answer });
    }
    heard_by(day, "somebody without a token", &mut None, &mut out).await;
    out
}

/// The raw bytes of all files in a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

fn nothing_in<'a>(needles: &Needles, places: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    for (place, bytes) in places {
        let found = needles.found_in(bytes);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
}

/// Shows that the search finds what is there: in the members' view, in their drafts, and in a copy
/// of the database into which one text was put.
fn can_find(day: &Day, needles: &Needles) {
    let mut opened: Vec<u8> = day.charts.iter().flat_map(|chart| day.opened(*chart)).collect();
    for (patient, key) in day.patients.iter().zip(&day.drafts) {
        opened.extend(patient.client.draft(key).unwrap());
    }
    let expected: BTreeSet<&str> = day.canaries.iter().map(String::as_str).collect();
    assert_eq!(needles.found_in(&opened), expected, "members read every one of them");
    let copy = day.server_files.path().join("planted.db");
    let db = rusqlite::Connection::open(day.server_files.path().join("site.db")).unwrap();
    db.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    let planted = rusqlite::Connection::open(&copy).unwrap();
    let value = ward_id::base64url_encode(format!("log of {}", day.canaries[3]).as_bytes());
    planted.execute("INSERT INTO meta (key, value) VALUES ('planted', ?1)", [value.as_bytes()]).unwrap();
    drop(planted);
    let found: Vec<u8> = std::fs::read(&copy).unwrap();
    assert_eq!(needles.found_in(&found), BTreeSet::from([day.canaries[3].as_str()]));
    std::fs::remove_file(&copy).unwrap();
}

#[tokio::test]
async fn canary_the_texts_of_a_day_stand_nowhere_in_the_clear() {
    let logged = Logged::default();
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    // For the whole process: the store writes on a thread of its own.
    tracing::subscriber::set_global_default(everything.with_writer(logged.clone()).finish()).unwrap();
    let mut day = whole_day(5299).await;
    let needles = Needles::new().texts(day.canaries.iter().map(String::as_str));
    assert!(needles.len() >= 3 * 14, "{} texts", needles.len());
    can_find(&day, &needles);

    let heard = heard_by_outsiders(&mut day).await;
    assert!(heard.len() > 5 * ROUTES.len() * 4, "{}", heard.len());
    for one in &heard {
        let found = needles.found_in(&one.bytes());
        assert!(found.is_empty(), "{} at {}: {found:?}", one.who, one.path);
        if one.route.is_some_and(|route| route.access == Access::Member) {
            assert!(one.answer.status >= 400, "{} may not read {}", one.who, one.path);
        }
        let got = one.answer.status == 200 && !one.answer.body.is_empty();
        let shut_out =
            ["a suspended device", "a revoked device", "somebody without a token"].contains(&one.who);
        if one.route.is_some_and(|route| route.access == Access::Device) && shut_out {
            assert!(!got, "{} got {}", one.who, one.path);
        }
    }
    for who in heard.iter().map(|one| one.who).collect::<BTreeSet<_>>() {
        let own = || heard.iter().filter(|one| one.who == who && !one.answer.body.is_empty());
        assert!(
            own().any(|one| one.answer.status == 200) && own().any(|one| one.answer.status >= 400),
            "{who}"
        );
    }

    day.site.server.app.upkeep().await;
    let figures = day.site.server.app.metrics().render();
    let log = logged.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log).into_owned();
    assert!(text.matches("request").count() > heard.len(), "every request was logged");
    assert!(figures.lines().count() > 20);
    nothing_in(&needles, [("the log", log.as_slice()), ("the figures", figures.as_bytes())]);

    let (server, devices) = (files(day.server_files.path()), files(day.device_files.path()));
    for end in ["site.db", "site.db-wal", "site.db-shm"] {
        assert!(server.iter().any(|(name, bytes)| name.ends_with(end) && !bytes.is_empty()), "{end}");
    }
    assert_eq!(devices.iter().filter(|(name, _)| name.ends_with(".db")).count(), 4);
    nothing_in(
        &needles,
        server.iter().chain(&devices).map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    let in_memory: Vec<&TestDevice> = day.leavers.iter().chain([&day.site.coordinator]).collect();
    for device in in_memory {
        nothing_in(&needles, [("a store in memory", device.rows.all_bytes().as_slice())]);
    }
}
