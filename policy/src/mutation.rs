//! Damaged inputs for the tests of readers: the same ones in every run.

/// Damages each of `seeds` in `count` ways: bytes changed, cut out, repeated, or spliced in from another seed.
pub(crate) fn mutations(seeds: &[&[u8]], count: usize) -> Vec<Vec<u8>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut damaged = Vec::with_capacity(seeds.len() * count);
    for seed in seeds {
        for _ in 0..count {
            let mut bytes = seed.to_vec();
            for _ in 0..=random.below(3) {
                damage(&mut bytes, seeds, &mut random);
            }
            damaged.push(bytes);
        }
    }
    damaged
}

fn damage(bytes: &mut Vec<u8>, seeds: &[&[u8]], random: &mut Random) {
    let start = random.below(bytes.len());
    let end = start + random.below(bytes.len() - start);
    match random.below(5) {
        0 => bytes.truncate(start),
        1 => drop(bytes.drain(start..end)),
        2 => bytes.extend_from_within(start..end),
        3 => {
            let other = seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            bytes.splice(start..start, other[from..].iter().copied());
        }
        _ => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte = b"\0\r\n\t \"\\'()<>[]{}@,;:.*?~/\x7f\x80\xc3\xff="[random.below(30)];
            }
        }
    }
}

/// xorshift64: enough to wander about, and the same each time.
struct Random(u64);

impl Random {
    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }
}
