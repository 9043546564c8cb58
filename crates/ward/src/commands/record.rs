//! `ward record`: doses, plan fields, notes, consent, participation.

use crate::cli::RecordCommand;
use crate::exit::Done;
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_id::ChartId;
use ward_sync::{
    Consent, ConsentStatus, DataChoice, Dose, DoseOutcome, MedicationId, MedicationPlanField, Note,
    Participation, ParticipationState, Payload,
};

/// Writes one entry. With or without a network: it is saved on this device when this returns.
///
/// # Errors
/// When the chart is unclear or the role of this device may not write it.
pub async fn run(command: RecordCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let (chart, payload) = payload_of(command, &client)?;
    let entry = client.capture(chart, payload).await.map_err(from_client)?;
    out.both(
        format!("Saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry}),
    );
    Ok(())
}

fn payload_of(
    command: RecordCommand,
    client: &NativeClient,
) -> Result<(ChartId, Payload), crate::exit::Failure> {
    let now = client.environment().wall();
    Ok(match command {
        RecordCommand::Dose { medication, skipped, chart } => {
            let outcome = if skipped { DoseOutcome::Skipped } else { DoseOutcome::Taken };
            let dose =
                Dose { medication: MedicationId::new(medication), due_at: now, outcome, at: now, note: None };
            (chart_or_only(client, chart)?, dose.into())
        }
        RecordCommand::Plan { medication, field, value, unit, chart } => {
            let view = client.chart(chart).map_err(from_client)?;
            let medication = MedicationId::new(medication);
            let key = (medication.clone(), field.clone());
            let supersedes =
                view.medication_plan().get(&key).map(|thread| thread.current_ids()).unwrap_or_default();
            (chart, MedicationPlanField { medication, field, value: Some(value), unit, supersedes }.into())
        }
        RecordCommand::Note { text, chart } => {
            (chart_or_only(client, chart)?, Note { text, supersedes: Vec::new() }.into())
        }
        RecordCommand::Consent { version, withdraw, erase, chart } => {
            let status = if withdraw { ConsentStatus::Withdrawn } else { ConsentStatus::Given };
            let choice = withdraw.then_some(if erase { DataChoice::Erase } else { DataChoice::Keep });
            (chart_or_only(client, chart)?, Consent { consent_version: version, status, choice }.into())
        }
        RecordCommand::Participation { state, chart } => {
            let state = match state.as_str() {
                "screened" => ParticipationState::Screened,
                "active" => ParticipationState::Active,
                "paused" => ParticipationState::Paused,
                "withdrawn" => ParticipationState::Withdrawn,
                _ => ParticipationState::Completed,
            };
            (chart_or_only(client, chart)?, Participation { state, from: now }.into())
        }
    })
}
