//! The folder of one device: its sealed store, its key, and the client over them.

use crate::exit::{Failure, Kind};
use crate::server_folder::folder_lock::FolderLock;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use ward_client::native::{
    HttpsTransport, NativeClient, Salvaged, SoftwareDeviceKey, SqliteRowStore, SystemEnvironment,
};
use ward_client::{Client, ClientError, DeviceState, RowStoreError, TransportError};
use ward_id::ChartId;

const STORE_FILE: &str = "store.db";
const KEY_FILE: &str = "device.key";

/// Where a device's files are.
pub struct Home {
    folder: PathBuf,
    /// Held from the first opening until the process ends.
    lock: OnceLock<FolderLock>,
}

impl Home {
    /// The folder; it need not exist yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), lock: OnceLock::new() }
    }

    /// Two programs in one home would each write over what the other one saved.
    fn take_lock(&self) -> Result<(), Failure> {
        if self.lock.get().is_some() {
            return Ok(());
        }
        let held = FolderLock::try_take(&self.folder)?.ok_or_else(|| in_use(&self.folder))?;
        let _ = self.lock.set(held);
        Ok(())
    }

    /// The store's file.
    pub fn store_file(&self) -> PathBuf {
        self.folder.join(STORE_FILE)
    }

    /// The device key's file.
    pub fn key_file(&self) -> PathBuf {
        self.folder.join(KEY_FILE)
    }

    /// A file beside them.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
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
        self.take_lock()?;
        let rows = SqliteRowStore::open(&self.store_file())
            .map_err(|error| from_client(ClientError::Store(error)))?;
        let key = SoftwareDeviceKey::at(self.key_file());
        Client::open(rows, HttpsTransport::new(), SystemEnvironment::new(), key).await.map_err(from_client)
    }

    /// Opens a device for repair. A file that SQLite cannot read any more is set aside, and what can
    /// be read out of it is put into a new one.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub async fn open_salvaging(&self) -> Result<(NativeClient, Option<Salvaged>), Failure> {
        if !self.store_file().exists() {
            return self.open(false).await.map(|client| (client, None));
        }
        self.take_lock()?;
        let store = |error| from_client(ClientError::Store(error));
        let (rows, salvaged) = match SqliteRowStore::open(&self.store_file()) {
            Err(RowStoreError::Damaged) => {
                let salvaged = SqliteRowStore::salvage(&self.store_file()).map_err(store)?;
                (SqliteRowStore::open(&self.store_file()).map_err(store)?, Some(salvaged))
            }
            opened => (opened.map_err(store)?, None),
        };
        let key = SoftwareDeviceKey::at(self.key_file());
        let client = Client::open(rows, HttpsTransport::new(), SystemEnvironment::new(), key).await;
        Ok((client.map_err(from_client)?, salvaged))
    }

    /// Opens and unlocks an enrolled device.
    ///
    /// # Errors
    /// As [`Home::open`], and when it is not enrolled or cannot be unlocked.
    pub async fn unlock(&self) -> Result<NativeClient, Failure> {
        let mut client = self.open(false).await?;
        client.unlock().await.map_err(from_client)?;
        match client.state() {
            DeviceState::Ready | DeviceState::SetBack => {
                // What is shown does not hang on it: a store that takes nothing now takes it next time.
                let _ = client.note_zone().await;
                Ok(client)
            }
            _ => Err(from_client(ClientError::NotEnrolled)),
        }
    }
}

fn in_use(folder: &Path) -> Failure {
    Failure::new(
        Kind::NotNow,
        "Another ward command is using this home",
        format!("it works in {}, and two at once would overwrite each other", folder.display()),
        "let it end (a waiting `ward enrol` and an open `ward answer` count too), then run this again",
    )
    .with_code("WARD-6001")
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
    let kind = kind_of(&error);
    let code = error.code();
    let next = match &error {
        ClientError::StoreDamaged { .. } | ClientError::Store(RowStoreError::Damaged) => {
            "run `ward repair`: it fetches again what the server has, and says exactly what is lost"
                .to_owned()
        }
        _ => format!("see docs/errors/{code}.md"),
    };
    Failure::new(kind, &error, why(&error), next).with_code(code)
}

/// As [`from_client`], for an act that is queued nowhere: it reaches the server at once or it does
/// not happen.
pub fn from_act(error: ClientError) -> Failure {
    let Some((why, next)) = fate_of_act(&error) else { return from_client(error) };
    Failure::new(kind_of(&error), &error, why, next).with_code(error.code())
}

