//! A new site: its trust root, its first manifest, and the admin devices that stand in it. A pure
//! function over time and randomness; who stores what it makes is the caller's business.

use crate::ClientError;
use crate::limits::{ADMIN_CERT_LIFE_MS, CERT_BACKDATE_MS, SITE_MAX_ADMINS, SITE_MAX_ROOT_KEYS};
use rand_core::CryptoRng;
use ward_audit::{MemoryTree, TreeHead, leaf_hash};
use ward_crypto::{
    AdminEntry, AttestLevel, DeviceBinding, DeviceBindingFields, DeviceCert, DeviceCertFields, DeviceKeys,
    Idv, MinAttest, Role, RootPolicy, RootPolicyFields, SignKey, SiteManifest, SiteManifestFields, Suite, V1,
    WitnessEntry, random_id,
};
use ward_id::{Canonical as _, CertHash, DeviceId, PersonId, SiteId, StudyId, TimestampMs};
use ward_sync::{MlogBody, MlogEntry, MlogError};

/// What a new site is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePlan {
    /// The study.
    pub study: StudyId,
    /// The site.
    pub site: SiteId,
    /// The name in the origins of both logs, such as the server's host name.
    pub server_name: String,
    /// Whether root keys, admins and witnesses are on different machines in different hands.
    pub independent: bool,
    /// Root keys to make.
    pub root_keys: usize,
    /// Root keys that must sign a manifest.
    pub threshold: u8,
    /// Admin devices to make.
    pub admins: usize,
    /// Witnesses and their public keys.
    pub witnesses: Vec<WitnessEntry>,
    /// Witnesses that must cosign a head.
    pub quorum: u8,
    /// Age of a head, in seconds, above which nothing is sealed.
    pub freshness_limit_s: u32,
    /// The least attestation of a role's devices.
    pub min_attest: Vec<MinAttest>,
}

/// An admin device made with the site; [`crate::Client::from_bootstrap`] takes it up.
pub struct AdminSeed {
    pub(crate) keys: DeviceKeys,
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
    pub(crate) study: StudyId,
    pub(crate) site: SiteId,
    pub(crate) root_policy: RootPolicy,
}

impl AdminSeed {
    /// The admin's pseudonym.
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// The admin's device.
    pub const fn device(&self) -> DeviceId {
        self.device
    }
}

/// Everything that a new site begins with. The root keys belong offline, the log key to the
/// server, the entries into the membership log, each admin seed onto one admin's device.
pub struct SiteBootstrap {
    /// Who may sign manifests; its hash is the pin in every ticket.
    pub root_policy: RootPolicy,
    /// The secret root keys.
    pub root_keys: Vec<SignKey>,
    /// The secret key of both logs.
    pub log_key: SignKey,
    /// The first manifest.
    pub manifest: SiteManifest,
    /// The admin devices.
    pub admins: Vec<AdminSeed>,
    /// Canonical bytes of the first entries of the membership log, in order.
    pub entries: Vec<Vec<u8>>,
}

/// The log's first entries under construction: each names the head before it as its base.
struct FirstEntries {
    tree: MemoryTree,
    entries: Vec<Vec<u8>>,
}

impl FirstEntries {
    fn base(&self) -> TreeHead {
        TreeHead { size: self.tree.size(), root: self.tree.root() }
    }

    fn push(&mut self, entry: &MlogEntry) {
        self.tree.append(leaf_hash(&entry.leaf()));
        self.entries.push(entry.to_canonical());
    }
}

