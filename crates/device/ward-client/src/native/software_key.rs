//! A device key in a file that only its owner can read. It stops a thief with the database
//! alone, not one with the whole disk; hardware keys fit behind the same port.

use crate::limits::KEY_FILE_MAX_BYTES;
use crate::{DeviceKeyError, DeviceKeyStore, HighWater};
use rand_core::CryptoRng;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use ward_crypto::{Lkek, WrappingKey};
use ward_id::Canonical as _;
use zeroize::Zeroizing;

/// A 32-byte secret in a file of mode 0600, with the high-water mark in a file beside it.
pub struct SoftwareDeviceKey {
    key_file: PathBuf,
    mark_file: PathBuf,
}

impl SoftwareDeviceKey {
    /// Names the key file; it is made when a key is first wrapped.
    pub fn at(key_file: impl Into<PathBuf>) -> Self {
        let key_file = key_file.into();
        let mark_file = key_file.with_extension("mark");
        Self { key_file, mark_file }
    }

    fn secret(&self) -> Result<Zeroizing<[u8; 32]>, DeviceKeyError> {
        let bytes = read_private(&self.key_file)?.ok_or(DeviceKeyError::Missing)?;
        let bytes = Zeroizing::new(bytes);
        let secret = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| DeviceKeyError::Mismatch)?;
        Ok(Zeroizing::new(secret))
    }

    fn secret_or_new(&self, rng: &mut impl CryptoRng) -> Result<Zeroizing<[u8; 32]>, DeviceKeyError> {
        match self.secret() {
            Err(DeviceKeyError::Missing) => {
                let mut secret = Zeroizing::new([0; 32]);
                rng.fill_bytes(secret.as_mut());
                write_private(&self.key_file, secret.as_ref())?;
                Ok(secret)
            }
            other => other,
        }
    }
}

fn broken(error: &io::Error) -> DeviceKeyError {
    DeviceKeyError::Broken(error.to_string())
}

fn read_private(path: &Path) -> Result<Option<Vec<u8>>, DeviceKeyError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| broken(&error))?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(|error| broken(&error))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(DeviceKeyError::Exposed);
        }
    }
    let mut bytes = Vec::new();
    file.take(KEY_FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    Ok(Some(bytes))
}

/// Overwrites a file where it lies, then removes it. On storage that writes elsewhere the old bytes may
/// stay until it reuses the place; a hardware key does not have that weakness.
fn destroy_file(path: &Path) -> io::Result<()> {
    for path in [path.with_extension("new"), path.to_path_buf()] {
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let length = file.metadata()?.len().min(KEY_FILE_MAX_BYTES);
        let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
        file.write_all(&zeros)?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}

/// Writes beside the target and renames, so that a crash leaves the old content or the new.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DeviceKeyError> {
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|error| broken(&error))
}

impl DeviceKeyStore for SoftwareDeviceKey {
    async fn wrap(&self, local_key: &Lkek, rng: &mut impl CryptoRng) -> Result<Vec<u8>, DeviceKeyError> {
        let wrapping = WrappingKey::from_secret_bytes(&*self.secret_or_new(rng)?);
        local_key.wrap(&wrapping, rng).map_err(|error| DeviceKeyError::Broken(error.to_string()))
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Lkek, DeviceKeyError> {
        let wrapping = WrappingKey::from_secret_bytes(&*self.secret()?);
        Lkek::unwrap(&wrapping, wrapped).map_err(|_| DeviceKeyError::Mismatch)
    }

    async fn high_water(&self) -> Result<Option<HighWater>, DeviceKeyError> {
        let Some(bytes) = read_private(&self.mark_file)? else { return Ok(None) };
        HighWater::from_canonical(&bytes).map(Some).map_err(|error| DeviceKeyError::Broken(error.to_string()))
    }

    async fn set_high_water(&self, mark: &HighWater) -> Result<(), DeviceKeyError> {
        write_private(&self.mark_file, &mark.to_canonical())
    }

    async fn destroy(&self) -> Result<(), DeviceKeyError> {
        destroy_file(&self.key_file)
            .and_then(|()| destroy_file(&self.mark_file))
            .map_err(|error| broken(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::run_to_end;
    use crate::{Environment as _, native::SystemEnvironment};

    #[test]
    fn a_key_wrapped_here_opens_here_only() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.key"), folder.path().join("two.key"));
        let (one, two) = (SoftwareDeviceKey::at(one), SoftwareDeviceKey::at(two));
        let mut system = SystemEnvironment::new();
        let local = Lkek::generate(system.rng());
        let wrapped = run_to_end(one.wrap(&local, system.rng())).unwrap();
        assert!(run_to_end(one.unwrap(&wrapped)).is_ok());
        assert_eq!(run_to_end(two.unwrap(&wrapped)).err(), Some(DeviceKeyError::Missing));
        run_to_end(two.wrap(&local, system.rng())).unwrap();
        assert_eq!(run_to_end(two.unwrap(&wrapped)).err(), Some(DeviceKeyError::Mismatch));
        for at in 0..wrapped.len() {
            let mut flipped = wrapped.clone();
            flipped[at] ^= 1;
            assert_eq!(run_to_end(one.unwrap(&flipped)).err(), Some(DeviceKeyError::Mismatch));
        }
    }

    #[test]
    fn the_mark_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let key = SoftwareDeviceKey::at(folder.path().join("device.key"));
        assert_eq!(run_to_end(key.high_water()), Ok(None));
        let mark = HighWater { store_version: 9, ..HighWater::default() };
        run_to_end(key.set_high_water(&mark)).unwrap();
        assert_eq!(run_to_end(key.high_water()), Ok(Some(mark)));
    }

    #[test]
    fn a_destroyed_key_opens_nothing_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let key = SoftwareDeviceKey::at(folder.path().join("device.key"));
        let mut system = SystemEnvironment::new();
        let wrapped = run_to_end(key.wrap(&Lkek::generate(system.rng()), system.rng())).unwrap();
        run_to_end(key.set_high_water(&HighWater::default())).unwrap();
        for _ in 0..2 {
            run_to_end(key.destroy()).unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        assert_eq!(run_to_end(key.unwrap(&wrapped)).err(), Some(DeviceKeyError::Missing));
        assert_eq!(run_to_end(key.high_water()), Ok(None));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let key = SoftwareDeviceKey::at(&path);
        let mut system = SystemEnvironment::new();
        let local = Lkek::generate(system.rng());
        let wrapped = run_to_end(key.wrap(&local, system.rng())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(run_to_end(key.unwrap(&wrapped)).err(), Some(DeviceKeyError::Exposed));
    }
}
