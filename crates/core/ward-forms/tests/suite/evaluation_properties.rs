//! Forms made at random, with conditions, expressions, calculations, variables and rules: whatever
//! order the answers come in, the state is the one that is evaluated from scratch.

use crate::walk::{Dice, NOW, walk};
use serde_json::{Value, json};
use std::sync::Arc;
use ward_forms::{Questionnaire, Surroundings};

/// Forms and steps of one run; a longer run sets more.
const FORMS: u64 = 300;
const STEPS: usize = 30;
const FORMS_VARIABLE: &str = "WARD_MADE_FORMS";
/// Where a run begins: at a seed that failed before.
const FIRST_VARIABLE: &str = "WARD_MADE_FORMS_FROM";

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

fn formula(url: &str, name: Option<&str>, text: &str) -> Value {
    json!({"url": url, "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}})
}

/// Where a made form gets its parts from. In most forms expressions look back; in some they look
/// anywhere, so that items wait for one another.
struct Maker {
    dice: Dice,
    count: usize,
    is_tangled: bool,
}

impl Maker {
    fn target(&mut self, index: usize) -> String {
        let any = self.dice.below(if self.is_tangled { 2 } else { 12 }) == 0;
        let target = if any { self.dice.below(self.count) } else { self.dice.below(index) };
        format!("i{target}")
    }

    fn path(&mut self, index: usize) -> String {
        let target = self.target(index);
        match self.dice.below(10) {
            // The second filter names items, or it only looks as if it did.
            8 => {
                let (holder, other) = (self.target(index), self.target(index));
                format!(
                    "%resource.descendants().where(linkId='{holder}').item.where(linkId='{target}' or linkId='{other}').answer.value"
                )
            }
            9 => {
                let holder = self.target(index);
                format!(
                    "%resource.descendants().where(linkId='{holder}').item.where(linkId='{target}' or linkId.startsWith('i1')).answer.value"
                )
            }
            3 => format!("%resource.descendants().where(linkId='{target}').item.answer.value"),
            4 => format!("%resource.descendants().where(linkId='{target}').descendants().answer.value"),
            0 => format!("%resource.item.where(linkId='{target}').answer.value"),
            1 => {
                let holder = self.target(index);
                format!(
                    "%resource.descendants().where(linkId='{holder}').item.where(linkId='{target}').answer.value"
                )
            }
            2 => format!("%resource.repeat(item | answer).where(linkId='{target}').answer.value"),
            _ => format!("%resource.descendants().where(linkId='{target}').answer.value"),
        }
    }

    fn truth(&mut self, index: usize) -> String {
        let path = self.path(index);
        match self.dice.below(9) {
            0 => format!("{path}.exists()"),
            1 => format!("{path}.empty()"),
            2 => format!("{path}.count() > 1"),
            3 => format!("{path}.ofType(integer).first() > 1"),
            4 => format!("%v > 2 or {path}.exists()"),
            5 => "%resource.descendants().answer.value.ofType(integer).sum() > 4".to_owned(),
            6 => "item.answer.value.exists()".to_owned(),
            // It fails with some answers, or always.
            7 => format!("{path} > 1"),
            _ => "%nobody > 1".to_owned(),
        }
    }

    fn number(&mut self, index: usize) -> String {
        let (left, right) = (self.path(index), self.path(index));
        match self.dice.below(7) {
            0 => format!("{left}.ofType(integer).sum()"),
            1 => format!("{left}.ofType(integer).first() + {right}.ofType(integer).first()"),
            2 => format!("{left}.count()"),
            3 => "%v".to_owned(),
            4 => format!("iif({left}.exists(), 3, {right}.count())"),
            5 => "%resource.descendants().answer.value.ofType(integer).sum()".to_owned(),
            _ => format!("{left} + 1"),
        }
    }

    fn item(&mut self, index: usize) -> Value {
        let kinds = ["group", "boolean", "integer", "integer", "choice", "string", "group"];
        let kind = *self.dice.pick(&kinds).unwrap();
        let mut extensions = Vec::new();
        if self.dice.below(4) == 0 && index > 0 {
            extensions.push(formula(&format!("{SDC}enableWhenExpression"), None, &self.truth(index)));
        }
        let mut item = json!({"linkId": format!("i{index}"), "type": kind, "text": "T",
            "repeats": self.dice.below(3) == 0, "required": self.dice.below(4) == 0});
        if kind == "integer" && self.dice.below(3) == 0 && index > 0 {
            extensions.push(formula(&format!("{SDC}calculatedExpression"), None, &self.number(index)));
            item["readOnly"] = json!(self.dice.below(2) == 0);
        } else if kind == "integer" && self.dice.below(4) == 0 {
            extensions.push(formula(&format!("{SDC}initialExpression"), None, &self.number(index.max(1))));
        } else if kind == "integer" && self.dice.below(4) == 0 {
            item["initial"] = json!([{"valueInteger": 1}]);
        }
        if kind == "group" && self.dice.below(2) == 0 {
            extensions.push(formula(&format!("{BASE}variable"), Some("v"), &self.number(index.max(1))));
        }
        if self.dice.below(4) == 0 {
            extensions.push(json!({"url": format!("{BASE}questionnaire-constraint"), "extension": [
                {"url": "human", "valueString": "A rule."}, {"url": "severity", "valueCode": "warning"},
                {"url": "expression", "valueString": self.truth(index.max(1))}]}));
        }
        if kind == "choice" {
            item["answerOption"] = json!([{"valueCoding": {"code": "0"}}, {"valueCoding": {"code": "1"}}]);
        }
        if self.dice.below(3) == 0 && index > 0 {
            let question = format!("i{}", self.dice.below(index));
            item["enableWhen"] = json!([{"question": question, "operator": "exists",
                "answerBoolean": self.dice.below(3) > 0}]);
        }
        item["extension"] = json!(extensions);
        item
    }

    fn form(&mut self) -> Value {
        let mut levels: Vec<Vec<Value>> = vec![Vec::new()];
        for index in 0..self.count {
            // Some levels end here.
            while levels.len() > 1 && self.dice.below(4) == 0 {
                close(&mut levels);
            }
            let item = self.item(index);
            levels.last_mut().unwrap().push(item);
            if levels.len() < 4 && self.dice.below(3) > 0 {
                levels.push(Vec::new());
            }
        }
        while levels.len() > 1 {
            close(&mut levels);
        }
        let mut items = levels.pop().unwrap();
        for (block, is_below_answers) in [("g", false), ("n", true)] {
            if self.dice.below(2) == 0 {
                let at = self.dice.below(items.len() + 1);
                items.insert(at, gated_block(block, is_below_answers));
                items.extend(self.readers_of(block));
            }
        }
        json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
            "extension": [formula(&format!("{BASE}variable"), Some("v"), "%resource.item.count()")],
            "item": items})
    }

    /// Items outside of a gated block that look at what stands in it, before it or behind it.
    fn readers_of(&mut self, block: &str) -> Vec<Value> {
        let question = format!("{block}q");
        let way = match self.dice.below(3) {
            0 => format!("descendants().where(linkId='{block}').item.where(linkId='{question}')"),
            1 => format!(
                "descendants().where(linkId='{block}').item.where(linkId='{question}' or linkId.startsWith('{block}k'))"
            ),
            _ => format!("descendants().where(linkId='{question}')"),
        };
        let score = format!("%resource.{way}.answer.value.ofType(integer).sum()");
        vec![
            json!({"linkId": format!("{block}r"), "type": "integer", "text": "T", "enableWhen":
                [{"question": question, "operator": ">", "answerInteger": 40}]}),
            json!({"linkId": format!("{block}s"), "type": "integer", "text": "T", "readOnly": self.dice.below(2) == 0,
                "extension": [formula(&format!("{SDC}calculatedExpression"), None, &score)]}),
            json!({"linkId": format!("{block}e"), "type": "integer", "text": "T", "extension":
                [formula(&format!("{SDC}enableWhenExpression"), None, &format!("%resource.{way}.exists()"))]}),
        ]
    }
}

