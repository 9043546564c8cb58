//! A chart with the name under which people know it.

use super::wording::{one_line, short_id};
use ward_id::ChartId;
use ward_sync::ChartView;

/// The profile field that holds a participant's name.
const NAME_FIELD: &str = "name";

/// A chart with the name under which people know it.
#[derive(Debug, Clone)]
pub struct NamedChart<'a> {
    /// The chart: the participant's pseudonym in exports.
    pub chart: ChartId,
    /// The participant's name, else the first digits of the chart's id. For screens and for the
    /// participant's own page; exports for research do not hold it.
    pub label: String,
    /// What the chart amounts to.
    pub view: &'a ChartView<'a>,
}

impl<'a> NamedChart<'a> {
    /// Names a chart by the profile field `name`. Where several names are current, all are shown.
    pub fn new(chart: ChartId, view: &'a ChartView<'a>) -> Self {
        let names: Vec<String> = view
            .profile()
            .get(NAME_FIELD)
            .into_iter()
            .flat_map(|thread| &thread.current)
            .map(|written| one_line(&written.value.value))
            .filter(|name| !name.is_empty())
            .collect();
        let label = if names.is_empty() { short_id(&chart) } else { names.join(" / ") };
        Self { chart, label, view }
    }
}
