//! What a thief or a former member has: everything that stands in a device's store, opened, and a
//! full copy of the server's database.

use minicbor::Decode;
use minicbor::bytes::ByteVec;
use std::collections::BTreeMap;
use ward_client::{DeviceKeyStore as _, RowStore as _};
use ward_crypto::{
    AcceptedSuites, DeviceKeys, EncKey, Envelope, EpochPackage, EpochSecret, LocalKey, SignPublicKey,
    open_epoch_package,
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
