//! The alert rules that count: every revision that an admin published in the membership log, and the
//! built-in rules where there is none.
//!
//! **When a revision ends.** The newest one looks at everything. An earlier one goes on looking at what was
//! sealed before the author's device knew of the next one, as the author's own signature says: no word of an
//! admin or of the server about times takes part. So no publication takes an alert back that somebody could
//! have been shown, up to [`ALERT_RULES_RUN_MAX`]. A revision that this app cannot follow as a whole ends none before it.

use super::wording::short_id;
use crate::limits::ALERT_RULES_RUN_MAX;
use ward_crypto::sha256;
use ward_forms::StrictJsonError;
use ward_forms::alert_rules::{AlertRule, AlertRules, RefusedRule, RuleKind, Target};
use ward_id::{Canonical as _, DeviceId, EntryId, TimestampMs};
use ward_sync::{AlertRuleSet, PublishedAlertRules};

/// One revision.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRevision {
    /// Its number; 0 for the built-in rules.
    pub number: u64,
    /// When it was published, as the clock of the admin's device says; nothing for the built-in rules.
    pub published_at: Option<TimestampMs>,
    /// The admin's device that signed it.
    pub by: Option<DeviceId>,
    /// The rules.
    pub rules: AlertRules,
    /// Rules of it that this app cannot follow.
    pub refused: Vec<RefusedRule>,
    /// Digits of what was published; empty for the built-in rules.
    pub(super) mark: String,
    /// Those of its rules that no later revision has: what the others raise, the later one raises.
    pub(super) own: AlertRules,
    /// The place in the membership log of the revision that ended it; nothing while none did.
    ended_by: Option<u64>,
}

impl RuleRevision {
    /// Whether it looks at what was sealed under a membership log of this size, if that is known.
    pub(super) fn looks_at(&self, sealed_at: Option<u64>) -> bool {
        self.ended_by.is_none_or(|place| sealed_at.is_none_or(|size| size <= place))
    }

    /// The place in the membership log of the revision that ended it.
    pub(super) const fn ended_by(&self) -> Option<u64> {
        self.ended_by
    }
}

/// A revision that stands in the membership log and that this version of the app cannot read. It has no
/// effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRules {
    /// Its number.
    pub number: u64,
    /// Why.
    pub why: String,
    /// Whether a newer app may be able to; else the study has to publish a corrected revision.
    pub is_newer: bool,
}

/// All revisions, the one that counts last.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    revisions: Vec<RuleRevision>,
    unreadable: Vec<UnreadableRules>,
    not_run: usize,
}

impl Default for RuleBook {
    fn default() -> Self {
        Self::built_in()
    }
}

impl RuleBook {
    /// The rules of a study that has published none.
    pub fn built_in() -> Self {
        Self::of(&[])
    }

    /// Reads the sets of a membership log, in their order. The built-in rules are the revision before the
    /// first one, so that an alert which they raised does not vanish with it.
    pub fn of(sets: &[PublishedAlertRules]) -> Self {
        let mut book = Self { revisions: Vec::new(), unreadable: Vec::new(), not_run: 0 };
        // Newest first: each revision knows then what ended it, and which of its rules went on.
        let (mut ended_by, mut run) = (None, 0_usize);
        for (place, published) in sets.iter().enumerate().rev() {
            if run >= ALERT_RULES_RUN_MAX {
                book.not_run = place.saturating_add(1);
                break;
            }
            match read_published(&published.set) {
                Ok((rules, refused)) => {
                    let is_whole = refused.is_empty();
                    run = run.saturating_add(book.take(Some(published), rules, refused, ended_by));
                    if is_whole {
                        ended_by = Some(published.place);
                    }
                }
                // What a readable one has followed since is of no interest any more.
                Err(unreadable) if ended_by.is_none() => book.unreadable.push(unreadable),
                Err(_) => {}
            }
        }
        if run < ALERT_RULES_RUN_MAX {
            book.take(None, AlertRules::built_in(), Vec::new(), ended_by);
        } else {
            book.not_run = book.not_run.saturating_add(1);
        }
        book.revisions.reverse();
        book.unreadable.reverse();
        book
    }

