//! A test of one value in each of its states.

use super::cidr;
use super::truth::Truth;
use crate::graph::{Attribute, Graph, Reached, Reason, Referent, Resolved, State, Unknown};
use crate::rules::{Default, DefaultValue, Test};
use std::borrow::Cow;

/// What a test came to, and where the value that decided comes from.
pub(super) struct Tested<'d> {
    pub(super) truth: Truth,
    /// The value that decided, if it is not the one that is written.
    pub(super) instead: Option<&'d Attribute>,
    pub(super) origin: Cow<'d, str>,
}

impl<'d> Tested<'d> {
    const fn plain(truth: Truth) -> Self {
        Self::because(truth, "")
    }

    const fn because(truth: Truth, origin: &'d str) -> Self {
        Self { truth, instead: None, origin: Cow::Borrowed(origin) }
    }
}

/// What a test is for: which of its answers must not be given too easily.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// Whether a resource meets what a rule asks for.
    Meets,
    /// Whether a resource is as a rule forbids: a wrong no would pass it.
    IsForbidden,
    /// Whether the rule concerns the resource at all: a wrong no would let it out. So what is not set may
    /// be anything.
    Concerns,
    /// Whether something takes the resource out of the rule: a wrong yes would let it out.
    LeavesOut,
}

impl Asked {
    /// What is asked of that which must not be.
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Meets => Self::IsForbidden,
            Self::IsForbidden => Self::Meets,
            Self::Concerns => Self::LeavesOut,
            Self::LeavesOut => Self::Concerns,
        }
    }

    /// What is asked of another resource, on which the answer hangs.
    pub(super) const fn of_another(self) -> Self {
        if self.is_met_in_any_case() { Self::IsForbidden } else { Self::Meets }
    }

    /// Whether a word that is written in another case is the word that is asked for.
    const fn is_met_in_any_case(self) -> bool {
        matches!(self, Self::IsForbidden | Self::Concerns)
    }

    /// Whether what is not set and has no known default may be anything.
    const fn leaves_open(self) -> bool {
        matches!(self, Self::Concerns | Self::LeavesOut)
    }
}

/// Tests what a path reached.
pub(super) fn test_reached<'d>(
    test: &Test,
    reached: &Reached<'_>,
    default: Option<&'d Default>,
    graph: &Graph,
    asked: Asked,
) -> Tested<'d> {
    match reached.state {
        State::Null | State::Unset => test_absent(test, default, asked),
        State::Unknown(unknown) => test_unknown(test, unknown, default, graph, asked),
        State::OtherShape(value) => Tested {
            truth: Truth::Broken,
            instead: None,
            origin: format!("the rule expects blocks here, and found {}", value.kind()).into(),
        },
        State::Known(value) => Tested::plain(test_known_for(test, value, asked)),
    }
}

/// Tests a value that is there, for what is asked. Providers take many words in whatever case they are
/// written, so a word in another case counts as the same one wherever that is the answer that does not
/// let a resource through.
pub(super) fn test_known_for(test: &Test, value: &Attribute, asked: Asked) -> Truth {
    let truth = test_known(test, value);
    let counts = asked.is_met_in_any_case() == is_positive(test);
    let met = Truth::from(is_positive(test));
    if counts && truth != met && is_met_but_for_case(test, value) { met } else { truth }
}

/// Whether a word that a test names stands there, in whatever case.
fn is_met_but_for_case(test: &Test, value: &Attribute) -> bool {
    let text = match value {
        Attribute::Text(text) => text,
        Attribute::Sensitive(secret) => return is_met_but_for_case(test, secret.value()),
        Attribute::List(items) if matches!(test, Test::Contains(_) | Test::NotContains(_)) => {
            return items.iter().any(|item| is_met_but_for_case(test, item));
        }
        _ => return false,
    };
    let same = |wanted: &Attribute| match wanted {
        Attribute::Text(wanted) => text.eq_ignore_ascii_case(wanted),
        _ => false,
    };
    match test {
        Test::Equals(wanted) | Test::NotEquals(wanted) => same(wanted),
        Test::Contains(wanted) | Test::NotContains(wanted) => same(wanted),
        Test::In(choices) | Test::NotIn(choices) => choices.iter().any(same),
        Test::StartsWith(start) | Test::NotStartsWith(start) => {
            text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
        }
        Test::EndsWith(end) | Test::NotEndsWith(end) => {
            let at = text.len().checked_sub(end.len());
            at.and_then(|at| text.get(at..)).is_some_and(|own| own.eq_ignore_ascii_case(end))
        }
        Test::HasPart(part) | Test::NotHasPart(part) => {
            text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
        }
        Test::Set
        | Test::Unset
        | Test::OwnKey
        | Test::AtLeast(_)
        | Test::AtMost(_)
        | Test::RefersTo(_)
        | Test::Cidr(_) => false,
    }
}

