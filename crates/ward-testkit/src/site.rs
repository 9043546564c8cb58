//! A whole site in memory: server, witnesses, admins, staff, patients.

use crate::server::begin_server;
use crate::{FakeClock, ORIGIN, SeededRng, Server, TestDevice};
use ward_client::{Certified, Client, Comparison, DeviceAnswer, NewInvite, ServerAddress, SiteBootstrap};
use ward_crypto::{Role, RootPolicy, SignKey, random_id};
use ward_id::{ChartId, PersonId, TeamId};
use ward_store::{MemoryStore, Store};

/// A site with its people.
pub struct Site<S: Store = MemoryStore> {
    /// The clock of everybody.
    pub clock: FakeClock,
    /// The server.
    pub server: Server<S>,
    /// Root policy, keys and first entries.
    pub root_policy: RootPolicy,
    /// The secret root keys.
    pub root_keys: Vec<SignKey>,
    /// The admin devices.
    pub admins: Vec<TestDevice>,
    /// The care team.
    pub team: TeamId,
    /// Persons in the care team.
    pub team_persons: Vec<PersonId>,
    /// The coordinator; the first member of staff.
    pub coordinator: TestDevice,
    seed: u64,
    rng: SeededRng,
}

impl Site {
    /// A server with its store in memory, three witnesses, two admins and a coordinator.
    pub async fn small(seed: u64) -> Self {
        Self::small_on(seed, MemoryStore::new()).await
    }
}

impl<S: Store> Site<S> {
    /// The same on a given empty store.
    pub async fn small_on(seed: u64, store: S) -> Self {
        let clock = FakeClock::default();
        let mut rng = SeededRng::new(seed, "site");
        let (boot, server) = begin_server(&clock, seed, &mut rng, store).await;
        let SiteBootstrap { root_policy, root_keys, admins: seeds, .. } = boot;
        let mut admins = Vec::new();
        for (number, admin_seed) in seeds.into_iter().enumerate() {
            let mut device =
                TestDevice::new(server.transport.clone(), clock.clone(), seed, &format!("admin {number}"))
                    .await;
            let (rows, transport, env, key) = device.ports();
            let address = ServerAddress { origin: ORIGIN.to_owned(), spki_pins: vec![[7; 32]] };
            device.client = Client::from_bootstrap(rows, transport, env, key, admin_seed, address)
                .await
                .expect("the admin's store is empty");
            device.sync().await;
            admins.push(device);
        }
        let coordinator = TestDevice::new(server.transport.clone(), clock.clone(), seed, "coordinator").await;
        let team = random_id(&mut rng);
        let mut site = Self {
            clock,
            server,
            root_policy,
            root_keys,
            admins,
            team,
            team_persons: Vec::new(),
            coordinator,
            seed,
            rng,
        };
        site.coordinator = site.staff("coordinator", Role::Coordinator).await;
        site
    }

    /// A device that nobody enrolled yet.
    pub async fn device(&self, name: &str) -> TestDevice {
        TestDevice::new(self.server.transport.clone(), self.clock.clone(), self.seed, name).await
    }

    /// A new pseudonym.
    pub fn new_person(&mut self) -> PersonId {
        random_id(&mut self.rng)
    }

    /// Makes a new member of staff and puts them into the care team.
    pub async fn staff(&mut self, name: &str, role: Role) -> TestDevice {
        let mut device = self.newcomer(name, role).await;
        if self.coordinator.client.me().is_ok() {
            // Makes the epochs that let the newcomer in.
            self.coordinator.sync().await;
        }
        device.sync().await;
        device
    }

    /// A device of a person who was just taken into the care team: nobody has made the epoch that lets it
    /// read yet, and it has not met the server.
    pub async fn newcomer(&mut self, name: &str, role: Role) -> TestDevice {
        let mut device = self.device(name).await;
        let person = self.new_person();
        self.enrol_staff_as(&mut device, person, role).await;
        self.team_persons.push(person);
        self.set_team().await;
        device
    }

