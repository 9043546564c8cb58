//! The public way in: every item here is safe to call in any order with any input.

mod auth_key;
mod batch;
mod blob;
mod capture;
mod certificate;
mod device_keys;
mod digest;
mod drop_box;
mod enc_key;
mod enrolment;
mod envelope;
mod epoch;
mod local_store;
mod manifest;
mod padding;
mod random;
mod root_policy;
mod sealed_file;
mod sign_key;
mod suite;
mod ticket;
mod unsent_file;

pub use auth_key::{AuthPublicKey, AuthSigner, SoftwareAuthKey};
pub use batch::BatchVerifier;
pub use blob::{BlobKey, BlobLayout, BlobOpener, BlobSealer, SealedBlob};
pub use capture::CaptureSignature;
pub use certificate::{
    AttestLevel, CounterSignatures, DeviceBinding, DeviceBindingFields, DeviceCert, DeviceCertFields, Idv,
    Role,
};
pub use device_keys::DeviceKeys;
pub use digest::{labelled_hash, sha256};
pub use drop_box::{DropEnvelope, DropEnvelopeFields, DropWrap, open_drop, seal_drop};
pub use enc_key::{EncKey, EncPublicKey};
pub use enrolment::{
    EnrolBlob, EnrolBlobFields, EnrolRequest, open_enrol_request, sas_words, seal_enrol_request,
};
pub use envelope::{
    Envelope, EnvelopeFields, EnvelopeHeader, EpochSecret, VerifiedEnvelope, open_envelope, seal_envelope,
    verify_envelopes,
};
pub use epoch::{
    EpochHeader, EpochPackage, EpochPackageFields, EpochWrap, NewEpoch, PreviousEpoch, make_epoch_package,
    member_set_hash, member_set_hash_of_key_hashes, open_epoch_package, open_history,
};
pub use local_store::{Lkek, LocalKey, WrappingKey};
pub use manifest::{AdminEntry, MinAttest, SiteManifest, SiteManifestFields, WitnessEntry};
pub use padding::{pad, padded_len, unpad};
pub use random::{HedgeKey, HedgedRng, RandomId, random_bytes, random_id, random_incarnation};
pub use root_policy::{RootPolicy, RootPolicyFields};
pub use sealed_file::{FileOpener, FileSealer};
pub use sign_key::{SignKey, SignPublicKey};
pub use suite::{AcceptedSuites, Suite};
pub use ticket::{RedeemKey, Ticket, TicketFields, TicketSecret};
pub use unsent_file::{
    ExportPassphrase, PassphraseWrap, UnsentHeader, UnsentHeaderFields, UnsentWrap, seal_unsent_header,
};
