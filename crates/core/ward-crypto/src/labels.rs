//! Every domain-separation label of the protocol, in one place.
//!
//! A signature covers `label || digest` and a derived key names its label, so that no signature
//! and no key means anything outside its purpose. [`Label`] has no public constructor: a new
//! purpose is a new line here.

/// A purpose. Only the constants of this module exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(&'static str);

impl Label {
    /// The ASCII bytes, without an end mark.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

/// What every label begins with. Raw notes that begin so are not signed.
pub const PREFIX: &str = "ward/v1/";

macro_rules! labels {
    ($list:ident: $($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Label = Label($text);)*
        #[cfg(test)]
        const $list: &[Label] = &[$($name),*];
    };
}

labels! { SIGNED:
    /// A device's two signatures over its own binding.
    BINDING = "ward/v1/binding";
    /// Entries of the membership log.
    MLOG = "ward/v1/mlog";
    /// The signature made when a person acts.
    CAPTURE = "ward/v1/capture";
    /// The signature over a sealed envelope.
    OP_SIG = "ward/v1/op-sig";
    /// The signature over a drop envelope.
    DROP_SIG = "ward/v1/drop-sig";
    /// The signature over an epoch package.
    PKG = "ward/v1/pkg";
    /// The server's receipt.
    RECEIPT = "ward/v1/receipt";
    /// A witness's answer to a nonce.
    WITNESS_TIME = "ward/v1/witness-time";
    /// A signature under a waiver of policy.
    WAIVER = "ward/v1/waiver";
}

labels! { DERIVED:
    /// The name of an entry.
    ENTRY = "ward/v1/entry";
    /// The context of an envelope.
    REC_HDR = "ward/v1/rec-hdr";
    /// Key, commitment and nonce of an envelope.
    REC = "ward/v1/rec";
    /// What the signature of an envelope covers.
    OP = "ward/v1/op";
    /// The commitment to an epoch secret.
    EPOCH_COM = "ward/v1/epoch-com";
    /// The wrap of an epoch secret for one device.
    EPOCH_WRAP = "ward/v1/epoch-wrap";
    /// The key that seals the epoch secret before.
    HIST = "ward/v1/hist";
    /// The members of a chart.
    MEMBERS = "ward/v1/members";
    /// The drop box.
    DROP = "ward/v1/drop";
    /// The sealed enrolment request.
    ENROL = "ward/v1/enrol";
    /// The proof that redeems a ticket.
    REDEEM = "ward/v1/redeem";
    /// The half of a ticket's secret that the server gets.
    TICKET_SRV = "ward/v1/ticket/srv";
    /// The half of a ticket's secret that the server never gets.
    TICKET_PSK = "ward/v1/ticket/psk";
    /// The six words of the comparison.
    SAS = "ward/v1/sas";
    /// Hedged randomness.
    HEDGE = "ward/v1/hedge";
    /// The wrap of a device's local key-encryption key.
    LKEK = "ward/v1/lkek";
    /// The key of the local store.
    LOCAL_STORE = "ward/v1/local-store";
    /// The wrap of a device's own keys.
    DEVICE_KEYS = "ward/v1/device-keys";
    /// The wrap of a sealed file's key, and what the file begins with.
    SEALED_FILE = "ward/v1/sealed-file";
    /// What every chunk of a blob is bound to.
    BLOB = "ward/v1/blob";
    /// The wraps of the key of a file with unsent work, and what the file begins with.
    UNSENT = "ward/v1/unsent";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn labels_are_distinct_and_share_the_prefix() {
        let all: Vec<_> = SIGNED.iter().chain(DERIVED).collect();
        let distinct: BTreeSet<_> = all.iter().map(|label| label.0).collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|label| label.0.starts_with(PREFIX) && label.0.is_ascii()));
    }

    /// Then `label || digest` of one purpose can never be read as that of another.
    #[test]
    fn no_signature_label_begins_another() {
        for a in SIGNED {
            for b in SIGNED {
                assert!(a == b || !b.0.starts_with(a.0), "{} begins {}", a.0, b.0);
            }
        }
    }
}
