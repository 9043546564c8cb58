//! A chart's envelopes, epochs and hints. The version vector is [`ward_id::VersionVector`], the
//! list of charts a plain array of [`ward_id::ChartId`].

use crate::{LogHead, LogName, Opaque};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use ward_id::TimestampMs;

/// Body of `POST /v1/charts/{chart}/envelopes`: contiguous envelopes of one device's chain.
pub type EnvelopeBatch = Vec<Opaque>;

/// Answer of `GET /v1/charts/{chart}/epochs`: the counted packages, oldest first.
pub type EpochPackages = Vec<Opaque>;

/// One accepted envelope: `[olog index, received_at, envelope]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EnvelopeRow {
    /// Its place in the operation log.
    #[n(0)]
    pub index: u64,
    /// When the server took it.
    #[n(1)]
    pub received_at: TimestampMs,
    /// Canonical bytes of the envelope.
    #[n(2)]
    pub envelope: Opaque,
}

/// Answer of `GET /v1/charts/{chart}/envelopes`. A page holds at least one envelope if there is
/// one, however small the wish was.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnvelopePage {
    /// Envelopes in the order of the operation log.
    #[n(0)]
    pub rows: Vec<EnvelopeRow>,
    /// Ask after this index next time. With no row: what was asked for; left out when nothing was,
    /// for then the next page begins before the first row.
    #[n(1)]
    pub next: Option<u64>,
    /// Whether there is more at once.
    #[n(2)]
    pub more: bool,
    /// The last signed head of the operation log.
    #[n(3)]
    pub checkpoint: LogHead,
}

/// Data of `event: olog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OlogHint {
    /// Leaves of the operation log; a hint, never evidence.
    pub size: u64,
}

/// A hint of the event stream. Losing every hint costs time, never data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartEvent {
    /// There are new envelopes.
    Olog(OlogHint),
    /// Membership changed.
    Mlog,
}

impl ChartEvent {
    /// The name after `event:`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Olog(_) => LogName::Olog.as_str(),
            Self::Mlog => LogName::Mlog.as_str(),
        }
    }

    /// The text after `data:`.
    pub fn data(&self) -> String {
        match self {
            Self::Olog(hint) => format!("{{\"size\":{}}}", hint.size),
            Self::Mlog => "{}".to_owned(),
        }
    }

    /// Reads one event; unknown names and data are no event for this version.
    pub fn parse(name: &str, data: &str) -> Option<Self> {
        match LogName::from_word(name)? {
            LogName::Olog => serde_json::from_str(data).ok().map(Self::Olog),
            LogName::Mlog => Some(Self::Mlog),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::{Canonical, TreeRoot};

    #[test]
    fn a_page_is_the_map_of_the_protocol() {
        let page = EnvelopePage {
            rows: vec![EnvelopeRow { index: 7, received_at: TimestampMs(1), envelope: Opaque(vec![5]) }],
            next: Some(7),
            more: false,
            checkpoint: LogHead { size: 8, root: TreeRoot::from_bytes([0; 32]) },
        };
        let bytes = page.to_canonical();
        assert_eq!(bytes[..14], [0xa4, 0, 0x81, 0x83, 7, 1, 0x41, 5, 1, 7, 2, 0xf4, 3, 0x82]);
        assert_eq!(EnvelopePage::from_canonical(&bytes), Ok(page.clone()));
        let empty = EnvelopePage { rows: Vec::new(), next: None, ..page };
        let bytes = empty.to_canonical();
        assert_eq!(bytes[..6], [0xa3, 0, 0x80, 2, 0xf4, 3], "no cursor where there is none");
        assert_eq!(EnvelopePage::from_canonical(&bytes), Ok(empty));
    }

    #[test]
    fn a_batch_is_an_array_of_byte_strings() {
        let batch: EnvelopeBatch = vec![Opaque(vec![1]), Opaque(vec![2, 3])];
        assert_eq!(batch.to_canonical(), [0x82, 0x41, 1, 0x42, 2, 3]);
    }

    #[test]
    fn hints_round_trip_and_unknown_ones_are_ignored() {
        for event in [ChartEvent::Olog(OlogHint { size: 12 }), ChartEvent::Mlog] {
            assert_eq!(ChartEvent::parse(event.name(), &event.data()), Some(event));
        }
        assert_eq!(ChartEvent::Olog(OlogHint { size: 12 }).data(), "{\"size\":12}");
        assert_eq!(ChartEvent::parse("weather", "{}"), None);
        assert_eq!(ChartEvent::parse("olog", "{}"), None);
    }
}
