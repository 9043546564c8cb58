//! Reads texts with templates in them: in quotes, in heredocs, and in whole files.

use super::cursor::Cursor;
use super::expression_parser::{expression, for_names};
use super::syntax::{Expression, Node, Part};
use crate::input_error::InputError;

type Read<T> = Result<T, InputError>;

/// Reads a text in quotes that must hold no template, such as a label.
pub(super) fn quoted_text(cursor: &mut Cursor<'_>) -> Read<String> {
    match quoted(cursor)?.what {
        Expression::Text(text) => Ok((*text).to_owned()),
        _ => Err(cursor.fault("a plain text was expected")),
    }
}

/// Reads a text in quotes.
pub(super) fn quoted(cursor: &mut Cursor<'_>) -> Read<Node> {
    cursor.at += 1;
    let parts = Template { cursor, ends: Ends::Quote }.read()?;
    cursor.want(b'"', "a text has no end")?;
    unwrapped(cursor, parts)
}

/// Reads a whole text as a template.
pub(super) fn whole_template(text: &str) -> Read<Node> {
    let mut cursor = Cursor::new(text);
    let parts = Template { cursor: &mut cursor, ends: Ends::Text }.read()?;
    unwrapped(&mut cursor, parts)
}

/// Reads `<<NAME` up to the line that says `NAME`.
pub(super) fn heredoc(cursor: &mut Cursor<'_>) -> Read<Node> {
    if !cursor.takes_text("<<") {
        return Err(cursor.fault("an expression was expected"));
    }
    let is_indented = cursor.takes(b'-');
    let Some(name) = cursor.name() else { return Err(cursor.fault("the name of a heredoc was expected")) };
    cursor.takes(b'\r');
    cursor.want(b'\n', "a new line was expected behind the name of a heredoc")?;
    let (length, end) =
        heredoc_end(cursor.rest(), name).ok_or_else(|| cursor.fault("a heredoc has no end"))?;
    let start = cursor.at;
    let text = cursor.slice(start, start + length);
    let folded = if is_indented { without_indent(text) } else { text.to_owned() };
    // Lines within the heredoc are counted from its own beginning: faults tell where it begins.
    let node = whole_heredoc(cursor.within(&folded)).map_err(|fault| match fault {
        InputError::NotHcl { what, .. } => cursor.fault(what),
        other => other,
    })?;
    cursor.at = start + end;
    cursor.node(node.height, node.what)
}

fn whole_heredoc(mut cursor: Cursor<'_>) -> Read<Node> {
    let parts = Template { cursor: &mut cursor, ends: Ends::Text }.read()?;
    let height = height_of(&parts);
    match as_plain(&parts) {
        Some(text) => Ok(Node::leaf(Expression::Text(text))),
        None => cursor.node(height, Expression::Template(parts)),
    }
}

/// How long the text before the closing line is, and where that line ends.
fn heredoc_end(text: &str, name: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim() == name {
            let indent = line.len() - line.trim_start().len();
            return Some((at, at + indent + name.len()));
        }
        at += line.len();
    }
    None
}

/// Takes away the indent that all lines have. As in Terraform, a line whose own indent is trimmed has
/// none, and a line behind a trimmed new line is no line of its own.
fn without_indent(text: &str) -> String {
    let mut begins = true;
    let lines: Vec<(&str, bool)> = text
        .split_inclusive('\n')
        .map(|line| (line, std::mem::replace(&mut begins, !line.trim_end().ends_with("~}"))))
        .collect();
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let counted = lines.iter().filter(|(line, begins)| *begins && !line.trim().is_empty());
    let spaces = counted.map(|(line, _)| {
        let is_trimmed = line.trim_start().starts_with("${~") || line.trim_start().starts_with("%{~");
        if is_trimmed { 0 } else { indent(line) }
    });
    let least = spaces.min().unwrap_or(0);
    let cut = |(line, begins): &(&str, bool)| {
        let from = if *begins { least.min(indent(line)) } else { 0 };
        line.get(from..).unwrap_or_default().to_owned()
    };
    lines.iter().map(cut).collect()
}

/// A template that is only text is a text; one that is only a value is that value.
fn unwrapped(cursor: &mut Cursor<'_>, mut parts: Vec<Part>) -> Read<Node> {
    if let Some(text) = as_plain(&parts) {
        return Ok(Node::leaf(Expression::Text(text)));
    }
    let height = height_of(&parts);
    match parts.pop() {
        Some(Part::Value(node)) if parts.is_empty() => {
            cursor.node(height, Expression::Within { of: Box::new(node), steps: Vec::new() })
        }
        Some(last) => {
            parts.push(last);
            cursor.node(height, Expression::Template(parts))
        }
        None => Ok(Node::leaf(Expression::Text("".into()))),
    }
}

fn as_plain(parts: &[Part]) -> Option<std::rc::Rc<str>> {
    match parts {
        [] => Some("".into()),
        [Part::Text(text)] => Some(text.clone()),
        _ => None,
    }
}

