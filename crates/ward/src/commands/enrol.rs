//! `ward enrol`: make keys, show six words, wait for the site.

use crate::cli::EnrolArgs;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::limits::{ENROL_POLL_MS, INPUT_FILE_MAX_BYTES};
use crate::print::Out;
use serde_json::json;
use std::io::Read as _;
use std::time::{Duration, Instant};
use ward_client::EnrolOutcome;

/// Enrols the device in `home`.
///
/// # Errors
/// When the ticket cannot be used, the server is not there, or the site does not sign in time.
pub async fn run(args: EnrolArgs, home: &Home, out: &Out) -> Done {
    let ticket = read_ticket(&args.ticket)?;
    let mut client = home.open(true).await?;
    if client.state() == ward_client::DeviceState::Locked {
        client.unlock().await.map_err(from_client)?;
    }
    // A device that the site took out, or whose certificate ended, goes on as a new one.
    let renews = client.state() == ward_client::DeviceState::Ready;
    let pending = if renews {
        client.renew_begin(ticket.trim()).await.map_err(from_client)?
    } else {
        client.enrol_begin(ticket.trim()).await.map_err(from_client)?
    };
    out.line(format!("Site {} · study {} · role {:?}", pending.site, pending.study, pending.role));
    if !pending.independent {
        out.line(
            "Note: this site keeps its root, admins and witnesses on one machine; they are not independent.",
        );
    }
    out.line("\nRead these six words to the person who invited you. Both of you must see the same:\n");
    out.line(format!("    {}\n", pending.words.join("  ")));
    let until = Instant::now() + Duration::from_secs(args.wait_s);
    // A program gets them before the wait: nobody can compare what is shown afterwards.
    out.document(&json!({"words": pending.words, "site": pending.site, "study": pending.study,
                         "role": format!("{:?}", pending.role), "independent": pending.independent}));
    let waiting = out.progress("waiting for the site to sign", 1);
    loop {
        let asked = if renews { client.renew_finish().await } else { client.enrol_finish().await };
        match asked.map_err(from_client)? {
            EnrolOutcome::Enrolled { device, person, chart } => {
                waiting.done();
                out.both(
                    format!("Enrolled. Device {device}. Next: `ward sync`."),
                    &json!({"enrolled": true, "device": device, "person": person, "chart": chart,
                            "words": pending.words, "independent": pending.independent}),
                );
                return Ok(());
            }
            EnrolOutcome::Ended(state) => {
                waiting.done();
                return Err(Failure::new(
                    Kind::No,
                    "The site did not sign this device",
                    format!("the invitation is {state:?}"),
                    "ask for a new ticket",
                ));
            }
            EnrolOutcome::Waiting if Instant::now() >= until => {
                waiting.done();
                return Err(Failure::new(
                    Kind::NotNow,
                    "The site has not signed yet",
                    "the person who invited you must compare the six words first",
                    "run the same command again later; the words stay the same",
                )
                .with_code("WARD-2008"));
            }
            EnrolOutcome::Waiting => tokio::time::sleep(Duration::from_millis(ENROL_POLL_MS)).await,
        }
    }
}

fn read_ticket(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().take(INPUT_FILE_MAX_BYTES).read_to_string(&mut text).map_err(|error| {
        Failure::input(
            "The ticket cannot be read",
            error,
            "give it as an argument, or through standard input",
        )
    })?;
    Ok(text)
}
