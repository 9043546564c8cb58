//! Enrolment of this device: take an invitation, make keys, show six words, wait for the site.

use super::open_device::OpenDevice;
use super::{Client, Me, Phase};
use crate::bootstrap::AdminSeed;
use crate::store::{Batch, Bytes, EnrolmentRecord, SealedRows, SelfRecord, ServerRecord, Table};
use crate::wire::{decode, get_anonymous, post_anonymous};
use crate::{
    ClientError, DeviceKeyStore, Environment, HighWater, RowStore, ServerAddress, SyncProblem, Transport,
};
use rand_core::CryptoRng;
use ward_api::{EnrolmentInfo, EnrolmentSubmission, ErrorCode, TicketState, paths};
use ward_crypto::{
    AttestLevel, DeviceBinding, DeviceBindingFields, DeviceCert, DeviceKeys, EnrolBlob, EnrolRequest, Lkek,
    Role, RootPolicy, Suite, Ticket, V1, random_id, sas_words, seal_enrol_request,
};
use ward_id::{Canonical, ChartId, DeviceId, PersonId, SiteId, StudyId, TimestampMs};

pub(crate) const SELF_ROW: &[u8] = b"me";
const ENROLMENT_ROW: &[u8] = b"enrolment";

/// What the person sees while the site has not signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEnrolment {
    /// Read them to the person who invited: both lists must be the same.
    pub words: [&'static str; 6],
    /// The role of the invitation.
    pub role: Role,
    /// The study.
    pub study: StudyId,
    /// The site.
    pub site: SiteId,
    /// This device.
    pub device: DeviceId,
    /// Whether the site says that its root, admins and witnesses are independent.
    pub independent: bool,
    /// The invitation ends at this instant.
    pub not_after: TimestampMs,
}

/// How an enrolment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolOutcome {
    /// The site has not signed yet; ask again later.
    Waiting,
    /// The site did not sign, or the invitation ended.
    Ended(TicketState),
    /// This device is enrolled.
    Enrolled {
        /// Its id.
        device: DeviceId,
        /// The person's pseudonym.
        person: PersonId,
        /// The person's chart, for a patient.
        chart: Option<ChartId>,
    },
}

/// An enrolment under way.
pub(crate) struct Enrolling {
    lkek: Lkek,
    keys: DeviceKeys,
    ticket: Ticket,
    root_policy: RootPolicy,
    binding: DeviceBinding,
    record: EnrolmentRecord,
}

impl Enrolling {
    pub(crate) async fn load<S: RowStore>(
        rows: &SealedRows<S>,
        lkek: Lkek,
    ) -> Result<Option<Self>, ClientError> {
        let Some(record) = rows.get::<EnrolmentRecord>(Table::Identity, ENROLMENT_ROW).await? else {
            return Ok(None);
        };
        let ticket = Ticket::from_text(&record.ticket)?;
        let (keys, binding) = read_request(&lkek, &record)?;
        let root_policy = RootPolicy::from_canonical(&record.root_policy).map_err(|_| damaged())?;
        Ok(Some(Self { lkek, keys, ticket, root_policy, binding, record }))
    }

    fn pending(&self) -> PendingEnrolment {
        pending_of(&self.ticket, &self.binding, &self.root_policy)
    }
}

/// What the person sees of a request.
pub(super) fn pending_of(
    ticket: &Ticket,
    binding: &DeviceBinding,
    root_policy: &RootPolicy,
) -> PendingEnrolment {
    PendingEnrolment {
        words: sas_words(binding, ticket.issuer_device),
        role: ticket.role,
        study: ticket.study,
        site: ticket.site,
        device: binding.device,
        independent: root_policy.independent,
        not_after: ticket.not_after,
    }
}

const fn damaged() -> ClientError {
    ClientError::StoreDamaged { table: Table::Identity.name() }
}

/// Keys and binding of a stored request.
pub(super) fn read_request(
    lkek: &Lkek,
    record: &EnrolmentRecord,
) -> Result<(DeviceKeys, DeviceBinding), ClientError> {
    let binding = DeviceBinding::from_canonical(&record.binding).map_err(|_| damaged())?;
    let keys = lkek.unwrap_device_keys(binding.device, &record.keys).map_err(|_| damaged())?;
    Ok((keys, binding))
}

/// A request for a certificate: fresh keys, and what is stored and sent.
pub(super) struct Request {
    pub(super) keys: DeviceKeys,
    pub(super) binding: DeviceBinding,
    pub(super) record: EnrolmentRecord,
}

