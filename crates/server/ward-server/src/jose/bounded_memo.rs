//! A bounded memory of answers that cost much to compute and never change: parsed keys and
//! tokens whose signature was checked. When it is full it is emptied, so nothing grows and no
//! caller can push another one's entry out for good.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// At most `limit` answers.
pub(crate) struct BoundedMemo<K, V> {
    known: Mutex<HashMap<K, V>>,
    limit: usize,
}

impl<K: Eq + Hash, V: Clone> BoundedMemo<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { known: Mutex::new(HashMap::new()), limit }
    }

    /// The answer for a key, if it is remembered.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.lock().get(key).cloned()
    }

    /// Remembers an answer.
    pub(crate) fn put(&self, key: K, value: V) {
        let mut known = self.lock();
        if known.len() >= self.limit {
            known.clear();
        }
        known.insert(key, value);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, V>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_one_past() {
        let memo = BoundedMemo::new(2);
        memo.put(1, 'a');
        memo.put(2, 'b');
        assert_eq!((memo.get(&1), memo.get(&2)), (Some('a'), Some('b')));
        memo.put(3, 'c');
        assert_eq!((memo.get(&1), memo.get(&2), memo.get(&3)), (None, None, Some('c')));
    }
}
