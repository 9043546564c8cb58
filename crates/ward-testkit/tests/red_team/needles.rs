//! Looking for texts in bytes, in every spelling in which they could stand there.

use std::collections::{BTreeSet, HashMap};
use ward_id::{base64url_encode, hex_encode};

/// Bytes of a spelling that are looked up at once. No spelling is shorter.
const START: usize = 4;

/// Texts and bytes that are looked for.
pub struct Needles {
    names: Vec<String>,
    /// Whether a spelling begins with these two bytes.
    begins: Vec<bool>,
    spellings: HashMap<[u8; START], Vec<(usize, Vec<u8>)>>,
}

impl Needles {
    /// Looks for nothing yet.
    pub fn new() -> Self {
        Self { names: Vec::new(), begins: vec![false; 1 << 16], spellings: HashMap::new() }
    }

    /// Looks for texts as they are, as UTF-16, in hexadecimal and inside base64.
    pub fn texts<'a>(mut self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        for text in texts {
            let mut spellings = vec![text.as_bytes().to_vec(), hex_encode(text.as_bytes()).into_bytes()];
            spellings.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            for shift in 0..3 {
                let url = inside_base64(text.as_bytes(), shift);
                spellings.push(url.replace('-', "+").replace('_', "/").into_bytes());
                spellings.push(url.into_bytes());
            }
            self = self.bytes(text, &spellings);
        }
        self
    }

    /// Looks for bytes.
    pub fn bytes(mut self, name: &str, spellings: &[Vec<u8>]) -> Self {
        let known = self.names.len();
        self.names.push(name.to_owned());
        for spelling in spellings {
            self.begins[usize::from(u16::from_be_bytes([spelling[0], spelling[1]]))] = true;
            let start = spelling[..START].try_into().unwrap();
            self.spellings.entry(start).or_default().push((known, spelling.clone()));
        }
        self
    }

    /// How many are looked for.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// What stands in the bytes.
    pub fn found_in(&self, hay: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, pair) in hay.array_windows().enumerate() {
            if !self.begins[usize::from(u16::from_be_bytes(*pair))] {
                continue;
            }
            let Some(start) = hay.get(at..at + START) else { break };
            let here = self.spellings.get(start).into_iter().flatten();
            found.extend(
                here.filter(|(_, spelling)| hay[at..].starts_with(spelling))
                    .map(|(name, _)| self.names[*name].as_str()),
            );
        }
        found
    }
}

/// The characters that a text gives in base64 whatever stands around it, begun at this place of a
/// group of three.
fn inside_base64(text: &[u8], shift: usize) -> String {
    let encoded = base64url_encode(&[vec![0; shift], text.to_vec()].concat());
    let whole = (shift + text.len()) / 3 * 4;
    encoded[shift * 4 / 3 + usize::from(shift > 0)..whole].to_owned()
}

#[test]
fn every_spelling_is_found_and_nothing_else() {
    let needles = Needles::new().texts(["kestrel-4711", "other-words"]).bytes("time", &[vec![1, 2, 3, 4, 5]]);
    assert_eq!(needles.len(), 3);
    let text = b"kestrel-4711";
    let around = |inner: &[u8]| [b"before ".as_slice(), inner, b" after"].concat();
    for shift in 0..3 {
        let json = [vec![b'x'; shift], text.to_vec(), vec![b'y'; 5]].concat();
        let encoded = around(base64url_encode(&json).as_bytes());
        assert_eq!(needles.found_in(&encoded), BTreeSet::from(["kestrel-4711"]), "shift {shift}");
    }
    for inner in [text.to_vec(), hex_encode(text).into_bytes()] {
        assert_eq!(needles.found_in(&around(&inner)), BTreeSet::from(["kestrel-4711"]));
    }
    assert_eq!(needles.found_in(&[0, 1, 2, 3, 4, 5]), BTreeSet::from(["time"]));
    assert!(needles.found_in(b"kestrel-471 1 other_words").is_empty());
}
