//! Reads a gzip file (RFC 1952, RFC 1951): enough for files that are known to be whole.

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> usize {
        let mut value = 0;
        for shift in 0..count {
            let bit = self.bytes[self.at / 8] >> (self.at % 8) & 1;
            value |= usize::from(bit) << shift;
            self.at += 1;
        }
        value
    }
}

/// A prefix code: for each length how many codes, and the symbols in order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn of(lengths: &[usize]) -> Self {
        let mut counts = [0; 16];
        for length in lengths {
            counts[*length] += 1;
        }
        counts[0] = 0;
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|symbol| lengths[*symbol] > 0).collect();
        symbols.sort_by_key(|symbol| (lengths[*symbol], *symbol));
        Self { counts, symbols }
    }

    fn read(&self, bits: &mut Bits<'_>) -> usize {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for length in 1..16 {
            code |= bits.take(1);
            let count = self.counts[length];
            if code < first + count {
                return self.symbols[index + code - first];
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        panic!("not a code");
    }
}

const LENGTH_BASE: [usize; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_BITS: [usize; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const CODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The content of a gzip file.
pub fn gunzip(file: &[u8]) -> Vec<u8> {
    assert_eq!(&file[..3], [0x1f, 0x8b, 8], "not a gzip file");
    let flags = file[3];
    let mut start = 10;
    if flags & 4 != 0 {
        start += 2 + usize::from(u16::from_le_bytes([file[start], file[start + 1]]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            start += file[start..].iter().position(|byte| *byte == 0).unwrap() + 1;
        }
    }
    let mut bits = Bits { bytes: file, at: start * 8 };
    let mut out = Vec::new();
    loop {
        let last = bits.take(1) == 1;
        match bits.take(2) {
            0 => {
                let at = bits.at.div_ceil(8);
                let len = usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
                out.extend_from_slice(&file[at + 4..at + 4 + len]);
                bits.at = (at + 4 + len) * 8;
            }
            1 => {
                let mut lengths = vec![8; 144];
                lengths.extend([9; 112]);
                lengths.extend([7; 24]);
                lengths.extend([8; 8]);
                block(&mut bits, &Code::of(&lengths), &Code::of(&[5; 30]), &mut out);
            }
            _ => {
                let (literals, distances) = codes(&mut bits);
                block(&mut bits, &literals, &distances, &mut out);
            }
        }
        if last {
            break;
        }
    }
    let size = u32::from_le_bytes(file[file.len() - 4..].try_into().unwrap());
    assert_eq!(out.len(), size as usize, "the file is cut");
    out
}

fn codes(bits: &mut Bits<'_>) -> (Code, Code) {
    let (literals, distances, codes) = (bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4);
    let mut lengths = [0; 19];
    for slot in CODE_ORDER.iter().take(codes) {
        lengths[*slot] = bits.take(3);
    }
    let code = Code::of(&lengths);
    let mut all: Vec<usize> = Vec::new();
    while all.len() < literals + distances {
        let (value, times) = match code.read(bits) {
            16 => (*all.last().unwrap(), 3 + bits.take(2)),
            17 => (0, 3 + bits.take(3)),
            18 => (0, 11 + bits.take(7)),
            length => (length, 1),
        };
        all.extend(std::iter::repeat_n(value, times));
    }
    (Code::of(&all[..literals]), Code::of(&all[literals..]))
}

fn block(bits: &mut Bits<'_>, literals: &Code, distances: &Code, out: &mut Vec<u8>) {
    loop {
        match literals.read(bits) {
            256 => return,
            byte @ 0..256 => out.push(byte as u8),
            symbol => {
                let length = LENGTH_BASE[symbol - 257] + bits.take(LENGTH_BITS[symbol - 257]);
                let symbol = distances.read(bits);
                let extra = (symbol / 2).saturating_sub(1);
                let distance =
                    if symbol < 4 { symbol + 1 } else { ((2 + symbol % 2) << extra) + 1 + bits.take(extra) };
                for _ in 0..length {
                    out.push(out[out.len() - distance]);
                }
            }
        }
    }
}
