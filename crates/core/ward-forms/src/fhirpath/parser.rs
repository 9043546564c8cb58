//! Reads tokens into the tree.
//!
//! Source: FHIRPath 2.0, appendix B (grammar) and §6.8 (precedence). Every part counts towards a
//! limit, and nesting has a limit of its own, so that no text can exhaust memory or the call stack.

use super::ast::{Call, Expr, Member, Namespace, Operation, Operator, Step, TYPE_LEVEL, TypeName};
use super::error::{ExpressionError, ExpressionProblem};
use super::function_name::{Arity, Function, Known};
use super::lexer::{Placed, Token, tokens};
use super::node::decimal;
use super::quantity::{Quantity, UnitText};
use super::temporal_arithmetic::TimeUnit;
use super::text_filter::TextFilter;
use super::types;
use super::value::Value;
use crate::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES, MAX_NAMED_CHARS};

type Parsed<T> = Result<T, ExpressionError>;

/// What stands behind the sign of the least integer of 32 bits.
const LEAST_INTEGER_DIGITS: &str = "2147483648";

/// An expression with the depth of its tree.
struct Deep {
    expr: Expr,
    depth: usize,
}

/// Reads a whole expression.
pub(super) fn parse(source: &str) -> Parsed<Expr> {
    if source.len() > MAX_EXPRESSION_BYTES {
        return Err(ExpressionError::new(
            0,
            ExpressionProblem::TooLong { limit_bytes: MAX_EXPRESSION_BYTES },
        ));
    }
    let mut parser = Parser { tokens: tokens(source)?, at: 0, nodes: 0, nesting: 0 };
    let deep = parser.expression(1)?;
    match parser.peek() {
        Token::End => Ok(deep.expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    nodes: usize,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |placed| &placed.token)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |placed| placed.position)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(symbol)) }
    }

    fn unexpected(&self, expected: &'static str) -> ExpressionError {
        self.problem(ExpressionProblem::Unexpected { expected, found: self.peek().describe() })
    }

    fn problem(&self, problem: ExpressionProblem) -> ExpressionError {
        ExpressionError::new(self.position(), problem)
    }

    fn count(&mut self) -> Parsed<()> {
        self.nodes += 1;
        if self.nodes > MAX_EXPRESSION_NODES {
            return Err(self.problem(ExpressionProblem::TooManyParts { limit: MAX_EXPRESSION_NODES }));
        }
        Ok(())
    }

    /// A node above others.
    fn above(&mut self, expr: Expr, below: usize) -> Parsed<Deep> {
        self.count()?;
        let depth = below + 1;
        if depth > MAX_EXPRESSION_DEPTH { Err(self.too_deep()) } else { Ok(Deep { expr, depth }) }
    }

    fn too_deep(&self) -> ExpressionError {
        self.problem(ExpressionProblem::TooDeep { limit: MAX_EXPRESSION_DEPTH })
    }

    /// Reads what binds at least as tightly as a level.
    fn expression(&mut self, level: u8) -> Parsed<Deep> {
        self.nesting += 1;
        if self.nesting > MAX_EXPRESSION_DEPTH {
            return Err(self.too_deep());
        }
        let mut left = self.signed()?;
        while let Some(next) = self.operator_level().filter(|next| *next >= level) {
            left = self.run(left, next)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn operator_level(&self) -> Option<u8> {
        match self.peek() {
            Token::Word(word) if word == "is" || word == "as" => Some(TYPE_LEVEL),
            token => operator(token).map(Operator::level),
        }
    }

    /// Reads all operators of one level that follow one another.
    fn run(&mut self, first: Deep, level: u8) -> Parsed<Deep> {
        let mut depth = first.depth;
        let mut rest = Vec::new();
        while self.operator_level() == Some(level) {
            self.count()?;
            let token = self.take();
            if let Some(operator) = operator(&token) {
                let right = self.expression(level + 1)?;
                depth = depth.max(right.depth);
                rest.push(Operation::Binary(operator, right.expr));
            } else {
                let type_name = self.type_name()?;
                let is_test = token == Token::Word("is".to_owned());
                rest.push(if is_test { Operation::Is(type_name) } else { Operation::As(type_name) });
            }
        }
        self.above(Expr::Chain { first: Box::new(first.expr), rest }, depth)
    }

    fn signed(&mut self) -> Parsed<Deep> {
        let is_minus = self.is_symbol("-");
        if !is_minus && !self.is_symbol("+") {
            return self.path();
        }
        self.at += 1;
        if is_minus && self.is_least_integer() {
            self.at += 1;
            return self.above(Expr::Literal(Value::Integer(i32::MIN)), 0);
        }
        self.nesting += 1;
        if self.nesting > MAX_EXPRESSION_DEPTH {
            return Err(self.too_deep());
        }
        let operand = self.signed()?;
        self.nesting -= 1;
        self.above(Expr::Sign { is_minus, operand: Box::new(operand.expr) }, operand.depth)
    }

    fn path(&mut self) -> Parsed<Deep> {
        let base = self.term()?;
        let mut depth = base.depth;
        let mut steps = Vec::new();
        loop {
            if self.eat(".") {
                self.count()?;
                let (step, below) = self.step()?;
                depth = depth.max(below);
                steps.push(step);
            } else if self.eat("[") {
                self.count()?;
                let index = self.expression(1)?;
                self.need("]")?;
                depth = depth.max(index.depth);
                steps.push(Step::At(index.expr));
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Ok(base);
        }
        self.above(Expr::Path { base: Box::new(base.expr), steps }, depth)
    }

    fn step(&mut self) -> Parsed<(Step, usize)> {
        match self.take() {
            // Behind a point every word is a name.
            Token::Word(name) if self.is_symbol("(") => {
                let (call, depth) = self.call(&name)?;
                Ok((Step::Call(Box::new(call)), depth))
            }
            Token::Word(name) | Token::Name(name) => Ok((Step::Member(Member::new(name)), 0)),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a name"))
            }
        }
    }

    fn term(&mut self) -> Parsed<Deep> {
        let position = self.position();
        let expr = match self.take() {
            Token::Symbol("(") => {
                let inner = self.expression(1)?;
                self.need(")")?;
                return self.above(inner.expr, inner.depth);
            }
            Token::Symbol("{") => {
                self.need("}")?;
                Expr::Empty
            }
            Token::Text(text) => Expr::Literal(Value::string(text)),
            Token::Number(text) => Expr::Literal(self.number(&text, position)?),
            Token::Temporal(value) => Expr::Literal(Value::Temporal(value)),
            Token::Variable(name) => Expr::Variable(name),
            Token::Special(name) => match name.as_str() {
                "this" => Expr::This,
                "index" => Expr::Index,
                "total" => Expr::Total,
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected("$this, $index or $total"));
                }
            },
            Token::Word(word) if word == "true" || word == "false" => {
                Expr::Literal(Value::Boolean(word == "true"))
            }
            Token::Word(name) if self.is_symbol("(") => {
                let (call, depth) = self.call(&name)?;
                return self.above(Expr::Call(Box::new(call)), depth);
            }
            Token::Word(word) if !is_reserved(&word) => Expr::Member(Member::new(word)),
            Token::Name(name) => Expr::Member(Member::new(name)),
            _ => {
                self.at -= 1;
                return Err(self.unexpected("an expression"));
            }
        };
        self.above(expr, 0)
    }

    /// The digits of the least integer are none that an integer without its sign has. Where something
    /// follows that binds closer than the sign, they are out of range.
    fn is_least_integer(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map_or(&Token::End, |placed| &placed.token);
        let binds_closer = match next {
            Token::Symbol(symbol) => matches!(*symbol, "." | "["),
            Token::Text(_) => true,
            Token::Word(word) => TimeUnit::from_word(word).is_some(),
            _ => false,
        };
        matches!(self.peek(), Token::Number(text) if text == LEAST_INTEGER_DIGITS) && !binds_closer
    }

    fn number(&mut self, text: &str, position: usize) -> Parsed<Value<'static>> {
        let out_of_range = || {
            let shown = text.chars().take(MAX_NAMED_CHARS).collect();
            ExpressionError::new(position, ExpressionProblem::NumberOutOfRange { text: shown })
        };
        let unit = match self.peek() {
            Token::Text(code) => Some(UnitText::Code(code.clone().into())),
            Token::Word(word) => TimeUnit::from_word(word).map(UnitText::Calendar),
            _ => None,
        };
        if let Some(unit) = unit {
            self.at += 1;
            let value = decimal(text).ok_or_else(out_of_range)?;
            return Ok(Value::Quantity(Box::new(Quantity::new(value, unit))));
        }
        if text.contains('.') {
            return decimal(text).map(Value::Decimal).ok_or_else(out_of_range);
        }
        text.parse().map(Value::Integer).map_err(|_| out_of_range())
    }

    fn call(&mut self, name: &str) -> Parsed<(Call, usize)> {
        let position = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |placed| placed.position);
        let Some(Known { name, function, family, arity }) = Function::named(name) else {
            let problem =
                ExpressionProblem::UnknownFunction { name: name.chars().take(MAX_NAMED_CHARS).collect() };
            return Err(ExpressionError::new(position, problem));
        };
        self.need("(")?;
        let mut call =
            Call { function, family, name, arguments: Vec::new(), text_filter: None, type_name: None };
        if function.takes_type() {
            call.type_name = Some(self.type_name()?);
            self.need(")")?;
            return Ok((call, 0));
        }
        let mut depth = 0;
        if !self.eat(")") {
            loop {
                let argument = self.expression(1)?;
                depth = depth.max(argument.depth);
                call.arguments.push(argument.expr);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return Err(self.unexpected("a comma or a closing bracket"));
                }
            }
        }
        check_arity(name, arity, call.arguments.len())
            .map_err(|problem| ExpressionError::new(position, problem))?;
        if function == Function::Where {
            call.text_filter = call.arguments.first().and_then(TextFilter::of);
        }
        Ok((call, depth))
    }

    /// `Quantity`, `FHIR.Patient` or `System.String`.
    fn type_name(&mut self) -> Parsed<TypeName> {
        let position = self.position();
        let first = self.name()?;
        let (namespace, name) = if self.is_symbol(".") && (first == "System" || first == "FHIR") {
            self.at += 1;
            let namespace = if first == "System" { Namespace::System } else { Namespace::Fhir };
            (namespace, self.name()?)
        } else {
            (Namespace::Either, first)
        };
        let type_name = TypeName { namespace, name };
        if types::exists(&type_name) {
            return Ok(type_name);
        }
        let name = type_name.name.chars().take(MAX_NAMED_CHARS).collect();
        Err(ExpressionError::new(position, ExpressionProblem::UnknownType { name }))
    }

    fn name(&mut self) -> Parsed<String> {
        match self.take() {
            Token::Word(name) | Token::Name(name) => Ok(name),
            _ => {
                self.at -= 1;
                Err(self.unexpected("the name of a type"))
            }
        }
    }
}

