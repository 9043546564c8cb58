//! One schedule's world: a server, devices, clocks and a network, begun as a copy of the template.

use super::failure::{Checked, Verdict};
use super::fate::Fate;
use super::generate::Dice;
use super::oracle::Oracle;
use super::ports::{DeviceClock, Disk, SimEnv, SimKey, SimRows, SimTransport};
use super::schedule::{Schedule, Slot, Step};
use super::tally::Tally;
use super::template::{Seat, SiteStore, Template};
use crate::{FakeClock, MemoryKey, MemoryRows, SeededRng, Server};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use ward_client::{Client, DeviceState};
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, PersonId};

/// A client of the simulator.
pub type SimClient = Client<SimRows, SimTransport, SimEnv, SimKey>;

/// One machine through all lives of its app.
pub(super) struct Machine {
    pub(super) name: &'static str,
    pub(super) device: DeviceId,
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) client: Option<SimClient>,
    pub(super) disk: Disk,
    pub(super) key: MemoryKey,
    pub(super) fate: Fate,
    pub(super) clock: Rc<DeviceClock>,
    pub(super) backup: Option<MemoryRows>,
    lives: u64,
    /// The life and the commits of it when it was last checked.
    checked: Option<(u64, u64)>,
}

/// Where the machines of a world keep their rows.
#[derive(Debug, Clone)]
pub enum Rows {
    /// In memory.
    Memory,
    /// Each in an SQLite file of this folder.
    Files(PathBuf),
}

/// Everything of one schedule.
pub(super) struct World<'a, S: SiteStore> {
    pub(super) template: &'a Template<S>,
    pub(super) seed: u64,
    pub(super) truth: FakeClock,
    pub(super) server: Server<S>,
    pub(super) server_backup: Option<S>,
    /// How often the server was put onto a backup that may lack something.
    pub(super) server_losses: u64,
    /// The server was started on a backup without being told.
    pub(super) server_set_back: bool,
    /// Entries of the membership log that a restore lost, by their places.
    pub(super) lost_acts: BTreeMap<u64, Vec<u8>>,
    /// Nobody can let the site go on, and the schedule took away what that would take.
    pub(super) is_over: bool,
    /// The server's disk fails.
    pub(super) server_in_trouble: bool,
    pub(super) chart: ChartId,
    pub(super) machines: BTreeMap<Slot, Machine>,
    pub(super) admin: Machine,
    pub(super) oracle: Oracle,
    pub(super) tally: Tally,
    pub(super) dice: Dice,
    /// What happened, if it is to be told.
    pub(super) told: Option<Vec<String>>,
    pub(super) rows: Rows,
}

impl<'a, S: SiteStore> World<'a, S> {
    pub(super) async fn new(template: &'a Template<S>, schedule: &Schedule, rows: Rows) -> Checked<Self> {
        let seed = schedule.seed;
        let truth = template.clock();
        let broken = |what: String| (Verdict::Broken, what);
        let store = template.server.store.copied().await.map_err(|error| broken(error.to_string()))?;
        let server = template.server.in_another_world(store, truth.clone(), seed).await;
        let server = server.map_err(|error| broken(format!("the server does not start: {error}")))?;
        let mut world = Self {
            template,
            seed,
            server,
            server_backup: None,
            server_losses: 0,
            server_set_back: false,
            lost_acts: BTreeMap::new(),
            is_over: false,
            server_in_trouble: false,
            chart: template.chart,
            machines: BTreeMap::new(),
            admin: Machine::of(
                "admin",
                &template.admin,
                truth.clone(),
                Disk::Memory(template.admin.rows.snapshot()),
            ),
            oracle: Oracle::default(),
            tally: Tally::default(),
            dice: Dice::new(seed),
            truth,
            told: None,
            rows,
        };
        let is_on = |slot: Slot| !schedule.steps.contains(&Step::Off(slot));
        for (slot, seat) in template.seats.iter().filter(|(slot, _)| is_on(*slot)) {
            let disk = world.disk(*slot, &seat.rows).await?;
            let mut machine = Machine::of(slot.word(), seat, world.truth.clone(), disk);
            machine.start(&world.server.transport, seed).await?;
            world.machines.insert(*slot, machine);
        }
        let transport = world.server.transport.clone();
        world.admin.start(&transport, seed).await?;
        Ok(world)
    }

    /// A disk of its own with these rows.
    pub(super) async fn disk(&self, slot: Slot, rows: &MemoryRows) -> Checked<Disk> {
        let disk = match &self.rows {
            Rows::Memory => Disk::Memory(MemoryRows::new()),
            Rows::Files(folder) => Disk::File(folder.join(format!("{}.ward", slot.word()))),
        };
        disk.replace(rows).await.map_err(|error| (Verdict::Broken, error.to_string()))?;
        Ok(disk)
    }

