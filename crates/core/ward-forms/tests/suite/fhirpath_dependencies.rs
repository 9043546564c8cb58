//! What an expression says it depends on, against what its result does depend on: random expressions over
//! random responses, in which everything else is changed.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use ward_forms::fhirpath::{
    Collection, Decimal, Dependencies, Environment, EvaluationError, Expression, Node, OptionWeights,
    Temporal, Value,
};

/// The form's items: groups that repeat and hold groups, questions, and questions below answers.
const FORM: [(&str, &[&str], bool); 9] = [
    ("g", &["h", "a", "b"], false),
    ("h", &["c", "d"], false),
    ("k", &["a2"], false),
    ("a", &["e"], true),
    ("b", &[], true),
    ("c", &["f"], true),
    ("d", &[], true),
    ("e", &[], true),
    ("f", &[], true),
];
const TOP: [&str; 3] = ["g", "k", "b"];

fn below(link_id: &str) -> (&'static [&'static str], bool) {
    FORM.iter().find(|(id, ..)| *id == link_id).map_or((&[], true), |(_, below, takes)| (*below, *takes))
}

/// Random numbers as proptest gives them, read one by one, so that a shorter list is a simpler response.
struct Dice<'d> {
    rolls: &'d [u8],
    at: usize,
}

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        let roll = self.rolls.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(roll) % sides
    }
}

fn answer_value(dice: &mut Dice<'_>) -> (&'static str, Json) {
    match dice.roll(10) {
        0..=2 => ("valueInteger", json!(dice.roll(4))),
        3 => ("valueString", json!(["x", "y"][dice.roll(2)])),
        4 => ("valueDecimal", json!(1.5)),
        // Values that don't all have an order.
        5 => ("valueDate", json!(["2026", "2026-03", "2026-03-01"][dice.roll(3)])),
        6 => {
            let code = ["kg", "g", "m"][dice.roll(3)];
            let system = "http://unitsofmeasure.org";
            ("valueQuantity", json!({"value": dice.roll(3), "system": system, "code": code}))
        }
        7 => ("valueReference", json!({"reference": (["#r", "#other"][dice.roll(2)])})),
        8 => {
            let weight =
                json!([{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 2}]);
            ("valueCoding", json!({"system": "s", "code": "y", "extension": weight}))
        }
        _ => ("valueCoding", json!({"system": "s", "code": (["x", "y"][dice.roll(2)])})),
    }
}

fn answer(link_id: &str, dice: &mut Dice<'_>, depth: usize) -> Json {
    let (name, value) = answer_value(dice);
    let mut answer = json!({ name: value });
    let items = items(below(link_id).0, dice, depth + 1);
    if !items.is_empty() {
        answer["item"] = json!(items);
    }
    answer
}

fn item(link_id: &str, dice: &mut Dice<'_>, depth: usize) -> Json {
    let (inside, takes_answers) = below(link_id);
    let mut item = json!({ "linkId": link_id });
    if takes_answers {
        let answers: Vec<Json> = (0..dice.roll(3)).map(|_| answer(link_id, dice, depth)).collect();
        if !answers.is_empty() {
            item["answer"] = json!(answers);
        }
    } else {
        item["item"] = json!(items(inside, dice, depth + 1));
    }
    item
}

fn items(link_ids: &[&str], dice: &mut Dice<'_>, depth: usize) -> Vec<Json> {
    if depth > 4 {
        return Vec::new();
    }
    let mut all = Vec::new();
    for link_id in link_ids {
        for _ in 0..dice.roll(3) {
            let one = item(link_id, dice, depth);
            // Equal instances, which some functions make one.
            if dice.roll(3) == 0 {
                all.push(one.clone());
            }
            all.push(one);
        }
    }
    all
}

fn response(rolls: &[u8]) -> Json {
    let mut dice = Dice { rolls, at: 0 };
    let contained = json!([{"resourceType": "QuestionnaireResponse", "id": "r",
        "item": [{"linkId": "a", "answer": [{"valueInteger": 7}]}]}]);
    json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "authored": "2026-03-01",
        "contained": contained, "item": items(&TOP, &mut dice, 0)})
}

