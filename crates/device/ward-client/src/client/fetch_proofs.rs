//! Proofs about the logs, from the server. Nothing of them is believed before it is checked under a
//! head that witnesses signed.

use super::Client;
use crate::limits::PROOF_TRIES;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::limits::OLOG_PROOFS_MAX;
use ward_api::{Consistency, Inclusion, LogName, OlogProofsAnswer, OlogProofsQuestion, paths};
use ward_audit::{LogView, LogViewError, NodeHash, SignedNote};

/// The leaf that the server shows at a place, and its audit path.
pub(crate) struct ShownLeaf {
    pub(crate) leaf: Vec<u8>,
    pub(crate) proof: Vec<NodeHash>,
}

fn nodes(hashes: Consistency) -> Vec<NodeHash> {
    hashes.into_iter().map(NodeHash::from).collect()
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// A proof of growth.
    pub(crate) async fn fetch_consistency(
        &mut self,
        log: LogName,
        from: u64,
        to: u64,
    ) -> Result<Vec<NodeHash>, ClientError> {
        if from == 0 || from >= to {
            return Ok(Vec::new());
        }
        Ok(nodes(self.wire()?.get(&paths::consistency(log, from, to)).await?))
    }

    /// The proof that a head extends the one that is held.
    pub(crate) async fn fetch_extension(
        &mut self,
        log: LogName,
        view: &LogView,
        note: &SignedNote,
        size: u64,
    ) -> Result<Vec<NodeHash>, ClientError> {
        let held = view.head().map_or(0, |head| head.head().size);
        let mut proof = self.fetch_consistency(log, held, size).await?;
        for _ in 1..PROOF_TRIES {
            let advanced = view.clone().advance(note, &proof);
            if !matches!(advanced, Err(LogViewError::Inconsistent { .. })) {
                break;
            }
            proof = self.fetch_consistency(log, held, size).await?;
        }
        Ok(proof)
    }

    /// That the operation log of `size` leaves extends each of these sizes, in their order.
    pub(crate) async fn fetch_consistencies(
        &mut self,
        sizes: &[u64],
        size: u64,
    ) -> Result<Vec<Vec<NodeHash>>, ClientError> {
        let mut out = Vec::with_capacity(sizes.len());
        for some in sizes.chunks(OLOG_PROOFS_MAX) {
            let question =
                OlogProofsQuestion { size, indexes: Vec::new(), sizes: some.to_vec(), ended: None };
            let answer = self.ask_proofs(&question).await?;
            out.extend(answer.consistencies.into_iter().map(nodes));
        }
        Ok(out)
    }

    /// What stands at these places of the operation log of `size` leaves, in their order.
    pub(crate) async fn fetch_inclusions(
        &mut self,
        indexes: &[u64],
        size: u64,
    ) -> Result<Vec<ShownLeaf>, ClientError> {
        self.fetch_inclusions_in(None, indexes, size).await
    }

    /// The same of a log that ended, by its number, or of the one that counts.
    pub(crate) async fn fetch_inclusions_in(
        &mut self,
        ended: Option<u32>,
        indexes: &[u64],
        size: u64,
    ) -> Result<Vec<ShownLeaf>, ClientError> {
        let mut out = Vec::with_capacity(indexes.len());
        for some in indexes.chunks(OLOG_PROOFS_MAX) {
            let question = OlogProofsQuestion { size, indexes: some.to_vec(), sizes: Vec::new(), ended };
            let answer = self.ask_proofs(&question).await?;
            let shown = |Inclusion { leaf, path }| ShownLeaf { leaf: leaf.0, proof: nodes(path) };
            out.extend(answer.inclusions.into_iter().map(shown));
        }
        Ok(out)
    }

    /// Asks, and sees to it that as many proofs come as were asked for.
    async fn ask_proofs(&mut self, question: &OlogProofsQuestion) -> Result<OlogProofsAnswer, ClientError> {
        let answer: OlogProofsAnswer = self.wire()?.post(paths::OLOG_PROOFS, question).await?;
        let counts = (answer.inclusions.len(), answer.consistencies.len());
        if counts == (question.indexes.len(), question.sizes.len()) {
            Ok(answer)
        } else {
            Err(ClientError::BadAnswer { path: paths::OLOG_PROOFS.to_owned() })
        }
    }
}
