//! `ward invite`: tickets, the comparison of six words, and second signatures.

use crate::cli::{InviteArgs, InviteCommand, InviteRole};
use crate::commands::assign::first_assignment;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_act, from_client, from_sync_after};
use crate::limits::TICKET_REMOTE_MS;
use crate::print::Out;
use crate::private_file;
use crate::ticket_page::ticket_page;
use serde_json::json;
use ward_client::native::NativeClient;
use ward_client::{Certified, Comparison, Environment as _, NewInvite, Outcome};
use ward_crypto::{Role, Ticket, random_id};
use ward_id::{MlogEntryHash, PersonId, TicketId};
use ward_sync::ProfileField;

/// Runs `ward invite` and its subcommands.
///
/// # Errors
/// When the role of this device may not do it, the server is not there, or a rule is broken.
pub async fn run(args: InviteArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    match args.command {
        None => invite(&mut client, args, out).await,
        Some(InviteCommand::List) => list(&mut client, out).await,
        Some(InviteCommand::Void { ticket }) => {
            client.void_ticket(ticket).await.map_err(from_act)?;
            out.both("The ticket is void.", &json!({"ticket": ticket, "void": true}));
            Ok(())
        }
        Some(InviteCommand::Approve { ticket, same, different }) => {
            approve(&mut client, ticket, same, different, out).await
        }
        Some(InviteCommand::Proposals) => proposals(&mut client, out).await,
        Some(InviteCommand::Cosign { entry }) => cosign(&mut client, entry, out).await,
    }
}

/// The role that an invitation names.
pub const fn role_of(role: InviteRole) -> Role {
    match role {
        InviteRole::Patient => Role::Patient,
        InviteRole::Coordinator => Role::Coordinator,
        InviteRole::Clinician => Role::Clinician,
        InviteRole::Investigator => Role::Investigator,
    }
}

async fn invite(client: &mut NativeClient, args: InviteArgs, out: &Out) -> Done {
    client.sync().await.map_err(from_act)?;
    let role = role_of(args.role);
    let person: PersonId = args.person.unwrap_or_else(|| random_id(client.environment_mut().rng()));
    let chart = if role == Role::Patient { Some(chart_for(client, &args, person, out).await?) } else { None };
    let now = client.environment().wall();
    let not_after = args.remote.then(|| now.plus_ms(TICKET_REMOTE_MS));
    let ticket =
        client.invite(NewInvite { person, role, chart, not_after, server: None }).await.map_err(|error| {
            let failed = from_act(error);
            match chart {
                // The chart is open already: the ticket alone is missing.
                Some(_) => failed.then(format!("use `--person {person}` then: the chart is found again")),
                None => failed,
            }
        })?;
    if let Some(file) = &args.print {
        private_file::write(file, ticket_page(&ticket)?.as_bytes())?;
        out.line(format!("Page with the QR code: {}", file.display()));
    }
    // The ticket is registered: it is shown even if the network goes now.
    let synced = client.sync().await;
    show(&ticket, synced.as_ref().map_or(0, |report| report.unsent), out);
    synced.map(|_| ()).map_err(from_sync_after)
}

fn show(ticket: &Ticket, unsent: u64, out: &Out) {
    let text = ticket.to_text();
    out.line(format!(
        "Ticket {} for a {:?}, until {}.",
        ticket.ticket,
        ticket.role,
        crate::print::instant(ticket.not_after)
    ));
    out.line("It is a secret until it is used. On the new device:\n");
    out.line(format!("  ward enrol '{}'\n", *text));
    out.line(format!("Then compare the six words and run: ward invite approve {}", ticket.ticket));
    out.document(&json!({
        "ticket": ticket.ticket, "text": *text, "person": ticket.person, "chart": ticket.chart,
        "not_after": ticket.not_after, "independent": ticket.independent, "unsent": unsent,
    }));
}

/// The participant's chart: the one they have, or a new one with its team, name and questionnaire.
async fn chart_for(
    client: &mut NativeClient,
    args: &InviteArgs,
    person: PersonId,
    out: &Out,
) -> Result<ward_id::ChartId, Failure> {
    let known = client.charts().into_iter().find(|chart| chart.participant == Some(person));
    if let Some(known) = known {
        return Ok(known.chart);
    }
    let instrument = first_assignment(client, &args.schedule, out)?;
    let team = args.team.ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "Which care team?",
            "a new participant's chart is opened for a team",
            "name it with --team; `ward team list` shows the teams",
        )
    })?;
    let chart = client.open_chart(person, team, &[]).await.map_err(from_act)?;
    if let Some(name) = &args.name {
        let field = ProfileField { field: "name".to_owned(), value: name.clone(), supersedes: Vec::new() };
        client.capture(chart, field).await.map_err(from_client)?;
    }
    if let Some(instrument) = instrument {
        client.capture(chart, instrument).await.map_err(from_client)?;
    }
    Ok(chart)
}

