//! SHAKE128 and SHAKE256 (FIPS 202), for the expansion of ML-KEM seeds: aws-lc offers no function with an output of any
//! length. Input of one block at most, which is all that the expansion absorbs.

use zeroize::Zeroize;

/// Words of the state, and octets in one.
const WORDS: usize = 25;
const WORD: usize = 8;
const ROUNDS: usize = 24;
const SHAKE_128_RATE: usize = 168;
const SHAKE_256_RATE: usize = 136;
/// The suffix of both, and the first bit of the padding (FIPS 202, sections 6.2 and 5.1).
const SUFFIX: u8 = 0x1f;
const LAST_BIT: u8 = 0x80;

/// A sponge that gives out as many octets as are taken from it.
pub(super) struct Shake {
    state: [u64; WORDS],
    /// Octets of the state that are given out before the next permutation.
    block: Vec<u8>,
    rate: usize,
    given: usize,
}

impl Shake {
    /// SHAKE128 of `input`, which is shorter than 168 octets.
    pub(super) fn shake_128(input: &[u8]) -> Self {
        Self::absorb(SHAKE_128_RATE, input)
    }

    /// SHAKE256 of `input`, which is shorter than 136 octets.
    pub(super) fn shake_256(input: &[u8]) -> Self {
        Self::absorb(SHAKE_256_RATE, input)
    }

    fn absorb(rate: usize, input: &[u8]) -> Self {
        debug_assert!(input.len() < rate);
        let mut block = vec![0; rate];
        let suffix = input.iter().chain(&[SUFFIX]);
        for (octet, input) in block.iter_mut().zip(suffix) {
            *octet = *input;
        }
        if let Some(last) = block.last_mut() {
            *last |= LAST_BIT;
        }
        let mut state = [0; WORDS];
        for (word, octets) in state.iter_mut().zip(block.chunks_exact(WORD)) {
            *word = octets
                .iter()
                .rev()
                .fold(0, |word, octet| word << 8 | u64::from(*octet));
        }
        Self {
            state,
            block,
            rate,
            given: rate,
        }
    }

    fn squeeze(&mut self) {
        permute(&mut self.state);
        let octets = self.state.iter().flat_map(|word| word.to_le_bytes());
        for (octet, squeezed) in self.block.iter_mut().zip(octets) {
            *octet = squeezed;
        }
        self.given = 0;
    }
}

impl Iterator for Shake {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.given == self.rate {
            self.squeeze();
        }
        let octet = self.block.get(self.given).copied();
        self.given += 1;
        octet
    }
}

impl Drop for Shake {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

/// KECCAK-f[1600] (FIPS 202, section 3.3); the word of lane (x, y) is the one at x + 5y.
#[expect(
    clippy::indexing_slicing,
    reason = "every index is a remainder by 5 or 25, whatever the input"
)]
fn permute(state: &mut [u64; WORDS]) {
    for constant in round_constants() {
        // θ
        let mut parity = [0; 5];
        for (index, word) in state.iter().enumerate() {
            parity[index % 5] ^= *word;
        }
        for (index, word) in state.iter_mut().enumerate() {
            *word ^= parity[(index + 4) % 5] ^ parity[(index + 1) % 5].rotate_left(1);
        }
        // ρ and π: lane after lane along the path of π, each rotated by a triangular number.
        let mut lane = (1, 0);
        let mut moving = state[1];
        for step in 1..WORDS {
            lane = (lane.1, (2 * lane.0 + 3 * lane.1) % 5);
            let place = (lane.0 + 5 * lane.1) % WORDS;
            let rotation = u32::try_from(step * (step + 1) / 2 % 64).unwrap_or_default();
            (moving, state[place]) = (state[place], moving.rotate_left(rotation));
        }
        // χ
        for row in state.chunks_exact_mut(5) {
            let before: [u64; 5] = std::array::from_fn(|x| row[x % 5]);
            for (x, word) in row.iter_mut().enumerate() {
                *word = before[x] ^ (!before[(x + 1) % 5] & before[(x + 2) % 5]);
            }
        }
        // ι
        state[0] ^= constant;
    }
}

/// The constants of ι, by their shift register (FIPS 202, section 3.2.5).
fn round_constants() -> [u64; ROUNDS] {
    let mut register: u8 = 1;
    std::array::from_fn(|_| {
        (0..7).fold(0, |constant, j| {
            let bit = u64::from(register & 1);
            let overflow = register >> 7;
            register = (register << 1) ^ (overflow * 0x71);
            constant | bit << ((1 << j) - 1)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outputs by `openssl dgst -shake128` and `-shake256`; two of them lie across the end of the first block.
    #[test]
    fn outputs_are_those_of_openssl() {
        for (shake, from, expected) in [
            (Shake::shake_128(b""), 0, "7f9c2ba4e88f827d616045507605853e"),
            (
                Shake::shake_128(b"abc"),
                160,
                "cc29082f5647584e6aa01b3f5af05780",
            ),
            (
                Shake::shake_256(b"abc"),
                0,
                "483366601360a8771c6863080cc4114d",
            ),
            (
                Shake::shake_256(b"abc"),
                128,
                "e8a2d7ec71a7cc29cf0ea610eeff1a58",
            ),
        ] {
            let output: String = shake
                .skip(from)
                .take(16)
                .map(|octet| format!("{octet:02x}"))
                .collect();
            assert_eq!(output, expected);
        }
    }
}
