//! `ward set`: lists of a chart. A removal takes out what its author saw, so what is put in beside
//! it stays.

use crate::cli::SetCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::{Out, day};
use serde_json::{Value, json};
use ward_client::native::NativeClient;
use ward_id::ChartId;
use ward_sync::{ChartView, SetChange};

/// Runs `ward set` and its subcommands.
///
/// # Errors
/// When the chart is unclear, the element is not in, or this device may not.
pub async fn run(command: SetCommand, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    match command {
        SetCommand::Add { set, element, chart } => {
            let chart = chart_or_only(&client, chart)?;
            save(&mut client, chart, SetChange::adding(set, element), out).await
        }
        SetCommand::Remove { set, element, chart } => {
            let chart = chart_or_only(&client, chart)?;
            let additions = client
                .chart(chart)
                .map_err(from_client)?
                .sets()
                .get(&set)
                .map_or_else(Vec::new, |elements| elements.additions_of(&element));
            if additions.is_empty() {
                return Err(Failure::input(
                    format!("{element} is not in {set}"),
                    "it is spelt otherwise, was taken out already, or has not been fetched yet",
                    "look at `ward set list`",
                ));
            }
            save(&mut client, chart, SetChange::removing(set, additions), out).await
        }
        SetCommand::List { chart } => {
            let chart = chart_or_only(&client, chart)?;
            let view = client.chart(chart).map_err(from_client)?;
            lines(&view, out);
            out.document(&json!({"chart": chart, "sets": sets_json(&view)}));
            Ok(())
        }
    }
}

async fn save(client: &mut NativeClient, chart: ChartId, change: SetChange, out: &Out) -> Done {
    if change.removes.len() > ward_sync::limits::SET_REMOVES_MAX {
        return Err(Failure::new(
            Kind::No,
            "It was put in too often to be taken out at once",
            format!("one removal names at most {} additions", ward_sync::limits::SET_REMOVES_MAX),
            "tell whoever runs Ward for you",
        ));
    }
    let entry = client.capture(chart, change).await.map_err(from_client)?;
    out.both(
        format!("Saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry}),
    );
    Ok(())
}

/// The lists, one line an element.
pub fn lines(view: &ChartView<'_>, out: &Out) {
    for (name, set) in view.sets().iter().filter(|(_, set)| !set.elements.is_empty()) {
        out.heading(name);
        for (element, additions) in &set.elements {
            let by: Vec<String> = additions
                .iter()
                .map(|added| format!("{:?}, {}", added.author.role, day(added.captured_at())))
                .collect();
            out.line(format!("{element}  ({})", by.join("; ")));
        }
    }
}

fn sets_json(view: &ChartView<'_>) -> Vec<Value> {
    let of = |(name, set): (&String, &ward_sync::ElementSet<'_>)| {
        let elements: Vec<Value> = set
            .elements
            .iter()
            .map(|(element, additions)| {
                json!({"element": element, "additions": additions.iter().map(|added| json!({
                    "entry": added.id(), "by": added.author.person})).collect::<Vec<_>>()})
            })
            .collect();
        json!({"set": name, "elements": elements, "removed": set.removed.len()})
    };
    view.sets().iter().map(of).collect()
}
