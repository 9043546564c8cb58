//! Reads expressions. The height of each tree is bounded, so that whoever walks it may recurse.

use super::cursor::Cursor;
use super::syntax::{BinaryOperator, Expression, For, Node, Step};
use super::template_parser::{heredoc, quoted};
use crate::input_error::InputError;

type Read<T> = Result<T, InputError>;

/// Reads one expression.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Read<Node> {
    cursor.enter()?;
    let node = conditional(cursor)?;
    cursor.leave();
    Ok(node)
}

fn conditional(cursor: &mut Cursor<'_>) -> Read<Node> {
    let condition = binary(cursor, 0)?;
    cursor.space()?;
    if !cursor.takes(b'?') {
        return Ok(condition);
    }
    // Terraform lets the branches of a condition begin on a line of their own only in brackets.
    cursor.space()?;
    let then = expression(cursor)?;
    cursor.space()?;
    cursor.want(b':', "a colon was expected between two branches")?;
    cursor.space()?;
    let otherwise = expression(cursor)?;
    let height = condition.height.max(then.height).max(otherwise.height);
    cursor.node(height, Expression::Conditional(Box::new([condition, then, otherwise])))
}

/// Operators by how tightly they bind, loosest first; of one level the longer is tried first.
const LEVELS: [&[(&str, BinaryOperator)]; 6] = [
    &[("||", BinaryOperator::Or)],
    &[("&&", BinaryOperator::And)],
    &[("==", BinaryOperator::Equal), ("!=", BinaryOperator::NotEqual)],
    &[
        ("<=", BinaryOperator::AtMost),
        (">=", BinaryOperator::AtLeast),
        ("<", BinaryOperator::Less),
        (">", BinaryOperator::Greater),
    ],
    &[("+", BinaryOperator::Add), ("-", BinaryOperator::Subtract)],
    &[("*", BinaryOperator::Multiply), ("/", BinaryOperator::Divide), ("%", BinaryOperator::Remainder)],
];

/// Reads operators of this level and of tighter ones.
fn binary(cursor: &mut Cursor<'_>, level: usize) -> Read<Node> {
    let mut left = unary(cursor)?;
    loop {
        cursor.space()?;
        let next = LEVELS.iter().enumerate().skip(level).find_map(|(at, operators)| {
            let (sign, operator) = operators.iter().find(|(sign, _)| cursor.rest().starts_with(sign))?;
            Some((at, *sign, *operator))
        });
        let Some((at, sign, operator)) = next else { return Ok(left) };
        cursor.at += sign.len();
        cursor.space()?;
        cursor.enter()?;
        let right = binary(cursor, at + 1)?;
        cursor.leave();
        let height = left.height.max(right.height);
        left = cursor.node(height, Expression::Binary(operator, Box::new([left, right])))?;
    }
}

fn unary(cursor: &mut Cursor<'_>) -> Read<Node> {
    cursor.space()?;
    match (cursor.byte(), cursor.byte_after(1)) {
        (Some(b'!'), next) if next != Some(b'=') => {
            cursor.at += 1;
            cursor.enter()?;
            let of = unary(cursor)?;
            cursor.leave();
            cursor.node(of.height, Expression::Not(Box::new(of)))
        }
        (Some(b'-'), _) => {
            cursor.at += 1;
            cursor.enter()?;
            let of = unary(cursor)?;
            cursor.leave();
            cursor.node(of.height, Expression::Negative(Box::new(of)))
        }
        _ => postfix(cursor),
    }
}

fn postfix(cursor: &mut Cursor<'_>) -> Read<Node> {
    let base = primary(cursor)?;
    let (steps, height) = steps(cursor)?;
    if steps.is_empty() {
        return Ok(base);
    }
    let height = base.height.max(height);
    let what = match base.what {
        Expression::Traversal { root, .. } => Expression::Traversal { root, steps },
        _ => Expression::Within { of: Box::new(base), steps },
    };
    cursor.node(height, what)
}