    /// Enrols a device for a person of staff, outside any team.
    pub async fn enrol_staff_as(&mut self, device: &mut TestDevice, person: PersonId, role: Role) {
        let invite = NewInvite { person, role, chart: None, not_after: None, server: None };
        let [first, second, ..] = self.admins.as_mut_slice() else { panic!("a site has two admins") };
        let ticket = first.client.invite(invite).await.expect("an admin invites");
        let words = device.begin(&ticket.to_text()).await;
        let pending = first.client.pending_enrolments().await.expect("the request arrives");
        let shown = pending.iter().find(|pending| pending.ticket == ticket.ticket).expect("it is pending");
        assert_eq!(shown.words, words, "both sides show the same words");
        let proposed =
            first.client.certify(ticket.ticket, Comparison::Same).await.expect("the first admin signs");
        let Certified::Proposed(hash) = proposed else { panic!("staff need two admins: {proposed:?}") };
        let outcome = second.client.cosign(hash).await.expect("the second admin signs");
        assert!(outcome.is_done());
        device.finish().await;
        first.sync().await;
    }

    /// Tells the log who is in the care team.
    pub async fn set_team(&mut self) {
        let (team, persons) = (self.team, self.team_persons.clone());
        let admin = self.admins.first_mut().expect("a site has admins");
        admin.client.set_team(team, &persons).await.expect("an admin sets the team");
    }

    /// Opens a chart for a new participant.
    pub async fn open_chart(&mut self) -> (ChartId, PersonId) {
        let person = self.new_person();
        let team = self.team;
        let chart =
            self.coordinator.client.open_chart(person, team, &[]).await.expect("a coordinator opens charts");
        (chart, person)
    }

    /// Makes a participant with an enrolled phone whose chart has an epoch.
    pub async fn patient(&mut self, name: &str) -> TestDevice {
        let (chart, person) = self.open_chart().await;
        let mut device = self.device(name).await;
        self.enrol_patient(&mut device, chart, person).await;
        self.coordinator.sync().await;
        device.sync().await;
        device
    }

    /// Invites, compares and certifies a participant's device.
    pub async fn enrol_patient(&mut self, device: &mut TestDevice, chart: ChartId, person: PersonId) {
        let (done, _) = self.certify_patient(device, chart, person).await;
        assert!(matches!(done, Certified::Done(_)), "{done:?}");
        device.finish().await;
    }

    /// The same for a further device: the site signs, then a device that the participant already has
    /// compares the same words and signs too.
    pub async fn enrol_next_of_patient(&mut self, device: &mut TestDevice, first: &mut TestDevice) {
        let (done, words) = self.certify_patient(device, first.chart(), first.person()).await;
        let Certified::Proposed(entry) = done else { panic!("the participant signs too: {done:?}") };
        let waiting = first.client.waiting_devices().await.expect("the first device asks the server");
        let shown = waiting.iter().find(|waiting| waiting.entry == entry).expect("it waits for the first");
        assert_eq!(shown.words, words, "the participant compares the same words");
        let answer = first.client.answer_device(entry, Comparison::Same).await;
        assert_eq!(answer.expect("the first device signs"), DeviceAnswer::Certified(shown.device));
        device.finish().await;
    }

    /// Invites, compares and signs as the site. Gives what became of it, and the words that the new
    /// device shows.
    pub async fn certify_patient(
        &mut self,
        device: &mut TestDevice,
        chart: ChartId,
        person: PersonId,
    ) -> (Certified, [&'static str; 6]) {
        let invite =
            NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
        let ticket = self.coordinator.client.invite(invite).await.expect("a coordinator invites");
        let words = device.begin(&ticket.to_text()).await;
        let pending = self.coordinator.client.pending_enrolments().await.expect("the request arrives");
        let shown = pending.iter().find(|pending| pending.ticket == ticket.ticket).expect("it is pending");
        assert_eq!(shown.words, words, "both sides show the same words");
        let signed = self.coordinator.client.certify(ticket.ticket, Comparison::Same).await;
        (signed.expect("the coordinator signs"), words)
    }
}