/// A repeating group with a question that another one beside it switches on; below the answers of a
/// question, if so wanted.
fn gated_block(block: &str, is_below_answers: bool) -> Value {
    let group = json!({"linkId": block, "type": "group", "text": "T", "repeats": true, "item": [
        {"linkId": format!("{block}k"), "type": "boolean", "text": "T"},
        {"linkId": format!("{block}q"), "type": "integer", "text": "T", "enableWhen":
            [{"question": format!("{block}k"), "operator": "=", "answerBoolean": true}]}]});
    if is_below_answers {
        json!({"linkId": format!("{block}h"), "type": "integer", "text": "T", "repeats": true, "item": [group]})
    } else {
        group
    }
}

/// Hangs the innermost level under the item before it.
fn close(levels: &mut Vec<Vec<Value>>) {
    let level = levels.pop().unwrap();
    if !level.is_empty() {
        levels.last_mut().unwrap().last_mut().unwrap()["item"] = Value::Array(level);
    }
}

#[test]
fn a_form_kept_up_to_date_says_what_one_evaluated_anew_says() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, forms) = (number(FIRST_VARIABLE).unwrap_or(0), number(FORMS_VARIABLE).unwrap_or(FORMS));
    let (mut walked, mut taken) = (0, 0);
    for seed in first..forms {
        let count = 2 + usize::try_from(seed % 17).unwrap();
        let json = Maker { dice: Dice(seed), count, is_tangled: seed % 3 == 0 }.form();
        // A condition on what holds the item itself is refused.
        let Ok(form) = Questionnaire::parse(&serde_json::to_vec(&json).unwrap()) else { continue };
        let surroundings = Surroundings::new().at(NOW);
        walked += 1;
        taken += walk(&Arc::new(form), &surroundings, seed, STEPS);
    }
    let forms = forms - first;
    assert!(walked * 4 > forms * 3, "only {walked} of {forms} forms could be read");
    assert!(taken > usize::try_from(walked).unwrap() * STEPS / 4, "only {taken} answers were taken");
}
