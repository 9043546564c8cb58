//! Finds what an expression depends on, in one walk over its tree.
//!
//! Each part gives a [`Reach`]: where its values come from. Going on from values (`.item`, `children()`,
//! a filter by linkId) uses none of them; every other operator and function uses the values it is given,
//! and then their sources are read. What has been read is named in the end: the items of a filter by
//! their linkIds, everything else as the whole response.

use super::ast::{Call, Expr, Operation, Operator, Step};
use super::dependencies::Dependencies;
use super::function_name::Function as F;
use super::link_id_filter::{LinkIdFilter, Side, compared};
use super::reach::{Reach, SourceIndex, Sources};
use super::value::Value;

/// The response as a whole.
const RESPONSE: SourceIndex = 0;
/// What the expression begins on.
const CONTEXT: SourceIndex = 1;

/// Where values come from.
enum Source<'x> {
    Response,
    Context,
    /// Items with these linkIds, and what lies below them.
    Items(Vec<&'x str>),
    /// What a variable holds, which is named wherever it is used.
    Variable,
}

/// What `$this` and `$index` stand for in an argument.
#[derive(Clone, Copy)]
struct Scope<'s> {
    this: &'s Reach,
    /// The values that `$index` counts.
    counted: &'s Reach,
    /// Whether `$this` may be several values at once.
    is_many: bool,
}

impl<'s> Scope<'s> {
    fn of_each(this: &'s Reach, counted: &'s Reach) -> Self {
        Self { this, counted, is_many: false }
    }
}

pub(super) struct DependencyWalk<'x> {
    sources: Vec<Source<'x>>,
    is_read: Sources,
    /// The sources that are variables.
    of_variables: Sources,
    found: Dependencies,
    /// Variables that the steps before have defined.
    defined: Vec<&'x str>,
    /// Whether what is walked is turned round by `not()`.
    is_denied: bool,
}

impl<'x> DependencyWalk<'x> {
    pub(super) fn through(tree: &'x Expr) -> Dependencies {
        let mut walk = Self {
            sources: vec![Source::Response, Source::Context],
            is_read: Sources::default(),
            of_variables: Sources::default(),
            found: Dependencies::default(),
            defined: Vec::new(),
            is_denied: false,
        };
        let context = Reach::from(CONTEXT);
        let result = walk.walk(tree, Scope::of_each(&context.element(), &context));
        walk.read(&result);
        walk.into_dependencies()
    }

    fn into_dependencies(self) -> Dependencies {
        let mut found = self.found;
        for (at, source) in self.sources.into_iter().enumerate() {
            match source {
                _ if !self.is_read.has(at) => {}
                Source::Response => found.reads_response = true,
                Source::Context => found.reads_context = true,
                Source::Items(link_ids) => found.link_ids.extend(link_ids.into_iter().map(str::to_owned)),
                Source::Variable => {}
            }
        }
        found
    }

    /// Notes that values are used as they are.
    fn read(&mut self, reach: &Reach) {
        self.is_read.join(&reach.sources);
    }

    fn read_all(&mut self, exprs: &'x [Expr], scope: Scope<'_>) {
        for expr in exprs {
            let reach = self.walk(expr, scope);
            self.read(&reach);
        }
    }

    fn source(&mut self, source: Source<'x>) -> Reach {
        self.sources.push(source);
        Reach::from(self.sources.len() - 1)
    }

    fn walk(&mut self, expr: &'x Expr, scope: Scope<'_>) -> Reach {
        match expr {
            Expr::Empty => Reach::nothing(),
            Expr::Literal(_) | Expr::Total => Reach::fixed(),
            Expr::This => scope.this.clone(),
            Expr::Index => {
                self.read(scope.counted);
                Reach::fixed()
            }
            Expr::Variable(name) => self.variable(name),
            Expr::Member(member) => self.member(&member.name, scope.this.clone()),
            Expr::Call(call) => self.call(call, scope.this.clone(), scope, scope.is_many),
            Expr::Path { base, steps } => self.path(base, steps, scope),
            Expr::Sign { operand, .. } => {
                let reach = self.walk(operand, scope);
                self.read(&reach);
                Reach::fixed()
            }
            Expr::Chain { first, rest } => self.chain(first, rest, scope),
        }
    }

