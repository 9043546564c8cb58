//! Work on every core, where there are threads.

/// Applies a function to parts of a list, one part for each core, and keeps the order. The function
/// gives one result for each item of its part.
#[cfg(feature = "native")]
pub(crate) fn map_parts<I: Sync, O: Send>(items: &[I], work: impl Fn(&[I]) -> Vec<O> + Sync) -> Vec<O> {
    in_shares(items, crate::limits::PARALLEL_MIN_ITEMS, work)
}

/// Applies a function to items each of which is worth a thread, and keeps the order.
#[cfg(feature = "native")]
pub(crate) fn map_each<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    in_shares(items, 1, |items| items.iter().map(&work).collect())
}

#[cfg(feature = "native")]
fn in_shares<I: Sync, O: Send>(items: &[I], least: usize, work: impl Fn(&[I]) -> Vec<O> + Sync) -> Vec<O> {
    let share = items.len().div_ceil(cores()).max(least);
    if items.len() <= share {
        return work(items);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let hands: Vec<_> = items.chunks(share).map(|part| (part, scope.spawn(move || work(part)))).collect();
        // A thread that ended early is a fault of this program: its part is done again here,
        // where the fault becomes visible.
        hands.into_iter().flat_map(|(part, hand)| hand.join().unwrap_or_else(|_| work(part))).collect()
    })
}

/// How many cores there are. The question reads files of the system, so it is asked once.
#[cfg(feature = "native")]
fn cores() -> usize {
    use std::sync::OnceLock;
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Applies a function to the whole list.
#[cfg(not(feature = "native"))]
pub(crate) fn map_parts<I, O>(items: &[I], work: impl Fn(&[I]) -> Vec<O>) -> Vec<O> {
    work(items)
}

/// Applies a function to each item.
#[cfg(not(feature = "native"))]
pub(crate) fn map_each<I, O>(items: &[I], work: impl Fn(&I) -> O) -> Vec<O> {
    items.iter().map(work).collect()
}

/// Work that goes on beside whoever began it.
#[cfg(feature = "native")]
pub(crate) struct Beside<T>(std::thread::JoinHandle<T>);

#[cfg(feature = "native")]
impl<T: Send + 'static> Beside<T> {
    pub(crate) fn begin(work: impl FnOnce() -> T + Send + 'static) -> Self {
        Self(std::thread::spawn(work))
    }

    /// Waits for it. `None` if it ended early, which is a fault of this program.
    pub(crate) fn result(self) -> Option<T> {
        self.0.join().ok()
    }
}

/// Work that is done at once, where there are no threads.
#[cfg(not(feature = "native"))]
pub(crate) struct Beside<T>(T);

#[cfg(not(feature = "native"))]
impl<T> Beside<T> {
    pub(crate) fn begin(work: impl FnOnce() -> T) -> Self {
        Self(work())
    }

    pub(crate) fn result(self) -> Option<T> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_is_kept() {
        assert_eq!(super::Beside::begin(|| 3).result(), Some(3));
        for count in [0usize, 1, 15, 16, 17, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = super::map_parts(&items, |part| part.iter().map(|item| item * 2).collect());
            assert!(doubled.iter().enumerate().all(|(place, value)| *value == place * 2));
            assert_eq!(doubled.len(), count);
            assert_eq!(super::map_each(&items, |item| item * 2), doubled);
        }
    }
}
