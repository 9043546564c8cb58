//! The changes of a plan, each of which becomes a resource.

use super::choices::chosen;
use super::configuration::{Declared, Module};
use super::marks::{MarkReader, Marks, expressions, with_sensitive, with_unknown};
use super::scope::Configured;
use super::written::Written;
use crate::graph::{Action, Block, InstanceKey, ModulePath, Resource, Role, split_address};
use crate::input_error::InputError;
use crate::json::{Kind, Scanner, Trees};
use std::borrow::Cow;

/// One entry of `resource_changes` or `resource_drift`, before the configuration is known.
#[derive(Default)]
pub(super) struct Change<'a> {
    address: Cow<'a, str>,
    module: Cow<'a, str>,
    mode: Cow<'a, str>,
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    key: Option<InstanceKey>,
    provider: Cow<'a, str>,
    deposed: Cow<'a, str>,
    /// What is done; the words themselves if nobody knows them.
    action: Option<Action>,
    unknown_actions: Box<[Cow<'a, str>]>,
    /// Read only for what is changed or removed.
    before: Option<Scanner<'a>>,
    after: Block,
    after_unknown: Marks<'a>,
    before_sensitive: Marks<'a>,
    after_sensitive: Marks<'a>,
    line: usize,
}

/// What reads the values and the marks of each change.
#[derive(Debug)]
pub(super) struct ChangeReader<'a> {
    pub(super) trees: Trees,
    pub(super) marks: MarkReader<'a>,
    /// What the change that is being read does, in words: of two lists, both count.
    words: Vec<Cow<'a, str>>,
}

impl ChangeReader<'_> {
    pub(super) fn new(trees: Trees) -> Self {
        Self { trees, marks: MarkReader::default(), words: Vec::new() }
    }
}

/// Turns a change into a resource.
pub(super) fn resource_of<'a>(
    change: &mut Change<'a>,
    configured: &Configured<'_, 'a>,
    is_drift: bool,
    trees: &mut Trees,
) -> Result<Resource, InputError> {
    let fault = |what: &str| InputError::Malformed {
        at: if change.address.is_empty() {
            format!("line {}", change.line)
        } else {
            change.address.to_string()
        },
        what: what.to_owned(),
    };
    if change.address.is_empty() || change.kind.is_empty() || change.name.is_empty() {
        return Err(fault("a change has an address, a type and a name"));
    }
    let role = match &*change.mode {
        "managed" if is_drift => Role::Drifted,
        "managed" => Role::Managed,
        "data" => Role::Data,
        _ => return Err(fault(&format!("the mode {:?} is not known", change.mode))),
    };
    let action = change
        .action
        .ok_or_else(|| fault(&format!("the actions {:?} are not known", change.unknown_actions)))?;
    let module = ModulePath::parse(&change.module).ok_or_else(|| fault("its module has no address"))?;
    let mut resource = Resource::new(&change.address, &change.kind, &change.name);
    if !change.deposed.is_empty() {
        // What is left of an earlier replacement: it goes, and shares the address of the new one.
        resource.address = format!("{} (deposed {})", change.address, change.deposed).into();
    }
    resource.module = module;
    resource.key = change.key.clone();
    resource.role = role;
    resource.action = action;
    let module = configured.root.and_then(|root| root.at(&resource.module));
    let declared = module.and_then(|module| {
        let is_own = is_address(&change.address, role, &change.kind, &change.name);
        let own = is_own.then(|| change.address.clone());
        let address = own.unwrap_or_else(|| declared_address(role, &change.kind, &change.name).into());
        module.resources.get(&address)
    });
    resource.provider = provider(declared, &change.provider);
    fill(&mut resource, change, (configured, declared), trees)?;
    Ok(resource)
}

/// Values, marks and expressions of a resource.
fn fill<'a>(
    resource: &mut Resource,
    change: &mut Change<'a>,
    (configured, declared): (&Configured<'_, 'a>, Option<&Declared<'a>>),
    trees: &mut Trees,
) -> Result<(), InputError> {
    let empty = Module::default();
    let module = resource.module.clone();
    let own_key = resource.key.clone();
    let for_each = declared.map(|declared| declared.for_each.as_slice()).unwrap_or_default();
    let root = configured.root.unwrap_or(&empty);
    let scope = configured.scope(root, &module, own_key.as_ref(), for_each);
    let written = declared.map_or(Written::NotTold, |declared| Written::as_one(&declared.expressions));
    let values = with_unknown(std::mem::take(&mut change.after), &change.after_unknown, &written, &scope)?;
    resource.chosen = chosen(&values, &written);
    resource.attributes = with_sensitive(values, &change.after_sensitive)?;
    resource.expressions =
        declared.map(|declared| expressions(&declared.expressions, &scope)).unwrap_or_default();
    // The values before matter only where something is taken away or changed.
    if matches!(resource.action, Action::Update | Action::Replace | Action::Delete)
        && let Some(before) = &mut change.before
    {
        resource.before = Some(with_sensitive(block(before, trees)?, &change.before_sensitive)?);
    }
    Ok(())
}

