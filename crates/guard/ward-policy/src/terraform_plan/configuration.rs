//! The configuration that a plan carries: which expressions there are, and what they refer to.

use crate::graph::FEW_NAMES;
use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// One module of the configuration.
#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    /// By address within the module: `aws_s3_bucket.b`, `data.aws_vpc.v`.
    pub(super) resources: HashMap<Cow<'a, str>, Declared<'a>>,
    pub(super) calls: HashMap<Cow<'a, str>, Call<'a>>,
    /// What the expression of each output refers to.
    pub(super) outputs: HashMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    /// Variables that have a default: their value may stand in the code.
    pub(super) with_default: HashSet<Cow<'a, str>>,
}

/// A resource as it is written.
#[derive(Debug, Default)]
pub(super) struct Declared<'a> {
    pub(super) provider: Cow<'a, str>,
    pub(super) expressions: Tree<'a>,
    /// What `for_each` refers to.
    pub(super) for_each: Vec<Cow<'a, str>>,
    /// Whether `count` or `for_each` repeats it.
    pub(super) is_repeated: bool,
}

/// A call of a module.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) expressions: Tree<'a>,
    pub(super) for_each: Vec<Cow<'a, str>>,
    pub(super) module: Module<'a>,
}

/// A name in a block, and what stands there.
type Entry<'a> = (Cow<'a, str>, Tree<'a>);

/// A block in which names are found by their order. References keep that of the plan.
#[derive(Debug)]
pub(super) struct LargeBlock<'a> {
    entries: Box<[Entry<'a>]>,
    /// The places of the entries, sorted by their names.
    by_name: Box<[usize]>,
}

impl<'a> LargeBlock<'a> {
    fn new(entries: Box<[Entry<'a>]>) -> Self {
        let mut named: Vec<(&str, usize)> =
            entries.iter().enumerate().map(|(place, (name, _))| (&**name, place)).collect();
        named.sort_unstable();
        let by_name = named.into_iter().map(|(_, place)| place).collect();
        Self { entries, by_name }
    }

    /// The first of a name.
    fn get(&self, name: &str) -> Option<&Tree<'a>> {
        let is_before = |place: &usize| self.entries.get(*place).is_some_and(|(known, _)| &**known < name);
        let first = self.by_name.get(self.by_name.partition_point(is_before))?;
        self.entries.get(*first).filter(|(known, _)| known == name).map(|(_, inner)| inner)
    }
}

