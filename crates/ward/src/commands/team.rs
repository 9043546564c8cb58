//! `ward team`: who looks after charts together.

use crate::cli::TeamCommand;
use crate::commands::invite::show_outcome;
use crate::exit::Done;
use crate::home::{Home, from_act, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::Environment as _;
use ward_crypto::random_id;

/// Sets or lists teams.
///
/// # Errors
/// When this device is no admin's, or the server is not there.
pub async fn run(command: TeamCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    client.sync().await.map_err(from_act)?;
    match command {
        TeamCommand::Set { team, persons } => {
            let team = team.unwrap_or_else(|| random_id(client.environment_mut().rng()));
            let outcome = client.set_team(team, &persons).await.map_err(from_act)?;
            if out.is_json() {
                out.document(&json!({"team": team, "entry": outcome.hash(), "done": outcome.is_done()}));
            } else {
                out.line(format!("Team {team}: {} persons.", persons.len()));
                show_outcome(outcome, out);
            }
        }
        TeamCommand::List => {
            let membership = client.membership().map_err(from_client)?;
            let rows: Vec<_> = membership
                .teams()
                .map(|(team, persons)| json!({"team": team, "persons": persons.collect::<Vec<_>>()}))
                .collect();
            for (team, persons) in membership.teams() {
                out.line(format!("{team}"));
                for person in persons {
                    out.line(format!("  {person}"));
                }
            }
            out.document(&json!(rows));
        }
    }
    Ok(())
}
