//! The site from which every schedule begins. Setting it up costs far more than a schedule, so it
//! is done once, and each schedule gets a copy of all state.

use super::schedule::Slot;
use crate::{FakeClock, MemoryKey, MemoryRows, Server, Site, TestDevice, diary_instrument};
use std::future::Future;
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, PersonId, TeamId, TimestampMs};
use ward_store::{MemoryStore, Store, StoreError};

/// A server's store that a schedule can copy and let fail.
pub trait SiteStore: Store + Sized {
    /// A copy that goes its own way.
    ///
    /// # Errors
    /// [`StoreError`].
    fn copied(&self) -> impl Future<Output = Result<Self, StoreError>>;

    /// Lets every write fail from now on, or none. Whether this store can do that.
    fn fail_writes(&self, error: Option<StoreError>) -> bool;
}

impl SiteStore for MemoryStore {
    async fn copied(&self) -> Result<Self, StoreError> {
        self.snapshot()
    }

    fn fail_writes(&self, error: Option<StoreError>) -> bool {
        Self::fail_writes(self, error);
        true
    }
}

/// A device as every schedule finds it.
pub(super) struct Seat {
    pub(super) rows: MemoryRows,
    pub(super) key: MemoryKey,
    pub(super) device: DeviceId,
    pub(super) person: PersonId,
    pub(super) role: Role,
}

impl Seat {
    fn of(device: &TestDevice) -> Self {
        let me = device.client.me().expect("the device is enrolled");
        Self {
            rows: device.rows.snapshot(),
            key: device.key.snapshot(),
            device: me.device,
            person: me.person,
            role: me.role,
        }
    }
}

/// A site with one chart, the participant's two devices, three devices of staff and an admin.
pub struct Template<S: SiteStore = MemoryStore> {
    pub(super) server: Server<S>,
    pub(super) now: TimestampMs,
    pub(super) chart: ChartId,
    pub(super) team: TeamId,
    pub(super) team_persons: Vec<PersonId>,
    pub(super) root: [u8; 32],
    pub(super) seats: Vec<(Slot, Seat)>,
    pub(super) admin: Seat,
}

impl Template {
    /// With the server's store in memory.
    pub async fn in_memory() -> Self {
        Self::on(MemoryStore::new()).await
    }
}

impl<S: SiteStore> Template<S> {
    /// On an empty store.
    pub async fn on(store: S) -> Self {
        let mut site = Site::small_on(1, store).await;
        let mut nurse = site.staff("nurse", Role::Clinician).await;
        let mut doctor = site.staff("doctor", Role::Investigator).await;
        let mut phone = site.patient("phone").await;
        let chart = phone.chart();
        let mut tablet = site.device("tablet").await;
        site.enrol_next_of_patient(&mut tablet, &mut phone).await;
        site.coordinator.sync().await;
        let diary = diary_instrument(crate::START.utc_day(), 365);
        site.coordinator.client.capture(chart, diary).await.expect("a coordinator sets the diary");
        for _ in 0..2 {
            site.coordinator.sync().await;
            for device in [&mut phone, &mut tablet, &mut nurse, &mut doctor] {
                device.sync().await;
            }
            site.admins.first_mut().expect("a site has admins").sync().await;
        }
        let seats = [
            (Slot::Phone, Seat::of(&phone)),
            (Slot::Tablet, Seat::of(&tablet)),
            (Slot::Nurse, Seat::of(&nurse)),
            (Slot::Doctor, Seat::of(&doctor)),
            (Slot::Coordinator, Seat::of(&site.coordinator)),
        ];
        Self {
            now: site.clock.now(),
            chart,
            team: site.team,
            team_persons: site.team_persons.clone(),
            root: *site.root_policy.fingerprint().as_bytes(),
            seats: seats.into_iter().collect(),
            admin: Seat::of(site.admins.first().expect("a site has admins")),
            server: site.server,
        }
    }

    /// A clock that stands where the set-up ended.
    pub(super) fn clock(&self) -> FakeClock {
        FakeClock::at(self.now)
    }
}
