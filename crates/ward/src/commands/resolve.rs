//! `ward resolve`: the conflicts of a chart, and deciding one of them.

use crate::cli::ResolveArgs;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::{Out, instant};
use crate::shown_plan;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use ward_client::native::NativeClient;
use ward_client::views::{ShownConflict, open_conflicts};
use ward_id::{ChartId, EntryId};
use ward_sync::limits::CANDIDATES_MAX;
use ward_sync::{FieldKey, MedicationPlanField, Payload, ProfileField, Resolve};

/// What a person wants to hold.
enum Wish {
    Candidate(EntryId),
    Value { among: EntryId, value: String, unit: Option<String> },
}

/// Lists the conflicts of a chart, or decides one: for one of its candidates or for another value.
///
/// # Errors
/// When the chart is unclear, candidates came that were not shown here, or this role does not decide.
pub async fn run(args: ResolveArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let chart = chart_or_only(&client, args.chart)?;
    let conflicts = open_conflicts(&client.chart(chart).map_err(from_client)?);
    let wish = match (args.choose, args.among, args.value) {
        (Some(entry), ..) => Some((Wish::Candidate(entry), args.reason)),
        (None, Some(among), Some(value)) => {
            Some((Wish::Value { among, value, unit: args.unit }, args.reason))
        }
        _ => {
            list(&conflicts, chart, out);
            note_shown(home, &client, chart, &conflicts)?;
            // Reading what was entered is itself on record.
            client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)?;
            if out.is_json() || conflicts.is_empty() || !out.is_watched() {
                return Ok(());
            }
            ask(&conflicts, &mut std::io::stdin().lock(), &mut std::io::stderr())?
        }
    };
    let Some((wish, reason)) = wish else {
        out.line("Nothing was decided.");
        return Ok(());
    };
    let reason = reason.filter(|reason| !reason.trim().is_empty()).ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "Nothing was decided",
            "a decision says why",
            "give the reason with --reason",
        )
    })?;
    let decision = decision(
        &conflicts,
        wish,
        &shown_plan::shown_in(home, chart),
        client.me().map_err(from_client)?.device,
        &client,
        chart,
    )?;
    let entry = client.resolve(chart, decision, reason).await.map_err(from_client)?;
    out.both(
        format!("Decided, and saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry}),
    );
    Ok(())
}

/// Everything that is shown here, so that nothing is decided unseen later.
fn note_shown(home: &Home, client: &NativeClient, chart: ChartId, conflicts: &[ShownConflict]) -> Done {
    let view = client.chart(chart).map_err(from_client)?;
    let known = shown_plan::shown_in(home, chart);
    let still: BTreeSet<EntryId> = view
        .medication_plan()
        .values()
        .flat_map(ward_sync::Thread::current_ids)
        .filter(|id| known.contains(id))
        .collect();
    let shown = conflicts.iter().flat_map(|conflict| conflict.candidates.iter().copied());
    shown_plan::note(home, chart, still.into_iter().chain(shown).collect())
}

fn list(conflicts: &[ShownConflict], chart: ChartId, out: &Out) {
    if conflicts.is_empty() {
        out.line("Nothing contradicts itself in this chart.");
    }
    for (number, conflict) in (1..).zip(conflicts) {
        out.line(format!("{number}. {}: several values hold, and nobody has chosen", conflict.what));
        for (place, candidate) in (1..).zip(&conflict.values) {
            out.line(format!("   {number}.{place}  {}\n        entry {}", candidate.line(), candidate.entry));
        }
    }
    if !conflicts.is_empty() {
        out.line("Decide with --choose ENTRY, or --among ENTRY --value VALUE; and --reason WHY.");
    }
    let rows: Vec<Value> = conflicts.iter().map(conflict_json).collect();
    out.document(&json!({"chart": chart, "conflicts": rows}));
}

/// A conflict with all its values, as JSON.
pub fn conflict_json(conflict: &ShownConflict) -> Value {
    let values: Vec<Value> = conflict
        .values
        .iter()
        .map(|one| {
            json!({"entry": one.entry, "value": one.value, "by": one.person, "role": one.role, "at": instant(one.at)})
        })
        .collect();
    json!({"kind": conflict.field.kind().name(), "about": conflict.what, "values": values,
           "candidates": conflict.candidates})
}

