//! Ways in which other checkers of source pass what they can't know: Ward does not.

use super::{addresses, at, graph, leads, read};
use crate::graph::{Attribute, Reason};
use crate::input_error::InputError;
use crate::terraform_source::{SourceFile, SourceOptions, TerraformSource};

fn unknown(attribute: Option<&Attribute>) -> Reason {
    match attribute {
        Some(Attribute::Unknown(unknown)) => unknown.reason,
        other => panic!("known: {other:?}"),
    }
}

const INNER: &str =
    "variable \"on\" {\n  default = true\n}\nresource \"t_r\" \"x\" {\n  encrypted = var.on\n}\n";

#[test]
fn fails_closed_two_calls_of_one_module_keep_their_own_inputs() {
    let root = r#"
        variable "never_given" {}
        module "default" { source = "./m" }
        module "off" {
          source = "./m"
          on     = false
        }
        module "open" {
          source = "./m"
          on     = var.never_given
        }
        module "after" {
          source = "./m"
          on     = t_k.k.enabled
        }
        resource "t_k" "k" {}
    "#;
    let graph = graph(&[("main.tf", root), ("m/main.tf", INNER)]);
    let get = |address: &str| at(&graph, address).attributes.get("encrypted").cloned();
    assert_eq!(get("module.default.t_r.x"), Some(true.into()));
    assert_eq!(get("module.off.t_r.x"), Some(false.into()));
    assert_eq!(unknown(get("module.open.t_r.x").as_ref()), Reason::Input);
    assert_eq!(unknown(get("module.after.t_r.x").as_ref()), Reason::AfterApply);
}

#[test]
fn fails_closed_values_that_lie_there_and_are_not_read_block_the_check() {
    let main = "variable \"on\" {\n  default = true\n}\nresource \"t_r\" \"x\" {\n  encrypted = var.on\n}\n";
    let blocks = |files: &[(&str, &str)], options: &SourceOptions<'_>| {
        let files: Vec<_> = std::iter::once(("main.tf", main)).chain(files.iter().copied()).collect();
        read(&files, options).unwrap().notes().iter().any(|note| note.blocks)
    };
    let plain = SourceOptions::default();
    assert!(!blocks(&[], &plain));
    for path in ["prod.tfvars", "prod.tfvars.json", "env/prod.tfvars", "env/terraform.tfvars"] {
        let text = if path.ends_with("json") { "{\"on\": false}" } else { "on = false" };
        assert!(blocks(&[(path, text)], &plain), "{path}");
    }
    assert!(blocks(&[("prod.tfvars", "on = [")], &plain));
    // The nearest folder above declares nothing of it, so it may be of any root.
    let below = |path: &str| {
        let files = [("versions.tf", "terraform {}\n"), ("infra/main.tf", main), (path, "on = false")];
        let files: Vec<_> =
            files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
        let found = TerraformSource::read(&files).unwrap().graphs(&SourceOptions::default());
        let infra = found.into_iter().find(|(root, _)| root == "infra").unwrap().1.unwrap();
        infra.notes().iter().any(|note| note.blocks)
    };
    assert!(below("env/prod.tfvars") && below("prod.tfvars") && !below("infra/prod.auto.tfvars"));
    // A value that Terraform reads by itself does not make the other one harmless.
    assert!(blocks(&[("terraform.tfvars", "on = true"), ("prod.tfvars", "on = false")], &plain));
    let free: [(&str, &str); 3] =
        [("terraform.tfvars", "on = true"), ("a.auto.tfvars", "on = true"), ("other.tfvars", "size = 5")];
    assert!(!blocks(&free, &plain));
    let prod = SourceFile { path: "prod.tfvars", bytes: b"on = false" };
    assert!(!blocks(&[("prod.tfvars", "on = false")], &SourceOptions { variable_files: &[prod], ..plain }));
    let given = SourceOptions { variables: &[("on", "true")], ..plain };
    assert!(!blocks(&[("prod.tfvars", "on = false")], &given));
}

