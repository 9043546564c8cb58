//! Reads the JSON syntax of configurations: the same tree as from the native one.

use super::body_parser::shown;
use super::cursor::Cursor;
use super::expression_parser::expression;
use super::syntax::{Argument, Block, Body, Expression, Node};
use super::template_parser::whole_template;
use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use crate::limits::MAX_HCL_HEIGHT;
use std::collections::HashSet;

type Read<T> = Result<T, InputError>;

/// Reads a whole file in the JSON syntax.
///
/// # Errors
/// [`InputError`] when it is not JSON, or not a configuration.
pub(super) fn read_json_body(text: &str) -> Read<Body> {
    let mut scanner = Scanner::new(text);
    let mut body = Body::default();
    each_body(&mut scanner, &mut |scanner| {
        scanner.object(|kind, scanner| {
            let labels = match &*kind {
                "resource" | "data" | "ephemeral" => 2,
                "variable" | "output" | "module" | "provider" => 1,
                "locals" | "terraform" => 0,
                // `//` is a comment; checks, moves and imports say nothing about values.
                _ => return scanner.skip().map(drop),
            };
            labelled(scanner, &kind, labels, &mut Vec::new(), &mut body.blocks)
        })
    })?;
    scanner.end()?;
    Ok(body)
}

/// Reads variables and their values, as `terraform.tfvars.json` has them.
///
/// # Errors
/// [`InputError`] when it is not one JSON object.
pub(super) fn read_json_values(text: &str) -> Read<Body> {
    let mut scanner = Scanner::new(text);
    let mut body = Body::default();
    let mut names = HashSet::new();
    scanner.object(|name, scanner| {
        let line = line_of(scanner);
        // A value is no template here.
        let value = value(scanner, Texts::Plain)?;
        push(&mut body, &mut names, line, Argument { name: (*name).into(), line, value, written: None })
    })?;
    scanner.end()?;
    Ok(body)
}

/// Whether texts may hold templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    Templates,
    Plain,
}

/// One object, or a list of them.
fn each_body(scanner: &mut Scanner<'_>, read: &mut dyn FnMut(&mut Scanner<'_>) -> Read<()>) -> Read<()> {
    match scanner.peek()? {
        Kind::Array => scanner.array(|scanner| read(scanner)),
        _ => read(scanner),
    }
}

/// Reads one level of labels for each still owed, then bodies.
fn labelled(
    scanner: &mut Scanner<'_>,
    kind: &str,
    owed: usize,
    labels: &mut Vec<Box<str>>,
    blocks: &mut Vec<Block>,
) -> Read<()> {
    if owed == 0 {
        return each_body(scanner, &mut |scanner| {
            let line = line_of(scanner);
            let body = block_body(scanner, kind)?;
            blocks.push(Block { kind: kind.into(), labels: labels.clone(), line, body });
            Ok(())
        });
    }
    each_body(scanner, &mut |scanner| {
        scanner.object(|label, scanner| {
            labels.push((*label).into());
            labelled(scanner, kind, owed - 1, labels, blocks)?;
            labels.pop();
            Ok(())
        })
    })
}

fn block_body(scanner: &mut Scanner<'_>, kind: &str) -> Read<Body> {
    let mut body = Body::default();
    let mut names = HashSet::new();
    scanner.object(|name, scanner| {
        let line = line_of(scanner);
        match (kind, &*name) {
            (_, "//") => scanner.skip().map(drop),
            (_, "dynamic") => labelled(scanner, "dynamic", 1, &mut Vec::new(), &mut body.blocks),
            ("dynamic", "content") => labelled(scanner, "content", 0, &mut Vec::new(), &mut body.blocks),
            ("variable", "type") => {
                let text = scanner.text()?;
                let value = expression(&mut Cursor::new(&text))?;
                push(
                    &mut body,
                    &mut names,
                    line,
                    Argument { name: "type".into(), line, value, written: None },
                )
            }
            _ => {
                let texts = if kind == "variable" { Texts::Plain } else { Texts::Templates };
                let before = scanner.clone().skip()?;
                let value = value(scanner, texts)?;
                let written = shown(&value, before);
                push(&mut body, &mut names, line, Argument { name: (*name).into(), line, value, written })
            }
        }
    })?;
    Ok(body)
}

