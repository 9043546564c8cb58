//! Decisions between values that contradict each other, records declared void, elements of sets; and
//! what an app is too old to change.

use super::Client;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_id::{ChartId, EntryId};
use ward_sync::limits::CANDIDATES_MAX;
use ward_sync::{
    Decoded, Draft, FieldKey, OpenConflict, Payload, Resolve, SetChange, Void, may_resolve, needed_level,
};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Every field and record of a chart in which several values hold and nobody has chosen.
    ///
    /// # Errors
    /// As [`Client::chart`].
    pub fn conflicts(&self, chart: ChartId) -> Result<Vec<OpenConflict>, ClientError> {
        Ok(self.chart(chart)?.conflicts())
    }

    /// Decides a conflict: the only way to end one. The decision must name all candidates that hold
    /// on this device now (of more than [`CANDIDATES_MAX`], that many), and says why.
    ///
    /// # Errors
    /// [`ClientError::ConflictMoved`] if other candidates hold than it names,
    /// [`ClientError::NotAllowed`] if this role does not decide about the field, else as
    /// [`Client::capture`].
    pub async fn resolve(
        &mut self,
        chart: ChartId,
        decision: Resolve,
        reason: impl Into<String>,
    ) -> Result<EntryId, ClientError> {
        let named: BTreeSet<EntryId> = decision.candidates.iter().copied().collect();
        let is_this = |open: &OpenConflict| {
            let all: BTreeSet<EntryId> = open.candidates.iter().copied().collect();
            // One decision cannot name more; it leaves the rest open, and the next one ends it.
            let as_many_as_fit = all.len() > CANDIDATES_MAX && named.len() == CANDIDATES_MAX;
            open.field == decision.field && (all == named || (as_many_as_fit && named.is_subset(&all)))
        };
        if !self.conflicts(chart)?.iter().any(is_this) {
            return Err(ClientError::ConflictMoved);
        }
        let open = self.device()?;
        if !may_resolve(open.mlog.membership.study_schema(), open.me.role, &decision.field) {
            return Err(ClientError::NotAllowed("this role does not decide about this field"));
        }
        self.capture_draft(chart, Draft::because(decision, reason)).await
    }

    /// Declares the version of a record or note that holds void: it stays in the trail, and does not
    /// hold any more. An amendment that names this declaration brings the record back.
    ///
    /// # Errors
    /// As [`Client::capture`].
    pub async fn void(
        &mut self,
        chart: ChartId,
        target: EntryId,
        reason: impl Into<String>,
    ) -> Result<EntryId, ClientError> {
        self.capture_draft(chart, Draft::because(Void { target }, reason)).await
    }

    /// Puts an element into a set of a chart.
    ///
    /// # Errors
    /// As [`Client::capture`].
    pub async fn add_to_set(
        &mut self,
        chart: ChartId,
        set: &str,
        element: &str,
    ) -> Result<EntryId, ClientError> {
        self.capture(chart, SetChange::adding(set, element)).await
    }

    /// Takes an element out of a set: all additions of it that this device has seen.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an element that is not in, else as [`Client::capture`].
    pub async fn remove_from_set(
        &mut self,
        chart: ChartId,
        set: &str,
        element: &str,
    ) -> Result<EntryId, ClientError> {
        let additions =
            self.chart(chart)?.sets().get(set).map(|set| set.additions_of(element)).unwrap_or_default();
        if additions.is_empty() {
            return Err(ClientError::Unknown("the element of the set"));
        }
        self.capture(chart, SetChange::removing(set, additions)).await
    }

    /// Refuses a draft that changes what this app is too old to read in full: a kind that the study
    /// schema keeps for newer apps, or an entry that only a newer app can read. New records are taken
    /// all the same: what a participant enters is never refused for that.
    pub(super) fn check_reader(&self, chart: ChartId, draft: &Draft) -> Result<(), ClientError> {
        let open = self.device()?;
        let local = open.charts.get(&chart);
        let payload_of = |entry: &EntryId| Some(local?.chart.get(*entry)?.body().decode_payload());
        // What the draft would put something else in the place of; an acknowledgement changes nothing.
        let about: &[EntryId] = match &draft.payload {
            Payload::Resolve(resolve) => &resolve.candidates,
            Payload::Void(void) => std::slice::from_ref(&void.target),
            other => other.supersedes(),
        };
        let changed: Vec<EntryId> = draft.amends.into_iter().chain(about.iter().copied()).collect();
        if changed.iter().any(|entry| payload_of(entry) == Some(Decoded::Unknown)) {
            return Err(ClientError::NeedsNewerApp);
        }
        let kind = match &draft.payload {
            Payload::Resolve(resolve) => resolve.field.kind(),
            Payload::Void(void) => match payload_of(&void.target) {
                Some(Decoded::Known(target)) => target.kind(),
                _ => return Ok(()),
            },
            other => other.kind(),
        };
        let is_new_record = FieldKey::is_voidable(kind) && changed.is_empty();
        let schema = Payload::schema_of(kind).unwrap_or_default();
        match needed_level(open.mlog.membership.study_schema(), kind, schema) {
            Some(_) if !is_new_record => Err(ClientError::NeedsNewerApp),
            _ => Ok(()),
        }
    }
}