/// Whether an item with one of the linkIds is among these or below them.
fn holds(items: &[Json], link_ids: &BTreeSet<&str>) -> bool {
    items.iter().any(|item| {
        let is_named = item["linkId"].as_str().is_some_and(|link_id| link_ids.contains(link_id));
        is_named || children(item).any(|items| holds(items, link_ids))
    })
}

fn children(item: &Json) -> impl Iterator<Item = &[Json]> {
    let own = item["item"].as_array();
    let of_answers =
        item["answer"].as_array().into_iter().flatten().filter_map(|answer| answer["item"].as_array());
    own.into_iter().chain(of_answers).map(Vec::as_slice)
}

/// Changes whatever is not named and not below what is named: answers and items come, go and change.
/// Ancestors of what is named stay, because without them it would be gone itself.
fn change(items: &mut Vec<Json>, possible: &[&str], named: &BTreeSet<&str>, dice: &mut Dice<'_>) {
    let mut at = 0;
    while at < items.len() {
        let link_id = items[at]["linkId"].as_str().unwrap_or_default().to_owned();
        if named.contains(link_id.as_str()) {
            at += 1;
            continue;
        }
        if dice.roll(4) == 0 && !holds(&items[at..=at], named) {
            items.remove(at);
            continue;
        }
        change_item(&mut items[at], &link_id, named, dice);
        at += 1;
    }
    if let Some(added) = possible.get(dice.roll(possible.len() + 2)) {
        let new = item(added, dice, 2);
        if !holds(std::slice::from_ref(&new), named) {
            let at = dice.roll(items.len() + 1);
            items.insert(at, new);
        }
    }
}

fn change_item(item: &mut Json, link_id: &str, named: &BTreeSet<&str>, dice: &mut Dice<'_>) {
    let inside = below(link_id).0;
    if let Some(items) = item["item"].as_array_mut() {
        change(items, inside, named, dice);
    }
    if below(link_id).1 && item.get("answer").is_none() && dice.roll(3) == 0 {
        item["answer"] = json!([]);
    }
    let Some(answers) = item.get_mut("answer").and_then(Json::as_array_mut) else { return };
    let holds_named = |answer: &Json| answer["item"].as_array().is_some_and(|items| holds(items, named));
    if dice.roll(4) == 0 && answers.last().is_some_and(|answer| !holds_named(answer)) {
        answers.pop();
    }
    for answer in answers.iter_mut() {
        let mut kept = answer.get("item").and_then(Json::as_array).cloned();
        if dice.roll(2) == 0 {
            let (name, value) = answer_value(dice);
            *answer = json!({ name: value });
        }
        if let Some(items) = &mut kept {
            change(items, inside, named, dice);
            answer["item"] = json!(items);
        }
    }
    if dice.roll(3) == 0 {
        let (name, value) = answer_value(dice);
        answers.push(json!({ name: value }));
    }
    if answers.is_empty() {
        item.as_object_mut().map(|item| item.remove("answer"));
    }
}

