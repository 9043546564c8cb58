//! The device's session: one access token at a time, renewed at 60 % of its life. The client is
//! one task, so a renewal is never in flight twice.

use crate::limits::TOKEN_RENEW_PERCENT;
use ward_api::{RefreshText, TokenAnswer};
use ward_id::TimestampMs;
use zeroize::Zeroizing;

struct Access {
    token: Zeroizing<String>,
    renew_at_ms: u64,
    ends_at_ms: u64,
}

/// Tokens and the server's last nonce. Times are of the monotonic clock.
#[derive(Default)]
pub(crate) struct Session {
    access: Option<Access>,
    refresh: Option<RefreshText>,
    unsaved: bool,
    nonce: Option<String>,
    /// The server's time in the last nonce, and the monotonic clock when it came.
    server_time: Option<(i64, u64)>,
}

impl Session {
    /// Takes up a session that was stored.
    pub(crate) fn resume(refresh_token: Option<String>) -> Self {
        Self { refresh: refresh_token.map(RefreshText::new), ..Self::default() }
    }

    /// The access token, unless it is due for renewal.
    pub(super) fn fresh_access(&self, now_ms: u64) -> Option<Zeroizing<String>> {
        self.access.as_ref().filter(|access| now_ms < access.renew_at_ms).map(|access| access.token.clone())
    }

    /// The access token as long as it lives; used when a renewal failed.
    pub(super) fn living_access(&self, now_ms: u64) -> Option<Zeroizing<String>> {
        self.access.as_ref().filter(|access| now_ms < access.ends_at_ms).map(|access| access.token.clone())
    }

    /// The refresh token.
    pub(super) fn refresh(&self) -> Option<&RefreshText> {
        self.refresh.as_ref()
    }

    /// Takes the server's answer.
    pub(super) fn accept(&mut self, answer: &TokenAnswer, now_ms: u64) {
        let life_ms = u64::from(answer.expires_in) * 1_000;
        self.access = Some(Access {
            token: Zeroizing::new(answer.access_token.clone()),
            renew_at_ms: now_ms.saturating_add(life_ms * TOKEN_RENEW_PERCENT / 100),
            ends_at_ms: now_ms.saturating_add(life_ms),
        });
        self.refresh = Some(RefreshText::new(answer.refresh_token.clone()));
        self.unsaved = true;
    }

    /// The refresh token, if it changed since it was last stored.
    pub(crate) fn take_unsaved_refresh(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.unsaved) {
            return None;
        }
        self.refresh.as_ref().map(|text| text.as_str().to_owned())
    }

    /// The refresh token was not stored after all.
    pub(crate) const fn keep_unsaved(&mut self) {
        self.unsaved = self.refresh.is_some();
    }

    /// Drops the access token: the server did not take it.
    pub(super) fn drop_access(&mut self) {
        self.access = None;
    }

    /// Drops the refresh token: its family ended.
    pub(super) fn drop_refresh(&mut self) {
        self.refresh = None;
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Takes the server's nonce. It begins with the server's time, so that proofs are dated right
    /// on a device whose own clock is wrong.
    pub(super) fn set_nonce(&mut self, nonce: &str, now_ms: u64) {
        self.nonce = Some(nonce.to_owned());
        let bytes = ward_id::base64url_decode(nonce).unwrap_or_default();
        if let Some((time, _)) = bytes.split_first_chunk::<8>() {
            self.server_time = Some((i64::from_be_bytes(*time), now_ms));
        }
    }

    /// The server's time now, as far as a nonce told; else what the wall clock says.
    pub(super) fn server_now(&self, now_ms: u64, wall: TimestampMs) -> TimestampMs {
        let since = |at: u64| i64::try_from(now_ms.saturating_sub(at)).unwrap_or(0);
        self.server_time.map_or(wall, |(time, at)| TimestampMs(time).plus_ms(since(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_tells_the_time() {
        let mut session = Session::default();
        assert_eq!(session.server_now(5, TimestampMs(7)), TimestampMs(7));
        let nonce = ward_id::base64url_encode(&[&1_000_i64.to_be_bytes()[..], &[0; 16]].concat());
        session.set_nonce(&nonce, 50);
        assert_eq!(session.server_now(60, TimestampMs(7)), TimestampMs(1_010));
        session.set_nonce("short", 60);
        assert_eq!(session.server_now(60, TimestampMs(7)), TimestampMs(1_010));
    }

    #[test]
    fn renewal_is_due_at_sixty_percent() {
        let mut session = Session::default();
        let answer = TokenAnswer {
            access_token: "a".into(),
            token_type: "DPoP".into(),
            expires_in: 100,
            refresh_token: "r".into(),
        };
        session.accept(&answer, 1_000);
        assert!(session.fresh_access(60_999).is_some() && session.fresh_access(61_000).is_none());
        assert!(session.living_access(100_999).is_some() && session.living_access(101_000).is_none());
        session.drop_access();
        assert!(session.living_access(1_000).is_none());
    }
}
