//! `ward witness`: cosigns heads of logs that only grow.

use super::serve::{stop_signal, write_logs};
use crate::cli::WitnessArgs;
use crate::exit::{Done, Failure, Kind};
use crate::limits::DRAIN_MAX_S;
use crate::print::Out;
use crate::server_folder::system_clock::SystemClock;
use crate::server_folder::tls_files::make_tls_files;
use crate::server_folder::witness_folder::{WitnessFolder, parse_log_key};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ward_server::{Listeners, TlsIdentity, serve_witness};

/// Runs the command.
///
/// # Errors
/// A folder that cannot be used, and every reason not to listen.
pub async fn run(args: &WitnessArgs, out: &Out) -> Done {
    let witness = open_or_make(args)?;
    let logs = args.log.iter().map(|line| parse_log_key(line)).collect::<Result<Vec<_>, _>>()?;
    witness.follow(&logs)?;
    let tls = tls_files(args)?;
    let (name, key_line, followed) = (witness.name().clone(), witness.key_line()?, witness.logs()?);
    if args.show_key {
        out.both(&key_line, &serde_json::json!({ "name": name.as_str(), "key": key_line }));
        return Ok(());
    }
    write_logs()?;
    let stop = stop_signal()?;
    let (service, _lock) = witness.into_service()?;
    let identity = match &tls {
        Some((cert, key)) => Some(TlsIdentity::from_files(cert, key).map_err(|error| not_listening(&error))?),
        None => None,
    };
    let drain = Duration::from_secs(DRAIN_MAX_S);
    let bound = Listeners::bind_with(args.listen, identity, None, drain).await;
    let listeners = bound.map_err(|error| not_listening(&error))?;
    let address = listeners.address().unwrap_or(args.listen);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let origins: Vec<&str> = followed.iter().map(|key| key.name().as_str()).collect();
    out.both(
        format!(
            "Witness {name} listens on {scheme}://{address} · follows {} · {key_line}",
            count(origins.len())
        ),
        &serde_json::json!({
            "name": name.as_str(), "address": address, "scheme": scheme, "key": key_line, "logs": origins,
            "certificate": tls.as_ref().map(|(cert, _)| cert),
        }),
    );
    serve_witness(service, Arc::new(SystemClock::new()), listeners, stop).await;
    out.line("Stopped.");
    Ok(())
}

fn open_or_make(args: &WitnessArgs) -> Result<WitnessFolder, Failure> {
    if WitnessFolder::exists(&args.dir) {
        return WitnessFolder::open(&args.dir);
    }
    let name = args.name.as_deref().ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "A new witness needs a name",
            format!("there is no witness in {} yet", args.dir.display()),
            "add --name witness.example.org; the name stands in site manifests and cannot be changed",
        )
    })?;
    WitnessFolder::make(&args.dir, name)
}

/// Certificate and key, made when a host is named and there are none.
fn tls_files(args: &WitnessArgs) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let (cert, key) = (args.dir.join("tls.crt"), args.dir.join("tls.key"));
    match (&args.host, key.exists()) {
        (_, true) => Ok(Some((cert, key))),
        (Some(host), false) => {
            make_tls_files(&cert, &key, host)?;
            Ok(Some((cert, key)))
        }
        (None, false) => Ok(None),
    }
}

fn not_listening(why: &dyn std::fmt::Display) -> Failure {
    let next = "add --host NAME for TLS, or listen on another address with --listen";
    Failure::new(Kind::No, "The witness does not start", why, next)
}

fn count(logs: usize) -> String {
    match logs {
        0 => "no log yet (add --log)".to_owned(),
        1 => "1 log".to_owned(),
        more => format!("{more} logs"),
    }
}
