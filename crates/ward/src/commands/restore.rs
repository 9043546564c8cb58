//! `ward restore`: brings a backup back, and refuses to hide what it lost.

use crate::cli::RestoreArgs;
use crate::exit::{Done, Failure, Kind};
use crate::print::Out;
use crate::server_folder::archive::{BackupManifest, read_backup, read_secret_key};
use crate::server_folder::disk::{carry, folder_of, sync_folder_of};
use crate::server_folder::folder_lock::FolderLock;
use crate::server_folder::system_clock::SystemClock;
use crate::server_folder::witness_heads::{Comparison, Standing, compare};
use crate::server_folder::{self, beside, create_private, open_store, private_folder};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use ward_crypto::SignKey;
use ward_server::{Clock as _, Restored, read_key_file};
use ward_store::{LogName, Upkeep as _};

/// Runs the command.
///
/// # Errors
/// A backup that is not whole, and history that the witnesses know and the backup lacks.
pub async fn run(args: &RestoreArgs, out: &Out) -> Done {
    let config = &args.server.config;
    let dir = config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let key = read_secret_key(&args.key)?;
    let log_key = args.log_key.as_deref().map(newest_log_key).transpose()?;
    private_folder(&dir).map_err(|error| unreadable(&args.file, &error))?;
    let _lock = FolderLock::take(&dir, "This server")?;
    let database = match config.exists() {
        true => Some(server_folder::open(config)?.settings.files.database),
        false => None,
    };
    if let Some(database) = &database {
        refuse_existing(database)?;
    }
    let progress = out.progress("decrypting", 3);
    let input = File::open(&args.file).map_err(|error| unreadable(&args.file, &error))?;
    let mut unpacked =
        Unpacked { dir, database, written: Vec::new(), restored: PathBuf::new(), kept: Vec::new() };
    let manifest = read_backup(&key, input, |_, file| unpacked.place(&file.name, file.is_database)).map_err(
        |error| {
            unpacked.take_back();
            unreadable(&args.file, &error)
        },
    )?;
    let target = unpacked.carry_beside_target(config)?;
    progress.step();
    progress.now("checking the database");
    let comparison = examine(config, &unpacked.restored, &manifest, log_key).await?;
    progress.step();
    progress.now("asking the witnesses");
    let verdict = judge(&comparison, &unpacked.restored, args.reopen);
    progress.done();
    report(&comparison, &manifest, &unpacked, out);
    verdict?;
    refuse_existing(&target)?;
    let lost = !comparison.missing().is_empty();
    declare(&comparison, &unpacked.restored).await?;
    std::fs::rename(&unpacked.restored, &target)
        .and_then(|()| sync_folder_of(&target))
        .map_err(|error| unreadable(&target, &error))?;
    let missing = if lost { "History is missing." } else { "Nothing is missing." };
    out.line(format!("\n{missing} {} is in place; start with:", target.display()));
    out.line(format!("  ward serve --config {}", config.display()));
    if lost {
        out.line(
            "Devices give the membership log back at their next sync, an admin's among them. Then an admin runs \
             `ward reopen --reason TEXT`, and devices send again what the operation log lost. Until then the server \
             takes nothing else and says so.",
        );
    }
    if let Some(newest) = args.log_key.as_deref().filter(|_| lost) {
        out.line(format!(
            "Start with the log key of the backup; when devices have given the membership log back, stop, put {} in \
             its place and start again.",
            newest.display()
        ));
    }
    Ok(())
}

/// The key that the logs have now.
fn newest_log_key(file: &Path) -> Result<SignKey, Failure> {
    let secret = read_key_file(file).map_err(|error| {
        let next = "name the log key of the newest manifest, readable by its owner only";
        Failure::input(format!("The key {} cannot be used", file.display()), error, next)
    })?;
    Ok(SignKey::from_secret_bytes(&secret))
}

fn unreadable(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    let next = "check the file and the key; nothing was put in place";
    Failure::input(format!("{} was not restored", file.display()), why, next)
}

