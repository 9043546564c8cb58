//! Hints for open streams. A hint says that there may be something to fetch; it is never evidence,
//! and losing one costs time only.

use crate::limits::EVENTS_BACKLOG;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use ward_api::limits::DEVICE_MAX_CONNECTIONS;
use ward_api::{ChartEvent, OlogHint};
use ward_id::{ChartId, DeviceId};

/// Whom a hint concerns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Concerns {
    /// One chart.
    Chart(ChartId),
    /// Everybody.
    Site,
}

/// The hints of one node.
pub(crate) struct Hints {
    sender: broadcast::Sender<(Concerns, ChartEvent)>,
    open: Mutex<HashMap<DeviceId, usize>>,
    /// The greatest size of the operation log that was told.
    olog_size: AtomicU64,
}

impl Default for Hints {
    fn default() -> Self {
        Self {
            sender: broadcast::channel(EVENTS_BACKLOG).0,
            open: Mutex::default(),
            olog_size: AtomicU64::new(0),
        }
    }
}

impl Hints {
    /// Tells the listeners.
    pub(crate) fn tell(&self, concerns: Concerns, event: ChartEvent) {
        if let ChartEvent::Olog(hint) = event {
            self.olog_size.fetch_max(hint.size, Ordering::AcqRel);
        }
        // Nobody listening is no error.
        let _ = self.sender.send((concerns, event));
    }

    /// A stream of hints for a device; `None` when it has as many as it may have.
    pub(crate) fn listen(self: &Arc<Self>, device: DeviceId) -> Option<Listener> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(device).or_insert(0);
        if *count >= DEVICE_MAX_CONNECTIONS {
            return None;
        }
        *count += 1;
        Some(Listener { hints: Arc::clone(self), device, receiver: self.sender.subscribe(), missed: false })
    }
}

/// One open stream; counted until it is dropped.
pub(crate) struct Listener {
    hints: Arc<Hints>,
    device: DeviceId,
    receiver: broadcast::Receiver<(Concerns, ChartEvent)>,
    /// Hints were lost, and of the two logs only the membership log was named since.
    missed: bool,
}

impl Listener {
    /// The next hint that concerns `chart`; `None` when the server goes down. A listener that was
    /// too slow is told of both logs, one after the other.
    pub(crate) async fn next(&mut self, chart: ChartId) -> Option<ChartEvent> {
        if std::mem::take(&mut self.missed) {
            let size = self.hints.olog_size.load(Ordering::Acquire);
            return Some(ChartEvent::Olog(OlogHint { size }));
        }
        loop {
            match self.receiver.recv().await {
                Ok((Concerns::Site, event)) => return Some(event),
                Ok((Concerns::Chart(other), event)) if other == chart => return Some(event),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.missed = true;
                    return Some(ChartEvent::Mlog);
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut open = self.hints.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_at_most_four_streams() {
        let hints = Arc::new(Hints::default());
        let device = DeviceId::from_bytes([1; 16]);
        let mut open: Vec<_> = (0..DEVICE_MAX_CONNECTIONS).map(|_| hints.listen(device).unwrap()).collect();
        assert!(hints.listen(device).is_none());
        assert!(hints.listen(DeviceId::from_bytes([2; 16])).is_some());
        open.pop();
        assert!(hints.listen(device).is_some());
    }

    /// Lost hints cost a read of both logs, never the news of one.
    #[tokio::test]
    async fn a_slow_listener_is_told_of_both_logs() {
        let hints = Arc::new(Hints::default());
        let chart = ChartId::from_bytes([1; 16]);
        let mut listener = hints.listen(DeviceId::from_bytes([1; 16])).unwrap();
        for size in 1..=EVENTS_BACKLOG as u64 + 1 {
            hints.tell(Concerns::Chart(chart), ChartEvent::Olog(OlogHint { size }));
        }
        let size = EVENTS_BACKLOG as u64 + 1;
        assert_eq!(listener.next(chart).await, Some(ChartEvent::Mlog));
        assert_eq!(listener.next(chart).await, Some(ChartEvent::Olog(OlogHint { size })));
        assert_eq!(listener.next(chart).await, Some(ChartEvent::Olog(OlogHint { size: 2 })), "then the rest");
    }

    #[tokio::test]
    async fn hints_reach_their_chart_only() {
        let hints = Arc::new(Hints::default());
        let (one, two) = (ChartId::from_bytes([1; 16]), ChartId::from_bytes([2; 16]));
        let mut listener = hints.listen(DeviceId::from_bytes([1; 16])).unwrap();
        hints.tell(Concerns::Chart(two), ChartEvent::Olog(OlogHint { size: 1 }));
        hints.tell(Concerns::Chart(one), ChartEvent::Olog(OlogHint { size: 2 }));
        hints.tell(Concerns::Site, ChartEvent::Mlog);
        assert_eq!(listener.next(one).await, Some(ChartEvent::Olog(OlogHint { size: 2 })));
        assert_eq!(listener.next(one).await, Some(ChartEvent::Mlog));
    }
}
