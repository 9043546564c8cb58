//! One request after the gate: who called, with what.

use crate::body_room::BodyShare;
use crate::gate::proof_invalid;
use crate::jose::dpop::VerifiedProof;
use crate::problem_response::{Refusal, bad_body, refuse};
use crate::route_table::RouteSpec;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::str::FromStr;
use ward_api::{ErrorCode, headers};
use ward_crypto::Role;
use ward_id::{Canonical, ChartId, DeviceId, PersonId, TimestampMs};

/// The device that calls, as the membership log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) device: DeviceId,
    pub(crate) person: PersonId,
    pub(crate) role: Role,
}

/// A request that passed the gate.
pub(crate) struct Call {
    pub(crate) spec: &'static RouteSpec,
    pub(crate) caller: Option<Caller>,
    /// The proof of a key, on routes that take one in place of a token.
    pub(crate) proof: Option<VerifiedProof>,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
    pub(crate) now: TimestampMs,
    /// The room of the body, as long as the request is handled.
    pub(crate) _room: BodyShare,
}

impl Call {
    /// The caller; the gate has put one there on every route that needs it.
    pub(crate) fn caller(&self) -> Result<Caller, Refusal> {
        self.caller.ok_or_else(|| refuse(ErrorCode::TokenMissing, "Send an access token with a DPoP proof."))
    }

    /// The proof; the gate has put one there on every route that takes one in place of a token.
    pub(crate) fn proof(&self) -> Result<&VerifiedProof, Refusal> {
        self.proof.as_ref().ok_or_else(proof_invalid)
    }

    /// A part of the path as an id.
    pub(crate) fn path_id<T: FromStr>(&self, name: &str) -> Result<T, Refusal> {
        path_id(&self.path, name)
    }

    /// A part of the path as text.
    pub(crate) fn path_text(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The chart in the path.
    pub(crate) fn chart(&self) -> Result<ChartId, Refusal> {
        self.path_id("chart")
    }

    /// The body as its type.
    pub(crate) fn decode<T: Canonical>(&self) -> Result<T, Refusal> {
        T::from_canonical(&self.body).map_err(bad_body)
    }
}

/// One part of a path as an id.
pub(crate) fn path_id<T: FromStr>(path: &[(String, String)], name: &str) -> Result<T, Refusal> {
    let text = path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    text.parse().map_err(|_| {
        refuse(ErrorCode::BadPath, format!("`{name}` is written as lower-case hexadecimal digits."))
    })
}

/// The parts of a path, by name.
pub(crate) fn path_values(params: &RawPathParams) -> Vec<(String, String)> {
    params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The query: the names of the route table with decimal integers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(&'static str, u64)>);

impl Query {
    /// Reads a query; names that the route does not know, repeated or missing ones, and values
    /// that are not plain decimals are refused.
    pub(crate) fn read(text: Option<&str>, known: &'static [(&'static str, bool)]) -> Result<Self, Refusal> {
        let bad = |what: &str| refuse(ErrorCode::BadQuery, format!("The query {what}."));
        let mut values: Vec<(&'static str, u64)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| bad("has a part without a value"))?;
            let (name, _) = known
                .iter()
                .find(|(key, _)| *key == name)
                .ok_or_else(|| bad("has a name that this path does not know"))?;
            if values.iter().any(|(key, _)| key == name) {
                return Err(bad("names a value twice"));
            }
            let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value
                .parse()
                .ok()
                .filter(|_| plain)
                .ok_or_else(|| bad("has a value that is no decimal integer"))?;
            values.push((name, number));
        }
        match known.iter().find(|(name, required)| *required && !values.iter().any(|(key, _)| key == name)) {
            Some((name, _)) => Err(bad(&format!("lacks `{name}`"))),
            None => Ok(Self(values)),
        }
    }

    /// A value, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// A value that the route table requires.
    pub(crate) fn required(&self, name: &str) -> Result<u64, Refusal> {
        self.get(name).ok_or_else(|| refuse(ErrorCode::BadQuery, format!("The query lacks `{name}`.")))
    }
}

/// What a handler gives back.
pub(crate) type Answer = Result<Response, Refusal>;

/// An answer with a body of the route's media type and its status.
pub(crate) fn answer(spec: &RouteSpec, body: impl Into<Body>) -> Answer {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(spec.success).unwrap_or(StatusCode::OK);
    if let Some(media) = spec.gives {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    }
    Ok(response)
}

/// An answer in CBOR.
pub(crate) fn answer_cbor(spec: &RouteSpec, value: &impl Canonical) -> Answer {
    debug_assert_eq!(spec.gives, Some(headers::MEDIA_CBOR));
    answer(spec, value.to_canonical())
}

/// An answer without a body.
pub(crate) fn done(spec: &RouteSpec) -> Answer {
    answer(spec, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&str, bool)] = &[("from", true), ("to", false)];

    #[test]
    fn queries_are_closed() {
        let query = Query::read(Some("to=9&from=3"), KNOWN).unwrap();
        assert_eq!((query.get("from"), query.get("to"), query.get("x")), (Some(3), Some(9), None));
        for bad in [
            None,
            Some("to=1"),
            Some("from"),
            Some("from=1&from=1"),
            Some("from=1&x=1"),
            Some("from=-1"),
            Some("from=+1"),
            Some("from=0x1"),
            Some("from="),
            Some("from=18446744073709551616"),
        ] {
            assert!(Query::read(bad, KNOWN).is_err(), "{bad:?}");
        }
    }
}
