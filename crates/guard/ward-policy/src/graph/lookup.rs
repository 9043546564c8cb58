//! What a path of a rule reaches in a resource.

use super::{Attribute, Block, HIDDEN, Unknown};
use crate::limits::MAX_REACHED;
use std::fmt;

/// Names that lead to a value, outermost first. A list on the way is every one of its items.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AttributePath {
    names: Box<[Box<str>]>,
    /// The names with dots between them: defaults and references are looked up by it.
    text: Box<str>,
}

impl AttributePath {
    /// Reads names with dots between them.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_names(text.split('.').filter(|name| !name.is_empty()).map(Into::into).collect())
    }

    /// Takes names as they are; a name may hold dots.
    #[must_use]
    pub fn of_names(names: Vec<Box<str>>) -> Self {
        Self { text: names.join(".").into(), names: names.into() }
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The names with dots between them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it leads to the resource itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The state of one place in a resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State<'g> {
    /// This value; never null, unknown or sensitive itself.
    Known(&'g Attribute),
    /// Written as null.
    Null,
    /// Not written.
    Unset,
    /// Written, and not known before the deployment.
    Unknown(&'g Unknown),
    /// The path goes on where there is a plain value: the rule expects another shape.
    OtherShape(&'g Attribute),
}

/// One place that a path reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached<'g> {
    /// What stands there.
    pub state: State<'g>,
    /// Whether it lies in a sensitive value: it is evaluated and never shown.
    pub is_sensitive: bool,
    /// Where it stands, with places in lists: `ingress[1].cidr_blocks`.
    pub at: Box<str>,
}

impl Reached<'_> {
    /// The value as a report shows it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.state {
            State::Known(_) | State::OtherShape(_) if self.is_sensitive => HIDDEN.to_owned(),
            State::Known(value) | State::OtherShape(value) => crate::secret_names::shown(value),
            State::Null => "null".to_owned(),
            State::Unset => "not set".to_owned(),
            State::Unknown(unknown) if unknown.expression().is_empty() => format!("({})", unknown.reason),
            State::Unknown(unknown) => format!("({}: {})", unknown.reason, unknown.expression()),
        }
    }
}

/// Everything that a path reaches; at least one place. `None` if there are more than the limit.
#[must_use]
pub fn reach<'g>(block: &'g Block, path: &AttributePath) -> Option<Vec<Reached<'g>>> {
    places(block, path, true).map(Places::into_vec)
}

/// As [`reach`], for a check, which asks it of every resource.
pub(crate) fn places<'g>(block: &'g Block, path: &AttributePath, tells: bool) -> Option<Places<'g>> {
    let mut walk = Walk::new(tells);
    walk.block(block, path.names(), false);
    (!walk.is_full).then_some(walk.found)
}

/// As [`places`], for somebody who tells nobody where each place is: `at` is empty.
pub(crate) fn reach_untold<'g>(block: &'g Block, path: &AttributePath) -> Option<Places<'g>> {
    places(block, path, false)
}

/// What a path reached. Most paths reach one place, and it needs no list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Places<'g> {
    One([Reached<'g>; 1]),
    Some(Vec<Reached<'g>>),
}

impl<'g> Places<'g> {
    fn push(&mut self, place: Reached<'g>) {
        let held = std::mem::take(self);
        *self = match held {
            Self::Some(none) if none.is_empty() => Self::One([place]),
            Self::Some(mut several) => {
                several.push(place);
                Self::Some(several)
            }
            Self::One([first]) => Self::Some(vec![first, place]),
        };
    }

    fn into_vec(self) -> Vec<Reached<'g>> {
        match self {
            Self::One(only) => only.into(),
            Self::Some(several) => several,
        }
    }
}

impl Default for Places<'_> {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl<'g> std::ops::Deref for Places<'g> {
    type Target = [Reached<'g>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(only) => only,
            Self::Some(several) => several,
        }
    }
}

/// As [`reach`], from any value.
#[must_use]
pub fn reach_from<'g>(
    value: &'g Attribute,
    path: &AttributePath,
    is_sensitive: bool,
) -> Option<Vec<Reached<'g>>> {
    let mut walk = Walk::new(true);
    walk.value(value, path.names(), is_sensitive);
    (!walk.is_full).then(|| walk.found.into_vec())
}

struct Walk<'g> {
    found: Places<'g>,
    /// Where the walk is; nowhere if nobody is told.
    at: Option<String>,
    is_full: bool,
}

impl<'g> Walk<'g> {
    fn new(tells: bool) -> Self {
        Self { found: Places::default(), at: tells.then(String::new), is_full: false }
    }

    fn block(&mut self, block: &'g Block, names: &[Box<str>], is_sensitive: bool) {
        let Some((name, rest)) = names.split_first() else { return };
        let before = self.length();
        if let Some(at) = &mut self.at {
            if before > 0 {
                at.push('.');
            }
            at.push_str(name);
        }
        match block.get(name) {
            Some(value) => self.value(value, rest, is_sensitive),
            None => self.tell(State::Unset, is_sensitive),
        }
        self.back_to(before);
    }

