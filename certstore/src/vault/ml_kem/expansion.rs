//! From the seed of an ML-KEM key to the key itself (FIPS 203, algorithms 13 and 16).
//!
//! A seed is the form that keys are exchanged in (RFC 9935, section 6), but aws-lc-rs takes expanded keys alone. Nothing
//! here depends on a secret but through arithmetic: no branch and no index does. All else is done by aws-lc.

use aws_lc_rs::digest::{SHA3_256, SHA3_512, digest};
use zeroize::Zeroizing;

use super::shake::Shake;
use crate::cms::MlKem;

/// Length of a seed, d and z, in bytes.
pub(super) const SEED_LENGTH: usize = 64;
/// Length of d and z each, in bytes.
const HALF_SEED: usize = 32;

/// The prime that coefficients are taken modulo.
const Q: u32 = 3329;
/// A primitive 256th root of unity modulo q.
const ZETA: u32 = 17;
const COEFFICIENTS: usize = 256;

/// A polynomial, or its number-theoretic transform; each coefficient is below q.
type Polynomial = [u32; COEFFICIENTS];

/// An expanded key.
pub(super) struct Expanded {
    /// The public key.
    pub(super) encapsulation_key: Vec<u8>,
    /// The private key, which has the public key inside.
    pub(super) decapsulation_key: Zeroizing<Vec<u8>>,
}

/// Expands a seed.
pub(super) fn expand(kem: MlKem, seed: &[u8; SEED_LENGTH]) -> Expanded {
    let (d, z) = seed.split_at(HALF_SEED);
    let (encapsulation_key, secret) = key_pair(kem, d);
    let length = secret.len() + encapsulation_key.len() + 2 * HALF_SEED;
    let mut decapsulation_key = Zeroizing::new(Vec::with_capacity(length));
    decapsulation_key.extend_from_slice(&secret);
    decapsulation_key.extend_from_slice(&encapsulation_key);
    decapsulation_key.extend_from_slice(digest(&SHA3_256, &encapsulation_key).as_ref());
    decapsulation_key.extend_from_slice(z);
    Expanded {
        encapsulation_key,
        decapsulation_key,
    }
}

/// K-PKE.KeyGen (FIPS 203, algorithm 13).
fn key_pair(kem: MlKem, d: &[u8]) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
    let (rank, eta) = match kem {
        MlKem::MlKem512 => (2, 3),
        MlKem::MlKem768 => (3, 2),
        MlKem::MlKem1024 => (4, 2),
    };
    let seeds = digest(&SHA3_512, &Zeroizing::new([d, &[rank]].concat()));
    let (rho, sigma) = seeds.as_ref().split_at(HALF_SEED);
    let noise = |number| transformed_noise(sigma, number, eta);
    let secret: Vec<_> = (0..rank).map(noise).collect();
    let error = (rank..2 * rank).map(noise);

    let mut public_key = Vec::with_capacity(usize::from(rank) * 384 + rho.len());
    for (row, mut sum) in (0..rank).zip(error) {
        for (column, secret) in (0..rank).zip(&secret) {
            add_product(&mut sum, &uniform(rho, column, row), secret);
        }
        encode(&sum, &mut public_key);
    }
    public_key.extend_from_slice(rho);
    let mut private_key = Zeroizing::new(Vec::with_capacity(usize::from(rank) * 384));
    for polynomial in &secret {
        encode(polynomial, &mut private_key);
    }
    (public_key, private_key)
}

/// SampleNTT (FIPS 203, algorithm 7): a public polynomial, for a column and row of the matrix.
fn uniform(rho: &[u8], column: u8, row: u8) -> Polynomial {
    let mut octets = Shake::shake_128(&[rho, &[column, row]].concat()).map(u32::from);
    let candidates = std::iter::from_fn(|| {
        let (first, second, third) = (octets.next()?, octets.next()?, octets.next()?);
        Some([first + 256 * (second % 16), second / 16 + 16 * third])
    });
    let mut accepted = candidates.flatten().filter(|candidate| *candidate < Q);
    std::array::from_fn(|_| accepted.next().unwrap_or_default())
}

/// SamplePolyCBD of a PRF's output, transformed (FIPS 203, algorithms 8 and 9).
fn transformed_noise(sigma: &[u8], number: u8, eta: usize) -> Zeroizing<Polynomial> {
    let input = Zeroizing::new([sigma, &[number]].concat());
    let octets = Shake::shake_256(&input).take(64 * eta);
    let mut bits = octets.flat_map(|octet| (0..8).map(move |place| u32::from(octet >> place & 1)));
    let mut noise: Zeroizing<Polynomial> = Zeroizing::new(std::array::from_fn(|_| {
        let x: u32 = bits.by_ref().take(eta).sum();
        let y: u32 = bits.by_ref().take(eta).sum();
        (x + Q - y) % Q
    }));
    transform(&mut noise);
    noise
}

/// The number-theoretic transform (FIPS 203, algorithm 9).
fn transform(polynomial: &mut Polynomial) {
    let mut index = 1;
    for length in [128, 64, 32, 16, 8, 4, 2] {
        for block in polynomial.chunks_exact_mut(2 * length) {
            let zeta = power_of_zeta(reversed_bits(index));
            index += 1;
            let (low, high) = block.split_at_mut(length);
            for (low, high) in low.iter_mut().zip(high) {
                let product = zeta * *high % Q;
                *high = (*low + Q - product) % Q;
                *low = (*low + product) % Q;
            }
        }
    }
}

/// Adds the product of two transformed polynomials (FIPS 203, algorithms 11 and 12).
fn add_product(sum: &mut Polynomial, left: &Polynomial, right: &Polynomial) {
    let (sums, _) = sum.as_chunks_mut::<2>();
    let (lefts, _) = left.as_chunks::<2>();
    let (rights, _) = right.as_chunks::<2>();
    for (((index, sum), [a0, a1]), [b0, b1]) in (0..).zip(sums).zip(lefts).zip(rights) {
        let gamma = power_of_zeta(2 * reversed_bits(index) + 1);
        let [c0, c1] = sum;
        *c0 = (*c0 + a0 * b0 + a1 * b1 % Q * gamma) % Q;
        *c1 = (*c1 + a0 * b1 + a1 * b0) % Q;
    }
}

/// BitRev7 (FIPS 203, section 4.3).
fn reversed_bits(index: u8) -> u32 {
    u32::from(index.reverse_bits() >> 1)
}

fn power_of_zeta(exponent: u32) -> u32 {
    (0..exponent).fold(1, |power, _| power * ZETA % Q)
}

/// ByteEncode with 12 bits for each coefficient (FIPS 203, algorithm 5).
fn encode(polynomial: &Polynomial, output: &mut Vec<u8>) {
    let (pairs, _) = polynomial.as_chunks::<2>();
    for [first, second] in pairs {
        let [low, middle, high, _] = (first | second << 12).to_le_bytes();
        output.extend_from_slice(&[low, middle, high]);
    }
}
