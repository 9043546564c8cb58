//! The questionnaires that a chart holds, by address and version and by entry, and what the answers
//! to them say, in whichever form they were written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use ward_forms::{
    Questionnaire, QuestionnaireResponse as FormResponse, ResponseStatus as FormStatus, decode_answers,
};
use ward_id::EntryId;
use ward_sync::{ChartView, Decoded, Instrument, Payload, Response, ResponseStatus, SignedEntry, Written};

/// Why the questionnaire of a response cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormProblem {
    /// The chart does not hold that version.
    Missing,
    /// Its JSON cannot be read.
    Unreadable,
}

/// The answers of a response are kept, but cannot be read. The device that wrote them is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answers are not such as their questionnaire allows, or are no FHIR response")]
pub struct AnswersUnreadable;

/// The answers of a response.
pub(super) struct ReadAnswers {
    pub(super) answers: FormResponse,
    /// Whether they give a field twice, of which the later one was read.
    pub(super) given_twice: bool,
}

/// The status that a response's own status implies within its FHIR resource.
pub(crate) const fn implied_status(status: ResponseStatus) -> FormStatus {
    match status {
        ResponseStatus::Draft => FormStatus::InProgress,
        ResponseStatus::Completed => FormStatus::Completed,
        ResponseStatus::Amended => FormStatus::Amended,
    }
}

/// An address with a version.
type Name = (String, String);

/// The questionnaires of a chart. Replaced versions stay: older answers name them.
///
/// A version of a questionnaire never changes. If several entries say different things under one
/// address and version, the first one holds and the others are listed as contradictions. Answers
/// that are bound to an entry are always read by the questionnaire of that entry.
#[derive(Debug, Clone, Default)]
pub struct ChartForms {
    /// Each questionnaire once; `None` for one that cannot be read.
    forms: Vec<Option<Questionnaire>>,
    by_name: BTreeMap<Name, usize>,
    by_entry: BTreeMap<EntryId, (Name, usize)>,
    titles: BTreeMap<String, String>,
    contradictions: Vec<EntryId>,
}

impl ChartForms {
    /// Reads all questionnaires of a chart.
    pub fn of(view: &ChartView<'_>) -> Self {
        let mut writes: Vec<&Written<'_, Instrument>> =
            view.instruments().iter().flat_map(|thread| thread.past.iter().chain(&thread.current)).collect();
        writes.sort_by_key(|written| written.order());
        let mut sources: BTreeMap<(&str, &str, &[u8]), usize> = BTreeMap::new();
        let mut out = Self::default();
        for written in writes {
            let Instrument { url, version, questionnaire, .. } = written.value;
            let place = *sources.entry((url, version, questionnaire)).or_insert_with(|| {
                out.forms.push(stored_form(questionnaire));
                out.forms.len() - 1
            });
            let name = (url.clone(), version.clone());
            out.by_entry.insert(written.id(), (name.clone(), place));
            match out.by_name.get(&name) {
                Some(first) if *first != place => out.contradictions.push(written.id()),
                Some(_) => {}
                None => {
                    if let Some(title) = out.form_at(place).and_then(Questionnaire::title).map(str::to_owned)
                    {
                        out.titles.insert(url.clone(), title);
                    }
                    out.by_name.insert(name, place);
                }
            }
        }
        out
    }

    /// Reads the questionnaires of single entries, for answers that are bound to one of them.
    pub(crate) fn of_entries<'e>(entries: impl IntoIterator<Item = &'e SignedEntry>) -> Self {
        let mut out = Self::default();
        for entry in entries {
            let Decoded::Known(Payload::Instrument(Instrument { url, version, questionnaire, .. })) =
                entry.body().decode_payload()
            else {
                continue;
            };
            out.by_entry.insert(entry.id(), ((url, version), out.forms.len()));
            out.forms.push(stored_form(&questionnaire));
        }
        out
    }

    fn form_at(&self, place: usize) -> Option<&Questionnaire> {
        self.forms.get(place).and_then(Option::as_ref)
    }

    /// One questionnaire.
    ///
    /// # Errors
    /// [`FormProblem`].
    pub fn get(&self, url: &str, version: &str) -> Result<&Questionnaire, FormProblem> {
        let place = self.by_name.get(&(url.to_owned(), version.to_owned())).ok_or(FormProblem::Missing)?;
        self.form_at(*place).ok_or(FormProblem::Unreadable)
    }

    /// The address and version of the questionnaire that a response answers. Both are empty for an
    /// instrument that this chart does not hold; such a response is in no view of it.
    pub fn name_of<'s>(&'s self, response: &'s Response) -> (&'s str, &'s str) {
        match response {
            Response::General(response) => (&response.instrument_url, &response.instrument_version),
            Response::Dense(response) => self
                .by_entry
                .get(&response.instrument)
                .map_or(("", ""), |((url, version), _)| (url.as_str(), version.as_str())),
        }
    }

    /// The questionnaire that a response answers.
    ///
    /// # Errors
    /// [`FormProblem`].
    pub fn form_of(&self, response: &Response) -> Result<&Questionnaire, FormProblem> {
        match response {
            Response::General(response) => self.get(&response.instrument_url, &response.instrument_version),
            Response::Dense(response) => {
                let (_, place) = self.by_entry.get(&response.instrument).ok_or(FormProblem::Missing)?;
                self.form_at(*place).ok_or(FormProblem::Unreadable)
            }
        }
    }

    /// What a response says.
    ///
    /// # Errors
    /// [`AnswersUnreadable`].
    pub fn answers_of(&self, response: &Response) -> Result<FormResponse, AnswersUnreadable> {
        self.read(response).map(|read| read.answers)
    }

    /// What a response says, and whether somebody must look at it.
    ///
    /// # Errors
    /// [`AnswersUnreadable`].
    pub(super) fn read(&self, response: &Response) -> Result<ReadAnswers, AnswersUnreadable> {
        match response {
            Response::General(response) => {
                let stored = FormResponse::parse_stored(&response.response).map_err(|_| AnswersUnreadable)?;
                Ok(ReadAnswers { answers: stored.content, given_twice: stored.doubt.is_some() })
            }
            Response::Dense(dense) => {
                let form = self.form_of(response).map_err(|_| AnswersUnreadable)?;
                let status = implied_status(dense.status);
                let answers = decode_answers(form, status, &dense.answers).map_err(|_| AnswersUnreadable)?;
                Ok(ReadAnswers { answers, given_twice: false })
            }
        }
    }

    /// The FHIR JSON of a response, byte for byte as its author's app wrote it.
    ///
    /// # Errors
    /// [`AnswersUnreadable`], for bound answers only: JSON is given as it is, whatever it says.
    pub fn json_of<'s>(&self, response: &'s Response) -> Result<Cow<'s, [u8]>, AnswersUnreadable> {
        match response {
            Response::General(response) => Ok(Cow::Borrowed(&response.response)),
            Response::Dense(_) => Ok(Cow::Owned(self.answers_of(response)?.to_json())),
        }
    }

    /// The newest title under an address; the address itself where there is none.
    pub fn title<'s>(&'s self, url: &'s str) -> &'s str {
        self.titles.get(url).map_or(url, String::as_str)
    }

    /// Entries that say something else than the first one under their address and version.
    pub fn contradictions(&self) -> &[EntryId] {
        &self.contradictions
    }
}

/// A questionnaire of the chart: what was published once can be read, whatever rule came later.
fn stored_form(json: &[u8]) -> Option<Questionnaire> {
    Questionnaire::parse_stored(json).ok().map(|stored| stored.content)
}
