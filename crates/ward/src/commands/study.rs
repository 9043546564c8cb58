//! `ward study`: how the study's data merges, checked and published.

use crate::cli::StudyCommand;
use crate::commands::invite::show_outcome;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_act};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::Out;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use ward_crypto::{Role, V1};
use ward_id::StudyId;
use ward_sync::{DataShape, EntryKind, MergeClass, MinReader, MlogBody, Payload, SchemaField, StudySchema};

/// The file, as somebody writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    field: Vec<FieldRow>,
    #[serde(default)]
    min_reader: Vec<ReaderRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRow {
    kind: String,
    name: Option<String>,
    shape: Option<String>,
    merge: String,
    #[serde(default)]
    safety: bool,
    #[serde(default)]
    resolvers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReaderRow {
    kind: String,
    schema: Option<String>,
    level: u64,
}

/// Checks a study schema, or publishes it.
///
/// # Errors
/// What is wrong with the schema; when this device is no admin's, or the server is not there.
pub async fn run(command: StudyCommand, home: &Home, out: &Out) -> Done {
    let (file, publish) = match &command {
        StudyCommand::Check { file } => (file, false),
        StudyCommand::Publish { file } => (file, true),
    };
    let (fields, min_readers) = read(file)?;
    let schema = sketch(fields.clone(), min_readers.clone());
    check(&schema, out)?;
    if !publish {
        out.both(
            format!("{} fields are described. This schema can be published.", schema.fields.len()),
            &json!({"good": true, "fields": schema.fields.len(), "findings": []}),
        );
        return Ok(());
    }
    let mut client = home.unlock().await?;
    client.sync().await.map_err(from_act)?;
    let outcome = client.publish_study_schema(fields, min_readers).await.map_err(from_act)?;
    show_outcome(outcome, out);
    Ok(())
}

/// The schema as far as it can be checked without knowing the one before it.
fn sketch(mut fields: Vec<SchemaField>, mut min_readers: Vec<MinReader>) -> StudySchema {
    fields.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    min_readers.sort_by(|a, b| (a.kind, &a.schema).cmp(&(b.kind, &b.schema)));
    StudySchema { v: V1, study: StudyId::from_bytes([0; 16]), number: 0, prev: None, fields, min_readers }
}

fn check(schema: &StudySchema, out: &Out) -> Done {
    let mut found: Vec<String> = schema.findings().iter().map(ToString::to_string).collect();
    if let Err(error) = MlogBody::StudySchema(Box::new(schema.clone())).check() {
        found.push(error.to_string());
    }
    let Some(first) = found.first() else { return Ok(()) };
    found.iter().for_each(|finding| out.line(format!("! {finding}")));
    out.document(&json!({"good": false, "findings": found}));
    Err(Failure::new(
        Kind::No,
        format!("The study schema is refused: {} found", found.len()),
        first,
        "correct the file; no device would follow this schema",
    )
    .with_code("WARD-6063"))
}

fn read(file: &Path) -> Result<(Vec<SchemaField>, Vec<MinReader>), Failure> {
    let wrong = |why: String| {
        Failure::input(format!("{} is no study schema", file.display()), why, "correct the file")
    };
    let bytes = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    let parsed: SchemaFile = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let fields = parsed.field.into_iter().map(field).collect::<Result<_, _>>().map_err(wrong)?;
    let readers = parsed.min_reader.into_iter().map(reader).collect::<Result<_, _>>().map_err(wrong)?;
    Ok((fields, readers))
}

fn field(row: FieldRow) -> Result<SchemaField, String> {
    let kind = kind(&row.kind)?;
    let shape = match row.shape.as_deref() {
        None => DataShape::of(kind).ok_or(format!("entries of kind “{}” have no shape", row.kind))?,
        Some("record") => DataShape::Record,
        Some("register") => DataShape::Register,
        Some("text") => DataShape::Text,
        Some("set") => DataShape::Set,
        Some(other) => return Err(format!("“{other}” is no shape: record, register, text or set")),
    };
    let class = MergeClass::ALL.into_iter().find(|class| class.name() == row.merge);
    let class =
        class.ok_or(format!("“{}” is no merge class: review, worst-case, union or ui-lww", row.merge))?;
    let mut resolvers = row.resolvers.iter().map(|name| role(name)).collect::<Result<Vec<_>, _>>()?;
    resolvers.sort_by_key(|role| role.number());
    resolvers.dedup();
    Ok(SchemaField { shape, kind, name: row.name, class, safety: row.safety, resolvers })
}

fn reader(row: ReaderRow) -> Result<MinReader, String> {
    let kind = kind(&row.kind)?;
    let known = Payload::schema_of(kind).map(str::to_owned);
    let schema = row.schema.or(known).ok_or(format!("which schema of “{}”?", row.kind))?;
    Ok(MinReader { kind, schema, level: row.level })
}

fn kind(name: &str) -> Result<EntryKind, String> {
    let known = EntryKind::ALL.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = EntryKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("“{name}” is no kind of entry: {}", names.join(", "))
    })
}

fn role(name: &str) -> Result<Role, String> {
    let known = Role::ALL.iter().find(|role| format!("{role:?}").eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| format!("“{name}” is no role, such as clinician or investigator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("study.toml");
        std::fs::write(&file, text).unwrap();
        let (fields, readers) = read(&file).map_err(|failure| failure.to_string())?;
        let schema = sketch(fields, readers);
        check(&schema, &Out::new(true)).map_err(|failure| failure.to_string())?;
        Ok(schema.fields.len())
    }

    #[test]
    fn a_schema_is_read_and_refused_in_plain_words() {
        let good = r#"
            [[field]]
            kind = "medication-plan-field"
            name = "dose"
            merge = "worst-case"
            safety = true
            resolvers = ["investigator", "clinician"]
            [[field]]
            kind = "profile-field"
            name = "text-size"
            merge = "ui-lww"
            [[min_reader]]
            kind = "medication-plan-field"
            level = 1
        "#;
        assert_eq!(checked(good), Ok(2));
        assert_eq!(checked(""), Ok(0), "no schema is all review");
        let row = |rest: &str| checked(&format!("[[field]]\nkind = \"profile-field\"\n{rest}"));
        for (rest, says) in [
            ("merge = \"last\"", "no merge class"),
            ("merge = \"ui-lww\"\nsafety = true", "must not have the class ui-lww"),
            ("merge = \"review\"\nshape = \"set\"", "the shape is not the one"),
            ("merge = \"review\"\nshape = \"tree\"", "is no shape"),
            ("merge = \"review\"\nresolvers = [\"monitor\"]", "a role that may decide"),
            ("merge = \"review\"\nresolvers = [\"nurse\"]", "is no role"),
            ("merge = \"review\"\ncolour = \"red\"", "unknown field"),
        ] {
            let said = row(rest).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
        let plan = "[[field]]\nkind = \"medication-plan-field\"\nmerge = \"union\"";
        assert!(checked(plan).unwrap_err().contains("review or worst-case"));
        let twice = "[[field]]\nkind = \"dose\"\nmerge = \"review\"\n".repeat(2);
        assert!(checked(&twice).unwrap_err().contains("one stands twice"));
        assert!(
            checked("[[field]]\nkind = \"horoscope\"\nmerge = \"review\"").unwrap_err().contains("no kind")
        );
    }
}
