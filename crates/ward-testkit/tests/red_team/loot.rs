//! What a thief or a former member has: everything that stands in a device's store, opened, and a
//! full copy of the server's database.

use minicbor::Decode;
use minicbor::bytes::ByteVec;
use std::collections::BTreeMap;
use ward_client::{DeviceKeyStore as _, RowStore as _};
use ward_crypto::{
    AcceptedSuites, DeviceKeys, EncKey, Envelope, EpochPackage, EpochSecret, LocalKey, SignPublicKey,
    open_envelope, open_epoch_package, open_history,
};
use ward_id::{Canonical as _, ChartId, DeviceId};
use ward_store::Store;
use ward_sync::Membership;
use ward_testkit::{Server, TestDevice};

#[derive(Decode)]
#[cbor(map)]
struct Identity {
    #[n(6)]
    keys: ByteVec,
}

#[derive(Decode)]
#[cbor(map)]
struct Epoch {
    #[n(1)]
    secret: ByteVec,
}

/// A device's secrets, by somebody who holds it unlocked.
pub struct Loot {
    pub device: DeviceId,
    pub keys: DeviceKeys,
    /// The secret of every epoch that the device ever opened.
    pub epochs: BTreeMap<(ChartId, u64), EpochSecret>,
}

/// Takes everything out of a device's store.
pub async fn loot(device: &TestDevice) -> Loot {
    let wrapped = device.rows.get(0, b"lkek").await.unwrap().unwrap();
    let lkek = device.key.unwrap(&wrapped.sealed).await.unwrap();
    let local: LocalKey = lkek.local_key();
    let row = device.rows.get(2, b"me").await.unwrap().unwrap();
    let opened = local.open_row("identity", &row.id, row.version, &row.sealed).unwrap();
    let identity: Identity = minicbor::decode(&opened).unwrap();
    let keys = lkek.unwrap_device_keys(device.device(), &identity.keys).unwrap();
    let mut epochs = BTreeMap::new();
    for row in device.rows.scan(6).await.unwrap() {
        let opened = local.open_row("epochs", &row.id, row.version, &row.sealed).unwrap();
        let epoch: Epoch = minicbor::decode(&opened).unwrap();
        let (chart, number) = row.id.split_at(ChartId::BYTES);
        let (chart, number) =
            (ChartId::from_slice(chart).unwrap(), u64::from_be_bytes(number.try_into().unwrap()));
        let secret = <[u8; 32]>::try_from(epoch.secret.as_slice()).unwrap();
        epochs.insert((chart, number), EpochSecret::from_secret_bytes(chart, number, &secret));
    }
    Loot { device: device.device(), keys, epochs }
}

impl Loot {
    /// Tries every way to further epoch secrets that a copy of the server's database offers: wraps,
    /// and the earlier secrets that packages hand on.
    pub fn dig(&mut self, chart: ChartId, packages: &[EpochPackage], log: &Membership) {
        for package in packages {
            let author = author_key(log, package.header().author);
            let opened =
                open_epoch_package(self.device, &self.keys.enc, package, &author, AcceptedSuites::ALL);
            if let Ok(secret) = opened {
                self.epochs.insert((chart, package.header().epoch), secret);
            }
        }
        // A package hands on earlier secrets, and those may lead to others.
        for package in packages.iter().rev() {
            let Some(secret) = self.epochs.get(&(chart, package.header().epoch)) else { continue };
            for older in open_history(secret, package, packages).unwrap_or_default() {
                self.epochs.insert((chart, older.epoch()), older);
            }
        }
    }

    /// Tries every secret on an envelope, whatever epoch it names.
    pub fn opens(&self, envelope: &Envelope, log: &Membership) -> bool {
        let author = author_key(log, envelope.header().device);
        let header = envelope.header();
        self.epochs.values().any(|secret| {
            let relabelled =
                EpochSecret::from_secret_bytes(header.chart, header.epoch, &secret.to_secret_bytes());
            open_envelope(&relabelled, envelope, &author, AcceptedSuites::ALL).is_ok()
        })
    }
}

/// The signing key of a device, as the log certifies it.
pub fn author_key(log: &Membership, device: DeviceId) -> SignPublicKey {
    log.find_device(device).unwrap().0.cert().binding.sign_pk
}

/// Whether a key opens any of these packages.
pub fn opens_any(device: DeviceId, key: &EncKey, packages: &[EpochPackage], log: &Membership) -> bool {
    packages.iter().any(|package| {
        let author = author_key(log, package.header().author);
        open_epoch_package(device, key, package, &author, AcceptedSuites::ALL).is_ok()
    })
}

/// Every envelope in a server's database.
pub async fn envelopes_of<S: Store>(server: &Server<S>) -> Vec<Envelope> {
    server.envelopes().await.iter().map(|row| Envelope::from_canonical(&row.envelope.0).unwrap()).collect()
}
