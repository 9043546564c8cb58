//! Conditions over one resource.

use super::links::{Link, LinkIndex, NameIndex, targets};
use super::own_key::{self, ToldKeys};
use super::policy_document;
use super::truth::{Outcome, Truth};
use super::value_test::{Asked, takes_lists, test_known, test_known_for, test_reached};
use super::witness::witness;
use crate::finding::{NOT_SET, Observation};
use crate::graph::{
    Attribute, AttributePath, Block, Format, Graph, HIDDEN, Places, Reached, Referent, Resolved, Resource,
    ResourceId, Role, State, Unknown, places,
};
use crate::json::read_json;
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::rules::{Companion, Condition, Defaults, Over, PolicyQuestion, Present, RuleSet, Target, Test};
use crate::settings::Settings;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Said of what a rule forbids.
const MUST_NOT: &str = "this must not be";

/// By type, then by the attribute that points: few rules look at one type.
type Links = RefCell<HashMap<Box<str>, Vec<(AttributePath, Rc<LinkIndex>)>>>;
/// By type, then by the attributes that name.
type Names = RefCell<HashMap<Box<str>, Vec<(Vec<AttributePath>, Rc<NameIndex>)>>>;

/// What conditions over a whole provider configuration came to, by the place of the condition in the rules,
/// what it is for, whether it is told, and the configuration.
type Found = RefCell<HashMap<(usize, Asked, bool, Box<str>), Outcome>>;
/// The same of conditions over one other resource: many may point at it.
type Others = RefCell<HashMap<(usize, Asked, bool, ResourceId), Outcome>>;

/// Said of a resource that is made under a condition, or nobody knows how often.
const MAY_BE_ABSENT: &str = "not known whether it will be there";

/// Said of a link that may lead elsewhere.
const MAY_BELONG_ELSEWHERE: &str = "not known which resource it belongs to";

/// What conditions are judged in: the graph, the defaults, and the links found so far.
pub(super) struct Surroundings<'g> {
    pub(super) graph: &'g Graph,
    pub(super) defaults: &'g Defaults,
    pub(super) settings: &'g Settings,
    links: Links,
    names: Names,
    found: Found,
    others: Others,
    keys: ToldKeys,
}

/// The place in a resource from which paths lead on.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    id: ResourceId,
    pub(super) resource: &'v Resource,
    pub(super) block: &'v Block,
    /// Path of the block in its resource, with places in lists.
    at: &'v str,
    /// The same without them, for defaults. None in a document: providers have no defaults there.
    names: Option<&'v str>,
    pub(super) is_sensitive: bool,
    asked: Asked,
    /// Whether what is seen is told. Most of what is judged passes, and nobody asks why.
    pub(super) tells: bool,
}

impl<'v> View<'v> {
    fn of(id: ResourceId, resource: &'v Resource, asked: Asked, tells: bool) -> Self {
        let block = &resource.attributes;
        Self { id, resource, block, at: "", names: Some(""), is_sensitive: false, asked, tells }
    }

    /// What a path reaches from here. `None` if there are more places than the limit.
    pub(super) fn reach(&self, path: &AttributePath) -> Option<Places<'v>> {
        places(self.block, path, self.tells)
    }

    /// A truth with what decided it, if that is told.
    pub(super) fn outcome(&self, truth: Truth, observation: impl FnOnce() -> Observation) -> Outcome {
        if self.tells { Outcome::of(truth, observation) } else { Outcome::untold(truth) }
    }

    /// A path as a report shows it.
    fn full(&self, at: &str) -> Box<str> {
        if self.tells { join(self.at, at).into() } else { Box::default() }
    }

    /// A value as a report shows it: hidden if the place it stands in, or the way there, is secret.
    fn shown(&self, value: &Attribute, is_sensitive: bool) -> String {
        if is_sensitive || self.is_sensitive { HIDDEN.to_owned() } else { crate::secret_names::shown(value) }
    }

    pub(super) fn observe(&self, reached: &Reached<'_>, origin: &str) -> Observation {
        // A value in a secret place is not shown, wherever the view began.
        let value = if self.is_sensitive { HIDDEN.to_owned() } else { reached.shown() };
        Observation { address: None, path: self.full(&reached.at), value, origin: origin.to_owned() }
    }

    /// What is said of the resource, or of the whole deployment.
    fn of_all(&self, value: String) -> Observation {
        Observation { address: None, path: Box::default(), value, origin: String::new() }
    }

    pub(super) fn told(&self, path: &AttributePath, value: &str, origin: &str) -> Observation {
        let path = self.full(path.as_str());
        Observation { address: None, path, value: value.to_owned(), origin: origin.to_owned() }
    }
}

