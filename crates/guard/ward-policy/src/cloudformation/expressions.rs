//! What the attributes of a resource refer to, by their paths.

use crate::graph::{Attribute, Block, Expression};

/// Every expression of a block, with names and no places in lists.
pub(super) fn expressions(block: &Block) -> Vec<Expression> {
    let mut walk = Walk { path: String::new(), found: Vec::new() };
    walk.block(block);
    walk.found
}

struct Walk {
    path: String,
    found: Vec<Expression>,
}

impl Walk {
    fn block(&mut self, block: &Block) {
        for (name, value) in block.entries() {
            let before = self.path.len();
            if before > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
            self.value(value);
            self.path.truncate(before);
        }
    }

    fn value(&mut self, value: &Attribute) {
        match value {
            Attribute::Block(block) => self.block(block),
            Attribute::List(items) => items.iter().for_each(|item| self.value(item)),
            Attribute::Unknown(unknown) if !unknown.references.is_empty() => {
                let references = unknown.references.clone();
                self.found.push(Expression { path: self.path.as_str().into(), references });
            }
            _ => {}
        }
    }
}
