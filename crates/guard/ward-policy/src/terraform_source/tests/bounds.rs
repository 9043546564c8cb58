//! Limits of files, instances, modules, and work; and that no input makes a check crash.

use super::{addresses, at, graph, read};
use crate::graph::Attribute;
use crate::limits::{
    MAX_EVALUATION_DEPTH, MAX_HCL_DEPTH, MAX_INSTANCES, MAX_MODULE_DEPTH, MAX_MODULE_INSTANCES,
    MAX_REFERENCES, MAX_SOURCE_FILE_BYTES, MAX_SOURCE_FILES, MAX_TEXT_BYTES, MAX_VALUE_DEPTH,
    MAX_VALUE_FILES,
};
use crate::terraform_source::{SourceFile, SourceOptions, TerraformSource};

/// Whether something in a value is not known.
fn is_unknown(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Unknown(_) => true,
        Attribute::List(items) => items.iter().any(is_unknown),
        Attribute::Block(block) => block.entries().any(|(_, value)| is_unknown(value)),
        _ => false,
    }
}

/// Runs something in no more stack than a thread in a browser has.
fn in_a_small_stack(work: fn()) {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).unwrap();
    thread.join().unwrap();
}

#[test]
fn files_at_the_limits_and_one_past() {
    let of_bytes = |count: usize| read(&[("main.tf", &" ".repeat(count))], &SourceOptions::default());
    assert!(of_bytes(MAX_SOURCE_FILE_BYTES).is_ok());
    assert!(of_bytes(MAX_SOURCE_FILE_BYTES + 1).is_err());
    let of_count =
        |count: usize| TerraformSource::read(&vec![SourceFile { path: "a.md", bytes: b"" }; count]);
    assert!(of_count(MAX_SOURCE_FILES).is_ok());
    assert!(of_count(MAX_SOURCE_FILES + 1).is_err());
}

/// With the square of the names, or the lines counted anew for each, it would take minutes.
#[test]
fn many_names_on_lines_of_their_own_and_all_of_them_overruled() {
    const MANY: usize = 60_000;
    let lines = |value: &str| {
        let names: Vec<String> = (0..MANY).map(|at| format!("\"n{at}\": {value}")).collect();
        format!("{{\"resource\": {{\"t_r\": {{\"x\": {{\n{}\n}}}}}}}}", names.join(",\n"))
    };
    let files = [("main.tf.json", lines("1")), ("main_override.tf.json", lines("2"))];
    let graph = graph(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    let attributes = &at(&graph, "t_r.x").attributes;
    assert_eq!(attributes.len(), MANY);
    assert!(attributes.entries().all(|(_, value)| *value == Attribute::Number(2.0)));
}

#[test]
fn instances_at_the_limit_and_one_past() {
    let of =
        |count: usize| graph(&[("main.tf", &format!("resource \"t_r\" \"x\" {{\n  count = {count}\n}}\n"))]);
    assert_eq!(of(MAX_INSTANCES).len(), MAX_INSTANCES);
    let past = of(MAX_INSTANCES + 1);
    assert_eq!(addresses(&past), ["t_r.x"]);
    assert!(at(&past, "t_r.x").may_be_absent);
}

#[test]
fn modules_that_call_themselves_end_and_block() {
    let main = "module \"m\" {\n  source = \"./\"\n}\nresource \"t_r\" \"x\" {}\n";
    let deep = graph(&[("main.tf", main)]);
    assert_eq!(deep.len(), MAX_MODULE_DEPTH + 1);
    assert!(deep.notes().iter().any(|note| note.blocks));
    let wide = main.replace("./\"\n", "./\"\n  count = 3\n");
    let wide = graph(&[("main.tf", &wide)]);
    assert_eq!(wide.len(), MAX_MODULE_INSTANCES);
    assert!(wide.notes().iter().any(|note| note.blocks));
}

#[test]
fn a_long_chain_of_names_ends_without_a_crash() {
    in_a_small_stack(long_chain);
}

fn long_chain() {
    let links = MAX_EVALUATION_DEPTH * 20;
    let mut text = String::from("locals {\n  a0 = \"x\"\n");
    for link in 1..=links {
        text.push_str(&format!("  a{link} = [local.a{}]\n", link - 1));
    }
    text.push_str(&format!("}}\nresource \"t_r\" \"x\" {{\n  v = local.a{links}\n  w = local.a10\n}}\n"));
    let graph = graph(&[("main.tf", &text)]);
    assert!(at(&graph, "t_r.x").attributes.get("v").unwrap().shown().contains("does not evaluate"));
    assert_eq!(
        at(&graph, "t_r.x").attributes.get("w").unwrap().shown(),
        format!("{}\"x\"{}", "[".repeat(10), "]".repeat(10))
    );
}

#[test]
fn the_deepest_expressions_fit_the_stack() {
    in_a_small_stack(deepest_expressions);
}

fn deepest_expressions() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a=", "}"),
        ("upper(", ")"),
        ("\"${", "}\""),
        ("true ? ", " : 1"),
        ("[for v in ", " : v]"),
    ] {
        let nested = |inside: usize| {
            let text = format!("  v = {}\"x\"{}\n", open.repeat(inside), close.repeat(inside));
            let links: String =
                (0..20).map(|link| format!("  l{link} = [local.l{}, local.v]\n", link + 1)).collect();
            let user = "resource \"t_r\" \"x\" {\n  v = local.l0\n}\n";
            read(
                &[("main.tf", &format!("locals {{\n{text}{links}  l20 = local.v\n}}\n{user}"))],
                &SourceOptions::default(),
            )
        };
        let deepest =
            (1..=MAX_HCL_DEPTH).rev().find_map(|inside| nested(inside).ok().map(|graph| (inside, graph)));
        let (inside, graph) = deepest.unwrap();
        assert!(inside > MAX_HCL_DEPTH / 4, "{open}: {inside}");
        assert_eq!(graph.len(), 1, "{open}");
    }
}

