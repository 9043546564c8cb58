//! Selectors: which labels they mean.

use super::objects::{as_block, as_text};
use crate::graph::{Attribute, Block};

/// Whether something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// That is not known.
    Maybe,
}

impl Match {
    /// Both.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }

    const fn turned(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
        }
    }
}

impl From<bool> for Match {
    fn from(is_meant: bool) -> Self {
        if is_meant { Self::Yes } else { Self::No }
    }
}

/// Whether a selector with `matchLabels` and `matchExpressions` means these labels. An empty one
/// means all.
pub(super) fn means(selector: Option<&Attribute>, labels: Option<&Attribute>) -> Match {
    let selector = match selector {
        None | Some(Attribute::Null) => return Match::Yes,
        Some(Attribute::Block(selector)) => selector,
        Some(_) => return Match::Maybe,
    };
    let by_labels = match selector.get("matchLabels") {
        None | Some(Attribute::Null) => Match::Yes,
        Some(Attribute::Block(wanted)) => has_all(wanted, labels),
        Some(_) => Match::Maybe,
    };
    match selector.get("matchExpressions") {
        None | Some(Attribute::Null) => by_labels,
        Some(Attribute::List(expressions)) => {
            expressions.iter().fold(by_labels, |so_far, expression| so_far.and(stands(expression, labels)))
        }
        Some(_) => by_labels.and(Match::Maybe),
    }
}

/// Whether labels have each of the wanted ones.
pub(super) fn has_all(wanted: &Block, labels: Option<&Attribute>) -> Match {
    wanted.entries().fold(Match::Yes, |so_far, (key, value)| {
        so_far.and(as_text(value).map_or(Match::Maybe, |value| is_one_of(labels, key, &[value])))
    })
}

fn stands(expression: &Attribute, labels: Option<&Attribute>) -> Match {
    let Some(expression) = as_block(expression) else { return Match::Maybe };
    let text = |name: &str| expression.get(name).and_then(as_text);
    let values: Option<Vec<&str>> = match expression.get("values") {
        None | Some(Attribute::Null) => Some(Vec::new()),
        Some(Attribute::List(values)) => values.iter().map(as_text).collect(),
        Some(_) => None,
    };
    let (Some(key), Some(values)) = (text("key"), values) else { return Match::Maybe };
    match text("operator") {
        Some("In") => is_one_of(labels, key, &values),
        // What has no such label is not among the values either.
        Some("NotIn") => is_one_of(labels, key, &values).turned(),
        Some("Exists") => exists(labels, key),
        Some("DoesNotExist") => exists(labels, key).turned(),
        _ => Match::Maybe,
    }
}

fn is_one_of(labels: Option<&Attribute>, key: &str, values: &[&str]) -> Match {
    match labels {
        None | Some(Attribute::Null) => Match::No,
        Some(Attribute::Block(labels)) => match labels.get(key) {
            None | Some(Attribute::Null) => Match::No,
            Some(Attribute::Text(value)) => values.contains(&&**value).into(),
            Some(_) => Match::Maybe,
        },
        Some(_) => Match::Maybe,
    }
}

fn exists(labels: Option<&Attribute>, key: &str) -> Match {
    match labels {
        None | Some(Attribute::Null) => Match::No,
        Some(Attribute::Block(labels)) => labels.get(key).is_some().into(),
        Some(_) => Match::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    fn read(text: &str) -> Attribute {
        read_yaml(text).unwrap()[0].to_attribute().unwrap()
    }

    #[test]
    fn selectors_mean_labels() {
        let labels = read("{app: web, tier: front}");
        for (selector, meant) in [
            ("{}", Match::Yes),
            ("null", Match::Yes),
            ("{matchLabels: {app: web}}", Match::Yes),
            ("{matchLabels: {app: web, tier: back}}", Match::No),
            ("{matchLabels: {app: 1}}", Match::Maybe),
            ("{matchExpressions: [{key: app, operator: In, values: [a, web]}]}", Match::Yes),
            ("{matchExpressions: [{key: gone, operator: NotIn, values: [a]}]}", Match::Yes),
            ("{matchExpressions: [{key: app, operator: DoesNotExist}]}", Match::No),
            ("{matchExpressions: [{key: app, operator: Exists}, {key: x, operator: Exists}]}", Match::No),
            ("{matchExpressions: [{key: app, operator: Like}]}", Match::Maybe),
            ("text", Match::Maybe),
        ] {
            assert_eq!(means(Some(&read(selector)), Some(&labels)), meant, "{selector}");
        }
        assert_eq!(means(Some(&read("{matchLabels: {a: b}}")), None), Match::No);
        assert_eq!(means(None, None), Match::Yes);
    }
}
