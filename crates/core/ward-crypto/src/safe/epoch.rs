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
use crate::limits::{ENCAPSULATION_BYTES, GCM_NONCE_BYTES, KEY_BYTES, MEMBERS_MAX, TAG_BYTES};
use crate::{CryptoError, FormatError};
use alloc::vec::Vec;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode, Encoder};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use ward_id::{Canonical as _, ChartId, DeviceId, MemberSetHash, PackageHash, SiteId, TreeRoot};
use zeroize::Zeroizing;

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
    /// The secret of the epoch before, sealed under this one; absent at epoch 0.
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
        if self.history.as_ref().is_some_and(|sealed| sealed.len() != KEY_BYTES + TAG_BYTES) {
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

/// Key and nonce that seal the secret before; both are used once.
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

/// What a new epoch is made from.
#[derive(Clone, Copy)]
pub struct NewEpoch<'a> {
    /// The site.
    pub site: SiteId,
    /// The chart.
    pub chart: ChartId,
    /// The counted package before and its secret; `None` makes epoch 0.
    pub previous: Option<(&'a EpochPackage, &'a EpochSecret)>,
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
            Some((package, secret)) => {
                if package.header.chart != self.chart || !package.commits_to(secret) {
                    return Err(FormatError::Mismatch("the epoch before").into());
                }
                let next = package.header.epoch.checked_add(1).ok_or(FormatError::OutOfRange("the epoch"))?;
                (next, Some(package.hash()))
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
}

/// Makes the next epoch: a fresh hedged secret, wrapped for every member, signed.
///
/// # Errors
/// [`FormatError`] for no or too many members, a member twice, or a `previous` that does not fit.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::*;
/// let keys = DeviceKeys::generate(&mut rng)?;
/// let device: ward_id::DeviceId = random_id(&mut rng);
/// let members = [(device, keys.enc.public().clone())];
/// let new = NewEpoch {
///     site: random_id(&mut rng), chart: random_id(&mut rng), previous: None, mlog_size: 3,
///     mlog_root: ward_id::TreeRoot::from_bytes([1; 32]), author: device, members: &members,
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
    let history = match new.previous {
        None => None,
        Some((_, before)) => {
            let keys = HistoryKeys::derive(&secret, &header_hash)?;
            Some(aead::gcm_seal(&keys.key, &keys.nonce, &header_hash, before.secret())?.into())
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

/// Opens the secret of the epoch before, and checks it against that epoch's own package, so that a
/// dishonest author of a later epoch cannot slip in another one.
///
/// # Errors
/// [`CryptoError::Rejected`].
pub fn open_history(
    secret: &EpochSecret,
    package: &EpochPackage,
    previous: &EpochPackage,
) -> Result<EpochSecret, CryptoError> {
    let linked = package.commits_to(secret)
        && package.header.chart == previous.header.chart
        && previous.header.epoch.checked_add(1) == Some(package.header.epoch)
        && package.header.prev_pkg_hash == Some(previous.hash());
    if !linked {
        return Err(CryptoError::Rejected);
    }
    let header_hash = package.header.hash();
    let keys = HistoryKeys::derive(secret, &header_hash)?;
    let sealed = package.history.as_ref().ok_or(CryptoError::Rejected)?;
    let opened = aead::gcm_open(&keys.key, &keys.nonce, &header_hash, sealed)?;
    accept_secret(previous, &opened)
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
