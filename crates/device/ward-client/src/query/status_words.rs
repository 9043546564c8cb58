//! What keeps entries on a device, in plain sentences: for people who are ill or tired, without
//! blame, and each with what happens next.

/// The store was set back.
pub(crate) const SET_BACK: &str = "set-back";
/// No sync was ever tried.
pub(crate) const NEVER_SYNCED: &str = "never-synced";
/// The server was not there.
pub(crate) const UNREACHABLE: &str = "unreachable";

/// A stable word of [`crate::Status::stops`] as a sentence.
pub fn stop_words(stop: &str) -> &'static str {
    match stop {
        UNREACHABLE => {
            "The server could not be reached. What you wrote is safe here and goes out by itself later."
        }
        NEVER_SYNCED => "This device has not met the server yet. It does so with the next sync.",
        SET_BACK => {
            "This device was set back to an earlier state. It must meet the server once before you can write."
        }
        "stale" | "time-unknown" => {
            "This device must first hear from the site again who may read. That happens with the next sync."
        }
        "needs-rotation" => {
            "The care team changed and a new key is being made. What you wrote goes out after that, by itself."
        }
        "revoked" => {
            "This device was taken out of the study. What you wrote is still here. Please call your site."
        }
        "suspended" => {
            "This device is paused for a time. What you wrote is safe here. Please call your site."
        }
        "certificate-expired" => {
            "This device's certificate has ended. What you wrote is safe here. Please call your site."
        }
        "rollback" | "equivocation" => {
            "The server showed something that does not fit. Sending waits until somebody has looked. Please call your \
             site."
        }
        "entries-lost" => "Some of what was saved here is gone. Please look below at what to enter again.",
        "local-rollback" => "This device had been set back to an earlier state; it was brought up to date.",
        "own-fork" => {
            "This device's data had been copied; both parts are kept, and what waited goes out by itself."
        }
        "incomplete" | "place-not-proved" => {
            "The server has not shown everything yet. Nothing of yours is lost; the next sync asks again."
        }
        "broken-promise" | "other-history" | "hidden-tail" | "device-fork" | "bad-envelope"
        | "bad-package" => {
            "Something on the server's side does not fit. Nothing of yours is lost. Please tell your site."
        }
        _ => "The last sync could not be finished. What you wrote is safe here; the next sync tries again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_has_words_and_none_of_them_says_synced() {
        for stop in
            [UNREACHABLE, NEVER_SYNCED, SET_BACK, "stale", "revoked", "suspended", "failed", "rollback"]
        {
            let words = stop_words(stop);
            assert!(words.len() > 20 && words.ends_with('.') && !words.contains("synced"), "{words}");
        }
        assert_ne!(stop_words("revoked"), stop_words("something else"));
    }
}
