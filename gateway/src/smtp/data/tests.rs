use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1_000;

/// Reads `input` in chunks, and gives the outcome, the content and what was left over.
fn read(input: &[u8], chunk: usize, limit: u64) -> (Progress, Vec<u8>, Vec<u8>) {
    let mut reader = DataReader::new(limit, Some(1));
    reader.make_room();
    let mut buffer = BytesMut::new();
    let mut chunks = input.chunks(chunk);
    loop {
        match reader.read(&mut buffer) {
            Progress::NeedsRoom => {
                assert!(reader.wanted() <= limit);
                reader.make_room();
            }
            Progress::NeedsInput => match chunks.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => return (Progress::NeedsInput, Vec::new(), Vec::new()),
            },
            end @ (Progress::Whole | Progress::TooBig | Progress::BareLineEnd) => {
                buffer.extend(chunks.flatten().copied());
                // What is left behind a bare line end depends on the split, and nobody reads it.
                let left = if end == Progress::BareLineEnd {
                    Vec::new()
                } else {
                    buffer.to_vec()
                };
                let is_whole = end == Progress::Whole;
                let content = if is_whole {
                    reader.into_content().to_vec()
                } else {
                    Vec::new()
                };
                return (end, content, left);
            }
        }
    }
}

#[test]
fn every_split_gives_the_same_content() {
    let whole = |content: &str, left: &str| (Progress::Whole, content.into(), left.into());
    let bare = || (Progress::BareLineEnd, Vec::new(), Vec::new());
    let more = || (Progress::NeedsInput, Vec::new(), Vec::new());
    for (input, expected) in [
        ("Hi\r\n.\r\n", whole("Hi\r\n", "")),
        (".\r\n", whole("", "")),
        ("\r\n.\r\n", whole("\r\n", "")),
        ("..x\r\n.\r\n", whole(".x\r\n", "")),
        ("..\r\n.\r\n", whole(".\r\n", "")),
        ("...\r\n.\r\n", whole("..\r\n", "")),
        (".x\r\n.\r\n", whole("x\r\n", "")),
        ("a.\r\n.\r\n", whole("a.\r\n", "")),
        ("a\r\n..b\r\nc\r\n.\r\n", whole("a\r\n.b\r\nc\r\n", "")),
        ("Hi\r\n.\r\nQUIT\r\n", whole("Hi\r\n", "QUIT\r\n")),
        ("Hi\r\n.\r\n.\r\n", whole("Hi\r\n", ".\r\n")),
        ("a\0\u{7f}ö\r\n.\r\n", whole("a\0\u{7f}ö\r\n", "")),
        ("Hi\r\n.\n", bare()),
        ("Hi\r\n.\r\r\nX", bare()),
        ("Hi\r\n.\rX", bare()),
        ("Hi\n.\r\n", bare()),
        ("Hi\n.\n", bare()),
        ("Hi\r.\r\n", bare()),
        ("Hi\r.\r", bare()),
        ("Hi\r\r\n.\r\n", bare()),
        ("Hi\n", bare()),
        ("\n", bare()),
        ("\r\r", bare()),
        (".\n", bare()),
        (".\r.", bare()),
        ("..\n", bare()),
        ("", more()),
        (".", more()),
        (".\r", more()),
        ("Hi", more()),
        ("Hi\r", more()),
        ("Hi\r\n", more()),
        ("Hi\r\n.", more()),
        ("Hi\r\n.\r", more()),
        ("Hi.\r\n", more()),
        ("Hi\r\n..\r\n", more()),
        ("Hi\r\n. \r\n", more()),
    ] {
        for chunk in [1, 2, 3, 5, 1000] {
            assert_eq!(
                read(input.as_bytes(), chunk, LIMIT),
                expected,
                "{input:?} by {chunk}"
            );
        }
    }
}

#[test]
fn over_the_limit_is_read_to_its_end_and_dropped() {
    let fits = format!("{}\r\n.\r\nQUIT\r\n", "x".repeat(98));
    let over = format!("{}\r\n.\r\nQUIT\r\n", "x".repeat(99));
    let far = format!("{}.\r\nQUIT\r\n", "x\r\n".repeat(5_000));
    let stuffed = format!("..{}\r\n.\r\nQUIT\r\n", "x".repeat(97));
    for chunk in [1, 10, 99, 100, 101, 100_000] {
        let (progress, content, left) = read(fits.as_bytes(), chunk, 100);
        assert_eq!(
            (progress, content.len(), &left[..]),
            (Progress::Whole, 100, &b"QUIT\r\n"[..])
        );
        let (progress, content, _) = read(stuffed.as_bytes(), chunk, 100);
        assert_eq!((progress, content.len()), (Progress::Whole, 100));
        for input in [&over, &far] {
            let (progress, content, left) = read(input.as_bytes(), chunk, 100);
            assert_eq!(
                (progress, content.len(), &left[..]),
                (Progress::TooBig, 0, &b"QUIT\r\n"[..])
            );
        }
    }
}

#[test]
fn room_is_asked_for_by_announced_size_and_then_by_doubling() {
    assert_eq!(DataReader::new(LIMIT, None).wanted(), LIMIT);
    assert_eq!(DataReader::new(1 << 30, None).wanted(), FIRST_SLICE);
    assert_eq!(DataReader::new(1 << 30, Some(0)).wanted(), FIRST_SLICE);
    assert_eq!(DataReader::new(1 << 30, Some(5_000)).wanted(), 5_000);
    let mut reader = DataReader::new(1 << 30, Some(5_000));
    reader.make_room();
    let mut input = BytesMut::from(&[b'x'; 5_001][..]);
    assert_eq!(reader.read(&mut input), Progress::NeedsRoom);
    assert_eq!((reader.wanted(), input.len()), (10_000, 5_001));
    reader.make_room();
    assert_eq!(reader.read(&mut input), Progress::NeedsInput);
}

/// What a client sends for `content`.
fn stuffed(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

proptest! {
    #[test]
    fn what_was_stuffed_comes_out(
        lines in proptest::collection::vec("[.a\u{80}-\u{ff}\0 ]{0,6}", 0..20),
        chunk in 1_usize..40,
    ) {
        let content: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let (progress, read, left) = read(&stuffed(content.as_bytes()), chunk, LIMIT);
        prop_assert_eq!((progress, read, left), (Progress::Whole, content.into_bytes(), Vec::new()));
    }

    #[test]
    fn any_bytes_mean_the_same_in_any_split(
        bytes in proptest::collection::vec(proptest::sample::select(&b"\r\n.x"[..]), 0..40),
        chunk in 1_usize..20,
        limit in 0_u64..30,
    ) {
        prop_assert_eq!(read(&bytes, chunk, limit), read(&bytes, 1_000, limit));
    }
}
