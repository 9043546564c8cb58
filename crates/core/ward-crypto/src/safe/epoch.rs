//! Epoch packages: a fresh secret for a chart, wrapped for each member device.

use super::digest::{labelled_hash, sha256};
use super::enc_key::{EncKey, EncPublicKey};
use super::envelope::EpochSecret;
use super::random::{HedgeKey, HedgedRng, random_secret};
use super::sign_key::{SignKey, SignPublicKey};
use super::suite::{AcceptedSuites, Suite};
use crate::codec::{Signature, V1, canonical_with, checked, strictly_ascending};
use crate::hazmat::{aead, hpke_base, kdf};
use crate::labels::{EPOCH_COM, EPOCH_WRAP, HIST, MEMBERS, PKG};
use crate::limits::{
    ENCAPSULATION_BYTES, GCM_NONCE_BYTES, HISTORY_MAX_BYTES, HISTORY_MAX_EPOCHS, KEY_BYTES, MEMBERS_MAX,
    TAG_BYTES,
};
use crate::{CryptoError, FormatError};
use alloc::vec::Vec;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode, Encoder};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use ward_id::{Canonical as _, ChartId, DeviceId, MemberSetHash, PackageHash, SiteId, TreeRoot};
use zeroize::{Zeroize as _, Zeroizing};

/// What an epoch package says in clear.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochHeader {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The suite.
    #[n(1)]
    pub suite: Suite,
    /// The site.
    #[n(2)]
    pub site: SiteId,
    /// The chart.
    #[n(3)]
    pub chart: ChartId,
    /// The epoch that begins, from 0.
    #[n(4)]
    pub epoch: u64,
    /// The package before; absent at epoch 0.
    #[n(5)]
    pub prev_pkg_hash: Option<PackageHash>,
    /// Size of the membership log that the author last verified.
    #[n(6)]
    pub mlog_size: u64,
    /// Its root.
    #[n(7)]
    pub mlog_root: TreeRoot,
    /// The members and their keys.
    #[n(8)]
    pub member_set_hash: MemberSetHash,
    /// The device that made the package.
    #[n(9)]
    pub author: DeviceId,
}

impl EpochHeader {
    fn hash(&self) -> [u8; 32] {
        sha256(&self.to_canonical())
    }
}

/// The secret, sealed to one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EpochWrap {
    /// For whom.
    #[n(0)]
    pub device: DeviceId,
    /// The encapsulation.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub enc: Vec<u8>,
    /// The sealed secret.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ct: Vec<u8>,
}

/// The parts of an epoch package.
#[derive(Debug, Clone, PartialEq, Eq, Decode)]
pub struct EpochPackageFields {
    /// What it says in clear.
    #[n(0)]
    pub header: EpochHeader,
    /// Commits to the secret, so that all members get the same one.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
    /// The wraps, sorted by device.
    #[n(2)]
    pub wraps: Vec<EpochWrap>,
    /// The secrets of earlier epochs that the author held, sealed under this one; absent at epoch 0.
    #[n(3)]
    pub history: Option<ByteVec>,
    /// The author's signature over all of it.
    #[n(4)]
    pub signature: Signature,
}

type EncodeError<W> = minicbor::encode::Error<<W as minicbor::encode::Write>::Error>;

impl EpochPackageFields {
    fn check(&self) -> Result<(), FormatError> {
        let first = self.header.epoch == 0;
        if first != self.header.prev_pkg_hash.is_none() {
            return Err(FormatError::Mismatch("the epoch and the hash of the package before"));
        }
        if first != self.history.is_none() {
            return Err(FormatError::Mismatch("the epoch and the sealed history"));
        }
        if self.history.as_ref().is_some_and(|sealed| sealed.len() > HISTORY_MAX_BYTES) {
            return Err(FormatError::OutOfRange("the sealed history"));
        }
        if self.wraps.is_empty() || self.wraps.len() > MEMBERS_MAX {
            return Err(FormatError::OutOfRange("the number of members"));
        }
        if !strictly_ascending(&self.wraps, |wrap| wrap.device) {
            return Err(FormatError::NotSorted("the wraps"));
        }
        let sized = |wrap: &EpochWrap| {
            wrap.enc.len() == ENCAPSULATION_BYTES && wrap.ct.len() == KEY_BYTES + TAG_BYTES
        };
        if !self.wraps.iter().all(sized) {
            return Err(FormatError::OutOfRange("a wrap"));
        }
        Ok(())
    }

