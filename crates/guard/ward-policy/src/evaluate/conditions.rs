//! Conditions over one resource.

use super::links::{Link, LinkIndex, NameIndex, targets};
use super::own_key::{self, ToldKeys};
use super::policy_document;
use super::truth::{Outcome, Truth};
use super::value_test::{Asked, takes_lists, test_known, test_known_for, test_reached};
use super::witness::witness;
use crate::finding::{NOT_SET, Observation};
use crate::graph::{
    Attribute, AttributePath, Block, Format, Graph, HIDDEN, Reached, Referent, Resolved, Resource,
    ResourceId, Role, State, Unknown, reach,
};
use crate::json::read_json;
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::rules::{Companion, Condition, Defaults, Over, PolicyQuestion, Present, RuleSet, Target, Test};
use crate::settings::Settings;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Said of what a rule forbids.
const MUST_NOT: &str = "this must not be";

type Links = RefCell<HashMap<(Box<str>, AttributePath), Rc<LinkIndex>>>;
type Names = RefCell<HashMap<(Box<str>, Vec<AttributePath>), Rc<NameIndex>>>;

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
}

impl<'v> View<'v> {
    fn of(id: ResourceId, resource: &'v Resource, asked: Asked) -> Self {
        let block = &resource.attributes;
        Self { id, resource, block, at: "", names: Some(""), is_sensitive: false, asked }
    }

    /// A path as a report shows it.
    fn full(&self, at: &str) -> Box<str> {
        join(self.at, at).into()
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

    pub(super) fn told(&self, path: &AttributePath, value: &str, origin: &str) -> Observation {
        let path = self.full(&path.to_string());
        Observation { address: None, path, value: value.to_owned(), origin: origin.to_owned() }
    }
}

fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", inner) => inner.to_owned(),
        (outer, "") => outer.to_owned(),
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

impl<'g> Surroundings<'g> {
    pub(super) fn new(graph: &'g Graph, rules: &'g RuleSet) -> Self {
        Self {
            graph,
            defaults: rules.defaults(),
            settings: rules.settings(),
            links: RefCell::default(),
            names: RefCell::default(),
            keys: ToldKeys::of(graph),
        }
    }

    /// What a condition comes to for a resource.
    pub(super) fn judge(&self, condition: &Condition, id: ResourceId, resource: &Resource) -> Outcome {
        self.eval(condition, View::of(id, resource, Asked::Meets))
    }

    /// What a condition comes to for another resource, on which the answer about the first one hangs.
    fn judge_other(&self, condition: &Condition, id: ResourceId, other: &Resource, asked: Asked) -> Outcome {
        self.eval(condition, View::of(id, other, asked.of_another())).seen_at(&other.address)
    }

    /// Whether a rule concerns a resource: what could take it out of the rule has to be proven.
    pub(super) fn concerns(&self, condition: &Condition, id: ResourceId, resource: &Resource) -> Outcome {
        self.eval(condition, View::of(id, resource, Asked::Concerns))
    }

