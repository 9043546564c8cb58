//! Answers that were begun and not finished: found again on another day, after a new version of the
//! questionnaire, when nothing waits for them any more, and when the questionnaire is gone.

use super::asked_time::ask_line;
use super::time_standing::{TimeStanding, time_standing};
use crate::exit::{Done, Failure, Kind};
use crate::home::from_client;
use crate::print::Out;
use serde_json::json;
use std::io::{BufRead, Write};
use ward_client::native::NativeClient;
use ward_client::views::ChartForms;
use ward_client::{DraftKey, OpenDraft};
use ward_forms::Questionnaire;
use ward_id::ChartId;
use ward_sync::{ChartView, Instrument};

/// The questionnaire to ask now: the newest assignment of the one that is named, or of the only one.
///
/// # Errors
/// When there is none, it is not clear which, or it cannot be read.
pub fn instrument_of(
    client: &NativeClient,
    chart: ChartId,
    url: Option<&str>,
) -> Result<(Instrument, Questionnaire), Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let mut current: Vec<_> = view.instruments().iter().flat_map(|thread| &thread.current).collect();
    // A later assignment of a questionnaire ends the earlier one.
    current.sort_by_key(|written| written.order());
    let wanted: Vec<&Instrument> = current
        .iter()
        .map(|written| written.value)
        .filter(|one| url.is_none_or(|url| one.url == url))
        .collect();
    let mut urls: Vec<&str> = wanted.iter().map(|one| one.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    let Some(instrument) = wanted.last() else {
        return Err(Failure::new(
            Kind::NotNow,
            "There is nothing to answer",
            "no questionnaire has reached this device",
            "run `ward sync`; if it stays, ask your site",
        ));
    };
    if urls.len() > 1 {
        return Err(Failure::new(
            Kind::Usage,
            "Which questionnaire?",
            urls.join(", "),
            "name one with --instrument",
        ));
    }
    let form = Questionnaire::parse(&instrument.questionnaire).map_err(|error| {
        Failure::input("The questionnaire cannot be read", error, "tell your site; it must publish it again")
    })?;
    Ok(((*instrument).clone(), form))
}

/// A version of a questionnaire, replaced ones among them; `None` where the chart does not hold it.
fn form_of(view: &ChartView<'_>, key: &DraftKey) -> Option<Questionnaire> {
    ChartForms::of(view).get(&key.instrument_url, &key.instrument_version).ok().cloned()
}

/// Which unfinished answers somebody at the terminal is asked about.
pub struct Wanted<'a> {
    /// The chart.
    pub chart: ChartId,
    /// The questionnaire that was named.
    pub url: Option<&'a str>,
    /// The time that was named.
    pub occurrence: Option<&'a str>,
    /// The answers that are asked for now; they go on without a question.
    pub now: Option<&'a DraftKey>,
}

/// Asks about all other unfinished answers that are wanted, oldest first. Gives the ones to go on with,
/// under their own time and version; `None` for those that are asked for now.
///
/// # Errors
/// When the terminal cannot be read or the store cannot be written.
pub async fn go_on_with(
    client: &mut NativeClient,
    wanted: &Wanted<'_>,
    out: &Out,
) -> Result<Option<(DraftKey, Questionnaire)>, Failure> {
    for draft in wanted.others(client.drafts()) {
        let standing = time_standing(client, &draft.key)?;
        let view = client.chart(draft.key.chart).map_err(from_client)?;
        let form = form_of(&view, &draft.key);
        let Some(form) = form else {
            out.line(format!(
                "Unfinished answers of {} belong to a questionnaire that is not here any more; `ward answer --drafts` lists them.",
                draft.key.occurrence
            ));
            continue;
        };
        let question = Question { words: &standing.words, is_over: standing.is_over };
        match question.ask(&mut std::io::stdin().lock(), &mut out.for_people())? {
            Wish::GoOn => return Ok(Some((draft.key, form))),
            Wish::Keep => {}
            Wish::Discard => client.drop_draft(&draft.key).await.map_err(from_client)?,
        }
    }
    Ok(None)
}

impl Wanted<'_> {
    /// Unfinished new answers besides those that are asked for now; oldest time first.
    fn others(&self, drafts: Vec<OpenDraft>) -> Vec<OpenDraft> {
        let mut out: Vec<OpenDraft> = drafts
            .into_iter()
            .filter(|draft| {
                let key = &draft.key;
                key.chart == self.chart
                    && self.url.is_none_or(|url| key.instrument_url == url)
                    && self.occurrence.is_none_or(|occurrence| key.occurrence == occurrence)
                    && key.amends.is_none()
                    && Some(key) != self.now
            })
            .collect();
        out.sort_by(|a, b| a.key.occurrence.cmp(&b.key.occurrence));
        out
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wish {
    GoOn,
    Keep,
    Discard,
}

/// What somebody is asked about unfinished answers.
struct Question<'a> {
    words: &'a str,
    /// Whether nobody waits for them any more: then Enter alone does not go on with them.
    is_over: bool,
}

impl Question<'_> {
    fn ask(&self, input: &mut impl BufRead, output: &mut impl Write) -> Result<Wish, Failure> {
        let (ways, by_enter) = if self.is_over {
            ("Enter keeps them as they are; 'g' goes on with them all the same", Wish::Keep)
        } else {
            ("Enter goes on with them; 'n' keeps them as they are", Wish::GoOn)
        };
        let words = self.words;
        let question =
            format!("You began answers and did not finish them: {words}.\n  {ways}; 'd' throws them away > ");
        loop {
            match ask_line(&question, input, output)?.trim().to_lowercase().as_str() {
                "" => return Ok(by_enter),
                "g" => return Ok(Wish::GoOn),
                "n" => return Ok(Wish::Keep),
                "d" => return Ok(Wish::Discard),
                _ => {}
            }
        }
    }
}

