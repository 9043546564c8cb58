//! Names that many objects share.

use crate::graph::Name;

/// How many names are remembered; a power of two.
const PLACES: usize = 512;
/// Odd, with bits all over: it spreads what it is multiplied with.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The names that were read lately. Each has one place, and the next one of that place drives it out: what
/// nobody shares costs no more room than what everybody does.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Option<Name>>);

impl Names {
    /// The name, shared with whoever read it before if it is still remembered.
    pub(super) fn shared(&mut self, name: &str) -> Name {
        if self.0.is_empty() {
            self.0.resize(PLACES, None);
        }
        let spread = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(SPREAD).rotate_left(23);
        let place = usize::try_from(name.bytes().fold(0, spread) % PLACES as u64).unwrap_or(0);
        match self.0.get_mut(place) {
            Some(Some(known)) if **known == *name => Name::clone(known),
            Some(free) => Name::clone(free.insert(name.into())),
            None => name.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shared_and_never_taken_for_another() {
        let mut names = Names::default();
        let (one, other) = (names.shared("cidr_blocks"), names.shared("cidr_blocks"));
        assert!(Name::ptr_eq(&one, &other));
        for number in 0..PLACES * 4 {
            let name = number.to_string();
            assert_eq!(&*names.shared(&name), name);
        }
        assert_eq!(&*names.shared("cidr_blocks"), "cidr_blocks");
    }
}