    /// Takes the revision before those that are there. Gives how many rules it has of its own.
    fn take(
        &mut self,
        published: Option<&PublishedAlertRules>,
        rules: AlertRules,
        refused: Vec<RefusedRule>,
        ended_by: Option<u64>,
    ) -> usize {
        let later = || self.revisions.iter().flat_map(|later| later.rules.rules());
        let own = rules.keeping(|rule| !later().any(|known| known.is_same_as(rule)));
        let count = own.rules().len();
        self.revisions.push(RuleRevision {
            number: published.map_or(0, |one| one.set.revision),
            published_at: published.map(|one| one.set.from),
            by: published.and_then(|one| one.by),
            mark: published.map(|one| mark_of(&one.set)).unwrap_or_default(),
            rules,
            refused,
            own,
            ended_by,
        });
        count
    }

    /// Every revision that can be read, the one that counts last.
    pub fn revisions(&self) -> &[RuleRevision] {
        &self.revisions
    }

    /// Revisions after the one that counts that this app cannot read: people must be told, for alerts may be
    /// missing.
    pub fn unreadable(&self) -> &[UnreadableRules] {
        &self.unreadable
    }

    /// How many of the oldest revisions are not run any more, because there are too many rules.
    pub const fn not_run(&self) -> usize {
        self.not_run
    }
}

/// Digits that stand for a set.
fn mark_of(set: &AlertRuleSet) -> String {
    short_id(&EntryId::from_bytes(sha256(&set.to_canonical())))
}

fn read_published(set: &AlertRuleSet) -> Result<(AlertRules, Vec<RefusedRule>), UnreadableRules> {
    let unreadable = |why: String, is_newer| UnreadableRules { number: set.revision, why, is_newer };
    let stored = AlertRules::parse_stored(&set.rules)
        .map_err(|error| unreadable(error.to_string(), may_be_newer(&error)))?;
    check_number(set, &stored.rules).map_err(|why| unreadable(why, false))?;
    Ok((stored.rules.with_call_floor(), stored.refused))
}

/// Whether a newer app may know what this one does not.
pub(super) fn may_be_newer(error: &StrictJsonError) -> bool {
    match error {
        StrictJsonError::UnknownField { .. } => true,
        StrictJsonError::WrongValue { path, .. } => path == "$.version" || path.ends_with(".kind"),
        _ => false,
    }
}

fn check_number(set: &AlertRuleSet, rules: &AlertRules) -> Result<(), String> {
    if rules.revision() == set.revision.to_string() {
        Ok(())
    } else {
        Err(format!("the rules say that they are revision {}, not {}", rules.revision(), set.revision))
    }
}

/// Checks rules that are about to be published, strictly.
///
/// # Errors
/// A sentence with what their author has to correct.
pub fn read_rules(set: &AlertRuleSet) -> Result<AlertRules, String> {
    let rules = AlertRules::parse(&set.rules).map_err(|error| error.to_string())?;
    check_number(set, &rules)?;
    match rules.rules().iter().find_map(score_refusal) {
        Some(why) => Err(why),
        None => Ok(rules),
    }
}