#[test]
fn fails_closed_a_module_that_is_called_and_made_no_times_is_checked() {
    let inner = "resource \"t_r\" \"x\" {\n  encrypted = false\n}\n";
    let found = |call: &str| {
        let call = format!("module \"m\" {{\n  source = \"./m\"\n  {call}\n}}\n");
        let files = [("main.tf", call.as_str()), ("m/main.tf", inner)];
        let files: Vec<_> =
            files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
        let source = TerraformSource::read(&files).unwrap();
        let graphs = source.graphs(&SourceOptions::default());
        graphs.iter().map(|(root, graph)| (root.clone(), graph.as_ref().unwrap().len())).collect::<Vec<_>>()
    };
    assert_eq!(found(""), [(String::new(), 1)]);
    for none in ["count = 0", "for_each = {}"] {
        assert_eq!(found(none), [(String::new(), 0), ("m".to_owned(), 1)], "{none}");
    }
}

#[test]
fn fails_closed_a_module_that_is_not_at_hand_blocks_the_check() {
    for source in ["terraform-aws-modules/s3-bucket/aws", "./gone", "git::https://example.org/m.git"] {
        let root = format!(
            "module \"m\" {{\n  source = \"{source}\"\n}}\nresource \"t_r\" \"x\" {{\n  v = module.m.key\n}}\n"
        );
        let graph = graph(&[("main.tf", &root)]);
        assert!(graph.notes().iter().any(|note| note.blocks), "{source}");
        assert_eq!(unknown(at(&graph, "t_r.x").attributes.get("v")), Reason::Missing, "{source}");
    }
}

#[test]
fn fails_closed_a_file_that_is_not_read_is_an_error() {
    let broken = read(
        &[("good.tf", INNER), ("bad.tf", "resource \"t_r\" \"y\" {\n  v = [1,\n")],
        &SourceOptions::default(),
    );
    assert!(matches!(broken, Err(InputError::InFile { .. })), "{broken:?}");
    let in_module = [("main.tf", "module \"m\" {\n  source = \"./m\"\n}\n"), ("m/main.tf", "resource {")];
    assert!(read(&in_module, &SourceOptions::default()).is_err());
    assert!(read(&[("readme.md", "")], &SourceOptions::default()).is_err());
}

#[test]
fn fails_closed_a_count_that_nobody_knows_makes_a_resource_that_may_be_absent() {
    let root = r#"
        variable "on" {}
        resource "t_b" "b" {}
        resource "t_p" "p" {
          count  = var.on ? 1 : 0
          bucket = t_b.b.id
        }
        resource "t_q" "q" {
          for_each = var.on
          bucket   = t_b.b.id
          name     = each.key
        }
        module "m" {
          source = "./m"
          count  = var.on ? 1 : 0
        }
        resource "t_r" "user" {
          key    = t_p.p[0].arn
          name   = t_p.p[0].bucket
          amount = length(t_p.p)
          only   = one(t_p.p[*].arn)
          out    = module.m[0].id
        }
    "#;
    let graph = graph(&[("main.tf", root), ("m/main.tf", INNER)]);
    for address in ["t_p.p", "t_q.q", "module.m.t_r.x"] {
        assert!(at(&graph, address).may_be_absent, "{address}");
    }
    assert!(!at(&graph, "t_b.b").may_be_absent);
    assert_eq!(unknown(at(&graph, "t_q.q").attributes.get("name")), Reason::Input);
    let user = at(&graph, "t_r.user");
    for name in ["key", "amount", "only", "out"] {
        unknown(user.attributes.get(name));
        assert!(leads(user, name).contains(&"Computed".to_owned()), "{name}: {:?}", leads(user, name));
    }
}

#[test]
fn fails_closed_a_companion_with_count_zero_is_not_there() {
    let root = "resource \"t_p\" \"p\" {\n  count = 0\n  bucket = \"b\"\n}\n";
    assert!(addresses(&graph(&[("main.tf", root)])).is_empty());
}

#[test]
fn fails_closed_a_dynamic_block_over_what_nobody_knows_is_not_known() {
    let root = r#"
        variable "rules" {}
        resource "t_r" "x" {
          dynamic "only" {
            for_each = var.rules
            content { v = only.value }
          }
          some { v = 1 }
          dynamic "some" {
            for_each = var.rules
            content { v = some.value }
          }
        }
    "#;
    let graph = graph(&[("main.tf", root)]);
    let resource = at(&graph, "t_r.x");
    assert_eq!(unknown(resource.attributes.get("only")), Reason::Input);
    let Some(Attribute::List(some)) = resource.attributes.get("some") else { panic!("no list") };
    assert_eq!((some.len(), unknown(some.get(1))), (2, Reason::Input));
}

