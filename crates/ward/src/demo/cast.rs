//! The cast: two sites with their servers, admins, coordinators and clinicians, and the
//! participants, each with a device of their own in a folder of its own.

use super::clock::{DemoClock, DemoEnvironment};
use super::story::PatientPlan;
use crate::commands::assign::instrument_payload;
use crate::exit::Failure;
use crate::home::from_client;
use crate::print::Progress;
use crate::server_folder::make_site::{MadeSite, NewSite, make_site};
use crate::server_folder::settings;
use crate::server_folder::start::start_with;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use ward_client::native::{HttpsTransport, SoftwareDeviceKey, SqliteRowStore};
use ward_client::{Certified, Client, Comparison, EnrolOutcome, NewInvite, Outcome};
use ward_crypto::{Role, random_id};
use ward_id::{ChartId, MlogEntryHash, PersonId, StudyId, TeamId, TicketId};
use ward_server::Clock as _;
use ward_store_sqlite::SqliteStore;
use ward_sync::{Consent, ConsentStatus, Participation, ParticipationState, ProfileField};

/// A device of the story.
pub type Device = Client<SqliteRowStore, HttpsTransport, DemoEnvironment, SoftwareDeviceKey>;

/// One site with its people.
pub struct Site {
    /// What `ward init` made.
    pub made: MadeSite,
    /// The coordinator.
    pub coordinator: Device,
    /// The two clinicians.
    pub clinicians: Vec<Device>,
    /// The care team.
    pub team: TeamId,
    /// Where the coordinator's and clinicians' devices are.
    pub homes: Vec<PathBuf>,
    /// The server's metrics, whenever they are asked for.
    pub metrics: Box<dyn Fn() -> String>,
    /// The server's database, as its operator has it.
    pub store: SqliteStore,
    /// The server itself.
    pub server: Server,
}

/// A running server, and the way to stop it.
pub struct Server {
    task: Option<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Stops it; what it acknowledged is finished.
    pub async fn stop(&mut self) {
        // Nobody listens any more when it has ended by itself.
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

/// A server that answers.
struct Running {
    made: MadeSite,
    metrics: Box<dyn Fn() -> String>,
    store: SqliteStore,
    server: Server,
}

/// One participant.
pub struct Patient {
    /// Their chart.
    pub chart: ChartId,
    /// Their pseudonym.
    pub person: PersonId,
    /// Their device.
    pub phone: Device,
    /// Its folder.
    pub home: PathBuf,
    /// The phone they lost, if they did.
    pub lost: Option<Device>,
    /// Their name, sealed in the chart.
    pub name: String,
}

/// Made-up names; no two participants share one.
const GIVEN: [&str; 20] = [
    "Ada", "Bela", "Cleo", "Dario", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Luan", "Mira",
    "Nils", "Orla", "Pavel", "Runa", "Sami", "Tove", "Uma",
];

/// The name of a participant. It is unmistakable in a search of files.
pub fn name_of(index: usize, mark: &str) -> String {
    let given = GIVEN.get(index % GIVEN.len()).copied().unwrap_or("Vera");
    format!("{given} Example-{mark}-{index}")
}

/// Opens a device in its folder.
///
/// # Errors
/// What opening can fail with.
pub async fn open_device(home: &Path, clock: &DemoClock) -> Result<Device, Failure> {
    std::fs::create_dir_all(home)
        .map_err(|error| Failure::fault(format!("{} cannot be made", home.display()), error))?;
    let rows = SqliteRowStore::open(&home.join("store.db")).map_err(|error| from_client(error.into()))?;
    let key = SoftwareDeviceKey::at(home.join("device.key"));
    Client::open(rows, HttpsTransport::new(), DemoEnvironment::new(clock), key).await.map_err(from_client)
}

impl Site {
    /// Makes a site, starts its server and enrols its staff.
    ///
    /// # Errors
    /// What any of it can fail with.
    pub async fn build(dir: &Path, study: StudyId, clock: &DemoClock) -> Result<Self, Failure> {
        let Running { made, metrics, store, server } = start_site(dir, study, clock).await?;
        let mut admins = Vec::new();
        for home in &made.admin_homes {
            let mut admin = open_device(home, clock).await?;
            admin.unlock().await.map_err(from_client)?;
            settle(&mut admin).await?;
            admins.push(admin);
        }
        let mut staff = Vec::new();
        let mut homes = Vec::new();
        for (name, role) in [
            ("coordinator", Role::Coordinator),
            ("clinician-1", Role::Clinician),
            ("clinician-2", Role::Clinician),
        ] {
            let home = dir.join(name);
            staff.push(enrol_staff(&mut admins, &home, role, clock).await?);
            homes.push(home);
        }
        let team = random_id(admins_rng(&mut admins)?);
        let persons: Result<Vec<PersonId>, Failure> =
            staff.iter().map(|device| device.me().map(|me| me.person).map_err(from_client)).collect();
        let admin = admins.first_mut().ok_or_else(missing)?;
        must_be_done(admin.set_team(team, &persons?).await.map_err(from_client)?)?;
        let mut staff = staff.into_iter();
        let coordinator = staff.next().ok_or_else(missing)?;
        Ok(Self { made, coordinator, clinicians: staff.collect(), team, homes, metrics, store, server })
    }

    /// Everybody on the staff, to sync them.
    pub fn staff(&mut self) -> impl Iterator<Item = &mut Device> {
        std::iter::once(&mut self.coordinator).chain(&mut self.clinicians)
    }

    /// Lets the people go and keeps the server.
    pub fn into_server(self) -> Server {
        self.server
    }
}

async fn start_site(dir: &Path, study: StudyId, clock: &DemoClock) -> Result<Running, Failure> {
    let listen = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| Failure::fault("There is no free port on this machine", error))?;
    let plan = NewSite {
        dir: dir.join("site"),
        study: Some(study),
        listen,
        origin: format!("https://{listen}"),
        witnesses: Vec::new(),
    };
    std::fs::create_dir_all(dir).map_err(|error| Failure::fault("The folder cannot be made", error))?;
    let made = make_site(&plan, clock).await?;
    let loaded = settings::load(&made.config_file, std::iter::empty())?;
    let started = start_with(&loaded, Arc::new(clock.clone())).await?;
    let (metrics, store) = (started.metrics(), started.store());
    let (stop, mut stopped) = watch::channel(false);
    let server = tokio::spawn(started.run(async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    }));
    let server = Server { task: Some(server), stop };
    Ok(Running { made, metrics, store, server })
}