/// Why a rule cannot be published although it can be read: a chart holds no score map, so a rule about scores
/// would wait for ever.
pub fn score_refusal(rule: &AlertRule) -> Option<String> {
    let is_of_score = matches!(
        rule.kind(),
        RuleKind::Threshold { of: Target::Score { .. }, .. }
            | RuleKind::Worsening { of: Target::Score { .. }, .. }
    );
    is_of_score.then(|| format!("{}: scores can be tried, but not be watched over yet", rule.id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_crypto::V1;
    use ward_id::StudyId;

    /// A published set of these rules; the place in the log is ten times its number.
    fn with_rules(revision: u64, said: &str, rules: &str) -> PublishedAlertRules {
        let rules = format!(
            r#"{{"format": "ward/alert-rules", "version": 1, "name": "n", "revision": "{said}", "rules": [{rules}]}}"#
        );
        let study = StudyId::from_bytes([1; 16]);
        let set = AlertRuleSet { v: V1, study, revision, from: TimestampMs(0), rules: rules.into_bytes() };
        PublishedAlertRules { set, place: revision * 10, by: None }
    }

    fn set(revision: u64, said: &str) -> PublishedAlertRules {
        with_rules(revision, said, "")
    }

    fn missed(id: &str, in_a_row: usize) -> String {
        format!(r#"{{"id": "{id}", "kind": "missed", "severity": "notice", "inARow": {in_a_row}}}"#)
    }

    fn numbers(book: &RuleBook) -> Vec<u64> {
        book.revisions().iter().map(|revision| revision.number).collect()
    }

    fn told(book: &RuleBook) -> Vec<(u64, bool)> {
        book.unreadable().iter().map(|one| (one.number, one.is_newer)).collect()
    }

    #[test]
    fn a_set_that_cannot_be_read_has_no_effect_and_is_told_until_one_follows() {
        let mut newer = set(3, "3");
        newer.set.rules = br#"{"format": "ward/alert-rules", "version": 2}"#.to_vec();
        let sets = [set(1, "1"), set(2, "7"), newer];
        let book = RuleBook::of(&sets);
        assert_eq!((numbers(&book), told(&book)), (vec![0, 1], vec![(2, false), (3, true)]));
        assert_eq!(numbers(&RuleBook::of(&[])), [0]);
        let corrected = [sets.as_slice(), &[set(4, "4")]].concat();
        assert_eq!(told(&RuleBook::of(&corrected)), []);
    }

    #[test]
    fn a_revision_ends_for_what_was_sealed_after_the_next_one_was_known() {
        let book = RuleBook::of(&[set(1, "1"), set(2, "2")]);
        let looks = |sealed_at| -> Vec<u64> {
            let all = book.revisions().iter();
            all.filter(|one| one.looks_at(sealed_at)).map(|one| one.number).collect()
        };
        assert_eq!(looks(Some(10)), [0, 1, 2], "sealed under a log that ends before the first set");
        assert_eq!(looks(Some(11)), [1, 2]);
        assert_eq!(looks(Some(20)), [1, 2]);
        assert_eq!(looks(Some(21)), [2]);
        assert_eq!(looks(None), [0, 1, 2], "in doubt all look");
    }

    #[test]
    fn a_rule_that_cannot_be_followed_is_named_and_ends_nothing() {
        let partly = with_rules(2, "2", &format!(r#"{}, {{"id": "x", "kind": "trend"}}"#, missed("m", 3)));
        let book = RuleBook::of(&[with_rules(1, "1", &missed("m", 2)), partly, set(3, "9")]);
        let newest = book.revisions().last().unwrap();
        assert_eq!((newest.number, newest.refused[0].name.as_str()), (2, "x"));
        assert!(may_be_newer(&newest.refused[0].why));
        assert!(book.revisions()[1].looks_at(Some(1_000)), "revision 1 goes on beside it");
        assert!(!book.revisions()[0].looks_at(Some(1_000)));
        assert_eq!(told(&book), [(3, false)]);
    }

    #[test]
    fn whatever_the_log_takes_can_be_read() {
        use ward_sync::limits::ALERT_RULES_MAX_BYTES;
        assert_eq!(ward_forms::limits::MAX_ALERT_RULES_BYTES, ALERT_RULES_MAX_BYTES);
    }

    #[test]
    fn rules_about_scores_are_not_published() {
        let rule = r#"{"id": "s", "kind": "threshold", "severity": "notice", "of": {"score": "eortc-qlq-c30/PF2"}, "atMost": 50}"#;
        assert!(read_rules(&with_rules(1, "1", rule).set).is_err_and(|why| why.contains("be watched over")));
        assert!(read_rules(&with_rules(1, "1", &missed("m", 2)).set).is_ok());
        assert!(read_rules(&with_rules(2, "1", "").set).is_err_and(|why| why.contains("revision 1, not 2")));
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
        let book = RuleBook::of(&[with_rules(1, "1", &missed("call", 2))]);
        let rules = book.revisions().last().unwrap().rules.rules();
        let names: Vec<&str> = rules.iter().map(|rule| rule.id()).collect();
        assert_eq!(names, ["call", "built-in-call"]);
    }

    #[test]
    fn no_set_makes_a_wish_to_be_called_wait() {
        let wish = |id: &str, severity: &str, codes: &str| {
            format!(
                r#"{{"id": "{id}", "kind": "patient-urgent", "severity": "{severity}", "item": "call-me"{codes}}}"#
            )
        };
        let floor = |rules: &[String]| {
            let book = RuleBook::of(&[with_rules(1, "1", &rules.join(", "))]);
            let all = book.revisions().last().unwrap().rules.clone();
            let added = all.rules().iter().find(|rule| rule.id() == "built-in-call")?;
            let ward_forms::alert_rules::RuleKind::PatientUrgent { answers, .. } = added.kind() else {
                panic!("{added:?}")
            };
            Some((added.severity().code(), answers.clone()))
        };
        let (yes, often) = (r#", "answers": ["yes"]"#, r#", "answers": ["often", "yes"]"#);
        assert_eq!(floor(&[wish("call", "notice", "")]), Some(("urgent", vec![])));
        // What means yes is what the set says, and a "no" is nobody's matter.
        assert_eq!(floor(&[wish("call", "concern", yes)]), Some(("urgent", vec!["yes".to_owned()])));
        assert_eq!(floor(&[wish("call", "urgent", "")]), None);
        assert_eq!(floor(&[wish("call", "urgent", often), wish("again", "notice", yes)]), None);
        // An urgent rule that hears less than the others of the set hear covers them not.
        let less = [wish("call", "urgent", yes), wish("again", "notice", often)];
        assert_eq!(floor(&less), Some(("urgent", vec!["often".to_owned(), "yes".to_owned()])));
    }

    #[test]
    fn a_rule_that_goes_on_unchanged_is_run_once() {
        let rules = |first: usize| [missed("a", first), missed("b", 30)].join(", ");
        let book = RuleBook::of(&[
            with_rules(1, "1", &rules(5)),
            with_rules(2, "2", &rules(6)),
            with_rules(3, "3", &rules(6)),
        ]);
        let own = |number: usize| -> Vec<&str> {
            book.revisions()[number].own.rules().iter().map(|rule| rule.id()).collect()
        };
        assert_eq!(own(3), ["a", "b", "call"]);
        assert_eq!((own(2), own(1)), (vec![], vec!["a"]));
        assert_eq!(own(0), ["severe", "severe-attribute", "worse", "missed"]);
    }

    #[test]
    fn rules_at_the_limit_and_one_past() {
        // Of each set 365 rules that no other has; the wish to be called goes on from set to set.
        let kinds = ["notice", "concern", "urgent"];
        let rules = |number: usize| -> String {
            let rule = |row: usize| {
                format!(
                    r#"{{"id": "m{row}", "kind": "missed", "severity": "{}", "instrument": "{number}", "inARow": {}}}"#,
                    kinds[row % 3],
                    row / 3 + 1
                )
            };
            (0..365).map(rule).collect::<Vec<_>>().join(", ")
        };
        let sets: Vec<_> =
            (1..=9).map(|number| with_rules(number, &number.to_string(), &rules(number as usize))).collect();
        let full = ALERT_RULES_RUN_MAX.div_ceil(365);
        let book = RuleBook::of(&sets[..full - 1]);
        assert_eq!((numbers(&book).first(), book.not_run()), (Some(&0), 0));
        let book = RuleBook::of(&sets);
        assert_eq!(numbers(&book).len(), full);
        assert_eq!(book.not_run(), sets.len() + 1 - full, "those before, and the built-in ones");
    }
}
