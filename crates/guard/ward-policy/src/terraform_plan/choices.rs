//! Which values of a plan the provider chose: nobody wrote them.

use super::written::{Nulls, Written};
use crate::graph::{Attribute, Block, Chosen};

/// The texts of a resource that no expression of the configuration gives.
pub(super) fn chosen(values: &Block, written: &Written<'_, '_>) -> Vec<Chosen> {
    let mut found = Vec::new();
    in_block(values, written, &mut String::new(), &mut found);
    // Items of a list have the same path.
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found.dedup_by(|one, other| one.path == other.path);
    found
}

fn in_block(block: &Block, written: &Written<'_, '_>, path: &mut String, found: &mut Vec<Chosen>) {
    for (name, value) in block.entries() {
        let before = path.len();
        if before > 0 {
            path.push('.');
        }
        path.push_str(name);
        in_value(value, &written.child(name), path, found);
        path.truncate(before);
    }
}

fn in_value(value: &Attribute, written: &Written<'_, '_>, path: &mut String, found: &mut Vec<Chosen>) {
    match (value, written) {
        (Attribute::Text(_), Written::Absent) => {
            found.push(Chosen { path: path.as_str().into(), is_sure: true });
        }
        (Attribute::Text(_), Written::NotTold) => {
            found.push(Chosen { path: path.as_str().into(), is_sure: false });
        }
        // Written as null, the provider chooses as well.
        (Attribute::Text(_), Written::As(_)) => {
            let nulls = written.nulls();
            if nulls != Nulls::No {
                found.push(Chosen { path: path.as_str().into(), is_sure: nulls == Nulls::All });
            }
        }
        (Attribute::Block(block), _) => in_block(block, written, path, found),
        (Attribute::List(items), _) => items.iter().for_each(|item| in_value(item, written, path, found)),
        _ => {}
    }
}
