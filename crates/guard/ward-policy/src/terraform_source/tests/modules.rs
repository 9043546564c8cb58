//! Modules: inputs, outputs, instances, providers, and what is not at hand.

use super::{addresses, at, graph, leads, read};
use crate::graph::{Attribute, Reason};
use crate::terraform_source::SourceOptions;

const BUCKET: &str = r#"
    variable "name" {}
    variable "acl" { default = "private" }
    resource "t_b" "b" {
      name = var.name
      acl  = var.acl
    }
    output "id" { value = t_b.b.id }
"#;

#[test]
fn outputs_and_inputs_lead_through_modules() {
    let root = r#"
        module "data" {
          source = "./bucket"
          name   = "data"
        }
        module "guard" {
          source    = "./guard"
          bucket_id = module.data.id
        }
    "#;
    let guard = "variable \"bucket_id\" {}\nresource \"t_p\" \"p\" {\n  bucket = var.bucket_id\n}\n";
    let graph = graph(&[("main.tf", root), ("bucket/main.tf", BUCKET), ("guard/main.tf", guard)]);
    assert_eq!(addresses(&graph), ["module.data.t_b.b", "module.guard.t_p.p"]);
    assert_eq!(leads(at(&graph, "module.guard.t_p.p"), "bucket"), ["module.data t_b.b NotGiven id"]);
}

#[test]
fn instances_of_modules_have_their_own_inputs() {
    let root = r#"
        module "m" {
          source   = "./bucket"
          for_each = { a = "public-read", b = "private" }
          name     = each.key
          acl      = each.value
        }
        resource "t_p" "p" { bucket = module.m["b"].id }
        resource "t_p" "q" {
          count  = 2
          bucket = module.c[count.index].id
        }
        module "c" {
          source = "./bucket"
          count  = 2
          name   = "n${count.index}"
        }
    "#;
    let graph = graph(&[("main.tf", root), ("bucket/main.tf", BUCKET)]);
    let acl = |address: &str| at(&graph, address).attributes.get("acl").unwrap().shown();
    assert_eq!(acl("module.m[\"a\"].t_b.b"), "\"public-read\"");
    assert_eq!(acl("module.m[\"b\"].t_b.b"), "\"private\"");
    assert_eq!(leads(at(&graph, "t_p.p"), "bucket"), ["module.m[\"b\"] t_b.b NotGiven id"]);
    assert_eq!(leads(at(&graph, "t_p.q[1]"), "bucket"), ["module.c[1] t_b.b NotGiven id"]);
}

#[test]
fn modules_in_modules_and_above_their_caller() {
    let files = [
        ("envs/prod/main.tf", "module \"a\" {\n  source = \"../../modules/a\"\n}\n"),
        ("modules/a/main.tf", "module \"b\" {\n  source = \"../b\"\n  name = \"x\"\n}\n"),
        ("modules/b/main.tf", BUCKET),
    ];
    let graph = read(&files, &SourceOptions { root: "envs/prod", ..SourceOptions::default() }).unwrap();
    let bucket = at(&graph, "module.a.module.b.t_b.b");
    assert_eq!(bucket.attributes.get("name"), Some(&"x".into()));
    assert_eq!(&*bucket.place.as_ref().unwrap().file, "modules/b/main.tf");
}

#[test]
fn fetched_modules_are_found_where_terraform_put_them() {
    let list = r#"{"Modules": [{"Key": "", "Source": "", "Dir": "."},
        {"Key": "net", "Source": "registry.example/net", "Version": "1.0.0", "Dir": ".terraform/modules/net"}]}"#;
    let root = "module \"net\" {\n  source = \"example/net\"\n  name = \"x\"\n}\n";
    let files = [
        ("main.tf", root),
        (".terraform/modules/modules.json", list),
        (".terraform/modules/net/main.tf", BUCKET),
    ];
    let found = graph(&files);
    assert_eq!(addresses(&found), ["module.net.t_b.b"]);
    assert!(found.notes().is_empty());
}

#[test]
fn providers_are_handed_down() {
    let root = r#"
        provider "aws" { region = "us-east-1" }
        provider "aws" {
          alias  = "west"
          region = "us-west-2"
        }
        module "m" {
          source    = "./m"
          providers = { aws = aws.west, aws.log = aws }
        }
        module "n" { source = "./m" }
        resource "aws_r" "x" {}
    "#;
    let inner = "resource \"aws_r\" \"x\" {}\nresource \"aws_r\" \"log\" {\n  provider = aws.log\n}\n";
    let graph = graph(&[("main.tf", root), ("m/main.tf", inner)]);
    let provider = |address: &str| at(&graph, address).provider.to_string();
    assert_eq!(provider("aws_r.x"), "aws");
    assert_eq!(provider("module.m.aws_r.x"), "aws.west");
    assert_eq!(provider("module.m.aws_r.log"), "aws");
    assert_eq!(provider("module.n.aws_r.x"), "aws");
    assert_eq!(provider("module.n.aws_r.log"), "module.n:aws.log");
}

#[test]
fn an_input_that_nobody_gives_is_not_known() {
    let root = "module \"m\" {\n  source = \"./bucket\"\n}\n";
    let graph = graph(&[("main.tf", root), ("bucket/main.tf", BUCKET)]);
    let Some(Attribute::Unknown(name)) = at(&graph, "module.m.t_b.b").attributes.get("name") else {
        panic!("known")
    };
    assert_eq!((name.reason, name.expression().as_str()), (Reason::Input, "var.name"));
}

#[test]
fn default_tags_of_the_provider_are_among_all_tags() {
    let root = r#"
        variable "open" {}
        provider "aws" {
          default_tags {
            tags = { owner = "site", class = "record" }
          }
        }
        provider "aws" {
          alias = "bare"
        }
        provider "aws" {
          alias = "open"
          default_tags {
            tags = var.open
          }
        }
        resource "aws_r" "own" { tags = { class = "log" } }
        resource "aws_r" "none" {}
        resource "aws_r" "bare" { provider = aws.bare }
        resource "aws_r" "open" {
          provider = aws.open
          tags     = { class = "log" }
        }
        resource "other_r" "x" {}
        module "m" { source = "./m" }
    "#;
    let inner = "resource \"aws_r\" \"x\" {\n  tags = null\n}\n";
    let graph = graph(&[("main.tf", root), ("m/main.tf", inner)]);
    let tags = |address: &str| at(&graph, address).attributes.get("tags_all").map(Attribute::shown);
    let defaults = Some(r#"{class = "record", owner = "site"}"#.to_owned());
    assert_eq!(tags("aws_r.own").as_deref(), Some(r#"{class = "log", owner = "site"}"#));
    assert_eq!(tags("aws_r.none"), defaults);
    assert_eq!(tags("module.m.aws_r.x"), defaults);
    assert_eq!((tags("aws_r.bare"), tags("other_r.x")), (None, None));
    assert!(matches!(at(&graph, "aws_r.open").attributes.get("tags_all"), Some(Attribute::Unknown(_))));
}
