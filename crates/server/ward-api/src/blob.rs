//! Blobs on their way: which chunks the server has.

use minicbor::{Decode, Encode};

/// Answer of `GET` and `PUT` on a blob: what the server has of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobState {
    /// Bytes of ciphertext.
    #[n(0)]
    pub sealed_size: u64,
    /// How many chunks there are.
    #[n(1)]
    pub chunks: u32,
    /// The chunks that are missing, ascending. None of a blob that is complete.
    #[n(2)]
    pub missing: Vec<u32>,
    /// Whether the chunks were all there and had the address together. Only then can they be read.
    #[n(3)]
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn a_state_is_the_map_of_the_protocol() {
        let state = BlobState { sealed_size: 20, chunks: 1, missing: vec![0], complete: false };
        let bytes = state.to_canonical();
        assert_eq!(bytes, [0xa4, 0, 20, 1, 1, 2, 0x81, 0, 3, 0xf4]);
        assert_eq!(BlobState::from_canonical(&bytes), Ok(state));
    }
}
