//! One folder of configuration files: what it declares, override files merged in.

use super::body_parser::read_body;
use super::json_syntax::read_json_body;
use super::syntax::{Argument, Block, Body, Node};
use crate::graph::Place;
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::limits::MAX_SOURCE_FILE_BYTES;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// A file as the caller gives it.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Where it lies, with `/` between folders, relative to one folder for all files.
    pub path: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// What one folder declares.
#[derive(Debug, Default)]
pub(super) struct ModuleSource {
    /// Resources and data sources, in the order of the files.
    pub(super) resources: Vec<Declared>,
    /// Their places by type and name, data sources apart.
    by_name: HashMap<(bool, Box<str>, Box<str>), Vec<usize>>,
    pub(super) variables: BTreeMap<Box<str>, Block>,
    pub(super) locals: BTreeMap<Box<str>, Argument>,
    pub(super) outputs: BTreeMap<Box<str>, Block>,
    pub(super) calls: BTreeMap<Box<str>, Declared>,
    /// Configurations of providers by their name, such as `aws.west`.
    pub(super) providers: BTreeMap<Box<str>, Block>,
    /// Whether it says where its state lies or how to reach a provider: then it is deployed by itself.
    pub(super) is_deployed: bool,
}

/// A block, and the file it stands in.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) block: Block,
    pub(super) file: Rc<str>,
}

impl Declared {
    pub(super) fn place(&self) -> Place {
        Place { file: (&*self.file).into(), line: self.block.line }
    }

    pub(super) fn is_data(&self) -> bool {
        &*self.block.kind == "data"
    }

    /// Type and name of a resource, or name of a module call with no type.
    pub(super) fn labels(&self) -> (&str, &str) {
        match self.block.labels.as_slice() {
            [kind, name] => (kind, name),
            [name] => ("", name),
            _ => ("", ""),
        }
    }

    pub(super) fn argument(&self, name: &str) -> Option<&Node> {
        self.block.body.attribute(name).map(|argument| &argument.value)
    }
}

/// Whether a name is that of a configuration file.
pub(super) fn is_configuration(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".tf") || name.ends_with(".tf.json"))
}

/// Whether a file changes what the others of its folder declare.
fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    let stem = stem.strip_suffix(".tf").unwrap_or(stem);
    stem == "override" || stem.ends_with("_override")
}

/// Reads one configuration file.
pub(super) fn read_file(file: &SourceFile<'_>) -> Result<Body, InputError> {
    let read = || {
        if file.bytes.len() > MAX_SOURCE_FILE_BYTES {
            return Err(InputError::TooLarge);
        }
        let text = read_text(file.bytes)?;
        if file.path.ends_with(".json") { read_json_body(&text) } else { read_body(&text) }
    };
    read().map_err(|error| in_file(file.path, error))
}

pub(super) fn in_file(path: &str, error: InputError) -> InputError {
    InputError::InFile { file: path.into(), error: Box::new(error) }
}

/// The declarations of a folder from its files, each with its path.
pub(super) fn read_module(mut files: Vec<(&str, Body)>) -> Result<ModuleSource, InputError> {
    files.sort_by(|one, other| one.0.cmp(other.0));
    let name_of = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let (overrides, plain): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, _)| is_override(&name_of(path)));
    let mut module = ModuleSource::default();
    for (path, body) in plain {
        let file: Rc<str> = path.into();
        for block in body.blocks {
            let line = block.line;
            module.declare(block, &file).map_err(|error| in_file(path, error.at(line)))?;
        }
    }
    module.index();
    for (path, body) in overrides {
        let file: Rc<str> = path.into();
        for block in body.blocks {
            let line = block.line;
            module.change(block, &file).map_err(|error| in_file(path, error.at(line)))?;
        }
    }
    module.index();
    Ok(module)
}

/// Why a block is no declaration.
enum Refusal {
    Twice(Box<str>),
    Labels,
    Shape(&'static str),
}

impl Refusal {
    fn at(self, line: u32) -> InputError {
        let malformed =
            |what: &str| InputError::Malformed { at: format!("line {line}"), what: what.to_owned() };
        match self {
            Self::Twice(name) => malformed(&format!("{name} is declared twice")),
            Self::Labels => malformed("a block has not the labels that its kind has"),
            Self::Shape(what) => malformed(what),
        }
    }
}

impl ModuleSource {
    /// The places of what is declared with this type and name; more than one if it is declared again.
    pub(super) fn resources_of(&self, is_data: bool, kind: &str, name: &str) -> Vec<usize> {
        self.by_name.get(&(is_data, kind.into(), name.into())).cloned().unwrap_or_default()
    }

    fn index(&mut self) {
        self.by_name.clear();
        for (place, declared) in self.resources.iter().enumerate() {
            let (kind, name) = declared.labels();
            let key = (declared.is_data(), kind.into(), name.into());
            self.by_name.entry(key).or_default().push(place);
        }
    }