    /// Notes what happens, if it is to be told.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(what());
        }
    }

    /// Notes what every machine shows, if it is to be told.
    pub(super) fn say_charts(&mut self) {
        let Some(told) = &mut self.told else { return };
        for machine in self.machines.values() {
            let Some(Ok(view)) = machine.client.as_ref().map(|client| client.chart(self.chart)) else {
                continue;
            };
            told.push(format!("{} shows:", machine.name));
            for item in view.timeline() {
                let (frame, id) = (item.entry.frame(), item.entry.id().to_string());
                let (kind, device, life) =
                    (item.entry.body().kind, frame.device.to_string(), frame.incarnation.0);
                let short = |text: &str| text.chars().take(6).collect::<String>();
                told.push(format!(
                    "    {} {} of {} {:04x}/{} at {:?} carried by {:?}: {:?}",
                    short(&id),
                    kind.name(),
                    short(&device),
                    life & 0xffff,
                    frame.seq,
                    item.arrival.olog_index,
                    item.carried_by.map(|carrier| short(&carrier.to_string())),
                    item.place,
                ));
            }
        }
    }

    pub(super) fn machine(&mut self, slot: Slot) -> Option<&mut Machine> {
        self.machines.get_mut(&slot)
    }

    /// Ends the app of a machine and starts it again.
    pub(super) async fn restart(&mut self, slot: Slot) -> Checked {
        let (seed, transport) = (self.seed, self.server.transport.clone());
        match self.machines.get_mut(&slot) {
            Some(machine) => machine.start(&transport, seed).await,
            None => Ok(()),
        }
    }

    /// What a machine went through since it was last looked at: it died, or its store failed. The
    /// app is started or unlocked again, as a person would.
    pub(super) async fn come_round(&mut self, slot: Slot) -> Checked {
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(()) };
        for fault in machine.fate.take_happened() {
            self.tally.fault(fault);
        }
        self.tally.requests += machine.fate.take_requests();
        if machine.fate.take_death() {
            self.tally.path("device died");
            return self.restart(slot).await;
        }
        let locked = machine.client.as_ref().is_none_or(|client| client.state() == DeviceState::Locked);
        if locked {
            self.tally.path("store failed and was read again");
            return self.restart(slot).await;
        }
        Ok(())
    }
}

impl Machine {
    pub(super) fn of(name: &'static str, seat: &Seat, truth: FakeClock, disk: Disk) -> Self {
        Self {
            name,
            device: seat.device,
            person: seat.person,
            role: seat.role,
            client: None,
            disk,
            key: seat.key.snapshot(),
            fate: Fate::default(),
            clock: DeviceClock::new(truth),
            backup: None,
            lives: 0,
            checked: None,
        }
    }

    /// A second machine with a copy of this one's key, clocks of its own, and these rows.
    pub(super) fn copy(&self, name: &'static str, truth: FakeClock, disk: Disk) -> Self {
        Self {
            name,
            device: self.device,
            person: self.person,
            role: self.role,
            client: None,
            disk,
            key: self.key.snapshot(),
            fate: Fate::default(),
            clock: DeviceClock::new(truth),
            backup: None,
            lives: 0,
            checked: None,
        }
    }

    /// Whether it may show something else than when this was last asked: nothing is shown that is not
    /// committed.
    pub(super) fn is_to_check(&mut self) -> bool {
        let now = Some((self.lives, self.fate.commits()));
        std::mem::replace(&mut self.checked, now) != now
    }

    /// Starts the app, unlocked. Nothing that was planned to go wrong happens while it starts.
    pub(super) async fn start(&mut self, transport: &crate::InProcessTransport, seed: u64) -> Checked {
        self.lives += 1;
        self.client = None;
        let broken = |what: String| (Verdict::Broken, format!("{} does not start: {what}", self.name));
        let disk = self.disk.open().map_err(|error| broken(error.to_string()))?;
        let rows = SimRows { disk, fate: self.fate.clone() };
        let rng = SeededRng::new(seed, &format!("{}/{}", self.name, self.lives));
        let env = SimEnv { clock: Rc::clone(&self.clock), rng };
        let key = SimKey { key: self.key.clone(), fate: self.fate.clone() };
        let transport = SimTransport { inner: transport.clone(), fate: self.fate.clone() };
        let opened = Client::open(rows, transport, env, key).await;
        let mut client = opened.map_err(|error| broken(error.to_string()))?;
        client.unlock().await.map_err(|error| broken(error.to_string()))?;
        self.client = Some(client);
        Ok(())
    }
}