/// Makes a site.
///
/// # Errors
/// [`ClientError::NotAllowed`] for a plan that contradicts itself, [`ClientError::Format`] for a
/// name or a number out of range.
pub fn site_bootstrap(
    plan: &SitePlan,
    now: TimestampMs,
    rng: &mut impl CryptoRng,
) -> Result<SiteBootstrap, ClientError> {
    let counts_fit = (1..=SITE_MAX_ROOT_KEYS).contains(&plan.root_keys)
        && (1..=SITE_MAX_ADMINS).contains(&plan.admins)
        && usize::from(plan.threshold) <= plan.root_keys;
    if !counts_fit {
        return Err(ClientError::NotAllowed(
            "a site has 1 to 15 root keys, a threshold among them, and 1 to 15 admins",
        ));
    }
    let (root_policy, root_keys) = make_root(plan, rng)?;
    let log_key = SignKey::generate(rng);
    let seeds: Vec<AdminSeed> = (0..plan.admins)
        .map(|_| {
            Ok(AdminSeed {
                keys: DeviceKeys::generate(rng)?,
                person: random_id(rng),
                device: random_id(rng),
                study: plan.study,
                site: plan.site,
                root_policy: root_policy.clone(),
            })
        })
        .collect::<Result<_, ClientError>>()?;
    let manifest = make_manifest(plan, &log_key, &seeds)?;
    let mut first = FirstEntries { tree: MemoryTree::new(), entries: Vec::new() };
    let body = MlogBody::SiteManifest(Box::new(manifest.clone()));
    let mut entry = MlogEntry::unsigned(plan.site, plan.site.into(), first.base(), &body).map_err(refused)?;
    for key in root_keys.iter().take(usize::from(plan.threshold)) {
        entry = entry.sign_as_root(key).map_err(refused)?;
    }
    first.push(&entry);
    for seed in &seeds {
        let cert = admin_cert(seed, &manifest, now, rng)?;
        let body = MlogBody::DeviceCert(Box::new(cert));
        let entry = MlogEntry::unsigned(plan.site, plan.site.into(), first.base(), &body).map_err(refused)?;
        first.push(&entry.sign_as_device(seed.device, &seed.keys.sign).map_err(refused)?);
    }
    Ok(SiteBootstrap { root_policy, root_keys, log_key, manifest, admins: seeds, entries: first.entries })
}

pub(crate) fn refused(error: MlogError) -> ClientError {
    ClientError::Void(error.to_string())
}

fn make_root(plan: &SitePlan, rng: &mut impl CryptoRng) -> Result<(RootPolicy, Vec<SignKey>), ClientError> {
    let mut keys: Vec<SignKey> = (0..plan.root_keys).map(|_| SignKey::generate(rng)).collect();
    keys.sort_by_key(|key| *key.public());
    let policy = RootPolicy::new(RootPolicyFields {
        v: V1,
        site: plan.site,
        threshold: plan.threshold,
        keys: keys.iter().map(|key| *key.public()).collect(),
        independent: plan.independent,
    })?;
    Ok((policy, keys))
}

fn make_manifest(
    plan: &SitePlan,
    log_key: &SignKey,
    seeds: &[AdminSeed],
) -> Result<SiteManifest, ClientError> {
    let mut admins: Vec<AdminEntry> = seeds
        .iter()
        .map(|seed| AdminEntry {
            person: seed.person,
            device: seed.device,
            sign_pk: *seed.keys.sign.public(),
        })
        .collect();
    admins.sort_by_key(|admin| admin.device);
    let origin = |log: &str| format!("{}/{}/{log}", plan.server_name, plan.site);
    Ok(SiteManifest::new(SiteManifestFields {
        v: V1,
        site: plan.site,
        study: plan.study,
        number: 0,
        prev: None,
        admins,
        witnesses: plan.witnesses.clone(),
        quorum: plan.quorum,
        min_suite: Suite::W1 as u8,
        freshness_limit_s: plan.freshness_limit_s,
        log_key: *log_key.public(),
        min_attest: plan.min_attest.clone(),
        mlog_origin: origin("mlog"),
        olog_origin: origin("olog"),
    })?)
}

fn admin_cert(
    seed: &AdminSeed,
    manifest: &SiteManifest,
    now: TimestampMs,
    rng: &mut impl CryptoRng,
) -> Result<DeviceCert, ClientError> {
    let auth = seed.keys.auth_signer().ok_or(ClientError::DeviceKeyFailed)?;
    let binding = DeviceBinding::new(DeviceBindingFields {
        v: V1,
        suite: Suite::W1,
        study: seed.study,
        site: seed.site,
        person: seed.person,
        role: Role::Admin,
        device: seed.device,
        auth_pk: auth.public_key(),
        sign_pk: *seed.keys.sign.public(),
        enc_pk: seed.keys.enc.public().clone(),
        ticket: random_id(rng),
    })?;
    let counter = binding.counter_sign(&seed.keys.sign, auth)?;
    Ok(DeviceCert::new(DeviceCertFields {
        binding,
        counter_sign: counter.sign,
        counter_auth: counter.auth,
        attest_level: AttestLevel::Software,
        not_before: now.plus_ms(-CERT_BACKDATE_MS),
        not_after: now.plus_ms(ADMIN_CERT_LIFE_MS),
        idv: Idv::InPerson,
        // Nobody issued it: the manifest names the device.
        issuer_cert_hash: CertHash::from_bytes([0; 32]),
        manifest_hash: manifest.hash(),
    })?)
}