fn missing() -> Failure {
    Failure::fault("The demo lost one of its people", "somebody who was made is not there")
}

fn admins_rng(admins: &mut [Device]) -> Result<&mut impl rand_core::CryptoRng, Failure> {
    Ok(ward_client::Environment::rng(admins.first_mut().ok_or_else(missing)?.environment_mut()))
}

/// Syncs a device and fails if anything is wrong.
///
/// # Errors
/// The first problem.
pub async fn settle(device: &mut Device) -> Result<ward_client::SyncReport, Failure> {
    let report = device.sync().await.map_err(from_client)?;
    match report.problems.first() {
        None => Ok(report),
        Some(problem) => Err(Failure::fault("A sync of the demo went wrong", format!("{problem:?}"))),
    }
}

fn must_be_done(outcome: Outcome) -> Result<MlogEntryHash, Failure> {
    match outcome {
        Outcome::Done(hash) => Ok(hash),
        Outcome::Proposed(hash) => Err(Failure::fault("An act of the demo needs another signature", hash)),
    }
}

async fn enrol_staff(
    admins: &mut [Device],
    home: &Path,
    role: Role,
    clock: &DemoClock,
) -> Result<Device, Failure> {
    let [first, second, ..] = admins else { return Err(missing()) };
    let person = random_id(ward_client::Environment::rng(first.environment_mut()));
    let invite = NewInvite { person, role, chart: None, not_after: None, server: None };
    let ticket = first.invite(invite).await.map_err(from_client)?;
    let mut device = open_device(home, clock).await?;
    device.enrol_begin(&ticket.to_text()).await.map_err(from_client)?;
    compare_words(first, &device, ticket.ticket).await?;
    match first.certify(ticket.ticket, Comparison::Same).await.map_err(from_client)? {
        Certified::Proposed(entry) => must_be_done(second.cosign(entry).await.map_err(from_client)?)?,
        other => return Err(Failure::fault("One admin alone certified staff", format!("{other:?}"))),
    };
    finish(&mut device).await?;
    settle(&mut device).await?;
    settle(first).await?;
    Ok(device)
}

/// Both devices must show the same words: what two people do aloud.
async fn compare_words(issuer: &mut Device, device: &Device, ticket: TicketId) -> Result<(), Failure> {
    let pending = issuer.pending_enrolments().await.map_err(from_client)?;
    let theirs = pending.into_iter().find(|pending| pending.ticket == ticket).map(|pending| pending.words);
    let own = device.pending_enrolment().map(|pending| pending.words);
    if theirs.is_some() && theirs == own {
        Ok(())
    } else {
        Err(Failure::fault("The six words of an enrolment differ", format!("{own:?} and {theirs:?}")))
    }
}

async fn finish(device: &mut Device) -> Result<(), Failure> {
    match device.enrol_finish().await.map_err(from_client)? {
        EnrolOutcome::Enrolled { .. } => Ok(()),
        other => Err(Failure::fault("An enrolment of the demo did not finish", format!("{other:?}"))),
    }
}

