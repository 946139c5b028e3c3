//! What the store costs: a lookup from memory, an import, and a lookup in a million certificates.
//!
//! A million certificates are rows of the same one under other addresses: what is measured is finding and reading them.

use std::fmt::Write;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certstore::certificate::{Certificate, Purpose};
use certstore::clock::SystemClock;
use certstore::database::CertificateSource;
use encodify::base64;
use gateway::app::Store;
use gateway::config::Config;
use integration::gateway::{Gateway, Setup, text};
use integration::openssl;
use integration::pki::pki;
use policy::address::Address;
use policy::diagnostic::Source;
use rusqlite::Connection;
use tokio::runtime::Runtime;

const BOB: &str = "bob@partner.example";
const MANY: usize = 1_000_000;
const IMPORTED: usize = 20_000;
const WARM: u32 = 1_000_000;
const COLD: usize = 5_000;

fn main() {
    // `cargo test` runs benches, too, with no word; only `cargo bench` says this one.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let gateway = Setup::default()
        .write()
        .expect("make bench builds the program");
    gateway
        .import_certificate(&pki().expect("the PKI").bob().certificate)
        .expect("it is good");
    let runtime = Runtime::new().expect("a runtime");
    warm(&runtime, &open(&runtime, &gateway));
    import(&gateway);
    fill(&gateway);
    cold(&runtime, &open(&runtime, &gateway));
}

fn open(runtime: &Runtime, gateway: &Gateway) -> Store {
    let file = gateway.file("postern.toml");
    let source = Source::new(
        "postern.toml",
        fs::read_to_string(&file).expect("it is there"),
    );
    let config = Config::read(&source, file.parent().expect("a folder")).expect("it is right");
    runtime
        .block_on(Store::open(&config, Arc::new(SystemClock)))
        .expect("it opens")
}

/// Answers that are in the cache; each is the same one, no copy.
fn warm(runtime: &Runtime, store: &Store) {
    let bob = address(BOB);
    runtime.block_on(async {
        let find = async || {
            store
                .lookup
                .find(&bob, Purpose::Encryption)
                .await
                .expect("no source fails")
        };
        let first = find().await;
        assert!(first.chosen.is_some());
        let begun = Instant::now();
        for _ in 0..WARM {
            assert!(Arc::ptr_eq(&first, &find().await));
        }
        println!("lookup, warm: {} ns", (begun.elapsed() / WARM).as_nanos());
    });
}

/// `cert import` of a CSV, from its start to its exit.
fn import(gateway: &Gateway) {
    let file = gateway.file("many.csv");
    let mut csv = String::new();
    for number in 0..IMPORTED {
        let encoded = base64::STANDARD.encode(renamed(number));
        writeln!(csv, "{},{encoded}", name(number)).expect("a string grows");
    }
    fs::write(&file, csv).expect("it is written");
    let begun = Instant::now();
    gateway
        .ask(&["cert", "import", text(&file).expect("UTF-8")])
        .expect("all are good");
    let rate = IMPORTED as f64 / begun.elapsed().as_secs_f64();
    println!("cert import: {rate:.0} certificates a second");
}

/// Rows for [`MANY`] addresses, written past the program.
fn fill(gateway: &Gateway) {
    let database = Connection::open(gateway.file("data/certstore.db")).expect("it is there");
    let begun = Instant::now();
    database
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF;
             CREATE TEMP TABLE row AS
                WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY} - 1)
                SELECT i, randomblob(32) AS sha256 FROM n;
             BEGIN;
             INSERT INTO certificate
                SELECT row.sha256, der, issuer, randomblob(16), subject, randomblob(20), 0, not_before, not_after,
                       'imported', added
                FROM row, (SELECT * FROM certificate LIMIT 1);
             INSERT INTO certificate_address SELECT printf('m%07d@many.example', i), sha256 FROM row;
             COMMIT;"
        ))
        .expect("rows");
    println!("{MANY} rows written in {:?}", begun.elapsed());
}

/// Addresses that nobody asked for before: from the database alone, and with the judgement of what it has.
fn cold(runtime: &Runtime, store: &Store) {
    // Once each: pages come from the file, or from the system's memory of it.
    let mut found = Vec::with_capacity(COLD);
    let mut judged = Vec::with_capacity(COLD);
    for number in 0..COLD {
        let address = address(&format!("m{:07}@many.example", (number * 7919) % MANY));
        let begun = Instant::now();
        let sources = CertificateSource::ALL;
        let stored = runtime.block_on(store.database.certificates_of(&address, sources));
        found.push(begun.elapsed());
        assert_eq!(stored.expect("it answers").len(), 1);
        let begun = Instant::now();
        let answer = runtime.block_on(store.lookup.find(&address, Purpose::Encryption));
        judged.push(begun.elapsed());
        assert!(answer.is_ok());
    }
    tell("certificates of an address among a million", found);
    tell("lookup among a million, cold", judged);
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |hundredths: usize| times[(times.len() - 1) * hundredths / 100];
    println!("{what}: p50 {:?}, p99 {:?}", at(50), at(99));
}

fn name(number: usize) -> String {
    format!("u{number:07}@xx.example")
}

/// Bob's certificate under another address of the same length; its signature does not hold, and nobody asks.
fn renamed(number: usize) -> Vec<u8> {
    let pki = pki().expect("the PKI");
    static DER: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let der = DER.get_or_init(|| openssl::der(&pki.bob().certificate).expect("DER"));
    let place = integration::mime::find(der, BOB.as_bytes()).expect("its address");
    let mut renamed = der.clone();
    renamed[place..place + BOB.len()].copy_from_slice(name(number).as_bytes());
    debug_assert!(Certificate::from_der(&renamed).is_ok());
    renamed
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}
