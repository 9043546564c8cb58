//! `ward serve`: the server of a site, until it is told to stop.

use crate::cli::ServeArgs;
use crate::exit::{Done, Failure};
use crate::print::Out;
use crate::server_folder;
use crate::server_folder::start::start;
use std::future::Future;

/// Names the level of the log, such as `info` or `ward_server=debug,warn`.
const LOG_FILTER: &str = "WARD_LOG";

/// Runs the command.
///
/// # Errors
/// Every reason not to start.
pub async fn run(args: &ServeArgs, out: &Out) -> Done {
    write_logs()?;
    let stop = stop_signal()?;
    let loaded = server_folder::open(&args.config)?;
    let started = start(&loaded).await?;
    let fingerprint = started.root.fingerprint();
    let (independent, word) = match started.root.independent {
        true => (true, "independent"),
        false => (false, "NOT independent: root keys were made on one machine"),
    };
    out.both(
        format!(
            "Ward serves {} on {} · site {} · {fingerprint} · {word}",
            started.origin, started.address, started.root.site
        ),
        &serde_json::json!({
            "origin": started.origin,
            "address": started.address,
            "site": started.root.site,
            "fingerprint": fingerprint,
            "independent": independent,
        }),
    );
    started.run(stop).await;
    out.line("Stopped. Everything that was acknowledged is on disk.");
    Ok(())
}

/// Logs go to standard error, one JSON object a line.
///
/// # Errors
/// A filter that cannot be read.
pub fn write_logs() -> Result<(), Failure> {
    let filter = std::env::var(LOG_FILTER).unwrap_or_else(|_| "info".to_owned());
    let subscriber = ward_server::log_subscriber(&filter, std::io::stderr).map_err(|error| {
        Failure::input("The log cannot be written", error, format!("correct or unset {LOG_FILTER}"))
    })?;
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Failure::fault("The log cannot be written", error))
}

/// Done when the process is asked to stop (SIGTERM, or Ctrl-C).
///
/// # Errors
/// A system that does not let signals be listened for.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Failure::fault("Signals cannot be listened for", error));
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a way to listen, only the system ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
