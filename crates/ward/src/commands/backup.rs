//! `ward backup`: a consistent copy of everything a server needs, encrypted to an offline key.

use crate::cli::BackupArgs;
use crate::exit::{Done, Failure, Kind};
use crate::limits::{BACKUP_SMALL_FILE_MAX_BYTES, BACKUP_SPARE_BYTES};
use crate::print::Out;
use crate::server_folder::archive::{
    BackupFile, BackupManifest, hash_file, public_key_text, read_public_key, write_backup,
};
use crate::server_folder::disk::{folder_of, free_bytes, same_disk, sync_folder_of};
use crate::server_folder::folder_lock::FolderLock;
use crate::server_folder::settings::Loaded;
use crate::server_folder::site_state::SiteState;
use crate::server_folder::system_clock::SystemClock;
use crate::server_folder::{self, beside, create_private, open_store, private_folder, system_rng};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use ward_crypto::{EncKey, V1, random_bytes};
use ward_id::hex_encode;
use ward_server::{Clock as _, write_key_file};
use ward_store::Upkeep as _;
use zeroize::Zeroizing;

/// What the name of a database's copy adds to the database's.
const SNAPSHOT_SUFFIX: &str = ".backup-";
const MIB: u64 = 1024 * 1024;

/// Runs the command.
///
/// # Errors
/// What reading, copying and writing can fail with.
pub async fn run(args: &BackupArgs, out: &Out) -> Done {
    if args.make_key {
        return make_key(&args.file, out);
    }
    let to = args.to.as_deref().ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "A backup needs a key",
            "--to was not given",
            "make one with `ward backup FILE --make-key`",
        )
    })?;
    let to = read_public_key(to)?;
    refuse_existing(&args.file)?;
    let loaded = server_folder::open(&args.server.config)?;
    let _lock = FolderLock::try_take_for_backup(&loaded.dir)?
        .ok_or_else(|| failed(&args.file, &"another `ward backup` of this server is running"))?;
    // Nobody else makes copies now, so what lies there was left by one that was killed.
    for leftover in leftovers(&loaded.settings.files.database) {
        std::fs::remove_dir_all(&leftover).map_err(|error| failed(&leftover, &error))?;
    }
    check_space(&loaded.settings.files.database, &args.file)?;
    let progress = out.progress("copying the database", 3);
    let snapshot = Snapshot::take(&loaded).await?;
    progress.step();
    progress.now("hashing");
    let (site, left_out) = (snapshot.site().await?, files_outside(&loaded, &args.server.config));
    let mut paths = vec![snapshot.database()];
    let mut files = vec![described(&paths[..], &database_name(&loaded), true)?];
    for (name, path) in small_files(&loaded, &args.server.config) {
        files.push(described(std::slice::from_ref(&path), &name, false)?);
        paths.push(path);
    }
    let manifest = BackupManifest {
        v: V1,
        made_at: SystemClock::new().now(),
        site: site.root.site,
        root: site.fingerprint(),
        mlog: site.mlog,
        olog: site.olog,
        files,
    };
    progress.step();
    progress.now("encrypting");
    let borrowed: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let written = create_private(&args.file)
        .and_then(|file| write_backup(&to, &manifest, &borrowed, file))
        .and_then(|()| sync_folder_of(&args.file));
    progress.done();
    written.map_err(|error| {
        // Half a backup must not be taken for one.
        let _ = std::fs::remove_file(&args.file);
        failed(&args.file, &error)
    })?;
    report(args, &manifest, &left_out, out);
    Ok(())
}

fn failed(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    let next = "check the free space and the permissions, then run it again";
    Failure::new(Kind::Fault, format!("The backup {} was not made", file.display()), error, next)
}

fn refuse_existing(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        let next = "name a new file; old backups are kept until you delete them";
        return Err(Failure::new(
            Kind::No,
            format!("{} exists already", file.display()),
            "it is not overwritten",
            next,
        ));
    }
    Ok(())
}

fn make_key(file: &Path, out: &Out) -> Done {
    let public_file = beside(file, ".pub");
    refuse_existing(file)?;
    refuse_existing(&public_file)?;
    let secret = Zeroizing::new(random_bytes::<32>(&mut system_rng()));
    let key =
        EncKey::from_secret_bytes(&secret).map_err(|error| Failure::fault("No key could be made", error))?;
    write_key_file(file, &secret).map_err(|error| failed(file, &error))?;
    let write = || {
        let mut file = std::fs::File::create_new(&public_file)?;
        file.write_all(public_key_text(key.public()).as_bytes())?;
        file.sync_all()?;
        sync_folder_of(&public_file)
    };
    write().map_err(|error| failed(&public_file, &error))?;
    out.document(&serde_json::json!({ "secret": file, "public": public_file }));
    out.line(format!("{}  opens every backup made to it: keep it offline, in two places", file.display()));
    out.line(format!(
        "{}  goes to the server: ward backup FILE --to {}",
        public_file.display(),
        public_file.display()
    ));
    Ok(())
}

/// Copies of the database that a killed `ward backup` left beside it.
pub fn leftovers(database: &Path) -> Vec<PathBuf> {
    let Some(name) = database.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let prefix = format!("{name}{SNAPSHOT_SUFFIX}");
    let is_one = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&prefix)) && path.is_dir()
    };
    let Ok(entries) = std::fs::read_dir(folder_of(database)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_one).collect();
    found.sort();
    found
}

