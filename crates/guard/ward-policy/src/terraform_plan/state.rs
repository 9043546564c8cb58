//! Values of a state: what is there already.

use super::changes::{key, module_of};
use super::marks::{MarkReader, Marks, with_sensitive};
use crate::graph::{Action, Block, ModulePath, Resource, Role};
use crate::input_error::InputError;
use crate::json::{Kind, Scanner, Trees};

/// Reads `values` of a state into resources. They are kept as they are.
pub(super) fn read_values(scanner: &mut Scanner<'_>, role: Role) -> Result<Vec<Resource>, InputError> {
    let mut resources = Vec::new();
    if scanner.peek()? != Kind::Object {
        scanner.skip()?;
        return Ok(resources);
    }
    let mut reader = Reader { trees: Trees::of_text(scanner.rest_bytes()), marks: MarkReader::default() };
    scanner.object(|name, scanner| match &*name {
        "root_module" => module(scanner, &mut reader, role, &mut resources),
        _ => scanner.skip().map(drop),
    })?;
    Ok(resources)
}

/// What reads the values and the marks of each resource.
struct Reader<'a> {
    trees: Trees,
    marks: MarkReader<'a>,
}

fn module<'a>(
    scanner: &mut Scanner<'a>,
    reader: &mut Reader<'a>,
    role: Role,
    resources: &mut Vec<Resource>,
) -> Result<(), InputError> {
    scanner.object(|name, scanner| match &*name {
        "resources" => scanner.array(|scanner| {
            resources.extend(resource(scanner, reader, role)?);
            Ok(())
        }),
        "child_modules" => scanner.array(|scanner| module(scanner, reader, role, resources)),
        _ => scanner.skip().map(drop),
    })
}

fn resource<'a>(
    scanner: &mut Scanner<'a>,
    reader: &mut Reader<'a>,
    role: Role,
) -> Result<Option<Resource>, InputError> {
    let mut resource = Resource::new("", "", "");
    let mut mode = String::new();
    let mut sensitive = Marks::No;
    let mut values = Block::default();
    let mut is_deposed = false;
    scanner.object(|name, scanner| {
        match &*name {
            "address" => resource.address = scanner.text()?.into(),
            "mode" => mode = scanner.text()?.into_owned(),
            "type" => resource.kind = scanner.text()?.into(),
            "name" => resource.name = scanner.text()?.into(),
            "index" => resource.key = key(scanner)?,
            "provider_name" => {
                let provider = scanner.text()?;
                resource.provider = provider.rsplit('/').next().unwrap_or_default().into();
            }
            "values" if scanner.peek()? == Kind::Object => values = reader.trees.block(scanner)?,
            "sensitive_values" => sensitive = reader.marks.read(scanner)?,
            "deposed_key" => {
                is_deposed = true;
                scanner.skip()?;
            }
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    let fault =
        |what: &str| InputError::Malformed { at: resource.address.to_string(), what: what.to_owned() };
    if resource.address.is_empty() || resource.kind.is_empty() {
        return Err(fault("a resource of a state has an address and a type"));
    }
    resource.role = match mode.as_str() {
        "managed" => role,
        "data" => Role::Data,
        _ => return Err(fault(&format!("the mode {mode:?} is not known"))),
    };
    resource.action = if resource.role == Role::Data { Action::Read } else { Action::Keep };
    let module = ModulePath::parse(&module_of(&resource.address));
    resource.module = module.ok_or_else(|| fault("its module has no address"))?;
    resource.attributes = with_sensitive(values, &sensitive)?;
    Ok((!is_deposed).then_some(resource))
}
