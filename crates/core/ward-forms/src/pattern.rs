//! A small matcher for the patterns forms put on texts (`regex` extension).
//!
//! It runs all alternatives side by side, so its time grows with the length of
//! the text times the size of the pattern, whatever the pattern says. It knows
//! letters, `.`, classes, groups, alternation, the repetitions `* + ? {n,m}`, and
//! `^ $` at the ends. A pattern that uses more (look-around, back references,
//! properties) is reported as not readable instead of being half applied.

use crate::limits::{MAX_PATTERN_BYTES, MAX_PATTERN_DEPTH, MAX_PATTERN_STEPS};

/// Why a pattern is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// It uses something outside the supported part, or is broken; the author
    /// rewrites it.
    #[error("the pattern uses something that is not supported")]
    NotSupported,
    /// It is too long or repeats too much; the author shortens it.
    #[error("the pattern is too large")]
    TooLarge,
}

#[derive(Debug, Clone)]
enum Step {
    /// Consumes one character that the set holds.
    One(Set),
    /// Goes on at either place.
    Split(usize, usize),
    /// Goes on elsewhere.
    Jump(usize),
    /// Nothing more to match.
    Done,
}

#[derive(Debug, Clone, Default)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.negated
    }

    fn single(c: char) -> Self {
        Self { negated: false, ranges: vec![(c, c)] }
    }
}

#[derive(Debug)]
enum Node {
    Empty,
    One(Set),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat { node: Box<Node>, least: usize, most: Option<usize> },
}

impl Node {
    /// Whether it emits no step at all.
    fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Sequence(parts) => parts.iter().all(Self::is_empty),
            Self::One(_) | Self::Either(_) | Self::Repeat { .. } => false,
        }
    }
}

/// A pattern ready for use.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    steps: Vec<Step>,
}

impl Pattern {
    pub(crate) fn compile(source: &str) -> Result<Self, PatternError> {
        if source.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLarge);
        }
        let mut inner = source.strip_prefix('^').unwrap_or(source);
        if let Some(head) = inner.strip_suffix('$') {
            let escapes = head.chars().rev().take_while(|c| *c == '\\').count();
            inner = if escapes % 2 == 0 { head } else { inner };
        }
        let mut parser = Parser { chars: inner.chars().collect(), at: 0 };
        let node = parser.alternatives(0)?;
        // `^a|b$` anchors each alternative on one side only; the whole text must
        // match anyway, so a top-level alternative next to an anchor is the only
        // ambiguous case and is left to the author.
        let is_anchored = inner.len() != source.len();
        if parser.at != parser.chars.len() || (is_anchored && matches!(node, Node::Either(_))) {
            return Err(PatternError::NotSupported);
        }
        let mut steps = Vec::new();
        emit(&node, &mut steps)?;
        push(&mut steps, Step::Done)?;
        Ok(Self { steps })
    }

    /// Whether the whole text has the form.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut current = Threads::new(self.steps.len());
        let mut next = Threads::new(self.steps.len());
        current.add(&self.steps, 0);
        for c in text.chars() {
            next.clear();
            for at in &current.list {
                if let Some(Step::One(set)) = self.steps.get(*at)
                    && set.holds(c)
                {
                    next.add(&self.steps, at + 1);
                }
            }
            std::mem::swap(&mut current, &mut next);
            if current.list.is_empty() {
                return false;
            }
        }
        current.list.iter().any(|at| matches!(self.steps.get(*at), Some(Step::Done)))
    }
}

/// The places the matcher is at, each once.
struct Threads {
    list: Vec<usize>,
    seen: Vec<bool>,
    stack: Vec<usize>,
}

impl Threads {
    fn new(len: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; len], stack: Vec::new() }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.seen.fill(false);
    }

    fn add(&mut self, steps: &[Step], start: usize) {
        self.stack.push(start);
        while let Some(at) = self.stack.pop() {
            match self.seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match steps.get(at) {
                Some(Step::Split(left, right)) => self.stack.extend([*right, *left]),
                Some(Step::Jump(to)) => self.stack.push(*to),
                Some(Step::One(_) | Step::Done) => self.list.push(at),
                None => {}
            }
        }
    }
}

fn push(steps: &mut Vec<Step>, step: Step) -> Result<usize, PatternError> {
    if steps.len() >= MAX_PATTERN_STEPS {
        return Err(PatternError::TooLarge);
    }
    steps.push(step);
    Ok(steps.len() - 1)
}

fn set(steps: &mut [Step], at: usize, step: Step) {
    if let Some(slot) = steps.get_mut(at) {
        *slot = step;
    }
}

fn emit(node: &Node, steps: &mut Vec<Step>) -> Result<(), PatternError> {
    match node {
        Node::Empty => Ok(()),
        Node::One(characters) => push(steps, Step::One(characters.clone())).map(drop),
        Node::Sequence(parts) => parts.iter().try_for_each(|part| emit(part, steps)),
        Node::Either(parts) => emit_either(parts, steps),
        Node::Repeat { node, least, most } => emit_repeat(node, *least, *most, steps),
    }
}

