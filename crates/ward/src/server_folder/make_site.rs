//! A new site on disk: trust root, admins, witnesses, and the server's folder.
//!
//! The folder is made under another name and renamed at the end: a site is there as a whole or not
//! at all.

use super::disk::sync_folder_of;
use super::settings::Settings;
use super::site_state::log_key;
use super::tls_files::make_tls_files;
use super::witness_folder::WitnessFolder;
use super::{create_private, private_folder, system_rng};
use crate::exit::{Failure, Kind};
use crate::limits::{
    FRESHNESS_OUTSIDE_S, FRESHNESS_S, SITE_ADMINS, SITE_QUORUM, SITE_ROOT_KEYS, SITE_ROOT_THRESHOLD,
    SITE_WITNESSES,
};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use ward_audit::VerifierKey;
use ward_client::bootstrap::{AdminSeed, SiteBootstrap, SitePlan, site_bootstrap};
use ward_client::native::{HttpsTransport, SoftwareDeviceKey, SqliteRowStore, SystemEnvironment};
use ward_client::{Client, ServerAddress};
use ward_crypto::{SignPublicKey, WitnessEntry, random_bytes, random_id};
use ward_id::{RootFingerprint, SiteId, StudyId, TimestampMs, hex_encode};
use ward_server::{Clock, bootstrap_site, write_key_file};
use ward_store::LogName;
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use zeroize::Zeroizing;