/// Reads `.name`, `[index]` and splats, and gives how high the highest index is.
fn steps(cursor: &mut Cursor<'_>) -> Read<(Vec<Step>, usize)> {
    let mut steps = Vec::new();
    let mut height = 0;
    loop {
        let before = cursor.at;
        if cursor.brackets > 0 {
            cursor.space()?;
        }
        match (cursor.byte(), cursor.byte_after(1)) {
            // Three dots end the arguments of a call.
            (Some(b'.'), next) if next != Some(b'.') => {
                cursor.at += 1;
                steps.push(dotted_step(cursor)?);
            }
            (Some(b'['), _) => {
                cursor.at += 1;
                cursor.brackets += 1;
                cursor.space()?;
                let step = if cursor.byte() == Some(b'*') {
                    cursor.at += 1;
                    Step::EachItem
                } else {
                    let index = expression(cursor)?;
                    height = height.max(index.height);
                    Step::Index(index)
                };
                cursor.space()?;
                cursor.want(b']', "a closing bracket was expected")?;
                cursor.brackets -= 1;
                steps.push(step);
            }
            _ => {
                cursor.at = before;
                return Ok((steps, height));
            }
        }
    }
}

fn dotted_step(cursor: &mut Cursor<'_>) -> Read<Step> {
    cursor.space()?;
    if cursor.takes(b'*') {
        return Ok(Step::EachItemNames);
    }
    if let Some(name) = cursor.name() {
        return Ok(Step::Attribute(name.into()));
    }
    // The old way to write an index: `a.0.b`.
    let rest = cursor.rest();
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    match rest.get(..digits).and_then(|digits| digits.parse::<u32>().ok()) {
        Some(index) => {
            cursor.at += digits;
            Ok(Step::Index(Node::leaf(Expression::Number(f64::from(index)))))
        }
        None => Err(cursor.fault("a name was expected behind the dot")),
    }
}

fn primary(cursor: &mut Cursor<'_>) -> Read<Node> {
    match cursor.byte() {
        Some(b'"') => quoted(cursor),
        Some(b'<') => heredoc(cursor),
        Some(b'0'..=b'9') => number(cursor),
        Some(b'(') => {
            cursor.at += 1;
            let inner = bracketed(cursor, expression)?;
            cursor.want(b')', "a closing parenthesis was expected")?;
            // A name in parentheses is no longer the plain key of an object.
            let height = inner.height;
            cursor.node(height, Expression::Within { of: Box::new(inner), steps: Vec::new() })
        }
        Some(b'[') => tuple(cursor),
        Some(b'{') => object(cursor),
        _ => named(cursor),
    }
}

/// Reads with new lines as space, and the space behind.
fn bracketed<T>(cursor: &mut Cursor<'_>, read: impl FnOnce(&mut Cursor<'_>) -> Read<T>) -> Read<T> {
    cursor.brackets += 1;
    cursor.space()?;
    let value = read(cursor)?;
    cursor.space()?;
    cursor.brackets -= 1;
    Ok(value)
}

fn number(cursor: &mut Cursor<'_>) -> Read<Node> {
    let start = cursor.at;
    let digits = |cursor: &mut Cursor<'_>| {
        while matches!(cursor.byte(), Some(b'0'..=b'9')) {
            cursor.at += 1;
        }
    };
    digits(cursor);
    if cursor.byte() == Some(b'.') && matches!(cursor.byte_after(1), Some(b'0'..=b'9')) {
        cursor.at += 1;
        digits(cursor);
    }
    if matches!(cursor.byte(), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(cursor.byte_after(1), Some(b'+' | b'-')));
        if matches!(cursor.byte_after(1 + signed), Some(b'0'..=b'9')) {
            cursor.at += 1 + signed;
            digits(cursor);
        }
    }
    match cursor.slice(start, cursor.at).parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Node::leaf(Expression::Number(number))),
        _ => Err(cursor.fault("a number is too large")),
    }
}

fn named(cursor: &mut Cursor<'_>) -> Read<Node> {
    let Some(name) = cursor.name() else { return Err(cursor.fault("an expression was expected")) };
    let mut name = name.to_owned();
    // Functions of providers: `provider::aws::arn_parse`.
    while cursor.rest().starts_with("::") {
        cursor.at += 2;
        match cursor.name() {
            Some(part) => {
                name.push_str("::");
                name.push_str(part);
            }
            None => return Err(cursor.fault("a name was expected")),
        }
    }
    if cursor.takes(b'(') {
        return call(cursor, &name);
    }
    Ok(Node::leaf(match &*name {
        "null" => Expression::Null,
        "true" => Expression::Bool(true),
        "false" => Expression::Bool(false),
        _ => Expression::Traversal { root: name.into(), steps: Vec::new() },
    }))
}