    fn declare(&mut self, block: Block, file: &Rc<str>) -> Result<(), Refusal> {
        self.is_deployed |= is_deployment(&block);
        match &*block.kind {
            "resource" | "data" => {
                labels::<2>(&block)?;
                self.resources.push(Declared { block, file: file.clone() });
                Ok(())
            }
            "variable" => insert(&mut self.variables, labels::<1>(&block)?, block),
            "output" => insert(&mut self.outputs, labels::<1>(&block)?, block),
            "module" => {
                let name = labels::<1>(&block)?;
                insert(&mut self.calls, name, Declared { block, file: file.clone() })
            }
            "provider" => {
                let name = provider_name(&block)?;
                // Declared twice it is refused by Terraform; which one counts is nobody's guess.
                insert(&mut self.providers, name, block)
            }
            "locals" => {
                if !block.body.blocks.is_empty() {
                    return Err(Refusal::Shape("locals hold no blocks"));
                }
                block.body.attributes.into_iter().try_for_each(|argument| {
                    let name = argument.name.clone();
                    insert(&mut self.locals, name, argument)
                })
            }
            // What they say concerns Terraform itself, not what is deployed.
            _ => Ok(()),
        }
    }

    /// Merges a block of an override file into the one it changes.
    fn change(&mut self, block: Block, file: &Rc<str>) -> Result<(), Refusal> {
        self.is_deployed |= is_deployment(&block);
        let known = match &*block.kind {
            "resource" | "data" => {
                let name = labels::<2>(&block)?;
                let kind = block.labels.first().cloned().unwrap_or_default();
                let place =
                    self.by_name.get(&(&*block.kind == "data", kind, name)).and_then(|places| places.first());
                place.and_then(|place| self.resources.get_mut(*place)).map(|declared| &mut declared.block)
            }
            "variable" => self.variables.get_mut(&labels::<1>(&block)?),
            "output" => self.outputs.get_mut(&labels::<1>(&block)?),
            "module" => self.calls.get_mut(&labels::<1>(&block)?).map(|declared| &mut declared.block),
            "provider" => self.providers.get_mut(&provider_name(&block)?),
            "locals" => {
                let changes = block.body.attributes.into_iter();
                self.locals.extend(changes.map(|argument| (argument.name.clone(), argument)));
                return Ok(());
            }
            _ => return Ok(()),
        };
        match known {
            Some(known) => merge(&mut known.body, block.body),
            // Terraform refuses what changes nothing; read as a declaration it is at least judged.
            None => self.declare(block, file)?,
        }
        Ok(())
    }
}

/// Whether a block stands in a root module only: where the state lies, or how a provider is reached. One
/// that has no more than a name is handed down by the caller.
fn is_deployment(block: &Block) -> bool {
    let holds = |name: &str| {
        block.body.blocks.iter().any(|inner| &*inner.kind == name) || block.body.attribute(name).is_some()
    };
    match &*block.kind {
        "terraform" => holds("backend") || holds("cloud"),
        "provider" => {
            let is_naming = |name: &str| matches!(name, "alias" | "version");
            !block.body.blocks.is_empty()
                || block.body.attributes.iter().any(|argument| !is_naming(&argument.name))
        }
        _ => false,
    }
}

/// Attributes replace those of their name, blocks all of their kind.
fn merge(body: &mut Body, changes: Body) {
    let own_kinds = changes.blocks.iter().map(|block| &*block.kind);
    let kinds: HashSet<&str> = own_kinds.chain(changes.blocks.iter().filter_map(dynamic_kind)).collect();
    body.blocks.retain(|block| !kinds.contains(dynamic_kind(block).unwrap_or(&block.kind)));
    let names: HashSet<&str> = changes.attributes.iter().map(|argument| &*argument.name).collect();
    body.attributes.retain(|known| !names.contains(&*known.name));
    body.attributes.extend(changes.attributes);
    body.blocks.extend(changes.blocks);
}

/// The kind of the blocks that a dynamic block makes.
pub(super) fn dynamic_kind(block: &Block) -> Option<&str> {
    if &*block.kind == "dynamic" { block.labels.first().map(|label| &**label) } else { None }
}

/// The last of exactly this many labels.
fn labels<const COUNT: usize>(block: &Block) -> Result<Box<str>, Refusal> {
    match block.labels.last() {
        Some(last) if block.labels.len() == COUNT => Ok(last.clone()),
        _ => Err(Refusal::Labels),
    }
}

fn provider_name(block: &Block) -> Result<Box<str>, Refusal> {
    let name = labels::<1>(block)?;
    match block.body.attribute("alias") {
        None => Ok(name),
        Some(alias) => match alias.value.as_text() {
            Some(alias) => Ok(format!("{name}.{alias}").into()),
            None => Err(Refusal::Shape("the alias of a provider is a plain text")),
        },
    }
}

fn insert<T>(map: &mut BTreeMap<Box<str>, T>, name: Box<str>, value: T) -> Result<(), Refusal> {
    match map.insert(name.clone(), value) {
        Some(_) => Err(Refusal::Twice(name)),
        None => Ok(()),
    }
}