/// A witness that runs elsewhere.
#[derive(Debug, Clone)]
pub struct GivenWitness {
    /// Its public key, with its name.
    pub key: VerifierKey,
    /// Where the server reaches it.
    pub url: String,
    /// Whether somebody other than the server's operator runs it.
    pub outside: bool,
    /// PEM file with the authority of its certificate, for `https`.
    pub ca_file: Option<PathBuf>,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct NewSite {
    /// The folder; must not exist.
    pub dir: PathBuf,
    /// The study; left out: a new one.
    pub study: Option<StudyId>,
    /// Where the server will listen.
    pub listen: SocketAddr,
    /// Where devices reach it, such as `https://ward.example`.
    pub origin: String,
    /// Witnesses elsewhere; none: three are made in this folder.
    pub witnesses: Vec<GivenWitness>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct MadeSite {
    /// The study.
    pub study: StudyId,
    /// The site.
    pub site: SiteId,
    /// The pin that tickets carry.
    pub fingerprint: RootFingerprint,
    /// Where devices reach the server, and the TLS key they accept.
    pub server: ServerAddress,
    /// The server's configuration.
    pub config_file: PathBuf,
    /// The secret root keys; they belong offline.
    pub root_keys: Vec<PathBuf>,
    /// The homes of the admin devices.
    pub admin_homes: Vec<PathBuf>,
    /// The witnesses made here.
    pub witness_folders: Vec<PathBuf>,
    /// The key lines of both logs, which witnesses follow.
    pub log_keys: Vec<VerifierKey>,
    /// Whether a quorum needs a witness that the operator does not run.
    pub quorum_needs_outside: bool,
}

fn cannot(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Failure + '_ {
    move |why| {
        Failure::input(
            format!("{what} cannot be made"),
            why,
            "check the folder's permissions and the free space",
        )
    }
}

/// Makes a site.
///
/// # Errors
/// A folder that exists, an address that cannot be used, and what writing can fail with.
pub async fn make_site(plan: &NewSite, clock: &dyn Clock) -> Result<MadeSite, Failure> {
    if plan.dir.exists() {
        return Err(Failure::new(
            Kind::No,
            format!("{} exists already", plan.dir.display()),
            "a site is never made over something else",
            "name a folder that does not exist",
        ));
    }
    let host = host_of(&plan.origin)?;
    let mut draft = plan.dir.clone().into_os_string();
    draft.push(".unfinished");
    let draft = PathBuf::from(draft);
    if draft.exists() {
        return Err(Failure::new(
            Kind::No,
            format!("{} exists already", draft.display()),
            "an earlier `ward init` was broken off; its keys belong to no site",
            "remove it and run this again",
        ));
    }
    let made = fill(plan, &draft, &host, clock.now()).await;
    let finish = |made: MadeSite| {
        std::fs::rename(&draft, &plan.dir)
            .and_then(|()| sync_folder_of(&plan.dir))
            .map_err(|error| cannot("The folder")(&error))?;
        Ok(made)
    };
    made.and_then(finish).inspect_err(|_| {
        // Half a site holds keys that nobody knows of. What cannot be removed now is named so.
        let _ = std::fs::remove_dir_all(&draft);
    })
}

async fn fill(plan: &NewSite, draft: &Path, host: &str, now: TimestampMs) -> Result<MadeSite, Failure> {
    for folder in [draft.to_owned(), draft.join("server"), draft.join("root")] {
        make_folder(&folder)?;
    }
    let (entries, folders) = witnesses(plan, draft)?;
    let site_plan = site_plan(plan, host, entries);
    let bootstrap = site_bootstrap(&site_plan, now, &mut system_rng())
        .map_err(|error| Failure::fault("The site cannot be made", error))?;
    let server_dir = draft.join("server");
    let root_dir = draft.join("root");
    // The second key waits offline: should the first be lost or stolen, devices accept this one.
    let pins = vec![
        make_tls_files(&server_dir.join("tls.crt"), &server_dir.join("tls.key"), host)?,
        make_tls_files(&root_dir.join("next-tls.crt"), &root_dir.join("next-tls.key"), host)?,
    ];
    write_server_folder(plan, &server_dir, &pins, &bootstrap, &folders, now).await?;
    for (number, key) in (1..).zip(&bootstrap.root_keys) {
        write_secret(&root_dir.join(format!("root-{number}.key")), &key.secret_bytes())?;
    }
    let log_keys = [LogName::Mlog, LogName::Olog].map(|log| log_key(&bootstrap.manifest, log));
    let log_keys = log_keys.into_iter().collect::<Result<Vec<_>, _>>()?;
    for folder in &folders {
        WitnessFolder::open(&draft.join(folder))?.follow(&log_keys)?;
    }
    let server = ServerAddress { origin: plan.origin.clone(), spki_pins: pins };
    let fingerprint = bootstrap.root_policy.fingerprint();
    let mut admin_homes = Vec::new();
    for (number, seed) in (1..).zip(bootstrap.admins) {
        let home = format!("admin-{number}");
        make_admin(&draft.join(&home), seed, server.clone()).await?;
        admin_homes.push(plan.dir.join(home));
    }
    let outside = bootstrap.manifest.witnesses.iter().filter(|witness| witness.outside).count();
    Ok(MadeSite {
        study: site_plan.study,
        site: site_plan.site,
        fingerprint,
        server,
        config_file: plan.dir.join("server/ward.toml"),
        root_keys: (1..=bootstrap.root_keys.len())
            .map(|n| plan.dir.join(format!("root/root-{n}.key")))
            .collect(),
        admin_homes,
        witness_folders: folders.iter().map(|folder| plan.dir.join(folder)).collect(),
        log_keys,
        quorum_needs_outside: bootstrap.manifest.witnesses.len() - outside < usize::from(SITE_QUORUM),
    })
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    private_folder(path).map_err(|error| cannot("The folder")(&format!("{}: {error}", path.display())))
}

/// The witnesses of the manifest, and the folders of those made here.
fn witnesses(plan: &NewSite, draft: &Path) -> Result<(Vec<WitnessEntry>, Vec<String>), Failure> {
    if plan.witnesses.is_empty() {
        let folders: Vec<String> = (1..=SITE_WITNESSES).map(|number| format!("witness-{number}")).collect();
        let made =
            folders.iter().map(|folder| Ok(WitnessFolder::make(&draft.join(folder), folder)?.entry(false)));
        return Ok((made.collect::<Result<_, Failure>>()?, folders));
    }
    let entry = |witness: &GivenWitness| {
        let key = SignPublicKey::from_bytes(witness.key.public_key());
        let name = witness.key.name().as_str().to_owned();
        let key = key.map_err(|error| {
            Failure::input(
                format!("The key of witness {name} cannot be used"),
                error,
                "ask for its key line again",
            )
        })?;
        Ok(WitnessEntry { name, key, outside: witness.outside })
    };
    Ok((plan.witnesses.iter().map(entry).collect::<Result<_, Failure>>()?, Vec::new()))
}

fn site_plan(plan: &NewSite, host: &str, witnesses: Vec<WitnessEntry>) -> SitePlan {
    let mut rng = system_rng();
    let outside = witnesses.iter().filter(|witness| witness.outside).count();
    SitePlan {
        study: plan.study.unwrap_or_else(|| random_id(&mut rng)),
        site: random_id(&mut rng),
        server_name: host.trim_matches(['[', ']']).to_owned(),
        // The root keys and both admins are made here, in one pair of hands.
        independent: false,
        root_keys: SITE_ROOT_KEYS,
        threshold: SITE_ROOT_THRESHOLD,
        admins: SITE_ADMINS,
        witnesses,
        quorum: SITE_QUORUM,
        freshness_limit_s: if outside >= usize::from(SITE_QUORUM) {
            FRESHNESS_OUTSIDE_S
        } else {
            FRESHNESS_S
        },
        min_attest: Vec::new(),
    }
}

async fn write_server_folder(
    plan: &NewSite,
    dir: &Path,
    pins: &[[u8; 32]],
    bootstrap: &SiteBootstrap,
    witness_folders: &[String],
    now: TimestampMs,
) -> Result<(), Failure> {
    write_secret(&dir.join("log.key"), &bootstrap.log_key.secret_bytes())?;
    write_secret(&dir.join("server.key"), &Zeroizing::new(random_bytes(&mut system_rng())))?;
    let mut ca_files = Vec::new();
    for witness in &plan.witnesses {
        ca_files.push(match &witness.ca_file {
            Some(file) => Some(copy_ca(file, dir, witness.key.name().as_str())?),
            None => None,
        });
    }
    let text = config_text(plan, pins, witness_folders, &ca_files)?;
    let write = || create_private(&dir.join("ward.toml"))?.write_all(text.as_bytes());
    write().map_err(|error| cannot("The configuration")(&error))?;
    let store = SqliteStore::open(&dir.join("ward.db"), SqliteOptions::default())
        .map_err(|error| cannot("The database")(&error))?;
    let begun = bootstrap_site(&store, &bootstrap.root_policy, &bootstrap.entries, now).await;
    store.close().await;
    begun.map_err(|error| cannot("The database")(&error))
}

fn copy_ca(file: &Path, dir: &Path, witness: &str) -> Result<String, Failure> {
    let name = format!("witness-{witness}.pem");
    let copied = std::fs::copy(file, dir.join(&name));
    let next = "name the PEM file of the authority with --witness-ca";
    copied.map_err(|error| Failure::input(format!("{} cannot be copied", file.display()), error, next))?;
    Ok(name)
}

fn config_text(
    plan: &NewSite,
    pins: &[[u8; 32]],
    witness_folders: &[String],
    ca_files: &[Option<String>],
) -> Result<String, Failure> {
    // A JSON string is a TOML basic string.
    let quoted = |text: &str| serde_json::Value::String(text.to_owned()).to_string();
    let list = |items: Vec<String>| {
        format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
    };
    let folders = witness_folders.iter().map(|folder| format!("../{folder}")).collect();
    let mut text = format!(
        "# `ward config explain --config ward.toml` shows every value and where it came from.\n\
         [files]\ndatabase = \"ward.db\"\nlog_key = \"log.key\"\nserver_key = \"server.key\"\n\
         # Devices accept these TLS keys and no other.\ntls_pins = {pins}\n\
         # Witnesses inside the server's own process.\nwitnesses = {folders}\n\n\
         [server]\nlisten = {listen}\norigins = {origins}\n\n\
         [server.tls]\ncert_file = \"tls.crt\"\nkey_file = \"tls.key\"\n",
        pins = list(pins.iter().map(|pin| hex_encode(pin)).collect()),
        folders = list(folders),
        listen = quoted(&plan.listen.to_string()),
        origins = list(vec![plan.origin.clone()]),
    );
    for (witness, ca_file) in plan.witnesses.iter().zip(ca_files) {
        let (name, url) = (quoted(witness.key.name().as_str()), quoted(&witness.url));
        text.push_str(&format!("\n[[server.witnesses]]\nname = {name}\nurl = {url}\n"));
        if let Some(ca_file) = ca_file {
            text.push_str(&format!("ca_file = {}\n", quoted(ca_file)));
        }
    }
    // What is written must be what will be read.
    let read: Settings = toml::from_str(&text)
        .map_err(|error| Failure::fault("The configuration cannot be written", error))?;
    let pins_fit = read.files.tls_pins.iter().map(String::as_str).eq(pins.iter().map(|pin| hex_encode(pin)));
    if pins_fit && read.server.listen == plan.listen && read.server.origins == [plan.origin.as_str()] {
        Ok(text)
    } else {
        Err(Failure::fault("The configuration cannot be written", "it would be read as another one"))
    }
}

fn write_secret(path: &Path, secret: &Zeroizing<[u8; 32]>) -> Result<(), Failure> {
    write_key_file(path, secret).map_err(|error| cannot("A key file")(&error))
}

async fn make_admin(home: &Path, seed: AdminSeed, server: ServerAddress) -> Result<(), Failure> {
    make_folder(home)?;
    let rows =
        SqliteRowStore::open(&home.join("store.db")).map_err(|error| cannot("An admin's store")(&error))?;
    let key = SoftwareDeviceKey::at(home.join("device.key"));
    let (transport, environment) = (HttpsTransport::new(), SystemEnvironment::new());
    let client = Client::from_bootstrap(rows, transport, environment, key, seed, server).await;
    client
        .map(drop)
        .map_err(|error| Failure::fault("An admin's device cannot be made", &error).with_code(error.code()))
}

/// The host of `https://host[:port]`.
///
/// # Errors
/// Text that is not such an address.
fn host_of(origin: &str) -> Result<String, Failure> {
    let wrong = || {
        let next = "write it as https://host or https://host:port, as devices will reach the server";
        Failure::new(
            Kind::Usage,
            "The origin cannot be used",
            format!("`{origin}` is no https address"),
            next,
        )
    };
    let normal = ward_server::Origin::parse(origin).map_err(|_| wrong())?;
    let authority = normal.as_str().strip_prefix("https://").ok_or_else(wrong)?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) if !authority.ends_with(']') => return Err(wrong()),
        _ => authority,
    };
    if host.is_empty() { Err(wrong()) } else { Ok(host.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_give_their_host() {
        for (origin, host) in [
            ("https://ward.example", "ward.example"),
            ("https://Ward.Example:8443", "ward.example"),
            ("https://127.0.0.1:8443", "127.0.0.1"),
            ("https://[::1]:8443", "[::1]"),
            ("https://[::1]", "[::1]"),
        ] {
            assert_eq!(host_of(origin).unwrap(), host, "{origin}");
        }
        for bad in ["http://ward.example", "ward.example", "https://", "https://a/b", "https://a:port"] {
            assert!(host_of(bad).is_err(), "{bad}");
        }
    }
}
