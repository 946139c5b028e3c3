//! Broken input for every reader of strangers' bytes: none may panic, and none may think for long.
//!
//! Seeds are real mails, messages and certificates, made when the test starts; they are damaged at random. Each run
//! takes other chances; a finding is written to a file, from which it is read again and becomes a test of its reader.
//! `POSTERN_FUZZ_SECONDS` says how long all readers take together (default 10).

mod damage;
mod readers;
mod seeds;

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use anyhow::Result;
use integration::pki;

use crate::damage::Random;
use crate::readers::{READERS, Reader};
use crate::seeds::Seeds;

/// Longer than any input of this size may take, on a busy machine and without optimisation.
const TOO_LONG: Duration = Duration::from_secs(5);

#[test]
fn no_reader_panics_or_hangs() -> Result<()> {
    let seconds: u64 = std::env::var("POSTERN_FUZZ_SECONDS").map_or(Ok(10), |text| text.parse())?;
    let budget = Duration::from_secs(seconds) / u32::try_from(READERS.len())?;
    let seeds = seeds::make()?;
    let mut random = Random::new(RandomState::new().hash_one("fuzz"));
    // A panic is counted here, and told at the end; what it would print a million times helps nobody.
    panic::set_hook(Box::new(|_| {}));
    let mut findings = Vec::new();
    for reader in READERS {
        findings.extend(try_out(reader, &seeds, &mut random, budget)?);
    }
    drop(panic::take_hook());
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    Ok(())
}

/// Feeds one reader for a while; gives at most one finding.
fn try_out(
    reader: &Reader,
    seeds: &Seeds,
    random: &mut Random,
    budget: Duration,
) -> Result<Option<String>> {
    let seeds = seeds.of(reader.kind);
    let start = Instant::now();
    let mut count = 0_u64;
    while start.elapsed() < budget {
        let input = damage::damaged(seeds, random);
        let before = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| (reader.read)(&input)));
        let took = before.elapsed();
        if outcome.is_err() || took > TOO_LONG {
            let file = pki::shared_folder()?.join(format!("finding-{}.bin", reader.name));
            fs::write(&file, &input)?;
            let what = if outcome.is_err() {
                "panicked"
            } else {
                "took too long"
            };
            return Ok(Some(format!(
                "{}: {what} on {}",
                reader.name,
                file.display()
            )));
        }
        count += 1;
    }
    println!("{}: {count} inputs", reader.name);
    Ok(None)
}
