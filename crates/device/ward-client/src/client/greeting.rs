//! The first words of a meeting: one round for the newest heads of both logs and for which charts have
//! nothing new. Where nothing happened since the last meeting it is the only one.

use super::{Client, SyncProblem};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::limits::HAVE_CHARTS_MAX;
use ward_api::{ChartDigest, HaveOfManyAnswer, HaveOfManyQuestion, LogName, paths};
use ward_crypto::sha256;
use ward_id::{Canonical as _, ChartId};

/// What the server said to begin with; each part is used once, in this meeting.
#[derive(Debug, Default)]
pub(crate) struct Greeting {
    mlog: Option<Vec<u8>>,
    olog: Option<Vec<u8>>,
    /// Charts that were asked about.
    asked: BTreeSet<ChartId>,
    /// Those that the server has just as they are here, each with the hash of what was held then.
    same: BTreeMap<ChartId, [u8; 32]>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Asks for everything that a meeting with nothing new needs. A server that answers something else is
    /// asked for one thing after the other, and then says why.
    ///
    /// # Errors
    /// The server is not reached.
    pub(crate) async fn greet(&mut self) -> Result<(), SyncProblem> {
        self.forget_greeting();
        let charts = self.synced_charts();
        let mut asked = self.digests(&charts);
        asked.truncate(HAVE_CHARTS_MAX);
        let question = HaveOfManyQuestion { charts: asked, heads: true };
        let failed = |error| SyncProblem::of_error("membership log", error);
        let mut wire = self.wire().map_err(failed)?;
        let answer = match wire.post::<HaveOfManyAnswer>(paths::HAVE_OF_MANY, &question).await {
            Ok(answer) => answer,
            Err(error @ ClientError::Transport(_)) => return Err(failed(error)),
            Err(_) => return Ok(()),
        };
        let greeting = Greeting {
            mlog: answer.mlog.map(|note| note.0),
            olog: answer.olog.map(|note| note.0),
            asked: question.charts.iter().map(|one| one.chart).collect(),
            same: said_same(&question.charts, &answer.same).collect(),
        };
        self.device_mut().map_err(failed)?.greeting = greeting;
        Ok(())
    }

    /// What of a greeting was not used is not used later.
    pub(crate) fn forget_greeting(&mut self) {
        if let Ok(open) = self.device_mut() {
            open.greeting = Greeting::default();
        }
    }

    /// The note of a log's newest head: the one that came with the greeting, or else it is fetched.
    pub(crate) async fn newest_note(&mut self, log: LogName) -> Result<Vec<u8>, ClientError> {
        let greeting = &mut self.device_mut()?.greeting;
        let given = match log {
            LogName::Mlog => greeting.mlog.take(),
            LogName::Olog => greeting.olog.take(),
        };
        match given {
            Some(note) => Ok(note),
            None => self.wire()?.get_bytes(&paths::checkpoint(log)).await,
        }
    }

    /// Which of many charts have nothing new, each with the hash of what is held of it: from the greeting,
    /// and asked in one round for many of those that did not fit into it. Those with something to send are
    /// asked about afterwards, and so are all if this goes wrong.
    pub(crate) async fn unchanged_charts(&mut self, charts: &[ChartId]) -> BTreeMap<ChartId, [u8; 32]> {
        let Ok(open) = self.device_mut() else { return BTreeMap::new() };
        let Greeting { asked, mut same, .. } = std::mem::take(&mut open.greeting);
        let left: Vec<ChartId> = charts.iter().copied().filter(|chart| !asked.contains(chart)).collect();
        let left = self.digests(&left);
        if left.len() < 2 {
            return same;
        }
        for charts in left.chunks(HAVE_CHARTS_MAX) {
            let question = HaveOfManyQuestion { charts: charts.to_vec(), heads: false };
            let Ok(mut wire) = self.wire() else { break };
            let Ok(answer) = wire.post::<HaveOfManyAnswer>(paths::HAVE_OF_MANY, &question).await else {
                break;
            };
            same.extend(said_same(charts, &answer.same));
        }
        same
    }

    /// The hash of what is held of each chart that has nothing to send.
    fn digests(&self, charts: &[ChartId]) -> Vec<ChartDigest> {
        let Ok(open) = self.device() else { return Vec::new() };
        let held = |chart: &ChartId| {
            let local = open.charts.get(chart).filter(|local| local.unsent().next().is_none())?;
            Some(ChartDigest { chart: *chart, digest: sha256(&local.chart.have().to_canonical()) })
        };
        charts.iter().filter_map(held).collect()
    }
}

/// Only what was asked about counts.
fn said_same(asked: &[ChartDigest], same: &[ChartId]) -> impl Iterator<Item = (ChartId, [u8; 32])> {
    asked.iter().filter(|one| same.contains(&one.chart)).map(|one| (one.chart, one.digest))
}
