//! The bytes that are signed: canonical CBOR of everything a waiver says, and of who signs.

use super::{SignerRole, Waiver};
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use ward_id::Canonical as _;

/// Version of the signed words.
const VERSION: u8 = 1;

/// Everything that a signature covers, in its order for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct SignedWords {
    #[n(0)]
    version: u8,
    #[n(1)]
    rule: String,
    #[n(2)]
    aspect: Option<String>,
    #[n(3)]
    resource: String,
    #[cbor(n(4), with = "minicbor::bytes")]
    binds: [u8; 32],
    #[n(5)]
    observed: Vec<String>,
    #[n(6)]
    reason: String,
    #[n(7)]
    alternative: Option<String>,
    #[n(8)]
    ticket: Option<String>,
    #[n(9)]
    written: String,
    #[n(10)]
    expires: String,
    #[n(11)]
    role: String,
    #[n(12)]
    name: String,
    #[cbor(n(13), with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(14)]
    stage: String,
}

impl Waiver {
    /// The digest that somebody signs in a part. It covers all words, and who signs as what: a signature
    /// of an author is never one of an approver.
    #[must_use]
    pub fn digest(&self, role: SignerRole, name: &str, key: &[u8; 32]) -> [u8; 32] {
        Sha256::digest(self.signed_bytes(role, name, key)).into()
    }

    fn signed_bytes(&self, role: SignerRole, name: &str, key: &[u8; 32]) -> Vec<u8> {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let words = SignedWords {
            version: VERSION,
            rule: self.rule.to_string(),
            aspect: text(&self.aspect),
            resource: self.resource.to_string(),
            binds: self.binds,
            observed: self.observed.iter().map(ToString::to_string).collect(),
            reason: self.reason.to_string(),
            alternative: text(&self.alternative),
            ticket: text(&self.ticket),
            written: self.written.to_string(),
            expires: self.expires.to_string(),
            role: role.word().to_owned(),
            name: name.to_owned(),
            key: *key,
            stage: self.stage.to_string(),
        };
        words.to_canonical()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Day;
    use crate::rules::RuleId;
    use std::path::PathBuf;

    fn waiver() -> Waiver {
        Waiver {
            rule: RuleId::parse("W-003").unwrap(),
            aspect: None,
            resource: "module.trial[0].aws_db_instance.answers".into(),
            stage: "production".into(),
            binds: [7; 32],
            observed: vec!["kms_key_id is not set".into()],
            reason: "The key service of this region is being moved.".into(),
            alternative: Some("The provider's key, and rights of its own for the account.".into()),
            ticket: None,
            written: Day::parse("2026-11-30").unwrap(),
            expires: Day::parse("2027-01-31").unwrap(),
            signatures: Vec::new(),
        }
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_vector() {
        let bytes = waiver().signed_bytes(SignerRole::Author, "Ann Meyer", &[9; 32]);
        let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/waiver-v1.txt"));
        let found = format!("{}\n", ward_id::hex_encode(&bytes));
        if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&file).unwrap());
        assert_eq!(SignedWords::from_canonical(&bytes).unwrap().name, "Ann Meyer");
    }

    #[test]
    fn every_word_and_who_signs_as_what_is_signed() {
        let one = waiver();
        let mut digests = vec![
            one.digest(SignerRole::Author, "Ann", &[1; 32]),
            one.digest(SignerRole::Approver, "Ann", &[1; 32]),
            one.digest(SignerRole::Author, "Bo", &[1; 32]),
            one.digest(SignerRole::Author, "Ann", &[2; 32]),
        ];
        let changes: [fn(&mut Waiver); 11] = [
            |one| one.rule = RuleId::parse("W-004").unwrap(),
            |one| one.aspect = Some("logs".into()),
            |one| one.resource = "aws_db_instance.other".into(),
            |one| one.stage = "test".into(),
            |one| one.binds = [8; 32],
            |one| one.observed.clear(),
            |one| one.reason = "Another.".into(),
            |one| one.alternative = None,
            |one| one.ticket = Some("T-1".into()),
            |one| one.written = one.written.plus(1),
            |one| one.expires = one.expires.plus(1),
        ];
        for change in changes {
            let mut other = one.clone();
            change(&mut other);
            digests.push(other.digest(SignerRole::Author, "Ann", &[1; 32]));
        }
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
