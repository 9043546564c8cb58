//! Proof that a device signed two histories: two signed headers for one place.

use minicbor::{Decode, Encode};
use ward_crypto::{Envelope, SignPublicKey};
use ward_id::{DeviceId, EntryId, Incarnation};

/// Two envelopes that prove no fork. The caller must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForkProofError {
    /// They are for different places.
    #[error("the envelopes stand at different places; they prove nothing")]
    OtherPlace,
    /// They hold the same entry, sealed twice.
    #[error("the envelopes hold the same entry; they prove nothing")]
    SameEntry,
    /// A signature does not hold.
    #[error("a signature does not hold under the device's key")]
    Signature,
}

/// Two envelopes of one device that name different entries for the same place. Anybody who has the
/// device's certificate can check it, without any key of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ForkProof {
    #[n(0)]
    first: Envelope,
    #[n(1)]
    second: Envelope,
}

impl ForkProof {
    /// Puts two envelopes together, in the order of their entries' names.
    ///
    /// # Errors
    /// [`ForkProofError::OtherPlace`] or [`ForkProofError::SameEntry`].
    pub fn new(a: Envelope, b: Envelope) -> Result<Self, ForkProofError> {
        let (first, second) = if a.header().entry_id <= b.header().entry_id { (a, b) } else { (b, a) };
        let proof = Self { first, second };
        proof.check_places()?;
        Ok(proof)
    }

    fn check_places(&self) -> Result<(), ForkProofError> {
        let (a, b) = (self.first.header(), self.second.header());
        let place = |h: &ward_crypto::EnvelopeHeader| (h.site, h.chart, h.device, h.incarnation, h.seq);
        if place(a) != place(b) {
            return Err(ForkProofError::OtherPlace);
        }
        if a.entry_id == b.entry_id { Err(ForkProofError::SameEntry) } else { Ok(()) }
    }

    /// Checks the proof with the device's signing key.
    ///
    /// # Errors
    /// [`ForkProofError`] if it proves nothing.
    pub fn verify(&self, author: &SignPublicKey) -> Result<(), ForkProofError> {
        self.check_places()?;
        for envelope in [&self.first, &self.second] {
            envelope.verify(author).map_err(|_| ForkProofError::Signature)?;
        }
        Ok(())
    }

    /// Whose store was copied or turned.
    pub fn device(&self) -> (DeviceId, Incarnation) {
        (self.first.header().device, self.first.header().incarnation)
    }

    /// The place that has two entries.
    pub fn seq(&self) -> u64 {
        self.first.header().seq
    }

    /// The two entries.
    pub fn entries(&self) -> [EntryId; 2] {
        [self.first.header().entry_id, self.second.header().entry_id]
    }
}
