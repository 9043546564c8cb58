//! A value that the source marks as secret: rules evaluate it, nothing prints it.

use super::Attribute;
use std::fmt;

/// What reports show instead of a secret value.
pub const HIDDEN: &str = "(sensitive value, not shown)";

/// A secret value. It has no way to the outside: `Debug` shows only that it is one, and there is
/// no `Display` and no serialisation. Rules of this crate look inside.
#[derive(Clone, PartialEq)]
pub struct Sensitive(Box<Attribute>);

impl Sensitive {
    /// Keeps a value from being shown.
    #[must_use]
    pub fn new(value: Attribute) -> Self {
        match value {
            Attribute::Sensitive(already) => already,
            other => Self(Box::new(other)),
        }
    }

    /// The value, for evaluation only.
    pub(crate) fn value(&self) -> &Attribute {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Attribute::Sensitive(Sensitive::new(Attribute::text("hunter2")));
        assert_eq!(format!("{secret:?}"), "Sensitive((sensitive))");
        assert_eq!(secret.shown(), HIDDEN);
    }
}
