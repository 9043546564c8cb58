//! Configurations in, graphs out.

mod bounds;
mod fails_closed;
mod functions;
mod modules;
mod references;
mod repetition;
mod values;
mod verdicts;

use super::{SourceFile, SourceOptions, read_terraform_source};
use crate::graph::{Attribute, Graph, Referent, Resource};
use crate::input_error::InputError;

/// The graph of these files, from the top folder.
fn graph(files: &[(&str, &str)]) -> Graph {
    read(files, &SourceOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn read(files: &[(&str, &str)], options: &SourceOptions<'_>) -> Result<Graph, InputError> {
    let files: Vec<_> =
        files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
    read_terraform_source(&files, options)
}

fn at<'g>(graph: &'g Graph, address: &str) -> &'g Resource {
    let known = || graph.resources().map(|(_, resource)| &*resource.address).collect::<Vec<_>>();
    graph.at(address).unwrap_or_else(|| panic!("{address} is not among {:?}", known())).1
}

fn addresses(graph: &Graph) -> Vec<&str> {
    graph.resources().map(|(_, resource)| &*resource.address).collect()
}

/// The value of an attribute of `t_r.x` of one file.
fn value(text: &str) -> Attribute {
    let graph = graph(&[("main.tf", text)]);
    at(&graph, "t_r.x").attributes.get("v").unwrap_or_else(|| panic!("{text}: not set")).clone()
}

/// An expression as a report shows its value.
fn shown(expression: &str) -> String {
    value(&format!("resource \"t_r\" \"x\" {{\n  v = {expression}\n}}\n")).shown()
}

/// What the expression of an attribute refers to, in words.
fn leads(resource: &Resource, path: &str) -> Vec<String> {
    let word = |to: &Referent| match to {
        Referent::Block(block) => {
            let data = if block.is_data { "data." } else { "" };
            format!(
                "{} {data}{}.{} {:?} {}",
                block.module, block.kind, block.name, block.key, block.attribute
            )
        }
        other => format!("{other:?}"),
    };
    resource
        .references_of(path)
        .flat_map(|all| all.iter())
        .map(|one| word(&one.to).trim().to_owned())
        .collect()
}
