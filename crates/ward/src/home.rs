//! The folder of one device: its sealed store, its key, and the client over them.

use crate::exit::{Failure, Kind};
use std::path::{Path, PathBuf};
use ward_client::native::{
    HttpsTransport, NativeClient, SoftwareDeviceKey, SqliteRowStore, SystemEnvironment,
};
use ward_client::{Client, ClientError, DeviceState};
use ward_id::ChartId;

const STORE_FILE: &str = "store.db";
const KEY_FILE: &str = "device.key";

/// Where a device's files are.
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// The folder; it need not exist yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// The store's file.
    pub fn store_file(&self) -> PathBuf {
        self.folder.join(STORE_FILE)
    }

    /// The device key's file.
    pub fn key_file(&self) -> PathBuf {
        self.folder.join(KEY_FILE)
    }

    /// Opens the folder as a device, making it when `make` says so.
    ///
    /// # Errors
    /// When the folder is missing or its files cannot be opened.
    pub async fn open(&self, make: bool) -> Result<NativeClient, Failure> {
        if make {
            make_private_folder(&self.folder)?;
        } else if !self.store_file().exists() {
            return Err(Failure::new(
                Kind::NotNow,
                format!("There is no device in {}", self.folder.display()),
                "no store was found there",
                "enrol this device with `ward enrol TICKET`, or name its folder with --home",
            )
            .with_code("WARD-6011"));
        }
        let rows = SqliteRowStore::open(&self.store_file())
            .map_err(|error| from_client(ClientError::Store(error)))?;
        let key = SoftwareDeviceKey::at(self.key_file());
        Client::open(rows, HttpsTransport::new(), SystemEnvironment::new(), key).await.map_err(from_client)
    }

    /// Opens and unlocks an enrolled device.
    ///
    /// # Errors
    /// As [`Home::open`], and when it is not enrolled or cannot be unlocked.
    pub async fn unlock(&self) -> Result<NativeClient, Failure> {
        let mut client = self.open(false).await?;
        client.unlock().await.map_err(from_client)?;
        match client.state() {
            DeviceState::Ready | DeviceState::SetBack => Ok(client),
            _ => Err(from_client(ClientError::NotEnrolled)),
        }
    }
}

fn make_private_folder(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        Failure::input(
            format!("The folder {} cannot be made", folder.display()),
            error,
            "choose another folder with --home",
        )
    })
}

/// The chart that was named, or the only one there is.
///
/// # Errors
/// When there are several or none.
pub fn chart_or_only(client: &NativeClient, named: Option<ChartId>) -> Result<ChartId, Failure> {
    if let Some(chart) = named.or(client.me().map_err(from_client)?.chart) {
        return Ok(chart);
    }
    let charts = client.charts();
    match charts.as_slice() {
        [only] => Ok(only.chart),
        [] => Err(Failure::new(
            Kind::NotNow,
            "There is no chart on this device",
            "no chart has been fetched yet",
            "run `ward sync`",
        )),
        _ => Err(Failure::new(
            Kind::Usage,
            "Which chart?",
            format!("this device reads {} charts", charts.len()),
            "name one with --chart; `ward chart` lists them",
        )),
    }
}

/// A client's error as the three sentences of the command line.
pub fn from_client(error: ClientError) -> Failure {
    let kind = match &error {
        ClientError::Transport(_) | ClientError::BadAnswer { .. } => Kind::Unreachable,
        ClientError::Locked
        | ClientError::NotEnrolled
        | ClientError::AlreadyEnrolled
        | ClientError::StoreSetBack
        | ClientError::MayNotSeal
        | ClientError::DeviceKey(_) => Kind::NotNow,
        ClientError::Ticket(_) => Kind::Input,
        ClientError::Crypto(_) | ClientError::Format(_) => Kind::Fault,
        _ => Kind::No,
    };
    let code = error.code();
    Failure::new(kind, &error, why(&error), format!("see docs/errors/{code}.md")).with_code(code)
}

fn why(error: &ClientError) -> &'static str {
    match error {
        ClientError::Refused(_) => "the server refused it",
        ClientError::Transport(_) => "what you entered is saved here and is sent later",
        ClientError::NotAllowed(_) | ClientError::Void(_) => "the rules of the site do not allow it",
        ClientError::NotEnrolled => "every device starts with an invitation from its site",
        _ => "nothing was changed",
    }
}
