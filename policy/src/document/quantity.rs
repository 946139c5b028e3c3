//! Times and sizes as operators write them: a whole number and a unit.

use std::time::Duration;

/// Reads a time such as `500ms`, `10s`, `5m`, `1h` or `2d`.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "a time is a whole number with ms, s, m, h or d, such as \"10s\"";
    let (number, unit) = split(text).ok_or(WRONG)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(WRONG),
    };
    let product = number.checked_mul(milliseconds).ok_or("it is too long")?;
    Ok(Duration::from_millis(product))
}

/// Reads a number of bytes such as `25 MiB`, `10 kB` or `1 GiB`.
///
/// # Errors
/// What a size looks like.
pub fn size(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str =
        "a size is a whole number with B, KiB, MiB, GiB, kB, MB or GB, such as \"25 MiB\"";
    let (number, unit) = split(text).ok_or(WRONG)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(WRONG),
    };
    number.checked_mul(bytes).ok_or("it is too large")
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim_start_matches(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, milliseconds) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5 m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("2d", Some(172_800_000)),
            ("", None),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5s", None),
            ("1S", None),
            ("1s ", None),
            ("10s5m", None),
            ("18446744073709551615d", None),
            ("18446744073709551616s", None),
        ] {
            let read = duration(text).ok();
            assert_eq!(read, milliseconds.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0B", Some(0)),
            ("25 MiB", Some(26_214_400)),
            ("10KiB", Some(10_240)),
            ("1 GB", Some(1_000_000_000)),
            ("25", None),
            ("25 mib", None),
            ("MiB", None),
            ("99999999999999999999 B", None),
            ("18446744073709551615 GiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text:?}");
        }
    }
}
