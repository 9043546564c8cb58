//! References that stand beside one another in one expression.

use crate::graph::FEW_NAMES;
use std::borrow::Cow;
use std::cell::OnceCell;

/// All references of an expression.
pub(super) struct Beside<'w, 'a> {
    written: &'w [Cow<'a, str>],
    /// The same with their places, sorted, if they are more than a few.
    sorted: Vec<(&'w str, usize)>,
    has_own_key: OnceCell<bool>,
    has_others: OnceCell<bool>,
}

impl<'w, 'a> Beside<'w, 'a> {
    pub(super) fn new(written: &'w [Cow<'a, str>]) -> Self {
        let mut sorted: Vec<(&str, usize)> = Vec::new();
        if written.len() > FEW_NAMES {
            sorted.extend(written.iter().zip(0..).map(|(text, place)| (&**text, place)));
            sorted.sort_unstable();
        }
        Self { written, sorted, has_own_key: OnceCell::new(), has_others: OnceCell::new() }
    }

    /// Whether the text at a place is said by another: by one with more behind it, or by a copy before it.
    pub(super) fn says(&self, place: usize, text: &str) -> bool {
        if self.written.len() <= FEW_NAMES {
            return self.written.iter().enumerate().any(|(other, longer)| {
                other != place && (extends(longer, text) || (longer == text && other < place))
            });
        }
        let from = |is_before: &dyn Fn(&str) -> bool| {
            self.sorted.get(self.sorted.partition_point(|(other, _)| is_before(other)))
        };
        from(&|other| other < text).is_some_and(|(_, first)| *first != place)
            || [b'.', b'['].into_iter().any(|mark| {
                let longer = from(&|other| other.bytes().lt(text.bytes().chain([mark])));
                longer.is_some_and(|(longer, _)| extends(longer, text))
            })
    }

    /// Whether the key of the instance itself is among them.
    pub(super) fn has_own_key(&self) -> bool {
        *self.has_own_key.get_or_init(|| self.written.iter().any(|text| is_own_key(text)))
    }

    /// Whether something else is among them that may be a key.
    pub(super) fn has_others(&self) -> bool {
        let may_be_key = |text: &str| {
            !is_own_key(text) && ["var.", "local.", "each."].iter().any(|start| text.starts_with(start))
        };
        *self.has_others.get_or_init(|| self.written.iter().any(|text| may_be_key(text)))
    }
}

fn is_own_key(text: &str) -> bool {
    matches!(text, "each.key" | "count.index")
}

/// Whether one reference is another with more behind it.
fn extends(longer: &str, text: &str) -> bool {
    longer.len() > text.len() && longer.strip_prefix(text).is_some_and(|rest| rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_the_same_among_few_and_among_many() {
        let some = ["a.b", "a.b.c", "a.b-c", "a.b[0].d", "a", "a.b", "x.y", "x.y[1]", "x.y-z", "a.b.c", "q"];
        let fillers: Vec<String> = (0..FEW_NAMES).map(|at| format!("zz.n{at}")).collect();
        let few: Vec<Cow<'_, str>> = some.into_iter().map(Cow::from).collect();
        let many: Vec<Cow<'_, str>> =
            some.into_iter().chain(fillers.iter().map(|name| &**name)).map(Cow::from).collect();
        let said = |all: &[Cow<'_, str>]| {
            let beside = Beside::new(all);
            (0..some.len()).filter(|place| beside.says(*place, &all[*place])).collect::<Vec<_>>()
        };
        assert_eq!(said(&few), [0, 4, 5, 6, 9]);
        assert_eq!(said(&many), said(&few));
    }
}
