//! Suites: one byte fixes every algorithm, and nothing is negotiated.

use crate::CryptoError;
use crate::codec::numbered;

numbered! {
    /// The algorithms of a format. Suite 2 is reserved and refused when decoding.
    Suite {
        /// X-Wing, HKDF-SHA256, AES-256-GCM, SHA-256, Ed25519 and P-256 for hardware keys.
        W1 = 1,
    }
}

/// What this program knows and the site manifest's `min_suite` allows.
///
/// ```
/// use ward_crypto::{AcceptedSuites, Suite};
/// assert!(AcceptedSuites::from_min(1).check(Suite::W1).is_ok());
/// assert!(AcceptedSuites::from_min(2).check(Suite::W1).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedSuites {
    min: u8,
}

impl AcceptedSuites {
    /// Every suite that this program knows.
    pub const ALL: Self = Self { min: 1 };

    /// The suites from `min` on.
    pub const fn from_min(min: u8) -> Self {
        Self { min }
    }

    /// Refuses a suite below the site's least.
    ///
    /// # Errors
    /// [`CryptoError::SuiteRefused`].
    pub const fn check(self, suite: Suite) -> Result<(), CryptoError> {
        if suite.number() < self.min {
            return Err(CryptoError::SuiteRefused { suite: suite.number(), min: self.min });
        }
        Ok(())
    }
}