fn push(body: &mut Body, names: &mut HashSet<Box<str>>, line: u32, argument: Argument) -> Read<()> {
    if !names.insert(argument.name.clone()) {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        return Err(InputError::GivenTwice { line, name: argument.name });
    }
    body.attributes.push(argument);
    Ok(())
}

fn value(scanner: &mut Scanner<'_>, texts: Texts) -> Read<Node> {
    let what = match scanner.peek()? {
        Kind::Null => {
            scanner.skip()?;
            Expression::Null
        }
        Kind::Bool => Expression::Bool(scanner.bool()?),
        Kind::Number => Expression::Number(scanner.number()?),
        Kind::Text => return text(scanner, texts),
        Kind::Array => {
            let mut items: Vec<Node> = Vec::new();
            scanner.array(|scanner| {
                items.push(value(scanner, texts)?);
                Ok(())
            })?;
            let height = items.iter().map(|item| item.height).max().unwrap_or(0);
            return node(scanner, height, Expression::Tuple(items));
        }
        Kind::Object => {
            let mut items: Vec<(Node, Node)> = Vec::new();
            scanner.object(|key, scanner| {
                let key = match texts {
                    Texts::Templates => whole_template(&key)?,
                    Texts::Plain => Node::leaf(Expression::Text((*key).into())),
                };
                items.push((key, value(scanner, texts)?));
                Ok(())
            })?;
            let height = items.iter().map(|(key, value)| key.height.max(value.height)).max().unwrap_or(0);
            return node(scanner, height, Expression::Object(items));
        }
    };
    Ok(Node::leaf(what))
}

fn text(scanner: &mut Scanner<'_>, texts: Texts) -> Read<Node> {
    let line = scanner.line();
    let text = scanner.text()?;
    if texts == Texts::Plain {
        return Ok(Node::leaf(Expression::Text((*text).into())));
    }
    whole_template(&text).map_err(|fault| match fault {
        InputError::NotHcl { column, what, .. } => InputError::NotHcl { line, column, what },
        other => other,
    })
}

fn node(scanner: &Scanner<'_>, height_below: usize, what: Expression) -> Read<Node> {
    if height_below >= MAX_HCL_HEIGHT {
        return Err(InputError::JsonTooDeep { line: scanner.line() });
    }
    Ok(Node { height: height_below + 1, what })
}

fn line_of(scanner: &Scanner<'_>) -> u32 {
    u32::try_from(scanner.line()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_bodies_and_templates() {
        let text = r#"{
            "//": "a comment",
            "resource": {"aws_s3_bucket": {"b": {"bucket": "${var.name}-x", "tags": {"a": true},
                "dynamic": {"rule": {"for_each": [1], "content": {"x": "${rule.value}"}}}}}},
            "locals": [{"a": 1}, {"b": null}],
            "variable": {"v": {"type": "list(string)", "default": ["${plain}"]}}
        }"#;
        let body = read_json_body(text).unwrap();
        let bucket = body.blocks_of("resource").next().unwrap();
        assert_eq!((bucket.labels.len(), bucket.line), (2, 3));
        assert!(matches!(bucket.body.attribute("bucket").unwrap().value.what, Expression::Template(_)));
        let dynamic = bucket.body.blocks_of("dynamic").next().unwrap();
        assert_eq!((&*dynamic.labels[0], &*dynamic.body.blocks[0].kind), ("rule", "content"));
        assert_eq!(body.blocks_of("locals").count(), 2);
        let variable = body.blocks_of("variable").next().unwrap();
        assert!(matches!(variable.body.attribute("type").unwrap().value.what, Expression::Call { .. }));
    }

    #[test]
    fn what_is_given_twice_or_nested_too_deep_is_told() {
        let twice = r#"{"resource": {"a": {"b": {"c": 1, "c": 2}}}}"#;
        assert!(matches!(read_json_body(twice), Err(InputError::GivenTwice { .. })));
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(101), "]".repeat(101));
        assert!(read_json_values(&deep).is_err());
        assert!(read_json_values("[]").is_err());
    }
}
