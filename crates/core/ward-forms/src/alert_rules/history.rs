//! What one participant reported and missed: the input of the rules.

use super::reading::ItemReading;
use crate::eortc_qlq_c30::{ScoreMap, scores_of};
use crate::forest::Forest;
use crate::item_path::ItemPath;
use crate::item_score::whole_number;
use crate::pro_ctcae::{SymptomScore, symptom_instances};
use crate::questionnaire::Questionnaire;
use crate::response::{Answer, QuestionnaireResponse, ResponseItem};
use crate::score::Score;
use crate::skip_logic::enabled_nodes;
use std::sync::Arc;

/// A planned time of a questionnaire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occasion {
    /// For when it was planned, in milliseconds since 1970-01-01T00:00:00Z (or the time of answering,
    /// where nothing was planned). Series and rows go by it.
    pub planned_at_ms: i64,
    /// When it became known, in milliseconds since 1970-01-01T00:00:00Z: a report when it was given, a
    /// missed one when it counted as missed. Alerts bear this time.
    pub at_ms: i64,
    /// The planned time in words, such as `2026-03-01`: its name, unique for the questionnaire.
    pub occurrence: String,
    /// The address of the questionnaire, without version.
    pub instrument: String,
    /// Its title for people.
    pub title: String,
}

/// One version of the answers to a planned time.
#[derive(Debug, Clone)]
pub struct ReportVersion {
    pub(super) id: String,
    /// In which order it became known.
    pub(super) order: u64,
    pub(super) content: Result<Arc<Content>, Arc<str>>,
    /// Of answers whose form is not at hand, each question as it stands: a wish is heard all the same.
    pub(super) bare: Arc<[ItemReading]>,
}

/// What a version says.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// Each symptom, as often as a repeating group asks about it.
    pub(super) symptoms: Vec<SymptomScore>,
    pub(super) scores: Vec<Score>,
    pub(super) items: Vec<ItemReading>,
}

impl ReportVersion {
    /// Reads a response: its symptoms, the scores of a map that is about the form, and its single
    /// answers. `id` names the version, such as its entry.
    #[must_use]
    pub fn read(
        id: &str,
        form: &Questionnaire,
        response: &QuestionnaireResponse,
        map: Option<&ScoreMap>,
    ) -> Self {
        // Evaluated once for all that is read of it.
        let forest = Forest::new(form, response);
        let enabled = enabled_nodes(form, &forest);
        let content = Content {
            symptoms: symptom_instances(form, &forest, &enabled),
            scores: map
                .filter(|map| map.is_about(form))
                .map(|map| scores_of(map, form, &forest, &enabled))
                .unwrap_or_default(),
            items: items(&forest, &enabled),
        };
        Self { id: id.to_owned(), order: 0, content: Ok(Arc::new(content)), bare: Arc::default() }
    }

    /// A version that can't be read: rules can't be judged on it, and say so. `why` is a few words,
    /// such as "their questionnaire is not in the chart".
    #[must_use]
    pub fn unreadable(id: &str, why: &str) -> Self {
        Self { id: id.to_owned(), order: 0, content: Err(why.into()), bare: Arc::default() }
    }

    /// A version whose form is not at hand. Only wishes of the participant are judged on it.
    #[must_use]
    pub fn without_form(id: &str, response: &QuestionnaireResponse, why: &str) -> Self {
        let mut bare = Vec::new();
        response.items().iter().for_each(|item| gather(item, &mut bare));
        Self { bare: bare.into(), ..Self::unreadable(id, why) }
    }

    /// The same version, with its place in the order in which the reports became known. What got worse is then
    /// also judged against what was known at the time: a report that comes later and is about an earlier
    /// day takes back no alert.
    #[must_use]
    pub fn known_as(mut self, order: u64) -> Self {
        self.order = order;
        self
    }

    /// The grade of a symptom, of several places the worst; `None` where nobody knows it.
    #[must_use]
    pub fn grade(&self, symptom: &str) -> Option<u8> {
        let own = self.content.iter().flat_map(|content| &content.symptoms);
        own.filter(|one| one.symptom == symptom).filter_map(|one| one.grade).max()
    }

    /// The name of the version.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What was reported for one planned time. One version is the rule; several hold at once and nobody
/// has chosen. Without a version it is left out.
#[derive(Debug, Clone)]
pub struct Report {
    /// The planned time.
    pub occasion: Occasion,
    /// The versions that hold.
    pub versions: Vec<ReportVersion>,
}

/// What one participant reported and missed.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Who, by a pseudonym.
    pub participant: String,
    /// The reports, in any order. Several for one planned time count as versions of one.
    pub reports: Vec<Report>,
    /// The planned times that were expected and missed, in any order. They count as missed even where a
    /// report bears the name of one.
    pub missed: Vec<Occasion>,
}

/// A planned time with every version that answers it.
pub(super) struct Answered<'h> {
    pub(super) occasion: &'h Occasion,
    pub(super) versions: Vec<&'h ReportVersion>,
}

impl History {
    /// The answered planned times in order, each once, its versions by name.
    pub(super) fn answered(&self) -> Vec<Answered<'_>> {
        let mut answered: Vec<Answered<'_>> = Vec::new();
        let mut reports: Vec<&Report> =
            self.reports.iter().filter(|report| !report.versions.is_empty()).collect();
        let name = |occasion: &Occasion| (occasion.instrument.clone(), occasion.occurrence.clone());
        reports.sort_by_cached_key(|report| (name(&report.occasion), report.occasion.clone()));
        for report in reports {
            match answered.last_mut() {
                Some(last) if name(last.occasion) == name(&report.occasion) => {
                    last.versions.extend(&report.versions);
                }
                _ => answered.push(Answered {
                    occasion: &report.occasion,
                    versions: report.versions.iter().collect(),
                }),
            }
        }
        for one in &mut answered {
            one.versions.sort_by(|left, right| left.id.cmp(&right.id));
            // A version that is given twice holds once.
            one.versions.dedup_by(|left, right| left.id == right.id);
        }
        answered.sort_by(|left, right| left.occasion.cmp(right.occasion));
        answered
    }
}

fn gather(item: &ResponseItem, out: &mut Vec<ItemReading>) {
    let values: Vec<_> =
        item.answers().iter().filter_map(Answer::value).map(|one| (one.clone(), None)).collect();
    if !values.is_empty() {
        out.push(ItemReading { path: ItemPath::top(item.link_id()), text: None, values });
    }
    let nested = item.answers().iter().flat_map(Answer::items);
    item.items().iter().chain(nested).for_each(|inner| gather(inner, out));
}

fn items(forest: &Forest<'_>, enabled: &[bool]) -> Vec<ItemReading> {
    let on = forest.nodes.iter().enumerate().filter(|(id, node)| {
        enabled.get(*id).copied().unwrap_or(false) && node.item.item_type.takes_answers()
    });
    on.map(|(id, node)| ItemReading {
        path: forest.path(id),
        text: node.item.text.clone(),
        values: node.values().map(|value| (value.clone(), whole_number(node.item, value))).collect(),
    })
    .collect()
}
