//! What a configuration says, as a tree: bodies with attributes and blocks, and expressions.
//!
//! The native syntax and the JSON syntax both become this.

use std::rc::Rc;

/// The inside of a file or a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Body {
    pub(super) attributes: Vec<Argument>,
    pub(super) blocks: Vec<Block>,
}

impl Body {
    pub(super) fn attribute(&self, name: &str) -> Option<&Argument> {
        self.attributes.iter().find(|one| &*one.name == name)
    }

    pub(super) fn blocks_of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }
}

/// `name = expression`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub(super) name: Box<str>,
    pub(super) line: u32,
    pub(super) value: Node,
    /// The expression as written, shortened; none if it is a plain value.
    pub(super) written: Option<Box<str>>,
}

/// `kind "label" { ... }`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) kind: Box<str>,
    pub(super) labels: Vec<Box<str>>,
    pub(super) line: u32,
    pub(super) body: Body,
}

/// An expression, and how high the tree below it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) height: usize,
    pub(super) what: Expression,
}

impl Node {
    pub(super) const fn leaf(what: Expression) -> Self {
        Self { height: 1, what }
    }

    /// A plain text, without templates in it.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.what {
            Expression::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A name with names behind it, such as `aws.west`: how providers are written.
    pub(super) fn as_dotted(&self) -> Option<String> {
        let Expression::Traversal { root, steps } = &self.what else {
            return self.as_text().map(str::to_owned);
        };
        let mut dotted = root.to_string();
        for step in steps {
            let Step::Attribute(name) = step else { return None };
            dotted.push('.');
            dotted.push_str(name);
        }
        Some(dotted)
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    Template(Vec<Part>),
    Tuple(Vec<Node>),
    Object(Vec<(Node, Node)>),
    /// A name, and what is taken out of it.
    Traversal {
        root: Box<str>,
        steps: Vec<Step>,
    },
    /// What is taken out of another expression.
    Within {
        of: Box<Node>,
        steps: Vec<Step>,
    },
    Call {
        name: Box<str>,
        arguments: Vec<Node>,
        spreads_last: bool,
    },
    Conditional(Box<[Node; 3]>),
    Binary(BinaryOperator, Box<[Node; 2]>),
    Not(Box<Node>),
    Negative(Box<Node>),
    For(Box<For>),
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Attribute(Box<str>),
    Index(Node),
    /// `[*]`: what follows is taken out of every item.
    EachItem,
    /// `.*`: the names that follow are taken out of every item.
    EachItemNames,
}

/// `[for key, value in of : item if condition]`, or with a key for each item in braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct For {
    pub(super) key: Option<Box<str>>,
    pub(super) value: Box<str>,
    pub(super) of: Node,
    pub(super) item_key: Option<Node>,
    pub(super) item: Node,
    pub(super) condition: Option<Node>,
    pub(super) groups: bool,
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(Rc<str>),
    Value(Node),
    If { condition: Node, then: Vec<Part>, otherwise: Vec<Part> },
    For { key: Option<Box<str>>, value: Box<str>, of: Node, parts: Vec<Part> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
