//! What expressions lead to, so that companions are found.

use super::{at, graph, leads};
use crate::graph::{Attribute, Resolved};

#[test]
fn a_known_name_still_leads_to_its_resource() {
    let text = r#"
        resource "t_b" "b" { name = "records" }
        resource "t_p" "p" { bucket = t_b.b.name }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let companion = at(&graph, "t_p.p");
    assert_eq!(companion.attributes.get("bucket"), Some(&"records".into()));
    assert_eq!(leads(companion, "bucket"), ["t_b.b NotGiven name"]);
}

#[test]
fn a_name_that_is_not_known_leads_to_its_resource_alone() {
    let text = r#"
        variable "name" {}
        resource "t_b" "b" { name = var.name }
        resource "t_p" "p" { bucket = t_b.b.name }
    "#;
    let graph = graph(&[("main.tf", text)]);
    assert_eq!(leads(at(&graph, "t_p.p"), "bucket"), ["t_b.b NotGiven name"]);
    // The value hangs on the input all the same: it may be empty.
    let Some(Attribute::Unknown(unknown)) = at(&graph, "t_p.p").attributes.get("bucket") else {
        panic!("known")
    };
    assert_eq!(unknown.references.len(), 2);
}

#[test]
fn only_the_item_that_is_taken_leads_on() {
    let text = r#"
        resource "t_b" "a" {}
        resource "t_b" "b" {}
        locals {
          ids = { one = t_b.a.id, two = t_b.b.id }
        }
        resource "t_p" "map" { bucket = local.ids["two"] }
        resource "t_p" "list" { bucket = element([t_b.a.id, t_b.b.id], 1) }
        resource "t_p" "object" { bucket = { a = t_b.a, b = t_b.b }.b.id }
    "#;
    let graph = graph(&[("main.tf", text)]);
    for address in ["t_p.map", "t_p.list", "t_p.object"] {
        assert_eq!(leads(at(&graph, address), "bucket"), ["t_b.b NotGiven id"], "{address}");
    }
}

#[test]
fn blocks_have_paths_without_places() {
    let text = r#"
        resource "t_k" "k" {}
        resource "t_r" "x" {
          rule {
            inner {
              key = t_k.k.arn
            }
          }
          tags = { key = t_k.k.id }
        }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let resource = at(&graph, "t_r.x");
    assert_eq!(leads(resource, "rule.inner.key"), ["t_k.k NotGiven arn"]);
    assert_eq!(leads(resource, "tags"), ["t_k.k NotGiven id"]);
}

#[test]
fn an_arn_with_something_behind_it_stays_with_its_resource() {
    let text = r#"
        resource "t_b" "b" {}
        resource "t_p" "behind" { v = "${t_b.b.arn}/*" }
        resource "t_p" "before" { v = "logs-${t_b.b.id}" }
    "#;
    let graph = graph(&[("main.tf", text)]);
    assert_eq!(leads(at(&graph, "t_p.behind"), "v"), ["t_b.b NotGiven arn"]);
    assert!(leads(at(&graph, "t_p.before"), "v").contains(&"Computed".to_owned()));
}

#[test]
fn references_find_resources_of_the_graph() {
    let text = "resource \"t_b\" \"b\" {\n  count = 2\n}\nresource \"t_p\" \"p\" {\n  v = t_b.b[1].id\n}\n";
    let graph = graph(&[("main.tf", text)]);
    let references = at(&graph, "t_p.p").references_of("v").next().unwrap().clone();
    let crate::graph::Referent::Block(block) = &references[0].to else { panic!("{references:?}") };
    let (second, _) = graph.at("t_b.b[1]").unwrap();
    assert_eq!(graph.resolve(block), Resolved::One(second));
}