/// Whether a test asks for something to be there, so that what is not set does not stand it.
const fn is_positive(test: &Test) -> bool {
    !matches!(
        test,
        Test::NotEquals(_)
            | Test::NotIn(_)
            | Test::NotContains(_)
            | Test::NotStartsWith(_)
            | Test::NotEndsWith(_)
            | Test::NotHasPart(_)
    )
}

/// What is null is not set: a provider reads both alike.
fn test_absent<'d>(test: &Test, default: Option<&'d Default>, asked: Asked) -> Tested<'d> {
    let is_open = asked.leaves_open() || !is_positive(test);
    match (test, default) {
        (Test::Set | Test::OwnKey, _) => Tested::plain(Truth::No),
        (Test::Unset, _) => Tested::plain(Truth::Yes),
        (_, Some(Default { value: DefaultValue::Is(value), note })) => Tested {
            truth: test_known_for(test, value, asked),
            instead: Some(value),
            origin: Cow::Borrowed(note),
        },
        (_, Some(Default { value: DefaultValue::Depends, note })) => {
            Tested::because(if is_open { Truth::Maybe } else { Truth::No }, note)
        }
        (_, None) if is_open => {
            Tested::because(Truth::Maybe, "Ward does not know what holds when it is not set")
        }
        (_, None) => Tested::plain(Truth::No),
    }
}

fn test_unknown<'d>(
    test: &Test,
    unknown: &Unknown,
    default: Option<&'d Default>,
    graph: &Graph,
    asked: Asked,
) -> Tested<'d> {
    if !unknown.branches.is_empty() {
        let mut truths = unknown.branches.iter().map(|branch| match branch {
            // Not set in this case: then the default holds.
            Attribute::Null => test_absent(test, default, asked).truth,
            Attribute::Unknown(inner) => test_unknown(test, inner, default, graph, asked).truth,
            branch if holds_blocks(branch) => Truth::Maybe,
            value => test_known_for(test, value, asked),
        });
        let first = truths.next().unwrap_or(Truth::Maybe);
        let truth = if truths.all(|truth| truth == first) { first } else { Truth::Maybe };
        return Tested::because(truth, "for every value it can take");
    }
    let is_written = unknown.reason == Reason::WriteOnly;
    match test {
        Test::Set | Test::OwnKey if is_written => Tested::plain(Truth::Yes),
        Test::Unset if is_written => Tested::plain(Truth::No),
        Test::Set | Test::OwnKey if leads_to_resources(unknown, graph) => Tested::plain(Truth::Yes),
        Test::Unset if leads_to_resources(unknown, graph) => Tested::plain(Truth::No),
        Test::RefersTo(types) if leads_to_resources(unknown, graph) => {
            let is_meant = |to: &Referent| match to {
                Referent::Block(block) => types.contains(&block.kind),
                _ => true,
            };
            Tested::plain(unknown.references.iter().all(|reference| is_meant(&reference.to)).into())
        }
        _ => Tested::plain(Truth::Maybe),
    }
}

/// A path may lead into a branch: what stands there is not what the path means.
fn holds_blocks(branch: &Attribute) -> bool {
    match branch {
        Attribute::Block(_) => true,
        Attribute::List(items) => items.iter().any(holds_blocks),
        _ => false,
    }
}

/// Whether every part of the expression is a resource of this deployment: then it will have a value.
pub(super) fn leads_to_resources(unknown: &Unknown, graph: &Graph) -> bool {
    let mut leads = false;
    for reference in unknown.references.iter() {
        match &reference.to {
            Referent::OwnKey => {}
            // Whichever of several it is, it is one that will be there.
            Referent::Block(block) if !block.is_data && graph.resolve(block) != Resolved::Nothing => {
                leads = true
            }
            _ => return false,
        }
    }
    leads
}

