//! Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature.

use crate::limits::{NOTE_MAX_BYTES, NOTE_MAX_SIGNATURES, NOTE_SIGNATURE_MAX_BYTES, SIGNER_NAME_MAX_BYTES};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use core::str::FromStr;

/// Bytes or text that are not a signed note. Whoever sent it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note is longer than [`NOTE_MAX_BYTES`].
    #[error("the note has {bytes} bytes; at most 65,536 are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Control characters other than line ends.
    #[error("the note contains control characters")]
    ControlCharacter,
    /// No empty line between text and signatures, or no final line end.
    #[error("the note is not a text, an empty line and signature lines")]
    Layout,
    /// A signature line is not an em dash, a name and base64.
    #[error("a signature line is malformed")]
    SignatureLine,
    /// More signatures than [`NOTE_MAX_SIGNATURES`], or none.
    #[error("the note has {got} signatures; 1 to 16 are read")]
    SignatureCount {
        /// How many.
        got: usize,
    },
    /// A name is empty, too long, or contains spaces, plus signs or control characters.
    #[error("a signer's name is 1 to 255 bytes without spaces, plus signs and control characters")]
    Name,
}

/// The name of a log or of a witness. A log's name is the origin line of its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerName(String);

impl SignerName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SignerName {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > SIGNER_NAME_MAX_BYTES || text.contains(refused) {
            return Err(NoteError::Name);
        }
        Ok(Self(text.to_string()))
    }
}

impl<C> minicbor::Encode<C> for SignerName {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for SignerName {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("not the name of a signer"))
    }
}

/// One signature line. Not verified by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who says to have signed.
    pub name: SignerName,
    /// Short identifier of name, kind and key.
    pub key_id: [u8; 4],
    /// The bytes behind the key id; their meaning depends on the kind of the key.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads one signature line without its line end.
    ///
    /// # Errors
    /// [`NoteError::SignatureLine`] or [`NoteError::Name`].
    pub fn from_line(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::SignatureLine)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
        let name = name.parse()?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::SignatureLine)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::SignatureLine)?;
        if signature.is_empty() || signature.len() > NOTE_SIGNATURE_MAX_BYTES {
            return Err(NoteError::SignatureLine);
        }
        Ok(Self { name, key_id: *key_id, signature: signature.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A note: its text and its signature lines. Parsing says nothing about who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A note over a text that ends with a line end.
    ///
    /// # Errors
    /// [`NoteError::Layout`], [`NoteError::ControlCharacter`], [`NoteError::SignatureCount`] or
    /// [`NoteError::TooLong`].
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Layout);
        }
        let note = Self { text, signatures };
        let written = note.to_string();
        // The parser knows every rule; a note that does not read back must not exist.
        if Self::from_str(&written)? == note { Ok(note) } else { Err(NoteError::Layout) }
    }

    /// The signed text with its final line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The same note with one more signature line.
    ///
    /// # Errors
    /// [`NoteError::SignatureCount`] or [`NoteError::TooLong`].
    pub fn with_signature(&self, signature: NoteSignature) -> Result<Self, NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.push(signature);
        Self::new(self.text.clone(), signatures)
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        for signature in &self.signatures {
            write!(f, "\n{signature}")?;
        }
        f.write_str("\n")
    }
}

impl FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_MAX_BYTES {
            return Err(NoteError::TooLong { bytes: note.len() });
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::ControlCharacter);
        }
        // The last empty line separates the text from the signatures.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Layout)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Layout)?;
        let got = lines.split('\n').count();
        if got > NOTE_MAX_SIGNATURES {
            return Err(NoteError::SignatureCount { got });
        }
        let signatures = lines.split('\n').map(NoteSignature::from_line).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: alloc::format!("{text}\n"), signatures })
    }
}

impl<C> minicbor::Encode<C> for SignedNote {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for SignedNote {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("not a signed note"))
    }
}

/// A hash as it stands in checkpoints and proof lines: padded base64, one spelling.
pub(crate) fn base64_hash(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Writes bytes as padded base64.
pub(crate) fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A decimal number without sign and leading zeros.
pub(crate) fn decimal_u64(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