/// Opens charts and enrols the participants' phones.
///
/// # Errors
/// What any of it can fail with.
pub async fn enrol_patients(
    sites: &mut [Site],
    plans: &[PatientPlan],
    questionnaire: &[u8],
    days: u32,
    dir: &Path,
    mark: &str,
    clock: &DemoClock,
    progress: &Progress,
) -> Result<Vec<Patient>, Failure> {
    let mut patients = Vec::with_capacity(plans.len());
    for (index, plan) in plans.iter().enumerate() {
        let site = sites.get_mut(plan.site).ok_or_else(missing)?;
        let home = dir.join(format!("patient-{:02}", index + 1));
        patients.push(enrol_patient(site, &home, name_of(index, mark), questionnaire, days, clock).await?);
        progress.step();
    }
    Ok(patients)
}

async fn enrol_patient(
    site: &mut Site,
    home: &Path,
    name: String,
    questionnaire: &[u8],
    days: u32,
    clock: &DemoClock,
) -> Result<Patient, Failure> {
    let coordinator = &mut site.coordinator;
    let person = random_id(ward_client::Environment::rng(coordinator.environment_mut()));
    let chart = coordinator.open_chart(person, site.team, &[]).await.map_err(from_client)?;
    let field = ProfileField { field: "name".to_owned(), value: name.clone(), supersedes: Vec::new() };
    coordinator.capture(chart, field).await.map_err(from_client)?;
    let instrument = instrument_payload(questionnaire.to_vec(), clock.now().utc_day(), 1, days)?;
    coordinator.capture(chart, instrument).await.map_err(from_client)?;
    let state = Participation { state: ParticipationState::Active, from: clock.now() };
    coordinator.capture(chart, state).await.map_err(from_client)?;
    let phone = enrol_phone(coordinator, home, person, chart, clock).await?;
    let mut patient = Patient { chart, person, phone, home: home.to_owned(), lost: None, name };
    settle(coordinator).await?;
    settle(&mut patient.phone).await?;
    let consent = Consent { consent_version: "1.0".to_owned(), status: ConsentStatus::Given, choice: None };
    patient.phone.capture(chart, consent).await.map_err(from_client)?;
    settle(&mut patient.phone).await?;
    Ok(patient)
}

async fn enrol_phone(
    coordinator: &mut Device,
    home: &Path,
    person: PersonId,
    chart: ChartId,
    clock: &DemoClock,
) -> Result<Device, Failure> {
    let (ticket, mut phone) = redeem(coordinator, home, person, chart, clock).await?;
    coordinator.certify(ticket, Comparison::Same).await.map_err(from_client)?;
    finish(&mut phone).await?;
    Ok(phone)
}

/// Invites the person, and takes the invitation up on a new phone.
async fn redeem(
    coordinator: &mut Device,
    home: &Path,
    person: PersonId,
    chart: ChartId,
    clock: &DemoClock,
) -> Result<(TicketId, Device), Failure> {
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
    let ticket = coordinator.invite(invite).await.map_err(from_client)?;
    let mut phone = open_device(home, clock).await?;
    phone.enrol_begin(&ticket.to_text()).await.map_err(from_client)?;
    compare_words(coordinator, &phone, ticket.ticket).await?;
    Ok((ticket.ticket, phone))
}

/// A phone is lost: a new one is enrolled, the old one is out, and the chart gets a new key. It
/// takes two members of staff.
///
/// # Errors
/// What any of it can fail with.
pub async fn replace_phone(site: &mut Site, patient: &mut Patient, clock: &DemoClock) -> Result<(), Failure> {
    let home = patient.home.with_extension("new-phone");
    let (ticket, mut phone) =
        redeem(&mut site.coordinator, &home, patient.person, patient.chart, clock).await?;
    let request = ward_client::RecoverRequest {
        ticket,
        chart: patient.chart,
        lost: Vec::new(),
        reason: "the participant lost the phone on a train".to_owned(),
        comparison: Comparison::Same,
    };
    let entry = match site.coordinator.recover(request).await.map_err(from_client)? {
        Outcome::Proposed(entry) => entry,
        Outcome::Done(_) => return Err(Failure::fault("One person alone recovered a phone", patient.chart)),
    };
    let second = site.clinicians.first_mut().ok_or_else(missing)?;
    must_be_done(second.cosign(entry).await.map_err(from_client)?)?;
    settle(second).await?;
    settle(&mut site.coordinator).await?;
    finish(&mut phone).await?;
    settle(&mut phone).await?;
    patient.lost = Some(std::mem::replace(&mut patient.phone, phone));
    patient.home = home;
    Ok(())
}
