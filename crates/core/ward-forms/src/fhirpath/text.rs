//! Texts of an evaluation.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text: borrowed from the data or from the expression, or built and then shared, so that no copy of a
/// value copies a text.
#[derive(Clone)]
pub struct Text<'d>(Held<'d>);

#[derive(Clone)]
enum Held<'d> {
    Borrowed(&'d str),
    Shared(Arc<str>),
}

impl<'d> Text<'d> {
    pub(super) const fn borrowed(text: &'d str) -> Self {
        Self(Held::Borrowed(text))
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Held::Borrowed(text) => text,
            Held::Shared(text) => text,
        }
    }

    /// A text of one's own.
    #[must_use]
    pub fn into_owned(self) -> String {
        self.as_str().to_owned()
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self::borrowed("")
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<'d> From<&'d str> for Text<'d> {
    fn from(text: &'d str) -> Self {
        Self::borrowed(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Held::Shared(text.into()))
    }
}

impl<'d> From<Cow<'d, str>> for Text<'d> {
    fn from(text: Cow<'d, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::borrowed(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}
