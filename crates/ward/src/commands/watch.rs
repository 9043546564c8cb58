//! `ward sync --watch`: stays and meets the server on hints, and after a minute whatever the stream
//! of hints does.

use super::serve::stop_signal;
use super::sync::{show, verdict};
use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::limits::WATCHED_CHARTS_MAX;
use crate::print::Out;
use rand_core::Rng as _;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use ward_client::native::NativeClient;
use ward_client::{Environment as _, HintStream as _, SyncEnd, SyncSchedule, SyncSignal};

/// Runs until the process is asked to stop, or something stops this device from sending.
///
/// # Errors
/// When the device cannot be unlocked, or a person must look at something.
pub async fn run(home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let seed = client.environment_mut().rng().next_u64();
    let mut schedule = SyncSchedule::new(client.environment().monotonic_ms(), seed);
    let (tell, mut told) = mpsc::channel(1);
    let mut streams = JoinSet::new();
    loop {
        let now_ms = client.environment().monotonic_ms();
        if schedule.is_due(now_ms) {
            schedule.begin();
            let report = client.sync().await.map_err(from_client)?;
            show(&report, out);
            if report.problems.iter().any(ward_client::SyncProblem::stops_sealing) {
                return verdict(&report);
            }
            let end = if report.is_complete() { SyncEnd::Complete } else { SyncEnd::TryAgain };
            schedule.end(client.environment().monotonic_ms(), end);
            while streams.try_join_next().is_some() {}
            if streams.is_empty() && end == SyncEnd::Complete {
                listen(&mut client, &mut streams, &tell).await;
            }
            continue;
        }
        let wait = Duration::from_millis(schedule.wait_ms(now_ms));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Some(()) = told.recv() => {
                schedule.notice(client.environment().monotonic_ms(), SyncSignal::Hint);
            }
            () = &mut stop => return Ok(()),
        }
    }
}

/// Opens the streams of hints. What cannot be opened, or ends, costs time and nothing else.
async fn listen(client: &mut NativeClient, streams: &mut JoinSet<()>, tell: &mpsc::Sender<()>) {
    let own = client.me().ok().and_then(|me| me.chart);
    let others = client.charts().into_iter().map(|known| known.chart).filter(|chart| Some(*chart) != own);
    let charts: Vec<_> = own.into_iter().chain(others).take(WATCHED_CHARTS_MAX).collect();
    for chart in charts {
        let Ok(mut hints) = client.hints(chart).await else { continue };
        let tell = tell.clone();
        streams.spawn(async move {
            while hints.next().await.is_some() {
                // A full channel holds a hint already; one is as good as many.
                let _held = tell.try_send(());
            }
        });
    }
}