/// Asks which value holds, and why.
fn ask(
    conflicts: &[ShownConflict],
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Option<(Wish, Option<String>)>, Failure> {
    let mut question = |text: &str| -> Result<String, Failure> {
        let mut line = String::new();
        let asked = write!(output, "{text} > ").and_then(|()| output.flush());
        let read = asked.and_then(|()| input.read_line(&mut line));
        read.map_err(|error| Failure::fault("The terminal cannot be used", error))?;
        Ok(line.trim().to_owned())
    };
    let answer = question("Which value holds? (such as 1.2; Enter alone decides nothing)")?;
    if answer.is_empty() {
        return Ok(None);
    }
    let Some(entry) = chosen(conflicts, &answer) else {
        return Err(Failure::new(
            Kind::Usage,
            "Nothing was decided",
            format!("“{answer}” is none of the values"),
            "run it again and answer with its number, such as 1.2",
        ));
    };
    let reason = question("Why? (everybody who reads the chart sees it)")?;
    Ok(Some((Wish::Candidate(entry), Some(reason))))
}

/// `2.1`: the first value of the second conflict.
fn chosen(conflicts: &[ShownConflict], answer: &str) -> Option<EntryId> {
    let (conflict, value) = answer.split_once('.')?;
    let place = |number: &str| number.trim().parse::<usize>().ok()?.checked_sub(1);
    Some(conflicts.get(place(conflict)?)?.values.get(place(value)?)?.entry)
}

fn decision(
    conflicts: &[ShownConflict],
    wish: Wish,
    shown: &BTreeSet<EntryId>,
    me: ward_id::DeviceId,
    client: &NativeClient,
    chart: ChartId,
) -> Result<Resolve, Failure> {
    let about = match &wish {
        Wish::Candidate(entry) | Wish::Value { among: entry, .. } => *entry,
    };
    let conflict = conflicts.iter().find(|one| one.candidates.contains(&about)).ok_or_else(|| {
        Failure::input(
            format!("{about} is no candidate of a conflict in this chart"),
            "it is mistyped, was decided about already, or was replaced",
            "look at `ward resolve`",
        )
    })?;
    let view = client.chart(chart).map_err(from_client)?;
    let is_own = |entry: &EntryId| {
        view.timeline().iter().any(|item| item.entry.id() == *entry && item.entry.frame().device == me)
    };
    let unseen: Vec<&str> = conflict
        .values
        .iter()
        .filter(|one| !shown.contains(&one.entry) && !is_own(&one.entry))
        .map(|one| one.value.as_str())
        .collect();
    if !unseen.is_empty() {
        return Err(Failure::new(
            Kind::NotNow,
            format!("This would also decide about {}", unseen.join(" and ")),
            "it was not looked at on this device yet",
            "look at `ward resolve`, then decide",
        ));
    }
    let (field, candidates) = (conflict.field.clone(), nameable(conflict, about));
    match wish {
        Wish::Candidate(entry) => Ok(Resolve::choosing(field, candidates, entry)),
        Wish::Value { value, unit, .. } => {
            let value = new_value(&field, value, unit)?;
            Ok(Resolve::with_value(field, candidates, value))
        }
    }
}

/// The candidates that one decision can name, that of the wish among them. Where there are more, the
/// conflict stays open between its outcome and the rest, and is decided again.
fn nameable(conflict: &ShownConflict, wanted: EntryId) -> Vec<EntryId> {
    let others = conflict.candidates.iter().copied().filter(|candidate| *candidate != wanted);
    std::iter::once(wanted).chain(others).take(CANDIDATES_MAX).collect()
}

fn new_value(field: &FieldKey, value: String, unit: Option<String>) -> Result<Payload, Failure> {
    match field {
        FieldKey::MedicationPlan(medication, name) => Ok(MedicationPlanField {
            medication: medication.clone(),
            field: name.clone(),
            value: Some(value),
            unit,
            supersedes: Vec::new(),
        }
        .into()),
        FieldKey::Profile(name) => {
            Ok(ProfileField { field: name.clone(), value, supersedes: Vec::new() }.into())
        }
        FieldKey::Appointment(_) | FieldKey::Record(_) => Err(Failure::new(
            Kind::Usage,
            "Nothing was decided",
            "only a field of the plan or of the profile takes a value from the command line",
            "choose one of the candidates with --choose",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_a_conflict_and_a_value() {
        for answer in ["", ".", "1", "1.1", "0.0", "1.é", "99999999999999999999999.1"] {
            assert_eq!(chosen(&[], answer), None, "{answer}");
        }
        let asked = |text: &str| ask(&[], &mut text.as_bytes(), &mut Vec::new());
        assert!(asked("\n").unwrap().is_none(), "Enter alone decides nothing");
        assert_eq!(asked("1.1\n").err().unwrap().kind(), Kind::Usage);
    }

    #[test]
    fn a_value_belongs_to_a_field_that_takes_one() {
        let profile = FieldKey::Profile("language".into());
        assert!(new_value(&profile, "de".into(), None).is_ok());
        let record = FieldKey::Record(ward_sync::EntryKind::DOSE);
        assert!(new_value(&record, "1".into(), None).is_err());
    }
}
