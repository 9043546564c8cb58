//! A correction of answers is about the planned time of the answers that it corrects. To move them would
//! take what was answered from one time and give it to another, with the hour of the first.

use crate::ClientError;
use ward_sync::{ChartView, Draft, Payload};

/// Refuses a correction that names another planned time.
pub(super) fn keeps_its_time(draft: &Draft, view: &ChartView<'_>) -> Result<(), ClientError> {
    let (Payload::Response(response), Some(corrected)) = (&draft.payload, draft.amends) else {
        return Ok(());
    };
    let threads = view.responses().values().flatten();
    let mut versions = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
    let earlier = versions.find(|version| version.id() == corrected);
    let names_another = earlier.is_some_and(|version| version.value.occurrence() != response.occurrence());
    if names_another {
        return Err(ClientError::NotAllowed("a correction keeps the planned time of what it corrects"));
    }
    Ok(())
}
