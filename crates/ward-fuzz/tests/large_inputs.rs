//! Input that is too large to be kept in files: made by code, given to the targets in a small stack.

use std::fmt::Write;
use ward_forms::limits::{MAX_EXPRESSION_DEPTH, MAX_ITEM_DEPTH, MAX_STRING_BYTES};
use ward_fuzz::target;

/// No more than a thread in a browser has.
const STACK_BYTES: usize = 1024 * 1024;

fn holds(name: &str, input: Vec<u8>) {
    let run = target(name).unwrap().run;
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || run(&input)).unwrap();
    assert!(thread.join().is_ok(), "{name}");
}

fn form(items: &str) -> Vec<u8> {
    format!(
        r#"{{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","item":[{items}]}}"#
    )
    .into_bytes()
}

fn response(items: &str) -> Vec<u8> {
    format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{items}]}}"#)
        .into_bytes()
}

/// Text around what `depth` levels of something enclose.
fn nested(open: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + &close.repeat(depth)
}

#[test]
fn depth_bombs() {
    for depth in [MAX_ITEM_DEPTH, MAX_ITEM_DEPTH + 1, 100_000] {
        let mut items = String::new();
        (0..depth).for_each(|n| write!(items, r#"{{"linkId":"{n}","type":"group","item":["#).unwrap());
        holds("questionnaire", form(&(items + &"]}".repeat(depth))));
        let answers = nested(r#"{"linkId":"yes","answer":[{"valueBoolean":true,"item":["#, "]}]}", depth);
        holds("response", response(&answers));
    }
    holds("questionnaire", form(&"[".repeat(1_000_000)));
    holds("alert_rules", "{\"rules\":".repeat(100_000).into_bytes());
}

#[test]
fn deep_expressions() {
    for depth in [MAX_EXPRESSION_DEPTH - 4, MAX_EXPRESSION_DEPTH, 30_000] {
        for (open, close) in
            [("(", ")"), ("iif(true, ", ")"), ("-", ""), ("item.where(", ")"), ("1 + (", ")")]
        {
            holds("expression", format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes());
        }
        let condition = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        holds(
            "questionnaire",
            form(&format!(
                r#"{{"linkId":"a","type":"decimal","text":"A","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/variable","valueExpression":{{"name":"v","language":"text/fhirpath","expression":"{condition}"}}}}]}}"#
            )),
        );
    }
}

#[test]
fn expressions_that_want_to_grow() {
    for source in [
        "'aaaaaaaaaaaaaaaa'.replace('a', 'aaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaa').replace('a', 'aaaaaaaaaaaaaaaa')",
        "descendants().repeat($this | %resource.descendants()).repeat(children())",
        "(1|2|3|4|5|6|7|8|9).select(%resource.descendants()).select(%resource.descendants()).select(%resource.descendants())",
        "(1|2|3).aggregate($total.combine($total).combine($total), (1|2|3))",
        "10.power(1000000)",
        "@0001-01-01 - 2147483647 years",
    ] {
        holds("expression", source.as_bytes().to_vec());
    }
}

#[test]
fn long_strings() {
    for length in [1024, MAX_STRING_BYTES, MAX_STRING_BYTES + 1] {
        let long = "x".repeat(length);
        holds("questionnaire", form(&format!(r#"{{"linkId":"a","type":"string","text":"{long}"}}"#)));
        holds("questionnaire", form(&format!(r#"{{"linkId":"{long}","type":"string"}}"#)));
        holds(
            "questionnaire",
            form(&format!(r#"{{"linkId":"a","type":"string","initial":[{{"valueString":"{long}"}}]}}"#)),
        );
        holds("response", response(&format!(r#"{{"linkId":"line","answer":[{{"valueString":"{long}"}}]}}"#)));
        holds(
            "response",
            response(&format!(
                r#"{{"linkId":"{long}","answer":[{{"valueDecimal":{}}}]}}"#,
                "9".repeat(length)
            )),
        );
        holds("expression", format!("'{long}'").into_bytes());
        holds("expression", long.into_bytes());
    }
}

#[test]
fn many_items() {
    for (count, name) in [(9_000, "same"), (9_000, "own"), (11_000, "own")] {
        let item = |n: usize| {
            let name = if name == "own" { n.to_string() } else { name.to_owned() };
            format!(r#"{{"linkId":"{name}","type":"boolean","text":"Q"}}"#)
        };
        holds("questionnaire", form(&(0..count).map(item).collect::<Vec<_>>().join(",")));
    }
    let loops: Vec<String> = (0..2_000)
        .map(|n| {
            format!(
                r#"{{"linkId":"{n}","type":"boolean","text":"Q","enableWhen":[{{"question":"{}","operator":"=","answerBoolean":true}}]}}"#,
                (n + 1) % 2_000
            )
        })
        .collect();
    holds("questionnaire", form(&loops.join(",")));
    let answers = vec![r#"{"linkId":"yes","answer":[{"valueBoolean":true}]}"#; 5_000].join(",");
    holds("response", response(&answers));
}

#[test]
fn sources_that_are_deep_or_grow() {
    for open in ["a {\n", "x = ((", "x = [", "x = {a=", "x = \"${", "x = !", "x = f(", "x = 1 ? 1 : "] {
        holds("terraform_source", open.repeat(50_000).into_bytes());
    }
    let mut chain = String::from("variable \"w\" {}\nlocals {\n  a0 = [var.w, \"x\"]\n");
    (1..2_000).for_each(|n| writeln!(chain, "  a{n} = [local.a{}, local.a{}]", n - 1, n - 1).unwrap());
    chain.push_str("}\nresource \"t_r\" \"x\" {\n  v = local.a1999\n}\n");
    holds("terraform_source", chain.into_bytes());
}
