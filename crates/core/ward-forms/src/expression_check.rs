//! Whether an expression can be an expression at all: every bracket, quote and comment is closed.
//!
//! This is what the text shows without the grammar of FHIRPath; an engine that reads the grammar
//! says more, and goes into [`crate::check_instrument`] in its place.

/// Says whether an expression has something in it and closes what it opens.
///
/// # Errors
/// What is wrong, as a sentence.
///
/// ```
/// use ward_forms::expression_is_closed;
///
/// assert!(expression_is_closed("item.where(linkId = 'a)').exists()").is_ok());
/// assert!(expression_is_closed("item.where(linkId = 'a'").is_err());
/// ```
pub fn expression_is_closed(expression: &str) -> Result<(), String> {
    let mut open: Vec<char> = Vec::new();
    let mut rest = expression;
    let mut is_empty = true;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        if rest.starts_with("/*") {
            let (_, after) = rest.split_once("*/").ok_or("A comment is not closed.")?;
            rest = after;
            continue;
        }
        is_empty &= c.is_whitespace();
        rest = match c {
            '\'' | '"' | '`' => {
                behind_quote(after, c).ok_or_else(|| format!("The quote {c} is not closed."))?
            }
            '(' | '[' | '{' => {
                open.push(c);
                after
            }
            ')' | ']' | '}' => {
                if open.pop() != Some(opening(c)) {
                    return Err(format!("The bracket {c} closes nothing."));
                }
                after
            }
            _ => after,
        };
    }
    match open.last() {
        Some(bracket) => Err(format!("The bracket {bracket} is not closed.")),
        None if is_empty => Err("It is empty.".to_owned()),
        None => Ok(()),
    }
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

fn behind_quote(rest: &str, quote: char) -> Option<&str> {
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    rest.get(end + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_is_closed() {
        for good in ["1", "a.b(c[0] | {})", "'(' & `[` & \"{\"", "1 // (", "/* ( */ 1", r"'\'('"] {
            assert_eq!(expression_is_closed(good), Ok(()), "{good}");
        }
        for bad in ["", "  ", "// 1", "(", ")", "(]", "a[(1])", "'x", r"'x\'", "`", "/* 1", "{"] {
            assert!(expression_is_closed(bad).is_err(), "{bad}");
        }
    }
}
