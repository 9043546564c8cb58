//! The alert rules that count: every revision that an admin published in the membership log, and the
//! built-in rules where there is none.

use crate::limits::ALERT_RULES_IN_FORCE_MAX;
use ward_forms::alert_rules::AlertRules;
use ward_id::TimestampMs;
use ward_sync::AlertRuleSet;

/// One revision.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRevision {
    /// Its number; 0 for the built-in rules.
    pub number: u64,
    /// Since when it counts.
    pub from: TimestampMs,
    /// The rules.
    pub rules: AlertRules,
}

/// A revision that stands in the membership log and that this version of the app cannot read. It has no
/// effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRules {
    /// Its number.
    pub number: u64,
    /// Why.
    pub why: String,
}

/// All revisions, the one that counts last.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    revisions: Vec<RuleRevision>,
    unreadable: Vec<UnreadableRules>,
}

impl Default for RuleBook {
    fn default() -> Self {
        Self::built_in()
    }
}

impl RuleBook {
    /// The rules of a study that has published none.
    pub fn built_in() -> Self {
        let rules = RuleRevision { number: 0, from: TimestampMs(i64::MIN), rules: AlertRules::built_in() };
        Self { revisions: vec![rules], unreadable: Vec::new() }
    }

    /// Reads the sets of a membership log, in their order. The built-in rules are the revision before the
    /// first one, so that an alert which they raised does not vanish with it.
    pub fn of(sets: &[AlertRuleSet]) -> Self {
        let mut book = Self::built_in();
        for set in sets {
            match read_rules(set) {
                Ok(rules) => {
                    let rules = rules.with_call_floor();
                    book.revisions.push(RuleRevision { number: set.revision, from: set.from, rules });
                }
                Err(why) => book.unreadable.push(UnreadableRules { number: set.revision, why }),
            }
        }
        // Each revision is evaluated over every chart; of very old ones only their names are kept.
        let surplus = book.revisions.len().saturating_sub(ALERT_RULES_IN_FORCE_MAX);
        book.revisions.drain(..surplus);
        book
    }

    /// Every revision that can be read, the one that counts last.
    pub fn revisions(&self) -> &[RuleRevision] {
        &self.revisions
    }

    /// Revisions that this app cannot read: people must be told, for alerts may be missing.
    pub fn unreadable(&self) -> &[UnreadableRules] {
        &self.unreadable
    }
}

/// The rules of a set. What is refused here is refused when it is published, too.
///
/// # Errors
/// A sentence with what its author has to correct.
pub fn read_rules(set: &AlertRuleSet) -> Result<AlertRules, String> {
    let rules = AlertRules::parse(&set.rules).map_err(|error| error.to_string())?;
    if rules.revision() == set.revision.to_string() {
        Ok(rules)
    } else {
        Err(format!("the rules say that they are revision {}, not {}", rules.revision(), set.revision))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_crypto::V1;
    use ward_id::StudyId;

    fn set(revision: u64, said: &str) -> AlertRuleSet {
        let rules = format!(
            r#"{{"format": "ward/alert-rules", "version": 1, "name": "n", "revision": "{said}", "rules": []}}"#
        );
        let study = StudyId::from_bytes([1; 16]);
        AlertRuleSet { v: V1, study, revision, from: TimestampMs(0), rules: rules.into_bytes() }
    }

    fn numbers(book: &RuleBook) -> Vec<u64> {
        book.revisions().iter().map(|revision| revision.number).collect()
    }

    #[test]
    fn a_set_that_cannot_be_read_has_no_effect_and_is_told() {
        let newer = AlertRuleSet {
            rules: br#"{"format": "ward/alert-rules", "version": 2}"#.to_vec(),
            ..set(3, "3")
        };
        let book = RuleBook::of(&[set(1, "1"), set(2, "7"), newer]);
        assert_eq!(numbers(&book), [0, 1]);
        let told: Vec<u64> = book.unreadable().iter().map(|one| one.number).collect();
        assert_eq!(told, [2, 3]);
        assert_eq!(numbers(&RuleBook::of(&[])), [0]);
    }

    #[test]
    fn no_set_silences_a_wish_to_be_called() {
        let book = RuleBook::of(&[set(1, "1")]);
        let newest = book.revisions().last().unwrap();
        let kinds: Vec<_> = newest.rules.rules().iter().map(|rule| (rule.id(), rule.kind())).collect();
        let built_in = AlertRules::built_in();
        let call = built_in.rules().iter().find(|rule| rule.id() == "call").unwrap();
        assert_eq!(kinds, [("call", call.kind())]);
        // One rule of a set has that name, and is about something else.
        let taken = AlertRuleSet {
            rules: br#"{"format": "ward/alert-rules", "version": 1, "name": "n", "revision": "1", "rules": [
                {"id": "call", "kind": "missed", "severity": "notice", "inARow": 2}]}"#
                .to_vec(),
            ..set(1, "1")
        };
        let book = RuleBook::of(&[taken]);
        let rules = book.revisions().last().unwrap().rules.rules();
        let names: Vec<&str> = rules.iter().map(|rule| rule.id()).collect();
        assert_eq!(names, ["call", "built-in-call"]);
    }

    #[test]
    fn revisions_at_the_limit_and_one_past() {
        let most = u64::try_from(ALERT_RULES_IN_FORCE_MAX).unwrap();
        let sets: Vec<AlertRuleSet> = (1..=most).map(|number| set(number, &number.to_string())).collect();
        assert_eq!(numbers(&RuleBook::of(&sets[..sets.len() - 1])).first(), Some(&0));
        let book = RuleBook::of(&sets);
        assert_eq!((numbers(&book).first(), numbers(&book).last()), (Some(&1), Some(&most)));
    }
}