    fn value(&mut self, value: &'g Attribute, rest: &[Box<str>], is_sensitive: bool) {
        match value {
            Attribute::Null => self.tell(State::Null, is_sensitive),
            // Whatever it turns out to be, the path can't go on.
            Attribute::Unknown(unknown) if !rest.is_empty() && is_plain(unknown) => {
                self.tell(State::OtherShape(value), is_sensitive);
            }
            Attribute::Unknown(unknown) => self.tell(State::Unknown(unknown), is_sensitive),
            Attribute::Sensitive(secret) => self.value(secret.value(), rest, true),
            _ if rest.is_empty() => self.tell(State::Known(value), is_sensitive),
            Attribute::Block(block) => self.block(block, rest, is_sensitive),
            Attribute::List(items) if items.is_empty() => self.tell(State::Unset, is_sensitive),
            Attribute::List(items) => self.items(items, rest, is_sensitive),
            _ => self.tell(State::OtherShape(value), is_sensitive),
        }
    }

    fn items(&mut self, items: &'g [Attribute], rest: &[Box<str>], is_sensitive: bool) {
        let before = self.length();
        for (place, item) in items.iter().enumerate() {
            // One block needs no number.
            if let Some(at) = self.at.as_mut().filter(|_| items.len() > 1) {
                at.push_str(&format!("[{place}]"));
            }
            self.value(item, rest, is_sensitive);
            self.back_to(before);
        }
    }

    fn length(&self) -> usize {
        self.at.as_ref().map_or(0, String::len)
    }

    fn back_to(&mut self, length: usize) {
        if let Some(at) = &mut self.at {
            at.truncate(length);
        }
    }

    fn tell(&mut self, state: State<'g>, is_sensitive: bool) {
        if self.found.len() >= MAX_REACHED {
            self.is_full = true;
            return;
        }
        self.found.push(Reached { state, is_sensitive, at: self.at.as_deref().unwrap_or_default().into() });
    }
}

/// Whether every value that it can take is a plain one.
fn is_plain(unknown: &Unknown) -> bool {
    let is_plain =
        |branch: &Attribute| matches!(branch, Attribute::Bool(_) | Attribute::Number(_) | Attribute::Text(_));
    !unknown.branches.is_empty() && unknown.branches.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Reason, References, Sensitive};

    fn block(entries: Vec<(&str, Attribute)>) -> Block {
        Block::new(entries.into_iter().map(|(name, value)| (name.into(), value)).collect()).unwrap()
    }

    fn states(of: &Block, path: &str) -> Vec<String> {
        let reached = reach(of, &AttributePath::of(path)).unwrap();
        reached.iter().map(|one| format!("{} {}", one.at, one.shown())).collect()
    }

    #[test]
    fn each_state_is_told_apart() {
        let unknown = Unknown::new(Reason::AfterApply, References::default());
        let plain = Unknown::one_of(Reason::Input, vec![true.into(), "a".into()]);
        let inner = |value| Attribute::from(block(vec![("cidr", value)]));
        let of = block(vec![
            ("null", Attribute::Null),
            ("later", Attribute::Unknown(Box::new(unknown))),
            ("rules", Attribute::list(vec![inner("a".into()), inner(Attribute::Null)])),
            ("none", Attribute::list(vec![])),
            ("plain", true.into()),
            ("branches", Attribute::Unknown(Box::new(plain))),
            ("secret", Attribute::Sensitive(Sensitive::new(inner("hunter2".into())))),
        ]);
        assert_eq!(states(&of, "null"), ["null null"]);
        assert_eq!(states(&of, "null.deeper"), ["null null"]);
        assert_eq!(states(&of, "gone"), ["gone not set"]);
        assert_eq!(states(&of, "later.deeper"), ["later (known after apply)"]);
        assert_eq!(states(&of, "rules.cidr"), ["rules[0].cidr \"a\"", "rules[1].cidr null"]);
        assert_eq!(states(&of, "none.cidr"), ["none not set"]);
        assert_eq!(states(&of, "none"), ["none []"]);
        assert_eq!(states(&of, "plain.deeper"), ["plain true"]);
        assert_eq!(states(&of, "branches"), ["branches (the value of an input was not given)"]);
        let shape = reach(&of, &AttributePath::of("branches.deeper")).unwrap();
        assert!(matches!(shape[0].state, State::OtherShape(_)), "{shape:?}");
        assert_eq!(states(&of, "secret.cidr"), ["secret.cidr (sensitive value, not shown)"]);
    }

    #[test]
    fn reached_at_the_limit_and_one_past() {
        let many = |count| block(vec![("a", Attribute::list(vec![block(vec![]).into(); count]))]);
        assert_eq!(reach(&many(MAX_REACHED), &AttributePath::of("a.b")).unwrap().len(), MAX_REACHED);
        assert!(reach(&many(MAX_REACHED + 1), &AttributePath::of("a.b")).is_none());
    }
}
