//! `ward wipe`: a person destroys what their own device holds.

use crate::cli::WipeArgs;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::native::NativeClient;

/// Counts what would be lost, and wipes only if the person names that number.
///
/// # Errors
/// Without the number, with another one, or when the store or the key cannot be removed.
pub async fn run(args: WipeArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let lost = client.only_here().map_err(from_client)?;
    let Some(named) = args.lose else {
        out.document(&json!({"only_here": lost}));
        return Err(Failure::new(
            Kind::Usage,
            "Nothing was wiped",
            format!("{lost} entries exist on this device only, and would be lost with it{}", drafts(&client)),
            format!("`ward sync` sends them; if they may go, run it again with --lose {lost}"),
        ));
    };
    client.wipe(named).await.map_err(from_client)?;
    out.both(
        "Wiped: the key of this device and everything under it are gone.",
        &json!({"wiped": true, "lost": lost}),
    );
    Ok(())
}

/// Answers that were begun and not finished go as well.
fn drafts(client: &NativeClient) -> String {
    match client.drafts().len() {
        0 => String::new(),
        count => format!(", and {count} unfinished answers"),
    }
}
