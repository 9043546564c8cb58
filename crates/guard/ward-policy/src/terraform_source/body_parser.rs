//! Reads bodies: attributes, blocks, and what ends them.

use super::cursor::Cursor;
use super::expression_parser::expression;
use super::syntax::{Argument, Block, Body, Expression, Node};
use super::template_parser::quoted_text;
use crate::input_error::InputError;
use crate::limits::{MAX_BLOCK_LABELS, MAX_SHOWN_CHARS};
use std::collections::HashSet;

/// Reads a whole file in the native syntax.
///
/// # Errors
/// [`InputError`] with the line of what does not belong there.
pub(super) fn read_body(text: &str) -> Result<Body, InputError> {
    let mut cursor = Cursor::new(text);
    let body = body(&mut cursor, false)?;
    Ok(body)
}

/// Reads entries up to the closing brace, which is taken, or to the end of the text.
fn body(cursor: &mut Cursor<'_>, is_braced: bool) -> Result<Body, InputError> {
    cursor.enter()?;
    let mut read = Body::default();
    let mut names = HashSet::new();
    loop {
        cursor.space_and_lines()?;
        if is_braced && cursor.takes(b'}') {
            break;
        }
        if cursor.byte().is_none() {
            if is_braced {
                return Err(cursor.fault("a block has no end"));
            }
            break;
        }
        entry(cursor, &mut read, &mut names)?;
        cursor.space()?;
        match cursor.byte() {
            None | Some(b'\n') => {}
            Some(b'}') if is_braced => {}
            _ => return Err(cursor.fault("a new line was expected")),
        }
    }
    cursor.leave();
    Ok(read)
}

fn entry<'a>(
    cursor: &mut Cursor<'a>,
    body: &mut Body,
    names: &mut HashSet<&'a str>,
) -> Result<(), InputError> {
    let line = cursor.line();
    let Some(name) = cursor.name() else {
        return Err(cursor.fault("the name of an attribute or a block was expected"));
    };
    cursor.space()?;
    if cursor.byte() == Some(b'=') && cursor.byte_after(1) != Some(b'=') {
        cursor.at += 1;
        let argument = argument(cursor, name, line)?;
        if !names.insert(name) {
            let line = usize::try_from(line).unwrap_or(usize::MAX);
            return Err(InputError::GivenTwice { line, name: name.into() });
        }
        body.attributes.push(argument);
        return Ok(());
    }
    let labels = labels(cursor)?;
    let inner = self::body(cursor, true)?;
    body.blocks.push(Block { kind: name.into(), labels, line, body: inner });
    Ok(())
}

fn argument(cursor: &mut Cursor<'_>, name: &str, line: u32) -> Result<Argument, InputError> {
    cursor.space()?;
    let start = cursor.at;
    let value = expression(cursor)?;
    let written = shown(&value, cursor.slice(start, cursor.at));
    Ok(Argument { name: name.into(), line, value, written })
}

/// An expression as a report shows it. Plain values show themselves.
pub(super) fn shown(value: &Node, text: &str) -> Option<Box<str>> {
    let is_plain = matches!(
        value.what,
        Expression::Null | Expression::Bool(_) | Expression::Number(_) | Expression::Text(_)
    );
    if is_plain {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().take(MAX_SHOWN_CHARS).collect();
    let folded = words.join(" ");
    let mut short: String = folded.chars().take(MAX_SHOWN_CHARS).collect();
    if short.len() < folded.len() {
        short.push('…');
    }
    Some(short.into())
}

/// Reads the labels of a block, and its opening brace.
fn labels(cursor: &mut Cursor<'_>) -> Result<Vec<Box<str>>, InputError> {
    let mut labels: Vec<Box<str>> = Vec::new();
    loop {
        cursor.space()?;
        match cursor.byte() {
            Some(b'{') => {
                cursor.at += 1;
                return Ok(labels);
            }
            Some(b'"') => labels.push(quoted_text(cursor)?.into()),
            _ => match cursor.name() {
                Some(name) => labels.push(name.into()),
                None => return Err(cursor.fault("a label, a brace or an equals sign was expected")),
            },
        }
        if labels.len() > MAX_BLOCK_LABELS {
            return Err(cursor.fault("a block has more labels than a check accepts"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_HCL_DEPTH;

    fn fault(text: &str) -> (usize, &'static str) {
        match read_body(text) {
            Err(InputError::NotHcl { line, what, .. }) => (line, what),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn blocks_labels_attributes_and_comments() {
        let text =
            "# one\nresource \"a_b\" name { // two\n  x = 1 /* three */\n  in { y = true }\n  empty {}\n}\n";
        let body = read_body(text).unwrap();
        let block = &body.blocks[0];
        assert_eq!((&*block.kind, block.line, block.labels.len()), ("resource", 2, 2));
        assert_eq!(block.body.attribute("x").unwrap().line, 3);
        assert_eq!(block.body.blocks.len(), 2);
        assert!(block.body.blocks[0].body.attribute("y").is_some());
    }

    #[test]
    fn what_does_not_belong_is_told_with_its_line() {
        assert_eq!(fault("a = 1\nb {\n").1, "a block has no end");
        assert_eq!(fault("a = 1 b = 2"), (1, "a new line was expected"));
        assert_eq!(fault("\n\n= 1").0, 3);
        assert_eq!(fault("a = \n").0, 1);
        assert_eq!(fault("/* x").1, "a comment has no end");
        assert_eq!(fault("a {} }").1, "a new line was expected");
        assert!(matches!(read_body("a = 1\na = 2"), Err(InputError::GivenTwice { line: 2, .. })));
    }

    #[test]
    fn blocks_at_the_depth_and_one_past() {
        let nested = |depth: usize| format!("{}{}", "a {\n".repeat(depth), "}\n".repeat(depth));
        assert!(read_body(&nested(MAX_HCL_DEPTH - 1)).is_ok());
        assert_eq!(fault(&nested(MAX_HCL_DEPTH)).1, "nested deeper than a check accepts");
    }

    #[test]
    fn an_expression_is_shown_on_one_line() {
        let body = read_body("a = merge(\n  var.x,\n  { b = 1 })\nc = \"plain\"\n").unwrap();
        assert_eq!(body.attributes[0].written.as_deref(), Some("merge( var.x, { b = 1 })"));
        assert_eq!(body.attributes[1].written, None);
    }
}