    fn variable(&mut self, name: &'x str) -> Reach {
        // What the path itself defined was read there.
        if self.defined.contains(&name) {
            return Reach::fixed();
        }
        self.found.variables.insert(name.to_owned());
        match name {
            "resource" | "rootResource" => Reach::from(RESPONSE),
            "context" => Reach::from(CONTEXT),
            _ => {
                let reach = self.source(Source::Variable);
                self.of_variables.join(&reach.sources);
                reach
            }
        }
    }

    fn path(&mut self, base: &'x Expr, steps: &'x [Step], scope: Scope<'_>) -> Reach {
        let defined_before = self.defined.len();
        let was_denied = self.is_denied;
        self.is_denied |= matches!(steps, [Step::Call(call)] if call.function == F::Not);
        let mut reach = self.walk(base, scope);
        self.is_denied = was_denied;
        if let Expr::Call(call) = base {
            self.defined.extend(defined_name(call));
        }
        for step in steps {
            reach = match step {
                Step::Member(member) => self.member(&member.name, reach),
                Step::Call(call) => {
                    let reach = self.call(call, reach, scope, true);
                    self.defined.extend(defined_name(call));
                    reach
                }
                Step::At(index) => {
                    let place = self.walk(index, scope);
                    self.read(&place);
                    let follows_focus = reach.follows_focus && is_number(index);
                    Reach { follows_focus, ..self.used(reach) }
                }
            };
        }
        self.defined.truncate(defined_before);
        reach
    }

    fn chain(&mut self, first: &'x Expr, rest: &'x [Operation], scope: Scope<'_>) -> Reach {
        let mut reach = self.walk(first, scope);
        let mut left = Some(first);
        for operation in rest {
            reach = match operation {
                Operation::As(_) => self.used(reach),
                Operation::Is(_) => {
                    self.read(&reach);
                    Reach::fixed()
                }
                Operation::Binary(Operator::Union, right) => {
                    let right = self.walk(right, scope);
                    merged(reach.join(&right))
                }
                Operation::Binary(operator, right) => {
                    let right_reach = self.walk(right, scope);
                    if let Some((link_ids, side)) = left.and_then(|left| compared(*operator, left, right)) {
                        let items = if side == Side::Left { &reach } else { &right_reach };
                        self.refer(&link_ids, items, *operator == Operator::Equivalent);
                    }
                    self.read(&right_reach);
                    self.read(&reach);
                    Reach::fixed()
                }
            };
            // Only the first operator has an expression on its left.
            left = None;
        }
        reach
    }

    /// Values that are used, and gone on from.
    fn used(&mut self, reach: Reach) -> Reach {
        self.read(&reach);
        Reach { is_merged: false, ..reach }
    }

    /// Values that are gone on from one by one: how many there are shows in what follows, so that equal
    /// ones that became one have to be read.
    fn each(&mut self, reach: Reach) -> Reach {
        if reach.is_merged { self.used(reach) } else { reach }
    }

    fn member(&mut self, name: &str, of: Reach) -> Reach {
        Reach { is_items: name == "item", ..self.each(of) }
    }