/// Navigation, filters and arguments over the form's linkIds, nested at random.
fn expression() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "%resource",
        "%context",
        "item",
        "$this",
        "%resource.item",
        "item.item",
        "%resource.repeat(item)",
        "%resource.repeat(item | answer.item)",
        "descendants()",
        "%resource.descendants()",
        "children()",
        "item.answer",
        "%v",
        "%v.item",
        "{}",
        "1",
        "'x'",
        "%resource.item.where(linkId = 'g')",
        "$index",
        "(item | %resource.item).item",
        "%resource.repeat(item).item",
        "item.where(linkId = 'b').answer.value",
        "repeat(item).where(linkId in ('c' | 'f'))",
        "today()",
    ]);
    start.prop_map(str::to_owned).prop_recursive(6, 24, 3, |inner| {
        let link_id = prop::sample::select(vec!["g", "h", "k", "a", "b", "c", "d", "e", "f"]);
        let on = prop::sample::select(vec![
            "item", "answer", "value", "answer.value", "answer.item", "item.item", "linkId", "children()",
            "descendants()", "repeat(item)", "repeat(item | answer.item)", "first()", "last()", "tail()",
            "skip(1)", "take(1)", "count()", "exists()", "empty()", "distinct()", "not()", "sum()", "code",
            "union($this)", "union($this).item", "select($this | $this).item", "select(item | answer.item).item",
            "ofType(Coding)", "ofType(integer)", "isDistinct()", "single()", "toString()", "min()", "sort()",
            "where($index = 0)", "where($this is Coding)", "select($index)", "select(item)", "select($this)",
            "repeat($this.item)", "select(item.count())", "select(item.empty())", "select(answer.exists())",
            "select(answer.value.hasValue())", "repeat(item.count())", "allTrue()", "anyFalse()", "take({})",
            "extension(1)", "hasValue()", "weight()", "where(true)", "aggregate($this, 0)", "resolve()",
            "aggregate(iif($total.empty(), $this, $total | $this))", "defineVariable('w').select(%w.item)",
        ]);
        let of_one = prop::sample::select(vec![
            "where", "select", "repeat", "exists", "all", "union", "combine", "intersect", "exclude",
            "subsetOf", "aggregate", "sort", "trace",
        ]);
        let operator = prop::sample::select(vec![
            "|", "+", "&", "=", "!=", "~", ">", "and", "or", "implies", "in", "contains",
        ]);
        prop_oneof![
            4 => (inner.clone(), link_id.clone()).prop_map(|(a, id)| format!("({a}).where(linkId = '{id}')")),
            2 => (inner.clone(), link_id.clone(), link_id.clone())
                .prop_map(|(a, x, y)| format!("({a}).where(linkId = '{x}' or '{y}' = linkId)")),
            2 => (inner.clone(), link_id.clone(), inner.clone())
                .prop_map(|(a, id, b)| format!("({a}).where(linkId = '{id}' and ({b}))")),
            1 => (inner.clone(), link_id.clone(), inner.clone())
                .prop_map(|(a, id, b)| format!("({a}).where(({b}) and linkId = '{id}')")),
            1 => (inner.clone(), link_id.clone()).prop_map(|(a, id)| format!("({a}).exists(linkId = '{id}')")),
            1 => (inner.clone(), link_id).prop_map(|(a, id)| format!("({a}).select(item.where(linkId in '{id}'))")),
            6 => (inner.clone(), on).prop_map(|(a, on)| format!("({a}).{on}")),
            3 => (inner.clone(), of_one, inner.clone()).prop_map(|(a, of, b)| format!("({a}).{of}({b})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}).aggregate({b}, {c})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}).select(iif({b}, {c}, $this))")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("iif({a}, {b}, {c})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}).defineVariable('u', {b}).select(%u | ({c}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            2 => (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
        ]
    })
}

/// Where paths begin.
const STARTS: [&str; 14] = [
    "%resource",
    "item",
    "$this",
    "%context.item",
    "%resource.item",
    "item.item",
    "repeat(item)",
    "descendants()",
    "(item | item.item)",
    "%resource.repeat(item | answer.item)",
    "(item | %resource.item)",
    "item.answer.item",
    "children()",
    "item.combine(item.item)",
];

/// Steps of a path; `?` stands for a linkId.
const STEPS: [&str; 95] = [
    ".where(linkId = '?')",
    ".where(linkId = '?')",
    ".where('?' = linkId)",
    ".where(linkId in ('?' | '?'))",
    ".where(linkId = '?' or linkId = '?')",
    ".where(('?' | '?') contains linkId)",
    ".item",
    ".item",
    ".item",
    ".answer",
    ".answer.item",
    ".item.item",
    ".children()",
    ".descendants()",
    ".repeat(item)",
    ".repeat(item | answer.item)",
    ".repeat(item.where(linkId = '?'))",
    ".repeat(%resource.item)",
    ".repeat(iif($index = 0, item, {}))",
    ".union(item)",
    ".union(%resource.item)",
    ".combine(item)",
    ".combine(%resource.item.where(linkId = '?'))",
    ".where(linkId = '?' and $index = 0)",
    ".where(linkId = '?' and $index > 0)",
    ".where(linkId = '?' and answer.exists())",
    ".where(linkId = '?' and answer.value > 1)",
    ".where(linkId = '?' and item.count() = 1)",
    ".where(linkId = '?' and %resource.item.where(linkId = '?').exists())",
    ".where(answer.value = 1 and linkId = '?')",
    ".where(answer.exists())",
    ".where(true)",
    ".where('a' < 1)",
    ".where(item.exists(linkId = '?'))",
    ".select($this)",
    ".select(item)",
    ".select(item.where(linkId = '?'))",
    ".select(%resource.item.where(linkId = '?'))",
    ".select($index)",
    ".select(1)",
    ".select(item | answer.item)",
    ".select($this | $this)",
    ".select(iif(linkId = '?', item, {}))",
    ".select(iif($index = 0, $this, {}))",
    ".select(item.where(linkId = '?' and $index = 0))",
    ".select(item.select($index))",
    ".aggregate($total | $this, item.where(linkId = '?'))",
    ".aggregate($total.combine(%resource.item.where(linkId = '?')), {})",
    ".aggregate($total, %resource.item.count())",
    ".iif(true, 1, 2)",
    ".as(QuestionnaireResponse)",
    ".ofType(Coding)",
    ".first()",
    ".last()",
    "[0]",
    ".distinct()",
    ".exists(linkId = '?')",
    ".exists(true)",
    ".all(linkId = '?')",
    ".defineVariable('w', $this.item.where(linkId = '?').count()).select(%w)",
    ".defineVariable('w', iif(true, 1, 2)).item",
    ".select(item.where(linkId = '?').count())",
    ".select(item.where(linkId = '?').exists())",
    ".select(item.where(linkId = '?').empty())",
    ".select(item.where(linkId = '?').answer.hasValue())",
    ".select(item.where(linkId = '?').answer.value.allTrue())",
    ".select(item.where(linkId = '?').isDistinct())",
    ".select(item.where(linkId = '?').subsetOf(item))",
    ".select(item.where(linkId = '?').supersetOf({}))",
    ".select({}.count())",
    ".select(iif(item.where(linkId = '?').exists(), 1, {}))",
    ".select(item.where(linkId = '?').take(1))",
    ".select(item.where(linkId = '?').take(%resource.item.where(linkId = '?').answer.value))",
    ".select(item.where(linkId = '?')['x'])",
    ".select(item.where(linkId = '?')[0])",
    ".select(item.where(linkId = '?').intersect(1 + 'x'))",
    ".select(item.where(linkId = '?').skip({}))",
    ".select(item.where(linkId = '?').answer.value.sum())",
    ".select(item.where(linkId = '?').type())",
    ".select(item.where(linkId = '?').first().linkId)",
    ".repeat(item.where(linkId = '?').count())",
    ".repeat(item.where(linkId = '?').exists())",
    ".repeat(answer | $this.where(linkId = '?' and value > 3))",
    ".repeat(item | answer | $this.where(linkId = '?' and item.exists()))",
    ".repeat(item | $this.where(linkId = '?').answer)",
    ".where(linkId = '?' and answer.value > @2026-02)",
    ".where(linkId = '?' and answer.value > 1 'kg')",
    ".where(linkId = '?' and answer.weight() > 1)",
    ".select(item.where(linkId = '?').answer.weight())",
    ".select(item.where(linkId = '?').answer.value.ordinal().sum())",
    ".select(item.where(linkId = '?').answer.value.extension.value)",
    ".select(item.where(linkId = '?').answer.value.extension('u'))",
    ".select(item.where(linkId = '?').answer.value.resolve().item)",
    ".where(answer.weight().exists() or linkId = '?')",
    ".where((linkId = '?').not())",
];

/// How paths end.
const ENDS: [&str; 11] = [
    "",
    "",
    ".answer.value",
    ".count()",
    ".answer.count()",
    ".item.count()",
    ".linkId",
    ".answer.weight()",
    ".answer.value.ordinal().sum()",
    ".answer.value.max()",
    ".answer.value.sort()",
];

/// Paths of a few steps, which give something far more often than any expressions do.
fn path() -> impl Strategy<Value = String> {
    let step =
        (prop::sample::select(STEPS.to_vec()), 0..9_usize, 0..9_usize).prop_map(|(step, first, second)| {
            let filled = step.replacen('?', FORM[first].0, 1);
            filled.replace('?', FORM[second].0)
        });
    let steps = prop::collection::vec(step, 1..5);
    let last = prop::sample::select(FORM.to_vec());
    (prop::sample::select(STARTS.to_vec()), steps, any::<bool>(), last, prop::sample::select(ENDS.to_vec()))
        .prop_map(|(start, steps, is_filtered, (link_id, ..), end)| {
            let filter = if is_filtered { format!(".where(linkId = '{link_id}')") } else { String::new() };
            let cut = steps.concat();
            match cut.strip_suffix(".as(QuestionnaireResponse)") {
                Some(cut) => format!("({start}{cut} as QuestionnaireResponse){filter}{end}"),
                None => format!("{start}{cut}{filter}{end}"),
            }
        })
}

/// A form that gives the answers to two of its questions a score, but not each of them.
struct Weights;

impl OptionWeights for Weights {
    fn is_scored(&self, link_id: Option<&str>) -> bool {
        matches!(link_id, Some("a" | "c"))
    }

    fn weight(&self, link_id: Option<&str>, _: Option<&str>, code: &str) -> Option<Decimal> {
        (self.is_scored(link_id) && code == "x").then_some(Decimal::ONE)
    }

    fn options_looked_through(&self, _: Option<&str>) -> usize {
        2
    }
}

fn now() -> Option<Temporal> {
    Temporal::date_time("2026-03-01T09:30:00.000+01:00")
}

/// What an evaluation gives, as text that doesn't say where in the response it lies.
fn outcome(
    expression: &Expression,
    response: &Json,
    context: Option<&Json>,
) -> Result<String, EvaluationError> {
    let outside = json!({"resourceType": "QuestionnaireResponse", "item": [{"linkId": "a", "answer": [{"valueInteger": 2}]}]});
    let mut environment = Environment::of(response).with_variable("v", Value::Node(Node::resource(&outside)));
    environment = environment.with_weights(&Weights);
    if let Some(now) = now() {
        environment = environment.at(now);
    }
    if let Some(node) = context.and_then(|item| Node::typed(item, "QuestionnaireResponse.item")) {
        environment = environment.with_context(Value::Node(node));
    }
    expression.evaluate(&environment).map(|result| shown(&result))
}

fn shown(result: &Collection<'_>) -> String {
    let one = |value: &Value<'_>| match value.node() {
        Some(node) => {
            format!("{} {}", node.type_name(), node.json().map(Json::to_string).unwrap_or_default())
        }
        None => format!("{value:?}"),
    };
    result.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Whether an evaluation ended with a limit: what lies elsewhere may cost the steps that are lacking.
fn hit_a_limit(outcome: &Result<String, EvaluationError>) -> bool {
    matches!(
        outcome,
        Err(EvaluationError::TooManySteps { .. }
            | EvaluationError::TooManyValues { .. }
            | EvaluationError::TooMuchText { .. }
            | EvaluationError::TooManyDefined { .. }
            | EvaluationError::TooManyHeld { .. }
            | EvaluationError::StringTooLong { .. })
    )
}

fn dependencies(source: &str) -> Option<(Expression, BTreeSet<String>)> {
    let expression = Expression::parse(source).ok()?;
    let named = expression.dependencies().link_ids().map(str::to_owned).collect();
    Some((expression, named))
}

fn changed(response: &Json, named: &BTreeSet<String>, rolls: &[u8]) -> Json {
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    let mut after = response.clone();
    if let Some(items) = after["item"].as_array_mut() {
        change(items, &TOP, &named, &mut Dice { rolls, at: 0 });
    }
    after
}

/// An item that the expression begins on, with everything in it changed that is not named.
fn changed_item(item: &Json, named: &BTreeSet<String>, rolls: &[u8]) -> Json {
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    let mut after = item.clone();
    let link_id = item["linkId"].as_str().unwrap_or_default();
    if !named.contains(link_id) {
        change_item(&mut after, link_id, &named, &mut Dice { rolls, at: 0 });
    }
    after
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(20_000))]

    /// Whatever changes outside of the dependencies, a path gives the same.
    #[test]
    fn nothing_else_changes_what_a_path_gives(
        source in path(),
        rolls in prop::collection::vec(any::<u8>(), 40..160),
        changes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..8),
        begins_at in 0..6_usize,
    ) {
        let (expression, named) = dependencies(&source).ok_or(TestCaseError::fail(source.clone()))?;
        if expression.dependencies().is_everything() {
            return Ok(());
        }
        let before = response(&rolls);
        // It begins on the response or on one of its items.
        let context = before["item"].as_array().and_then(|items| items.get(begins_at));
        let first = outcome(&expression, &before, context);
        for changes in changes {
            let after = changed(&before, &named, &changes);
            let context = context.map(|item| changed_item(item, &named, &changes));
            let second = outcome(&expression, &after, context.as_ref());
            if !hit_a_limit(&first) && !hit_a_limit(&second) {
                prop_assert_eq!(&first, &second, "{} names {:?}\n{}\n{}", source, named, before, after);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(6_000))]

    /// The same of expressions of any kind.
    #[test]
    fn nothing_else_changes_a_result(
        source in expression(),
        rolls in prop::collection::vec(any::<u8>(), 0..120),
        changes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let (expression, named) = dependencies(&source).ok_or(TestCaseError::fail(source.clone()))?;
        if expression.dependencies().is_everything() {
            return Ok(());
        }
        let before = response(&rolls);
        let after = changed(&before, &named, &changes);
        let (first, second) = (outcome(&expression, &before, None), outcome(&expression, &after, None));
        if !hit_a_limit(&first) && !hit_a_limit(&second) {
            prop_assert_eq!(first, second, "{} names {:?}\n{}\n{}", source, named, before, after);
        }
    }

    /// What lies within the context is the item that the expression begins on, and nothing else.
    #[test]
    fn nothing_outside_of_the_context_changes_a_result(
        source in expression(),
        rolls in prop::collection::vec(any::<u8>(), 0..120),
        changes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let (expression, named) = dependencies(&source).ok_or(TestCaseError::fail(source.clone()))?;
        let before = response(&rolls);
        if !expression.dependencies().is_within_context() {
            return Ok(());
        }
        let Some(context) = before["item"].as_array().and_then(|items| items.first()) else { return Ok(()) };
        // Whatever has the context's linkId stays, so that it is the same item in both.
        let mut kept = named.clone();
        kept.insert(context["linkId"].as_str().unwrap_or_default().to_owned());
        let after = changed(&before, &kept, &changes);
        let (first, second) =
            (outcome(&expression, &before, Some(context)), outcome(&expression, &after, Some(context)));
        if !hit_a_limit(&first) && !hit_a_limit(&second) {
            prop_assert_eq!(first, second, "{} names {:?}\n{}\n{}", source, named, before, after);
        }
    }
}

