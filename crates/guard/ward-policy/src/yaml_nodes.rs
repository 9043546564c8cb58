//! Nodes of YAML that the build wrote: the files that come with Ward, without scanning them again.

use crate::limits::MAX_YAML_DEPTH;
use crate::yaml::{YamlNode, YamlValue};

/// Reads what the build script wrote. `None` if it is anything else.
pub(crate) fn read_nodes(bytes: &'static [u8]) -> Option<YamlNode> {
    let mut rest = bytes;
    let node = read(&mut rest, 0)?;
    rest.is_empty().then_some(node)
}

fn read(rest: &mut &'static [u8], depth: usize) -> Option<YamlNode> {
    let (kind, line, count) = head(rest)?;
    if depth > MAX_YAML_DEPTH {
        return None;
    }
    let value = match kind {
        b'p' | b'q' => {
            let (text, after) = rest.split_at_checked(count)?;
            *rest = after;
            YamlValue::Scalar { text: std::str::from_utf8(text).ok()?.into(), is_plain: kind == b'p' }
        }
        b's' => {
            let mut items = Vec::with_capacity(room(count, rest));
            for _ in 0..count {
                items.push(read(rest, depth + 1)?);
            }
            YamlValue::Sequence(items)
        }
        b'm' => {
            let mut entries = Vec::with_capacity(room(count, rest));
            for _ in 0..count {
                entries.push((read(rest, depth + 1)?, read(rest, depth + 1)?));
            }
            YamlValue::Mapping(entries)
        }
        _ => return None,
    };
    Some(YamlNode { value, tag: None, line })
}

/// No more nodes follow than bytes.
fn room(count: usize, rest: &[u8]) -> usize {
    count.min(rest.len())
}

fn head(rest: &mut &[u8]) -> Option<(u8, u32, usize)> {
    let ([kind, line_high, line_low], after) = rest.split_first_chunk()?;
    let (count, after) = after.split_first_chunk()?;
    *rest = after;
    let line = u32::from(u16::from_be_bytes([*line_high, *line_low]));
    Some((*kind, line, usize::try_from(u32::from_be_bytes(*count)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::{DEFAULTS_FILE, LAW_FILES, REQUIREMENTS_FILE, RULE_FILES};
    use crate::yaml::read_yaml;

    #[test]
    fn the_nodes_of_every_file_are_those_of_its_text() {
        let files = RULE_FILES.iter().chain(LAW_FILES).chain([DEFAULTS_FILE, REQUIREMENTS_FILE]);
        for file in files {
            assert_eq!(
                read_nodes(file.nodes).as_ref(),
                read_yaml(file.text).unwrap().first(),
                "{}",
                file.name
            );
        }
    }

    #[test]
    fn nodes_that_are_cut_or_too_long_are_refused() {
        let nodes = DEFAULTS_FILE.nodes;
        assert!(read_nodes(&nodes[..nodes.len() - 1]).is_none());
        assert!(read_nodes([nodes, b"x"].concat().leak()).is_none());
        assert!(read_nodes(b"").is_none());
        assert!(read_nodes(b"x\0\0\0\0\0\0").is_none());
    }
}
