//! `ward export --unsent` and `ward import`: unsent work in a sealed file, the way out for a device
//! that is full, has no network or may not send any more.

use crate::cli::ImportArgs;
use crate::exit::{Done, Failure};
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use crate::private_file;
use serde_json::json;
use std::path::Path;
use ward_client::native::NativeClient;
use ward_client::{ExportReaders, ImportKey, ImportStanding, ImportedWork};
use ward_crypto::{ExportPassphrase, Role};

/// Writes everything that only this device has into a sealed file.
///
/// # Errors
/// When nothing waits, nobody could open the file, or it cannot be written.
pub async fn export(file: &Path, words: bool, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let mut bytes = Vec::new();
    let readers = ExportReaders { staff: true, passphrase: words };
    let exported = client.export_unsent(readers, &mut bytes).await.map_err(from_client)?;
    private_file::write(file, &bytes)?;
    out.line(format!(
        "Written to {}: {} entries, {} drafts, {} attachments. It is sealed; {} staff devices can open it.",
        file.display(),
        exported.entries,
        exported.drafts,
        exported.attachments,
        exported.staff_devices
    ));
    if exported.texts > 0 {
        out.line(format!("{} texts that are being written are in it as well.", exported.texts));
    }
    if exported.left_out > 0 {
        out.line(format!("{} texts or attachments are damaged here and not in it.", exported.left_out));
    }
    if let Some(words) = &exported.passphrase {
        out.line("These words open it too. Write them down and keep them apart from the file:");
        out.line(words.as_str());
    }
    out.line("Nothing was taken from this device: it still sends its work when it can.");
    out.document(&json!({
        "file": file, "bytes": bytes.len(), "entries": exported.entries, "drafts": exported.drafts,
        "attachments": exported.attachments, "texts": exported.texts, "left_out": exported.left_out,
        "staff_devices": exported.staff_devices,
        "words": exported.passphrase.as_ref().map(|words| words.as_str()),
    }));
    Ok(())
}

/// Opens such a file: a patient's device writes its own work again, staff look at it and take it over.
///
/// # Errors
/// When the file cannot be opened, or this device may not take its work over.
pub async fn import(args: ImportArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let passphrase = args.words.as_deref().map(ExportPassphrase::from_text).transpose().map_err(|error| {
        Failure::input("The words cannot be read", error, "look at the note again and type all twelve")
    })?;
    let file = std::fs::File::open(&args.file).map_err(|error| {
        let what = format!("{} cannot be read", args.file.display());
        Failure::input(what, error, "check the name of the file")
    })?;
    let key = passphrase.as_ref().map_or(ImportKey::ThisDevice, ImportKey::Passphrase);
    let file = std::io::BufReader::new(file);
    let work = client.import_unsent(file, key).await.map_err(from_client)?;
    let role = client.me().map_err(from_client)?.role;
    let saved = match (role, args.adopt) {
        (Role::Patient, _) => client.write_imported(&work).await.map_err(from_client)?,
        (_, true) => adopt_all(&mut client, &work).await?,
        (_, false) => 0,
    };
    show(&work, saved, role, args.adopt, out);
    Ok(())
}

/// Takes over every entry that is offered.
async fn adopt_all(client: &mut NativeClient, work: &ImportedWork) -> Result<u64, Failure> {
    let mut adopted = 0;
    for one in work.entries.iter().filter(|one| one.standing == ImportStanding::Offered) {
        client.adopt_imported(&one.entry).await.map_err(from_client)?;
        adopted += 1;
    }
    Ok(adopted)
}

fn show(work: &ImportedWork, saved: u64, role: Role, adopted: bool, out: &Out) {
    out.line(format!("Made by device {} at {} by its clock.", work.device, instant(work.made_at)));
    for one in &work.entries {
        let body = one.entry.body();
        out.line(format!(
            "{}  {}  {}  {}",
            one.entry.id(),
            instant(body.captured_at),
            body.kind,
            standing_words(one.standing)
        ));
    }
    let left = work.entries.iter().filter(|one| one.standing == ImportStanding::Offered).count();
    if role == Role::Patient {
        out.line(format!(
            "{saved} entries were written again and saved on this device. `ward sync` sends them."
        ));
    } else if adopted {
        out.line(format!("{saved} entries were adopted and saved on this device. `ward sync` sends them."));
    } else if left > 0 {
        out.line("Ask their author whether they wrote them, then run it again with --adopt.");
    }
    out.document(&json!({
        "device": work.device, "made_at": instant(work.made_at), "saved": saved,
        "drafts": work.drafts, "attachments": work.attachments,
        "entries": work.entries.iter().map(|one| json!({
            "entry": one.entry.id(), "chart": one.entry.frame().chart, "author": one.author,
            "captured_at": instant(one.entry.body().captured_at), "kind": one.entry.body().kind.name(),
            "standing": standing_words(one.standing),
        })).collect::<Vec<_>>(),
    }));
}

const fn standing_words(standing: ImportStanding) -> &'static str {
    match standing {
        ImportStanding::Offered => "can be taken over",
        ImportStanding::AlreadyHere => "is here already",
        ImportStanding::NotVerified => "not verified: not taken",
    }
}
