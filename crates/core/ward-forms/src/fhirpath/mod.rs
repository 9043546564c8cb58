//! FHIRPath: the expressions that forms compute with.
//!
//! An [`Expression`] is read once and evaluated as often as the data change. Data are borrowed; an
//! evaluation visits what the expression names and copies none of it. There is no clock and no lookup
//! outside of the [`Environment`], and every evaluation ends: it has a budget of steps and of bytes.
//!
//! Ward has its own engine because the one that builds for the browser took 2.9 s for one answer's
//! value among 2,691 items (it copies the JSON at every step), reads the system's clock, and needs a
//! generated model of 264,000 lines. After an answer a form has to be up to date in less than 1 ms.
//!
//! What it knows: all of FHIRPath 2.0 (N1), and of the later parts `aggregate`, `sum`, `min`, `max`,
//! `avg`, `sort`, `defineVariable`, boundaries and precision, encodings, and the functions of FHIR and
//! SDC that need no server (`extension`, `resolve` within the resource, `weight`, `ordinal`).
//!
//! What is missing is not zero: an operator on an absent answer gives nothing, and an aggregate of
//! nothing is nothing. An aggregate over answers of which some are absent takes those that are there,
//! as FHIRPath says; a form's author who means otherwise adds the answers with `+`. An answer that was
//! refused, and one to a scored question that has no score, make an aggregate missing.
//!
//! ```
//! use ward_forms::fhirpath::{Environment, Expression};
//!
//! let response = serde_json::json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [
//!     {"linkId": "pain", "answer": [{"valueInteger": 3}]},
//!     {"linkId": "sleep", "answer": [{"valueInteger": 2}]}]});
//! let sum = Expression::parse(
//!     "%resource.item.where(linkId = 'pain').answer.value + %resource.item.where(linkId = 'sleep').answer.value",
//! )?;
//! let result = sum.evaluate(&Environment::of(&response))?;
//! assert_eq!(result.single().and_then(|value| value.integer()), Some(5));
//! assert!(sum.dependencies().link_ids().any(|link_id| link_id == "pain"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arithmetic;
mod asked;
mod ast;
mod budget;
mod collection;
mod dependencies;
mod dependency_walk;
mod distinct;
mod doubts;
mod environment;
mod equality;
mod error;
mod evaluator;
mod expression;
mod function_name;
mod functions;
mod lexer;
mod link_id_filter;
mod member_check;
mod merging;
mod navigate;
mod node;
mod operators;
mod parser;
mod quantity;
mod reach;
mod subjects;
mod temporal;
mod temporal_arithmetic;
mod temporal_order;
mod text;
mod text_filter;
mod type_test;
mod types;
mod unit;
mod value;
mod written;

pub use collection::Collection;
pub use dependencies::Dependencies;
pub(crate) use doubts::Doubt;
pub use environment::{Environment, OptionWeights};
pub(crate) use equality::are_alike;
pub use error::{EvaluationError, ExpressionError, ExpressionProblem};
pub use expression::Expression;
pub use node::Node;
pub use quantity::Quantity;
pub use rust_decimal::Decimal;
pub use temporal::{Precision, Temporal, TemporalKind};
pub use text::Text;
pub(crate) use unit::convert_ucum;
pub use value::Value;
