use aws_lc_rs::digest::{SHA256, digest};
use der::asn1::OctetStringRef;
use der::{Any, Encode, Tag};

use super::*;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// DER of a seed, alone or with an expanded key, as PKCS#8 has it.
fn seed(octets: &[u8]) -> Vec<u8> {
    [&[0x80, u8::try_from(octets.len()).unwrap()], octets].concat()
}

fn octet_string(octets: &[u8]) -> Vec<u8> {
    OctetStringRef::new(octets).unwrap().to_der().unwrap()
}

fn both(seed: &[u8], expanded: &[u8]) -> Vec<u8> {
    let contents = [octet_string(seed), octet_string(expanded)].concat();
    Any::new(Tag::Sequence, contents).unwrap().to_der().unwrap()
}

/// The seed 00 01 … 3f with the expanded keys of RFC 9935, appendix C, and two pairs that Bouncy Castle made; of the
/// expanded keys, the SHA-256.
#[test]
fn seeds_expand_as_others_expand_them() {
    let counting: Vec<u8> = (0..64).collect();
    for (kem, seed, expected) in [
        (
            MlKem::MlKem512,
            counting.clone(),
            "17fb29b8c4baf74fb81eea15ffd583b3e37f5a5b8dcf6db96c72c3b3751d6f17",
        ),
        (
            MlKem::MlKem768,
            counting.clone(),
            "dac268bde6a8dd238e9887117d6b664e7a7a9350ad6b7c08a948e504809572a5",
        ),
        (
            MlKem::MlKem1024,
            counting,
            "3a2a676c5a242ee683cb6097c8f3e64fbef4d90267f9250ec2beab8f99621fad",
        ),
        (
            MlKem::MlKem512,
            octets(
                "d13887137a290c9317e423f54957bf87eb4631e2344b7df43bfe7f2aafdc8e00\
                 42647ead2776415afc8863e3713090db88563c9dc1c5a3a742cedabf27eaee9b",
            ),
            "b22612ee337553c61737a046a34922041215c20a4deb38681cf58699e4c7f09b",
        ),
        (
            MlKem::MlKem768,
            octets(
                "46a81bd538213ff720278452c9aa528985112d782b4a6f6137402d0a05bd4ce3\
                 3e8fe086cba0e494d9de0d54ad74a5dab5ebdc11420c9829112b5f6a709e56fd",
            ),
            "66a1ff460b754e72ae7dc858484be790bc68de3acc898d84209e7c31122acab5",
        ),
    ] {
        let expanded = expand(kem, seed.as_slice().try_into().unwrap());
        let digest = digest(&SHA256, &expanded.decapsulation_key);
        assert_eq!(hexadecimal(digest.as_ref()), expected, "{kem:?}");
    }
}

#[test]
fn every_form_is_the_same_key_and_keeps_its_seed() {
    for kem in MlKem::ALL {
        let octets: [u8; SEED_LENGTH] = std::array::from_fn(|place| place as u8);
        let expanded = expand(kem, &octets).decapsulation_key;
        let mut written = Vec::new();
        for form in [
            seed(&octets),
            both(&octets, &expanded),
            octet_string(&expanded),
        ] {
            let key = MlKemKey::read(kem, &form).unwrap();
            assert_eq!(key.public_key, expand(kem, &octets).encapsulation_key);
            written.push(key.to_pkcs8().unwrap().len());
        }
        assert_eq!(written[..2], [86, 86]);
        assert_eq!(written[2], expanded.len() + 28);
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let kem = MlKem::MlKem512;
    let octets: [u8; SEED_LENGTH] = std::array::from_fn(|place| place as u8);
    let good = expand(kem, &octets).decapsulation_key;
    let changed = |place: usize| {
        let mut key = good.to_vec();
        key[place] ^= 1;
        key
    };
    for (name, form, expected) in [
        ("nothing", vec![], KeyRejection::Damaged),
        ("bare octets", octets.to_vec(), KeyRejection::Damaged),
        ("an integer", vec![2, 1, 0], KeyRejection::Damaged),
        (
            "cut off",
            seed(&octets)[..40].to_vec(),
            KeyRejection::Damaged,
        ),
        ("a short seed", seed(&octets[..63]), KeyRejection::Refused),
        ("no octets", octet_string(&[]), KeyRejection::Refused),
        (
            "a short key",
            octet_string(&good[1..]),
            KeyRejection::Refused,
        ),
        (
            "changed secret",
            octet_string(&changed(1)),
            KeyRejection::Refused,
        ),
        (
            "changed public key",
            octet_string(&changed(800)),
            KeyRejection::Refused,
        ),
        (
            "changed digest",
            octet_string(&changed(1632 - 64)),
            KeyRejection::Refused,
        ),
        (
            "two that differ",
            both(&octets, &changed(1631)),
            KeyRejection::Refused,
        ),
    ] {
        assert_eq!(MlKemKey::read(kem, &form).err(), Some(expected), "{name}");
    }
    let other = MlKemKey::read(MlKem::MlKem768, &octet_string(&good));
    assert_eq!(other.err(), Some(KeyRejection::Refused));
}
