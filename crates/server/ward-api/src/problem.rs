//! Errors as they travel: RFC 9457 problems in JSON.

use crate::{ErrorCode, Who};
use core::fmt;
use serde::{Deserialize, Serialize};
use ward_id::{EntryId, TimestampMs};

/// A code as it travels. A newer server may send one that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ProblemCode(u16);

impl ProblemCode {
    /// The digits after `WARD-`.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The code, if this version knows it.
    pub const fn known(self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.0)
    }
}

impl From<ErrorCode> for ProblemCode {
    fn from(code: ErrorCode) -> Self {
        Self(code.number())
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WARD-{:04}", self.0)
    }
}

impl From<ProblemCode> for String {
    fn from(code: ProblemCode) -> Self {
        code.to_string()
    }
}

/// A code that is not `WARD-` and four digits. The sender must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an error code: it is written as WARD- and four digits")]
pub struct ProblemCodeError;

impl TryFrom<String> for ProblemCode {
    type Error = ProblemCodeError;

    fn try_from(text: String) -> Result<Self, ProblemCodeError> {
        let digits =
            text.strip_prefix("WARD-").filter(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|d| d.parse().ok()).map(Self).ok_or(ProblemCodeError)
    }
}

/// Particulars that a program can act on. Absent ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemMembers {
    /// Entries in the membership log now (`MlogMoved`, `EpochStale`, `BaseUnknown`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<u64>,
    /// The counted epoch (`EpochStale`, `EpochDoesNotCount`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epoch: Option<u64>,
    /// The place at which the chain continues (`Gap`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expect: Option<u64>,
    /// The entry that stands at the place (`Fork`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry_id: Option<EntryId>,
    /// Place in the chain that the answer is about (`Fork`, `OperationSignature`, `OperationTooLarge`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// 1 salvage, 2 sever (`Revoked`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy: Option<u8>,
    /// When it ends (`Suspended`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<TimestampMs>,
    /// Seconds to wait before the next try; also sent as `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_s: Option<u32>,
    /// The limit that was passed, in the unit of its name in `GET /v1/limits`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<u64>,
    /// What is used of the limit (`QuotaReached`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub used: Option<u64>,
    /// Names the request in the server's own records, for the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}

/// An RFC 9457 problem. `detail` never holds anything of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: ProblemCode,
    /// What happened, in one sentence.
    pub title: String,
    /// The HTTP status, repeated (RFC 9457 §3.1.2).
    pub status: u16,
    /// Why, and what to do next.
    pub detail: String,
    /// Who must act.
    pub who: Who,
    /// Particulars.
    #[serde(flatten)]
    pub members: ProblemMembers,
}

impl Problem {
    /// A problem without particulars.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            who: code.who(),
            members: ProblemMembers::default(),
        }
    }

    /// The same with particulars.
    #[must_use]
    pub fn with(mut self, members: ProblemMembers) -> Self {
        self.members = members;
        self
    }

    /// The body to send.
    pub fn to_json(&self) -> String {
        // Texts and numbers only: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a body; `None` when it is no problem of Ward, for example a proxy's page.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Whether the code is this one.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code.known() == Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_flat_json_without_absent_members() {
        let members = ProblemMembers { expect: Some(7), ..ProblemMembers::default() };
        let problem = Problem::new(ErrorCode::Gap, "send from 7 on").with(members);
        let text = problem.to_json();
        assert_eq!(
            text,
            "{\"code\":\"WARD-4002\",\"title\":\"The chain continues at another place than this push begins\",\
             \"status\":409,\"detail\":\"send from 7 on\",\"who\":\"app\",\"expect\":7}"
        );
        assert_eq!(Problem::from_json(text.as_bytes()), Some(problem));
    }

    #[test]
    fn codes_and_members_of_newer_servers_are_read() {
        let text = "{\"code\":\"WARD-4999\",\"title\":\"t\",\"status\":409,\"detail\":\"d\",\"who\":\"app\",\"weather\":1}";
        let problem = Problem::from_json(text.as_bytes()).unwrap();
        assert_eq!((problem.code.number(), problem.code.known()), (4_999, None));
        assert!(!problem.is(ErrorCode::Gap));
    }

    #[test]
    fn what_is_no_problem_of_ward_is_refused() {
        for text in
            ["<html>", "{}", "{\"code\":\"X-1\",\"title\":\"\",\"status\":1,\"detail\":\"\",\"who\":\"app\"}"]
        {
            assert_eq!(Problem::from_json(text.as_bytes()), None, "{text}");
        }
        for code in ["WARD-1", "WARD-12345", "ward-1234", "WARD-+123"] {
            assert!(ProblemCode::try_from(code.to_owned()).is_err(), "{code}");
        }
    }
}