    fn call(&mut self, call: &'x Call, input: Reach, scope: Scope<'_>, is_many: bool) -> Reach {
        match call.function {
            F::Where | F::Exists => self.filter(call, input),
            F::Select => self.select(call, input),
            F::Repeat => self.repeat(call, input),
            F::Children | F::Descendants => Reach { is_items: false, ..self.each(input) },
            F::OfType => self.each(input),
            F::Trace => {
                self.read_all(&call.arguments, scope);
                input
            }
            F::Union | F::Combine => {
                let joined = match call.arguments.first() {
                    Some(other) => input.join(&self.walk(other, scope)),
                    None => input,
                };
                if call.function == F::Union { merged(joined) } else { joined }
            }
            // They don't look at what they are called on.
            F::Now | F::Today | F::TimeOfDay => {
                self.found.uses_time = true;
                Reach::fixed()
            }
            F::Iif => self.iif(call, input, scope, is_many),
            F::DefineVariable => self.define(call, input, scope),
            F::All | F::Sort => {
                let of_each = input.element();
                self.read_all(&call.arguments, Scope::of_each(&of_each, &input));
                self.read(&input);
                if call.function == F::Sort { self.used(input) } else { Reach::fixed() }
            }
            F::Aggregate => {
                // Whatever `$total` holds came from one of the two arguments, and was read.
                self.read_all(call.arguments.get(1..).unwrap_or_default(), scope);
                let of_each = input.element();
                self.read_all(call.arguments.get(..1).unwrap_or_default(), Scope::of_each(&of_each, &input));
                self.read(&input);
                Reach::fixed()
            }
            F::Resolve => {
                self.read(&Reach::from(RESPONSE));
                // It may be a response to another form.
                let found = self.source(Source::Variable);
                self.of_variables.join(&found.sources);
                found.join(&self.used(input))
            }
            _ => {
                self.read_all(&call.arguments, scope);
                let follows_focus = input.follows_focus && gives_nothing_of_nothing(call);
                Reach { follows_focus, ..self.used(input) }
            }
        }
    }

    fn filter(&mut self, call: &'x Call, input: Reach) -> Reach {
        let Some(criteria) = call.arguments.first() else {
            // Of nothing, `exists()` gives false.
            self.read(&input);
            return Reach::fixed();
        };
        let filter = LinkIdFilter::of(criteria);
        // What is more than an item may have no linkId, and then the rest of the criteria is asked of it.
        if let Some(filter) = filter.filter(|filter| input.is_items || !filter.has_more) {
            return self.chosen(call, criteria, filter, &input);
        }
        let of_each = input.element();
        let holds = self.walk(criteria, Scope::of_each(&of_each, &input));
        self.read(&holds);
        let used = self.used(input);
        if call.function == F::Exists { Reach::fixed() } else { used }
    }

    /// The items of the input with the linkIds of a filter.
    fn chosen(
        &mut self,
        call: &'x Call,
        criteria: &'x Expr,
        filter: LinkIdFilter<'x>,
        input: &Reach,
    ) -> Reach {
        self.refer(&filter.link_ids, input, false);
        let mut chosen = if self.is_of_response(input) {
            self.source(Source::Items(filter.link_ids))
        } else {
            Reach { sources: input.sources.clone(), ..Reach::default() }
        };
        chosen.is_merged = input.is_merged;
        chosen.is_items = true;
        chosen.follows_focus = input.follows_focus;
        if filter.has_more {
            // The rest of the criteria matters only for these items.
            let of_each = chosen.element();
            let holds = self.walk(criteria, Scope::of_each(&of_each, input));
            self.read(&holds);
            self.read(&chosen);
        }
        if call.function == F::Exists {
            self.read(&chosen);
            return Reach::fixed();
        }
        chosen
    }

    fn select(&mut self, call: &'x Call, input: Reach) -> Reach {
        let Some(projection) = call.arguments.first() else { return self.used(input) };
        let input = self.each(input);
        let of_each = input.element();
        let mut found = self.walk(projection, Scope::of_each(&of_each, &input));
        if !found.follows_focus {
            // Each value gives something, so that their number shows.
            self.read(&input);
        }
        found.follows_focus &= input.follows_focus;
        found
    }

    fn repeat(&mut self, call: &'x Call, input: Reach) -> Reach {
        let Some(projection) = call.arguments.first() else { return self.used(input) };
        let input = self.each(input);
        // Later rounds begin on what was found, of whatever kind that is. It lies in the input, or all of it
        // is read.
        let of_each = Reach { is_items: false, ..input.element() };
        let mut found = self.walk(projection, Scope::of_each(&of_each, &input));
        if !found.follows_focus {
            self.read(&input);
            self.read(&found);
        }
        found.follows_focus &= input.follows_focus;
        merged(found)
    }

