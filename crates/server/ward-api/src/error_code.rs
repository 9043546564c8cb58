//! The registry of error codes. A code never changes its meaning and is never used again for
//! another one; a new cause gets a new number.
//!
//! 1xxx requests and encoding, 2xxx identity and tokens, 3xxx membership, 4xxx operations and
//! logs, 5xxx storage and availability.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The person at the device, or whoever they ask.
    Person,
    /// The app, without a person: retry, read on, update, or be repaired.
    App,
    /// Whoever runs the server.
    Operator,
    /// Nobody: it passes by itself.
    Server,
}

macro_rules! error_codes {
    ($($name:ident = $number:literal, $status:literal, $who:ident, $title:literal;)*) => {
        /// A cause of refusal or failure that the server names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum ErrorCode {
            $(
                #[doc = concat!("`WARD-", stringify!($number), "` (HTTP ", stringify!($status), "): ", $title, ".")]
                $name = $number,
            )*
        }

        impl ErrorCode {
            /// All codes, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code with this number; `None` for one that this version does not know.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The HTTP status (RFC 9110 §15) that goes with it.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }

            /// Who must act.
            pub const fn who(self) -> Who {
                match self {
                    $(Self::$name => Who::$who,)*
                }
            }

            /// What happened, in one sentence without particulars.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

error_codes! {
    // Requests and encoding.
    MediaType = 1001, 415, App, "The body has another media type than this path takes";
    Malformed = 1002, 400, App, "The body is not an encoding of what this path takes";
    NotCanonical = 1003, 400, App, "The body is not the canonical encoding of its value";
    BadPath = 1004, 400, App, "A part of the path is not an id of the expected kind";
    BadQuery = 1005, 400, App, "The query lacks a value or has one that cannot be read";
    TooLarge = 1006, 413, App, "The body is larger than this path takes";
    NotFound = 1007, 404, App, "There is nothing at this path";
    MethodNotAllowed = 1008, 405, App, "This path does not take this method";
    NotImplemented = 1009, 501, App, "This path is reserved for a later version";
    Suite = 1010, 400, App, "The suite or version is not one that this site accepts";
    RequestTimeout = 1011, 408, App, "The request did not arrive in time";
    BadForm = 1012, 400, App, "The form is not a token request";
    // Identity and tokens.
    TokenMissing = 2001, 401, App, "This path needs an access token";
    TokenInvalid = 2002, 401, App, "The access token is not valid here";
    TokenExpired = 2003, 401, App, "The access token has ended";
    ProofInvalid = 2004, 401, App, "The proof of possession is missing or not valid";
    UseNonce = 2005, 401, App, "The proof of possession needs the nonce of this answer";
    ProofReplayed = 2006, 401, App, "This proof of possession was used before";
    SessionEnded = 2007, 401, App, "The session of this device was ended";
    DeviceUnknown = 2008, 401, Person, "No certificate of this device stands in the membership log";
    CertificateExpired = 2009, 403, Person, "The certificate of this device has ended";
    Revoked = 2010, 403, Person, "This device was revoked";
    Suspended = 2011, 403, Person, "This device is suspended for a time";
    RoleNotAllowed = 2012, 403, Person, "The role of this device may not do this";
    RefreshInvalid = 2013, 401, App, "The refresh token is not valid";
    RefreshReused = 2014, 401, Person, "The refresh token was used before, so the session was ended";
    TicketUnknown = 2020, 404, Person, "There is no such ticket";
    TicketUsed = 2021, 409, Person, "The ticket was used before";
    TicketBurnt = 2022, 410, Person, "The ticket was ended after too many wrong proofs";
    TicketExpired = 2023, 410, Person, "The time of the ticket has run out";
    TicketVoid = 2024, 410, Person, "The ticket was withdrawn";
    TicketProof = 2025, 403, App, "The proof for this ticket is wrong";
    TooManyTickets = 2026, 409, Person, "The site has as many open tickets as it may have";
    TicketExists = 2027, 409, App, "A ticket with this id exists";
    TicketState = 2028, 409, App, "The ticket cannot go to this state from where it is";
    TicketLife = 2029, 400, App, "The ticket would live longer than a ticket may";
    NotRevoked = 2046, 404, App, "The membership log says nothing against this device";
    // Membership.
    NotMember = 3001, 403, Person, "This device is not a member of the chart";
    MlogMoved = 3002, 409, App, "The membership log moved on; read it and sign again";
    MlogEntryInvalid = 3003, 422, App, "The membership entry breaks a rule of its kind";
    SignerNotAuthorised = 3004, 403, Person, "A signer of the membership entry may not sign it";
    MoreSignatures = 3005, 409, Person, "The membership entry needs another person's signature";
    MlogSignature = 3006, 422, App, "A signature of the membership entry does not hold";
    BaseUnknown = 3007, 409, App, "The membership entry names a base that is not a head of this log";
    ReservedKind = 3008, 422, App, "This kind of membership entry is reserved for a later version";
    EpochDoesNotCount = 3009, 409, App, "The epoch is not the one after the counted epoch, or is for other members";
    PackageMismatch = 3010, 422, App, "The epoch package is missing or is not the announced one";
    ProposalUnknown = 3011, 404, App, "There is no such proposal";
    TooManyProposals = 3012, 409, Person, "As many proposals wait as may wait";
    TooManyMembers = 3013, 409, Person, "The chart has as many members as it may have";
    TooManyDevices = 3014, 409, Person, "The person has as many devices as they may have";
    KeyUsedBefore = 3015, 409, App, "A public key of the certificate stands in an earlier one";
    // Operations and logs.
    EpochStale = 4001, 409, App, "The envelope is sealed under another epoch than the counted one";
    Gap = 4002, 409, App, "The chain continues at another place than this push begins";
    Fork = 4003, 409, App, "Another entry stands at this place of the chain";
    OperationSignature = 4004, 422, App, "The signature of an envelope does not hold";
    ForeignDevice = 4005, 403, App, "The envelope is of another device than the caller";
    NotOneChain = 4006, 422, App, "The envelopes are not one contiguous piece of one chain";
    OtherChart = 4007, 422, App, "The envelope names another chart or site than the path";
    MemberSetMismatch = 4008, 409, App, "The members at the envelope's head are not those of its epoch";
    OperationTooLarge = 4009, 413, App, "An operation is larger than an operation may be";
    PushTooLarge = 4010, 413, App, "A push has more operations or bytes than it may have";
    IndexBeyondLog = 4011, 404, App, "The log is not that long";
    TileUnknown = 4012, 404, App, "There is no such tile";
    BadRange = 4013, 400, App, "The range is empty, backwards or longer than may be asked for at once";
    TooManyChains = 4014, 409, Person, "This device has begun as many chains in this chart as it may";
    NotRelayed = 4040, 422, App, "Nothing proves that the membership entry stood at this place";
    NotReopening = 4041, 409, App, "The operation log is not waiting to be opened again";
    OldCheckpointRefused = 4042, 422, App, "This is not a cosigned checkpoint of the log that ended";
    DropRecipients = 4046, 422, App, "The drop is sealed to a device that was no staff member of the chart";
    TooManyDrops = 4047, 409, Person, "As many drops of this device or chart wait as may wait";
    DropUnknown = 4048, 404, App, "There is no such drop";
    BlobUnknown = 4052, 404, App, "The server has no such blob of this chart";
    BlobIncomplete = 4053, 409, App, "The blob is still being sent";
    BlobMismatch = 4054, 422, App, "The chunks together do not have the address of the blob";
    BlobShape = 4055, 422, App, "A chunk has a place or a length that the blob's size does not give";
    TooManyUploads = 4056, 409, App, "This device sends as many blobs at a time as it may";
    // Storage and availability.
    StorageFull = 5001, 507, Operator, "The server has no room; nothing of this request was stored";
    Busy = 5002, 503, Server, "The server has more to do than it can; try again later";
    RateLimited = 5003, 429, App, "Too many requests; wait before the next";
    TooManyConnections = 5004, 429, App, "This device has as many connections as it may have";
    StoreCorrupt = 5005, 500, Operator, "What the server read back is not what it stored";
    StoreStopped = 5006, 503, Operator, "The store could not be made durable and takes nothing until a restart";
    Internal = 5007, 500, Operator, "The server failed in a way that it does not know";
    Draining = 5008, 503, Server, "The server is shutting down; try again";
    WitnessesUnreachable = 5009, 503, Operator, "Fewer witnesses answered than are needed";
    RequestSlow = 5011, 503, Server, "The server did not finish in time; try again";
    MlogRecovering = 5040, 503, Server, "The server was restored and waits for entries of its membership log";
    AwaitsReopening = 5041, 503, Operator, "The server was restored and waits until an admin reopens its operation log";
    QuotaReached = 5052, 507, Operator, "The room of this chart or device is used up; nothing was stored";
    ReadOnly = 5053, 503, Operator, "The server can read but not write; nothing of this request was stored";
}

impl ErrorCode {
    /// The digits after `WARD-`.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether the same request can succeed later without anybody doing anything.
    pub const fn passes_by_itself(self) -> bool {
        matches!(self.who(), Who::Server) || matches!(self, Self::RateLimited | Self::TooManyConnections)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WARD-{:04}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registry as reviewed: a code that changes its number, status or actor fails here.
    const REVIEWED: &str = include_str!("../testdata/error-codes.txt");

    #[test]
    fn the_registry_is_the_reviewed_one() {
        let mut text = String::new();
        for code in ErrorCode::ALL {
            text.push_str(&format!("{code} {} {:?} {code:?}: {}\n", code.status(), code.who(), code.title()));
        }
        assert_eq!(text, REVIEWED, "write this into testdata/error-codes.txt if it is meant:\n{text}");
    }

    #[test]
    fn numbers_rise_and_read_back() {
        assert!(ErrorCode::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
            assert!((400..600).contains(&code.status()), "{code}");
            assert!(!code.title().ends_with('.') && code.title().len() < 80, "{code}");
        }
        assert_eq!(ErrorCode::from_number(0), None);
    }

    #[test]
    fn an_operator_is_named_for_failures_of_the_server_only() {
        for &code in ErrorCode::ALL {
            if matches!(code.who(), Who::Operator | Who::Server) {
                assert!(code.number() >= 5_000 && code.status() >= 500, "{code}");
            }
        }
    }
}