/// Tests a value that is there.
pub(super) fn test_known(test: &Test, value: &Attribute) -> Truth {
    match value {
        Attribute::Unknown(_) => return Truth::Maybe,
        Attribute::Sensitive(secret) => return test_known(test, secret.value()),
        _ => {}
    }
    match test {
        Test::Set => (!is_empty(value)).into(),
        Test::Unset => is_empty(value).into(),
        Test::OwnKey => (!is_empty(value) && !is_key_of_aws(value)).into(),
        Test::Equals(wanted) => equals(value, wanted),
        Test::NotEquals(wanted) => turned(equals(value, wanted)),
        Test::In(choices) => one_of(value, choices),
        Test::NotIn(choices) => turned(one_of(value, choices)),
        Test::AtLeast(least) => number(value).map_or(Truth::Broken, |number| (number >= *least).into()),
        Test::AtMost(most) => number(value).map_or(Truth::Broken, |number| (number <= *most).into()),
        Test::Contains(item) => contains(value, item),
        Test::NotContains(item) => turned(contains(value, item)),
        Test::StartsWith(start) => {
            text(value).map_or(Truth::Broken, |text| text.starts_with(&**start).into())
        }
        Test::NotStartsWith(start) => {
            text(value).map_or(Truth::Broken, |text| (!text.starts_with(&**start)).into())
        }
        Test::EndsWith(end) => text(value).map_or(Truth::Broken, |text| text.ends_with(&**end).into()),
        Test::NotEndsWith(end) => text(value).map_or(Truth::Broken, |text| (!text.ends_with(&**end)).into()),
        Test::HasPart(part) => text(value).map_or(Truth::Broken, |text| text.contains(&**part).into()),
        Test::NotHasPart(part) => text(value).map_or(Truth::Broken, |text| (!text.contains(&**part)).into()),
        Test::RefersTo(_) => Truth::No,
        Test::Cidr(wanted) => {
            text(value).and_then(|text| cidr::stands(text, *wanted)).map_or(Truth::Broken, Into::into)
        }
    }
}

/// Whether a test looks at a list as a whole, not at its items.
pub(super) const fn takes_lists(test: &Test) -> bool {
    matches!(test, Test::Set | Test::Unset | Test::Contains(_) | Test::NotContains(_))
}

const fn turned(truth: Truth) -> Truth {
    match truth {
        Truth::Yes => Truth::No,
        Truth::No => Truth::Yes,
        other => other,
    }
}

/// Whether a value names a key that AWS keeps for one of its services, by its alias.
pub(super) fn is_key_of_aws(value: &Attribute) -> bool {
    text(value).is_some_and(|text| text.starts_with("alias/aws/") || text.contains(":alias/aws/"))
}

fn is_empty(value: &Attribute) -> bool {
    match value {
        Attribute::Null => true,
        Attribute::Text(text) => text.trim().is_empty(),
        Attribute::List(items) => items.iter().all(|item| *item == Attribute::Null),
        Attribute::Block(block) => block.is_empty(),
        _ => false,
    }
}

/// Formats write `true`, `"true"` and `"True"` for one thing: scalars are compared by what they say.
fn equals(value: &Attribute, wanted: &Attribute) -> Truth {
    match (value, wanted) {
        (Attribute::Block(_) | Attribute::List(_), _) => Truth::Broken,
        (Attribute::Text(text), Attribute::Text(wanted)) => (text == wanted).into(),
        (Attribute::Text(text), Attribute::Bool(wanted)) => {
            text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" }).into()
        }
        (Attribute::Bool(_), Attribute::Text(_)) => equals(wanted, value),
        (Attribute::Text(_), Attribute::Number(wanted)) => {
            number(value).is_some_and(|number| number.total_cmp(wanted).is_eq()).into()
        }
        (Attribute::Number(_), Attribute::Text(_)) => equals(wanted, value),
        _ => (value == wanted).into(),
    }
}

fn one_of(value: &Attribute, choices: &[Attribute]) -> Truth {
    let mut is_broken = false;
    for choice in choices {
        match equals(value, choice) {
            Truth::Yes => return Truth::Yes,
            other => is_broken |= other == Truth::Broken,
        }
    }
    if is_broken { Truth::Broken } else { Truth::No }
}

fn contains(value: &Attribute, wanted: &Attribute) -> Truth {
    let Attribute::List(items) = value else { return equals(value, wanted) };
    let mut not_known = false;
    for item in items {
        match item {
            Attribute::Unknown(_) => not_known = true,
            Attribute::Null => {}
            Attribute::Sensitive(secret) if equals(secret.value(), wanted) == Truth::Yes => {
                return Truth::Yes;
            }
            Attribute::Sensitive(_) => {}
            item if equals(item, wanted) == Truth::Yes => return Truth::Yes,
            _ => {}
        }
    }
    if not_known { Truth::Maybe } else { Truth::No }
}

pub(super) fn number(value: &Attribute) -> Option<f64> {
    match value {
        Attribute::Number(number) => Some(*number),
        Attribute::Text(text) => {
            // Google writes durations so: `7776000s`.
            let digits = text.trim();
            let digits = digits.strip_suffix('s').unwrap_or(digits);
            digits.parse().ok().filter(|number: &f64| number.is_finite())
        }
        _ => None,
    }
}

