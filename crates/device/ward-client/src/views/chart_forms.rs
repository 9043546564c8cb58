//! The questionnaires that a chart holds, by address and version.

use std::collections::BTreeMap;
use ward_forms::Questionnaire;
use ward_id::EntryId;
use ward_sync::{ChartView, Instrument, Written};

/// Why the questionnaire of a response cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormProblem {
    /// The chart does not hold that version.
    Missing,
    /// Its JSON cannot be read.
    Unreadable,
}

/// The questionnaires of a chart. Replaced versions stay: older answers name them.
///
/// A version of a questionnaire never changes. If several entries say different things under one
/// address and version, the first one holds and the others are listed as contradictions.
#[derive(Debug, Clone, Default)]
pub struct ChartForms {
    forms: BTreeMap<(String, String), Option<Questionnaire>>,
    titles: BTreeMap<String, String>,
    contradictions: Vec<EntryId>,
}

impl ChartForms {
    /// Reads all questionnaires of a chart.
    pub fn of(view: &ChartView<'_>) -> Self {
        let mut writes: Vec<&Written<'_, Instrument>> =
            view.instruments().iter().flat_map(|thread| thread.past.iter().chain(&thread.current)).collect();
        writes.sort_by_key(|written| written.order());
        let mut sources: BTreeMap<(&str, &str), &[u8]> = BTreeMap::new();
        let mut out = Self::default();
        for written in writes {
            let Instrument { url, version, questionnaire, .. } = written.value;
            if let Some(first) = sources.insert((url, version), questionnaire) {
                sources.insert((url, version), first);
                if first != questionnaire.as_slice() {
                    out.contradictions.push(written.id());
                }
                continue;
            }
            let form = Questionnaire::parse(questionnaire).ok();
            if let Some(title) = form.as_ref().and_then(Questionnaire::title) {
                out.titles.insert(url.clone(), title.to_owned());
            }
            out.forms.insert((url.clone(), version.clone()), form);
        }
        out
    }

    /// One questionnaire.
    ///
    /// # Errors
    /// [`FormProblem`].
    pub fn get(&self, url: &str, version: &str) -> Result<&Questionnaire, FormProblem> {
        let form = self.forms.get(&(url.to_owned(), version.to_owned())).ok_or(FormProblem::Missing)?;
        form.as_ref().ok_or(FormProblem::Unreadable)
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