    fn iif(&mut self, call: &'x Call, input: Reach, scope: Scope<'_>, is_many: bool) -> Reach {
        if is_many {
            // It takes one value at most.
            self.read(&input);
        }
        let this = input.element();
        let inner = Scope { is_many: false, ..scope.with(&this, scope.counted) };
        let mut exprs = call.arguments.iter();
        if let Some(criterion) = exprs.next() {
            let holds = self.walk(criterion, inner);
            self.read(&holds);
        }
        let mut found = Reach::nothing();
        for branch in exprs {
            found = found.join(&self.walk(branch, inner));
        }
        Reach { follows_focus: false, ..found }
    }

    fn define(&mut self, call: &'x Call, input: Reach, scope: Scope<'_>) -> Reach {
        self.read_all(call.arguments.get(..1).unwrap_or_default(), scope);
        match call.arguments.get(1) {
            Some(value) => {
                // All of the values at once, with what equal ones became.
                let this = Reach { follows_focus: true, ..input.clone() };
                let value = self.walk(value, Scope { is_many: true, ..scope.with(&this, scope.counted) });
                self.read(&value);
            }
            None => self.read(&input),
        }
        let is_written = matches!(call.arguments.first(), Some(Expr::Literal(Value::String(_))));
        self.found.defines_any_name |= !is_written;
        // It fails where the name is taken, so that it shows whether it was called.
        Reach { follows_focus: false, ..input }
    }

    fn is_of_response(&self, reach: &Reach) -> bool {
        !reach.sources.is_within(&self.of_variables)
    }

    /// Notes linkIds that are compared with those of values.
    fn refer(&mut self, link_ids: &[&str], items: &Reach, is_alike: bool) {
        if !self.is_denied && self.is_of_response(items) && !items.sources.has_any_of(&self.of_variables) {
            let link_ids = link_ids.iter().map(|link_id| (*link_id).to_owned());
            match is_alike {
                true => self.found.alike_link_ids.extend(link_ids),
                false => self.found.compared_link_ids.extend(link_ids),
            }
        }
    }
}

impl<'s> Scope<'s> {
    fn with<'t>(self, this: &'t Reach, counted: &'t Reach) -> Scope<'t>
    where
        's: 't,
    {
        Scope { this, counted, is_many: self.is_many }
    }
}

fn merged(reach: Reach) -> Reach {
    Reach { is_merged: true, ..reach }
}

/// Whether a function gives nothing, and doesn't fail, where it is called on nothing. In doubt it doesn't:
/// `count()` of nothing is 0, and an argument may fail.
fn gives_nothing_of_nothing(call: &Call) -> bool {
    match call.function {
        F::Take | F::Skip => call.arguments.iter().all(is_number),
        F::Distinct | F::Not | F::Single | F::First | F::Last | F::Tail => true,
        F::ToBoolean | F::ToInteger | F::ToDecimal | F::ToStringValue | F::ToDate | F::ToDateTime => true,
        F::ToTime | F::Upper | F::Lower | F::Trim | F::Length | F::ToChars => true,
        F::Abs | F::Ceiling | F::Floor | F::Truncate | F::Precision => true,
        F::Sum | F::Min | F::Max | F::Avg => true,
        F::Is | F::As | F::Type | F::GetValue | F::Weight | F::Ordinal => true,
        F::ToQuantity | F::Round | F::Join => call.arguments.is_empty(),
        _ => false,
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Integer(_)))
}

/// The name that a call defines for the steps behind it.
fn defined_name(call: &Call) -> Option<&str> {
    match (call.function, call.arguments.first()) {
        (F::DefineVariable, Some(Expr::Literal(Value::String(name)))) => Some(name),
        _ => None,
    }
}
