//! `count`, `for_each`, and dynamic blocks.

use super::{addresses, at, graph, leads};
use crate::graph::{Attribute, InstanceKey};

#[test]
fn instances_have_their_keys_and_values() {
    let text = r#"
        variable "zones" { default = { b = "west", a = "east" } }
        resource "t_r" "c" {
          count = length(var.zones)
          v     = "n${count.index}"
        }
        resource "t_r" "e" {
          for_each = var.zones
          v        = "${each.key}-${each.value}"
        }
        resource "t_r" "s" {
          for_each = toset(["x.y"])
          v        = each.value
        }
        resource "t_r" "none" {
          count = 0
        }
    "#;
    let graph = graph(&[("main.tf", text)]);
    assert_eq!(addresses(&graph), ["t_r.c[0]", "t_r.c[1]", "t_r.e[\"a\"]", "t_r.e[\"b\"]", "t_r.s[\"x.y\"]"]);
    assert_eq!(at(&graph, "t_r.c[1]").attributes.get("v"), Some(&"n1".into()));
    assert_eq!(at(&graph, "t_r.e[\"b\"]").attributes.get("v"), Some(&"b-west".into()));
    assert_eq!(at(&graph, "t_r.c[0]").key, Some(InstanceKey::Index(0)));
    assert!(graph.resources().all(|(_, resource)| !resource.may_be_absent));
}

#[test]
fn a_repeated_companion_leads_to_the_instance_of_its_own_key() {
    let text = r#"
        locals { names = toset(["a", "b"]) }
        resource "t_b" "b" { for_each = local.names }
        resource "t_p" "by_key" {
          for_each = local.names
          bucket   = t_b.b[each.key].id
        }
        resource "t_p" "by_value" {
          for_each = t_b.b
          bucket   = each.value.id
        }
        resource "t_p" "all" { buckets = values(t_b.b)[*].id }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let expected = ["t_b.b Given(Name(\"a\")) id"];
    assert_eq!(leads(at(&graph, "t_p.by_key[\"a\"]"), "bucket"), expected);
    assert_eq!(leads(at(&graph, "t_p.by_value[\"a\"]"), "bucket"), expected);
    assert_eq!(leads(at(&graph, "t_p.all"), "buckets").len(), 2);
}

#[test]
fn dynamic_blocks_are_there_once_for_each_value() {
    let text = r#"
        variable "ports" { default = [80, 443] }
        resource "t_r" "x" {
          ingress {
            port = 22
          }
          dynamic "ingress" {
            for_each = var.ports
            iterator = it
            content {
              port  = it.value
              place = it.key
              dynamic "peer" {
                for_each = { k = "p" }
                content {
                  name = "${peer.key}${peer.value}${it.value}"
                }
              }
            }
          }
          dynamic "none" {
            for_each = []
            content {}
          }
        }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let resource = at(&graph, "t_r.x");
    let Some(Attribute::List(blocks)) = resource.attributes.get("ingress") else { panic!("no blocks") };
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[2].shown(), "{peer = [{name = \"kp443\"}], place = 1, port = 443}");
    assert_eq!(resource.attributes.get("none"), None);
}
