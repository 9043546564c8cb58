//! Drafts of answers: sealed on this device only, gone when the answers are submitted.

use super::Client;
use crate::limits::{DRAFT_MAX_BYTES, DRAFT_NAME_CHARS, DRAFTS_MAX};
use crate::store::{Batch, DraftRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use ward_crypto::random_bytes;
use ward_forms::AnswerRoom;
use ward_id::{ChartId, EntryId, hex_encode};
use ward_sync::limits::PAYLOAD_MAX_BYTES;
use ward_sync::{
    AnsweredBy, DenseResponse, Draft, Occurrence, Payload, QuestionnaireResponse, ResponseStatus,
};

/// Which answers a draft belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftKey {
    /// The chart.
    pub chart: ChartId,
    /// The questionnaire.
    pub instrument_url: String,
    /// Its version: an open draft ends on the version that it began with.
    pub instrument_version: String,
    /// Which of the planned times.
    pub occurrence: String,
    /// The response that they correct; a correction that was begun is never taken for new answers.
    pub amends: Option<EntryId>,
}

/// Answers that were begun on this device and neither finished nor thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDraft {
    /// Its name on this device.
    pub name: String,
    /// Which answers they are.
    pub key: DraftKey,
}

impl DraftKey {
    /// How many bytes the answers may have: finished, what an entry holds besides what it says of them; as a
    /// draft, what is kept on this device.
    pub fn answer_room(&self) -> AnswerRoom {
        let response = vec![0; PAYLOAD_MAX_BYTES];
        let (status, answered_by) = (ResponseStatus::Completed, AnsweredBy::Self_);
        let occurrence = Occurrence::new(self.occurrence.clone());
        let dense = DenseResponse {
            instrument: EntryId::from_bytes([0; 32]),
            occurrence: occurrence.clone(),
            status,
            answered_by,
            answers: response.clone(),
        };
        let general = QuestionnaireResponse {
            instrument_url: self.instrument_url.clone(),
            instrument_version: self.instrument_version.clone(),
            occurrence,
            status,
            answered_by,
            response,
        };
        let longest = Payload::from(dense).encode().len().max(Payload::from(general).encode().len());
        let around = longest.saturating_sub(PAYLOAD_MAX_BYTES);
        AnswerRoom { response_bytes: PAYLOAD_MAX_BYTES.saturating_sub(around), draft_bytes: DRAFT_MAX_BYTES }
    }

    fn of(record: &DraftRecord) -> Self {
        Self {
            chart: record.chart,
            instrument_url: record.instrument_url.clone(),
            instrument_version: record.instrument_version.clone(),
            occurrence: record.occurrence.clone(),
            amends: record.amends,
        }
    }

    fn is_of(&self, record: &DraftRecord) -> bool {
        record.chart == self.chart
            && record.instrument_url == self.instrument_url
            && record.instrument_version == self.instrument_version
            && record.occurrence == self.occurrence
            && record.amends == self.amends
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Keeps answers that are not finished, in place of an earlier draft of the same.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] for a draft that is too large or one too many;
    /// [`ClientError::Store`].
    pub async fn save_draft(&mut self, key: &DraftKey, response: &[u8]) -> Result<(), ClientError> {
        if response.len() > DRAFT_MAX_BYTES {
            return Err(ClientError::NotAllowed("a draft has at most 512 KiB"));
        }
        let (open, env) = self.device_and_env()?;
        let known = open.drafts.iter().find(|(_, record)| key.is_of(record)).map(|(id, _)| id.clone());
        if known.is_none() && open.drafts.len() >= DRAFTS_MAX {
            return Err(ClientError::NotAllowed("a device keeps at most 256 drafts"));
        }
        let id = known.unwrap_or_else(|| random_bytes::<16>(env.rng()).to_vec());
        let record = DraftRecord {
            chart: key.chart,
            instrument_url: key.instrument_url.clone(),
            instrument_version: key.instrument_version.clone(),
            occurrence: key.occurrence.clone(),
            response: response.to_vec().into(),
            amends: key.amends,
        };
        let mut batch = Batch::default();
        batch.put(Table::Drafts, id.clone(), &record);
        self.commit_growth(batch, Growth::Text).await?;
        self.device_mut()?.drafts.insert(id, record);
        self.raise_mark(None).await;
        Ok(())
    }

