//! Names of tiles and entry bundles (C2SP tlog-tiles): `tile/<L>/<N>[.p/<W>]` and
//! `tile/entries/<N>[.p/<W>]`, with the index in groups of three digits.

use crate::limits::{TILE_LEVEL_MAX, TILE_WIDTH};
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// A path that names no tile. Whoever asked for it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TilePathError {
    /// The text is not spelled as a tile path; every tile has exactly one spelling.
    #[error("not the path of a tile or of an entry bundle")]
    Malformed,
    /// The level is above 63.
    #[error("tile levels go from 0 to 63")]
    Level,
    /// A tile has between 1 and 256 hashes.
    #[error("a tile is 1 to 256 wide")]
    Width,
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of this tile level.
    Hashes(u8),
    /// Log entries.
    Entries,
}

/// The name of one tile: what it holds, its index, and how wide it is (256 when full).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// Names a tile.
    ///
    /// # Errors
    /// [`TilePathError::Level`] or [`TilePathError::Width`].
    pub const fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TilePathError> {
        if let TileKind::Hashes(level) = kind
            && level > TILE_LEVEL_MAX
        {
            return Err(TilePathError::Level);
        }
        if width == 0 || width > TILE_WIDTH {
            return Err(TilePathError::Width);
        }
        Ok(Self { kind, index, width })
    }

    /// What it holds.
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its index within the level.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Its width: 256 when full.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it is full and so never changes.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // u64::MAX has seven groups of three digits.
        let scales = (1..7).rev().map(|group| 1_000u64.pow(group));
        for scale in scales.filter(|scale| self.index >= *scale) {
            write!(f, "x{:03}/", self.index / scale % 1_000)?;
        }
        write!(f, "{:03}", self.index % 1_000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let rest = text.strip_prefix("tile/").ok_or(TilePathError::Malformed)?;
        let (kind, rest) = rest.split_once('/').ok_or(TilePathError::Malformed)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(decimal(level)?.try_into().map_err(|_| TilePathError::Level)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, decimal(width)?.try_into().map_err(|_| TilePathError::Width)?),
            None => (rest, TILE_WIDTH),
        };
        let mut digits = String::with_capacity(index.len());
        for group in index.split('/') {
            digits.push_str(group.strip_prefix('x').unwrap_or(group));
        }
        if !digits.bytes().all(|c| c.is_ascii_digit()) {
            return Err(TilePathError::Malformed);
        }
        let path = Self::new(kind, digits.parse().map_err(|_| TilePathError::Malformed)?, width)?;
        // One tile has one spelling: groups, leading zeros and ".p/256" are settled by comparing.
        if path.to_string() == text { Ok(path) } else { Err(TilePathError::Malformed) }
    }
}

fn decimal(text: &str) -> Result<u64, TilePathError> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(TilePathError::Malformed);
    }
    text.parse().map_err(|_| TilePathError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        let good = [
            ("tile/0/x001/x234/067", TileKind::Hashes(0), 1_234_067, 256),
            ("tile/0/000", TileKind::Hashes(0), 0, 256),
            ("tile/63/999.p/1", TileKind::Hashes(63), 999, 1),
            ("tile/entries/x001/000.p/255", TileKind::Entries, 1_000, 255),
            ("tile/7/x018/x446/x744/x073/x709/x551/615", TileKind::Hashes(7), u64::MAX, 256),
        ];
        for (text, kind, index, width) in good {
            let path = TilePath::new(kind, index, width).unwrap();
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
        let bad = [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/1",
            "tile/00/001",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p/",
            "tile/64/001",
            "tile/256/001",
            "tile/entry/001",
            "tile/0/+01",
            "tile/-1/001",
            "tile/0/x001/001/",
            "/tile/0/001",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/xx01/001",
            "tile/0/001.p/1/2",
        ];
        for text in bad {
            assert!(text.parse::<TilePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn width_and_level_at_the_limit_and_one_past() {
        assert!(TilePath::new(TileKind::Entries, 0, TILE_WIDTH).is_ok());
        assert_eq!(TilePath::new(TileKind::Entries, 0, TILE_WIDTH + 1), Err(TilePathError::Width));
        assert_eq!(TilePath::new(TileKind::Entries, 0, 0), Err(TilePathError::Width));
        assert!(TilePath::new(TileKind::Hashes(TILE_LEVEL_MAX), 0, 1).is_ok());
        assert_eq!(TilePath::new(TileKind::Hashes(TILE_LEVEL_MAX + 1), 0, 1), Err(TilePathError::Level));
    }

    proptest::proptest! {
        #[test]
        fn every_path_parses_back(level in 0u8..=63, index: u64, width in 1u16..=256, entries: bool) {
            let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
            let path = TilePath::new(kind, index, width).unwrap();
            proptest::prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}
