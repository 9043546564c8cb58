//! Envelopes carry the chart, the device and the entry id in their header, and the store has all
//! three in columns. They are cut out of the stored bytes and joined again on reading: 64 bytes
//! less for each operation. Bytes in which they do not stand are kept whole.

use crate::limits::CUT_OFFSET_MAX;

/// Bytes of a chart or device id.
const ID: usize = 16;
/// Bytes of an entry id.
const ENTRY: usize = 32;
/// What stands in columns.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) chart: &'a [u8; ID],
    pub(crate) device: &'a [u8; ID],
    pub(crate) entry: &'a [u8; ENTRY],
}

/// Where the three stood in the whole bytes, in this order.
pub(crate) type Places = [u8; 3];

impl<'a> Known<'a> {
    fn parts(&self) -> [&'a [u8]; 3] {
        [self.chart, self.device, self.entry]
    }

    /// Takes what is known out of the bytes, if all three stand near the beginning in this order;
    /// else they stay as they are.
    pub(crate) fn cut(&self, bytes: &mut Vec<u8>) -> Option<Places> {
        let mut places = [0u8; 3];
        let mut from = 0usize;
        for (place, part) in places.iter_mut().zip(self.parts()) {
            let head = bytes.get(from..bytes.len().min(CUT_OFFSET_MAX + part.len()))?;
            let offset = from + head.windows(part.len()).position(|window| window == part)?;
            *place = u8::try_from(offset).ok()?;
            from = offset + part.len();
        }
        // Found in this order and apart, so taking out a later one moves no earlier one.
        for (place, part) in places.iter().zip(self.parts()).rev() {
            let at = usize::from(*place);
            drop(bytes.drain(at..at + part.len()));
        }
        Some(places)
    }

    /// The whole bytes again; `None` when the places do not fit.
    pub(crate) fn join(&self, places: Places, rest: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(rest.len() + 2 * ID + ENTRY);
        let mut taken = 0usize;
        for (place, part) in places.into_iter().zip(self.parts()) {
            let upto = taken + usize::from(place).checked_sub(bytes.len())?;
            bytes.extend_from_slice(rest.get(taken..upto)?);
            bytes.extend_from_slice(part);
            taken = upto;
        }
        bytes.extend_from_slice(rest.get(taken..)?);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known<'static> = Known { chart: &[1; ID], device: &[2; ID], entry: &[3; ENTRY] };

    fn bytes(gaps: [usize; 3], tail: usize) -> Vec<u8> {
        let mut out = vec![9; gaps[0]];
        out.extend_from_slice(KNOWN.chart);
        out.extend(vec![9; gaps[1]]);
        out.extend_from_slice(KNOWN.device);
        out.extend(vec![9; gaps[2]]);
        out.extend_from_slice(KNOWN.entry);
        out.extend(vec![9; tail]);
        out
    }

    #[test]
    fn a_header_is_cut_and_joined() {
        for (gaps, tail) in [([26, 4, 9], 700), ([0, 0, 0], 0), ([0, 0, 223], 1)] {
            let whole = bytes(gaps, tail);
            let mut rest = whole.clone();
            let places = KNOWN.cut(&mut rest).unwrap();
            assert_eq!(rest.len(), whole.len() - 64);
            assert_eq!(KNOWN.join(places, &rest), Some(whole));
        }
    }

    #[test]
    fn other_bytes_stay_whole() {
        let order = [KNOWN.device.as_slice(), KNOWN.chart, KNOWN.entry].concat();
        let cases = [vec![], vec![1; 15], order, bytes([0, 0, 224], 0), bytes([0, 0, 0], 0)[..63].to_vec()];
        for whole in cases {
            let mut rest = whole.clone();
            assert_eq!(KNOWN.cut(&mut rest), None, "{} bytes", whole.len());
            assert_eq!(rest, whole);
        }
    }

    #[test]
    fn places_that_do_not_fit_are_refused() {
        for places in [[5, 0, 0], [0, 0, 40], [0, 16, 255], [255, 255, 255]] {
            assert_eq!(KNOWN.join(places, &[9; 4]), None, "{places:?}");
        }
    }

    proptest::proptest! {
        /// Whatever is cut comes back byte for byte, also when the ids look like their surroundings.
        #[test]
        fn what_is_cut_comes_back(
            whole in proptest::collection::vec(0u8..2, 0..400),
            chart in proptest::array::uniform16(0u8..1),
            device in proptest::array::uniform16(0u8..1),
            entry in proptest::array::uniform32(0u8..1),
        ) {
            let mut whole = whole;
            if let Some(run) = whole.get_mut(20..120) {
                run.fill(0);
            }
            let known = Known { chart: &chart, device: &device, entry: &entry };
            let mut rest = whole.clone();
            if let Some(places) = known.cut(&mut rest) {
                proptest::prop_assert_eq!(known.join(places, &rest), Some(whole));
            } else {
                proptest::prop_assert!(whole.len() < 120);
            }
        }
    }
}