async fn list(client: &mut NativeClient, out: &Out) -> Done {
    let rows = client.tickets().await.map_err(from_act)?;
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let role = row.role.map_or_else(|| "?".to_owned(), |role| format!("{role:?}"));
            vec![
                row.ticket.to_string(),
                format!("{:?}", row.state),
                role,
                crate::print::instant(row.not_after),
            ]
        })
        .collect();
    out.table(&["ticket", "state", "role", "until"], &cells);
    out.document(&json!(
        rows.iter()
            .map(|row| json!({"ticket": row.ticket, "state": format!("{:?}", row.state), "chart": row.chart,
                          "role": row.role.map(|role| format!("{role:?}")), "not_after": row.not_after}))
            .collect::<Vec<_>>()
    ));
    Ok(())
}

async fn approve(
    client: &mut NativeClient,
    ticket: TicketId,
    same: bool,
    different: bool,
    out: &Out,
) -> Done {
    let pending = client.pending_enrolments().await.map_err(from_act)?;
    let Some(found) = pending.into_iter().find(|pending| pending.ticket == ticket) else {
        return Err(Failure::new(
            Kind::NotNow,
            "No device waits with this ticket",
            "it was not used yet, was approved already, or its request does not fit the ticket",
            "look at `ward invite list`; if somebody says they used it, void it and make a new one",
        ));
    };
    out.line(format!(
        "A device wants to enrol as {:?}. Its six words must be:\n\n    {}\n",
        found.role,
        found.words.join("  ")
    ));
    let comparison = match (same, different) {
        (true, _) => Comparison::Same,
        (_, true) => Comparison::Different,
        _ if out.is_json() => {
            // Nobody can answer a program's question; it gets the words and comes again.
            out.document(
                &json!({"ticket": ticket, "words": found.words, "role": format!("{:?}", found.role),
                                 "person": found.person, "device": found.device}),
            );
            return Err(Failure::new(
                Kind::Usage,
                "Nothing was signed",
                "with --json the comparison is given on the command line",
                "compare the words with the person, then run it again with --same or --different",
            ));
        }
        _ => ask_same("Does the new device show the same six words?")?,
    };
    let certified = client.certify(ticket, comparison).await.map_err(from_act)?;
    let synced = client.sync().await;
    let problems: Vec<&str> =
        synced.iter().flat_map(|report| &report.problems).map(|problem| problem.name()).collect();
    match certified {
        Certified::Done(device) => out.both(
            format!("Signed. Device {device} is enrolled."),
            &json!({"ticket": ticket, "certified": device, "person": found.person, "chart": found.chart,
                    "words": found.words, "problems": problems}),
        ),
        Certified::Proposed(entry) if found.role == Role::Patient => out.both(
            format!(
                "Signed by you. The participant has a device already, which signs too, there: ward devices approve {}",
                found.device
            ),
            &json!({"ticket": ticket, "proposed": entry, "device": found.device, "person": found.person,
                    "chart": found.chart, "words": found.words, "signs_next": "participant"}),
        ),
        Certified::Proposed(entry) => out.both(
            format!("Signed by you. A second admin signs with: ward invite cosign {entry}"),
            &json!({"ticket": ticket, "proposed": entry, "device": found.device, "person": found.person,
                    "words": found.words}),
        ),
        Certified::Declined => {
            return Err(Failure::new(
                Kind::No,
                "The device was refused",
                "the six words differ, so somebody may be in between",
                "tell the person, and make a new ticket",
            ));
        }
    }
    synced.map(|_| ()).map_err(from_sync_after)
}

/// Asks the person at the terminal for the outcome of a comparison.
///
/// # Errors
/// When the answer is neither of the two words.
pub fn ask_same(question: &str) -> Result<Comparison, Failure> {
    use std::io::{BufRead as _, Write as _};
    // A question is for the person, not part of what the command gives out.
    let mut output = std::io::stderr();
    let asked = write!(output, "{question} (same / different) > ");
    let mut line = String::new();
    let read =
        asked.and_then(|()| output.flush()).and_then(|()| std::io::stdin().lock().read_line(&mut line));
    match (read, line.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "same") => Ok(Comparison::Same),
        (Ok(_), "different") => Ok(Comparison::Different),
        _ => Err(Failure::new(
            Kind::Usage,
            "Nothing was signed",
            "the answer was neither `same` nor `different`",
            "compare the words with the person, then run it again",
        )),
    }
}

async fn proposals(client: &mut NativeClient, out: &Out) -> Done {
    let rows = client.proposals().await.map_err(from_act)?;
    if rows.is_empty() {
        out.line("Nothing waits for a second signature.");
    }
    for row in &rows {
        out.line(format!("{}  {}", row.hash, row.summary));
    }
    out.document(&json!(
        rows.iter()
            .map(|row| json!({"entry": row.hash, "summary": row.summary, "signed_by": row.signed_by}))
            .collect::<Vec<_>>()
    ));
    Ok(())
}

async fn cosign(client: &mut NativeClient, entry: MlogEntryHash, out: &Out) -> Done {
    let outcome = client.cosign(entry).await.map_err(from_act)?;
    show_outcome(outcome, out);
    client.sync().await.map(|_| ()).map_err(from_sync_after)
}

/// Says whether an act is done or waits for somebody.
pub fn show_outcome(outcome: Outcome, out: &Out) {
    match outcome {
        Outcome::Done(entry) => out.both("Done, and confirmed by the witnesses.", &json!({"done": entry})),
        Outcome::Proposed(entry) => out.both(
            format!("Signed by you. It needs another person: ward invite cosign {entry}"),
            &json!({"proposed": entry}),
        ),
    }
}