    /// The draft, if there is one.
    pub fn draft(&self, key: &DraftKey) -> Option<&[u8]> {
        let open = self.device().ok()?;
        open.drafts.values().find(|record| key.is_of(record)).map(|record| record.response.as_slice())
    }

    /// All drafts of this device, those among them whose questionnaire or chart is not at hand any
    /// more; by chart, questionnaire and planned time.
    pub fn drafts(&self) -> Vec<OpenDraft> {
        let Ok(open) = self.device() else { return Vec::new() };
        let named = |(id, record): (&Vec<u8>, &DraftRecord)| OpenDraft {
            name: hex_encode(id).chars().take(DRAFT_NAME_CHARS).collect(),
            key: DraftKey::of(record),
        };
        let mut out: Vec<OpenDraft> = open.drafts.iter().map(named).collect();
        out.sort_by(|a, b| {
            let order = |draft: &OpenDraft| {
                let DraftKey { chart, instrument_url, occurrence, .. } = &draft.key;
                (*chart, instrument_url.clone(), occurrence.clone(), draft.name.clone())
            };
            order(a).cmp(&order(b))
        });
        out
    }

    /// Writes finished answers, and throws their draft away in the same commit: a crash leaves
    /// either the draft or the entry, and never a draft of answers that were given already.
    ///
    /// # Errors
    /// As [`Client::capture`]; the draft is then still there.
    pub async fn submit_draft(&mut self, key: &DraftKey, draft: Draft) -> Result<EntryId, ClientError> {
        let open = self.device()?;
        let id = open.drafts.iter().find(|(_, record)| key.is_of(record)).map(|(id, _)| id.clone());
        let mut batch = Batch::default();
        if let Some(id) = &id {
            batch.delete(Table::Drafts, id.clone());
        }
        let entry = self.capture_with(key.chart, draft, batch).await?;
        if let Some(id) = id {
            self.device_mut()?.drafts.remove(&id);
        }
        Ok(entry)
    }

    /// Throws a draft away; an absent one is no error.
    ///
    /// # Errors
    /// [`ClientError::Store`].
    pub async fn drop_draft(&mut self, key: &DraftKey) -> Result<(), ClientError> {
        let open = self.device()?;
        let Some(id) = open.drafts.iter().find(|(_, record)| key.is_of(record)).map(|(id, _)| id.clone())
        else {
            return Ok(());
        };
        let mut batch = Batch::default();
        batch.delete(Table::Drafts, id.clone());
        self.commit(batch).await?;
        self.device_mut()?.drafts.remove(&id);
        self.raise_mark(None).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_fill_their_room_fill_an_entry() {
        let key = DraftKey {
            chart: ChartId::from_bytes([1; 16]),
            instrument_url: "https://example.org/a-questionnaire-with-a-long-address".to_owned(),
            instrument_version: "1.0.0".to_owned(),
            occurrence: "2026-03-02".to_owned(),
            amends: None,
        };
        let room = key.answer_room();
        let general = QuestionnaireResponse {
            instrument_url: key.instrument_url.clone(),
            instrument_version: key.instrument_version.clone(),
            occurrence: Occurrence::new("2026-03-02"),
            status: ResponseStatus::Amended,
            answered_by: AnsweredBy::Interview,
            response: vec![b' '; room.response_bytes],
        };
        assert_eq!(Payload::from(general).encode().len(), PAYLOAD_MAX_BYTES);
        let short = DraftKey { instrument_url: "u".to_owned(), ..key }.answer_room();
        let dense = DenseResponse {
            instrument: EntryId::from_bytes([9; 32]),
            occurrence: Occurrence::new("2026-03-02"),
            status: ResponseStatus::Completed,
            answered_by: AnsweredBy::WithHelp,
            answers: vec![1; short.response_bytes],
        };
        assert_eq!(Payload::from(dense).encode().len(), PAYLOAD_MAX_BYTES);
        assert_eq!(room.draft_bytes, DRAFT_MAX_BYTES);
    }
}