fn height_of(parts: &[Part]) -> usize {
    let height = |part: &Part| match part {
        Part::Text(_) => 1,
        Part::Value(node) => node.height,
        Part::If { condition, then, otherwise } => {
            condition.height.max(1 + height_of(then)).max(1 + height_of(otherwise))
        }
        Part::For { of, parts, .. } => of.height.max(1 + height_of(parts)),
    };
    parts.iter().map(height).max().unwrap_or(0)
}

/// What ends a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// A quote; backslashes escape.
    Quote,
    /// The end of the text.
    Text,
}

struct Template<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    ends: Ends,
}

/// Parts up to what ended them.
struct Run {
    parts: Vec<Part>,
    stop: Stop,
    /// Space behind what ended them is trimmed.
    trims_next: bool,
}

/// What ended a run of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
    EndIf,
    EndFor,
}

impl Template<'_, '_> {
    fn read(mut self) -> Read<Vec<Part>> {
        // Within the quotes nothing of the brackets around counts.
        let around = std::mem::take(&mut self.cursor.brackets);
        let run = self.parts(false)?;
        self.cursor.brackets = around;
        if run.stop == Stop::End {
            Ok(run.parts)
        } else {
            Err(self.cursor.fault("a template directive stands alone"))
        }
    }

    /// Reads parts up to the end, or to a directive that ends them.
    fn parts(&mut self, trims_first: bool) -> Read<Run> {
        self.cursor.enter()?;
        let mut run = Run { parts: Vec::new(), stop: Stop::End, trims_next: trims_first };
        loop {
            let mut text = String::new();
            let goes_on = self.plain(&mut text)?;
            if run.trims_next {
                text = self.without_space_before(&text);
            }
            let is_value = self.cursor.byte() == Some(b'$');
            if goes_on {
                self.cursor.at += 2;
                if self.cursor.takes(b'~') {
                    self.cut_space_behind(&mut text);
                }
            }
            if !text.is_empty() {
                run.parts.push(Part::Text(text.into()));
            }
            if !goes_on {
                break;
            }
            self.cursor.brackets = 1;
            self.cursor.space()?;
            if is_value {
                let value = expression(self.cursor)?;
                run.trims_next = self.close()?;
                run.parts.push(Part::Value(value));
            } else if self.directive(&mut run)? {
                break;
            }
        }
        self.cursor.leave();
        Ok(run)
    }