impl Request {
    /// Makes keys and a device id for a ticket, and seals the request to its issuer.
    pub(super) fn make(
        rng: &mut impl CryptoRng,
        lkek: &Lkek,
        ticket: &Ticket,
        root_policy: &RootPolicy,
        issuer: &DeviceCert,
    ) -> Result<Self, ClientError> {
        let keys = DeviceKeys::generate(rng)?;
        let auth = keys.auth_signer().ok_or(ClientError::DeviceKeyFailed)?;
        let binding = DeviceBinding::new(DeviceBindingFields {
            v: V1,
            suite: Suite::W1,
            study: ticket.study,
            site: ticket.site,
            person: ticket.person,
            role: ticket.role,
            device: random_id(rng),
            auth_pk: auth.public_key(),
            sign_pk: *keys.sign.public(),
            enc_pk: keys.enc.public().clone(),
            ticket: ticket.ticket,
        })?;
        let counter = binding.counter_sign(&keys.sign, auth)?;
        let request = EnrolRequest {
            v: V1,
            binding: binding.clone(),
            counter_sign: counter.sign,
            counter_auth: counter.auth,
            attest_level: AttestLevel::Software,
            id_token: None,
        };
        let blob = seal_enrol_request(ticket, &issuer.binding.enc_pk, &request, rng)?;
        let record = EnrolmentRecord {
            ticket: ticket.to_text().to_string(),
            keys: lkek.wrap_device_keys(binding.device, &keys, rng)?.into(),
            root_policy: root_policy.to_canonical().into(),
            binding: binding.to_canonical().into(),
            blob: blob.to_canonical().into(),
            sent: false,
        };
        Ok(Self { keys, binding, record })
    }
}

