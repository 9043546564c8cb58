//! `ward evidence`: what stopped this device from sending, and the way out. Only a person decides
//! that it may go on; the proofs are written to files, because others must be able to check them.

use super::sync::plain;
use crate::cli::EvidenceCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use crate::private_file;
use serde_json::{Value, json};
use std::path::Path;
use ward_client::native::NativeClient;
use ward_client::{Environment as _, Evidence, SyncProblem};
use ward_id::hex_encode;

/// Runs one of the commands.
///
/// # Errors
/// When there is nothing to save or dismiss, or a file cannot be written.
pub async fn run(command: EvidenceCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let stopped_by = client.status().map_err(from_client)?.stopped_by;
    match command {
        EvidenceCommand::List => {
            list(&stopped_by, out);
            Ok(())
        }
        EvidenceCommand::Save { file } => {
            if stopped_by.is_empty() {
                return Err(nothing());
            }
            save(&client, &stopped_by, None, &file)?;
            out.both(
                format!("Saved to {}. Give it to your site's security officer.", file.display()),
                &json!({"file": file, "problems": names(&stopped_by)}),
            );
            Ok(())
        }
        EvidenceCommand::ForgetLosses => {
            client.dismiss_losses().await.map_err(from_client)?;
            out.both("What was lost is not shown any more.", &json!({"losses": "forgotten"}));
            Ok(())
        }
        EvidenceCommand::Dismiss { reason } => dismiss(&mut client, &stopped_by, &reason, home, out).await,
    }
}

async fn dismiss(
    client: &mut NativeClient,
    stopped_by: &[SyncProblem],
    reason: &str,
    home: &Home,
    out: &Out,
) -> Done {
    if stopped_by.is_empty() {
        return Err(nothing());
    }
    if reason.trim().is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            "Why may this device go on?",
            "the reason is kept with the proofs",
            "say it with --reason",
        ));
    }
    // The store forgets the proofs, so they are in a file first.
    let now = client.environment().wall();
    let file = home.file(&format!("evidence-{}.json", now.0));
    save(client, stopped_by, Some(reason), &file)?;
    client.dismiss_evidence().await.map_err(from_client)?;
    out.both(
        format!(
            "This device may send again. The proofs and your reason are kept in {}. If the server still shows what \
             raised them, the next sync stops again.",
            file.display()
        ),
        &json!({"dismissed": names(stopped_by), "file": file}),
    );
    Ok(())
}

fn nothing() -> Failure {
    Failure::new(
        Kind::NotNow,
        "There is no evidence on this device",
        "nothing has stopped it from sending",
        "look at `ward status`",
    )
}

fn list(stopped_by: &[SyncProblem], out: &Out) {
    if stopped_by.is_empty() {
        out.line("Nothing has stopped this device from sending.");
    }
    for problem in stopped_by {
        out.line(format!("! {}.", plain(problem)));
    }
    if !stopped_by.is_empty() {
        out.line("\nNothing is sent until a person has decided:");
        out.line("  1. ward evidence save FILE           and give the file to your site's security officer");
        out.line("  2. ward evidence dismiss --reason …  once they say that it is safe to go on");
    }
    out.document(&json!(
        stopped_by
            .iter()
            .map(|problem| json!({"problem": problem.name(), "text": plain(problem),
                                  "proof_bytes": sides(problem).iter().map(Vec::len).sum::<usize>()}))
            .collect::<Vec<_>>()
    ));
}

fn names(problems: &[SyncProblem]) -> Vec<&'static str> {
    problems.iter().map(SyncProblem::name).collect()
}

fn sides(problem: &SyncProblem) -> &[Vec<u8>] {
    match problem {
        SyncProblem::Rollback(Evidence { sides })
        | SyncProblem::Equivocation(Evidence { sides })
        | SyncProblem::OtherHistory { evidence: Evidence { sides }, .. }
        | SyncProblem::BrokenPromise { evidence: Evidence { sides }, .. } => sides,
        _ => &[],
    }
}

fn save(client: &NativeClient, problems: &[SyncProblem], reason: Option<&str>, file: &Path) -> Done {
    if file.exists() {
        return Err(Failure::new(
            Kind::Usage,
            format!("{} exists already", file.display()),
            "evidence is never written over",
            "name a new file",
        ));
    }
    let me = client.me().map_err(from_client)?;
    let saved_at = instant(client.environment().wall());
    let document = json!({"site": me.site, "device": me.device, "saved_at": saved_at, "dismissed_because": reason,
                          "evidence": problems.iter().map(proof).collect::<Vec<_>>()});
    private_file::write(file, format!("{document:#}\n").as_bytes())
}

/// A problem with its signed sides: signed notes as text, other forms in hexadecimal digits.
fn proof(problem: &SyncProblem) -> Value {
    let side = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => json!({"text": text}),
        Err(_) => json!({"hex": hex_encode(bytes)}),
    };
    json!({"problem": problem.name(), "text": plain(problem), "sides": sides(problem).iter().map(side).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_keeps_both_sides_as_they_were_signed() {
        let sides = vec![b"log\n5\nhash\n".to_vec(), vec![0xff, 0x00]];
        let shown = proof(&SyncProblem::Equivocation(Evidence { sides }));
        assert_eq!(shown["sides"], json!([{"text": "log\n5\nhash\n"}, {"hex": "ff00"}]));
        assert_eq!(shown["problem"], "equivocation");
        assert!(shown["text"].as_str().unwrap().contains("two histories"));
    }
}
