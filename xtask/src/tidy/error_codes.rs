//! Every code that a person may see has a page, and every page a code.
//!
//! A code is written out, or it is a number in a table: in a file that writes numbers as codes
//! (`"WARD-{:04}"`, or `stringify!` after the prefix), each `= 1001,` and each `, 1001,` is one.

use super::Finding;
use crate::source_tree::SourceTree;
use std::collections::BTreeMap;

const PREFIX: &str = "WARD-";
const FOLDER: &str = "docs/errors/";
const INDEX: &str = "docs/errors/README.md";
const TABLE_MARKS: [&str; 2] = ["\"WARD-{:04}\"", "WARD-\", stringify!("];
const HEADINGS: [&str; 3] = ["## What happened", "## Why", "## What to do"];

/// Codes in shipped code against pages, both ways; each page has its headings and is in the index.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let used = codes_in_code(tree);
    for (code, (path, line)) in &used {
        let page = format!("{FOLDER}{code}.md");
        if tree.file(&page).is_none() {
            findings.push(Finding::new(path, *line, format!("{code} has no page: write {page}")));
        }
    }
    let pages = tree.files.iter().filter_map(|file| {
        let code = file.path.strip_prefix(FOLDER)?.strip_suffix(".md")?;
        code.starts_with(PREFIX).then_some((code, file))
    });
    let index = tree.file(INDEX).map(|file| file.text.as_str());
    for (code, page) in pages {
        let mut wrong = |message: String| findings.push(Finding::new(&page.path, 0, message));
        if !used.contains_key(code) {
            wrong(format!("no code uses {code}: remove the page, or the code lost its error"));
        }
        if !page.text.starts_with(&format!("# {code}")) {
            wrong(format!("begin with `# {code}`"));
        }
        for heading in
            HEADINGS.iter().filter(|heading| !page.text.lines().any(|line| line.trim_end() == **heading))
        {
            wrong(format!("has no `{heading}`"));
        }
        if !index.is_some_and(|index| index.contains(code)) {
            wrong(format!("{INDEX} does not list {code}"));
        }
    }
    if let Some(index) = index {
        for (number, line) in index.lines().enumerate() {
            if let Some(code) = codes_in(line).find(|code| !used.contains_key(*code)) {
                findings.push(Finding::new(INDEX, number + 1, format!("lists {code}, which no code uses")));
            }
        }
    }
    findings
}

/// Each code with the first place that names it.
fn codes_in_code(tree: &SourceTree) -> BTreeMap<String, (String, usize)> {
    let mut codes = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with("crates/") && !file.is_test) {
        let Some(rust) = &file.rust else { continue };
        let has_table = TABLE_MARKS.iter().any(|mark| file.text.contains(mark));
        for (index, (raw, line)) in file.text.lines().zip(&rust.lines).enumerate() {
            if line.is_test {
                continue;
            }
            // Codes that are written out stand in texts, so the raw line is read.
            let mut found: Vec<String> = codes_in(raw).map(Into::into).collect();
            if has_table {
                found.extend(table_number(&line.code).map(|number| format!("{PREFIX}{number}")));
            }
            for code in found {
                codes.entry(code).or_insert_with(|| (file.path.clone(), index + 1));
            }
        }
    }
    codes
}

/// The number of a row: four digits between `=` or `,` and `,`.
fn table_number(code: &str) -> Option<&str> {
    code.split_inclusive(['=', ',']).zip(code.split_inclusive(['=', ',']).skip(1)).find_map(
        |(before, part)| {
            let number = part.trim().strip_suffix(',')?;
            let is_code = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
            (is_code && !before.is_empty()).then_some(number)
        },
    )
}

/// `WARD-` and four digits, not more.
fn codes_in(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices(PREFIX).filter_map(move |(at, _)| {
        let code = line.get(at..at + PREFIX.len() + 4)?;
        let after = line.get(at + code.len()..)?.chars().next();
        let digits = code.strip_prefix(PREFIX)?;
        (digits.bytes().all(|byte| byte.is_ascii_digit())
            && !after.is_some_and(|c| c.is_ascii_alphanumeric()))
        .then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    const CODE: (&str, &str) = ("crates/a/src/x.rs", "const CODE: &str = \"WARD-0101\";\n");
    const PAGE: &str = "# WARD-0101: late\n\n## What happened\na\n## Why\nb\n## What to do\nc\n";
    const LIST: (&str, &str) = (INDEX, "- [WARD-0101](WARD-0101.md)\n");

    #[test]
    fn code_page_and_index_agree() {
        assert!(check(&SourceTree::of(&[CODE, ("docs/errors/WARD-0101.md", PAGE), LIST])).is_empty());
    }

    #[test]
    fn a_code_without_a_page_is_found() {
        let findings = messages(&check(&SourceTree::of(&[CODE])));
        assert_eq!(findings, ["crates/a/src/x.rs:1: WARD-0101 has no page: write docs/errors/WARD-0101.md"]);
    }

    #[test]
    fn a_page_without_a_code_a_heading_or_an_entry_is_found() {
        let page = ("docs/errors/WARD-0101.md", PAGE);
        assert_eq!(check(&SourceTree::of(&[page, LIST])).len(), 2);
        assert_eq!(check(&SourceTree::of(&[CODE, page])).len(), 1);
        let without_why = PAGE.replace("## Why\n", "");
        assert_eq!(
            check(&SourceTree::of(&[CODE, ("docs/errors/WARD-0101.md", &without_why), LIST])).len(),
            1
        );
    }

    #[test]
    fn a_table_of_numbers_is_read_where_numbers_are_written_as_codes() {
        let rows = "codes! {\n    Late = 0101, 409, App, \"1, 2345, x\";\n}\nconst T: &[(&str, u16)] = &[(\"Old\", 0102, x)];\n";
        let writes = format!("{rows}fn f() {{ write!(f, \"WARD-{{:04}}\", 1) }}\n");
        let codes = codes_in_code(&SourceTree::of(&[("crates/a/src/x.rs", &writes)]));
        assert_eq!(codes.keys().collect::<Vec<_>>(), ["WARD-0101", "WARD-0102"]);
        assert!(codes_in_code(&SourceTree::of(&[("crates/a/src/x.rs", rows)])).is_empty());
    }

    #[test]
    fn codes_have_four_digits() {
        assert_eq!(codes_in("WARD-0101, WARD-12345, WARD-NNNN, WARD-9").collect::<Vec<_>>(), ["WARD-0101"]);
        let in_test = ("crates/a/src/x.rs", "#[cfg(test)]\nmod t { const C: &str = \"WARD-9999\"; }\n");
        assert!(check(&SourceTree::of(&[in_test])).is_empty());
    }
}
