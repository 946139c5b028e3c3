//! Ugly input for the BER reader.

use super::*;

/// The octets of one OCTET STRING, or why there are none.
fn octets(input: &[u8]) -> Result<Vec<u8>, BerError> {
    let element = Element::only(input)?;
    if element.tag() != Tag::OCTET_STRING {
        return Err(BerError::UnexpectedTag);
    }
    Ok(element.octets()?.into_owned())
}

type Form = (&'static str, &'static str, Result<&'static str, BerError>);

/// What an OCTET STRING can look like, and what only looks like one.
const FORMS: &[Form] = &[
    ("empty input", "", Err(BerError::Truncated)),
    ("tag alone", "04", Err(BerError::Truncated)),
    ("empty string", "0400", Ok("")),
    ("short", "0402 6869", Ok("hi")),
    ("length in two octets", "048102 6869", Ok("hi")),
    (
        "length with leading zeros",
        "048500000000 02 6869",
        Ok("hi"),
    ),
    (
        "length of nine octets with zeros",
        "0489000000000000000002 6869",
        Ok("hi"),
    ),
    (
        "length beyond the machine",
        "0489010000000000000000",
        Err(BerError::OutOfRange),
    ),
    ("length ff", "04ff00", Err(BerError::OutOfRange)),
    (
        "length longer than the input",
        "04027a",
        Err(BerError::Truncated),
    ),
    (
        "huge length",
        "0488ffffffffffffffff",
        Err(BerError::Truncated),
    ),
    ("trailing", "0401 61 00", Err(BerError::TrailingData)),
    (
        "indefinite primitive",
        "0480 0000",
        Err(BerError::IndefinitePrimitive),
    ),
    ("pieces, definite", "2406 040168 040169", Ok("hi")),
    ("pieces, indefinite", "2480 040168 040169 0000", Ok("hi")),
    (
        "nested pieces",
        "2480 2403040168 2480 040169 0000 0000",
        Ok("hi"),
    ),
    ("one piece", "2404 04026869", Ok("hi")),
    ("no pieces", "2400", Ok("")),
    ("no pieces, indefinite", "2480 0000", Ok("")),
    ("empty pieces", "2480 0400 0400 0000", Ok("")),
    (
        "a zero octet is no end mark",
        "2480 04020000 0000",
        Ok("\0\0"),
    ),
    ("no end mark", "2480 040168", Err(BerError::Truncated)),
    (
        "half an end mark",
        "2480 040168 00",
        Err(BerError::Truncated),
    ),
    (
        "an end mark too many",
        "2480 0000 0000",
        Err(BerError::TrailingData),
    ),
    (
        "a piece that is no string",
        "2403 020101",
        Err(BerError::UnexpectedTag),
    ),
    (
        "a piece that is cut off",
        "2403 040568",
        Err(BerError::Truncated),
    ),
    ("another type", "020101", Err(BerError::UnexpectedTag)),
    ("high tag number", "1f8101 00", Err(BerError::UnexpectedTag)),
    (
        "endless tag number",
        "1f8181818181",
        Err(BerError::OutOfRange),
    ),
];

#[test]
fn strings_in_every_form_and_ugly_input() {
    for (name, input, expected) in FORMS {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        assert_eq!(octets(&hex(input)), expected, "{name}");
    }
}

#[test]
fn nesting_is_bounded_without_using_the_stack() {
    for (levels, expected) in [
        (10, Ok(b"x".to_vec())),
        (31, Ok(b"x".to_vec())),
        (40, Err(BerError::TooDeep)),
        (1_000_000, Err(BerError::TooDeep)),
    ] {
        let indefinite = [
            [0x24, 0x80].repeat(levels),
            b"\x04\x01x".to_vec(),
            [0, 0].repeat(levels),
        ];
        assert_eq!(octets(&indefinite.concat()), expected, "{levels} levels");
    }
    let mut definite = b"\x04\x01x".to_vec();
    for _ in 0..40 {
        definite.splice(
            0..0,
            [
                0x24,
                0x82,
                (definite.len() >> 8) as u8,
                definite.len() as u8,
            ],
        );
    }
    assert_eq!(octets(&definite), Err(BerError::TooDeep));
}

#[test]
fn integers_and_bit_strings_keep_to_their_range() {
    for (input, expected) in [
        ("020100", Ok(0)),
        ("02020100", Ok(256)),
        ("02047fffffff", Ok(0x7fff_ffff)),
        ("020400000001", Ok(1)),
        ("02050000000001", Err(BerError::InvalidValue)),
        ("0201ff", Err(BerError::InvalidValue)),
        ("0200", Err(BerError::InvalidValue)),
        ("2203020101", Err(BerError::UnexpectedTag)),
    ] {
        let bytes = hex(input);
        assert_eq!(
            Element::only(&bytes).unwrap().small_integer(),
            expected,
            "{input}"
        );
    }
    for (input, expected) in [
        ("03020061", Ok(&b"a"[..])),
        ("0300", Err(BerError::InvalidValue)),
        ("03020161", Err(BerError::InvalidValue)),
    ] {
        let bytes = hex(input);
        assert_eq!(
            Element::only(&bytes).unwrap().bit_string(),
            expected,
            "{input}"
        );
    }
}

#[test]
fn the_constructed_bit_and_the_raw_bytes_stay() {
    let bytes = hex("a080 2480 040168 0000 0000");
    let outer = Element::only(&bytes).unwrap();
    assert_eq!(outer.tag(), Tag::context(0));
    assert_eq!(outer.encoded(), &bytes[..]);
    assert_eq!(outer.contents(), &bytes[2..bytes.len() - 2]);
    let inner = outer.only_child().unwrap();
    assert!(inner.primitive().is_err());
    assert_eq!(&inner.octets().unwrap()[..], b"h");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
