//! Templates of CloudFormation, in JSON or YAML.
//!
//! A template is a function of its parameters. Every value that it can take is kept: where a
//! parameter has allowed values or a condition chooses, a rule has to hold for all of them; where it
//! may be anything, nobody knows.

mod alternatives;
mod conditions;
mod evaluator;
mod expressions;
mod for_each;
mod functions;
mod parameters;
mod tags;
#[cfg(test)]
mod tests;
mod texts;

use crate::graph::{Attribute, Block, Format, Graph, Note, Place, Resource};
use crate::input_error::InputError;
use crate::limits::{MAX_EVALUATED_BYTES, MAX_TEMPLATE_BYTES};
use crate::secret_names::with_hidden_secrets;
use crate::source_documents::read_documents;
use crate::yaml::YamlNode;
use conditions::Decision;
use evaluator::{Evaluator, block_of};
use for_each::expanded;
use std::collections::HashMap;
use tags::{Shape, shape, without_short_forms};

/// A transform that adds functions and no resources; Ward carries them out.
const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// What stands beside the properties of a resource, and its name in the graph. No property of a
/// resource is written with underscores.
const RESOURCE_ATTRIBUTES: [(&str, &str); 2] =
    [("DeletionPolicy", "deletion_policy"), ("UpdateReplacePolicy", "update_replace_policy")];

/// Types whose resources stand in another template.
const OTHER_TEMPLATES: [&str; 3] = [
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
];

/// Reads a template. `file` is what reports call it.
///
/// # Errors
/// [`InputError`] when the text is no template, or its expressions come to more than Ward accepts.
pub fn read_cloudformation(file: &str, text: &str) -> Result<Graph, InputError> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(malformed(file, format!("a template has at most {MAX_TEMPLATE_BYTES} bytes")));
    }
    let mut documents = read_documents(text)?;
    let (Some(template), true) = (documents.pop(), documents.is_empty()) else {
        return Err(malformed(file, "a template is one document".to_owned()));
    };
    let template = without_short_forms(template);
    let Some(written) = template.get("Resources").and_then(YamlNode::as_entries) else {
        return Err(malformed(file, "Resources is missing, or is no mapping".to_owned()));
    };
    let mut notes = Notes { file, notes: Vec::new() };
    notes.transforms(&template);
    let loops = expanded(written);
    for (line, name) in &loops.left_out {
        notes.block(
            *line,
            format!("the resources of the loop {name} are not written out: they were not checked"),
        );
    }
    let kinds = loops.entries.iter().filter_map(|(key, node)| Some((key.as_text()?, kind_of(node)?)));
    let mut evaluator = Evaluator::new(&template, kinds.collect::<HashMap<_, _>>());
    let mut resources = Vec::with_capacity(loops.entries.len());
    for (key, node) in &loops.entries {
        resources.extend(resource(&mut evaluator, &mut notes, key, node));
    }
    if evaluator.is_spent() {
        let what = format!("the expressions of the template come to more than {MAX_EVALUATED_BYTES} bytes");
        return Err(malformed(file, what));
    }
    Ok(Graph::new(Format::CloudFormation, resources, notes.notes)?)
}

fn malformed(file: &str, what: String) -> InputError {
    InputError::Malformed { at: file.to_owned(), what }
}

fn kind_of(node: &YamlNode) -> Option<&str> {
    node.get("Type").and_then(YamlNode::as_text).filter(|kind| !kind.is_empty())
}

