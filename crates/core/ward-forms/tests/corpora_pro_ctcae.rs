//! Agreement with the PRO-CTCAE tables of the corpora folder, which Ward did not
//! write. They are read where `WARD_CORPORA` points and never copied.
#![expect(clippy::panic, reason = "helper functions of tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use ward_forms::pro_ctcae::{
    Attribute, CompositeShape, LibraryItem, STRUCTURE_SYSTEM, composite_grade, library, library_symptom,
};
use ward_forms::{
    AnswerValue, Questionnaire, QuestionnaireResponse, ResponseItem, ResponseStatus, score_symptoms,
};

const COMPOSITE_ROWS: usize = 179;
const ITEM_ROWS: usize = 124;
const SCORED_FILES: [(&str, usize); 2] = [("tox_acute.csv", 1400), ("tox_chronic.csv", 1400)];
const SHAPE_ROWS: usize = 7;

/// The rows of a CSV file by column name, or `None` when no corpora are given.
/// Corpora that are given but lack the file are a failure, not a skip.
fn rows(file: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let root = std::env::var_os("WARD_CORPORA")?;
    let path = PathBuf::from(root).join("forms/pro-ctcae").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {} can't be read: {error}", path.display()));
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    Some(
        lines
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                assert_eq!(cells.len(), names.len(), "{file}: {line}");
                names
                    .iter()
                    .zip(cells)
                    .map(|(name, cell)| ((*name).to_owned(), cell.trim().to_owned()))
                    .collect()
            })
            .collect(),
    )
}

#[expect(clippy::print_stdout, reason = "agreement must be seen")]
fn agreed_on(what: &str, agreed: usize, total: usize) {
    println!("corpus pro-ctcae, {what}: {agreed}/{total}");
}

#[expect(clippy::print_stdout, reason = "the reason for a skip must be seen")]
fn skipped() {
    println!("skipped: WARD_CORPORA is not set, so there are no outside PRO-CTCAE tables to agree with");
}

/// A score cell: empty or `NA` is missing, `3` and `3.0` are 3.
fn score(cell: &str) -> Option<u8> {
    if cell.is_empty() || cell == "NA" {
        return None;
    }
    let digits = cell.strip_suffix(".0").unwrap_or(cell);
    Some(digits.parse().unwrap_or_else(|_| panic!("{cell} is no score")))
}

#[test]
fn every_row_of_the_composite_table_agrees() {
    let Some(rows) = rows("composite-grade.csv") else { return skipped() };
    assert_eq!(rows.len(), COMPOSITE_ROWS);
    let mut agreed = 0;
    for row in &rows {
        let columns =
            [("frq", Attribute::Frequency), ("sev", Attribute::Severity), ("int", Attribute::Interference)];
        let present: Vec<_> =
            columns.iter().filter_map(|(name, attribute)| Some((*attribute, score(&row[*name])?))).collect();
        let attributes: Vec<_> = present.iter().map(|(attribute, _)| *attribute).collect();
        let shape = CompositeShape::of(&attributes).unwrap_or_else(|| panic!("{row:?}"));
        let scores: Vec<_> = present.iter().map(|(_, score)| Some(*score)).collect();
        assert_eq!(composite_grade(shape, &scores), score(&row["comp"]), "{row:?}");
        agreed += 1;
    }
    agreed_on("composite table", agreed, COMPOSITE_ROWS);
    assert_eq!(agreed, COMPOSITE_ROWS);
}

/// The shape of each question set, by the name of its attributes.
fn shape_named(names: &str) -> CompositeShape {
    let attributes: Vec<_> = names
        .split(' ')
        .map(|name| match name {
            "frq" => Attribute::Frequency,
            "sev" => Attribute::Severity,
            "int" => Attribute::Interference,
            other => panic!("{other} is no attribute"),
        })
        .collect();
    CompositeShape::of(&attributes).unwrap_or_else(|| panic!("{names} is no shape"))
}