/// Sends the sealed request; one that the server has is not sent again.
pub(super) async fn submit_request<T: Transport>(
    transport: &T,
    ticket: &Ticket,
    record: &EnrolmentRecord,
) -> Result<(), ClientError> {
    let blob = EnrolBlob::from_canonical(&record.blob).map_err(|_| damaged())?;
    let proof = ticket.redeem_key().proof(ticket.ticket, &blob);
    let body = EnrolmentSubmission { blob: record.blob.to_vec().into(), proof: proof.to_vec().into() };
    let (server, path) = (server_of(ticket), paths::enrol(ticket.ticket));
    let sent = post_anonymous(transport, &server, &path, body.to_canonical()).await;
    match sent {
        Ok(_) => Ok(()),
        // Sent before a crash, or by somebody with a photograph: the six words tell.
        Err(error) if error.is(ErrorCode::TicketUsed) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn server_of(ticket: &Ticket) -> ServerAddress {
    let spki_pins = ticket.spki_pins.iter().map(|pin| **pin).collect();
    ServerAddress { origin: ticket.server_origin.clone(), spki_pins }
}

fn server_record(server: &ServerAddress) -> ServerRecord {
    let spki_pins = server.spki_pins.iter().map(|pin| Bytes::from(pin.to_vec())).collect();
    ServerRecord { origin: server.origin.clone(), spki_pins }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes an invitation: checks it, makes this device's keys and sends a request that only the
    /// issuer can open. Show the six words; the site signs after they were compared.
    ///
    /// An invitation of another site than this device's is refused before any network call.
    ///
    /// # Errors
    /// [`ClientError::Ticket`], [`ClientError::AlreadyEnrolled`], [`ClientError::WrongSite`] if the
    /// server shows other keys than the invitation names, and what a call can fail with.
    pub async fn enrol_begin(&mut self, ticket_text: &str) -> Result<PendingEnrolment, ClientError> {
        let ticket = Ticket::from_text(ticket_text)?;
        if let Phase::Ready(open) = &self.phase {
            ticket.check_site(Some(open.root_policy.fingerprint()))?;
            return Err(ClientError::AlreadyEnrolled);
        }
        if matches!(self.phase, Phase::Locked) {
            return Err(ClientError::Locked);
        }
        if let Phase::Enrolling(enrolling) = &self.phase
            && enrolling.ticket.ticket == ticket.ticket
        {
            let pending = enrolling.pending();
            self.send_request().await?;
            return Ok(pending);
        }
        ticket.check_site(None)?;
        let server = server_of(&ticket);
        let path = paths::enrol(ticket.ticket);
        let info = get_anonymous(&self.transport, &server, &path).await?;
        let info: EnrolmentInfo = decode(&path, &info)?;
        let (root_policy, issuer) = check_site(&ticket, &info)?;
        let enrolling = self.make_request(ticket, root_policy, &issuer)?;
        let wrapped = self.device_key.wrap(&enrolling.lkek, self.env.rng()).await?;
        self.rows.begin(&enrolling.lkek, wrapped).await?;
        let mut batch = Batch::default();
        batch.put(Table::Identity, ENROLMENT_ROW, &enrolling.record);
        self.rows.commit(batch, self.env.rng()).await?;
        let pending = enrolling.pending();
        self.phase = Phase::Enrolling(Box::new(enrolling));
        self.send_request().await?;
        Ok(pending)
    }

    /// The enrolment under way, for an app that was started again.
    pub fn pending_enrolment(&self) -> Option<PendingEnrolment> {
        match &self.phase {
            Phase::Enrolling(enrolling) => Some(enrolling.pending()),
            _ => None,
        }
    }

    fn make_request(
        &mut self,
        ticket: Ticket,
        root_policy: RootPolicy,
        issuer: &DeviceCert,
    ) -> Result<Enrolling, ClientError> {
        let rng = self.env.rng();
        let lkek = Lkek::generate(rng);
        let Request { keys, binding, record } = Request::make(rng, &lkek, &ticket, &root_policy, issuer)?;
        Ok(Enrolling { lkek, keys, ticket, root_policy, binding, record })
    }

    /// Sends the sealed request, if the server does not have it yet.
    async fn send_request(&mut self) -> Result<(), ClientError> {
        let Phase::Enrolling(enrolling) = &mut self.phase else { return Err(ClientError::NotEnrolled) };
        if enrolling.record.sent {
            return Ok(());
        }
        submit_request(&self.transport, &enrolling.ticket, &enrolling.record).await?;
        enrolling.record.sent = true;
        let mut batch = Batch::default();
        batch.put(Table::Identity, ENROLMENT_ROW, &enrolling.record);
        self.rows.commit(batch, self.env.rng()).await
    }

    /// Asks whether the site has signed. When it has, this device reads the membership log, finds
    /// its own certificate there and is enrolled.
    ///
    /// # Errors
    /// What a call can fail with; [`ClientError::EnrolmentMismatch`] if the log certifies other
    /// keys under this device's id.
    pub async fn enrol_finish(&mut self) -> Result<EnrolOutcome, ClientError> {
        if let Phase::Ready(open) = &self.phase {
            return Ok(enrolled(&open.me));
        }
        self.send_request().await?;
        let Phase::Enrolling(enrolling) = &self.phase else { return Err(ClientError::NotEnrolled) };
        let (server, path) = (server_of(&enrolling.ticket), paths::enrol(enrolling.ticket.ticket));
        let info = get_anonymous(&self.transport, &server, &path).await?;
        let info: EnrolmentInfo = decode(&path, &info)?;
        match info.state {
            TicketState::Declined | TicketState::Void | TicketState::Burnt | TicketState::Expired => {
                return Ok(EnrolOutcome::Ended(info.state));
            }
            TicketState::Open | TicketState::Redeemed | TicketState::Certified => {}
        }
        self.try_as_enrolled().await
    }

    /// Takes the device's place in the site for a try: the log decides whether it stands.
    async fn try_as_enrolled(&mut self) -> Result<EnrolOutcome, ClientError> {
        let Phase::Enrolling(enrolling) = std::mem::replace(&mut self.phase, Phase::New) else {
            return Err(ClientError::NotEnrolled);
        };
        let Enrolling { lkek, keys, ticket, root_policy, binding, record } = *enrolling;
        let me = Me {
            study: ticket.study,
            site: ticket.site,
            person: ticket.person,
            role: ticket.role,
            device: binding.device,
            chart: ticket.chart,
            independent: root_policy.independent,
        };
        // A mark that is there is of a store that is gone.
        let mark = HighWater::of(me.device);
        let open = OpenDevice::new(lkek, keys, me, root_policy.clone(), server_of(&ticket), mark);
        self.phase = Phase::Ready(Box::new(open));
        let followed = self.follow_mlog().await;
        let found = self.device()?.own_cert().map(|cert| cert.binding == binding);
        if followed.is_ok() && found == Some(true) {
            // The store begins anew, and the mark before it: else the next start takes it for set back.
            let begun = self.device()?.mark.clone();
            if let Err(error) = self.device_key.set_high_water(&begun).await {
                self.step_back(ticket, root_policy, binding, record);
                return Err(error.into());
            }
            self.store_identity(&record.keys, true).await?;
            self.keep_reserve().await;
            return Ok(enrolled(&self.device()?.me));
        }
        self.step_back(ticket, root_policy, binding, record);
        match followed {
            Ok(()) if found == Some(false) => Err(ClientError::EnrolmentMismatch),
            Ok(()) => Ok(EnrolOutcome::Waiting),
            Err(SyncProblem::Failed { error, .. }) if error.is(ErrorCode::DeviceUnknown) => {
                Ok(EnrolOutcome::Waiting)
            }
            Err(SyncProblem::Failed { error, .. }) => Err(error),
            Err(_) => Err(ClientError::MlogRefused("the log does not verify")),
        }
    }

    /// Not yet: back to where the person compares words.
    fn step_back(
        &mut self,
        ticket: Ticket,
        root_policy: RootPolicy,
        binding: DeviceBinding,
        record: EnrolmentRecord,
    ) {
        if let Phase::Ready(open) = std::mem::replace(&mut self.phase, Phase::Locked) {
            let OpenDevice { lkek, keys, .. } = *open;
            let enrolling = Enrolling { lkek, keys, ticket, root_policy, binding, record };
            self.phase = Phase::Enrolling(Box::new(enrolling));
        }
    }

    /// Writes who this device is; from then on it is enrolled.
    async fn store_identity(&mut self, wrapped_keys: &Bytes, from_ticket: bool) -> Result<(), ClientError> {
        let open = self.device()?;
        let record = SelfRecord {
            study: open.me.study,
            site: open.me.site,
            person: open.me.person,
            role: open.me.role.number(),
            device: open.me.device,
            chart: open.me.chart,
            keys: wrapped_keys.clone(),
            root_policy: open.root_policy.to_canonical().into(),
            server: server_record(&open.server),
            independent: open.me.independent,
        };
        let mut batch = Batch::default();
        batch.put(Table::Identity, SELF_ROW, &record);
        if from_ticket {
            batch.delete(Table::Identity, ENROLMENT_ROW);
        }
        self.commit(batch).await?;
        self.raise_mark(None).await;
        Ok(())
    }

    /// Takes up an admin device that was made with its site.
    ///
    /// # Errors
    /// [`ClientError::AlreadyEnrolled`] for a store that is not empty, and what storing can fail
    /// with.
    pub async fn from_bootstrap(
        rows: S,
        transport: T,
        env: E,
        device_key: K,
        seed: AdminSeed,
        server: ServerAddress,
    ) -> Result<Self, ClientError> {
        let mut client = Self::open(rows, transport, env, device_key).await?;
        if !matches!(client.phase, Phase::New) {
            return Err(ClientError::AlreadyEnrolled);
        }
        let lkek = Lkek::generate(client.env.rng());
        let wrapped = client.device_key.wrap(&lkek, client.env.rng()).await?;
        client.rows.begin(&lkek, wrapped).await?;
        let keys: Bytes = lkek.wrap_device_keys(seed.device, &seed.keys, client.env.rng())?.into();
        let me = Me {
            study: seed.study,
            site: seed.site,
            person: seed.person,
            role: Role::Admin,
            device: seed.device,
            chart: None,
            independent: seed.root_policy.independent,
        };
        let open = OpenDevice::new(lkek, seed.keys, me, seed.root_policy, server, HighWater::of(seed.device));
        client.phase = Phase::Ready(Box::new(open));
        client.store_identity(&keys, false).await?;
        Ok(client)
    }
}

pub(super) fn enrolled(me: &Me) -> EnrolOutcome {
    EnrolOutcome::Enrolled { device: me.device, person: me.person, chart: me.chart }
}

/// The server must show the root policy and the issuer that the invitation names.
pub(super) fn check_site(
    ticket: &Ticket,
    info: &EnrolmentInfo,
) -> Result<(RootPolicy, DeviceCert), ClientError> {
    let root_policy =
        RootPolicy::from_canonical(info.root_policy.as_ref()).map_err(|_| ClientError::WrongSite)?;
    let issuer = DeviceCert::from_canonical(info.issuer_cert.as_ref()).map_err(|_| ClientError::WrongSite)?;
    let fits = root_policy.fingerprint() == ticket.srf
        && root_policy.site == ticket.site
        && root_policy.independent == ticket.independent
        && issuer.binding.device == ticket.issuer_device
        && issuer.binding.enc_pk.key_hash() == *ticket.issuer_enc_hash;
    if fits { Ok((root_policy, issuer)) } else { Err(ClientError::WrongSite) }
}
