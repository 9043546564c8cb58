//! What the values of a part of an expression may come from, before anything uses them.

/// A place that values come from, as one number: the walk keeps the list.
pub(super) type SourceIndex = usize;

/// A set of sources, one bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources {
    words: Vec<u64>,
}

impl Sources {
    pub(super) fn one(source: SourceIndex) -> Self {
        let mut words = vec![0; source / 64];
        words.push(1 << (source % 64));
        Self { words }
    }

    pub(super) fn join(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    /// Whether the other has all of them.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let others = other.words.iter().chain(std::iter::repeat(&0));
        self.words.iter().zip(others).all(|(mine, theirs)| mine & !theirs == 0)
    }

    pub(super) fn has_any_of(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(mine, theirs)| mine & theirs != 0)
    }

    pub(super) fn has(&self, source: SourceIndex) -> bool {
        self.words.get(source / 64).is_some_and(|word| word >> (source % 64) & 1 == 1)
    }
}

/// What a collection may hold.
///
/// Nothing of it has been used yet: as long as it is only gone on from, values that come from elsewhere
/// than the items that are filtered out in the end may come and go without a trace. Whoever uses the
/// values, counts them or takes one by its place has to read the sources.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    pub(super) sources: Sources,
    /// Equal values became one, which only their whole content decides.
    pub(super) is_merged: bool,
    /// Every value is an item, so that each has a linkId.
    pub(super) is_items: bool,
    /// The values lie in the value that the innermost argument is evaluated for: there are none where
    /// that one holds nothing that is filtered for.
    pub(super) follows_focus: bool,
}

impl Reach {
    /// No value, whatever the data.
    pub(super) fn nothing() -> Self {
        Self { is_items: true, follows_focus: true, ..Self::default() }
    }

    /// Values that don't come from the data, or that have been read.
    pub(super) fn fixed() -> Self {
        Self::default()
    }

    pub(super) fn from(source: SourceIndex) -> Self {
        Self { sources: Sources::one(source), ..Self::default() }
    }

    /// One of the values, as `$this` of an argument.
    pub(super) fn element(&self) -> Self {
        Self { is_merged: false, follows_focus: true, ..self.clone() }
    }

    /// The values of both.
    pub(super) fn join(mut self, other: &Self) -> Self {
        self.sources.join(&other.sources);
        self.is_merged |= other.is_merged;
        self.is_items &= other.is_items;
        self.follows_focus &= other.follows_focus;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let mut set = Sources::one(3);
        set.join(&Sources::one(200));
        set.join(&Sources::one(64));
        let held: Vec<_> = (0..300).filter(|source| set.has(*source)).collect();
        assert_eq!(held, [3, 64, 200]);
        assert_eq!(Sources::default().words.len(), 0);
    }
}
