//! `ward wipe`: a person destroys what their own device holds.

use crate::cli::WipeArgs;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::OnlyHere;

/// Counts what would be lost, and wipes only if the person names that number.
///
/// # Errors
/// Without the number, with another one, or when the store or the key cannot be removed.
pub async fn run(args: WipeArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let here = client.only_here_by_kind().map_err(from_client)?;
    let lost = here.count();
    let Some(named) = args.lose else {
        out.document(&json!({
            "only_here": lost, "entries": here.entries, "attachments": here.attachments,
            "texts": here.texts, "drafts": here.drafts,
        }));
        return Err(Failure::new(
            Kind::Usage,
            "Nothing was wiped",
            format!("{} exist on this device only, and would be lost with it", named_by_kind(&here)),
            format!("`ward sync` sends what can be sent; if they may go, run it again with --lose {lost}"),
        ));
    };
    client.wipe(named).await.map_err(from_client)?;
    out.both(
        "Wiped: the key of this device and everything under it are gone.",
        &json!({"wiped": true, "lost": lost}),
    );
    Ok(())
}

/// What there is, by what it is.
fn named_by_kind(here: &OnlyHere) -> String {
    let kinds = [
        (here.entries, "entries"),
        (here.attachments, "attachments"),
        (here.texts, "texts that are being written"),
        (here.drafts, "unfinished answers"),
    ];
    let there = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}"));
    let there: Vec<String> = there.collect();
    if there.is_empty() { "0 entries".to_owned() } else { there.join(", ") }
}
