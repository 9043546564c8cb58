//! Logs: one JSON object a line. What the server writes has no id of a person, a device or a
//! chart in it; a request is named by an id of its own that stands in its answer too.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// A filter that cannot be read. The operator must act.
#[derive(Debug, thiserror::Error)]
#[error("the log filter cannot be read: {0}")]
pub struct LogFilterError(String);

/// A subscriber that writes JSON lines, for `tracing::subscriber::set_global_default`. `filter` is
/// a level such as `info`, or directives such as `ward_server=debug,warn`.
///
/// # Errors
/// [`LogFilterError`].
pub fn log_subscriber<W>(
    filter: &str,
    writer: W,
) -> Result<impl tracing::Subscriber + Send + Sync, LogFilterError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(|error| LogFilterError(error.to_string()))?;
    Ok(tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish())
}