fn call(cursor: &mut Cursor<'_>, name: &str) -> Read<Node> {
    let mut arguments: Vec<Node> = Vec::new();
    let mut spreads_last = false;
    cursor.brackets += 1;
    loop {
        cursor.space()?;
        if cursor.takes(b')') {
            break;
        }
        arguments.push(expression(cursor)?);
        cursor.space()?;
        if cursor.takes_text("...") {
            spreads_last = true;
            cursor.space()?;
        }
        if !cursor.takes(b',') {
            cursor.want(b')', "a comma or a closing parenthesis was expected")?;
            break;
        }
    }
    cursor.brackets -= 1;
    let height = arguments.iter().map(|node| node.height).max().unwrap_or(0);
    cursor.node(height, Expression::Call { name: name.into(), arguments, spreads_last })
}

fn tuple(cursor: &mut Cursor<'_>) -> Read<Node> {
    cursor.at += 1;
    cursor.brackets += 1;
    cursor.space()?;
    if cursor.takes_name("for") {
        let of = for_expression(cursor, false)?;
        cursor.space()?;
        cursor.want(b']', "a closing bracket was expected")?;
        cursor.brackets -= 1;
        return Ok(of);
    }
    let mut items: Vec<Node> = Vec::new();
    loop {
        cursor.space()?;
        if cursor.takes(b']') {
            break;
        }
        items.push(expression(cursor)?);
        cursor.space()?;
        if !cursor.takes(b',') {
            cursor.want(b']', "a comma or a closing bracket was expected")?;
            break;
        }
    }
    cursor.brackets -= 1;
    let height = items.iter().map(|node| node.height).max().unwrap_or(0);
    cursor.node(height, Expression::Tuple(items))
}

fn object(cursor: &mut Cursor<'_>) -> Read<Node> {
    cursor.at += 1;
    // In braces a new line ends an item, whatever brackets stand around.
    let around = std::mem::take(&mut cursor.brackets);
    cursor.space_and_lines()?;
    let before = cursor.at;
    if cursor.takes_name("for") {
        cursor.space_and_lines()?;
        if !matches!(cursor.byte(), Some(b'=' | b':')) {
            cursor.brackets = 1;
            let of = for_expression(cursor, true)?;
            cursor.space()?;
            cursor.want(b'}', "a closing brace was expected")?;
            cursor.brackets = around;
            return Ok(of);
        }
        cursor.at = before;
    }
    let items = object_items(cursor)?;
    cursor.brackets = around;
    let height = items.iter().map(|(key, value)| key.height.max(value.height)).max().unwrap_or(0);
    cursor.node(height, Expression::Object(items))
}

fn object_items(cursor: &mut Cursor<'_>) -> Read<Vec<(Node, Node)>> {
    let mut items: Vec<(Node, Node)> = Vec::new();
    loop {
        cursor.space_and_lines()?;
        if cursor.takes(b'}') {
            return Ok(items);
        }
        let key = object_key(expression(cursor)?);
        cursor.space()?;
        if !cursor.takes(b':') {
            cursor.want(b'=', "an equals sign was expected behind a key")?;
        }
        cursor.space_and_lines()?;
        items.push((key, expression(cursor)?));
        cursor.space()?;
        match cursor.byte() {
            Some(b',' | b'\n') => cursor.at += 1,
            Some(b'}') => {}
            _ => return Err(cursor.fault("a comma, a new line or a closing brace was expected")),
        }
    }
}

/// A key that is a bare word stands for itself.
fn object_key(key: Node) -> Node {
    match key.what {
        Expression::Traversal { root, steps } if steps.is_empty() => {
            Node::leaf(Expression::Text((&*root).into()))
        }
        Expression::Null => Node::leaf(Expression::Text("null".into())),
        Expression::Bool(value) => Node::leaf(Expression::Text(value.to_string().into())),
        what => Node { height: key.height, what },
    }
}

/// Reads what follows the word `for`.
fn for_expression(cursor: &mut Cursor<'_>, has_keys: bool) -> Read<Node> {
    let (key, value) = for_names(cursor)?;
    let of = expression(cursor)?;
    cursor.space()?;
    cursor.want(b':', "a colon was expected")?;
    cursor.space()?;
    let mut item_key = None;
    let mut item = expression(cursor)?;
    cursor.space()?;
    if has_keys {
        if !cursor.takes_text("=>") {
            return Err(cursor.fault("an arrow was expected behind a key"));
        }
        cursor.space()?;
        item_key = Some(std::mem::replace(&mut item, expression(cursor)?));
        cursor.space()?;
    }
    let groups = cursor.takes_text("...");
    cursor.space()?;
    let condition = if cursor.takes_name("if") {
        cursor.space()?;
        Some(expression(cursor)?)
    } else {
        None
    };
    let optional = |node: &Option<Node>| node.as_ref().map_or(0, |node| node.height);
    let height = of.height.max(item.height).max(optional(&item_key)).max(optional(&condition));
    cursor.node(height, Expression::For(Box::new(For { key, value, of, item_key, item, condition, groups })))
}