    /// The four parts that are signed. By hand: a derived encoder would drop a `null` at the end.
    fn encode_signed_parts<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
    ) -> Result<(), EncodeError<W>> {
        e.encode(&self.header)?.bytes(&self.commitment)?.encode(&self.wraps)?.encode(&self.history)?.ok()
    }

    fn signed_digest(&self) -> [u8; 32] {
        sha256(&canonical_with(|e| self.encode_signed_parts(e.array(4)?)))
    }
}

impl<C> Encode<C> for EpochPackageFields {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W>> {
        self.encode_signed_parts(e.array(5)?)?;
        e.encode(self.signature)?.ok()
    }
}

checked! {
    /// A signed package that begins an epoch. Whether it counts is decided by the membership log.
    #[derive(Debug, Clone, PartialEq, Eq)]
    EpochPackage(EpochPackageFields)
}

impl EpochPackage {
    /// What it says in clear.
    pub const fn header(&self) -> &EpochHeader {
        &self.0.header
    }

    /// SHA-256 over the canonical bytes, as the membership log announces it.
    pub fn hash(&self) -> PackageHash {
        PackageHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// The devices that have a wrap, ascending.
    pub fn wrapped_devices(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.wraps.iter().map(|wrap| wrap.device)
    }

    /// Checks the author's signature strictly.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_signature(&self, author: &SignPublicKey) -> Result<(), CryptoError> {
        author.verify_labelled(PKG, &self.signed_digest(), &self.signature)
    }

    /// Whether the package commits to this secret, in constant time.
    pub fn commits_to(&self, secret: &EpochSecret) -> bool {
        let header = &self.header;
        header.chart == secret.chart()
            && header.epoch == secret.epoch()
            && bool::from(commitment(secret.secret(), &header.hash()).ct_eq(&self.commitment))
    }
}

fn commitment(secret: &[u8; KEY_BYTES], header_hash: &[u8; 32]) -> [u8; 32] {
    *kdf::hkdf(secret, b"", &[EPOCH_COM.as_bytes(), header_hash])
}

fn wrap_info(header_hash: &[u8; 32]) -> Vec<u8> {
    [EPOCH_WRAP.as_bytes(), header_hash].concat()
}

/// Key and nonce that seal the earlier secrets; both are used once.
struct HistoryKeys {
    key: Zeroizing<[u8; KEY_BYTES]>,
    nonce: [u8; GCM_NONCE_BYTES],
}

impl HistoryKeys {
    fn derive(secret: &EpochSecret, header_hash: &[u8; 32]) -> Result<Self, CryptoError> {
        let okm = kdf::hkdf::<44>(secret.secret(), b"", &[HIST.as_bytes(), header_hash]);
        let (key, rest) = okm.split_first_chunk().ok_or(CryptoError::Rejected)?;
        let nonce = rest.first_chunk().ok_or(CryptoError::Rejected)?;
        Ok(Self { key: Zeroizing::new(*key), nonce: *nonce })
    }
}

/// One earlier secret inside the sealed history.
#[derive(Encode, Decode)]
struct HistoryEntry {
    #[n(0)]
    epoch: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    secret: [u8; KEY_BYTES],
}

impl Drop for HistoryEntry {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// The list as it is sealed. Its room is taken at once: a vector that grows leaves copies behind that
/// nobody wipes.
fn history_bytes(listed: &[HistoryEntry]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(listed.len().saturating_add(1).saturating_mul(48)));
    // Writing into a vector cannot fail.
    let done = minicbor::encode(listed, &mut *out);
    debug_assert!(done.is_ok());
    out
}

/// The counted epoch that a new one follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousEpoch {
    /// Its number.
    pub epoch: u64,
    /// Its package.
    pub package: PackageHash,
}

/// What a new epoch is made from.
#[derive(Clone, Copy)]
pub struct NewEpoch<'a> {
    /// The site.
    pub site: SiteId,
    /// The chart.
    pub chart: ChartId,
    /// The counted epoch before; `None` makes epoch 0. Its secret need not be known: a package that
    /// does not open for its members must not end the chart.
    pub previous: Option<PreviousEpoch>,
    /// Every earlier secret of the chart that the author holds, in any order. The newest
    /// [`HISTORY_MAX_EPOCHS`] are handed on; those lead to the others.
    pub history: &'a [&'a EpochSecret],
    /// Size of the membership log that the author last verified.
    pub mlog_size: u64,
    /// Its root.
    pub mlog_root: TreeRoot,
    /// The author's device.
    pub author: DeviceId,
    /// All member devices at that size, the author among them, in any order.
    pub members: &'a [(DeviceId, EncPublicKey)],
}