const NOTHING_DONE: (&str, &str) = (
    "nothing was done, and nothing waits to be done later",
    "run the same command again when there is a network",
);
const MAYBE_DONE: (&str, &str) = (
    "it may have been done: the answer of the server did not come back",
    "look before you repeat it: `ward sync`, then `ward invite list`, `ward invite proposals` or `ward team list`",
);
const NOT_CONFIRMED: (&str, &str) = (
    "it may have been done: the server took it, and the witnesses have not confirmed it yet",
    "look before you repeat it: run `ward sync` in a few minutes, then `ward invite proposals` or `ward team list`",
);

/// What became of an act that failed on its way; `None` where the error says so itself.
const fn fate_of_act(error: &ClientError) -> Option<(&'static str, &'static str)> {
    match error {
        ClientError::Transport(TransportError::Unreachable(_) | TransportError::WrongServer) => {
            Some(NOTHING_DONE)
        }
        ClientError::Contended => {
            Some(("nothing was done: others changed the site at the same time", "run the same command again"))
        }
        ClientError::Transport(_) | ClientError::BadAnswer { .. } => Some(MAYBE_DONE),
        ClientError::NotConfirmed => Some(NOT_CONFIRMED),
        _ => None,
    }
}

/// A sync after an act that is done already: what fails here takes nothing back.
pub fn from_sync_after(error: ClientError) -> Failure {
    Failure::new(
        kind_of(&error),
        format!("It is done, and the sync after it failed: {error}"),
        "the other devices learn of it from the server, not from this one",
        "run `ward sync` later",
    )
    .with_code(error.code())
}

const fn kind_of(error: &ClientError) -> Kind {
    match error {
        ClientError::Transport(_) | ClientError::BadAnswer { .. } => Kind::Unreachable,
        ClientError::Locked
        | ClientError::NotEnrolled
        | ClientError::AlreadyEnrolled
        | ClientError::StoreSetBack
        | ClientError::MayNotSeal
        | ClientError::StoreIsNewer
        | ClientError::NeedsNewerApp
        | ClientError::LeaseEnded
        | ClientError::Severed
        | ClientError::Store(RowStoreError::Busy)
        | ClientError::DeviceKey(_) => Kind::NotNow,
        ClientError::Ticket(_) => Kind::Input,
        ClientError::Crypto(_) | ClientError::Format(_) => Kind::Fault,
        _ => Kind::No,
    }
}

const fn why(error: &ClientError) -> &'static str {
    match error {
        ClientError::Refused(_) => "the server refused it",
        ClientError::Transport(_) | ClientError::BadAnswer { .. } => {
            "entries that are saved on this device stay saved and are sent at a later `ward sync`"
        }
        ClientError::NotAllowed(_) | ClientError::Void(_) => "the rules of the site do not allow it",
        ClientError::StoreIsNewer => {
            "this version does not know what the newer one wrote, and would harm it by writing; `ward export` works"
        }
        ClientError::NeedsNewerApp => "it could overwrite what it cannot read; update Ward on this device",
        ClientError::ConflictMoved => "somebody wrote or decided in between, and nothing is decided unseen",
        ClientError::SchemaRefused(_) => "no device would follow it",
        ClientError::NotEnrolled => "every device starts with an invitation from its site",
        ClientError::Store(RowStoreError::Busy) => {
            "another program wrote to this home in between; nothing of this was saved"
        }
        _ => "nothing was changed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_has_one_user_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Home::at(folder.path()), Home::at(folder.path()));
        one.take_lock().unwrap();
        one.take_lock().unwrap();
        let refused = two.take_lock().unwrap_err();
        assert_eq!(refused.kind(), Kind::NotNow);
        assert!(refused.to_string().contains("Another ward command is using this home"), "{refused}");
        drop(one);
        two.take_lock().unwrap();
    }

    #[test]
    fn an_act_that_is_queued_nowhere_does_not_say_that_it_is_sent_later() {
        let offline = || ClientError::Transport(TransportError::Unreachable("no route".to_owned()));
        let said = from_act(offline());
        assert_eq!(said.kind(), Kind::Unreachable);
        assert!(said.to_string().contains("nothing was done"), "{said}");
        assert!(from_client(offline()).to_string().contains("stay saved"));
        for unsure in [ClientError::Transport(TransportError::TimedOut), ClientError::NotConfirmed] {
            let said = from_act(unsure);
            assert!(said.to_string().contains("it may have been done"), "{said}");
            assert!(said.next().contains("look before"), "{}", said.next());
        }
        assert!(from_act(ClientError::Locked).to_string().contains("locked"));
    }
}
