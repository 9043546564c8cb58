//! Pages of HTML: everything that a person wrote is escaped here, and a page can name nothing
//! outside itself.

use std::fmt::{Display, Write as _};

/// What keeps a page readable on a narrow screen and on paper. Text on background has a contrast
/// of at least 7 : 1 (WCAG 2.2, 1.4.6); nothing is said by colour alone.
const STYLE: &str = "\
:root{color-scheme:light}*{box-sizing:border-box}\
body{font:1.05rem/1.55 system-ui,sans-serif;color:#16181d;background:#fff;margin:0 auto;max-width:48rem;padding:1rem}\
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.3rem;margin-top:2.2rem;border-bottom:2px solid #16181d;padding-bottom:.2rem}\
h3{font-size:1.1rem;margin:1.6rem 0 .3rem}p,li,td,th,bdi{overflow-wrap:anywhere}td bdi,li bdi,p bdi{white-space:pre-line}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}caption{text-align:left;font-weight:600;padding:.3rem 0}\
th,td{text-align:left;vertical-align:top;padding:.4rem .5rem;border-bottom:1px solid #6b7280}thead th{border-bottom:2px solid #16181d}\
.aside{color:#3a3f4a}.warn{border-left:.35rem solid #8a3b00;padding:.2rem .8rem;background:#fff6ec}code{overflow-wrap:anywhere}\
@media (max-width:24rem){body{padding:.6rem}th,td{padding:.3rem .25rem}}\
@media print{body{max-width:none;padding:0;font-size:10.5pt}h2,h3,caption{break-after:avoid}tr{break-inside:avoid}.warn{background:none}}";

/// Text for HTML, in elements and in quoted attributes. Control characters other than tab and line
/// ends have no meaning in HTML and become U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            '\r' => out.push('\n'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// What stands in a cell.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Ward's own words.
    Own(String),
    /// Somebody's words: set apart, so that their writing direction does not change what stands
    /// around them.
    Said(String),
}

impl Cell {
    pub(super) fn own(text: impl Into<String>) -> Self {
        Self::Own(text.into())
    }

    pub(super) fn said(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }

    fn html(&self) -> String {
        match self {
            Self::Own(text) => escaped(text),
            Self::Said(text) => said(text),
        }
    }
}

/// Somebody's words within a sentence.
pub(super) fn said(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(text))
}

/// A page while it is written.
pub(super) struct Page(String);

impl Page {
    /// A page in English. It allows no script and nothing from elsewhere, even if a text got
    /// through.
    pub(super) fn new(title: &str) -> Self {
        let title = escaped(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        ))
    }

    pub(super) fn heading(&mut self, level: u8, text: &str) {
        self.line(format_args!("<h{level}>{}</h{level}>", escaped(text)));
    }

    /// A paragraph of Ward's own words.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.line(format_args!("<p>{}</p>", escaped(text)));
    }

    /// A paragraph of markup that was made here.
    pub(super) fn paragraph_of(&mut self, class: &str, html: &str) {
        self.line(format_args!("<p class=\"{class}\">{html}</p>"));
    }

    /// A list of markup that was made here; `ol` or `ul`.
    pub(super) fn list(&mut self, tag: &str, items: &[String]) {
        self.line(format_args!("<{tag}>"));
        for item in items {
            self.line(format_args!("<li>{item}</li>"));
        }
        self.line(format_args!("</{tag}>"));
    }

    /// A table. The first cell of a row names the row.
    pub(super) fn table(&mut self, caption: &str, heads: &[&str], rows: &[Vec<Cell>]) {
        self.line(format_args!("<table>\n<caption>{}</caption>\n<thead><tr>", escaped(caption)));
        for head in heads {
            self.line(format_args!("<th scope=\"col\">{}</th>", escaped(head)));
        }
        self.line(format_args!("</tr></thead>\n<tbody>"));
        for row in rows {
            self.0.push_str("<tr>");
            for (place, cell) in row.iter().enumerate() {
                let (open, close) =
                    if place == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
                self.0.push_str(&[open, &cell.html(), close].concat());
            }
            self.line(format_args!("</tr>"));
        }
        self.line(format_args!("</tbody>\n</table>"));
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</main>\n</body>\n</html>\n");
        self.0
    }

    fn line(&mut self, html: impl Display) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "{html}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let hostile = "</td><script>alert('x')</script><img src=\"http://x\" onerror=\"y\">&lt;\u{0}\u{1b}";
        let shown = escaped(hostile);
        assert!(!shown.contains(['<', '>', '"', '\'', '\u{0}', '\u{1b}']));
        assert!(shown.contains("&amp;lt;\u{fffd}\u{fffd}"));
        assert_eq!(escaped("a\r\nb"), "a\n\nb");
    }

    #[test]
    fn the_first_cell_names_the_row() {
        let mut page = Page::new("T <b>");
        page.table("C", &["A", "B"], &[vec![Cell::own("a<"), Cell::said("\u{202e}b")]]);
        let html = page.finish();
        assert!(html.contains("<title>T &lt;b&gt;</title>"));
        assert!(html.contains("<tr><th scope=\"row\">a&lt;</th><td><bdi>\u{202e}b</bdi></td></tr>"));
        assert!(html.contains("<th scope=\"col\">A</th>"));
    }
}