#[test]
fn fails_closed_null_is_not_a_value_and_not_absent() {
    let root = r#"
        variable "key" { default = null }
        variable "kept" {
          default  = "k"
          nullable = false
        }
        resource "t_r" "x" {
          key  = var.key
          kept = var.kept
        }
        resource "t_r" "y" { key = t_r.x.key }
    "#;
    let graph = graph(&[("main.tf", root)]);
    let resource = at(&graph, "t_r.x");
    assert_eq!(resource.attributes.get("key"), Some(&Attribute::Null));
    assert_eq!(resource.attributes.get("kept"), Some(&"k".into()));
    // Another resource that reads it gets what the provider makes of it, which may be nothing.
    let Some(Attribute::Unknown(read)) = at(&graph, "t_r.y").attributes.get("key") else { panic!("known") };
    assert_eq!(read.references.len(), 2);
}

#[test]
fn fails_closed_a_reference_to_nothing_is_not_known() {
    let root = r#"
        resource "t_p" "p" {
          a = t_b.gone.id
          b = var.gone
          c = local.gone
          d = module.gone.id
          e = data.t_d.gone.id
          f = each.value
        }
    "#;
    let graph = graph(&[("main.tf", root)]);
    let resource = at(&graph, "t_p.p");
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(unknown(resource.attributes.get(name)), Reason::Undeclared, "{name}");
        assert_eq!(leads(resource, name), ["Undeclared"], "{name}");
    }
}

#[test]
fn fails_closed_what_is_declared_again_is_judged_and_blocks() {
    let twice = "resource \"t_r\" \"x\" {\n  v = true\n}\nresource \"t_r\" \"x\" {\n  v = false\n}\nresource \"t_r\" \"y\" {\n  v = t_r.x.v\n}\n";
    let graph = graph(&[("main.tf", twice)]);
    assert_eq!(addresses(&graph), ["t_r.x", "t_r.x (again, main.tf:4)", "t_r.y"]);
    assert!(graph.notes().iter().any(|note| note.blocks));
    unknown(at(&graph, "t_r.y").attributes.get("v"));
    for text in [
        "variable \"a\" {}\nvariable \"a\" {}\n",
        "locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n",
        "output \"a\" {}\noutput \"a\" {}\n",
    ] {
        assert!(read(&[("main.tf", text)], &SourceOptions::default()).is_err(), "{text}");
    }
}

#[test]
fn fails_closed_remote_state_is_held_elsewhere() {
    let root = r#"
        data "terraform_remote_state" "s" { backend = "s3" }
        resource "t_r" "x" { v = data.terraform_remote_state.s.outputs.key_arn }
    "#;
    let graph = graph(&[("main.tf", root)]);
    assert_eq!(unknown(at(&graph, "t_r.x").attributes.get("v")), Reason::Elsewhere);
    assert_eq!(leads(at(&graph, "t_r.x"), "v"), ["Elsewhere"]);
}

#[test]
fn fails_closed_a_policy_with_an_input_in_it_is_not_known() {
    // An input may hold quotes, and with them another statement.
    let root = "variable \"v\" {}\nresource \"t_r\" \"x\" {\n  v = \"{\\\"Statement\\\": [{\\\"Resource\\\": \\\"${var.v}\\\"}]}\"\n}\n";
    assert_eq!(unknown(at(&graph(&[("main.tf", root)]), "t_r.x").attributes.get("v")), Reason::Input);
}

#[test]
fn fails_closed_names_that_ask_for_themselves_are_not_known() {
    let root = r#"
        locals {
          a = local.b
          b = local.a
        }
        resource "t_r" "x" {
          v = local.a
          w = t_r.y.w
        }
        resource "t_r" "y" { w = t_r.x.w }
    "#;
    let graph = graph(&[("main.tf", root)]);
    unknown(at(&graph, "t_r.x").attributes.get("v"));
    unknown(at(&graph, "t_r.x").attributes.get("w"));
}