/// Reads one resource; `None` if it is never made, or can't be told.
fn resource<'t>(
    evaluator: &mut Evaluator<'t>,
    notes: &mut Notes<'_>,
    key: &'t YamlNode,
    node: &'t YamlNode,
) -> Option<Resource> {
    let name = key.as_text().unwrap_or_default();
    let Some(kind) = kind_of(node) else {
        notes.block(key.line, format!("{name} has no type that Ward can read: it was not checked"));
        return None;
    };
    notes.kind(key.line, name, kind);
    let condition = node.get("Condition");
    let condition = condition.map(|condition| condition.as_text().unwrap_or("(not a name)"));
    let decision = condition.map_or(Decision::Yes, |condition| evaluator.decide(condition));
    if decision == Decision::No {
        notes.tell(key.line, format!("{name} is never made: its condition can't hold"));
        return None;
    }
    let mut resource = Resource::new(name, kind, name);
    if decision == Decision::Open {
        resource.condition = condition.map(Into::into);
    }
    // Where its values are used, its condition holds.
    evaluator.conditions.assume(condition.unwrap_or_default());
    resource.attributes = with_hidden_secrets(attributes(evaluator, notes, name, node));
    evaluator.conditions.forget();
    resource.place = Some(notes.place(key.line));
    resource.expressions = expressions::expressions(&resource.attributes);
    Some(resource)
}

fn attributes<'t>(
    evaluator: &mut Evaluator<'t>,
    notes: &mut Notes<'_>,
    name: &str,
    node: &'t YamlNode,
) -> Block {
    let mut entries = match node.get("Properties").map(|properties| (properties, properties.as_entries())) {
        Some((_, Some(written))) if matches!(shape(written), Shape::Plain(_)) => evaluator.entries(written).0,
        Some((properties, _)) => match evaluator.value(properties).attribute {
            Some(Attribute::Block(block)) => block.into_entries(),
            None | Some(Attribute::Null) => Vec::new(),
            Some(_) => {
                notes.block(
                    properties.line,
                    format!("the properties of {name} are not known before the deployment"),
                );
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    if node
        .as_entries()
        .is_some_and(|written| written.iter().any(|(key, _)| key.as_text() == Some("Fn::Transform")))
    {
        notes.block(node.line, format!("a macro changes {name} during the deployment"));
    }
    for (written, as_name) in RESOURCE_ATTRIBUTES {
        let value = node.get(written).and_then(|node| evaluator.value(node).attribute);
        entries.extend(value.map(|value| (as_name.into(), value)));
    }
    match block_of(entries) {
        Attribute::Block(block) => block,
        _ => {
            notes.block(node.line, format!("{name} gives a property twice"));
            Block::default()
        }
    }
}

/// What a person must know about the template as a whole.
struct Notes<'f> {
    file: &'f str,
    notes: Vec<Note>,
}

impl Notes<'_> {
    fn place(&self, line: u32) -> Place {
        Place { file: self.file.into(), line }
    }

    fn tell(&mut self, line: u32, text: String) {
        let place = Some(self.place(line));
        self.notes.push(Note { blocks: false, text, place });
    }

    fn block(&mut self, line: u32, text: String) {
        let place = Some(self.place(line));
        self.notes.push(Note { blocks: true, text, place });
    }

    /// Macros change the template before it is deployed: what they make was not seen.
    fn transforms(&mut self, template: &YamlNode) {
        let section = template.get("Transform");
        let names = section.map(|section| section.as_items().unwrap_or(std::slice::from_ref(section)));
        for node in names.unwrap_or_default() {
            let name = node.as_text().or_else(|| node.get("Name")?.as_text()).unwrap_or("of no name");
            if name != LANGUAGE_EXTENSIONS {
                self.block(node.line, format!("the macro {name} changes the template during the deployment"));
            }
        }
        if let Some(node) = template.get("Fn::Transform") {
            self.block(node.line, "a macro changes the template during the deployment".to_owned());
        }
    }

    /// Types that stand for resources which this template doesn't hold.
    fn kind(&mut self, line: u32, name: &str, kind: &str) {
        if OTHER_TEMPLATES.contains(&kind) {
            self.block(line, format!("{name} deploys another template, which was not at hand"));
        }
        if kind.ends_with("::MODULE") {
            self.block(line, format!("{name} is the module {kind}, which was not at hand"));
        }
        if kind.starts_with("AWS::Serverless::") {
            self.block(line, format!("{name} is expanded by a macro during the deployment"));
        }
    }
}
