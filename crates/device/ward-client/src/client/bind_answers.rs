//! Answers take a tenth of their bytes when they are bound to the entry with their questionnaire.
//! Whether they can be is decided when they are captured: only if they come back byte for byte.

use crate::views::implied_status;
use ward_forms::{Questionnaire, QuestionnaireResponse as FormResponse, encode_answers};
use ward_sync::{ChartView, DenseResponse, Draft, Payload, QuestionnaireResponse, Response};

/// The draft with its answers bound to an instrument of the chart, where that loses nothing.
pub(super) fn bound(draft: Draft, view: &ChartView<'_>) -> Draft {
    let Payload::Response(Response::General(general)) = &draft.payload else { return draft };
    match dense(general, view) {
        Some(dense) => Draft { payload: dense.into(), ..draft },
        None => draft,
    }
}

fn dense(general: &QuestionnaireResponse, view: &ChartView<'_>) -> Option<DenseResponse> {
    let writes = view.instruments().iter().flat_map(|thread| thread.past.iter().chain(&thread.current));
    let of_name = writes.filter(|written| {
        let instrument = written.value;
        (&instrument.url, &instrument.version) == (&general.instrument_url, &general.instrument_version)
    });
    // The first of several, as everywhere: a version never changes.
    let instrument = of_name.min_by_key(|written| written.order())?;
    let form = Questionnaire::parse(&instrument.value.questionnaire).ok()?;
    let response = FormResponse::parse(&general.response).ok()?;
    if response.to_json() != general.response {
        // Blanks, or numbers such as 1.50: the author's own spelling stays.
        return None;
    }
    Some(DenseResponse {
        instrument: instrument.id(),
        occurrence: general.occurrence.clone(),
        status: general.status,
        answered_by: general.answered_by,
        answers: encode_answers(&form, implied_status(general.status), &response)?,
    })
}