/// The random expressions are worth something only if enough of them name what they need.
#[test]
fn enough_random_expressions_are_tried() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut named, mut within_context, mut nested, mut results) = (0, 0, 0, 0);
    let all = 4_000;
    for _ in 0..all {
        let source = expression().new_tree(&mut runner).unwrap().current();
        let (expression, link_ids) = dependencies(&source).unwrap();
        let found = expression.dependencies();
        let is_named = !found.is_everything() && !link_ids.is_empty();
        named += usize::from(is_named);
        within_context += usize::from(found.is_within_context());
        nested += usize::from(is_named && (source.contains("select(") || source.contains("repeat(")));
        let rolls: Vec<u8> = source.bytes().cycle().take(90).map(|byte| byte.wrapping_mul(37)).collect();
        let outcome = outcome(&expression, &response(&rolls), None);
        results += usize::from(is_named && outcome.is_ok_and(|text| !text.is_empty()));
    }
    println!(
        "of {all}: {named} name items, {nested} of them in nested arguments, {results} give something; {within_context} lie within the context"
    );
    assert!(named > all / 10 && nested > all / 40 && results > all / 40 && within_context > all / 20);
}

fn of(source: &str) -> Dependencies {
    Expression::parse(source).unwrap().dependencies().clone()
}

