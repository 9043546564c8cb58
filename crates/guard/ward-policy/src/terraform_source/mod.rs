//! Terraform source without a plan: every folder of `.tf` and `.tf.json` files as a resource graph.
//!
//! What the files say is evaluated as far as it is certain: locals, defaults and given values of
//! variables, templates, conditions, functions, `count`, `for_each`, dynamic blocks, and modules at
//! hand. Everything else is [`Unknown`](crate::graph::Unknown), with its reason and what it refers to;
//! it is never a default. What was not read at all is a note that blocks, or an error.

mod blocks;
mod body_parser;
mod conversion;
mod cursor;
mod evaluator;
mod expansion;
mod expression_parser;
mod expressions;
mod functions;
mod graph_maker;
mod json_syntax;
mod module_source;
mod names;
mod operators;
mod providers;
mod source_tree;
mod steps;
mod syntax;
mod template_parser;
mod templates;
#[cfg(test)]
mod tests;
mod value;
mod variable_files;

pub use module_source::SourceFile;
pub(crate) use operators::VALUE_OR_OTHER;
pub(crate) use source_tree::is_fetched;

use crate::graph::{Format, Graph};
use crate::input_error::InputError;
use evaluator::{Evaluator, ModuleInstance};
use source_tree::{SourceTree, joined_path, read_fetched};
use std::collections::BTreeSet;
use variable_files::{given_values, names_of_values, unread_values};

/// What Terraform would be called with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceOptions<'a> {
    /// The folder of the root module, seen as the paths of the files are; empty for the top.
    pub root: &'a str,
    /// Files of variables beside those that Terraform reads by itself, the last counts most. A root
    /// module to which none of them gives a value is blocked by a file of values that lies with it and is
    /// not read.
    pub variable_files: &'a [SourceFile<'a>],
    /// Names and values of variables, as they stand on a command line; they count most of all.
    pub variables: &'a [(&'a str, &'a str)],
}

/// Configuration files that were read, for one check of one or more root modules.
pub struct TerraformSource<'a> {
    tree: SourceTree<'a>,
}

impl<'a> TerraformSource<'a> {
    /// Reads all files of a check: configurations, values of variables, files that functions read,
    /// and `.terraform/modules/` with the modules that were fetched.
    ///
    /// # Errors
    /// [`InputError`] when there are too many, or a path leads outside. A file that is not read is
    /// told when its folder is asked for.
    pub fn read(files: &[SourceFile<'a>]) -> Result<Self, InputError> {
        Ok(Self { tree: SourceTree::read(files)? })
    }

    /// Whether a folder declares a variable.
    #[must_use]
    pub fn declares(&self, folder: &str, variable: &str) -> bool {
        self.tree.module(folder).is_some_and(|module| module.variables.contains_key(variable))
    }

    /// Whether a file of values names nothing that one of these folders declares, and names something.
    #[must_use]
    pub fn is_of_others(&self, file: &SourceFile<'_>, folders: &[&str]) -> bool {
        let Some(names) = names_of_values(file.path, file.bytes) else { return false };
        let modules = folders.iter().filter_map(|folder| self.tree.module(folder));
        let mut declared = modules.flat_map(|module| module.variables.keys());
        !names.is_empty() && !declared.any(|name| names.contains(&**name))
    }

    /// The resources of every root module. A folder that is called and made no times stands in none of
    /// them: it is checked as if it were a root, so that nothing is passed over in silence.
    #[must_use]
    pub fn graphs(&self, options: &SourceOptions<'_>) -> Vec<(String, Result<Graph, InputError>)> {
        let mut made = Vec::new();
        let mut reached = BTreeSet::new();
        let mut check = |root: String, reached: &mut BTreeSet<String>| {
            reached.insert(root.clone());
            let evaluated = self.evaluated(&SourceOptions { root: &root, ..*options });
            let graph = evaluated.map(|(graph, folders)| {
                reached.extend(folders);
                graph
            });
            made.push((root, graph));
        };
        self.tree.roots().into_iter().for_each(|root| check(root, &mut reached));
        // Those that others call come with them, if they are made; then each that is left, by itself.
        for left in [self.tree.roots_beside(&reached), self.tree.own_folders().cloned().collect()] {
            for root in left {
                if !reached.contains(&root) {
                    check(root, &mut reached);
                }
            }
        }
        made
    }

    /// The resources of one root module and of all it calls.
    ///
    /// # Errors
    /// [`InputError`] when a file is not read, or the folder has no configuration.
    pub fn graph(&self, options: &SourceOptions<'_>) -> Result<Graph, InputError> {
        self.evaluated(options).map(|(graph, _)| graph)
    }

    /// The resources, and the folders of the modules that they come from.
    fn evaluated(&self, options: &SourceOptions<'_>) -> Result<(Graph, BTreeSet<String>), InputError> {
        let folder = joined_path("", options.root).unwrap_or_default();
        if let Some(fault) = self.tree.fault(&folder) {
            return Err(fault.clone());
        }
        let nothing = || InputError::UnknownFormat {
            what: format!("there is no Terraform configuration in the folder {folder:?}"),
        };
        let source = self.tree.module(&folder).ok_or_else(nothing)?;
        let fetched = read_fetched(&self.tree, &folder)?;
        let given = given_values(&self.tree, &folder, options)?;
        let mut evaluator = Evaluator::new(&self.tree, &fetched, &given);
        evaluator.notes.extend(unread_values(&self.tree, &folder, source, options));
        evaluator.modules.push(ModuleInstance::root(source, &folder));
        let resources = graph_maker::resources(&mut evaluator);
        if let Some(failure) = evaluator.failure.take() {
            return Err(failure);
        }
        let folders = evaluator.modules.iter().map(|instance| instance.folder.to_string()).collect();
        Ok((Graph::new(Format::TerraformSource, resources, evaluator.notes)?, folders))
    }
}

/// The resources of one root module: [`TerraformSource::graph`] of files that are needed once.
///
/// # Errors
/// [`InputError`] when a file is not read, or the folder has no configuration.
pub fn read_terraform_source(
    files: &[SourceFile<'_>],
    options: &SourceOptions<'_>,
) -> Result<Graph, InputError> {
    TerraformSource::read(files)?.graph(options)
}