fn check_arity(name: &'static str, arity: Arity, found: usize) -> Result<(), ExpressionProblem> {
    if (arity.least..=arity.most).contains(&found) {
        return Ok(());
    }
    let expected = if arity.least == arity.most {
        arity.least.to_string()
    } else {
        format!("{} to {}", arity.least, arity.most)
    };
    Err(ExpressionProblem::WrongArguments { name, expected, found })
}

/// Words that can't begin an expression. The grammar lets `as`, `contains`, `in` and `is` be names.
fn is_reserved(word: &str) -> bool {
    matches!(word, "and" | "or" | "xor" | "implies" | "div" | "mod")
}

fn operator(token: &Token) -> Option<Operator> {
    let text = match token {
        Token::Word(word) => word.as_str(),
        Token::Symbol(symbol) => symbol,
        _ => return None,
    };
    Some(match text {
        "implies" => Operator::Implies,
        "or" => Operator::Or,
        "xor" => Operator::Xor,
        "and" => Operator::And,
        "in" => Operator::In,
        "contains" => Operator::Contains,
        "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "~" => Operator::Equivalent,
        "!~" => Operator::NotEquivalent,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "|" => Operator::Union,
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "&" => Operator::Concatenate,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "div" => Operator::DivideWhole,
        "mod" => Operator::Modulo,
        _ => return None,
    })
}
