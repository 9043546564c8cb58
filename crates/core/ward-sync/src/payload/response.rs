//! Answers to a questionnaire, in one of two forms.
//!
//! The general form holds the FHIR response itself. The dense form names the entry that brought the
//! questionnaire into the chart and holds what the questionnaire cannot tell; that is a tenth or
//! less. This crate does not look into either: the answers are bytes to it.

use super::PayloadError;
use super::text::{Occurrence, short};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, CborError, EntryId};

/// How far a response is (FHIR QuestionnaireResponse.status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ResponseStatus {
    /// Not finished.
    #[n(1)]
    Draft,
    /// Finished.
    #[n(2)]
    Completed,
    /// Finished and later changed.
    #[n(3)]
    Amended,
}

/// Who gave the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AnsweredBy {
    /// The participant alone.
    #[n(1)]
    Self_,
    /// The participant, with help.
    #[n(2)]
    WithHelp,
    /// The participant, asked by staff.
    #[n(3)]
    Interview,
}

/// Answers in the general form (version 1 of the schema).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct QuestionnaireResponse {
    /// The canonical address of the questionnaire.
    #[n(0)]
    pub instrument_url: String,
    /// Its version.
    #[n(1)]
    pub instrument_version: String,
    /// Which of the planned times.
    #[n(2)]
    pub occurrence: Occurrence,
    /// How far it is.
    #[n(3)]
    pub status: ResponseStatus,
    /// Who gave the answers.
    #[n(4)]
    pub answered_by: AnsweredBy,
    /// The FHIR R4 QuestionnaireResponse, as JSON.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub response: Vec<u8>,
}

impl QuestionnaireResponse {
    fn check(&self) -> Result<(), PayloadError> {
        short("the address of the questionnaire", &self.instrument_url)?;
        short("the version of the questionnaire", &self.instrument_version)?;
        short("the occurrence", self.occurrence.as_str())?;
        if self.response.is_empty() { Err(PayloadError::Size("the response")) } else { Ok(()) }
    }
}

/// Answers in the dense form (version 2 of the schema). Address and version of the questionnaire are
/// those of the instrument.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DenseResponse {
    /// The entry of the same chart that holds the questionnaire.
    #[n(0)]
    pub instrument: EntryId,
    /// Which of the planned times.
    #[n(1)]
    pub occurrence: Occurrence,
    /// How far it is.
    #[n(2)]
    pub status: ResponseStatus,
    /// Who gave the answers.
    #[n(3)]
    pub answered_by: AnsweredBy,
    /// The answers, as the questionnaire's items and offered answers number them.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub answers: Vec<u8>,
}

impl DenseResponse {
    fn check(&self) -> Result<(), PayloadError> {
        short("the occurrence", self.occurrence.as_str())?;
        if self.answers.is_empty() { Err(PayloadError::Size("the answers")) } else { Ok(()) }
    }
}

/// Answers to a questionnaire: a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// As a FHIR resource.
    General(QuestionnaireResponse),
    /// Bound to the entry with the questionnaire.
    Dense(DenseResponse),
}

impl Response {
    /// Which of the planned times.
    pub const fn occurrence(&self) -> &Occurrence {
        match self {
            Self::General(response) => &response.occurrence,
            Self::Dense(response) => &response.occurrence,
        }
    }

    /// How far it is.
    pub const fn status(&self) -> ResponseStatus {
        match self {
            Self::General(response) => response.status,
            Self::Dense(response) => response.status,
        }
    }

    /// Who gave the answers.
    pub const fn answered_by(&self) -> AnsweredBy {
        match self {
            Self::General(response) => response.answered_by,
            Self::Dense(response) => response.answered_by,
        }
    }

    /// The entry with the questionnaire, where the answers cannot be read without it.
    pub const fn instrument(&self) -> Option<&EntryId> {
        match self {
            Self::General(_) => None,
            Self::Dense(response) => Some(&response.instrument),
        }
    }

    pub(crate) const fn version(&self) -> u64 {
        match self {
            Self::General(_) => 1,
            Self::Dense(_) => 2,
        }
    }

    pub(crate) fn to_payload(&self) -> Vec<u8> {
        match self {
            Self::General(response) => response.to_canonical(),
            Self::Dense(response) => response.to_canonical(),
        }
    }

    /// `None` for a version that this one does not know.
    pub(super) fn of_payload(version: u64, bytes: &[u8]) -> Option<Result<Self, CborError>> {
        match version {
            1 => Some(QuestionnaireResponse::from_canonical(bytes).map(Self::General)),
            2 => Some(DenseResponse::from_canonical(bytes).map(Self::Dense)),
            _ => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        match self {
            Self::General(response) => response.check(),
            Self::Dense(response) => response.check(),
        }
    }
}

impl From<QuestionnaireResponse> for Response {
    fn from(response: QuestionnaireResponse) -> Self {
        Self::General(response)
    }
}

impl From<DenseResponse> for Response {
    fn from(response: DenseResponse) -> Self {
        Self::Dense(response)
    }
}
