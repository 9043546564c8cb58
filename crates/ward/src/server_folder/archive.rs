//! A backup: one file, encrypted to a key that is kept offline.
//!
//! ```text
//! file     = a sealed file of ward-crypto over the plaintext
//! plaintext = u32 BE length of the manifest || manifest (dCBOR) || the files one after another
//! manifest = {0: v=1, 1: made_at, 2: site, 3: root fingerprint, 4: mlog [size, root],
//!             5: olog [size, root], 6: [[name, database (bool), size, SHA-256]]}
//! ```
//! The first file is the database. The others are what a server on another machine would lack:
//! configuration, log key, server key, TLS key. Heads of witnesses are never in it: a witness that
//! is set back forgets what it promised.

use crate::exit::{Failure, Kind};
use crate::limits::{BACKUP_FILES_MAX, BACKUP_KEY_FILE_MAX_BYTES, BACKUP_MANIFEST_MAX_BYTES};
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path};
use ward_audit::TreeHead;
use ward_crypto::limits::{SEALED_CHUNK_BYTES, SEALED_HEADER_BYTES, TAG_BYTES};
use ward_crypto::{EncKey, EncPublicKey, FileOpener, FileSealer, V1};
use ward_id::{Canonical as _, RootFingerprint, SiteId, TimestampMs, base64url_decode, base64url_encode};
use zeroize::Zeroizing;

/// What a public key file begins with.
const PUBLIC_KEY_WORD: &str = "ward-backup-key-1 ";

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BackupFile {
    /// Its path under the server's folder.
    #[n(0)]
    pub name: String,
    /// Whether it is the database.
    #[n(1)]
    pub is_database: bool,
    /// Its bytes.
    #[n(2)]
    pub size: u64,
    /// SHA-256 over them.
    #[n(3)]
    pub hash: ByteArray<32>,
}

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BackupManifest {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// When it was made, by the server's clock.
    #[n(1)]
    pub made_at: TimestampMs,
    /// The site.
    #[n(2)]
    pub site: SiteId,
    /// The site's pin.
    #[n(3)]
    pub root: RootFingerprint,
    /// Head of the membership log in it.
    #[n(4)]
    pub mlog: TreeHead,
    /// Head of the operation log in it.
    #[n(5)]
    pub olog: TreeHead,
    /// The files, the database first.
    #[n(6)]
    pub files: Vec<BackupFile>,
}

impl BackupManifest {
    fn is_sound(&self) -> bool {
        let names_are_plain = self.files.iter().all(|file| {
            let path = Path::new(&file.name);
            path.components().next().is_some()
                && path.components().all(|part| matches!(part, Component::Normal(_)))
        });
        let databases: Vec<bool> = self.files.iter().map(|file| file.is_database).collect();
        let one_database =
            databases.split_first().is_some_and(|(first, rest)| *first && !rest.contains(&true));
        names_are_plain && one_database && self.files.len() <= BACKUP_FILES_MAX
    }
}

/// SHA-256 and size of a file.
///
/// # Errors
/// What the system says.
pub fn hash_file(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
    let mut hashed = Hashing { out: io::sink(), hasher: Sha256::new(), bytes: 0 };
    io::copy(&mut file, &mut hashed)?;
    Ok((hashed.bytes, hashed.hasher.finalize().into()))
}