impl NewEpoch<'_> {
    fn header(&self) -> Result<EpochHeader, CryptoError> {
        let (epoch, prev_pkg_hash) = match self.previous {
            None => (0, None),
            Some(before) => {
                let next = before.epoch.checked_add(1).ok_or(FormatError::OutOfRange("the epoch"))?;
                (next, Some(before.package))
            }
        };
        Ok(EpochHeader {
            v: V1,
            suite: Suite::W1,
            site: self.site,
            chart: self.chart,
            epoch,
            prev_pkg_hash,
            mlog_size: self.mlog_size,
            mlog_root: self.mlog_root,
            member_set_hash: member_set_hash(self.members),
            author: self.author,
        })
    }

    /// The earlier secrets as they are sealed: ascending by epoch, the newest ones.
    fn earlier_bytes(&self, epoch: u64) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut earlier: Vec<&EpochSecret> = self.history.to_vec();
        earlier.sort_by_key(|secret| secret.epoch());
        let fits = |secret: &&EpochSecret| secret.chart() == self.chart && secret.epoch() < epoch;
        if !earlier.iter().all(fits) || !strictly_ascending(&earlier, |secret| secret.epoch()) {
            return Err(FormatError::Mismatch("the earlier secrets").into());
        }
        let newest = earlier.split_off(earlier.len().saturating_sub(HISTORY_MAX_EPOCHS));
        let listed: Vec<HistoryEntry> = newest
            .into_iter()
            .map(|secret| HistoryEntry { epoch: secret.epoch(), secret: *secret.secret() })
            .collect();
        Ok(history_bytes(&listed))
    }
}

/// Makes the next epoch: a fresh hedged secret, wrapped for every member, signed.
///
/// # Errors
/// [`FormatError`] for no or too many members, a member twice, or an earlier secret of another chart
/// or of no earlier epoch.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::*;
/// let keys = DeviceKeys::generate(&mut rng)?;
/// let device: ward_id::DeviceId = random_id(&mut rng);
/// let members = [(device, keys.enc.public().clone())];
/// let new = NewEpoch {
///     site: random_id(&mut rng), chart: random_id(&mut rng), previous: None, history: &[],
///     mlog_size: 3, mlog_root: ward_id::TreeRoot::from_bytes([1; 32]), author: device, members: &members,
/// };
/// let (package, secret) = make_epoch_package(&new, &keys.sign, &keys.hedge, &mut rng)?;
/// let opened = open_epoch_package(device, &keys.enc, &package, keys.sign.public(), AcceptedSuites::ALL)?;
/// assert!(package.commits_to(&secret) && package.commits_to(&opened));
/// # Ok::<(), CryptoError>(())
/// ```
pub fn make_epoch_package(
    new: &NewEpoch<'_>,
    author: &SignKey,
    hedge: &HedgeKey,
    rng: &mut impl CryptoRng,
) -> Result<(EpochPackage, EpochSecret), CryptoError> {
    let header = new.header()?;
    let header_hash = header.hash();
    let mut rng = HedgedRng::new(rng, hedge, &wrap_info(&header_hash));
    let secret = EpochSecret::from_secret_bytes(new.chart, header.epoch, &random_secret(&mut rng));

    let mut members: Vec<&(DeviceId, EncPublicKey)> = new.members.iter().collect();
    members.sort_by_key(|(device, _)| *device);
    let info = wrap_info(&header_hash);
    let mut wraps = Vec::with_capacity(members.len());
    for (device, key) in members {
        let sealed =
            hpke_base::seal(&key.hpke()?, None, &info, device.as_bytes(), secret.secret(), &mut rng)?;
        wraps.push(EpochWrap { device: *device, enc: sealed.enc, ct: sealed.ct });
    }
    let earlier = new.earlier_bytes(header.epoch)?;
    let history = match new.previous {
        None => None,
        Some(_) => {
            let keys = HistoryKeys::derive(&secret, &header_hash)?;
            Some(aead::gcm_seal(&keys.key, &keys.nonce, &header_hash, &earlier)?.into())
        }
    };
    let mut fields = EpochPackageFields {
        commitment: commitment(secret.secret(), &header_hash),
        header,
        wraps,
        history,
        signature: Signature::from_bytes([0; 64]),
    };
    fields.signature = author.sign_labelled(PKG, &fields.signed_digest());
    Ok((EpochPackage::new(fields)?, secret))
}

