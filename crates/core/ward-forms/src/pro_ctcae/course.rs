//! A symptom over a study: where it began, how bad it got, and the baseline-adjusted grade.
//!
//! Source of the adjustment: Dueck et al., JAMA Oncology 2020;6(2):e193332, and Basch et al.,
//! Clinical Trials 2021;18(1):104-114. If the worst grade after the baseline is greater than the
//! grade at baseline, the adjusted grade is that worst grade; else it is 0.
//!
//! What Ward adds, because the rule says nothing of it:
//! - **Missing.** Without a grade at baseline, or without any grade after it, the adjusted grade is
//!   missing. Reports without a grade do not count as 0; they are counted apart
//!   ([`Course::without_grade`]), because the true worst grade may stand in one of them.
//! - **Contradictions.** Where several versions of a report hold at once, every choice between them is
//!   followed. If they all lead to the same value, that is the value; else it is missing, and
//!   [`Course::unsettled`] holds every value it could have.

use serde::Serialize;
use std::collections::BTreeSet;

/// One report of a symptom: the grade of each version that holds. One version is the rule; several
/// contradict each other and nobody has chosen. `None` is a version without a grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CourseReport {
    /// The planned time that it answers.
    pub occasion: String,
    /// The grades.
    pub grades: Vec<Option<u8>>,
}

impl CourseReport {
    /// A report of which one version holds.
    #[must_use]
    pub fn settled(occasion: &str, grade: Option<u8>) -> Self {
        Self { occasion: occasion.to_owned(), grades: vec![grade] }
    }

    fn choices(&self) -> BTreeSet<Option<u8>> {
        if self.grades.is_empty() { BTreeSet::from([None]) } else { self.grades.iter().copied().collect() }
    }
}

/// Why a value of a course is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CourseMissing {
    /// There is no report at baseline, or it has no grade.
    NoBaseline,
    /// No report after the baseline has a grade.
    NothingAfter,
    /// Versions contradict each other, and the value depends on which one holds.
    Unsettled,
}

/// A grade, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CourseValue {
    /// The grade.
    Grade(u8),
    /// Why there is none.
    Missing(CourseMissing),
}

impl CourseValue {
    /// The grade.
    #[must_use]
    pub fn grade(self) -> Option<u8> {
        match self {
            Self::Grade(grade) => Some(grade),
            Self::Missing(_) => None,
        }
    }
}

/// A symptom over a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Course {
    /// The planned time of the baseline report.
    pub baseline_occasion: Option<String>,
    /// The grade at baseline.
    pub baseline: CourseValue,
    /// The worst grade after the baseline.
    pub worst: CourseValue,
    /// The baseline-adjusted grade.
    pub adjusted: CourseValue,
    /// Reports after the baseline.
    pub reports: usize,
    /// Those of them of which no version has a grade, or some version has none.
    pub without_grade: usize,
    /// Where the adjusted grade is unsettled: every value that it could have (`null`: missing).
    pub unsettled: Vec<Option<u8>>,
}

/// The course of a symptom from the report that the study names as its baseline. The order of the
/// reports after it does not matter.
///
/// ```
/// use ward_forms::pro_ctcae::{CourseReport, course};
///
/// let at_start = CourseReport::settled("2026-03-01", Some(1));
/// let after = [CourseReport::settled("2026-03-08", Some(3)), CourseReport::settled("2026-03-15", None)];
/// let course = course(Some(&at_start), &after);
/// assert_eq!((course.worst.grade(), course.adjusted.grade()), (Some(3), Some(3)));
/// assert_eq!(course.without_grade, 1);
/// ```
#[must_use]
pub fn course(baseline: Option<&CourseReport>, after: &[CourseReport]) -> Course {
    let starts = baseline.map_or_else(|| BTreeSet::from([None]), CourseReport::choices);
    let mut worsts: BTreeSet<Option<u8>> = BTreeSet::from([None]);
    for report in after {
        let choices = report.choices();
        worsts = worsts.iter().flat_map(|worst| choices.iter().map(|grade| (*worst).max(*grade))).collect();
    }
    let adjusted: BTreeSet<Option<u8>> =
        starts.iter().flat_map(|start| worsts.iter().map(|worst| adjust(*start, *worst))).collect();
    let why = if starts.contains(&None) { CourseMissing::NoBaseline } else { CourseMissing::NothingAfter };
    let adjusted_value = value_of(&adjusted, why);
    let is_unsettled = adjusted_value == CourseValue::Missing(CourseMissing::Unsettled);
    Course {
        baseline_occasion: baseline.map(|report| report.occasion.clone()),
        baseline: value_of(&starts, CourseMissing::NoBaseline),
        worst: value_of(&worsts, CourseMissing::NothingAfter),
        adjusted: adjusted_value,
        reports: after.len(),
        without_grade: after.iter().filter(|report| report.choices().contains(&None)).count(),
        unsettled: if is_unsettled { adjusted.into_iter().collect() } else { Vec::new() },
    }
}

