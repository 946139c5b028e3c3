use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::UnparsedPublicKey;
use der::Encode;
use der::asn1::OctetStringRef;

use super::*;

/// The seed 00 01 … 1f with the expanded keys of RFC 9881, appendix C; of these, the SHA-256.
#[test]
fn every_form_of_the_examples_signs_and_differing_forms_are_refused() {
    let seed: Vec<u8> = (0..32).collect();
    let octet_string = |octets: &[u8]| OctetStringRef::new(octets).unwrap().to_der().unwrap();
    let both = |expanded: &[u8]| {
        let contents = [octet_string(&seed), octet_string(expanded)].concat();
        let sequence = der::Any::new(der::Tag::Sequence, contents).unwrap();
        sequence.to_der().unwrap()
    };
    for (dsa, expected) in [
        (
            MlDsa::MlDsa44,
            "04bf6b9f579166a627961dfc5c3bf9717df868db88863856356c4668c8b56b0b",
        ),
        (
            MlDsa::MlDsa65,
            "9f1e24f47795fe50040384e3d6183988047170fa2d866406b70fe0a3f8216063",
        ),
        (
            MlDsa::MlDsa87,
            "764d3e223ed90c07bc91a0ab6ecd170e5c66ffe39f7039298596039a36005435",
        ),
    ] {
        let pair = PqdsaKeyPair::from_seed(dsa.signing(), &seed).unwrap();
        let expanded = pair.private_key().as_raw_bytes().unwrap();
        let expanded = expanded.as_ref();
        let hexadecimal: String = digest(&SHA256, expanded)
            .as_ref()
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        assert_eq!(hexadecimal, expected);
        let seed_form = [&[0x80, 32], seed.as_slice()].concat();
        for form in [seed_form, both(expanded), octet_string(expanded)] {
            let key = MlDsaKey::read(dsa, &form).unwrap();
            let signature = key.sign(b"message").unwrap();
            let public = UnparsedPublicKey::new(dsa.verification(), key.public_key());
            public.verify(b"message", &signature).unwrap();
            assert!(public.verify(b"massage", &signature).is_err());
            assert_eq!(key.public_key(), pair.public_key().as_ref());
        }
        let mut other = expanded.to_vec();
        other[40] ^= 1;
        for form in [both(&other), octet_string(&seed), vec![]] {
            assert!(MlDsaKey::read(dsa, &form).is_err());
        }
    }
}