struct Hashing<W> {
    out: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Encrypts what is written to it.
struct SealedWriter<W> {
    sealer: FileSealer,
    pending: Zeroizing<Vec<u8>>,
    out: W,
}

impl<W: Write> SealedWriter<W> {
    fn start(to: &EncPublicKey, mut out: W) -> io::Result<Self> {
        let (sealer, header) = FileSealer::start(to, &mut super::system_rng()).map_err(io::Error::other)?;
        out.write_all(&header)?;
        Ok(Self { sealer, pending: Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES)), out })
    }

    fn finish(mut self) -> io::Result<W> {
        let last = self.sealer.last(&self.pending).map_err(io::Error::other)?;
        self.out.write_all(&last)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk goes out only when more follows: the last one is marked.
        if self.pending.len() == SEALED_CHUNK_BYTES && !bytes.is_empty() {
            let sealed = self.sealer.next(&self.pending).map_err(io::Error::other)?;
            self.out.write_all(&sealed)?;
            self.pending.clear();
        }
        let (taken, _) = bytes.split_at(bytes.len().min(SEALED_CHUNK_BYTES - self.pending.len()));
        self.pending.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decrypts what is read from it. Reaching the end means that the file was whole.
struct SealedReader<R> {
    opener: Option<FileOpener>,
    input: R,
    ahead: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<R: Read> SealedReader<R> {
    fn start(key: &EncKey, mut input: R) -> io::Result<Self> {
        let mut header = vec![0; SEALED_HEADER_BYTES];
        input.read_exact(&mut header)?;
        let opener = FileOpener::start(key, &header)
            .map_err(|_| refused("it was made for another key, or it is no backup"))?;
        let mut reader =
            Self { opener: Some(opener), input, ahead: Vec::new(), plain: Zeroizing::default(), at: 0 };
        reader.ahead = reader.read_chunk()?;
        Ok(reader)
    }

    fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::new();
        (&mut self.input).take((SEALED_CHUNK_BYTES + TAG_BYTES) as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }

    /// Opens the next chunk; it is the last one if nothing follows it.
    fn advance(&mut self) -> io::Result<()> {
        let Some(mut opener) = self.opener.take() else { return Ok(()) };
        let following = self.read_chunk()?;
        let sealed = std::mem::replace(&mut self.ahead, following);
        let changed = |_| refused("it was damaged, changed or cut off");
        self.plain = if self.ahead.is_empty() {
            opener.last(&sealed).map_err(changed)?
        } else {
            let plain = opener.next(&sealed).map_err(changed)?;
            self.opener = Some(opener);
            plain
        };
        self.at = 0;
        Ok(())
    }
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() && self.opener.is_some() {
            self.advance()?;
        }
        let rest = self.plain.get(self.at..).unwrap_or_default();
        let bytes = rest.len().min(out.len());
        for (to, from) in out.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += bytes;
        Ok(bytes)
    }
}

/// Writes a backup of `files` (each at the path beside its entry in the manifest).
///
/// # Errors
/// What reading and writing can fail with, and a file that changed while it was read.
pub fn write_backup(
    to: &EncPublicKey,
    manifest: &BackupManifest,
    paths: &[&Path],
    out: File,
) -> io::Result<()> {
    if !manifest.is_sound() || paths.len() != manifest.files.len() {
        return Err(refused("the manifest of the backup does not fit its files"));
    }
    let bytes = manifest.to_canonical();
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= BACKUP_MANIFEST_MAX_BYTES);
    let length = length.ok_or_else(|| refused("the manifest is too large"))?;
    let mut sealed = SealedWriter::start(to, io::BufWriter::new(out))?;
    sealed.write_all(&length.to_be_bytes())?;
    sealed.write_all(&bytes)?;
    for (file, path) in manifest.files.iter().zip(paths) {
        copy_checked(&mut File::open(path)?, &mut sealed, file)?;
    }
    let out = sealed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.sync_all()
}

/// Copies exactly one file and compares its hash.
fn copy_checked(input: &mut impl Read, out: &mut impl Write, file: &BackupFile) -> io::Result<()> {
    let mut hashed = Hashing { out, hasher: Sha256::new(), bytes: 0 };
    io::copy(&mut input.take(file.size), &mut hashed)?;
    let hash: [u8; 32] = hashed.hasher.finalize().into();
    if hashed.bytes == file.size && hash == *file.hash {
        Ok(())
    } else {
        Err(refused("one of its files is not the one that its manifest names"))
    }
}