/// The expressions of a block.
#[derive(Debug)]
pub(super) enum Tree<'a> {
    /// One expression.
    Leaf {
        /// What it refers to.
        references: Vec<Cow<'a, str>>,
        /// Whether it is the constant null.
        is_null: bool,
    },
    /// A block with its attributes.
    Block(Box<[Entry<'a>]>),
    /// The same with more than a few names.
    Large(Box<LargeBlock<'a>>),
    /// Blocks of one name.
    Blocks(Box<[Tree<'a>]>),
}

impl Default for Tree<'_> {
    fn default() -> Self {
        Self::Block(Box::default())
    }
}

/// Reads the section `configuration`.
pub(super) fn read_configuration<'a>(scanner: &mut Scanner<'a>) -> Result<Module<'a>, InputError> {
    let mut root = Module::default();
    scanner.object(|name, scanner| {
        match &*name {
            "root_module" => root = module(scanner, &mut TreeReader::default())?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(root)
}

fn module<'a>(scanner: &mut Scanner<'a>, trees: &mut TreeReader<'a>) -> Result<Module<'a>, InputError> {
    let mut read = Module::default();
    scanner.object(|name, scanner| match &*name {
        "resources" => {
            // They are counted before they get places: a table that grows would move them again and again.
            let mut all = Vec::new();
            scanner.array(|scanner| {
                all.push(declared(scanner, trees)?);
                Ok(())
            })?;
            read.resources.extend(all);
            Ok(())
        }
        "module_calls" => scanner.object(|name, scanner| {
            let call = call(scanner, trees)?;
            read.calls.insert(name, call);
            Ok(())
        }),
        "outputs" => scanner.object(|name, scanner| {
            let references = output(scanner, trees)?;
            read.outputs.insert(name, references);
            Ok(())
        }),
        "variables" => scanner.object(|name, scanner| {
            if has_default(scanner)? {
                read.with_default.insert(name);
            }
            Ok(())
        }),
        _ => scanner.skip().map(drop),
    })?;
    Ok(read)
}

/// Whether a variable says what holds when it is not given.
fn has_default(scanner: &mut Scanner<'_>) -> Result<bool, InputError> {
    let mut has_default = false;
    scanner.object(|name, scanner| {
        has_default |= &*name == "default" && scanner.peek()? != Kind::Null;
        scanner.skip().map(drop)
    })?;
    Ok(has_default)
}

fn declared<'a>(
    scanner: &mut Scanner<'a>,
    trees: &mut TreeReader<'a>,
) -> Result<(Cow<'a, str>, Declared<'a>), InputError> {
    let mut address = Cow::default();
    let mut declared = Declared::default();
    scanner.object(|name, scanner| {
        match &*name {
            "address" => address = scanner.text()?,
            "provider_config_key" => declared.provider = scanner.text()?,
            "expressions" => declared.expressions = trees.body(scanner)?,
            "for_each_expression" => {
                declared.for_each = trees.tree(scanner)?.references();
                declared.is_repeated = true;
            }
            "count_expression" => {
                scanner.skip()?;
                declared.is_repeated = true;
            }
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok((address, declared))
}

fn call<'a>(scanner: &mut Scanner<'a>, trees: &mut TreeReader<'a>) -> Result<Call<'a>, InputError> {
    let mut call = Call::default();
    scanner.object(|name, scanner| {
        match &*name {
            "expressions" => call.expressions = trees.body(scanner)?,
            "for_each_expression" => call.for_each = trees.tree(scanner)?.references(),
            "module" => call.module = module(scanner, trees)?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(call)
}

fn output<'a>(
    scanner: &mut Scanner<'a>,
    trees: &mut TreeReader<'a>,
) -> Result<Vec<Cow<'a, str>>, InputError> {
    let mut references = Vec::new();
    scanner.object(|name, scanner| {
        match &*name {
            "expression" => references = trees.tree(scanner)?.references(),
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    Ok(references)
}

/// Reads expressions, one resource after another. Parts wait here until all of their block are there: it takes
/// exactly the room that it needs.
#[derive(Debug, Default)]
struct TreeReader<'a> {
    entries: Vec<Entry<'a>>,
    blocks: Vec<Tree<'a>>,
}

impl<'a> TreeReader<'a> {
    /// An expression is an object with its constant or its references; everything else is blocks.
    fn tree(&mut self, scanner: &mut Scanner<'a>) -> Result<Tree<'a>, InputError> {
        match scanner.peek()? {
            Kind::Array => {
                let first = self.blocks.len();
                scanner.array(|scanner| {
                    let is_body = scanner.peek()? == Kind::Object;
                    let block = if is_body { self.body(scanner)? } else { self.tree(scanner)? };
                    self.blocks.push(block);
                    Ok(())
                })?;
                Ok(Tree::Blocks(self.blocks.drain(first..).collect()))
            }
            Kind::Object => self.block(scanner),
            _ => {
                scanner.skip()?;
                Ok(Tree::Leaf { references: Vec::new(), is_null: false })
            }
        }
    }

    /// What is a block by its place, even if nothing stands in it.
    fn body(&mut self, scanner: &mut Scanner<'a>) -> Result<Tree<'a>, InputError> {
        let first = self.entries.len();
        scanner.object(|name, scanner| self.entry(name, scanner))?;
        Ok(Tree::of_entries(self.entries.drain(first..).collect()))
    }

    fn entry(&mut self, name: Cow<'a, str>, scanner: &mut Scanner<'a>) -> Result<(), InputError> {
        let inner = self.tree(scanner)?;
        self.entries.push((name, inner));
        Ok(())
    }

    fn block(&mut self, scanner: &mut Scanner<'a>) -> Result<Tree<'a>, InputError> {
        let first = self.entries.len();
        let mut references: Option<Vec<Cow<'a, str>>> = None;
        let mut constant_is_null: Option<bool> = None;
        scanner.object(|name, scanner| {
            match (&*name, scanner.peek()?) {
                ("references", Kind::Array) => {
                    let start = scanner.clone();
                    match texts(scanner) {
                        Ok(texts) => references = Some(texts),
                        // A block may be named like the list of references.
                        Err(_) => {
                            *scanner = start;
                            self.entry(name, scanner)?;
                        }
                    }
                }
                ("constant_value", kind) => {
                    constant_is_null = Some(kind == Kind::Null);
                    scanner.skip()?;
                }
                _ => self.entry(name, scanner)?,
            }
            Ok(())
        })?;
        let entries: Box<[_]> = self.entries.drain(first..).collect();
        Ok(match (references, constant_is_null) {
            (None, None) if entries.is_empty() => Tree::Leaf { references: Vec::new(), is_null: false },
            (None, None) => Tree::of_entries(entries),
            (references, is_null) => {
                Tree::Leaf { references: references.unwrap_or_default(), is_null: is_null.unwrap_or(false) }
            }
        })
    }
}

/// A list of texts. What else it may be is told without its place, which would have to be counted each time.
fn texts<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<Cow<'a, str>>, InputError> {
    let mut texts = Vec::new();
    scanner.array(|scanner| {
        if scanner.peek()? != Kind::Text {
            return Err(InputError::NotInfrastructure);
        }
        texts.push(scanner.text()?);
        Ok(())
    })?;
    Ok(texts)
}

impl<'a> Tree<'a> {
    fn of_entries(entries: Box<[Entry<'a>]>) -> Self {
        if entries.len() <= FEW_NAMES {
            Self::Block(entries)
        } else {
            Self::Large(Box::new(LargeBlock::new(entries)))
        }
    }

    /// Names and what stands there, if it is a block.
    pub(super) fn entries(&self) -> &[Entry<'a>] {
        match self {
            Self::Block(entries) => entries,
            Self::Large(block) => &block.entries,
            Self::Leaf { .. } | Self::Blocks(_) => &[],
        }
    }

    /// Every reference in it.
    pub(super) fn references(&self) -> Vec<Cow<'a, str>> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut Vec<Cow<'a, str>>) {
        match self {
            Self::Leaf { references, .. } => found.extend(references.iter().cloned()),
            Self::Block(_) | Self::Large(_) => {
                self.entries().iter().for_each(|(_, inner)| inner.collect(found))
            }
            Self::Blocks(blocks) => blocks.iter().for_each(|inner| inner.collect(found)),
        }
    }

    /// The expression of a name, if it is a block.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Block(entries) => entries.iter().find(|(known, _)| known == name).map(|(_, inner)| inner),
            Self::Large(block) => block.get(name),
            Self::Leaf { .. } | Self::Blocks(_) => None,
        }
    }
}