#[test]
fn the_time_is_a_dependency() {
    for source in ["today()", "now() > %a", "iif(false, timeOfDay(), 1)", "item.select(today() - 1 day)"] {
        assert!(of(source).uses_time(), "{source}");
    }
    for source in ["@2026-03-01", "item.where(linkId = 'a').answer.value", "%today"] {
        assert!(!of(source).uses_time(), "{source}");
    }
}

/// Each of these once named less than it needs.
#[test]
fn what_is_used_on_the_way_is_named() {
    for source in [
        "item.select(%resource.item.where(linkId = 'a').answer.value)",
        "item.where(linkId = 'a' and $index = 0).answer.value",
        "item.select(iif(linkId = 'a', answer.value, {}))",
        "item.where(answer.value > 3 and linkId = 'a').answer.value",
        "descendants().where(linkId = 'a' and value > 3)",
        "(item | item.item).item.where(linkId = 'a').count()",
        "item.answer.distinct().item.where(linkId = 'a')",
        "item.aggregate($total + 1, 0)",
        "(1 | 2).aggregate($total, item.count())",
        "item.iif(true, 1, 2)",
        "item as Quantity",
        "item.where(linkId = 'a').answer.value.reference.resolve()",
        "item.defineVariable('x', iif(true, 1, 2)).first()",
        "item.where('a' < 1)",
        // Of nothing these give something.
        "item.select(item.where(linkId = 'a').count())",
        "item.select(item.where(linkId = 'a').exists())",
        "item.select(item.where(linkId = 'a').empty())",
        "item.select(item.where(linkId = 'a').answer.hasValue())",
        "item.select(item.where(linkId = 'a').answer.value.allTrue())",
        "item.select(item.where(linkId = 'a').subsetOf(item))",
        "item.select({}.count())",
        "item.select({}.empty())",
        "item.repeat(item.where(linkId = 'a').count())",
        // What was found is gone on from, and has no linkId.
        "item.repeat(answer | $this.where(linkId = 'a' and value > 3)).where(linkId = 'a')",
        // An argument fails wherever it is evaluated.
        "item.select(item.where(linkId = 'a').take(%resource.item.where(linkId = 'n').answer.value))",
        "item.select(item.where(linkId = 'a')['x'])",
        "item.select(item.where(linkId = 'a').intersect(1 + 'x'))",
    ] {
        assert!(of(source).is_everything(), "{source}");
    }
    let link_ids = |source: &str| of(source).link_ids().map(str::to_owned).collect::<Vec<_>>().join(",");
    assert_eq!(link_ids("item.where(linkId = 'a').select(%resource.item.where(linkId = 'b'))"), "a,b");
    assert_eq!(link_ids("item.where(linkId = 'a' and answer.value > 3).item.where(linkId = 'b')"), "a,b");
    // An instance of the group counts whether or not it holds the question.
    let complete = "item.where(linkId = 'g').select(item.where(linkId = 'a').answer.exists()).allTrue()";
    assert_eq!(link_ids(complete), "a,g");
    assert_eq!(link_ids("item.select(item.where(linkId = 'a').take(1))[0]"), "a");
    assert_eq!(link_ids("(1 | 2).aggregate($total, item.where(linkId = 'a').answer.value)"), "a");
}