fn join<'t>(outer: &'t str, inner: &'t str) -> Cow<'t, str> {
    match (outer, inner) {
        ("", only) | (only, "") => Cow::Borrowed(only),
        (outer, inner) => Cow::Owned([outer, inner].join(".")),
    }
}

/// Where nobody is told why, what follows a part that does not hold changes nothing.
fn until_decided(mut outcomes: impl Iterator<Item = Outcome>, tells: bool) -> impl Iterator<Item = Outcome> {
    let mut is_decided = false;
    std::iter::from_fn(move || {
        let outcome = if is_decided { None } else { outcomes.next() }?;
        is_decided = !tells && outcome.truth == Truth::No;
        Some(outcome)
    })
}

impl<'g> Surroundings<'g> {
    pub(super) fn new(graph: &'g Graph, rules: &'g RuleSet) -> Self {
        Self {
            graph,
            defaults: rules.defaults(),
            settings: rules.settings(),
            links: RefCell::default(),
            names: RefCell::default(),
            found: RefCell::default(),
            others: RefCell::default(),
            keys: ToldKeys::of(graph),
        }
    }

    /// What a condition comes to for a resource: whether it meets it, or whether a rule concerns it.
    pub(super) fn judge(
        &self,
        condition: &Condition,
        id: ResourceId,
        resource: &Resource,
        (asked, tells): (Asked, bool),
    ) -> Outcome {
        self.eval(condition, View::of(id, resource, asked, tells))
    }

    /// What a condition comes to for another resource, on which the answer about the first one hangs.
    fn judge_other(
        &self,
        condition: &Condition,
        id: ResourceId,
        other: &Resource,
        (asked, tells): (Asked, bool),
    ) -> Outcome {
        let key = (std::ptr::from_ref(condition).addr(), asked.of_another(), tells, id);
        if let Some(known) = self.others.borrow().get(&key) {
            return known.clone();
        }
        let view = View::of(id, other, asked.of_another(), tells);
        let outcome = self.eval(condition, view).seen_at(&other.address);
        self.others.borrow_mut().insert(key, outcome.clone());
        outcome
    }

    fn eval(&self, condition: &Condition, view: View<'_>) -> Outcome {
        match condition {
            Condition::All(parts) => {
                Outcome::every(until_decided(parts.iter().map(|part| self.eval(part, view)), view.tells))
            }
            Condition::Any(parts) => {
                let none = || Outcome::untold(Truth::No);
                Outcome::some(parts.iter().map(|part| self.eval(part, view)), none)
            }
            Condition::NoOne(parts) => {
                let outcomes = parts.iter().map(|part| {
                    let seen = || view.told(&AttributePath::default(), &witness(part, view), MUST_NOT);
                    let asked = View { asked: view.asked.turned(), ..view };
                    Outcome::no_one([self.eval(part, asked)], || view.outcome(Truth::No, seen))
                });
                Outcome::every(until_decided(outcomes, view.tells))
            }
            Condition::Test { path, over, test } => self.test(view, path, *over, test),
            Condition::Blocks { path, over, empty, of } => self.blocks(view, path, *over, *empty, of),
            Condition::Document { path, of } => self.document(view, path, of),
            Condition::Policy { path, asks } => self.policy(view, path, *asks),
            Condition::Companion(companion) => self.companion(view, companion),
            Condition::Target(target) => self.target(view, target),
            Condition::Present(present) => self.present(view, present),
            Condition::Ports(ports) => super::ports::let_through(view, ports),
            Condition::Addresses(addresses) => super::addresses::hold_at_most(view, addresses),
            Condition::Secret(secret) => super::secrets::is_free(self.graph, view, secret),
            Condition::Decided(decided) => super::decided::stands(self.settings, view, decided),
            Condition::Change(change) => super::change::stands(self.defaults, view, change),
        }
    }

