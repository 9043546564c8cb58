//! Answers without scores: no rule can be judged on them, so somebody must look.

use super::chart_forms::FormProblem;
use super::chart_reports::ChartReports;
use super::scores::ScoreProblem;
use super::unsettled_work::MAY_HIDE;
use super::wording::counted;
use super::work_item::{Desk, Raised, Urgency, known_at};

/// Answers without scores may hide a severe symptom: somebody must look.
pub(super) fn unscored_work(desk: &mut Desk<'_>, reports: &ChartReports<'_>) {
    let doubtful = reports.doubtful();
    let problems = [
        (
            ScoreProblem::Form(FormProblem::Missing),
            "unscored-form-missing",
            "their questionnaire is not in the chart",
        ),
        (ScoreProblem::Form(FormProblem::Unreadable), "unscored-form", "their questionnaire cannot be read"),
        (ScoreProblem::Answers, "unscored-answers", "they cannot be read"),
    ];
    for (problem, matter, why) in problems {
        let of_problem = doubtful.iter().filter(|report| report.problem == Some(problem));
        let raised = of_problem.map(|report| Raised {
            entry: report.written.id(),
            since: known_at(&report.written),
            detail: (),
        });
        let raised: Vec<_> = raised.collect();
        let reason = |count: usize| {
            let what = counted(count, "set of answers has", "sets of answers have");
            format!("{MAY_HIDE}{what} no scores: {why}")
        };
        // A questionnaire may come, and an app be updated; answers that cannot be read stay so.
        if matches!(problem, ScoreProblem::Form(_)) {
            let reason = reason(raised.len());
            desk.unanswerable(Urgency::Concern, matter, &raised, reason);
        } else {
            desk.recurring(Urgency::Concern, &[matter], raised, |raised| reason(raised.len()));
        }
    }
    let twice = doubtful.iter().filter(|report| report.problem == Some(ScoreProblem::GivenTwice));
    let raised: Vec<_> = twice.map(|report| Raised::of(&report.written)).collect();
    desk.recurring(Urgency::Unusable, &["answers-twice"], raised, |raised| {
        let what = counted(raised.len(), "set of answers gives", "sets of answers give");
        format!("{what} a field twice; the later one was read")
    });
}
