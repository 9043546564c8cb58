//! The tree that an expression is read into.
//!
//! A chain of steps (`a.b.c`) and a run of operators of one precedence (`a + b + c`) are flat lists,
//! so that only real nesting makes the tree deep.

use super::function_name::{Family, Function};
use super::text_filter::TextFilter;
use super::value::Value;

/// One node of the tree.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// `{}`.
    Empty,
    Literal(Value<'static>),
    /// `$this`.
    This,
    /// `$index`.
    Index,
    /// `$total`.
    Total,
    /// `%name`.
    Variable(String),
    /// A member of `$this`.
    Member(Member),
    /// A function called on `$this`.
    Call(Box<Call>),
    /// Steps that start from another expression.
    Path {
        base: Box<Expr>,
        steps: Vec<Step>,
    },
    /// A sign before an expression.
    Sign {
        is_minus: bool,
        operand: Box<Expr>,
    },
    /// Operators of one precedence, applied from left to right.
    Chain {
        first: Box<Expr>,
        rest: Vec<Operation>,
    },
}

/// One operator with what stands right of it.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Binary(Operator, Expr),
    Is(TypeName),
    As(TypeName),
}

/// What follows an expression: `.member`, `.function(...)` or `[index]`.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Member(Member),
    Call(Box<Call>),
    At(Expr),
}

/// A member's name as in JSON, and that of the sibling that holds a primitive's id and extensions.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) sibling: String,
}

impl Expr {
    /// Shows each call and each expression in it, this one first.
    pub(super) fn visit<'x>(&'x self, seen: &mut impl FnMut(Part<'x>)) {
        seen(Part::Expr(self));
        match self {
            Self::Call(call) => call.visit(seen),
            Self::Path { base, steps } => {
                base.visit(seen);
                for step in steps {
                    match step {
                        Step::Member(_) => {}
                        Step::Call(call) => call.visit(seen),
                        Step::At(index) => index.visit(seen),
                    }
                }
            }
            Self::Sign { operand, .. } => operand.visit(seen),
            Self::Chain { first, rest } => {
                first.visit(seen);
                for operation in rest {
                    if let Operation::Binary(_, right) = operation {
                        right.visit(seen);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Call {
    fn visit<'x>(&'x self, seen: &mut impl FnMut(Part<'x>)) {
        seen(Part::Call(self));
        for argument in &self.arguments {
            argument.visit(seen);
        }
    }
}

/// A part of a tree that a visit shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'x> {
    Expr(&'x Expr),
    Call(&'x Call),
}

impl Member {
    pub(super) fn new(name: String) -> Self {
        let sibling = format!("_{name}");
        Self { name, sibling }
    }
}

/// A function with its arguments.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) family: Family,
    /// The name as written, for messages.
    pub(super) name: &'static str,
    pub(super) arguments: Vec<Expr>,
    /// What `where` filters by, if that is a text.
    pub(super) text_filter: Option<TextFilter>,
    /// The argument of `is`, `as` and `ofType`.
    pub(super) type_name: Option<TypeName>,
}

/// A type named in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) namespace: Namespace,
    pub(super) name: String,
}

/// Where the name of a type is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    Fhir,
    System,
    Either,
}

/// The operators between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Add,
    Subtract,
    Concatenate,
    Multiply,
    Divide,
    DivideWhole,
    Modulo,
}

impl Operator {
    /// How tightly it binds; a higher level binds tighter. The levels are those of the FHIRPath
    /// grammar (FHIRPath 2.0 §6.8); `is` and `as` stand between `|` and `+`.
    pub(super) fn level(self) -> u8 {
        match self {
            Self::Implies => 1,
            Self::Or | Self::Xor => 2,
            Self::And => 3,
            Self::In | Self::Contains => 4,
            Self::Equal | Self::NotEqual | Self::Equivalent | Self::NotEquivalent => 5,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Union => 7,
            Self::Add | Self::Subtract | Self::Concatenate => 9,
            Self::Multiply | Self::Divide | Self::DivideWhole | Self::Modulo => 10,
        }
    }

    /// The operator as written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Implies => "implies",
            Self::Or => "or",
            Self::Xor => "xor",
            Self::And => "and",
            Self::In => "in",
            Self::Contains => "contains",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Equivalent => "~",
            Self::NotEquivalent => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Union => "|",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "&",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideWhole => "div",
            Self::Modulo => "mod",
        }
    }
}

/// The level of `is` and `as`.
pub(super) const TYPE_LEVEL: u8 = 8;
