//! The first words of a meeting: one round for the newest heads of both logs and for which charts have
//! nothing new. Where nothing happened since the last meeting it is the only one.

use super::{Client, SyncProblem};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use ward_api::limits::HAVE_CHARTS_MAX;
use ward_api::{ChartDigest, HaveOfManyAnswer, HaveOfManyQuestion, LogName, paths};
use ward_crypto::sha256;
use ward_id::{Canonical as _, ChartId};

/// What the server said to begin with; each part is used once, in this meeting.
#[derive(Debug, Default)]
pub(crate) struct Greeting {
    /// It is over when its sync has ended, also one that was dropped half way: then nothing of this is news.
    meeting: Weak<()>,
    mlog: Option<Vec<u8>>,
    olog: Option<Vec<u8>>,
    /// Charts that were asked about.
    asked: BTreeSet<ChartId>,
    /// Those that the server has just as they are here, each with the hash of what was held then.
    same: BTreeMap<ChartId, [u8; 32]>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Asks for everything that a meeting with nothing new needs; `meeting` lives as long as it does. A
    /// server that answers something else is asked for one thing after the other, and then says why.
    ///
    /// # Errors
    /// The server is not reached.
    pub(crate) async fn greet(&mut self, meeting: &Arc<()>) -> Result<(), SyncProblem> {
        let charts = self.synced_charts();
        let asked = self.digests(&charts).take(HAVE_CHARTS_MAX).collect();
        let question = HaveOfManyQuestion { charts: asked, heads: true };
        let failed = |error| SyncProblem::of_error("membership log", error);
        let mut wire = self.wire().map_err(failed)?;
        let answer = match wire.post::<HaveOfManyAnswer>(paths::HAVE_OF_MANY, &question).await {
            Ok(answer) => answer,
            Err(error @ ClientError::Transport(_)) => return Err(failed(error)),
            Err(_) => return Ok(()),
        };
        let greeting = Greeting {
            meeting: Arc::downgrade(meeting),
            mlog: answer.mlog.map(|note| note.0),
            olog: answer.olog.map(|note| note.0),
            asked: question.charts.iter().map(|one| one.chart).collect(),
            same: said_same(&question.charts, &answer.same).collect(),
        };
        self.device_mut().map_err(failed)?.greeting = greeting;
        Ok(())
    }

    /// What the server said in the meeting that is under way.
    fn greeting(&mut self) -> Result<&mut Greeting, ClientError> {
        let greeting = &mut self.device_mut()?.greeting;
        if greeting.meeting.strong_count() == 0 {
            *greeting = Greeting::default();
        }
        Ok(greeting)
    }

    /// The note of a log's newest head: the one that came with the greeting, or else it is fetched.
    pub(crate) async fn newest_note(&mut self, log: LogName) -> Result<Vec<u8>, ClientError> {
        let greeting = self.greeting()?;
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
        let Ok(greeting) = self.greeting() else { return BTreeMap::new() };
        let Greeting { asked, mut same, .. } = std::mem::take(greeting);
        let left: Vec<ChartId> = charts.iter().copied().filter(|chart| !asked.contains(chart)).collect();
        let left: Vec<ChartDigest> = self.digests(&left).collect();
        // One alone is asked about by itself, in as many rounds.
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
    fn digests<'a>(&'a self, charts: &'a [ChartId]) -> impl Iterator<Item = ChartDigest> + 'a {
        let held = |chart: &ChartId| {
            let local = self.device().ok()?.charts.get(chart);
            let local = local.filter(|local| local.unsent().next().is_none())?;
            Some(ChartDigest { chart: *chart, digest: sha256(&local.chart.have().to_canonical()) })
        };
        charts.iter().filter_map(held)
    }
}

/// Only what was asked about counts.
fn said_same(asked: &[ChartDigest], same: &[ChartId]) -> impl Iterator<Item = (ChartId, [u8; 32])> {
    asked.iter().filter(|one| same.contains(&one.chart)).map(|one| (one.chart, one.digest))
}