    fn test(&self, view: View<'_>, path: &AttributePath, over: Over, test: &Test) -> Outcome {
        let view = View { asked: asked_over(view, over), ..view };
        let Some(reached) = view.reach(path) else { return too_many(view, path) };
        // Only what is not written, in one case at least, or written as an empty list, asks for a default.
        let asks = |one: &Reached<'_>| {
            matches!(
                one.state,
                State::Null | State::Unset | State::Unknown(_) | State::Known(Attribute::List(_))
            )
        };
        let names = view.names.filter(|_| reached.iter().any(asks));
        let default =
            names.and_then(|names| self.defaults.of(&view.resource.kind, &join(names, path.as_str())));
        let none = || view.outcome(Truth::No, || view.told(path, NOT_SET, ""));
        let met = || view.outcome(Truth::No, || view.told(path, "meets what it must not", ""));
        // The usual case, without a list of outcomes.
        if let [one] = &*reached
            && !matches!(one.state, State::Known(Attribute::List(_)))
        {
            return Outcome::over(over, [self.test_place(view, path, test, one, default)], none, met);
        }
        let mut outcomes = Vec::with_capacity(reached.len());
        for one in reached.iter() {
            match one.state {
                State::Known(Attribute::List(items)) if !takes_lists(test) => {
                    let present = items.iter().filter(|item| **item != Attribute::Null);
                    let before = outcomes.len();
                    outcomes.extend(present.map(|item| {
                        let (truth, origin) = self.known(view, path, test, item);
                        view.outcome(truth, || {
                            let value = view.shown(item, one.is_sensitive);
                            let origin = origin.to_owned();
                            Observation { address: None, path: view.full(&one.at), value, origin }
                        })
                    }));
                    if outcomes.len() == before {
                        let absent = Reached { state: State::Unset, is_sensitive: false, at: one.at.clone() };
                        outcomes.push(self.test_one(view, test, &absent, default));
                    }
                }
                _ => outcomes.push(self.test_place(view, path, test, one, default)),
            }
        }
        Outcome::over(over, outcomes, none, met)
    }

    /// A test of one place that is no list whose items are tested.
    fn test_place(
        &self,
        view: View<'_>,
        path: &AttributePath,
        test: &Test,
        one: &Reached<'_>,
        default: Option<&crate::rules::Default>,
    ) -> Outcome {
        match one.state {
            State::Known(value) if *test == Test::OwnKey => {
                let (truth, origin) = self.known(view, path, test, value);
                view.outcome(truth, || view.observe(one, origin))
            }
            _ => self.test_one(view, test, one, default),
        }
    }

    /// A test of a value that is there, and what else decided.
    fn known(
        &self,
        view: View<'_>,
        path: &AttributePath,
        test: &Test,
        value: &Attribute,
    ) -> (Truth, &'static str) {
        let truth = test_known_for(test, value, view.asked);
        // Nothing in a document comes from a provider.
        let Some(names) = view.names.filter(|_| *test == Test::OwnKey && truth == Truth::Yes) else {
            return (truth, "");
        };
        let path = join(names, path.as_str());
        own_key::doubt(self.graph, &self.keys, view.resource, &path, value).unwrap_or((truth, ""))
    }

    fn test_one(
        &self,
        view: View<'_>,
        test: &Test,
        reached: &Reached<'_>,
        default: Option<&crate::rules::Default>,
    ) -> Outcome {
        let tested = test_reached(test, reached, default, self.graph, view.asked);
        view.outcome(tested.truth, || {
            let mut seen = view.observe(reached, &tested.origin);
            if let Some(instead) = tested.instead {
                seen.value = instead.shown();
                seen.origin.push_str("; not set");
            }
            seen
        })
    }

    fn blocks(
        &self,
        view: View<'_>,
        path: &AttributePath,
        over: Over,
        empty: bool,
        of: &Condition,
    ) -> Outcome {
        let Some(reached) = view.reach(path) else { return too_many(view, path) };
        let inner = View { asked: asked_over(view, over), ..view };
        let mut outcomes = Vec::new();
        for one in reached.iter() {
            match one.state {
                State::Known(Attribute::List(items)) => {
                    for (place, item) in
                        items.iter().enumerate().filter(|(_, item)| **item != Attribute::Null)
                    {
                        let is_placed = view.tells && items.len() > 1;
                        let at = if is_placed { format!("{}[{place}]", one.at) } else { one.at.to_string() };
                        let outcome = self.in_block(inner, path, item, &at, one.is_sensitive, of);
                        outcomes.push(forbidden(view, over, outcome, &at, item, one.is_sensitive));
                    }
                }
                State::Known(value) => {
                    let outcome = self.in_block(inner, path, value, &one.at, one.is_sensitive, of);
                    outcomes.push(forbidden(view, over, outcome, &one.at, value, one.is_sensitive));
                }
                State::Null | State::Unset => {}
                State::Unknown(_) => outcomes.push(view.outcome(Truth::Maybe, || view.observe(one, ""))),
                State::OtherShape(_) => {
                    let seen = || view.observe(one, "the rule expects blocks here");
                    outcomes.push(view.outcome(Truth::Broken, seen));
                }
            }
        }
        if outcomes.is_empty() {
            return view.outcome(empty.into(), || view.told(path, NOT_SET, ""));
        }
        let none = || view.outcome(Truth::No, || view.told(path, NOT_SET, ""));
        // What must not be was turned already, block by block.
        let over = if over == Over::None { Over::Every } else { over };
        Outcome::over(over, outcomes, none, || view.outcome(Truth::No, || view.told(path, MUST_NOT, "")))
    }

    fn in_block(
        &self,
        view: View<'_>,
        path: &AttributePath,
        item: &Attribute,
        at: &str,
        is_sensitive: bool,
        of: &Condition,
    ) -> Outcome {
        match item {
            Attribute::Block(block) => {
                let at = view.full(at);
                let names = view.names.map(|names| join(names, path.as_str()));
                let is_sensitive = is_sensitive || view.is_sensitive;
                self.eval(of, View { block, at: &at, names: names.as_deref(), is_sensitive, ..view })
            }
            Attribute::Sensitive(secret) => self.in_block(view, path, secret.value(), at, true, of),
            Attribute::Unknown(unknown) => unknown_outcome(view, path, unknown),
            other => view.outcome(Truth::Broken, || {
                view.told(path, &view.shown(other, is_sensitive), "the rule expects blocks here")
            }),
        }
    }

    fn document(&self, view: View<'_>, path: &AttributePath, of: &Condition) -> Outcome {
        let Some(reached) = view.reach(path) else { return too_many(view, path) };
        Outcome::every(reached.iter().map(|one| match one.state {
            State::Known(Attribute::Text(text)) if !text.trim().is_empty() => match parse(text) {
                Some(document @ (Attribute::Block(_) | Attribute::List(_))) => {
                    let at = view.full(&one.at);
                    let is_sensitive = view.is_sensitive || one.is_sensitive;
                    let block = block_of(document);
                    self.eval(of, View { block: &block, at: &at, names: None, is_sensitive, ..view })
                }
                _ => view.outcome(Truth::Broken, || view.observe(one, "no JSON object or list")),
            },
            State::Known(Attribute::Block(block)) => {
                let at = view.full(&one.at);
                let is_sensitive = view.is_sensitive || one.is_sensitive;
                self.eval(of, View { block, at: &at, names: None, is_sensitive, ..view })
            }
            State::Null | State::Unset | State::Known(Attribute::Text(_)) => {
                view.outcome(Truth::No, || view.told(path, NOT_SET, ""))
            }
            State::Unknown(unknown) => unknown_outcome(view, path, unknown),
            State::Known(_) | State::OtherShape(_) => {
                view.outcome(Truth::Broken, || view.observe(one, "the rule expects a JSON text here"))
            }
        }))
    }

    fn policy(&self, view: View<'_>, path: &AttributePath, asks: PolicyQuestion) -> Outcome {
        let Some(reached) = view.reach(path) else { return too_many(view, path) };
        Outcome::every(reached.iter().map(|one| {
            let (truth, origin) = match one.state {
                State::Known(Attribute::Text(text)) if text.trim().is_empty() => (no_policy(asks), ""),
                State::Known(Attribute::Text(text)) => match parse(text) {
                    Some(document) => (policy_document::answer(&document, asks), policy_words(asks)),
                    None => (Truth::Broken, "no JSON"),
                },
                State::Known(document @ Attribute::Block(_)) => {
                    (policy_document::answer(document, asks), policy_words(asks))
                }
                State::Null | State::Unset => (no_policy(asks), ""),
                State::Unknown(unknown) => (self.unknown_policy(unknown, asks), policy_words(asks)),
                State::Known(_) | State::OtherShape(_) => (Truth::Broken, "the rule expects a policy here"),
            };
            view.outcome(truth, || view.observe(one, origin))
        }))
    }

    /// A policy that is not known as text may be the data source of statements it is made of.
    fn unknown_policy(&self, unknown: &Unknown, asks: PolicyQuestion) -> Truth {
        let mut documents = unknown.references.iter().filter(|reference| reference.to != Referent::OwnKey);
        let (Some(only), None) = (documents.next(), documents.next()) else { return Truth::Maybe };
        let Referent::Block(block) = &only.to else { return Truth::Maybe };
        if &*block.kind != "aws_iam_policy_document" || !matches!(&*block.attribute, "json" | "minified_json")
        {
            return Truth::Maybe;
        }
        let Resolved::One(id) = self.graph.resolve(block) else { return Truth::Maybe };
        let Some(data) = self.graph.get(id).filter(|data| data.role == Role::Data) else {
            return Truth::Maybe;
        };
        // Documents that are merged in are not in these statements.
        let merges = ["source_json", "override_json", "source_policy_documents", "override_policy_documents"];
        let is_set = |name: &&str| {
            data.attributes.get(name).is_some_and(|value| test_known(&Test::Set, value) != Truth::No)
        };
        if merges.iter().any(is_set) {
            return Truth::Maybe;
        }
        match policy_document::answer(&Attribute::Block(data.attributes.clone()), asks) {
            // A data source without statements was not understood; it is not a policy without any.
            Truth::Broken => Truth::Maybe,
            known => known,
        }
    }

    fn companion(&self, view: View<'_>, companion: &Companion) -> Outcome {
        let mut outcomes = Vec::new();
        for kind in &companion.types {
            let index = self.links_of(kind, &companion.by);
            if index.is_empty() {
                continue;
            }
            let names = self.names_of(&view.resource.kind, &companion.own);
            for (id, link) in index.of(self.graph, view.id, &companion.own, &names) {
                if companion.is_sure && link == Link::Maybe {
                    continue;
                }
                let Some(other) = self.graph.get(id) else { continue };
                let met = match &companion.of {
                    Some(condition) => {
                        let asked = asked_over(view, companion.over);
                        self.judge_other(condition, id, other, (asked, view.tells))
                    }
                    None => Outcome::yes(),
                };
                let met = linked(view, met, link, companion.over, (&other.address, &companion.by));
                let outcome = match companion.over {
                    Over::None => Outcome::no_one([met], || {
                        view.outcome(Truth::No, || must_not_belong(&other.address, kind))
                    }),
                    Over::Every | Over::Some => met,
                };
                match (companion.over, outcome.truth) {
                    (Over::Some, Truth::Yes) => return outcome,
                    (Over::Every | Over::None, Truth::No) if !view.tells => return outcome,
                    _ => outcomes.push(outcome),
                }
            }
        }
        let words = || companion.types.join(" or ");
        if !self.sees_others() {
            outcomes.push(view.outcome(Truth::Maybe, || {
                view.of_all(format!(
                    "not known whether a {} belongs to it: other objects are not seen",
                    words()
                ))
            }));
        }
        let none = || view.outcome(Truth::No, || view.of_all(format!("no {} belongs to it", words())));
        // What must not be was turned already, one by one. One that may belong to another resource proves
        // nothing.
        match companion.over {
            Over::Some => Outcome::some(outcomes, none),
            Over::Every | Over::None => Outcome::every(outcomes),
        }
    }

    /// Whether what stands beside a resource is seen as well.
    fn sees_others(&self) -> bool {
        self.graph.format() != Format::ClusterObject
    }

    fn links_of(&self, kind: &str, by: &AttributePath) -> Rc<LinkIndex> {
        if let Some(of_kind) = self.links.borrow().get(kind)
            && let Some((_, known)) = of_kind.iter().find(|(path, _)| path == by)
        {
            return Rc::clone(known);
        }
        let index = Rc::new(LinkIndex::new(self.graph, kind, by));
        let mut links = self.links.borrow_mut();
        links.entry(kind.into()).or_default().push((by.clone(), Rc::clone(&index)));
        index
    }

    fn names_of(&self, kind: &str, own: &[AttributePath]) -> Rc<NameIndex> {
        if let Some(of_kind) = self.names.borrow().get(kind)
            && let Some((_, known)) = of_kind.iter().find(|(paths, _)| paths == own)
        {
            return Rc::clone(known);
        }
        let index = Rc::new(NameIndex::new(self.graph, kind, own));
        let mut names = self.names.borrow_mut();
        names.entry(kind.into()).or_default().push((own.to_vec(), Rc::clone(&index)));
        index
    }

    fn target(&self, view: View<'_>, target: &Target) -> Outcome {
        let found = targets(self.graph, view.resource, &target.path, &target.types, |kind| {
            self.names_of(kind, &target.own)
        });
        if found.is_empty() {
            return view.outcome(Truth::No, || view.told(&target.path, NOT_SET, ""));
        }
        Outcome::every(found.into_iter().map(|(id, link)| {
            let other = id.and_then(|id| Some((id, self.graph.get(id)?)));
            let Some((id, other)) = other.filter(|(_, other)| target.types.contains(&other.kind)) else {
                return view.outcome(Truth::Maybe, || {
                    let what = format!("no {} of this deployment", target.types.join(" or "));
                    view.told(&target.path, &what, "")
                });
            };
            let met = match &target.of {
                Some(condition) => self.judge_other(condition, id, other, (view.asked, view.tells)),
                None => Outcome::yes(),
            };
            match link {
                Link::Yes => met,
                // If it points elsewhere, what stands there decides.
                Link::Maybe => uncertain(view, (&other.address, &target.path), MAY_BELONG_ELSEWHERE),
                Link::IfThere => uncertain(view, (&other.address, &target.path), MAY_BE_ABSENT),
            }
        }))
    }

    /// All resources of one configuration get the same answer: it is found once. What is made under a
    /// condition of its own may get another.
    fn present(&self, view: View<'_>, present: &Present) -> Outcome {
        if view.resource.condition.is_some() {
            return self.find_present(view, present);
        }
        let place = std::ptr::from_ref(present).addr();
        let key = (place, view.asked, view.tells, view.resource.provider.clone());
        if let Some(known) = self.found.borrow().get(&key) {
            return known.clone();
        }
        let outcome = self.find_present(view, present);
        self.found.borrow_mut().insert(key, outcome.clone());
        outcome
    }

    fn find_present(&self, view: View<'_>, present: &Present) -> Outcome {
        let by = AttributePath::of("provider");
        let all = present.types.iter().flat_map(|kind| self.graph.of_kind(kind));
        let outcomes = all.filter_map(|(id, other)| {
            let account = same_account(&other.provider, &view.resource.provider)?;
            let met = match &present.of {
                Some(condition) => self.judge_other(condition, id, other, (view.asked, view.tells)),
                None => Outcome::yes(),
            };
            let is_there = other.is_there_with(view.resource);
            let link = if account == Link::Yes && !is_there { Link::IfThere } else { account };
            Some(linked(view, met, link, Over::Some, (&other.address, &by)))
        });
        let none = || {
            let truth = if present.is_owed && self.sees_others() { Truth::No } else { Truth::Maybe };
            view.outcome(truth, || {
                view.of_all(format!("no {} in this deployment", present.types.join(" or ")))
            })
        };
        Outcome::some(outcomes, none)
    }
}