/// Reads `value in` or `key, value in`, and the space behind.
pub(super) fn for_names(cursor: &mut Cursor<'_>) -> Read<(Option<Box<str>>, Box<str>)> {
    let one = for_name(cursor)?;
    let names = if cursor.takes(b',') {
        let value = for_name(cursor)?;
        (Some(one), value)
    } else {
        (None, one)
    };
    if !cursor.takes_name("in") {
        return Err(cursor.fault("the word in was expected"));
    }
    cursor.space()?;
    Ok(names)
}

fn for_name(cursor: &mut Cursor<'_>) -> Read<Box<str>> {
    cursor.space()?;
    let Some(name) = cursor.name() else { return Err(cursor.fault("a name was expected")) };
    cursor.space()?;
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_HCL_HEIGHT;

    fn read(text: &str) -> Result<Node, InputError> {
        let mut cursor = Cursor::new(text);
        let node = expression(&mut cursor)?;
        cursor.space_and_lines()?;
        if cursor.byte().is_some() {
            return Err(cursor.fault("something follows"));
        }
        Ok(node)
    }

    /// The tree in brackets, as far as operators go.
    fn tree(node: &Node) -> String {
        match &node.what {
            Expression::Number(number) => number.to_string(),
            Expression::Bool(value) => value.to_string(),
            Expression::Binary(operator, sides) => {
                format!("({operator:?} {} {})", tree(&sides[0]), tree(&sides[1]))
            }
            Expression::Not(of) => format!("!{}", tree(of)),
            Expression::Negative(of) => format!("-{}", tree(of)),
            Expression::Conditional(parts) => {
                format!("({} ? {} : {})", tree(&parts[0]), tree(&parts[1]), tree(&parts[2]))
            }
            Expression::Within { of, .. } => tree(of),
            Expression::Traversal { root, steps } => format!("{root}+{}", steps.len()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn operators_bind_as_they_should() {
        for (text, expected) in [
            ("1 + 2 * 3", "(Add 1 (Multiply 2 3))"),
            ("1 - 2 - 3", "(Subtract (Subtract 1 2) 3)"),
            ("a || b && !c", "(Or a+0 (And b+0 !c+0))"),
            ("1 < 2 == true", "(Equal (Less 1 2) true)"),
            ("(1 + 2) * -3", "(Multiply (Add 1 2) -3)"),
            ("a ? 1 : b ? 2 : 3", "(a+0 ? 1 : (b+0 ? 2 : 3))"),
            ("a.b[0].*.c", "a+4"),
            ("a.0.b", "a+2"),
            ("a-b.c", "a-b+1"),
            ("1.5e3", "1500"),
        ] {
            assert_eq!(tree(&read(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn collections_calls_and_loops() {
        for text in [
            "[1, 2,\n 3,\n]",
            "{\n a = 1\n \"b\" : 2, c = [\n1]\n (d) = 3 }",
            "f(1,\n [for x in y : x.z if x != null]...)",
            "{ for k, v in m : k => v... if v }",
            "{ for = 1, null = 2, true = 3 }",
            "[for k, v in { a = 1 } :\n k\n if v > 0]",
            "provider::aws::arn_parse(x)",
            "f({\n a = b\n})",
            "\"x ${ f(\"y ${z}\") } w\"",
            "(a\n ? b\n : c)",
            "[a\n && b]",
            "a.b\n",
        ] {
            assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        }
        for text in
            ["[1 2]", "{a 1}", "f(1", "a.", "a[", "a ? b", "[for x y : z]", "{for k in m : k}", "", "=", "<x"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn heights_at_the_limit_and_one_past() {
        let sum = |terms: usize| vec!["1"; terms].join(" + ");
        assert_eq!(read(&sum(MAX_HCL_HEIGHT)).unwrap().height, MAX_HCL_HEIGHT);
        assert!(read(&sum(MAX_HCL_HEIGHT + 1)).is_err());
        for text in ["(", "[", "{a=", "!", "-", "f(", "\"${", "a[", "1 ? 1 : ", "<<A\n${"] {
            assert!(read(&text.repeat(100_000)).is_err(), "{text}");
        }
    }
}