    /// Space before a text is trimmed on its first line only, the end of that line with it.
    fn without_space_before(&self, text: &str) -> String {
        let end = if self.ends == Ends::Quote { None } else { text.find('\n').map(|at| at + 1) };
        let (first, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""));
        format!("{}{rest}", first.trim_start())
    }

    /// Space behind a text is trimmed on its last line only; if that is empty, its beginning with it.
    fn cut_space_behind(&self, text: &mut String) {
        let trimmed = text.trim_end().len();
        let lines = text.strip_suffix('\n').unwrap_or(text);
        let start = if self.ends == Ends::Quote { None } else { lines.rfind('\n').map(|at| at + 1) };
        text.truncate(trimmed.max(start.unwrap_or(0)));
    }

    /// Takes the brace that ends an interpolation, and says whether space behind it is trimmed.
    fn close(&mut self) -> Read<bool> {
        self.cursor.space()?;
        let trims = self.cursor.takes(b'~');
        self.cursor.want(b'}', "a template has no end")?;
        self.cursor.brackets = 0;
        Ok(trims)
    }

    /// Reads one directive, and says whether it ends the run.
    fn directive(&mut self, run: &mut Run) -> Read<bool> {
        match self.cursor.name().unwrap_or_default() {
            "if" => {
                self.cursor.space()?;
                let condition = expression(self.cursor)?;
                let trims = self.close()?;
                let then = self.parts(trims)?;
                let mut otherwise = Run { parts: Vec::new(), ..then };
                if then.stop == Stop::Else {
                    otherwise = self.parts(then.trims_next)?;
                }
                if otherwise.stop != Stop::EndIf {
                    return Err(self.cursor.fault("a condition of a template has no end"));
                }
                run.trims_next = otherwise.trims_next;
                run.parts.push(Part::If { condition, then: then.parts, otherwise: otherwise.parts });
                return Ok(false);
            }
            "for" => {
                let (key, value) = for_names(self.cursor)?;
                let of = expression(self.cursor)?;
                let trims = self.close()?;
                let inner = self.parts(trims)?;
                if inner.stop != Stop::EndFor {
                    return Err(self.cursor.fault("a loop of a template has no end"));
                }
                run.trims_next = inner.trims_next;
                run.parts.push(Part::For { key, value, of, parts: inner.parts });
                return Ok(false);
            }
            "else" => run.stop = Stop::Else,
            "endif" => run.stop = Stop::EndIf,
            "endfor" => run.stop = Stop::EndFor,
            _ => return Err(self.cursor.fault("a template directive is not known")),
        }
        run.trims_next = self.close()?;
        Ok(true)
    }

    /// Reads text up to the next template or to the end; says whether a template follows.
    fn plain(&mut self, text: &mut String) -> Read<bool> {
        loop {
            let rest = self.cursor.rest();
            let stops: &[char] =
                if self.ends == Ends::Quote { &['"', '\\', '$', '%', '\n'] } else { &['$', '%'] };
            let length = rest.find(stops).unwrap_or(rest.len());
            text.push_str(rest.get(..length).unwrap_or_default());
            self.cursor.at += length;
            match self.cursor.byte() {
                None if self.ends == Ends::Quote => return Err(self.cursor.fault("a text has no end")),
                None | Some(b'"') => return Ok(false),
                Some(b'\n') => return Err(self.cursor.fault("a text goes over the end of its line")),
                Some(b'\\') => {
                    self.cursor.at += 1;
                    text.push(self.escape()?);
                }
                Some(sign) => {
                    let sign = char::from(sign);
                    // Written twice it begins no template.
                    if self.cursor.byte_after(1) == self.cursor.byte()
                        && self.cursor.byte_after(2) == Some(b'{')
                    {
                        text.push(sign);
                        text.push('{');
                        self.cursor.at += 3;
                    } else if self.cursor.byte_after(1) == Some(b'{') {
                        return Ok(true);
                    } else {
                        text.push(sign);
                        self.cursor.at += 1;
                    }
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let letter = self.cursor.byte();
        self.cursor.at += 1;
        let digits = match letter {
            Some(b'n') => return Ok('\n'),
            Some(b'r') => return Ok('\r'),
            Some(b't') => return Ok('\t'),
            Some(b'"') => return Ok('"'),
            Some(b'\\') => return Ok('\\'),
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => {
                self.cursor.at -= 1;
                return Err(self.cursor.fault("an escape is not known"));
            }
        };
        let code = self.cursor.slice(self.cursor.at, self.cursor.at + digits);
        let is_hex = code.len() == digits && code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let letter = u32::from_str_radix(code, 16).ok().filter(|_| is_hex).and_then(char::from_u32);
        let letter = letter.ok_or_else(|| self.cursor.fault("an escape is no letter"))?;
        self.cursor.at += digits;
        Ok(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let node = whole_template(text).unwrap();
        let Expression::Template(parts) = node.what else { panic!("{text}: {:?}", node.what) };
        let word = |part: &Part| match part {
            Part::Text(text) => format!("{text:?}"),
            Part::Value(_) => "value".to_owned(),
            Part::If { then, otherwise, .. } => format!("if {} {}", then.len(), otherwise.len()),
            Part::For { parts, .. } => format!("for {}", parts.len()),
        };
        parts.iter().map(word).collect()
    }

    #[test]
    fn parts_of_a_template() {
        assert_eq!(parts("a ${b} c"), ["\"a \"", "value", "\" c\""]);
        assert_eq!(parts("a ${~ b ~} c"), ["\"a\"", "value", "\"c\""]);
        assert_eq!(parts("x%{ if a }1%{ else }${b}2%{ endif }"), ["\"x\"", "if 1 2"]);
        assert_eq!(parts("x%{ for k, v in m ~} a %{ endfor ~} y"), ["\"x\"", "for 1", "\"y\""]);
    }

    #[test]
    fn signs_that_begin_no_template() {
        let text = |text| whole_template(text).unwrap().as_text().map(str::to_owned);
        assert_eq!(text("$${a} %%{b} $5 100%").as_deref(), Some("${a} %{b} $5 100%"));
        let mut cursor = Cursor::new("\"a\\n\\\"\\u00e9\\U0001f3e5\" rest");
        assert_eq!(quoted_text(&mut cursor).unwrap(), "a\n\"é🏥");
        assert_eq!(cursor.rest(), " rest");
    }

    #[test]
    fn heredocs_end_where_their_name_stands_alone() {
        let mut cursor = Cursor::new("<<-EOT\n    a EOT\n      b\n    EOT\nrest");
        assert_eq!(heredoc(&mut cursor).unwrap().as_text(), Some("a EOT\n  b\n"));
        assert_eq!(cursor.rest(), "\nrest");
        assert!(heredoc(&mut Cursor::new("<<EOT\n a\n")).is_err());
    }

    #[test]
    fn space_is_trimmed_up_to_the_end_of_its_line() {
        assert_eq!(parts("a\n  ${~ b ~}  \n  c"), ["\"a\\n\"", "value", "\"  c\""]);
        assert_eq!(parts("a \n${~ b ~} c"), ["\"a\"", "value", "\"c\""]);
        assert_eq!(without_indent("  a\n    b\n\n"), "a\n  b\n\n");
        assert_eq!(without_indent("  a\n  ${~ b}\n"), "  a\n  ${~ b}\n");
        assert_eq!(without_indent("    a ~}\n  b\n    c\n"), "a ~}\n  b\nc\n");
    }

    #[test]
    fn what_has_no_end_is_told() {
        for text in ["${a", "%{ if a }x", "%{ endif }", "%{ for a in b }", "%{ else }", "%{ while }", "${"] {
            assert!(whole_template(text).is_err(), "{text}");
        }
    }
}
