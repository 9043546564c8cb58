//! The composite grade of a symptom, 0 to 3, from its attribute scores.
//!
//! Source: Basch et al., Clinical Trials 2021;18(1):104-114 (179 combinations of
//! attribute scores, each mapped to a grade by consensus). The rows stand in
//! `composite-grades.txt`.

use crate::pro_ctcae::Attribute;

const GRADES: &str = include_str!("composite-grades.txt");

/// Which attributes of a symptom are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CompositeShape {
    /// Frequency alone.
    F,
    /// Severity alone.
    S,
    /// Interference alone, or the amount alone, which is graded alike.
    I,
    /// Frequency and severity.
    Fs,
    /// Frequency and interference.
    Fi,
    /// Severity and interference.
    Si,
    /// Frequency, severity and interference.
    Fsi,
}

impl CompositeShape {
    /// Every shape, with its name in the table and its attributes in order.
    pub const ALL: [(Self, &'static str, &'static [Attribute]); 7] = [
        (Self::F, "F", &[Attribute::Frequency]),
        (Self::S, "S", &[Attribute::Severity]),
        (Self::I, "I", &[Attribute::Interference]),
        (Self::Fs, "FS", &[Attribute::Frequency, Attribute::Severity]),
        (Self::Fi, "FI", &[Attribute::Frequency, Attribute::Interference]),
        (Self::Si, "SI", &[Attribute::Severity, Attribute::Interference]),
        (Self::Fsi, "FSI", &[Attribute::Frequency, Attribute::Severity, Attribute::Interference]),
    ];

    /// The shape of a symptom asked by these attributes, which must be in order.
    /// `None` when there is no composite grade for them, as for presence.
    #[must_use]
    pub fn of(attributes: &[Attribute]) -> Option<Self> {
        if attributes == [Attribute::Amount] {
            return Some(Self::I);
        }
        Self::ALL.iter().find(|(_, _, own)| *own == attributes).map(|(shape, _, _)| *shape)
    }

    /// The attributes, in order.
    #[must_use]
    pub fn attributes(self) -> &'static [Attribute] {
        Self::ALL.iter().find(|(shape, _, _)| *shape == self).map_or(&[], |(_, _, own)| *own)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(shape, _, _)| *shape == self).map_or("", |(_, name, _)| *name)
    }
}

/// The composite grade for the scores of a symptom, in the shape's order.
///
/// A first score of 0 gives grade 0, whatever follows: the questions after it are
/// then not asked. Otherwise a missing score gives no grade; missing is not zero.
///
/// ```
/// use ward_forms::pro_ctcae::{CompositeShape, composite_grade};
///
/// assert_eq!(composite_grade(CompositeShape::Fs, &[Some(3), Some(2)]), Some(2));
/// assert_eq!(composite_grade(CompositeShape::Fs, &[Some(0), None]), Some(0));
/// assert_eq!(composite_grade(CompositeShape::Fs, &[Some(3), None]), None);
/// ```
#[must_use]
pub fn composite_grade(shape: CompositeShape, scores: &[Option<u8>]) -> Option<u8> {
    if scores.len() != shape.attributes().len() {
        return None;
    }
    let first = scores.first().copied().flatten()?;
    if first == 0 {
        return Some(0);
    }
    let scores: Option<Vec<u8>> = scores.iter().copied().collect();
    look_up(shape, &scores?)
}

/// The lowest and the highest grade that the scores still allow, whatever the missing ones are; both
/// are the grade where nothing that matters is missing. `None` when a score is out of range or their
/// number is another.
///
/// Missing scores are taken as 0 and as 4: the table never falls when a score rises.
///
/// ```
/// use ward_forms::pro_ctcae::{CompositeShape, grade_bounds};
///
/// assert_eq!(grade_bounds(CompositeShape::Si, &[Some(4), None]), Some((2, 3)));
/// assert_eq!(grade_bounds(CompositeShape::Si, &[Some(0), None]), Some((0, 0)));
/// ```
#[must_use]
pub fn grade_bounds(shape: CompositeShape, scores: &[Option<u8>]) -> Option<(u8, u8)> {
    let filled = |with: u8| -> Vec<Option<u8>> { scores.iter().map(|score| score.or(Some(with))).collect() };
    let highest_score = Attribute::Severity.max_score();
    Some((composite_grade(shape, &filled(0))?, composite_grade(shape, &filled(highest_score))?))
}

