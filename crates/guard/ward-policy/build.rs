//! Reads the YAML of `policies` once, when Ward is built: a check starts without scanning it again.
//!
//! Each file becomes a list of nodes in the order of the source, which `src/yaml_nodes.rs` reads. A
//! test compares every one with what the reader of YAML makes of the same text.

use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};

const POLICIES: &str = "../../../policies";

/// A node as `src/yaml_nodes.rs` reads it, or the beginning of one whose end was not met.
struct Open {
    anchor: usize,
    line: usize,
    kind: u8,
    count: u32,
    bytes: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={POLICIES}");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for folder in ["", "law"] {
        let target = out.join(folder);
        std::fs::create_dir_all(&target)?;
        for entry in std::fs::read_dir(Path::new(POLICIES).join(folder))? {
            let path = entry?.path();
            let (Some(name), Some("yaml")) =
                (path.file_name(), path.extension().and_then(|ending| ending.to_str()))
            else {
                continue;
            };
            let nodes = nodes_of(&std::fs::read_to_string(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            std::fs::write(target.join(name).with_extension("yaml.nodes"), nodes)?;
        }
    }
    Ok(())
}

fn nodes_of(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut done: Vec<Vec<u8>> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Vec<u8>> = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        let line = span.start.line();
        let finished = match event {
            Event::Scalar(text, style, anchor, None) => {
                let kind = if style == ScalarStyle::Plain { b'p' } else { b'q' };
                let mut bytes = head(kind, line, u32::try_from(text.len())?)?;
                bytes.extend_from_slice(text.as_bytes());
                Some((anchor, bytes))
            }
            Event::SequenceStart(_, anchor, None) => {
                open.push(Open { anchor, line, kind: b's', count: 0, bytes: Vec::new() });
                None
            }
            Event::MappingStart(_, anchor, None) => {
                open.push(Open { anchor, line, kind: b'm', count: 0, bytes: Vec::new() });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { anchor, line, kind, count, bytes } =
                    open.pop().ok_or("an end without a beginning")?;
                let mut node = head(kind, line, if kind == b'm' { count / 2 } else { count })?;
                node.extend(bytes);
                Some((anchor, node))
            }
            Event::Alias(anchor) => Some((0, anchors.get(&anchor).ok_or("an alias of nothing")?.clone())),
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(format!("line {line}: the files of policies have no tags").into());
            }
            _ => None,
        };
        let Some((anchor, node)) = finished else { continue };
        if anchor != 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut() {
            Some(parent) => {
                parent.count += 1;
                parent.bytes.extend(node);
            }
            None => done.push(node),
        }
    }
    match <[Vec<u8>; 1]>::try_from(done) {
        Ok([only]) => Ok(only),
        Err(_) => Err("one document was expected".into()),
    }
}

/// Kind, line and count of a node: bytes of a text, items of a list, entries of a mapping.
fn head(kind: u8, line: usize, count: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = vec![kind];
    bytes.extend(u16::try_from(line)?.to_be_bytes());
    bytes.extend(count.to_be_bytes());
    Ok(bytes)
}
