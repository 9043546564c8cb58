//! The way to the server: one request, one answer, and a stream of hints.

use std::future::Future;

/// The methods that Ward's protocol uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Sends.
    Post,
    /// Puts something at a place.
    Put,
    /// Withdraws.
    Delete,
}

impl HttpMethod {
    /// The method as it stands on the wire and in a DPoP proof.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Where the server is and which keys it may show, as the ticket said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerAddress {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// SHA-256 over the accepted subject public keys (SPKI): the current one and a backup.
    pub spki_pins: Vec<[u8; 32]>,
}

/// One request, complete in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// Path and query, from the first slash.
    pub path: String,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// One answer, complete in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header with this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// No answer. Nothing is lost: what was to be sent stays queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection. The app tries again later by itself.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
    /// Whoever answered does not hold a key that the ticket named: a wrong server, a proxy that
    /// opens connections, or an attack. The operator must act.
    #[error("the server at this address is not the one your invitation named; nothing was sent")]
    WrongServer,
    /// The answer took too long. The app tries again later by itself.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is larger than the protocol allows. The operator must act.
    #[error("the server's answer is larger than allowed")]
    TooLarge,
    /// This transport has no live connection for hints; polling does.
    #[error("live hints are not available here")]
    NoHints,
}

/// A stream of hints that something changed. A lost hint costs time, never data.
pub trait HintStream {
    /// The next hint: the name of the log that grew (`olog` or `mlog`); `None` when the stream
    /// ended and must be opened again.
    fn next(&mut self) -> impl Future<Output = Option<String>>;
}

/// Carries requests to the server. An implementation that talks over a network must accept
/// exactly the keys of [`ServerAddress::spki_pins`].
pub trait Transport {
    /// The stream that [`Transport::events`] opens.
    type Hints: HintStream;

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`].
    fn send(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, TransportError>>;

    /// Opens the stream of hints that `request` asks for.
    ///
    /// # Errors
    /// [`TransportError`].
    fn events(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> impl Future<Output = Result<Self::Hints, TransportError>>;
}
