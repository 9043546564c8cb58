//! Asks again what a finished response was refused for.

use super::Answering;
use crate::finding::Finding;
use crate::item_path::ItemPath;
use crate::live::PlaceId;

impl Answering {
    /// Asks the questions again that findings of [`Answering::finish`] are about, so that a person can
    /// mend them: for a finding about a group all that are asked in it, for one about the whole form
    /// all. Their answers stay until they are changed. Says whether there is one; if not, no answer of a
    /// person mends it.
    pub fn ask_again(&mut self, findings: &[Finding]) -> bool {
        let wanted: Vec<PlaceId> =
            findings.iter().flat_map(|finding| self.questions_at(&finding.path)).collect();
        for id in &wanted {
            self.unsettle(*id);
        }
        !wanted.is_empty()
    }

    fn questions_at(&self, path: &ItemPath) -> Vec<PlaceId> {
        let range = if path.steps().is_empty() {
            0..self.live.order.len()
        } else {
            let place = self.live.find(path).and_then(|id| self.live.places.get(id));
            place.map_or(0..0, |place| place.at..place.end)
        };
        let below = self.live.order.get(range).unwrap_or_default();
        below.iter().copied().filter(|id| self.live.is_asked(*id)).collect()
    }
}
