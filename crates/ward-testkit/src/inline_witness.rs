//! A witness that answers at once, on the thread that asks: what happens follows from the seed
//! alone, and no thread is started for each head.

use crate::FakeClock;
use std::sync::Arc;
use ward_audit::{AddCheckpoint, NoteSignature, SignedNote, SignerName, WitnessRefusal, WitnessTime};
use ward_server::{WitnessClient, WitnessClientError, WitnessFuture, WitnessService, WitnessServiceError};

/// A witness in this process.
pub(crate) struct InlineWitness {
    service: Arc<WitnessService>,
    clock: FakeClock,
}

impl InlineWitness {
    pub(crate) const fn new(service: Arc<WitnessService>, clock: FakeClock) -> Self {
        Self { service, clock }
    }

    fn cosign(&self, request: &AddCheckpoint) -> Result<Vec<NoteSignature>, WitnessClientError> {
        match self.service.add_checkpoint(&request.to_string(), self.clock.now()) {
            Ok(line) => Ok(vec![line]),
            Err(WitnessServiceError::Refused(WitnessRefusal::Conflict { known_size })) => {
                Err(WitnessClientError::Conflict { known_size })
            }
            Err(WitnessServiceError::Refused(refusal)) => {
                Err(WitnessClientError::Refused { status: refusal.http_status() })
            }
            Err(_) => Err(WitnessClientError::Refused { status: 500 }),
        }
    }
}

impl WitnessClient for InlineWitness {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        Box::pin(std::future::ready(self.cosign(request)))
    }

    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        let cosigned = self.service.cosigned(origin);
        Box::pin(std::future::ready(cosigned.map_err(|_| WitnessClientError::Refused { status: 500 })))
    }

    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        let signed = self.service.sign_time(nonce, self.clock.now());
        Box::pin(std::future::ready(signed.map_err(|_| WitnessClientError::Refused { status: 500 })))
    }
}