/// Reads a backup. `place` says where each file goes, `None` to leave it out; it is asked with the
/// manifest before anything is written.
///
/// # Errors
/// What reading and writing can fail with, and every sign that the backup is not whole.
pub fn read_backup<F>(key: &EncKey, input: File, mut place: F) -> io::Result<BackupManifest>
where
    F: FnMut(&BackupManifest, &BackupFile) -> io::Result<Option<File>>,
{
    let mut opened = SealedReader::start(key, io::BufReader::new(input))?;
    let mut length = [0; 4];
    opened.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > BACKUP_MANIFEST_MAX_BYTES {
        return Err(refused("its manifest is too large"));
    }
    let mut bytes = Vec::new();
    (&mut opened).take(u64::from(length)).read_to_end(&mut bytes)?;
    let manifest =
        BackupManifest::from_canonical(&bytes).map_err(|_| refused("its manifest cannot be read"))?;
    if !manifest.is_sound() {
        return Err(refused("its manifest breaks the rules of the format"));
    }
    for file in &manifest.files {
        match place(&manifest, file)? {
            Some(mut out) => {
                copy_checked(&mut opened, &mut out, file)?;
                out.sync_all()?;
            }
            None => copy_checked(&mut opened, &mut io::sink(), file)?,
        }
    }
    // The end must be the marked end.
    if opened.read(&mut [0])? != 0 {
        return Err(refused("more follows after its last file"));
    }
    Ok(manifest)
}

/// Reads a public key file.
///
/// # Errors
/// A file that is none.
pub fn read_public_key(path: &Path) -> Result<EncPublicKey, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        let next = "name the .pub file that `ward backup --make-key FILE` wrote";
        Failure::input(format!("{} is no backup key", path.display()), why, next)
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| wrong(&error))?;
    file.take(BACKUP_KEY_FILE_MAX_BYTES).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    let encoded =
        text.trim_end().strip_prefix(PUBLIC_KEY_WORD).ok_or_else(|| wrong(&"it begins otherwise"))?;
    let bytes = base64url_decode(encoded).map_err(|error| wrong(&error))?;
    EncPublicKey::from_slice(&bytes).map_err(|error| wrong(&error))
}

/// The text of a public key file.
pub fn public_key_text(key: &EncPublicKey) -> String {
    format!("{PUBLIC_KEY_WORD}{}\n", base64url_encode(key.as_bytes()))
}

