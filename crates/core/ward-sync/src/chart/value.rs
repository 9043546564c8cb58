//! When two values say the same, and which of two is worse.

use crate::payload::{
    AccessReceipt, AlertAcknowledgement, Appointment, Attachment, Carry, Checkpoint, CheckpointCosignature,
    Consent, DeviceClosed, Dose, DropDeclined, IncarnationOpen, Incident, Instrument, MedicationPlanField,
    Note, Opened, Participation, ProfileField, Response,
};
use alloc::vec::Vec;
use core::cmp::Ordering;
use ward_id::Canonical as _;

/// A value of a thread.
pub trait Value: PartialEq {
    /// Whether both say the same, whatever they replace. Two who wrote the same do not contradict
    /// each other.
    fn says_the_same(&self, other: &Self) -> bool {
        self == other
    }

    /// What it says, in bytes: equal for two values exactly if they say the same.
    fn words(&self) -> Vec<u8>;

    /// Which of two is worse, where that can be told: [`Ordering::Greater`] if this one is.
    fn compare_worse(&self, _other: &Self) -> Option<Ordering> {
        None
    }
}

macro_rules! values_without_links {
    ($($name:ident)*) => {
        $(impl Value for $name {
            fn words(&self) -> Vec<u8> {
                self.to_canonical()
            }
        })*
    };
}

values_without_links! {
    Dose AlertAcknowledgement Consent Participation AccessReceipt IncarnationOpen Carry DropDeclined
    DeviceClosed Incident Opened Attachment Checkpoint CheckpointCosignature
}

impl Value for Response {
    fn words(&self) -> Vec<u8> {
        [self.version().to_be_bytes().to_vec(), self.to_payload()].concat()
    }
}

impl Value for Instrument {
    /// The two forms have no bytes in common.
    fn words(&self) -> Vec<u8> {
        self.to_payload()
    }
}

impl Value for MedicationPlanField {
    fn says_the_same(&self, other: &Self) -> bool {
        (&self.medication, &self.field, &self.value, &self.unit)
            == (&other.medication, &other.field, &other.value, &other.unit)
    }

    fn words(&self) -> Vec<u8> {
        Self { supersedes: Vec::new(), ..self.clone() }.to_canonical()
    }

    /// The higher number in the same unit.
    fn compare_worse(&self, other: &Self) -> Option<Ordering> {
        if self.unit != other.unit {
            return None;
        }
        compare_decimals(self.value.as_deref()?, other.value.as_deref()?)
    }
}

impl Value for Appointment {
    fn says_the_same(&self, other: &Self) -> bool {
        (self.appointment, self.status, self.starts_at, self.minutes, &self.place, &self.purpose)
            == (other.appointment, other.status, other.starts_at, other.minutes, &other.place, &other.purpose)
    }

    fn words(&self) -> Vec<u8> {
        Self { supersedes: Vec::new(), ..self.clone() }.to_canonical()
    }
}

impl Value for Note {
    fn says_the_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    fn words(&self) -> Vec<u8> {
        Self { supersedes: Vec::new(), ..self.clone() }.to_canonical()
    }
}

impl Value for ProfileField {
    fn says_the_same(&self, other: &Self) -> bool {
        (&self.field, &self.value) == (&other.field, &other.value)
    }

    fn words(&self) -> Vec<u8> {
        Self { supersedes: Vec::new(), ..self.clone() }.to_canonical()
    }

    /// The higher number.
    fn compare_worse(&self, other: &Self) -> Option<Ordering> {
        compare_decimals(&self.value, &other.value)
    }
}

/// Compares two plain decimal numbers (`12`, `-0.5`) exactly; `None` for anything else.
fn compare_decimals(a: &str, b: &str) -> Option<Ordering> {
    let ((a_below, a_whole, a_part), (b_below, b_whole, b_part)) = (decimal(a)?, decimal(b)?);
    let size = (a_whole.len(), a_whole).cmp(&(b_whole.len(), b_whole)).then_with(|| a_part.cmp(b_part));
    Some(match (a_below, b_below) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

/// Whether it lies below zero, the digits before the point without leading zeros, and those after
/// it without trailing ones.
fn decimal(text: &str) -> Option<(bool, &str, &str)> {
    let (below, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) {
        return None;
    }
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    Some((below && !(whole.is_empty() && part.is_empty()), whole, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_exactly() {
        for (a, b, order) in [
            ("8", "10", Some(Ordering::Less)),
            ("2.5", "2.50", Some(Ordering::Equal)),
            ("02.4", "2.39", Some(Ordering::Greater)),
            ("-1", "0", Some(Ordering::Less)),
            ("-2", "-10", Some(Ordering::Greater)),
            ("-0", "0.0", Some(Ordering::Equal)),
            ("90071992547409931", "90071992547409930", Some(Ordering::Greater)),
            ("1e3", "2", None),
            ("", "2", None),
            (".5", "2", None),
            ("1 tablet", "2", None),
        ] {
            assert_eq!(compare_decimals(a, b), order, "{a} {b}");
        }
    }
}
