//! Names that many objects share.

use crate::graph::Name;

/// The fewest and the most names that are remembered; powers of two.
const LEAST_PLACES: usize = 8;
const PLACES: usize = 512;
/// Bytes of a text for each place: a short text has few names, and needs no room for many.
const BYTES_A_PLACE: usize = 64;
/// Odd, with bits all over: it spreads what it is multiplied with.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The names that were read lately. Each has one place, and the next one of that place drives it out: what
/// nobody shares costs no more room than what everybody does.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Option<Name>>);

impl Names {
    /// For the names of a text of so many bytes.
    pub(super) fn of_text(bytes: usize) -> Self {
        let places = (bytes / BYTES_A_PLACE).clamp(LEAST_PLACES, PLACES).next_power_of_two();
        Self(vec![None; places])
    }

    /// The name, shared with whoever read it before if it is still remembered.
    pub(super) fn shared(&mut self, name: &str) -> Name {
        let place = spread(name) & self.0.len().wrapping_sub(1);
        match self.0.get_mut(place) {
            Some(Some(known)) if **known == *name => Name::clone(known),
            Some(free) => Name::clone(free.insert(name.into())),
            None => name.into(),
        }
    }
}

/// A number that names share by chance only: of how a name begins, how it ends, and how long it is.
fn spread(name: &str) -> usize {
    let bytes = name.as_bytes();
    let mixed = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    let spread = (mixed ^ bytes.len() as u64).wrapping_mul(SPREAD);
    // The upper bits hang on all of them.
    (spread >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shared_and_never_taken_for_another() {
        let mut names = Names::of_text(usize::MAX);
        let (one, other) = (names.shared("cidr_blocks"), names.shared("cidr_blocks"));
        assert!(Name::ptr_eq(&one, &other));
        for number in 0..PLACES * 4 {
            let name = number.to_string();
            assert_eq!(&*names.shared(&name), name);
        }
        assert_eq!(&*names.shared("cidr_blocks"), "cidr_blocks");
        for bytes in [0, BYTES_A_PLACE * LEAST_PLACES + 1, BYTES_A_PLACE * PLACES] {
            let mut names = Names::of_text(bytes);
            assert!(names.0.len().is_power_of_two() && names.0.len() <= PLACES);
            assert_eq!(["a", "b", "", "a"].map(|name| names.shared(name).to_string()), ["a", "b", "", "a"]);
        }
        assert_eq!(&*Names::default().shared("a"), "a");
    }
}