/// The digit in the table: the row is named by the shape and all scores but the
/// last, the last score is the column.
fn look_up(shape: CompositeShape, scores: &[u8]) -> Option<u8> {
    let (column, row) = scores.split_last()?;
    GRADES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut words = line.split_whitespace();
            let is_shape = words.next()? == shape.name();
            let (digits, named) = words.clone().collect::<Vec<_>>().split_last().map(|(digits, named)| {
                (*digits, named.iter().map(|word| word.parse::<u8>()).collect::<Result<Vec<_>, _>>())
            })?;
            (is_shape && named.as_deref() == Ok(row)).then_some(digits)
        })?
        .chars()
        .nth(usize::from(*column))?
        .to_digit(10)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination a person can give: after a first score of 0 nothing is
    /// asked, so it stands for one combination.
    fn combinations(shape: CompositeShape) -> Vec<Vec<u8>> {
        let mut all = vec![vec![]];
        for _ in shape.attributes() {
            all = all
                .into_iter()
                .flat_map(|scores: Vec<u8>| {
                    let open = scores.first() != Some(&0);
                    (0..=4)
                        .filter(move |score| open || *score == 0)
                        .map(move |score| [scores.as_slice(), &[score]].concat())
                })
                .collect();
        }
        all
    }

    #[test]
    fn all_179_combinations_have_a_grade_in_the_table() {
        let expected = [5, 5, 5, 21, 21, 21, 101];
        let mut total = 0;
        for ((shape, name, _), count) in CompositeShape::ALL.into_iter().zip(expected) {
            let all = combinations(shape);
            assert_eq!(all.len(), count, "{name}");
            for scores in &all {
                let grade = look_up(shape, scores);
                assert!(grade.is_some_and(|grade| grade <= 3), "{name} {scores:?}");
                assert_eq!(
                    grade,
                    composite_grade(shape, &scores.iter().copied().map(Some).collect::<Vec<_>>())
                );
            }
            total += all.len();
        }
        assert_eq!(total, 179);
        let digits: usize = GRADES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().last())
            .map(str::len)
            .sum();
        assert_eq!(digits, 179, "the table holds nothing else");
    }

    #[test]
    fn a_higher_score_never_lowers_the_grade() {
        for (shape, name, _) in CompositeShape::ALL {
            for scores in combinations(shape) {
                for place in 0..scores.len() {
                    let mut higher = scores.clone();
                    higher[place] += 1;
                    let of = |scores: &[u8]| {
                        composite_grade(shape, &scores.iter().copied().map(Some).collect::<Vec<_>>())
                    };
                    if higher[place] <= 4 {
                        assert!(of(&higher) >= of(&scores), "{name} {scores:?} {higher:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn bounds_hold_every_grade_that_the_missing_scores_allow() {
        for (shape, name, attributes) in CompositeShape::ALL {
            let places = attributes.len();
            for full in combinations(shape) {
                for mask in 0..(1_usize << places) {
                    let known: Vec<Option<u8>> =
                        (0..places).map(|place| (mask & (1 << place) == 0).then(|| full[place])).collect();
                    let grade = look_up(shape, &full).unwrap();
                    let (low, high) = grade_bounds(shape, &known).unwrap();
                    assert!(low <= grade && grade <= high, "{name} {full:?} {known:?}");
                    if let Some(said) = composite_grade(shape, &known) {
                        assert_eq!((low, high), (said, said), "{name} {known:?}");
                    }
                }
            }
        }
        assert_eq!(grade_bounds(CompositeShape::S, &[None]), Some((0, 3)));
        assert_eq!(grade_bounds(CompositeShape::Fsi, &[Some(4), Some(4), None]), Some((2, 3)));
        assert_eq!(grade_bounds(CompositeShape::S, &[Some(9)]), None);
        assert_eq!(grade_bounds(CompositeShape::S, &[]), None);
    }

    #[test]
    fn an_amount_is_graded_like_interference() {
        assert_eq!(CompositeShape::of(&[Attribute::Amount]), Some(CompositeShape::I));
        assert_eq!(CompositeShape::of(&[Attribute::Presence]), None);
        assert_eq!(CompositeShape::of(&[Attribute::Severity, Attribute::Amount]), None);
    }

    #[test]
    fn missing_is_not_zero() {
        use CompositeShape::{Fsi, S};
        assert_eq!(composite_grade(S, &[None]), None);
        assert_eq!(composite_grade(Fsi, &[Some(0), None, None]), Some(0));
        assert_eq!(composite_grade(Fsi, &[None, Some(0), Some(0)]), None);
        assert_eq!(composite_grade(Fsi, &[Some(2), None, Some(3)]), None);
        assert_eq!(composite_grade(Fsi, &[Some(2), Some(3), None]), None);
        assert_eq!(composite_grade(Fsi, &[Some(2), Some(3)]), None);
        assert_eq!(composite_grade(Fsi, &[Some(5), Some(3), Some(1)]), None);
        assert_eq!(composite_grade(Fsi, &[Some(4), Some(3), Some(5)]), None);
    }
}