/// Whether two provider configurations are of one account and region. A module's own configuration may
/// be the one it was given under that name, or another.
fn same_account(one: &str, other: &str) -> Option<Link> {
    match one == other {
        true => Some(Link::Yes),
        false if (one.contains(':') || other.contains(':')) && base(one) == base(other) => Some(Link::Maybe),
        false => None,
    }
}

fn base(key: &str) -> Option<&str> {
    key.rsplit(':').next()
}

/// What a companion proves, when it is not sure that it belongs here.
fn linked(view: View<'_>, met: Outcome, link: Link, over: Over, place: (&str, &AttributePath)) -> Outcome {
    let decides = match over {
        Over::Some => met.truth == Truth::Yes,
        Over::Every => met.truth != Truth::Yes,
        Over::None => met.truth == Truth::Yes,
    };
    match link {
        Link::IfThere if decides => uncertain(view, place, MAY_BE_ABSENT),
        Link::Maybe if decides => uncertain(view, place, MAY_BELONG_ELSEWHERE),
        Link::Yes | Link::Maybe | Link::IfThere => met,
    }
}

/// What is asked of one of many: of none of them, it is what must not be.
fn asked_over(view: View<'_>, over: Over) -> Asked {
    if over == Over::None { view.asked.turned() } else { view.asked }
}