/// A database is never overwritten, nor given a stranger's write-ahead file.
fn refuse_existing(database: &Path) -> Result<(), Failure> {
    for path in [database.to_owned(), beside(database, "-wal"), beside(database, "-shm")] {
        if path.exists() {
            return Err(Failure::new(
                Kind::No,
                format!("{} exists already", path.display()),
                "a backup never overwrites a database",
                "move the old database away (with its -wal and -shm files) and keep it: it may hold newer entries",
            ));
        }
    }
    Ok(())
}

/// Where the files of the backup went.
struct Unpacked {
    dir: PathBuf,
    /// Where the database belongs, if a configuration says so already.
    database: Option<PathBuf>,
    written: Vec<PathBuf>,
    restored: PathBuf,
    kept: Vec<String>,
}

impl Unpacked {
    fn place(&mut self, name: &str, is_database: bool) -> io::Result<Option<File>> {
        let exists = |path: &Path| {
            let text = format!("{} exists already: move it away first", path.display());
            io::Error::new(io::ErrorKind::AlreadyExists, text)
        };
        let mut path = self.dir.join(name);
        if is_database {
            path = self.database.clone().unwrap_or(path);
            if path.exists() {
                return Err(exists(&path));
            }
            path = beside(&path, ".restored");
            if path.exists() {
                return Err(exists(&path));
            }
            self.restored.clone_from(&path);
        } else if path.exists() {
            self.kept.push(name.to_owned());
            return Ok(None);
        }
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let file = create_private(&path)?;
        self.written.push(path);
        Ok(Some(file))
    }

    /// The configuration may have come out of the backup itself, after the database, and may name
    /// another disk. The database is carried there before it is checked, so that what was checked
    /// only gets its name.
    fn carry_beside_target(&mut self, config: &Path) -> Result<PathBuf, Failure> {
        let target = server_folder::open(config)?.settings.files.database;
        refuse_existing(&target)?;
        let place = beside(&target, ".restored");
        if place != self.restored {
            let carried = private_folder(folder_of(&place)).and_then(|()| carry(&self.restored, &place));
            carried.map_err(|error| unreadable(&place, &error))?;
            self.restored = place;
        }
        Ok(target)
    }

