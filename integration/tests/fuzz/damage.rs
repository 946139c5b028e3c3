//! How inputs are broken: bytes changed, cut out, repeated, and spliced in from elsewhere.

/// xorshift64*: enough to wander about.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        high as usize % limit.max(1)
    }
}

/// Bytes that mean something to somebody who reads ASN.1, SMTP, MIME or TOML.
const TELLING: &[u8] =
    b"\0\x01\x02\x04\x06\x30\x31\x7f\x80\x81\x82\x84\xa0\xff\r\n\t \"'\\().<>@,;:[]{}=*?~/#";

/// One of `seeds`, damaged in one to four places.
pub(crate) fn damaged(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        damage(&mut bytes, seeds, random);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let start = random.below(bytes.len());
    let end = start + random.below((bytes.len() - start).min(64));
    match random.below(8) {
        0 => bytes.truncate(start),
        1 => drop(bytes.drain(start..end)),
        2 => bytes.extend_from_within(start..end),
        3 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            let length = random.below(other.len() - from);
            bytes.splice(start..end, other[from..from + length].iter().copied());
        }
        4 => {
            let run = vec![TELLING[random.below(TELLING.len())]; random.below(2_000)];
            bytes.splice(start..start, run);
        }
        _ => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte = TELLING[random.below(TELLING.len())];
            }
        }
    }
}