/// Opens a device's own wrap: the signature holds, the wrap opens, and the commitment is that of
/// the secret, so every member got the same one. Whether the package counts is not decided here.
///
/// # Errors
/// [`CryptoError::SuiteRefused`] below the site's least suite; [`CryptoError::Rejected`] for
/// everything else. Then keep the package aside and raise an alarm.
pub fn open_epoch_package(
    device: DeviceId,
    key: &EncKey,
    package: &EpochPackage,
    author: &SignPublicKey,
    accepted: AcceptedSuites,
) -> Result<EpochSecret, CryptoError> {
    accepted.check(package.header.suite)?;
    package.verify_signature(author)?;
    let wrap = package.wraps.iter().find(|wrap| wrap.device == device).ok_or(CryptoError::Rejected)?;
    let info = wrap_info(&package.header.hash());
    let opened = hpke_base::open(key.private(), None, &info, device.as_bytes(), &wrap.enc, &wrap.ct)?;
    accept_secret(package, &opened)
}

/// Opens the secrets of earlier epochs that a package hands on. Each is checked against its own
/// epoch's package, so that a dishonest author of a later epoch cannot slip in another one;
/// `earlier` are packages that count. Secrets of other epochs, and wrong ones, are left out.
///
/// # Errors
/// [`CryptoError::Rejected`] if the package is of another secret or its history does not open.
pub fn open_history<'a>(
    secret: &EpochSecret,
    package: &EpochPackage,
    earlier: impl IntoIterator<Item = &'a EpochPackage>,
) -> Result<Vec<EpochSecret>, CryptoError> {
    if !package.commits_to(secret) {
        return Err(CryptoError::Rejected);
    }
    let Some(sealed) = package.history.as_ref() else { return Ok(Vec::new()) };
    let header_hash = package.header.hash();
    let keys = HistoryKeys::derive(secret, &header_hash)?;
    let opened = aead::gcm_open(&keys.key, &keys.nonce, &header_hash, sealed)?;
    let listed: Vec<HistoryEntry> = minicbor::decode(&opened).map_err(|_| CryptoError::Rejected)?;
    if history_bytes(&listed) != opened || !strictly_ascending(&listed, |entry| entry.epoch) {
        return Err(CryptoError::Rejected);
    }
    let of = |before: &EpochPackage| {
        let place = listed.binary_search_by_key(&before.header.epoch, |entry| entry.epoch).ok()?;
        accept_secret(before, &listed.get(place)?.secret).ok()
    };
    let same_chart = |before: &&EpochPackage| before.header.chart == package.header.chart;
    Ok(earlier.into_iter().filter(same_chart).filter_map(of).collect())
}

fn accept_secret(package: &EpochPackage, opened: &[u8]) -> Result<EpochSecret, CryptoError> {
    let bytes = opened.try_into().map_err(|_| CryptoError::Rejected)?;
    let secret = EpochSecret::from_secret_bytes(package.header.chart, package.header.epoch, bytes);
    if package.commits_to(&secret) { Ok(secret) } else { Err(CryptoError::Rejected) }
}

/// The hash of a chart's member devices and their keys, in any order.
pub fn member_set_hash(members: &[(DeviceId, EncPublicKey)]) -> MemberSetHash {
    let hashed: Vec<_> = members.iter().map(|(device, key)| (*device, key.key_hash())).collect();
    member_set_hash_of_key_hashes(&hashed)
}

/// As [`member_set_hash`], from the SHA-256 of each key.
pub fn member_set_hash_of_key_hashes(members: &[(DeviceId, [u8; 32])]) -> MemberSetHash {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort();
    let bytes = canonical_with(|e| {
        e.array(sorted.len() as u64)?;
        for (device, key_hash) in sorted {
            e.array(2)?.encode(device)?.bytes(key_hash)?;
        }
        Ok(())
    });
    MemberSetHash::from_bytes(labelled_hash(MEMBERS, &[&bytes]))
}
