//! `ward record`: doses, plan fields, notes, consent, participation.

use super::due::planning_of;
use crate::cli::RecordCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::{Out, day};
use crate::shown_plan;
use serde_json::json;
use std::collections::BTreeSet;
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_forms::schedule::Standing;
use ward_id::{ChartId, DeviceId, EntryId};
use ward_sync::{
    Consent, ConsentStatus, DataChoice, Dose, DoseOutcome, MedicationId, MedicationPlanField, Note,
    Participation, ParticipationState, Payload, Response, ResponseStatus, Thread, Written,
};

/// Writes one entry. With or without a network: it is saved on this device when this returns.
///
/// # Errors
/// When the chart is unclear or the role of this device may not write it.
pub async fn run(command: RecordCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if let RecordCommand::Urgent { entry, chart } = command {
        let chart = chart_or_only(&client, chart)?;
        client.mark_urgent(chart, entry).await.map_err(from_client)?;
        out.both(
            "Marked as urgent. `ward sync` sends it, or hands it to the care team if it cannot.",
            &json!({"urgent": true, "chart": chart, "entry": entry}),
        );
        return Ok(());
    }
    let (chart, payload) = payload_of(command, &client, home, out)?;
    let warning = match &payload {
        Payload::Participation(said) => warning_of(&client, chart, said)?,
        _ => None,
    };
    if let Some(warning) = &warning {
        out.line(format!("! {warning}"));
    }
    let entry = client.capture(chart, payload).await.map_err(from_client)?;
    out.both(
        format!("Saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry, "warning": warning}),
    );
    Ok(())
}

fn payload_of(
    command: RecordCommand,
    client: &NativeClient,
    home: &Home,
    out: &Out,
) -> Result<(ChartId, Payload), Failure> {
    let now = client.environment().wall();
    Ok(match command {
        RecordCommand::Dose { medication, skipped, chart } => {
            let outcome = if skipped { DoseOutcome::Skipped } else { DoseOutcome::Taken };
            let dose =
                Dose { medication: MedicationId::new(medication), due_at: now, outcome, at: now, note: None };
            (chart_or_only(client, chart)?, dose.into())
        }
        RecordCommand::Plan { medication, field, value, unit, chart, replaces } => {
            let view = client.chart(chart).map_err(from_client)?;
            let medication = MedicationId::new(medication);
            let key = (medication.clone(), field.clone());
            let me = client.me().map_err(from_client)?.device;
            let thread = view.medication_plan().get(&key);
            let current: Vec<Current> = thread.map(|thread| current_of(thread, me)).unwrap_or_default();
            let conflict = thread.is_some_and(Thread::is_conflict);
            let supersedes = replaced(&current, conflict, &replaces, &shown_plan::shown_in(home, chart))?;
            for old in current.iter().filter(|old| supersedes.contains(&old.entry)) {
                out.line(format!("Replaces {}", old.text));
            }
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
        RecordCommand::Urgent { .. } => {
            return Err(Failure::fault("Nothing was written", "an urgent mark is no entry"));
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

/// What is to be known before somebody who is asked now is written down as screened only.
fn warning_of(
    client: &NativeClient,
    chart: ChartId,
    said: &Participation,
) -> Result<Option<String>, Failure> {
    if said.state != ParticipationState::Screened {
        return Ok(None);
    }
    let view = client.chart(chart).map_err(from_client)?;
    if planning_of(client, &view)?.standing(said.from) != Standing::Active {
        return Ok(None);
    }
    let threads = view.responses().values().flatten();
    let finished = |written: &&Written<'_, Response>| written.value.status() != ResponseStatus::Draft;
    let answers = threads.flat_map(|thread| thread.current.iter().filter(finished)).count();
    let mut told = view.participation().iter().flat_map(|thread| &thread.current);
    let takes_part = told.any(|written| written.value.state != ParticipationState::Screened);
    if answers == 0 && !takes_part {
        return Ok(None);
    }
    let known = match answers {
        0 => "They take part already, as it was written down".to_owned(),
        1 => "They answered once already".to_owned(),
        many => format!("They answered {many} times already"),
    };
    Ok(Some(format!(
        "{known}. Who is only screened is asked nothing and misses nothing from now on: \
         nobody is told if they fall silent. `ward record participation active` takes that back from then on."
    )))
}

/// A value that holds now.
struct Current {
    entry: EntryId,
    /// Whether this device wrote it.
    is_own: bool,
    text: String,
}

fn current_of(thread: &Thread<'_, MedicationPlanField>, me: DeviceId) -> Vec<Current> {
    let current = thread.current.iter();
    current
        .map(|written| {
            let value = written.value.value.as_deref().unwrap_or("(cleared)");
            let unit = written.value.unit.as_deref().unwrap_or("");
            let value = format!("{value} {unit}");
            let text = format!(
                "{} ({:?}, {}, entry {})",
                value.trim(),
                written.author.role,
                day(written.captured_at()),
                written.id()
            );
            Current { entry: written.id(), is_own: written.author.device == me, text }
        })
        .collect()
}

/// The entries that a new value replaces. A value that was seen here is replaced without a word more;
/// one that nobody has looked at here only by name. Values that contradict each other are not replaced
/// by a further one: somebody decides between them.
fn replaced(
    current: &[Current],
    conflict: bool,
    named: &[EntryId],
    shown: &BTreeSet<EntryId>,
) -> Result<Vec<EntryId>, Failure> {
    if conflict {
        let list: Vec<&str> = current.iter().map(|old| old.text.as_str()).collect();
        return Err(Failure::new(
            Kind::NotNow,
            format!("Several values hold: {}", list.join(" and ")),
            "nobody has chosen, and one value more would not choose either",
            "decide with `ward resolve`",
        ));
    }
    if let Some(unknown) = named.iter().find(|entry| current.iter().all(|old| old.entry != **entry)) {
        return Err(Failure::input(
            format!("{unknown} does not hold for this field"),
            "it is mistyped, or was replaced already",
            "look at `ward chart`",
        ));
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let unseen = current.iter().any(|old| !old.is_own && !shown.contains(&old.entry));
    if unseen {
        let list: Vec<&str> = current.iter().map(|old| old.text.as_str()).collect();
        return Err(Failure::new(
            Kind::NotNow,
            format!("This would overrule {}", list.join(" and ")),
            "it came since the chart was last looked at here",
            "look at `ward chart CHART`; then name each entry that the new value replaces with --replaces",
        ));
    }
    Ok(current.iter().map(|old| old.entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(mark: u8, is_own: bool) -> Current {
        Current { entry: EntryId::from_bytes([mark; 32]), is_own, text: format!("{mark} mg") }
    }

    #[test]
    fn a_value_that_nobody_saw_here_is_not_overruled_silently() {
        let entry = |mark: u8| EntryId::from_bytes([mark; 32]);
        let shown = BTreeSet::from([entry(1)]);
        let replaced = |current: &[Current], named: &[EntryId]| replaced(current, false, named, &shown);
        assert_eq!(replaced(&[], &[]).unwrap(), []);
        assert_eq!(replaced(&[current(1, false)], &[]).unwrap(), [entry(1)], "seen");
        assert_eq!(replaced(&[current(2, true)], &[]).unwrap(), [entry(2)], "one's own");
        let refused = replaced(&[current(2, false)], &[]).unwrap_err();
        assert!(refused.to_string().contains("2 mg"), "{refused}");
        assert_eq!(replaced(&[current(2, false)], &[entry(2)]).unwrap(), [entry(2)]);
        // Two who wrote the same are replaced together.
        let both = [current(1, false), current(3, true)];
        assert_eq!(replaced(&both, &[]).unwrap(), [entry(1), entry(3)]);
        assert!(replaced(&both, &[entry(9)]).is_err());
    }

    #[test]
    fn a_conflict_is_not_settled_in_passing() {
        let entry = |mark: u8| EntryId::from_bytes([mark; 32]);
        let both = [current(1, false), current(3, true)];
        let shown = BTreeSet::from([entry(1), entry(3)]);
        for named in [&[][..], &[entry(1), entry(3)]] {
            let refused = replaced(&both, true, named, &shown).unwrap_err();
            assert!(refused.next().contains("ward resolve"), "{refused}");
        }
    }
}
