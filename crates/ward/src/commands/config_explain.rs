//! `ward config explain`: every value in force and where it came from.

use crate::cli::ServerFolder;
use crate::exit::Done;
use crate::print::Out;
use crate::server_folder;

/// Runs the command.
///
/// # Errors
/// A configuration that cannot be used.
pub fn run(args: &ServerFolder, out: &Out) -> Done {
    let loaded = server_folder::open(&args.config)?;
    let rows: Vec<Vec<String>> = loaded
        .values
        .iter()
        .map(|value| vec![value.key.clone(), shown(&value.value), value.source.word().to_owned()])
        .collect();
    out.table(&["name", "value", "from"], &rows);
    out.line(
        "\nKeys stand in files of their own and are not shown. A variable overrides the file: WARD_ and the",
    );
    out.line("name in capitals, with __ for each dot, such as WARD_SERVER__DRAIN_S.");
    out.document(&serde_json::json!({ "file": args.config, "values": loaded.values }));
    Ok(())
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "(not set)".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
