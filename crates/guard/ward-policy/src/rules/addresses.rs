//! Conditions over a range of addresses that is written as its first and its last one.

use super::condition_reader::path;
use super::{Fields, RuleError};
use crate::graph::{Attribute, AttributePath};

/// Whether a range holds no more addresses than a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Addresses {
    /// The first address.
    pub from: AttributePath,
    /// The last address.
    pub to: AttributePath,
    /// The most addresses that the range may hold.
    pub at_most: u64,
}

/// Reads the mapping behind `addresses`.
pub(super) fn read_addresses(mut fields: Fields<'_>) -> Result<Addresses, RuleError> {
    let (from, to) = (path(&mut fields, "from")?, path(&mut fields, "to")?);
    let at_most = match fields.need("at_most")?.scalar() {
        Some(Attribute::Number(number)) if number >= 1.0 && number.fract() == 0.0 => number as u64,
        _ => return Err(fields.fault("at_most has to be a whole number of addresses")),
    };
    fields.end()?;
    Ok(Addresses { from, to, at_most })
}