/// The copy lies on the server's own disk: filled up, it would stop all writing.
fn check_space(database: &Path, file: &Path) -> Result<(), Failure> {
    let bytes = [database.to_owned(), beside(database, "-wal")]
        .iter()
        .map(|path| std::fs::metadata(path).map_or(0, |meta| meta.len()))
        .fold(0u64, u64::saturating_add);
    let (here, there) = (folder_of(database), folder_of(file));
    let room = |folder: &Path, wanted: u64| {
        let wanted = wanted.saturating_add(BACKUP_SPARE_BYTES);
        let free = free_bytes(folder).map_err(|error| failed(file, &error))?;
        if free >= wanted {
            return Ok(());
        }
        let (free, wanted) = (free / MIB, wanted.div_ceil(MIB));
        Err(Failure::new(
            Kind::No,
            format!("The backup {} was not made", file.display()),
            format!("{} has {free} MiB free, and {wanted} MiB are needed", folder.display()),
            "free some space, or name a file on another disk, and run it again",
        ))
    };
    if same_disk(here, there).map_err(|error| failed(file, &error))? {
        return room(here, bytes.saturating_mul(2));
    }
    room(here, bytes)?;
    room(there, bytes)
}

/// A copy of the database beside it, gone when dropped.
struct Snapshot {
    dir: PathBuf,
}

impl Snapshot {
    async fn take(loaded: &Loaded) -> Result<Self, Failure> {
        let number = hex_encode(&random_bytes::<8>(&mut system_rng()));
        let database = &loaded.settings.files.database;
        let snapshot = Self { dir: beside(database, &format!("{SNAPSHOT_SUFFIX}{number}")) };
        private_folder(&snapshot.dir).map_err(|error| failed(&snapshot.dir, &error))?;
        let store = loaded.store()?;
        let copied = store.backup_to(snapshot.database()).await;
        store.close().await;
        copied.map_err(|error| failed(&snapshot.database(), &error))?;
        Ok(snapshot)
    }

    fn database(&self) -> PathBuf {
        self.dir.join("copy.db")
    }

    /// The site as the copy has it. Opening a database writes to its header, so the copy is hashed
    /// after this and not before.
    async fn site(&self) -> Result<SiteState, Failure> {
        let store = open_store(&self.database())?;
        let site = SiteState::read(&store, &BTreeSet::new()).await;
        store.close().await;
        site
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // What stays is ciphertext in a private folder, and its name says what it was.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn database_name(loaded: &Loaded) -> String {
    let database = &loaded.settings.files.database;
    name_under(&loaded.dir, database)
        .or_else(|| Some(database.file_name()?.to_str()?.to_owned()))
        .unwrap_or_else(|| "ward.db".to_owned())
}

fn described(paths: &[PathBuf], name: &str, is_database: bool) -> Result<BackupFile, Failure> {
    let path = paths.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
    let (size, hash) = hash_file(path).map_err(|error| failed(path, &error))?;
    if !is_database && size > BACKUP_SMALL_FILE_MAX_BYTES {
        return Err(failed(path, &format!("it is larger than {BACKUP_SMALL_FILE_MAX_BYTES} bytes")));
    }
    Ok(BackupFile { name: name.to_owned(), is_database, size, hash: hash.into() })
}

fn wanted_files(loaded: &Loaded, config: &Path) -> Vec<PathBuf> {
    let settings = &loaded.settings;
    let mut paths =
        vec![config.to_owned(), settings.files.log_key.clone(), settings.files.server_key.clone()];
    if let Some(tls) = &settings.server.tls {
        paths.extend([tls.cert_file.clone(), tls.key_file.clone()]);
    }
    paths.extend(settings.server.witnesses.iter().filter_map(|witness| witness.ca_file.clone()));
    paths.dedup();
    paths
}

/// The files under the server's folder, by their names there.
fn small_files(loaded: &Loaded, config: &Path) -> Vec<(String, PathBuf)> {
    let named = |path: PathBuf| Some((name_under(&loaded.dir, &path)?, path));
    wanted_files(loaded, config).into_iter().filter_map(named).collect()
}

/// What lies elsewhere and must be kept by other means.
fn files_outside(loaded: &Loaded, config: &Path) -> Vec<PathBuf> {
    wanted_files(loaded, config).into_iter().filter(|path| name_under(&loaded.dir, path).is_none()).collect()
}

fn name_under(dir: &Path, path: &Path) -> Option<String> {
    // A bare file name lies in the current folder, which the configuration's folder then is.
    let name = path.strip_prefix(dir).ok().or_else(|| (dir == Path::new(".")).then_some(path))?;
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    if plain { name.to_str().map(str::to_owned) } else { None }
}

fn report(args: &BackupArgs, manifest: &BackupManifest, left_out: &[PathBuf], out: &Out) {
    let bytes = std::fs::metadata(&args.file).map_or(0, |meta| meta.len());
    out.document(&serde_json::json!({
        "file": args.file, "bytes": bytes, "site": manifest.site, "fingerprint": manifest.root,
        "mlog_size": manifest.mlog.size, "mlog_root": manifest.mlog.root,
        "olog_size": manifest.olog.size, "olog_root": manifest.olog.root,
        "files": manifest.files.iter().map(|file| &file.name).collect::<Vec<_>>(),
        "left_out": left_out,
    }));
    out.line(format!("{} holds site {} ({bytes} bytes).", args.file.display(), manifest.site));
    out.line(format!("  membership log  {} entries, root {}", manifest.mlog.size, manifest.mlog.root));
    out.line(format!("  operation log   {} entries, root {}", manifest.olog.size, manifest.olog.root));
    for file in &manifest.files {
        out.line(format!("  {:<14}  {} bytes", file.name, file.size));
    }
    for path in left_out {
        out.line(format!(
            "  NOT in it: {} lies outside the server's folder; keep a copy of it yourself",
            path.display()
        ));
    }
    out.line("Not in it by design: heads of witnesses. A witness that is set back forgets what it promised.");
}