/// Of a block that must not meet a condition: whether it doesn't, and what it says if it does.
fn forbidden(
    view: View<'_>,
    over: Over,
    met: Outcome,
    at: &str,
    block: &Attribute,
    is_sensitive: bool,
) -> Outcome {
    if over != Over::None {
        return met;
    }
    let seen = || {
        let value = view.shown(block, is_sensitive);
        Observation { address: None, path: view.full(at), value, origin: MUST_NOT.to_owned() }
    };
    Outcome::no_one([met], || view.outcome(Truth::No, seen))
}

/// Of a resource that belongs to the judged one and must not.
fn must_not_belong(address: &str, kind: &str) -> Observation {
    let value = format!("a {kind} must not be so");
    Observation { address: Some(address.into()), path: Box::default(), value, origin: String::new() }
}

/// A link that may lead to another resource, or to one that is not there.
fn uncertain(view: View<'_>, (address, by): (&str, &AttributePath), why: &str) -> Outcome {
    view.outcome(Truth::Maybe, || Observation {
        address: Some(address.into()),
        path: by.as_str().into(),
        value: why.to_owned(),
        origin: String::new(),
    })
}

fn unknown_outcome(view: View<'_>, path: &AttributePath, unknown: &Unknown) -> Outcome {
    view.outcome(Truth::Maybe, || view.told(path, &format!("({})", unknown.reason), &unknown.expression()))
}