/// Reads the offline key.
///
/// # Errors
/// A file that is none or that others can read.
pub fn read_secret_key(path: &Path) -> Result<EncKey, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        let next = "name the secret file that `ward backup --make-key FILE` wrote, mode 0600";
        Failure::new(Kind::Input, format!("The key {} cannot be used", path.display()), why, next)
    };
    let secret = ward_server::read_key_file(path).map_err(|error| wrong(&error))?;
    EncKey::from_secret_bytes(&secret).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> EncKey {
        EncKey::from_secret_bytes(&[seed; 32]).unwrap()
    }

    struct Made {
        folder: tempfile::TempDir,
        manifest: BackupManifest,
    }

    impl Made {
        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("backup")
        }

        fn restore(&self, key: &EncKey) -> io::Result<(BackupManifest, Vec<Vec<u8>>)> {
            let folder = tempfile::tempdir().unwrap();
            let manifest = read_backup(key, File::open(self.path())?, |_, file| {
                File::create_new(folder.path().join(&file.name)).map(Some)
            })?;
            let read = manifest
                .files
                .iter()
                .map(|file| std::fs::read(folder.path().join(&file.name)).unwrap())
                .collect();
            Ok((manifest, read))
        }
    }

    fn make(contents: &[(&str, Vec<u8>)]) -> Made {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        let mut paths = Vec::new();
        for (number, (name, bytes)) in contents.iter().enumerate() {
            let path = folder.path().join(format!("in-{number}"));
            std::fs::write(&path, bytes).unwrap();
            let (size, hash) = hash_file(&path).unwrap();
            files.push(BackupFile {
                name: (*name).to_owned(),
                is_database: number == 0,
                size,
                hash: hash.into(),
            });
            paths.push(path);
        }
        let head = TreeHead::empty();
        let (site, root) = (SiteId::from_bytes([1; 16]), RootFingerprint::from_bytes([2; 32]));
        let manifest =
            BackupManifest { v: V1, made_at: TimestampMs(5), site, root, mlog: head, olog: head, files };
        let out = File::create_new(folder.path().join("backup")).unwrap();
        let paths: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
        write_backup(key(1).public(), &manifest, &paths, out).unwrap();
        Made { folder, manifest }
    }

    #[test]
    fn what_goes_in_comes_out() {
        // Around the ends of chunks, where the last one is marked.
        for size in [0, 1, SEALED_CHUNK_BYTES - 300, SEALED_CHUNK_BYTES, 2 * SEALED_CHUNK_BYTES + 5] {
            let made = make(&[("ward.db", vec![7; size]), ("ward.toml", b"x = 1".to_vec())]);
            let (manifest, read) = made.restore(&key(1)).unwrap();
            assert_eq!(manifest, made.manifest);
            assert_eq!(read, [vec![7; size], b"x = 1".to_vec()]);
            assert!(made.restore(&key(2)).is_err(), "another key");
        }
    }

    #[test]
    fn a_plaintext_that_ends_with_a_chunk_is_whole() {
        let probe = make(&[("ward.db", Vec::new())]);
        // Sizes are encoded in up to five bytes more.
        let overhead = 4 + probe.manifest.to_canonical().len() + 4;
        let made = make(&[("ward.db", vec![1; SEALED_CHUNK_BYTES - overhead])]);
        let bytes = std::fs::metadata(made.path()).unwrap().len() as usize;
        assert_eq!(bytes, SEALED_HEADER_BYTES + SEALED_CHUNK_BYTES + TAG_BYTES);
        assert!(made.restore(&key(1)).is_ok());
    }

    #[test]
    fn cut_and_changed_backups_are_refused() {
        let made = make(&[("ward.db", vec![7; 3 * SEALED_CHUNK_BYTES])]);
        let whole = std::fs::read(made.path()).unwrap();
        let chunk = SEALED_CHUNK_BYTES + TAG_BYTES;
        for cut in [
            0,
            10,
            SEALED_HEADER_BYTES,
            SEALED_HEADER_BYTES + chunk,
            SEALED_HEADER_BYTES + 3 * chunk,
            whole.len() - 1,
        ] {
            std::fs::write(made.path(), &whole[..cut]).unwrap();
            assert!(made.restore(&key(1)).is_err(), "cut to {cut}");
        }
        for at in [0, 30, SEALED_HEADER_BYTES + 5, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(made.path(), &changed).unwrap();
            assert!(made.restore(&key(1)).is_err(), "byte {at}");
        }
        std::fs::write(made.path(), [whole, vec![0]].concat()).unwrap();
        assert!(made.restore(&key(1)).is_err(), "longer");
    }

    #[test]
    fn names_stay_in_the_folder() {
        let made = make(&[("ward.db", vec![1])]);
        for name in ["../ward.db", "/etc/passwd", "", "a/../../b", "."] {
            let mut manifest = made.manifest.clone();
            manifest.files[0].name = name.to_owned();
            assert!(!manifest.is_sound(), "{name}");
        }
        let mut two = made.manifest.clone();
        two.files.push(two.files[0].clone());
        assert!(!two.is_sound(), "one database");
    }

    #[test]
    fn public_keys_are_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.pub");
        std::fs::write(&path, public_key_text(key(1).public())).unwrap();
        assert_eq!(&read_public_key(&path).unwrap(), key(1).public());
        std::fs::write(&path, "ward-backup-key-1 AAAA\n").unwrap();
        assert!(read_public_key(&path).is_err());
    }
}