/// The course of a symptom where the study names no baseline: it is the first report of which some
/// version has a grade. Reports before it have no grade and belong to neither side. The reports must
/// be in the order of their planned times.
#[must_use]
pub fn course_from_first(reports: &[CourseReport]) -> Course {
    let has_grade = |report: &CourseReport| report.grades.iter().any(Option::is_some);
    let first = reports.iter().position(has_grade);
    let (baseline, after) = match first {
        Some(place) => (reports.get(place), reports.get(place + 1..).unwrap_or_default()),
        None => (None, &[][..]),
    };
    course(baseline, after)
}

/// The published rule.
fn adjust(start: Option<u8>, worst: Option<u8>) -> Option<u8> {
    let (start, worst) = (start?, worst?);
    Some(if worst > start { worst } else { 0 })
}

fn value_of(choices: &BTreeSet<Option<u8>>, why: CourseMissing) -> CourseValue {
    match (choices.len(), choices.first()) {
        (1, Some(Some(grade))) => CourseValue::Grade(*grade),
        (1, _) => CourseValue::Missing(why),
        _ => CourseValue::Missing(CourseMissing::Unsettled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(grades: &[Option<u8>]) -> Vec<CourseReport> {
        grades.iter().map(|grade| CourseReport::settled("later", *grade)).collect()
    }

    fn adjusted(start: Option<u8>, grades: &[Option<u8>]) -> CourseValue {
        course(Some(&CourseReport::settled("start", start)), &after(grades)).adjusted
    }

    #[test]
    fn only_what_is_worse_than_the_start_counts() {
        use CourseValue::Grade;
        assert_eq!(adjusted(Some(0), &[Some(0), Some(2)]), Grade(2));
        assert_eq!(adjusted(Some(1), &[Some(3), Some(2)]), Grade(3));
        assert_eq!(adjusted(Some(2), &[Some(2), Some(1)]), Grade(0));
        assert_eq!(adjusted(Some(3), &[Some(3)]), Grade(0));
        assert_eq!(adjusted(Some(0), &[Some(0)]), Grade(0));
        assert_eq!(adjusted(Some(1), &[None, Some(2), None]), Grade(2));
    }

    #[test]
    fn without_a_start_or_anything_after_it_is_missing() {
        use CourseMissing::{NoBaseline, NothingAfter};
        use CourseValue::Missing;
        assert_eq!(adjusted(None, &[Some(3)]), Missing(NoBaseline));
        assert_eq!(adjusted(Some(1), &[]), Missing(NothingAfter));
        assert_eq!(adjusted(Some(1), &[None, None]), Missing(NothingAfter));
        assert_eq!(course(None, &after(&[Some(3)])).adjusted, Missing(NoBaseline));
        let empty = CourseReport { occasion: "start".into(), grades: vec![] };
        assert_eq!(course(Some(&empty), &after(&[Some(3)])).adjusted, Missing(NoBaseline));
    }

    #[test]
    fn a_contradiction_that_changes_nothing_is_no_matter() {
        let start = CourseReport { occasion: "start".into(), grades: vec![Some(0), Some(1)] };
        let course = course(Some(&start), &after(&[Some(3)]));
        assert_eq!(course.adjusted, CourseValue::Grade(3));
        assert_eq!(course.baseline, CourseValue::Missing(CourseMissing::Unsettled));
        assert!(course.unsettled.is_empty());
    }

    #[test]
    fn a_contradiction_that_matters_is_not_settled_here() {
        let report = CourseReport { occasion: "later".into(), grades: vec![Some(1), Some(3)] };
        let course = course(Some(&CourseReport::settled("start", Some(2))), &[report]);
        assert_eq!(course.adjusted, CourseValue::Missing(CourseMissing::Unsettled));
        assert_eq!(course.unsettled, [Some(0), Some(3)]);
    }

    #[test]
    fn the_first_report_with_a_grade_is_the_start_where_none_is_named() {
        let mut reports = after(&[None, Some(1), Some(0), Some(2)]);
        reports[1].occasion = "2026-03-02".into();
        let course = course_from_first(&reports);
        assert_eq!(course.baseline_occasion.as_deref(), Some("2026-03-02"));
        assert_eq!((course.baseline, course.adjusted), (CourseValue::Grade(1), CourseValue::Grade(2)));
        assert_eq!(course.reports, 2);
        assert_eq!(
            course_from_first(&after(&[None])).adjusted,
            CourseValue::Missing(CourseMissing::NoBaseline)
        );
    }
}