    /// Takes away what came out of a backup that turned out not to be whole.
    fn take_back(&self) {
        for path in &self.written {
            // The failure that is reported says enough.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Reads the whole restored database and compares it with its manifest and the witnesses.
async fn examine(
    config: &Path,
    restored: &Path,
    manifest: &BackupManifest,
    newest_log_key: Option<SignKey>,
) -> Result<Comparison, Failure> {
    let loaded = server_folder::open(config)?;
    let damaged = |why: &dyn std::fmt::Display| {
        let next = "use another backup; this database must not be served";
        Failure::new(Kind::No, "The restored database is not sound", why, next)
    };
    let log_keys: Vec<SignKey> = newest_log_key.into_iter().chain([loaded.log_key()?]).collect();
    let store = open_store(restored)?;
    let checked = store.integrity_check().await;
    let files = &loaded.settings.files;
    let compared = compare(&store, &log_keys, &files.witnesses, &loaded.settings.server.witnesses).await;
    store.close().await;
    if beside(restored, "-wal").exists() {
        return Err(damaged(&"it could not be closed; a write-ahead file stays beside it"));
    }
    let report = checked.map_err(|error| damaged(&error))?;
    if !report.is_sound() {
        return Err(damaged(&report.findings.join("; ")));
    }
    let compared = compared?;
    let site = &compared.site;
    let same =
        site.fingerprint() == manifest.root && site.mlog == manifest.mlog && site.olog == manifest.olog;
    if !same {
        return Err(damaged(&"its logs are not those that the backup's manifest names"));
    }
    Ok(compared)
}

/// Writes into the restored database what the witnesses know more, so that the server waits for it; and
/// that it was restored, so that devices give it again what no log tells of.
async fn declare(comparison: &Comparison, restored: &Path) -> Result<(), Failure> {
    let olog_lost = comparison.missing().iter().any(|(log, _)| *log == LogName::Olog);
    let state = Restored {
        olog_origin: olog_lost.then(|| comparison.site.olog_origin.clone()),
        olog_size: comparison.known_size(LogName::Olog),
        mlog_size: comparison.known_size(LogName::Mlog),
        at: SystemClock::new().now(),
    };
    let store = open_store(restored)?;
    let declared = state.declare(&store).await;
    store.close().await;
    declared.map_err(|error| unreadable(restored, &error))
}

/// Whether the database may be put in place; with `reopen` also if history is missing.
fn judge(comparison: &Comparison, restored: &Path, reopen: bool) -> Result<(), Failure> {
    let missing = comparison.missing();
    if !missing.is_empty() && !reopen {
        let lost: Vec<String> =
            missing.iter().map(|(log, count)| format!("{count} of the {}", plain(*log))).collect();
        return Err(Failure::new(
            Kind::No,
            "The backup is older than what witnesses have confirmed; nothing was started",
            format!("entries are missing: {}", lost.join(", ")),
            format!(
                "look for a newer backup or the old disk; if there is none, move {} away and run this again with \
                 --reopen: devices keep what they sent and give it back",
                restored.display()
            ),
        ));
    }
    if let Some(report) = comparison.other_history() {
        return Err(Failure::new(
            Kind::No,
            "The backup tells another history than the witnesses confirmed; nothing was started",
            format!("witness {} cosigned another {}", report.witness, plain(report.log)),
            format!("keep {} as evidence and find out who changed it", restored.display()),
        ));
    }
    let (needed, got) = comparison.answers();
    if got < needed {
        return Err(Failure::new(
            Kind::Unreachable,
            "Whether history is missing cannot be told; nothing was started",
            format!("{got} of the site's witnesses answered, {needed} must"),
            format!(
                "bring the witnesses back, move {} away and run this again; without witnesses nobody can tell",
                restored.display()
            ),
        ));
    }
    Ok(())
}

/// The log in plain words.
const fn plain(log: LogName) -> &'static str {
    match log {
        LogName::Mlog => "membership log",
        LogName::Olog => "operation log",
    }
}

fn report(comparison: &Comparison, manifest: &BackupManifest, unpacked: &Unpacked, out: &Out) {
    let missing = |log: LogName| {
        comparison.missing().into_iter().find(|(of, _)| *of == log).map_or(0, |(_, count)| count)
    };
    let (needed, answered) = comparison.answers();
    out.document(&serde_json::json!({
        "site": manifest.site, "fingerprint": manifest.root, "made_at": manifest.made_at,
        "mlog_size": manifest.mlog.size, "olog_size": manifest.olog.size,
        "missing": { "mlog": missing(LogName::Mlog), "olog": missing(LogName::Olog) },
        "other_history": comparison.other_history().is_some(),
        "witnesses": { "answered": answered, "needed": needed },
        "kept": unpacked.kept,
    }));
    out.line(format!(
        "Backup of site {}: {} membership entries, {} operations.",
        manifest.site, manifest.mlog.size, manifest.olog.size
    ));
    for name in &unpacked.kept {
        out.line(format!("  {name} was there already and stays as it is"));
    }
    let rows: Vec<Vec<String>> = comparison
        .reports
        .iter()
        .map(|report| {
            vec![report.witness.clone(), plain(report.log).to_owned(), standing_text(&report.standing)]
        })
        .collect();
    out.table(&["witness", "log", "says"], &rows);
}

/// What a witness says, in words.
pub fn standing_text(standing: &Standing) -> String {
    match standing {
        Standing::Fits { known_size } => format!("fits: it knows {known_size} entries"),
        Standing::Missing { known_size } => format!("MISSING: it knows {known_size} entries"),
        Standing::OtherHistory { known_size } => format!("ANOTHER HISTORY at {known_size} entries"),
        Standing::NoAnswer { why } => format!("no answer: {why}"),
    }
}