fn text(value: &Attribute) -> Option<&str> {
    match value {
        Attribute::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_compared_by_what_they_say() {
        let of = |test: &Test, value: Attribute| test_known(test, &value);
        let yes = Test::Equals(true.into());
        assert_eq!(of(&yes, true.into()), Truth::Yes);
        assert_eq!(of(&yes, "True".into()), Truth::Yes);
        assert_eq!(of(&yes, "yes".into()), Truth::No);
        assert_eq!(of(&yes, Attribute::Null), Truth::No);
        assert_eq!(of(&yes, Attribute::list(vec![true.into()])), Truth::Broken);
        assert_eq!(of(&Test::AtLeast(7.0), "7".into()), Truth::Yes);
        assert_eq!(of(&Test::AtLeast(7.0), Attribute::Number(6.9)), Truth::No);
        assert_eq!(of(&Test::AtLeast(7.0), "seven".into()), Truth::Broken);
        assert_eq!(of(&Test::Set, "  ".into()), Truth::No);
        assert_eq!(of(&Test::Set, Attribute::list(vec![Attribute::Null])), Truth::No);
        assert_eq!(of(&Test::Contains("audit".into()), Attribute::list(vec!["audit".into()])), Truth::Yes);
        assert_eq!(of(&Test::NotContains("audit".into()), Attribute::list(vec![])), Truth::Yes);
        assert_eq!(of(&Test::NotIn(vec!["a".into()]), "b".into()), Truth::Yes);
    }

    #[test]
    fn fails_closed_words_in_another_case_count_where_they_are_forbidden() {
        let value: Attribute = "Allow".into();
        for (test, meets, forbidden) in [
            (Test::Equals("ALLOW".into()), Truth::No, Truth::Yes),
            (Test::In(vec!["deny".into(), "allow".into()]), Truth::No, Truth::Yes),
            (Test::StartsWith("ALL".into()), Truth::No, Truth::Yes),
            (Test::EndsWith("OW".into()), Truth::No, Truth::Yes),
            (Test::HasPart("LLO".into()), Truth::No, Truth::Yes),
            (Test::Contains("ALLOW".into()), Truth::No, Truth::Yes),
            (Test::NotEquals("ALLOW".into()), Truth::No, Truth::Yes),
            (Test::NotIn(vec!["ALLOW".into()]), Truth::No, Truth::Yes),
            (Test::NotStartsWith("ALL".into()), Truth::No, Truth::Yes),
            (Test::NotEndsWith("OW".into()), Truth::No, Truth::Yes),
            (Test::NotHasPart("LLO".into()), Truth::No, Truth::Yes),
            (Test::NotEquals("Deny".into()), Truth::Yes, Truth::Yes),
            (Test::Equals("Deny".into()), Truth::No, Truth::No),
        ] {
            assert_eq!(test_known_for(&test, &value, Asked::Meets), meets, "{test:?}");
            assert_eq!(test_known_for(&test, &value, Asked::LeavesOut), meets, "{test:?}");
            assert_eq!(test_known_for(&test, &value, Asked::IsForbidden), forbidden, "{test:?}");
            assert_eq!(test_known_for(&test, &value, Asked::Concerns), forbidden, "{test:?}");
        }
        let list = Attribute::list(vec!["AllUsers".into()]);
        let none = Test::NotContains("allUsers".into());
        assert_eq!(test_known_for(&none, &list, Asked::Meets), Truth::No);
    }

    #[test]
    fn fails_closed_what_may_not_be_set_takes_nothing_out_of_a_rule() {
        let test = Test::Equals("a".into());
        let depends = Default { value: DefaultValue::Depends, note: "it depends".into() };
        for (asked, truth) in [
            (Asked::Meets, Truth::No),
            (Asked::IsForbidden, Truth::No),
            (Asked::Concerns, Truth::Maybe),
            (Asked::LeavesOut, Truth::Maybe),
        ] {
            for default in [None, Some(&depends)] {
                assert_eq!(test_absent(&test, default, asked).truth, truth, "{asked:?}");
            }
        }
    }

    #[test]
    fn fails_closed_a_key_of_aws_is_none_of_ones_own() {
        for (key, truth) in [
            ("arn:aws:kms:eu-central-1:111122223333:key/1", Truth::Yes),
            ("alias/records", Truth::Yes),
            ("alias/aws/rds", Truth::No),
            ("arn:aws:kms:eu-central-1:111122223333:alias/aws/rds", Truth::No),
            ("", Truth::No),
        ] {
            assert_eq!(test_known(&Test::OwnKey, &key.into()), truth, "{key}");
        }
    }
}
