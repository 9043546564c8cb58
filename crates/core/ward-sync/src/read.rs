//! What a reader asks of an envelope before it believes its author: the rules of the server's
//! door, checked again by everybody.

use crate::membership::{DeviceRecord, Membership};
use ward_crypto::EnvelopeHeader;

/// Why an envelope's author is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// The header names a head that this device has not seen yet. Fetch the log, then look again.
    #[error("the envelope names a head of {size} entries that is not known here yet")]
    HeadAhead {
        /// The size it names.
        size: u64,
    },
    /// The header names a head that this log never had: the author was shown another log. The two
    /// headers are evidence against the server; a person must look at it.
    #[error("the envelope names a head that this log never had")]
    ForeignHead,
    /// The author's device has no certificate in this chart.
    #[error("the author's device has no certificate in this chart")]
    NoCertificate,
    /// The author's device was no member at the head it names.
    #[error("the author's device was not a member of the chart at the head it names")]
    NotMember,
    /// The epoch does not count. If a package is awaited, fetch it, then look again.
    #[error("the envelope's epoch does not count")]
    EpochUnknown,
    /// The epoch was made for other members than those at the head that the envelope names.
    #[error("the envelope was sealed for other members than the chart had")]
    OtherMembers,
}

/// Looks up who made an envelope, and checks that they were a member at the head that it names and
/// sealed under an epoch for exactly the members there.
///
/// Whether the entry *stands* is another question: the author may have been revoked since
/// ([`Membership::standing`]).
///
/// # Errors
/// [`ReadFault`].
pub fn check_author<'m>(
    membership: &'m Membership,
    header: &EnvelopeHeader,
) -> Result<&'m DeviceRecord, ReadFault> {
    let root = membership.root_at(header.mlog_size);
    match root {
        None => return Err(ReadFault::HeadAhead { size: header.mlog_size }),
        Some(root) if root != header.mlog_root => return Err(ReadFault::ForeignHead),
        Some(_) => {}
    }
    let record = membership.device(header.chart, header.device).ok_or(ReadFault::NoCertificate)?;
    let members = membership.members_at(header.chart, header.mlog_size).ok_or(ReadFault::NotMember)?;
    if !members.contains(header.device) {
        return Err(ReadFault::NotMember);
    }
    let mut counted = membership.counted_epochs(header.chart).iter();
    let epoch = counted.find(|epoch| epoch.epoch == header.epoch).ok_or(ReadFault::EpochUnknown)?;
    if epoch.members.hash() == members.hash() { Ok(record) } else { Err(ReadFault::OtherMembers) }
}
