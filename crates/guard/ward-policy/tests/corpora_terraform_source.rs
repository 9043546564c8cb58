//! Terraform folders that Ward did not write: every file is read, every resource block is found, and
//! nothing crashes. They are read where `WARD_CORPORA` points and never copied.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "figures and skips must be seen")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use ward_policy::graph::{Attribute, Graph, Reason};
use ward_policy::terraform_source::{SourceFile, SourceOptions, TerraformSource};

/// Root folders at hand, files in them, and resource and data blocks that a simple scan finds.
const FOLDERS: usize = 524;
const FILES: usize = 585;
const BLOCKS: usize = 1_550;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("policy"));
    if root.is_none() {
        println!("skipped: WARD_CORPORA is not set, so there are no Terraform folders to read");
    }
    root
}

/// Every file below a folder, by its path from there.
fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut to_do = vec![root.to_owned()];
    while let Some(folder) = to_do.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| {
            panic!("WARD_CORPORA is set, but {} can't be read: {error}", folder.display())
        });
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                to_do.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// How many lines outside of comments begin a resource or a data source.
fn block_lines(text: &[u8]) -> usize {
    let text = String::from_utf8_lossy(text);
    let mut is_comment = false;
    let mut count = 0;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim_start) {
        is_comment |= line.starts_with("/*");
        let (kind, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let is_label = rest.trim_start().starts_with(|first: char| first == '"' || first.is_alphabetic());
        if !is_comment && is_label && rest.contains('{') && matches!(kind, "resource" | "data") {
            count += 1;
        }
        is_comment &= !line.contains("*/");
    }
    count
}

/// Values, and how many of them are not known for which reason.
#[derive(Default)]
struct Counts {
    values: usize,
    unknown: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, attribute: &Attribute) {
        match attribute {
            Attribute::List(items) => items.iter().for_each(|item| self.add(item)),
            Attribute::Block(block) => block.entries().for_each(|(_, value)| self.add(value)),
            Attribute::Unknown(unknown) => {
                self.values += 1;
                *self.unknown.entry(format!("{:?}", unknown.reason)).or_default() += 1;
                if unknown.reason == Reason::Expression {
                    println!("not evaluated: {}", unknown.expression());
                }
            }
            _ => self.values += 1,
        }
    }

    fn add_graph(&mut self, graph: &Graph) {
        for (_, resource) in graph.resources() {
            resource.attributes.entries().for_each(|(_, value)| self.add(value));
        }
    }
}

#[test]
fn corpora_every_folder_is_read_and_every_resource_found() {
    let Some(root) = corpora() else { return };
    let mut counts = Counts::default();
    let (mut folders, mut read, mut blocks, mut failures) = (0, 0, 0, Vec::new());
    for set in ["terragoat", "kaimonkey", "checkov", "trivy-checks"] {
        let files = files_below(&root.join(set));
        let given: Vec<_> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
        let source = TerraformSource::read(&given).unwrap();
        let mut by_place = std::collections::BTreeSet::new();
        for (folder, graph) in source.graphs(&SourceOptions::default()) {
            folders += 1;
            match graph {
                Ok(graph) => {
                    counts.add_graph(&graph);
                    for (_, resource) in graph.resources() {
                        let place = resource.place.clone().unwrap();
                        by_place.insert((place.file, place.line));
                    }
                    graph.notes().iter().for_each(|note| println!("{set}/{folder}: {}", note.text));
                }
                Err(error) => failures.push(format!("{set}/{error}")),
            }
        }
        let (mut blocks_found, mut blocks_there) = (0, 0);
        for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".tf")) {
            read += 1;
            let expected = block_lines(bytes);
            let found = by_place.iter().filter(|(file, _)| **file == **path).count();
            blocks += expected;
            (blocks_found, blocks_there) = (blocks_found + found, blocks_there + expected);
            if found != expected {
                failures.push(format!("{set}/{path}: {found} of {expected} blocks"));
            }
        }
        println!("corpus {set}, blocks of Terraform: {blocks_found}/{blocks_there}");
    }
    let unknown: usize = counts.unknown.values().sum();
    println!(
        "{folders} folders, {read} files, {blocks} blocks, {} values, {unknown} unknown {:?}",
        counts.values, counts.unknown
    );
    assert_eq!(failures, Vec::<String>::new());
    assert_eq!((folders, read, blocks), (FOLDERS, FILES, BLOCKS));
}

#[test]
fn corpora_terragoat_is_read_before_a_commit_waits() {
    let Some(root) = corpora() else { return };
    let files = files_below(&root.join("terragoat"));
    let given: Vec<_> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    let begin = Instant::now();
    let source = TerraformSource::read(&given).unwrap();
    let graphs = source.graphs(&SourceOptions::default()).into_iter();
    let resources: usize = graphs.map(|(_, graph)| graph.unwrap().len()).sum();
    println!("terragoat: {resources} resources in {:?}", begin.elapsed());
    assert!(resources > 0);
}
