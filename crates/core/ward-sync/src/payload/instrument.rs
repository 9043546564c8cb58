//! A questionnaire of the study, and when it is due, in one of two forms.
//!
//! The first form knows days that follow one another at one distance. The second holds a schedule as
//! bytes. This crate does not look into them: what they plan, and whether they can be followed, is told
//! by those who read questionnaires.

use super::PayloadError;
use super::text::short;
use crate::limits::{SCHEDULE_MAX_BYTES, SCHEDULE_MAX_DAYS};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, CborError};

/// A questionnaire of the study, with the days on which it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// The canonical address of the questionnaire.
    pub url: String,
    /// Its version.
    pub version: String,
    /// The FHIR R4 Questionnaire, as JSON.
    pub questionnaire: Vec<u8>,
    /// When it is due.
    pub schedule: InstrumentSchedule,
}

/// When a questionnaire is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstrumentSchedule {
    /// On days at one distance (version 1 of the schema).
    EveryDays {
        /// The first day it is due, in days since 1970-01-01.
        first_day: i64,
        /// Days from one time to the next; 0 for once.
        every_days: u16,
        /// Days over which it is repeated.
        days: u16,
    },
    /// As a schedule says (version 2 of the schema).
    Planned(Vec<u8>),
}

/// Version 1.
#[derive(Encode, Decode)]
#[cbor(map)]
struct WithDays {
    #[n(0)]
    url: String,
    #[n(1)]
    version: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    questionnaire: Vec<u8>,
    #[n(3)]
    first_day: i64,
    #[n(4)]
    every_days: u16,
    #[n(5)]
    days: u16,
}

/// Version 2.
#[derive(Encode, Decode)]
#[cbor(map)]
struct WithSchedule {
    #[n(0)]
    url: String,
    #[n(1)]
    version: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    questionnaire: Vec<u8>,
    #[cbor(n(3), with = "minicbor::bytes")]
    schedule: Vec<u8>,
}

impl Instrument {
    pub(crate) const fn version(&self) -> u64 {
        match self.schedule {
            InstrumentSchedule::EveryDays { .. } => 1,
            InstrumentSchedule::Planned(_) => 2,
        }
    }

    pub(crate) fn to_payload(&self) -> Vec<u8> {
        let Self { url, version, questionnaire, schedule } = self.clone();
        match schedule {
            InstrumentSchedule::EveryDays { first_day, every_days, days } => {
                WithDays { url, version, questionnaire, first_day, every_days, days }.to_canonical()
            }
            InstrumentSchedule::Planned(schedule) => {
                WithSchedule { url, version, questionnaire, schedule }.to_canonical()
            }
        }
    }

    /// `None` for a version that this one does not know.
    pub(super) fn of_payload(version: u64, bytes: &[u8]) -> Option<Result<Self, CborError>> {
        match version {
            1 => Some(WithDays::from_canonical(bytes).map(Self::from)),
            2 => Some(WithSchedule::from_canonical(bytes).map(Self::from)),
            _ => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the address of the questionnaire", &self.url)?;
        short("the version of the questionnaire", &self.version)?;
        if self.questionnaire.is_empty() {
            return Err(PayloadError::Size("the questionnaire"));
        }
        let fits = match &self.schedule {
            InstrumentSchedule::EveryDays { every_days, days, .. } => {
                *every_days <= SCHEDULE_MAX_DAYS && *days <= SCHEDULE_MAX_DAYS
            }
            InstrumentSchedule::Planned(schedule) => {
                !schedule.is_empty() && schedule.len() <= SCHEDULE_MAX_BYTES
            }
        };
        if fits { Ok(()) } else { Err(PayloadError::Size("the schedule")) }
    }
}

impl From<WithDays> for Instrument {
    fn from(wire: WithDays) -> Self {
        let WithDays { url, version, questionnaire, first_day, every_days, days } = wire;
        let schedule = InstrumentSchedule::EveryDays { first_day, every_days, days };
        Self { url, version, questionnaire, schedule }
    }
}

impl From<WithSchedule> for Instrument {
    fn from(wire: WithSchedule) -> Self {
        let WithSchedule { url, version, questionnaire, schedule } = wire;
        Self { url, version, questionnaire, schedule: InstrumentSchedule::Planned(schedule) }
    }
}
