//! What time it is: from the site's witnesses, carried on by the monotonic clock.

use super::load::time_row;
use super::{Client, SyncProblem, site_trust};
use crate::store::{Batch, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{WitnessNonce, paths};
use ward_audit::{LogView, WitnessTime, verify_witness_time};
use ward_crypto::random_bytes;
use ward_id::TimestampMs;
use ward_sync::{ClockReading, Freshness};

fn seconds(time_s: u64) -> TimestampMs {
    TimestampMs(i64::try_from(time_s).unwrap_or(i64::MAX).saturating_mul(1_000))
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    pub(crate) fn reading(&self) -> ClockReading {
        ClockReading {
            boot_id: self.env.boot_id(),
            monotonic_ms: self.env.monotonic_ms(),
            wall: self.env.wall(),
        }
    }

    pub(crate) fn env_wall(&self) -> TimestampMs {
        self.env.wall()
    }

    /// Age above which a head is stale.
    pub(crate) fn freshness_limit_ms(&self) -> i64 {
        let manifest = self.device().ok().and_then(|open| open.mlog.membership.manifest());
        manifest.map_or(0, |manifest| i64::from(manifest.freshness_limit_s) * 1_000)
    }

    /// The trusted time, if it is known in this boot.
    pub(crate) fn trusted_now(&self) -> Option<TimestampMs> {
        let (reading, limit_ms) = (self.reading(), self.freshness_limit_ms());
        self.device().ok()?.time.now(reading, limit_ms)
    }

    /// Whether the newest head of the membership log is recent enough.
    pub(crate) fn freshness(&self) -> Freshness {
        let (reading, limit_ms) = (self.reading(), self.freshness_limit_ms());
        let Ok(open) = self.device() else { return Freshness::NeedsWitnessTime };
        let Some(head) = open.mlog.view.as_ref().and_then(LogView::head) else {
            return Freshness::NeedsWitnessTime;
        };
        open.time.freshness(seconds(head.attested_s()), reading, limit_ms)
    }

    /// Carries the trusted time on with a newly verified head.
    pub(crate) fn note_time(&mut self, view: &LogView) {
        let (reading, limit_ms) = (self.reading(), self.freshness_limit_ms());
        if let (Some(head), Ok(open)) = (view.head(), self.device_mut()) {
            open.time.on_cosigned_head(seconds(head.attested_s()), reading, limit_ms);
        }
    }

    /// Asks the witnesses for the time when the device does not know it.
    pub(crate) async fn ensure_time(&mut self) -> Result<(), SyncProblem> {
        if self.freshness() != Freshness::NeedsWitnessTime {
            return Ok(());
        }
        let failed = |error: ClientError| SyncProblem::of_error("time", error);
        let Some(manifest) = self.device().map_err(failed)?.mlog.membership.manifest() else { return Ok(()) };
        let policy = site_trust::witness_policy(manifest).map_err(failed)?;
        let nonce: [u8; 32] = random_bytes(self.env.rng());
        let answers: Vec<WitnessTime> = self
            .wire()
            .map_err(failed)?
            .post(paths::WITNESS_TIME, &WitnessNonce(nonce))
            .await
            .map_err(failed)?;
        let time_s = verify_witness_time(&nonce, &answers, &policy).map_err(|_| SyncProblem::TimeUnknown)?;
        let reading = self.reading();
        let open = self.device_mut().map_err(failed)?;
        open.time.on_witness_time(seconds(time_s), reading);
        let time = open.time;
        let mut batch = Batch::default();
        batch.put(Table::Heads, time_row(), &time);
        self.commit(batch).await.map_err(failed)?;
        self.raise_mark(None).await;
        Ok(())
    }
}
