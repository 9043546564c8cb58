//! The item library as a map: which symptoms there are and what is asked about each.
//!
//! Source: the PRO-CTCAE item library 1.0 of the United States National Cancer Institute (80
//! symptoms, 124 items). Only the structure is here, in `library.txt`; the names are Ward's own.
//!
//! Items are often named `PROCTCAE_<symptom>A_SCL`: the number of the symptom, the letter of the
//! item, and `SCL` for a score of 0 to 4 or `IND` for yes or no. [`LibraryItem::parse`] reads that.

use super::{Attribute, CompositeShape, composite_grade};

const LIBRARY: &str = include_str!("library.txt");

/// The letters of a symptom's items, in their order.
const LETTERS: [char; 3] = ['A', 'B', 'C'];

/// One symptom of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibrarySymptom {
    number: u8,
    name: &'static str,
    attributes: Vec<Attribute>,
}

impl LibrarySymptom {
    /// Its number, 1 to 80.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Ward's short name for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is asked, in the order of its items.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Its items, in their order.
    pub fn items(&self) -> impl Iterator<Item = LibraryItem> {
        let symptom = self.number;
        let letters = self.attributes.iter().zip(LETTERS);
        letters.map(move |(attribute, letter)| LibraryItem { symptom, letter, attribute: *attribute })
    }

    /// How it is graded; `None` for symptoms of which only the presence is asked.
    #[must_use]
    pub fn shape(&self) -> Option<CompositeShape> {
        CompositeShape::of(&self.attributes)
    }

    /// Its composite grade for these scores, in the order of its items.
    #[must_use]
    pub fn grade(&self, scores: &[Option<u8>]) -> Option<u8> {
        composite_grade(self.shape()?, scores)
    }
}

/// One item of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LibraryItem {
    symptom: u8,
    letter: char,
    attribute: Attribute,
}

impl LibraryItem {
    /// The item with this name, such as `PROCTCAE_9B_SCL`. `None` for a name that the library does
    /// not have, also where the ending does not fit the item.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (place, _) = name.strip_prefix("PROCTCAE_")?.split_once('_')?;
        let letter = place.chars().last()?;
        let symptom = library_symptom(place.strip_suffix(letter)?.parse().ok()?)?;
        let item = symptom.items().find(|item| item.letter == letter)?;
        (item.name() == name).then_some(item)
    }

    /// The number of its symptom.
    #[must_use]
    pub fn symptom(&self) -> u8 {
        self.symptom
    }

    /// What it asks.
    #[must_use]
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// Its usual name in data sets.
    #[must_use]
    pub fn name(&self) -> String {
        let ending = if self.attribute == Attribute::Presence { "IND" } else { "SCL" };
        format!("PROCTCAE_{}{}_{ending}", self.symptom, self.letter)
    }
}

/// Every symptom of the library, by number.
pub fn library() -> impl Iterator<Item = LibrarySymptom> {
    LIBRARY.lines().filter(|line| !line.starts_with('#')).filter_map(read_line)
}

/// The symptom with this number.
#[must_use]
pub fn library_symptom(number: u8) -> Option<LibrarySymptom> {
    library().find(|symptom| symptom.number == number)
}

fn read_line(line: &'static str) -> Option<LibrarySymptom> {
    let mut words = line.split_whitespace();
    let (number, name, letters) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let attributes = letters.chars().map(|letter| {
        Some(match letter {
            'F' => Attribute::Frequency,
            'S' => Attribute::Severity,
            'I' => Attribute::Interference,
            'P' => Attribute::Presence,
            'A' => Attribute::Amount,
            _ => return None,
        })
    });
    Some(LibrarySymptom { number, name, attributes: attributes.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_library_has_80_symptoms_and_124_items() {
        let all: Vec<_> = library().collect();
        assert_eq!(all.iter().map(LibrarySymptom::number).collect::<Vec<_>>(), (1..=80).collect::<Vec<_>>());
        assert_eq!(all.iter().map(|symptom| symptom.items().count()).sum::<usize>(), 124);
        assert_eq!(all.iter().map(LibrarySymptom::name).collect::<BTreeSet<_>>().len(), 80);
        let lines = LIBRARY.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, 80, "every line was read");
    }

    #[test]
    fn only_presence_has_no_grade() {
        for symptom in library() {
            let is_presence = symptom.attributes() == [Attribute::Presence];
            assert_eq!(symptom.shape().is_none(), is_presence, "{}", symptom.name());
            let worst: Vec<_> = symptom.attributes().iter().map(|one| Some(one.max_score())).collect();
            let grade = symptom.grade(&worst);
            assert_eq!(grade.is_none(), is_presence, "{}", symptom.name());
            assert!(grade.is_none_or(|grade| (2..=3).contains(&grade)), "{}", symptom.name());
        }
    }

    #[test]
    fn items_are_found_by_name() {
        for item in library().flat_map(|symptom| symptom.items().collect::<Vec<_>>()) {
            assert_eq!(LibraryItem::parse(&item.name()), Some(item));
        }
        assert_eq!(
            LibraryItem::parse("PROCTCAE_9B_SCL").map(|item| item.attribute()),
            Some(Attribute::Severity)
        );
        for wrong in [
            "PROCTCAE_9B_IND",
            "PROCTCAE_9C_SCL",
            "PROCTCAE_81A_SCL",
            "PROCTCAE_09A_SCL",
            "9B",
            "",
            "PROCTCAE__SCL",
        ] {
            assert_eq!(LibraryItem::parse(wrong), None, "{wrong}");
        }
    }
}
