//! Words for sentences about alerts.

use super::rule::AlertSeverity;

/// A number with the digits that it has, and a computed one with a single digit after the point: `3`,
/// `0.04`, `66.7`.
pub(super) fn number(value: f64) -> String {
    let exact = value.to_string();
    let is_computed = exact.len() > format!("{value:.3}").len();
    if is_computed { format!("{value:.1}") } else { exact }
}

/// A label within a sentence; an abbreviation keeps its capitals.
pub(super) fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}

/// What a reader must know where nobody has chosen.
pub(super) fn unsettled(versions: usize) -> String {
    if versions > 1 {
        format!("; {versions} versions of these answers hold at once and nobody has chosen")
    } else {
        String::new()
    }
}

impl std::fmt::Display for AlertSeverity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_labels_read_well() {
        assert_eq!(
            [3.0, 0.0, 200.0 / 3.0, 38.5, -1.0, 0.04, 2.25].map(number),
            ["3", "0", "66.7", "38.5", "-1", "0.04", "2.25"]
        );
        assert_eq!(["Nausea", "DNA", "Übelkeit", ""].map(lower_first), ["nausea", "DNA", "übelkeit", ""]);
    }
}