/// Puts an expression into another.
type Wrap<'a> = &'a dyn Fn(&str) -> String;

#[test]
fn the_longest_ways_through_everything_fit_the_stack() {
    in_a_small_stack(longest_ways);
}

fn longest_ways() {
    let links = MAX_EVALUATION_DEPTH + 10;
    let ifs =
        |inner: &str| format!("\"{}${{{inner}}}{}\"", "%{ if true }".repeat(30), "%{ endif }".repeat(30));
    let blocks = |inner: &str| format!("0\n{} v = {inner} {}", "b {\n".repeat(30), "\n}".repeat(30));
    let dynamics = |inner: &str| {
        let open = "dynamic \"b\" {\nfor_each = [1]\ncontent {\n".repeat(15);
        format!("0\n{open} v = {inner} {}", "\n}\n}".repeat(15))
    };
    let wraps: [(&str, Wrap<'_>); 7] = [
        ("v", &|inner| format!("upper({inner})")),
        ("v", &|inner| format!("[for x in [1] : {inner}][0]")),
        ("v", &|inner| format!("try({{ a = {inner} }}.a, 1)")),
        ("v", &|inner| format!("true ? {inner} : 1")),
        ("v", &ifs),
        ("b[0].v", &blocks),
        ("b[0].v", &dynamics),
    ];
    for (name, wrap) in wraps {
        let link = |at: usize| {
            let inner = wrap(&format!("t_r.x{}.{name}", at + 1));
            format!("resource \"t_r\" \"x{at}\" {{\n  v = {inner}\n}}\n")
        };
        let text: String = (0..links).map(link).collect();
        assert_eq!(graph(&[("main.tf", &text)]).len(), links);
    }
    let module = "variable \"v\" {}\nmodule \"m\" {\n  source = \"./\"\n  v = upper(var.v)\n}\noutput \"o\" {\n  value = try(lower(module.m.o), var.v)\n}\nresource \"t_r\" \"x\" {\n  v = module.m.o\n}\n";
    assert_eq!(graph(&[("main.tf", module)]).len(), MAX_MODULE_DEPTH + 1);
}

#[test]
fn values_that_grow_without_end_are_not_known() {
    let doubled = |start: &str, each: &str, links: usize| {
        let mut text = format!("locals {{\n  a0 = {start}\n");
        for link in 1..=links {
            text.push_str(&format!("  a{link} = {}\n", each.replace('@', &format!("local.a{}", link - 1))));
        }
        text.push_str(&format!("}}\nresource \"t_r\" \"x\" {{\n  v = local.a{links}\n}}\n"));
        text
    };
    for (start, each) in [
        ("\"0123456789abcdef\"", "\"${@}${@}\""),
        ("[1]", "concat(@, @)"),
        ("[1]", "[@, @]"),
        ("{ a = 1 }", "{ a = @, b = @ }"),
        ("\"0123456789abcdef\"", "format(\"%s%s\", @, @)"),
        ("\"0123456789abcdef\"", "join(\"\", [@, @])"),
        ("\"aa\"", "replace(@, \"a\", \"aa\")"),
        ("[1]", "[for x in [1, 2] : @]"),
    ] {
        let graph = graph(&[("main.tf", &doubled(start, each, 40))]);
        assert!(is_unknown(at(&graph, "t_r.x").attributes.get("v").unwrap()), "{each}");
    }
    let text = format!("resource \"t_r\" \"x\" {{\n  v = \"{}\"\n}}\n", "x".repeat(MAX_TEXT_BYTES));
    assert!(!is_unknown(at(&graph(&[("main.tf", &text)]), "t_r.x").attributes.get("v").unwrap()));
    let nested = doubled("1", "[@]", MAX_VALUE_DEPTH + 1);
    assert!(is_unknown(at(&graph(&[("main.tf", &nested)]), "t_r.x").attributes.get("v").unwrap()));
}

#[test]
fn loops_in_loops_end() {
    let text = r#"
        locals { n = range(1000) }
        resource "t_r" "x" {
          v = length([for a in local.n : [for b in local.n : [for c in local.n : [for d in local.n : 1]]]])
        }
    "#;
    assert!(graph(&[("main.tf", text)]).notes().iter().any(|note| note.blocks));
}

#[test]
fn work_is_bounded_where_results_are_small() {
    let large = "locals {\n  n = range(10000)\n  big = [for a in range(9) : local.n]\n}\n";
    for expression in [
        "length([for a in local.n : length(local.big)])",
        "length([for a in local.n : 1 if contains(local.n, -1)])",
        "length([for a in local.n : local.n[a]])",
        "length([for a in range(1000) : length(distinct(local.n))])",
        "length([for a in local.n : [for b in local.n : 1 if false]])",
    ] {
        let text = format!("{large}resource \"t_r\" \"x\" {{\n  v = {expression}\n}}\n");
        // It ends, with a value or with a note.
        let graph = graph(&[("main.tf", &text)]);
        assert!(graph.len() == 1 || graph.notes().iter().any(|note| note.blocks), "{expression}");
    }
}

#[test]
fn references_past_the_limit_lead_nowhere_for_certain() {
    let items: Vec<String> = (0..=MAX_REFERENCES).map(|at| format!("t_b.b{at}.id")).collect();
    let blocks: String =
        (0..=MAX_REFERENCES).map(|at| format!("resource \"t_b\" \"b{at}\" {{}}\n")).collect();
    let text = format!("{blocks}resource \"t_r\" \"x\" {{\n  v = [{}]\n}}\n", items.join(", "));
    let graph = graph(&[("main.tf", &text)]);
    assert!(super::leads(at(&graph, "t_r.x"), "v").contains(&"Computed".to_owned()));
}

/// Texts that are almost right, made from one that is right: cut, doubled, and with letters exchanged.
#[test]
fn no_text_makes_a_check_crash() {
    let right = include_str!("mixed.tf");
    let check = |text: &str| {
        drop(read(&[("main.tf", text), ("m/main.tf", "variable \"a\" {}")], &SourceOptions::default()))
    };
    assert!(!graph(&[("main.tf", right), ("m/main.tf", "variable \"a\" {}")]).is_empty());
    for (at, _) in right.char_indices() {
        check(&right[..at]);
        check(&right[at..]);
    }
    let letters = [
        '{', '}', '"', '$', '%', '\\', '[', ')', '.', '=', '<', '\n', '*', '?', ':', '\u{f8ff}', 'é', '\0',
        '0',
    ];
    let mut state = 1_u64;
    for _ in 0..3_000 {
        let mut text: Vec<char> = right.chars().collect();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from(state >> 33).unwrap() % text.len();
            text[place] = letters[usize::try_from(state >> 20).unwrap() % letters.len()];
        }
        check(&text.into_iter().collect::<String>());
    }
}

