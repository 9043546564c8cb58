//! The composite grade of a symptom, 0 to 3, from its attribute scores.
//!
//! Source: Basch et al., Clinical Trials 2021;18(1):104-114 (179 combinations of
//! attribute scores, each mapped to a grade by consensus). The rows stand in
//! `composite-grades.txt`.

use crate::pro_ctcae::Attribute;

const TABLE: &str = include_str!("composite-grades.txt");

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

    /// The letters of its name in the table, each a bit.
    const fn letters(self) -> usize {
        match self {
            Self::F => letter(b'F'),
            Self::S => letter(b'S'),
            Self::I => letter(b'I'),
            Self::Fs => letter(b'F') | letter(b'S'),
            Self::Fi => letter(b'F') | letter(b'I'),
            Self::Si => letter(b'S') | letter(b'I'),
            Self::Fsi => letter(b'F') | letter(b'S') | letter(b'I'),
        }
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
    graded(shape, scores.iter().copied())
}

/// The grade for scores that are as many as the shape has.
fn graded(shape: CompositeShape, scores: impl Iterator<Item = Option<u8>>) -> Option<u8> {
    let mut scores = scores.peekable();
    if *scores.peek()? == Some(0) {
        return Some(0);
    }
    let cell = scores.try_fold(0, |cell, score| {
        score.filter(|score| usize::from(*score) < SCORES).map(|score| cell * SCORES + usize::from(score))
    })?;
    let grade = *GRADES.get(shape.letters())?.get(cell)?;
    (grade != NO_GRADE).then_some(grade)
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
    if scores.len() != shape.attributes().len() {
        return None;
    }
    let filled = |with: u8| graded(shape, scores.iter().map(move |score| score.or(Some(with))));
    Some((filled(0)?, filled(Attribute::Severity.max_score())?))
}

/// Scores from 0 to 4.
const SCORES: usize = 5;
/// Rows for every set of the letters F, S and I.
const SHAPES: usize = 8;
/// Combinations of three scores; shapes with fewer use the first ones.
const CELLS: usize = SCORES * SCORES * SCORES;
/// What stands where the table has no grade.
const NO_GRADE: u8 = u8::MAX;

/// The table, by the letters of the shape and by the scores as the digits of a number.
static GRADES: [[u8; CELLS]; SHAPES] = read_table(TABLE.as_bytes());

/// Reads the table while the program is built. A line names the shape, then all scores but the last one,
/// then a grade for each last score.
#[expect(
    clippy::indexing_slicing,
    reason = "it runs while the program is built: a fault in the table ends that"
)]
const fn read_table(text: &[u8]) -> [[u8; CELLS]; SHAPES] {
    let mut out = [[NO_GRADE; CELLS]; SHAPES];
    let mut at = 0;
    while at < text.len() {
        let (mut letters, mut row, is_note) = (0, 0, text[at] == b'#');
        // The digits of the word at hand, and where they begin.
        let mut word = at;
        while at < text.len() && text[at] != b'\n' {
            if !is_note {
                letters |= letter(text[at]);
                if text[at] == b' ' {
                    if text[word].is_ascii_digit() {
                        row = row * SCORES + (text[word] - b'0') as usize;
                    }
                    word = at + 1;
                }
            }
            at += 1;
        }
        let mut column = 0;
        while !is_note && word + column < at {
            out[letters][row * SCORES + column] = text[word + column] - b'0';
            column += 1;
        }
        at += 1;
    }
    out
}

/// The bit of a letter of a shape.
const fn letter(byte: u8) -> usize {
    match byte {
        b'F' => 1,
        b'S' => 2,
        b'I' => 4,
        _ => 0,
    }
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

    /// The digit in the text of the table, found by its line.
    fn in_text(name: &str, scores: &[u8]) -> Option<u8> {
        let (column, row) = scores.split_last()?;
        let named: Vec<String> =
            std::iter::once(name.to_owned()).chain(row.iter().map(u8::to_string)).collect();
        let line = TABLE.lines().find(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.split_last().is_some_and(|(_, words)| words == named)
        })?;
        let digits = line.split_whitespace().last()?;
        u8::try_from(digits.chars().nth(usize::from(*column))?.to_digit(10)?).ok()
    }

    #[test]
    fn all_179_combinations_have_a_grade_in_the_table() {
        let expected = [5, 5, 5, 21, 21, 21, 101];
        let mut total = 0;
        for ((shape, name, _), count) in CompositeShape::ALL.into_iter().zip(expected) {
            let all = combinations(shape);
            assert_eq!(all.len(), count, "{name}");
            for scores in &all {
                let grade = in_text(name, scores);
                assert!(grade.is_some_and(|grade| grade <= 3), "{name} {scores:?}");
                assert_eq!(
                    grade,
                    composite_grade(shape, &scores.iter().copied().map(Some).collect::<Vec<_>>())
                );
            }
            total += all.len();
        }
        assert_eq!(total, 179);
        let digits: usize = TABLE
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
                    let grade = in_text(name, &full).unwrap();
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
