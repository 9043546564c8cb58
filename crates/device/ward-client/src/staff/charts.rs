//! Charts, teams and single persons.

use crate::client::Outcome;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::random_id;
use ward_id::{ChartId, DeviceId, MlogEntryHash, PersonId, TeamId};
use ward_sync::{Cancel, ChartOpen, MlogBody, MlogEntry, SpaceMember, Team};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Opens a chart for a participant, looked after by a team. A coordinator or an admin signs.
    ///
    /// # Errors
    /// [`ClientError::Void`] with the rule that is broken, [`ClientError::NotConfirmed`], and what
    /// a call can fail with.
    pub async fn open_chart(
        &mut self,
        participant: PersonId,
        team: TeamId,
        recovery: &[DeviceId],
    ) -> Result<ChartId, ClientError> {
        let chart: ChartId = random_id(self.device_and_env()?.1.rng());
        let mut recovery_devices = recovery.to_vec();
        recovery_devices.sort_unstable();
        let body = MlogBody::ChartOpen(ChartOpen { chart, participant, team, recovery_devices });
        match self.act(chart.into(), &body).await? {
            Outcome::Done(_) => Ok(chart),
            Outcome::Proposed(_) => {
                Err(ClientError::NotAllowed("opening a chart needs a coordinator or an admin"))
            }
        }
    }

    /// Sets who is in a team. An admin signs; charts of the team get new epochs at the next sync
    /// of a member.
    ///
    /// # Errors
    /// As [`Client::open_chart`].
    pub async fn set_team(&mut self, team: TeamId, persons: &[PersonId]) -> Result<Outcome, ClientError> {
        let mut persons = persons.to_vec();
        persons.sort_unstable();
        persons.dedup();
        let site = self.device()?.me.site;
        self.act(site.into(), &MlogBody::Team(Team { team, persons })).await
    }

    /// Adds a person to a chart or takes them out of it. Adding somebody from outside the chart's
    /// team needs two signatures.
    ///
    /// # Errors
    /// As [`Client::open_chart`].
    pub async fn space_member(
        &mut self,
        chart: ChartId,
        person: PersonId,
        add: bool,
    ) -> Result<Outcome, ClientError> {
        self.act(chart.into(), &MlogBody::SpaceMember(SpaceMember { chart, person, add })).await
    }

    /// Takes back an entry of this device that is not in the log yet, so that it has no effect if
    /// it still arrives.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an entry that neither waits as a proposal nor stands in the
    /// log; else as [`Client::open_chart`].
    pub async fn cancel(&mut self, entry: MlogEntryHash) -> Result<Outcome, ClientError> {
        let waiting = self.waiting_entries().await?;
        let known = waiting.into_iter().find(|known| known.hash() == entry).or_else(|| self.logged(entry));
        let subject = known.map(|known| known.subject()).ok_or(ClientError::Unknown("the entry"))?;
        self.act(subject, &MlogBody::Cancel(Cancel { entry_hash: entry })).await
    }

    fn logged(&self, hash: MlogEntryHash) -> Option<MlogEntry> {
        let entries = &self.device().ok()?.mlog.entries;
        entries.values().filter_map(|bytes| MlogEntry::read(bytes).ok()).find(|entry| entry.hash() == hash)
    }
}
