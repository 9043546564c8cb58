//! The cut-off of a revocation, looked at when it arrives: what one signer names may be neither made up nor
//! so old that it takes back what a device wrote in good time.

use super::Membership;
use super::arrival::ArrivalRefusal;
use super::signers::Signers;
use crate::mlog::MlogEntry;

/// How the head that a revocation names stands to the operation log that the server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutOff {
    /// It is a head of that log, and nothing that it leaves out is older than the site's freshness limit.
    Fresh,
    /// It is a head of that log, and leaves out what came longer ago.
    Old,
    /// It is no head of that log.
    Foreign,
}

impl Membership {
    /// Whether the server takes a revocation with this cut-off. Readers take the smallest cut-off of all
    /// revocations of a device, so what is taken once stands for good.
    pub(super) fn check_cut_off(&self, entry: &MlogEntry, cut_off: CutOff) -> Result<(), ArrivalRefusal> {
        let of_ended_log = self.olog_begin_at(entry.base().size) != self.olog_begin();
        if of_ended_log || cut_off == CutOff::Foreign {
            return Err(ArrivalRefusal::CutOffForeign);
        }
        let signers = Signers::find(self, entry, self.chart_of(entry.subject()))?;
        let alone = signers.persons() < 2 && !signers.any_root();
        if alone && cut_off == CutOff::Old {
            return Err(ArrivalRefusal::SecondSignature(
                "what was written long ago would not stand any more",
            ));
        }
        Ok(())
    }
}