fn emit_either(parts: &[Node], steps: &mut Vec<Step>) -> Result<(), PatternError> {
    let Some((last, rest)) = parts.split_last() else {
        return Ok(());
    };
    let mut exits = Vec::new();
    for part in rest {
        let split = push(steps, Step::Done)?;
        emit(part, steps)?;
        exits.push(push(steps, Step::Done)?);
        let after = steps.len();
        set(steps, split, Step::Split(split + 1, after));
    }
    emit(last, steps)?;
    let end = steps.len();
    for exit in exits {
        set(steps, exit, Step::Jump(end));
    }
    Ok(())
}

fn emit_repeat(
    node: &Node,
    least: usize,
    most: Option<usize>,
    steps: &mut Vec<Step>,
) -> Result<(), PatternError> {
    if least > MAX_PATTERN_STEPS || most.is_some_and(|most| most > MAX_PATTERN_STEPS) {
        return Err(PatternError::TooLarge);
    }
    for _ in 0..least {
        emit(node, steps)?;
    }
    let Some(most) = most else {
        let split = push(steps, Step::Done)?;
        emit(node, steps)?;
        push(steps, Step::Jump(split))?;
        let after = steps.len();
        set(steps, split, Step::Split(split + 1, after));
        return Ok(());
    };
    let mut splits = Vec::new();
    for _ in least..most {
        splits.push(push(steps, Step::Done)?);
        emit(node, steps)?;
    }
    let after = steps.len();
    for split in splits {
        set(steps, split, Step::Split(split + 1, after));
    }
    Ok(())
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += 1;
        }
        found
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, PatternError> {
        if depth > MAX_PATTERN_DEPTH {
            return Err(PatternError::TooLarge);
        }
        let first = self.sequence(depth)?;
        if self.peek() != Some('|') {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat('|') {
            parts.push(self.sequence(depth)?);
        }
        Ok(Node::Either(parts))
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, PatternError> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            let atom = self.atom(depth)?;
            parts.push(self.repeated(atom)?);
        }
        Ok(Node::Sequence(parts))
    }

    fn atom(&mut self, depth: usize) -> Result<Node, PatternError> {
        match self.next().ok_or(PatternError::NotSupported)? {
            '(' => {
                if self.eat('?') && !self.eat(':') {
                    return Err(PatternError::NotSupported);
                }
                let node = self.alternatives(depth + 1)?;
                if self.eat(')') { Ok(node) } else { Err(PatternError::NotSupported) }
            }
            '[' => self.class().map(Node::One),
            '.' => Ok(Node::One(Set { negated: true, ranges: vec![('\n', '\n'), ('\r', '\r')] })),
            '\\' => self.escape().map(Node::One),
            '*' | '+' | '?' | '{' | '}' | ']' | '^' | '$' => Err(PatternError::NotSupported),
            c => Ok(Node::One(Set::single(c))),
        }
    }

    fn repeated(&mut self, node: Node) -> Result<Node, PatternError> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.at += 1;
                let counts = self.counts()?;
                return self.wrap(node, counts);
            }
            _ => return Ok(node),
        };
        self.at += 1;
        self.wrap(node, (least, most))
    }

    fn wrap(&mut self, node: Node, (least, most): (usize, Option<usize>)) -> Result<Node, PatternError> {
        // A lazy repetition accepts the same texts.
        self.eat('?');
        if matches!(self.peek(), Some('*' | '+' | '{')) || most.is_some_and(|most| most < least) {
            return Err(PatternError::NotSupported);
        }
        // Nothing repeated is nothing. Without this rule nested repetitions of an
        // empty group would cost time without ever reaching the step limit.
        if most == Some(0) || node.is_empty() {
            return Ok(Node::Empty);
        }
        Ok(Node::Repeat { node: Box::new(node), least, most })
    }

    fn counts(&mut self) -> Result<(usize, Option<usize>), PatternError> {
        let least = self.number().ok_or(PatternError::NotSupported)?;
        let most = if self.eat(',') {
            if self.peek() == Some('}') {
                None
            } else {
                Some(self.number().ok_or(PatternError::NotSupported)?)
            }
        } else {
            Some(least)
        };
        if self.eat('}') { Ok((least, most)) } else { Err(PatternError::NotSupported) }
    }

    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits.parse().ok()
    }

    fn class(&mut self) -> Result<Set, PatternError> {
        let mut class = Set { negated: self.eat('^'), ranges: Vec::new() };
        loop {
            match self.next().ok_or(PatternError::NotSupported)? {
                ']' if !class.ranges.is_empty() => return Ok(class),
                '[' | ']' => return Err(PatternError::NotSupported),
                '&' if self.peek() == Some('&') => return Err(PatternError::NotSupported),
                '\\' => {
                    let escaped = self.escape()?;
                    let single = escaped.ranges.first().filter(|(from, to)| from == to && !escaped.negated);
                    match single.filter(|_| escaped.ranges.len() == 1).copied() {
                        Some((from, _)) => class.ranges.push(self.range_from(from)?),
                        None if escaped.negated => return Err(PatternError::NotSupported),
                        None => class.ranges.extend(escaped.ranges),
                    }
                }
                c => {
                    let range = self.range_from(c)?;
                    class.ranges.push(range);
                }
            }
        }
    }

    fn range_from(&mut self, from: char) -> Result<(char, char), PatternError> {
        let is_range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
        if !is_range {
            return Ok((from, from));
        }
        self.at += 1;
        let to = match self.next().ok_or(PatternError::NotSupported)? {
            '\\' => match self.escape()?.ranges.as_slice() {
                [(one, same)] if one == same => *one,
                _ => return Err(PatternError::NotSupported),
            },
            '[' => return Err(PatternError::NotSupported),
            c => c,
        };
        if from <= to { Ok((from, to)) } else { Err(PatternError::NotSupported) }
    }

    fn escape(&mut self) -> Result<Set, PatternError> {
        let letters = |negated, ranges: &[(char, char)]| Set { negated, ranges: ranges.to_vec() };
        let word = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        let space = [('\t', '\r'), (' ', ' ')];
        Ok(match self.next().ok_or(PatternError::NotSupported)? {
            'd' => letters(false, &[('0', '9')]),
            'D' => letters(true, &[('0', '9')]),
            'w' => letters(false, &word),
            'W' => letters(true, &word),
            's' => letters(false, &space),
            'S' => letters(true, &space),
            'n' => Set::single('\n'),
            'r' => Set::single('\r'),
            't' => Set::single('\t'),
            c if c.is_ascii_alphanumeric() => return Err(PatternError::NotSupported),
            c => Set::single(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).unwrap().matches(text)
    }

    #[test]
    fn the_whole_text_must_match() {
        for (pattern, yes, no) in [
            ("abc", "abc", "xabc"),
            ("^[0-9]{4}$", "2026", "20261"),
            ("[A-Z]{2}-\\d+", "NL-12", "NL-"),
            ("(a|bc)*d?", "abcad", "abcb"),
            ("[^@\\s]+@[^@\\s]+\\.[a-z]{2,}", "a.b@c.nl", "a b@c.nl"),
            ("(?:\\+31|0)[1-9][0-9]{8}", "+31612345678", "0012345678"),
            ("[\\w.-]+", "a-b.c_d", "a b"),
            ("a{2,3}", "aaa", "aaaa"),
            ("a{0}", "", "a"),
            (".+", "é日", "a\nb"),
            ("cost\\$", "cost$", "cost"),
            ("\\D", "x", "1"),
        ] {
            assert!(matches(pattern, yes), "{pattern} should accept {yes}");
            assert!(!matches(pattern, no), "{pattern} should refuse {no}");
        }
    }

    #[test]
    fn a_pattern_that_explodes_elsewhere_stays_linear() {
        assert!(!matches("(a*)*b", &"a".repeat(5_000)));
        assert!(!matches("(a|a)*(a|a)*b", &"a".repeat(5_000)));
    }

    #[test]
    fn repeated_nothing_is_nothing_and_costs_nothing() {
        assert!(matches("((((){999}){999}){999}){999}", ""));
        assert!(matches("((((a{0}){999}){999}){999}){999}", ""));
        assert!(!matches("(()){2}", "a"));
    }

    #[test]
    fn what_is_not_supported_is_said_not_guessed() {
        for pattern in [
            "(?=a)", "(a", "a)", "[", "[]", "[z-a]", "\\p{L}", "\\b", "a**", "a{", "a{3,2}", "*", "(?<n>a)",
            "^a|b$", "a^b", "[a&&b]", "[[a]]", "\\",
        ] {
            assert_eq!(Pattern::compile(pattern).map(drop), Err(PatternError::NotSupported), "{pattern}");
        }
    }

    #[test]
    fn size_at_the_limit_and_one_past() {
        assert!(Pattern::compile(&"a".repeat(MAX_PATTERN_BYTES)).is_ok());
        assert_eq!(
            Pattern::compile(&"a".repeat(MAX_PATTERN_BYTES + 1)).map(drop),
            Err(PatternError::TooLarge)
        );
        assert!(Pattern::compile(&format!("a{{{}}}", MAX_PATTERN_STEPS - 1)).is_ok());
        assert_eq!(
            Pattern::compile(&format!("a{{{MAX_PATTERN_STEPS}}}")).map(drop),
            Err(PatternError::TooLarge)
        );
        assert_eq!(Pattern::compile("((a{999}){999}){999}").map(drop), Err(PatternError::TooLarge));
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::compile(&nested(MAX_PATTERN_DEPTH)).is_ok());
        assert_eq!(Pattern::compile(&nested(MAX_PATTERN_DEPTH + 1)).map(drop), Err(PatternError::TooLarge));
    }
}
