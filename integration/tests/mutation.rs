//! Broken input for every reader of strangers' bytes: none may panic, give more than its input holds, or think for long.
//!
//! Each reader (`integration::readers`) is fed the files of `corpus/NAME`, then what the mutator makes of them, the same
//! in every run. `MUTATIONS` says how many of those (default 4,000). A finding is written to a file: it goes into the
//! corpus, and into the table of ugly inputs beside its reader. `make fuzz` feeds the same readers by libFuzzer.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use integration::readers;
use policy::mutation::mutations;

/// Longer than any input of this size may take, on a busy machine and without optimisation.
const TOO_LONG: Duration = Duration::from_secs(10);

/// Bounds of what is kept in the repository: bytes of a file, files of a reader.
const LARGEST_SEED: usize = 8 * 1024;
const MOST_SEEDS: usize = 30;

/// One test for each reader, and the list of their names.
macro_rules! readers {
    ($($name:ident)*) => {
        const READERS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                try_out(stringify!($name), readers::$name);
            }
        )*
    };
}

readers! {
    address mailboxes smtp_session data_reader cms_parse certificate read_certificates pkcs12 message smime
    policy_document config ldap_request ldap_value http_certificates
}

#[test]
fn every_reader_has_seeds_and_a_fuzz_target() {
    let targets = names(&here().join("fuzz/fuzz_targets"), Path::is_file);
    let corpora = names(&here().join("corpus"), Path::is_dir);
    let mut readers = READERS.to_vec();
    readers.sort_unstable();
    assert_eq!(targets, readers);
    assert_eq!(corpora, readers);
}

/// Feeds one reader all seeds and a number of mutations.
fn try_out(name: &str, read: fn(&[u8]) -> bool) {
    let seeds = seeds(name);
    // Seeds that no reader likes lead nowhere.
    let good = seeds.iter().filter(|seed| read(seed)).count();
    assert!(good >= 2, "{name}: {good} seeds are good");
    let count = std::env::var("MUTATIONS").map_or(4_000, |text| text.parse().expect("a number"));
    let inputs = seeds.iter().cloned();
    for (number, input) in inputs.chain(mutations(&seeds).take(count)).enumerate() {
        let start = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| read(&input)));
        let took = start.elapsed();
        if outcome.is_err() || took > TOO_LONG {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{number}"));
            fs::write(&file, &input).expect("the finding is kept");
            panic!(
                "{name}: input {number}, see {}, took {took:?}",
                file.display()
            );
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = entries(&here().join("corpus").join(name));
    files.sort();
    assert!((10..=MOST_SEEDS).contains(&files.len()), "{}", files.len());
    let read = |file: &PathBuf| {
        let seed = fs::read(file).expect("a seed can be read");
        assert!(seed.len() <= LARGEST_SEED, "{}", file.display());
        seed
    };
    files.iter().map(read).collect()
}

fn names(folder: &Path, which: fn(&Path) -> bool) -> Vec<String> {
    let all = entries(folder).into_iter().filter(|path| which(path));
    let mut names: Vec<String> = all
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
