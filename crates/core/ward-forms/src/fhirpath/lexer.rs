//! Cuts the text of an expression into tokens.
//!
//! Source: FHIRPath 2.0, appendix B (grammar).

use super::error::{ExpressionError, ExpressionProblem};
use super::temporal::Temporal;

/// The variable that holds the pattern of postal codes of the United States.
const ZIP_CODES: &str = "us-zip";

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word: a name or a keyword.
    Word(String),
    /// A name in backticks.
    Name(String),
    Text(String),
    /// Digits, or digits with a fraction.
    Number(String),
    Temporal(Temporal),
    /// `%name`.
    Variable(String),
    /// `$this`, `$index` or `$total`, without the sign.
    Special(String),
    Symbol(&'static str),
    End,
}

impl Token {
    /// The token in words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Name(name) => format!("`{name}`"),
            Self::Text(_) => "a string".to_owned(),
            Self::Number(number) => number.clone(),
            Self::Temporal(value) => format!("@{value}"),
            Self::Variable(name) => format!("%{name}"),
            Self::Special(name) => format!("${name}"),
            Self::Symbol(symbol) => (*symbol).to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A token and the byte where it begins.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) position: usize,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 24] = [
    "<=", ">=", "!=", "!~", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "&", "|", "=", "~",
    "<", ">", "@", "$",
];

/// All tokens of the text, with [`Token::End`] last.
pub(super) fn tokens(source: &str) -> Result<Vec<Placed>, ExpressionError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip_space()?;
        let position = lexer.at;
        let token = lexer.next().map_err(|problem| ExpressionError::new(position, problem))?;
        let is_end = token == Token::End;
        found.push(Placed { token, position });
        if is_end {
            return Ok(found);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes the longest run of characters that the test accepts.
    fn run(&mut self, accepts: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !accepts(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn skip_space(&mut self) -> Result<(), ExpressionError> {
        loop {
            self.run(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{feff}' | '\u{a0}'));
            if self.rest().starts_with("//") {
                self.run(|c| c != '\n' && c != '\r');
            } else if self.rest().starts_with("/*") {
                let Some(end) = self.rest().find("*/") else {
                    let problem = ExpressionProblem::NotClosed { what: "a comment" };
                    return Err(ExpressionError::new(self.at, problem));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Token, ExpressionProblem> {
        let Some(c) = self.peek() else { return Ok(Token::End) };
        match c {
            '\'' => self.quoted('\'', "a string").map(Token::Text),
            '`' => self.quoted('`', "a name in backticks").map(Token::Name),
            '0'..='9' => Ok(Token::Number(self.number())),
            '@' => self.temporal(),
            '%' => self.variable(),
            '$' => {
                self.advance();
                Ok(Token::Special(self.run(is_word).to_owned()))
            }
            c if is_word(c) => Ok(Token::Word(self.run(is_word).to_owned())),
            c => {
                let symbol = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
                let Some(symbol) = symbol else {
                    return Err(ExpressionProblem::Unexpected {
                        expected: "an expression",
                        found: c.to_string(),
                    });
                };
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
        }
    }

    fn number(&mut self) -> String {
        let mut text = self.run(|c| c.is_ascii_digit()).to_owned();
        let mut after = self.rest().chars();
        // `1.toString()` is a call on an integer.
        if after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            self.advance();
            text.push('.');
            text.push_str(self.run(|c| c.is_ascii_digit()));
        }
        text
    }

    fn variable(&mut self) -> Result<Token, ExpressionProblem> {
        self.advance();
        let name = match self.peek() {
            Some('`') => self.quoted('`', "a name in backticks")?,
            Some(quote @ ('\'' | '"')) => self.quoted(quote, "a name in quotes")?,
            // The one name of FHIR with a hyphen that stands without quotes.
            _ if self.rest().starts_with(ZIP_CODES) => {
                self.at += ZIP_CODES.len();
                ZIP_CODES.to_owned()
            }
            _ => self.run(is_word).to_owned(),
        };
        if name.is_empty() {
            return Err(ExpressionProblem::Unexpected {
                expected: "a name after %",
                found: "none".to_owned(),
            });
        }
        Ok(Token::Variable(name))
    }

    /// `@2015`, `@2015-02-04T14:34:28.123+10:00`, `@T14:34`.
    fn temporal(&mut self) -> Result<Token, ExpressionProblem> {
        let start = self.at;
        self.advance();
        let is_time = self.peek() == Some('T');
        if !is_time {
            self.digits();
            for _ in 0..2 {
                if self.is_part_next('-') {
                    self.advance();
                    self.digits();
                }
            }
        }
        let has_time = self.peek() == Some('T');
        if has_time {
            self.advance();
            self.clock();
            if !is_time {
                self.zone();
            }
        }
        let text = self.source.get(start + 1..self.at).unwrap_or("");
        let value = if let Some(time) = text.strip_prefix('T') {
            Temporal::time(time)
        } else if has_time {
            Temporal::date_time(text)
        } else {
            Temporal::date(text)
        };
        value.map(Token::Temporal).ok_or_else(|| ExpressionProblem::BadTemporal { text: format!("@{text}") })
    }

    fn digits(&mut self) {
        self.run(|c| c.is_ascii_digit());
    }

    /// Whether the mark is followed by a digit, so that `@T14.hour` and `@2015 - 1 year` end early.
    fn is_part_next(&self, mark: char) -> bool {
        let mut after = self.rest().chars();
        after.next() == Some(mark) && after.next().is_some_and(|c| c.is_ascii_digit())
    }

    fn clock(&mut self) {
        self.digits();
        for _ in 0..2 {
            if self.is_part_next(':') {
                self.advance();
                self.digits();
            }
        }
        if self.is_part_next('.') {
            self.advance();
            self.digits();
        }
    }

    fn zone(&mut self) {
        if self.peek() == Some('Z') {
            self.advance();
        } else if self.is_part_next('+') || self.is_part_next('-') {
            self.advance();
            self.digits();
            if self.is_part_next(':') {
                self.advance();
                self.digits();
            }
        }
    }

    fn quoted(&mut self, quote: char, what: &'static str) -> Result<String, ExpressionProblem> {
        self.advance();
        let mut text = String::new();
        loop {
            let plain = self.run(|c| c != quote && c != '\\');
            text.push_str(plain);
            match self.advance() {
                None => return Err(ExpressionProblem::NotClosed { what }),
                Some(c) if c == quote => return Ok(text),
                Some(_) => text.push(self.escape(what)?),
            }
        }
    }

    fn escape(&mut self, what: &'static str) -> Result<char, ExpressionProblem> {
        match self.advance().ok_or(ExpressionProblem::NotClosed { what })? {
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'f' => Ok('\u{c}'),
            'u' => self.unicode(),
            c @ ('\'' | '"' | '`' | '\\' | '/') => Ok(c),
            _ => Err(ExpressionProblem::BadEscape),
        }
    }

    fn unicode(&mut self) -> Result<char, ExpressionProblem> {
        let first = self.hex4()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        // A character beyond the basic plane is written as two halves.
        if !(0xd800..0xdc00).contains(&first) || !self.rest().starts_with("\\u") {
            return Err(ExpressionProblem::BadEscape);
        }
        self.at += 2;
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(ExpressionProblem::BadEscape);
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).ok_or(ExpressionProblem::BadEscape)
    }

    fn hex4(&mut self) -> Result<u32, ExpressionProblem> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or(ExpressionProblem::BadEscape)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| ExpressionProblem::BadEscape)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
