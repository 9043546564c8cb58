//! The child that is measured: a Ward server on SQLite over TLS, with witnesses in its process.

use crate::child::{identity, now, say_listening};
use crate::support::clock::T0;
use crate::support::people::People;
use crate::support::world::{generous, parts, witnesses};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use ward_id::TimestampMs;
use ward_server::{App, Clock, Listeners, bootstrap_site, serve};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

/// The site of every process of this bench follows from it.
pub const SEED: u64 = 23;

struct BenchClock;

impl Clock for BenchClock {
    fn now(&self) -> TimestampMs {
        now()
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(now().since_ms(T0)).unwrap()
    }
}

/// Serves until it is killed.
pub fn run(folder: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let people = People::new(SEED);
        let store = SqliteStore::open(&folder.join("site.db"), SqliteOptions::default()).unwrap();
        bootstrap_site(&store, &people.root, &people.log, T0).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(BenchClock);
        let witnesses = witnesses(&people, Arc::clone(&clock));
        let app = App::start(parts(&people, store, clock, witnesses, generous())).await.unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let tls = Some(identity(folder));
        let listeners = Listeners::bind_with(address, tls, None, Duration::from_secs(1)).await.unwrap();
        say_listening(listeners.address().unwrap());
        serve(app, listeners, std::future::pending()).await;
    });
    ExitCode::SUCCESS
}