/// Whether an address is that of the block itself, as it is without modules and instances.
fn is_address(address: &str, role: Role, kind: &str, name: &str) -> bool {
    let block = if role == Role::Data { address.strip_prefix("data.") } else { Some(address) };
    let rest = block.and_then(|block| block.strip_prefix(kind));
    rest.and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == name)
}

/// How a block is named in its module.
fn declared_address(role: Role, kind: &str, name: &str) -> String {
    [if role == Role::Data { "data." } else { "" }, kind, ".", name].concat()
}

/// The provider configuration: `aws.west`, or `module.m:aws` where a module has its own.
fn provider(declared: Option<&Declared<'_>>, name: &str) -> Box<str> {
    let key = declared.map(|declared| &*declared.provider).filter(|key| !key.is_empty());
    key.unwrap_or_else(|| name.rsplit('/').next().unwrap_or(name)).into()
}

/// Reads one entry.
pub(super) fn read_change<'a>(
    scanner: &mut Scanner<'a>,
    reader: &mut ChangeReader<'a>,
) -> Result<Change<'a>, InputError> {
    let mut change = Change::default();
    reader.words.clear();
    let start = scanner.at();
    scanner.object(|name, scanner| {
        match &*name {
            "address" => change.address = scanner.text()?,
            "module_address" => change.module = scanner.text()?,
            "mode" => change.mode = scanner.text()?,
            "type" => change.kind = scanner.text()?,
            "name" => change.name = scanner.text()?,
            "index" => change.key = key(scanner)?,
            "provider_name" => change.provider = scanner.text()?,
            "deposed" => change.deposed = scanner.text()?,
            "change" => values(scanner, reader, &mut change)?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    if change.address.is_empty() {
        change.line = scanner.line_at(start);
    }
    // Old plans tell the module only in the address.
    if change.module.is_empty() && change.address.starts_with("module.") {
        change.module = Cow::Owned(module_of(&change.address));
    }
    Ok(change)
}

fn values<'a>(
    scanner: &mut Scanner<'a>,
    reader: &mut ChangeReader<'a>,
    change: &mut Change<'a>,
) -> Result<(), InputError> {
    scanner.object(|name, scanner| match &*name {
        "actions" => {
            scanner.array(|scanner| {
                reader.words.push(scanner.text()?);
                Ok(())
            })?;
            change.action = action(&reader.words);
            let is_known = change.action.is_some();
            change.unknown_actions = if is_known { Box::default() } else { reader.words.as_slice().into() };
            Ok(())
        }
        "before" => {
            change.before = Some(scanner.clone());
            scanner.skip().map(drop)
        }
        "after" => {
            change.after = block(scanner, &mut reader.trees)?;
            Ok(())
        }
        "after_unknown" => {
            change.after_unknown = reader.marks.read(scanner)?;
            Ok(())
        }
        "before_sensitive" => {
            change.before_sensitive = reader.marks.read(scanner)?;
            Ok(())
        }
        "after_sensitive" => {
            change.after_sensitive = reader.marks.read(scanner)?;
            Ok(())
        }
        _ => scanner.skip().map(drop),
    })
}

/// The key of an instance: a number, a text, or null.
pub(super) fn key(scanner: &mut Scanner<'_>) -> Result<Option<InstanceKey>, InputError> {
    Ok(match scanner.peek()? {
        Kind::Number => Some(InstanceKey::Index(scanner.skip()?.parse().unwrap_or(u64::MAX))),
        Kind::Text => Some(InstanceKey::Name(scanner.text()?.into())),
        _ => {
            scanner.skip()?;
            None
        }
    })
}

/// The module part of an address.
pub(super) fn module_of(address: &str) -> String {
    let parts = split_address(address).unwrap_or_default();
    let mut steps = Vec::new();
    let mut parts = parts.chunks_exact(2);
    for pair in parts.by_ref() {
        match pair {
            [word, call] if word.name == "module" => {
                let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
                steps.push(format!("module.{}{key}", call.name));
            }
            _ => break,
        }
    }
    steps.join(".")
}

fn action(actions: &[Cow<'_, str>]) -> Option<Action> {
    let mut words = actions.iter().map(|word| &**word);
    Some(match (words.next()?, words.next(), words.next()) {
        ("no-op", None, _) => Action::Keep,
        ("create", None, _) => Action::Create,
        ("read", None, _) => Action::Read,
        ("update", None, _) => Action::Update,
        ("delete", Some("create"), None) | ("create", Some("delete"), None) => Action::Replace,
        // A new one is made, and the old one is left to itself.
        ("create", Some("forget"), None) | ("forget", Some("create"), None) => Action::Replace,
        ("delete", None, _) => Action::Delete,
        ("forget", None, _) => Action::Forget,
        _ => return None,
    })
}

/// Values of a resource; null is none.
fn block(scanner: &mut Scanner<'_>, trees: &mut Trees) -> Result<Block, InputError> {
    if scanner.peek()? == Kind::Null {
        scanner.skip()?;
        return Ok(Block::default());
    }
    trees.block(scanner)
}