#[test]
fn every_scored_row_agrees() {
    let Some(shapes) = rows("question-attributes.csv") else { return skipped() };
    assert_eq!(shapes.len(), SHAPE_ROWS);
    for (file, count) in SCORED_FILES {
        let Some(rows) = rows(file) else { return skipped() };
        assert_eq!(rows.len(), count, "{file}");
        let mut agreed = 0;
        for row in &rows {
            for (column, expected) in row.iter().filter(|(column, _)| column.ends_with("_COMP")) {
                let set = column.trim_start_matches("PROCTCAE_").trim_end_matches("_COMP");
                let names = shapes
                    .iter()
                    .find(|shape| shape["qset"].split(' ').any(|known| known == set))
                    .map(|shape| shape["fmt"].as_str())
                    .unwrap_or_else(|| panic!("question set {set} has no attributes"));
                let letters = ["A", "B", "C"];
                let shape = shape_named(names);
                let scores: Vec<_> = letters
                    .iter()
                    .take(shape.attributes().len())
                    .map(|letter| score(&row[&format!("PROCTCAE_{set}{letter}_SCL")]))
                    .collect();
                assert_eq!(composite_grade(shape, &scores), score(expected), "{file} {row:?}");
                assert_eq!(graded_by_a_form(shape, &scores), score(expected), "{file} {row:?}");
                agreed += 1;
            }
        }
        agreed_on(&format!("rows of {file}"), agreed, count);
        assert_eq!(agreed, count, "{file}");
    }
}

/// The same grade by the long way: a form with these attributes and a response.
fn graded_by_a_form(shape: CompositeShape, scores: &[Option<u8>]) -> Option<u8> {
    let items: Vec<_> = shape
        .attributes()
        .iter()
        .map(|attribute| {
            serde_json::json!({"linkId": attribute.code(), "type": "integer",
                "code": [{"system": STRUCTURE_SYSTEM, "code": format!("symptom/{}", attribute.code())}]})
        })
        .collect();
    let form =
        serde_json::json!({"resourceType": "Questionnaire", "status": "active", "item": items}).to_string();
    let form = Questionnaire::parse(form.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let mut response = QuestionnaireResponse::to(&form, ResponseStatus::Completed);
    for (attribute, score) in shape.attributes().iter().zip(scores) {
        if let Some(score) = score {
            let value = AnswerValue::Integer(i32::from(*score));
            response.push_item(ResponseItem::answered(attribute.code(), [value]));
        }
    }
    score_symptoms(&form, &response).first().and_then(|symptom| symptom.grade)
}

#[test]
fn every_item_of_the_library_is_known_and_graded_alike() {
    let (Some(items), Some(shapes)) = (rows("items.csv"), rows("question-attributes.csv")) else {
        return skipped();
    };
    assert_eq!(items.len(), ITEM_ROWS);
    let known: Vec<LibraryItem> = items
        .iter()
        .map(|item| LibraryItem::parse(&item["name"]).unwrap_or_else(|| panic!("{item:?}")))
        .collect();
    let own: Vec<LibraryItem> = library().flat_map(|symptom| symptom.items().collect::<Vec<_>>()).collect();
    assert_eq!(known, own, "the same items in the same order");
    for (item, known) in items.iter().zip(&known) {
        let label = &item["short_label"];
        let (_, last) = label.rsplit_once(' ').unwrap_or(("", label));
        let attribute = Attribute::from_code(&last.to_lowercase());
        // One amount is labelled as interference there; both are graded alike.
        let alike = |attribute| CompositeShape::of(&[attribute]);
        let is_same = attribute == Some(known.attribute())
            || (attribute.and_then(alike).is_some() && attribute.and_then(alike) == alike(known.attribute()));
        assert!(is_same, "{item:?} {known:?}");
    }
    let mut graded = 0;
    for row in &shapes {
        for number in row["qset"].split(' ') {
            let number: u8 = number.parse().unwrap_or_else(|_| panic!("{row:?}"));
            let shape = library_symptom(number).and_then(|symptom| symptom.shape());
            assert_eq!(shape, Some(shape_named(&row["fmt"])), "{number}");
            graded += 1;
        }
    }
    assert_eq!(graded, library().filter(|symptom| symptom.shape().is_some()).count());
    agreed_on("items of the library", known.len(), ITEM_ROWS);
}
