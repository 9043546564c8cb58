//! Parts of an input, and decisions that its bytes take.

/// The byte between two parts of an input. Neither JSON nor an expression can hold it.
const SEPARATOR: u8 = 0;

/// The first `N` parts of an input; those that it doesn't have are empty. The last holds all the rest.
pub(crate) fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = input.splitn(N, |byte| *byte == SEPARATOR);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The first byte of an input, and the rest: for input that may hold any byte.
pub(crate) fn selected(input: &[u8]) -> (usize, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (usize::from(*first), rest))
}

/// Decisions, one a byte. When the bytes are used up they go on by a fixed rule, so that an input
/// without any decides something too.
#[derive(Debug, Clone)]
pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Choices<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    /// A number below `count`; 0 if there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let byte = self.bytes.get(self.place).copied().map_or(self.place.wrapping_mul(7), usize::from);
        self.place = self.place.wrapping_add(1);
        byte.checked_rem(count).unwrap_or_default()
    }

    /// One of a list.
    pub(crate) fn one_of<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.below(list.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_missing_are_empty() {
        assert_eq!(parts::<2>(b"a\0b\0c"), [b"a".as_slice(), b"b\0c"]);
        assert_eq!(parts::<3>(b"a"), [b"a".as_slice(), b"", b""]);
        assert_eq!(selected(b"\x02x"), (2, b"x".as_slice()));
        assert_eq!(selected(b""), (0, b"".as_slice()));
    }

    #[test]
    fn choices_end_nowhere() {
        let mut choices = Choices::of(&[9]);
        let taken: Vec<usize> = (0..4).map(|_| choices.below(5)).collect();
        assert_eq!(taken, [4, 2, 4, 1]);
        assert_eq!(choices.below(0), 0);
        assert_eq!(choices.one_of::<u8>(&[]), None);
    }
}