    fn eval(&self, condition: &Condition, view: View<'_>) -> Outcome {
        match condition {
            Condition::All(parts) => Outcome::every(parts.iter().map(|part| self.eval(part, view))),
            Condition::Any(parts) => {
                let none = Outcome { truth: Truth::No, observed: Vec::new() };
                Outcome::some(parts.iter().map(|part| self.eval(part, view)), none)
            }
            Condition::NoOne(parts) => Outcome::every(parts.iter().map(|part| {
                let met = || view.told(&AttributePath::default(), &witness(part, view), MUST_NOT);
                let asked = View { asked: view.asked.turned(), ..view };
                Outcome::no_one([self.eval(part, asked)], met)
            })),
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
        let Some(reached) = reach(view.block, path) else { return too_many(view, path) };
        // Only what is not written, in one case at least, or written as an empty list, asks for a default.
        let asks = |one: &Reached<'_>| {
            matches!(
                one.state,
                State::Null | State::Unset | State::Unknown(_) | State::Known(Attribute::List(_))
            )
        };
        let names = view.names.filter(|_| reached.iter().any(asks));
        let default =
            names.and_then(|names| self.defaults.of(&view.resource.kind, &join(names, &path.to_string())));
        let mut outcomes = Vec::with_capacity(reached.len());
        for one in &reached {
            match one.state {
                State::Known(Attribute::List(items)) if !takes_lists(test) => {
                    let present = items.iter().filter(|item| **item != Attribute::Null);
                    let before = outcomes.len();
                    outcomes.extend(present.map(|item| {
                        let (truth, origin) = self.known(view, path, test, item);
                        Outcome::of(truth, || {
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
                State::Known(value) if *test == Test::OwnKey => {
                    let (truth, origin) = self.known(view, path, test, value);
                    outcomes.push(Outcome::of(truth, || view.observe(one, origin)));
                }
                _ => outcomes.push(self.test_one(view, test, one, default)),
            }
        }
        let none = Outcome { truth: Truth::No, observed: vec![view.told(path, NOT_SET, "")] };
        Outcome::over(over, outcomes, none, || view.told(path, "meets what it must not", ""))
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
        let path = join(names, &path.to_string());
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
        Outcome::of(tested.truth, || {
            let mut seen = view.observe(reached, &tested.origin);
            if let Some(instead) = tested.instead {
                seen.value = instead;
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
        let Some(reached) = reach(view.block, path) else { return too_many(view, path) };
        let inner = View { asked: asked_over(view, over), ..view };
        let mut outcomes = Vec::new();
        for one in &reached {
            match one.state {
                State::Known(Attribute::List(items)) => {
                    for (place, item) in
                        items.iter().enumerate().filter(|(_, item)| **item != Attribute::Null)
                    {
                        let at =
                            if items.len() > 1 { format!("{}[{place}]", one.at) } else { one.at.to_string() };
                        let outcome = self.in_block(inner, path, item, &at, one.is_sensitive, of);
                        outcomes.push(forbidden(view, over, outcome, &at, item, one.is_sensitive));
                    }
                }
                State::Known(value) => {
                    let outcome = self.in_block(inner, path, value, &one.at, one.is_sensitive, of);
                    outcomes.push(forbidden(view, over, outcome, &one.at, value, one.is_sensitive));
                }
                State::Null | State::Unset => {}
                State::Unknown(_) => {
                    outcomes.push(Outcome { truth: Truth::Maybe, observed: vec![view.observe(one, "")] });
                }
                State::OtherShape(_) => {
                    let observed = vec![view.observe(one, "the rule expects blocks here")];
                    outcomes.push(Outcome { truth: Truth::Broken, observed });
                }
            }
        }
        if outcomes.is_empty() {
            return Outcome::of(empty.into(), || view.told(path, NOT_SET, ""));
        }
        let none = Outcome { truth: Truth::No, observed: vec![view.told(path, NOT_SET, "")] };
        // What must not be was turned already, block by block.
        let over = if over == Over::None { Over::Every } else { over };
        Outcome::over(over, outcomes, none, || view.told(path, MUST_NOT, ""))
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
                let names = view.names.map(|names| join(names, &path.to_string()));
                let is_sensitive = is_sensitive || view.is_sensitive;
                self.eval(of, View { block, at: &at, names: names.as_deref(), is_sensitive, ..view })
            }
            Attribute::Sensitive(secret) => self.in_block(view, path, secret.value(), at, true, of),
            Attribute::Unknown(unknown) => unknown_outcome(view, path, unknown),
            other => {
                let value = view.shown(other, is_sensitive);
                let observed = vec![view.told(path, &value, "the rule expects blocks here")];
                Outcome { truth: Truth::Broken, observed }
            }
        }
    }

    fn document(&self, view: View<'_>, path: &AttributePath, of: &Condition) -> Outcome {
        let Some(reached) = reach(view.block, path) else { return too_many(view, path) };
        Outcome::every(reached.iter().map(|one| match one.state {
            State::Known(Attribute::Text(text)) if !text.trim().is_empty() => match parse(text) {
                Some(document @ (Attribute::Block(_) | Attribute::List(_))) => {
                    let at = view.full(&one.at);
                    let is_sensitive = view.is_sensitive || one.is_sensitive;
                    let block = block_of(document);
                    self.eval(of, View { block: &block, at: &at, names: None, is_sensitive, ..view })
                }
                _ => Outcome {
                    truth: Truth::Broken,
                    observed: vec![view.observe(one, "no JSON object or list")],
                },
            },
            State::Known(Attribute::Block(block)) => {
                let at = view.full(&one.at);
                let is_sensitive = view.is_sensitive || one.is_sensitive;
                self.eval(of, View { block, at: &at, names: None, is_sensitive, ..view })
            }
            State::Null | State::Unset | State::Known(Attribute::Text(_)) => {
                Outcome { truth: Truth::No, observed: vec![view.told(path, NOT_SET, "")] }
            }
            State::Unknown(unknown) => unknown_outcome(view, path, unknown),
            State::Known(_) | State::OtherShape(_) => {
                let observed = vec![view.observe(one, "the rule expects a JSON text here")];
                Outcome { truth: Truth::Broken, observed }
            }
        }))
    }

    fn policy(&self, view: View<'_>, path: &AttributePath, asks: PolicyQuestion) -> Outcome {
        let Some(reached) = reach(view.block, path) else { return too_many(view, path) };
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
            Outcome::of(truth, || view.observe(one, origin))
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
        let names = self.names_of(&view.resource.kind, &companion.own);
        for kind in &companion.types {
            let index = self.links_of(kind, &companion.by);
            for (id, link) in index.of(self.graph, view.id, &companion.own, &names) {
                if companion.is_sure && link == Link::Maybe {
                    continue;
                }
                let Some(other) = self.graph.get(id) else { continue };
                let met = match &companion.of {
                    Some(condition) => {
                        self.judge_other(condition, id, other, asked_over(view, companion.over))
                    }
                    None => Outcome::yes(),
                };
                let met = linked(met, link, companion.over, &other.address, &companion.by);
                outcomes.push(match companion.over {
                    Over::None => Outcome::no_one([met], || must_not_belong(&other.address, kind)),
                    Over::Every | Over::Some => met,
                });
            }
        }
        let words = || companion.types.join(" or ");
        let told = |value: String| {
            vec![Observation { address: None, path: Box::default(), value, origin: String::new() }]
        };
        if !self.sees_others() {
            let what = format!("not known whether a {} belongs to it: other objects are not seen", words());
            outcomes.push(Outcome { truth: Truth::Maybe, observed: told(what) });
        }
        let none = Outcome { truth: Truth::No, observed: told(format!("no {} belongs to it", words())) };
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
        let key = (kind.into(), by.clone());
        if let Some(known) = self.links.borrow().get(&key) {
            return Rc::clone(known);
        }
        let index = Rc::new(LinkIndex::new(self.graph, kind, by));
        self.links.borrow_mut().insert(key, Rc::clone(&index));
        index
    }

    fn names_of(&self, kind: &str, own: &[AttributePath]) -> Rc<NameIndex> {
        let key = (kind.into(), own.to_vec());
        if let Some(known) = self.names.borrow().get(&key) {
            return Rc::clone(known);
        }
        let names = Rc::new(NameIndex::new(self.graph, kind, own));
        self.names.borrow_mut().insert(key, Rc::clone(&names));
        names
    }

    fn target(&self, view: View<'_>, target: &Target) -> Outcome {
        let found = targets(self.graph, view.resource, &target.path, &target.types, |kind| {
            self.names_of(kind, &target.own)
        });
        if found.is_empty() {
            return Outcome { truth: Truth::No, observed: vec![view.told(&target.path, NOT_SET, "")] };
        }
        Outcome::every(found.into_iter().map(|(id, link)| {
            let other = id.and_then(|id| Some((id, self.graph.get(id)?)));
            let Some((id, other)) = other.filter(|(_, other)| target.types.contains(&other.kind)) else {
                let what = format!("no {} of this deployment", target.types.join(" or "));
                return Outcome { truth: Truth::Maybe, observed: vec![view.told(&target.path, &what, "")] };
            };
            let met = match &target.of {
                Some(condition) => self.judge_other(condition, id, other, view.asked),
                None => Outcome::yes(),
            };
            match link {
                Link::Yes => met,
                // If it points elsewhere, what stands there decides.
                Link::Maybe => uncertain(&other.address, &target.path, MAY_BELONG_ELSEWHERE),
                Link::IfThere => uncertain(&other.address, &target.path, MAY_BE_ABSENT),
            }
        }))
    }

    fn present(&self, view: View<'_>, present: &Present) -> Outcome {
        let all = present.types.iter().flat_map(|kind| self.graph.of_kind(kind));
        let outcomes: Vec<_> = all
            .filter_map(|(id, other)| {
                let account = same_account(&other.provider, &view.resource.provider)?;
                let met = match &present.of {
                    Some(condition) => self.judge_other(condition, id, other, view.asked),
                    None => Outcome::yes(),
                };
                let is_there = other.is_there_with(view.resource);
                let link = if account == Link::Yes && !is_there { Link::IfThere } else { account };
                Some(linked(met, link, Over::Some, &other.address, &AttributePath::of("provider")))
            })
            .collect();
        let none = Outcome {
            truth: if present.is_owed && self.sees_others() { Truth::No } else { Truth::Maybe },
            observed: vec![Observation {
                address: None,
                path: Box::default(),
                value: format!("no {} in this deployment", present.types.join(" or ")),
                origin: String::new(),
            }],
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
fn linked(met: Outcome, link: Link, over: Over, address: &str, by: &AttributePath) -> Outcome {
    let decides = match over {
        Over::Some => met.truth == Truth::Yes,
        Over::Every => met.truth != Truth::Yes,
        Over::None => met.truth == Truth::Yes,
    };
    match link {
        Link::IfThere if decides => uncertain(address, by, MAY_BE_ABSENT),
        Link::Maybe if decides => uncertain(address, by, MAY_BELONG_ELSEWHERE),
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
    Outcome::no_one([met], || {
        let value = view.shown(block, is_sensitive);
        Observation { address: None, path: view.full(at), value, origin: MUST_NOT.to_owned() }
    })
}

/// Of a resource that belongs to the judged one and must not.
fn must_not_belong(address: &str, kind: &str) -> Observation {
    let value = format!("a {kind} must not be so");
    Observation { address: Some(address.into()), path: Box::default(), value, origin: String::new() }
}

/// A link that may lead to another resource, or to one that is not there.
fn uncertain(address: &str, by: &AttributePath, why: &str) -> Outcome {
    Outcome {
        truth: Truth::Maybe,
        observed: vec![Observation {
            address: Some(address.into()),
            path: by.to_string().into(),
            value: why.to_owned(),
            origin: String::new(),
        }],
    }
}

fn unknown_outcome(view: View<'_>, path: &AttributePath, unknown: &Unknown) -> Outcome {
    let origin = unknown.expression();
    let observed = vec![view.told(path, &format!("({})", unknown.reason), &origin)];
    Outcome { truth: Truth::Maybe, observed }
}

fn too_many(view: View<'_>, path: &AttributePath) -> Outcome {
    let observed = vec![view.told(path, "more values than a check looks at", "")];
    Outcome { truth: Truth::Broken, observed }
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
