//! The relay of one site: enrolment, tokens, both logs, operations, live push.
//!
//! It stores and forwards. It signs receipts, checkpoints and access tokens, and nothing that
//! gives anybody access to a chart: a stolen server yields ciphertext.
//!
//! - [`App::start`] replays the membership log, rebuilds both logs and compares them with what was
//!   signed and with what the witnesses know; it refuses to start when history is missing.
//! - [`router`] is the whole interface as a service without sockets.
//! - [`serve()`] puts it behind TLS 1.3; [`serve_witness`] does the same for a witness.
//!
//! Invariant: this crate holds no key that opens a chart, reads no clock of its own (see
//! [`Clock`]) and reads no configuration file.

mod app;
mod body_room;
mod bootstrap;
mod call;
mod client_address;
mod clock;
mod config;
mod connection;
mod cosigning;
mod damage;
mod ended_log;
mod events;
mod gate;
mod hazmat;
mod jose;
mod key_file;
pub mod limits;
mod log_desk;
mod log_signer;
mod log_tiles;
mod membership_desk;
mod metrics;
mod mlog_offers;
mod mlog_problem;
mod openapi;
mod problem_response;
mod push_desk;
mod push_problem;
mod rate;
mod recovery;
mod route_table;
mod router;
mod routes;
mod serve;
mod server_secrets;
mod session_cache;
mod store_problem;
mod telemetry;
mod tls;
mod witness_client;
mod witness_router;
mod witness_service;

pub use app::{App, AppParts, StartError};
pub use bootstrap::{BootstrapError, bootstrap_site};
pub use client_address::{AddressBlock, AddressBlockError};
pub use clock::{Clock, Entropy, EntropyError, SystemEntropy};
pub use config::{RateConfig, ServerConfig, TlsFiles};
pub use cosigning::{CosignError, LogBehind};
pub use gate::PeerAddress;
pub use jose::access_token::TokenKeyError;
pub use jose::htu::{Origin, OriginError};
pub use key_file::{KeyFileError, check_private, read_key_file, write_key_file};
pub use log_desk::LogDeskError;
pub use log_signer::ReceiptKeyError;
pub use membership_desk::MembershipLoadError;
pub use metrics::Metrics;
pub use openapi::{openapi_document, openapi_text};
pub use recovery::{RecoveryStage, Restored};
pub use route_table::{Access, Method, ROUTES, Route, RouteSpec};
pub use router::router;
pub use serve::{Listeners, ServeError, serve, serve_router, serve_witness};
pub use server_secrets::ServerSecretsError;
pub use telemetry::{LogFilterError, log_subscriber};
pub use tls::{PemText, ServedIdentity, TlsError, TlsIdentity};
pub use witness_client::{
    HttpWitness, InProcess, WitnessAddress, WitnessAddressError, WitnessClient, WitnessClientError,
    WitnessFuture,
};
pub use witness_router::witness_router;
pub use witness_service::{
    VolatileMemory, WitnessFile, WitnessMemory, WitnessMemoryError, WitnessService, WitnessServiceError,
};
