//! The place of a question in a response: linkIds from the top, with the number
//! of the repetition at each level.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One step of an [`ItemPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// The item's linkId.
    pub link_id: String,
    /// For a group, which repetition (0 is the first). For a question with items
    /// nested under it, which of its answers. Otherwise 0.
    #[serde(default)]
    pub index: usize,
}

/// The place of an item in a response, from the top item down.
///
/// Written as `group[1]/question`; the number is left out when it is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemPath {
    steps: Vec<PathStep>,
}

impl ItemPath {
    /// The path of the whole document, which has no steps.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path from its steps, top first.
    #[must_use]
    pub fn from_steps(steps: Vec<PathStep>) -> Self {
        Self { steps }
    }

    /// The path of a top-level item.
    #[must_use]
    pub fn top(link_id: &str) -> Self {
        Self::root().child(link_id, 0)
    }

    /// This path extended by one step.
    #[must_use]
    pub fn child(&self, link_id: &str, index: usize) -> Self {
        let mut steps = self.steps.clone();
        steps.push(PathStep { link_id: link_id.to_owned(), index });
        Self { steps }
    }

    /// The steps, top first.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// The linkId of the item itself, if the path names one.
    #[must_use]
    pub fn link_id(&self) -> Option<&str> {
        self.steps.last().map(|step| step.link_id.as_str())
    }

    /// Whether this path lies below `other`: an item nested in its group, or
    /// under any of its answers.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        let Some((last, head)) = other.steps.split_last() else {
            return !self.steps.is_empty();
        };
        self.steps.len() > other.steps.len()
            && self.steps.starts_with(head)
            && self.steps.get(head.len()).is_some_and(|step| step.link_id == last.link_id)
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps.iter().enumerate() {
            if place > 0 {
                f.write_str("/")?;
            }
            f.write_str(&step.link_id)?;
            if step.index > 0 {
                write!(f, "[{}]", step.index)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_the_repetition_only_when_there_is_one() {
        let path = ItemPath::top("visit").child("drug", 2).child("dose", 0);
        assert_eq!(path.to_string(), "visit/drug[2]/dose");
        assert_eq!(path.link_id(), Some("dose"));
    }

    #[test]
    fn below_counts_nested_items_only() {
        let group = ItemPath::top("visit").child("drug", 2);
        assert!(group.child("dose", 0).is_below(&group));
        assert!(!group.is_below(&group));
        assert!(!ItemPath::top("visit").is_below(&group));
        assert!(group.is_below(&ItemPath::root()));
    }

    #[test]
    fn survives_serialisation() {
        let path = ItemPath::top("a").child("b", 3);
        let json = serde_json::to_string(&path).unwrap();
        assert_eq!(serde_json::from_str::<ItemPath>(&json).unwrap(), path);
    }
}
