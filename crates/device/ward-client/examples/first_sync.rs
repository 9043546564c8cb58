//! A patient's phone is enrolled, answers without a network, and syncs; a nurse's device reads.
//! Server, witnesses and devices run in this process: `cargo run -p ward-client --example first_sync`.

use ward_client::{Certified, ClientError, Comparison, EnrolOutcome, NewInvite};
use ward_crypto::Role;
use ward_testkit::{START, Site, diary_answers, diary_instrument, diary_response};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what happens")]
async fn main() -> Result<(), ClientError> {
    // A site: server, three witnesses, two admins, a coordinator. A nurse joins the care team.
    let mut site = Site::small(1).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;

    // The coordinator opens a chart and shows an invitation as a QR code.
    let (chart, person) = site.open_chart().await;
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
    let ticket = site.coordinator.client.invite(invite).await?;

    // The phone takes it. Both screens show six words; the coordinator signs when they are the same.
    let mut phone = site.device("phone").await;
    let pending = phone.client.enrol_begin(&ticket.to_text()).await?;
    println!("read these words to the coordinator: {}", pending.words.join(" "));
    let waiting = site.coordinator.client.pending_enrolments().await?;
    let same = waiting.iter().any(|device| device.words == pending.words);
    let comparison = if same { Comparison::Same } else { Comparison::Different };
    let certified = site.coordinator.client.certify(ticket.ticket, comparison).await?;
    println!("the coordinator says {comparison:?}: {}", matches!(certified, Certified::Done(_)));
    println!(
        "the phone is enrolled: {}",
        matches!(phone.client.enrol_finish().await?, EnrolOutcome::Enrolled { .. })
    );

    // The coordinator's device makes the chart's first key and hands out the diary.
    site.coordinator.client.sync().await?;
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 14)).await?;
    site.coordinator.client.sync().await?;

    // Without a network the answer is durable on the phone; with one, it is sealed and sent.
    phone.relay.set_offline(true);
    let answers = diary_answers((4, 4), 1, false, "a hard night");
    phone.client.capture(chart, diary_response(START.utc_day(), &answers)).await?;
    println!("saved on the phone, not sent: {}", phone.client.sync().await?.unsent);
    phone.relay.set_offline(false);
    println!("received by the server: {}", phone.client.sync().await?.pushed);

    // The nurse's device fetches, verifies, opens and scores.
    nurse.client.sync().await?;
    for item in nurse.client.worklist(site.clock.now())? {
        println!("{:?}: {}", item.urgency, item.reason);
    }
    Ok(())
}