#[test]
fn files_of_values_are_looked_at_up_to_their_bound() {
    let main = "variable \"on\" {\n  default = true\n}\nresource \"t_r\" \"x\" {\n  v = var.on\n}\n";
    let blocks = |count: usize| {
        let names: Vec<String> = (0..count).map(|place| format!("{place}.tfvars")).collect();
        let values = names.iter().map(|name| (name.as_str(), "size = 5"));
        let files: Vec<_> = std::iter::once(("main.tf", main)).chain(values).collect();
        read(&files, &SourceOptions::default()).unwrap().notes().iter().any(|note| note.blocks)
    };
    assert!(!blocks(MAX_VALUE_FILES));
    assert!(blocks(MAX_VALUE_FILES + 1));
}

#[test]
fn modules_that_are_made_no_times_in_a_row_are_each_checked_once() {
    let files: Vec<(String, String)> = (0..50)
        .map(|place| {
            let call = format!("module \"m\" {{\n  source = \"../m{}\"\n  count = 0\n}}\n", place + 1);
            (format!("m{place}/main.tf"), call)
        })
        .collect();
    let files: Vec<_> =
        files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
    let graphs = TerraformSource::read(&files).unwrap().graphs(&SourceOptions::default());
    assert_eq!(graphs.len(), 50);
}