/// Lists unfinished answers, with those that nothing can be done with any more.
pub fn list_drafts(client: &NativeClient, chart: Option<ChartId>, out: &Out) {
    let drafts: Vec<OpenDraft> = client
        .drafts()
        .into_iter()
        .filter(|draft| chart.is_none_or(|chart| draft.key.chart == chart))
        .collect();
    if drafts.is_empty() {
        out.line("Nothing is unfinished.");
        out.document(&json!([]));
        return;
    }
    let has_form = |key: &DraftKey| {
        let view = client.chart(key.chart).ok();
        view.and_then(|view| form_of(&view, key)).is_some()
    };
    // Each takes a whole view of its chart: once for the table and the document.
    let known: Vec<(bool, Option<TimeStanding>)> =
        drafts.iter().map(|draft| (has_form(&draft.key), time_standing(client, &draft.key).ok())).collect();
    let rows: Vec<Vec<String>> = drafts
        .iter()
        .zip(&known)
        .map(|(OpenDraft { name, key }, (has_form, standing))| {
            let remark = match (key.amends, standing) {
                _ if !has_form => "its questionnaire is not here any more".to_owned(),
                (Some(entry), _) => format!("corrects {entry}"),
                (None, Some(standing)) => standing.words.clone(),
                (None, None) => String::new(),
            };
            let form = format!("{} {}", key.instrument_url, key.instrument_version);
            vec![name.clone(), key.occurrence.clone(), form, key.chart.to_string(), remark]
        })
        .collect();
    out.table(&["draft", "for", "questionnaire", "chart", ""], &rows);
    out.line("\n`ward answer --for WHEN` goes on with one, whatever became of its time; `ward answer --discard DRAFT` throws it away.");
    out.document(&json!(
        drafts
            .iter()
            .zip(&known)
            .map(|(OpenDraft { name, key }, (has_form, standing))| json!({"draft": name, "chart": key.chart,
                "instrument": key.instrument_url, "version": key.instrument_version,
                "occurrence": key.occurrence, "amends": key.amends, "questionnaire_here": has_form,
                "answered_already": standing.as_ref().and_then(|standing| standing.answered)}))
            .collect::<Vec<_>>()
    ));
}

/// Throws unfinished answers away.
///
/// # Errors
/// When there are none of that name, or the store cannot be written.
pub async fn discard(client: &mut NativeClient, name: &str, out: &Out) -> Done {
    let found = client.drafts().into_iter().find(|draft| draft.name == name).ok_or_else(|| {
        Failure::input(
            format!("Nothing unfinished is called {name}"),
            "it is mistyped, finished, or thrown away already",
            "look at `ward answer --drafts`",
        )
    })?;
    client.drop_draft(&found.key).await.map_err(from_client)?;
    out.both(
        format!("The unfinished answers of {} are thrown away.", found.key.occurrence),
        &json!({"draft": name, "discarded": true}),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(occurrence: &str, version: &str, amends: bool) -> OpenDraft {
        let key = DraftKey {
            chart: ChartId::from_bytes([1; 16]),
            instrument_url: "u".to_owned(),
            instrument_version: version.to_owned(),
            occurrence: occurrence.to_owned(),
            amends: amends.then(|| ward_id::EntryId::from_bytes([2; 32])),
        };
        OpenDraft { name: format!("{occurrence}-{version}"), key }
    }

    #[test]
    fn unfinished_answers_are_found_on_another_day_and_after_a_new_version() {
        let today = draft("2026-03-03", "2", false).key;
        let drafts = || {
            vec![
                draft("2026-03-03", "2", false),
                draft("2026-03-02", "2", false),
                draft("2026-03-01", "1", false),
                draft("2026-03-01", "2", true),
            ]
        };
        let names = |wanted: &Wanted<'_>| -> Vec<String> {
            wanted.others(drafts()).into_iter().map(|draft| draft.name).collect()
        };
        let wanted = Wanted { chart: today.chart, url: Some("u"), occurrence: None, now: Some(&today) };
        assert_eq!(names(&wanted), ["2026-03-01-1", "2026-03-02-2"], "a correction is not among them");
        // Where nothing is asked for, all that was begun is found.
        let nothing = Wanted { url: None, now: None, ..wanted };
        assert_eq!(names(&nothing), ["2026-03-01-1", "2026-03-02-2", "2026-03-03-2"]);
        let named = Wanted { occurrence: Some("2026-03-02"), ..nothing };
        assert_eq!(names(&named), ["2026-03-02-2"]);
        assert!(names(&Wanted { url: Some("other"), ..named }).is_empty());
    }

    #[test]
    fn the_person_goes_on_keeps_or_throws_away() {
        let wish = |is_over: bool, typed: &str| {
            let mut shown = Vec::new();
            let question = Question { words: "Diary for Monday 2 March 2026", is_over };
            let wish = question.ask(&mut typed.as_bytes(), &mut shown).unwrap();
            assert!(
                String::from_utf8(shown).unwrap().contains("finish them: Diary for Monday 2 March 2026.")
            );
            wish
        };
        assert_eq!(
            ["\n", "what\nn\n", "d\n", ""].map(|typed| wish(false, typed)),
            [Wish::GoOn, Wish::Keep, Wish::Discard, Wish::GoOn]
        );
        // Nobody waits for them any more: Enter alone sends nothing twice.
        assert_eq!(
            ["\n", "g\n", "d\n", ""].map(|typed| wish(true, typed)),
            [Wish::Keep, Wish::GoOn, Wish::Discard, Wish::Keep]
        );
    }
}