fn too_many(view: View<'_>, path: &AttributePath) -> Outcome {
    view.outcome(Truth::Broken, || view.told(path, "more values than a check looks at", ""))
}

/// The document itself; a list is the `items` of one.
fn block_of(document: Attribute) -> Block {
    match document {
        Attribute::Block(block) => block,
        // One name is not there twice.
        other => Block::new(vec![("items".into(), other)]).unwrap_or_default(),
    }
}

pub(super) fn parse(text: &str) -> Option<Attribute> {
    (text.len() <= MAX_DOCUMENT_BYTES).then(|| read_json(text).ok()).flatten()
}

/// What holds where there is no policy at all.
const fn no_policy(asks: PolicyQuestion) -> Truth {
    match asks {
        PolicyQuestion::NoPublicPrincipal | PolicyQuestion::NoFullAccess | PolicyQuestion::NoOpenTrust => {
            Truth::Yes
        }
        PolicyQuestion::TlsRequired | PolicyQuestion::TrustsPeople | PolicyQuestion::SecondFactor => {
            Truth::No
        }
    }
}

const fn policy_words(asks: PolicyQuestion) -> &'static str {
    match asks {
        PolicyQuestion::NoPublicPrincipal => "allows something to everybody",
        PolicyQuestion::NoFullAccess => "allows every action on everything",
        PolicyQuestion::NoOpenTrust => "trusts everybody, or every subject of a federation",
        PolicyQuestion::TrustsPeople => "trusts no account and no user",
        PolicyQuestion::SecondFactor => "no condition asks for aws:MultiFactorAuthPresent",
        PolicyQuestion::TlsRequired => "no statement denies everybody what does not come over TLS",
    }
}
