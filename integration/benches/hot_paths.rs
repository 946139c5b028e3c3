//! What every message costs, step by step: reading DATA and addresses, deciding, looking up, signing, encrypting, decrypting,
//! verifying. Where a step has a mark that it must keep, its name says so.

mod house;

use std::hint::black_box;
use std::process::Command;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use certstore::certificate::Purpose;
use certstore::cms::DecryptOptions;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use criterion::{criterion_group, criterion_main, measurement::WallTime};
use gateway::message::Message;
use gateway::smime::{self, EncryptTo};
use gateway::smtp::{DataReader, Progress};
use house::{ALICE, BOB, House, address, open_store};
use integration::gateway::Setup;
use integration::revocation::{Authority, Points};
use integration::{mails, process};
use policy::address::Address;
use policy::compile::{CompileOptions, Policy};
use policy::diagnostic::Source;
use policy::facts::{Direction, Facts};
use tokio::runtime::Runtime;

/// Content sizes, before base64, in bytes.
const SIZES: [usize; 2] = [7_000, 3_800_000];

fn smime(criterion: &mut Criterion) {
    let house = House::open();
    let profile = house.config.profiles.named(None).expect("there is one");
    let now = SystemTime::now();
    for size in SIZES {
        let mail = Bytes::from(mails::large(ALICE, BOB, size).content);
        let mut group = sized(criterion, mail.len());
        let message = Message::parse(mail).expect("a mail");
        let sign = || smime::sign_entity(&message, house.signer.as_ref(), profile, now).unwrap();
        let signed = sign();
        let seal = || {
            let to = EncryptTo {
                recipients: &[&house.recipient],
                cipher: profile.fallback_cipher,
                profile,
            };
            smime::encrypt_message(b"", &message, &signed, to).unwrap()
        };
        let sealed = Message::parse(seal().into()).expect("a mail");
        let options = DecryptOptions::default();
        let opened = smime::decrypt(&sealed, &house.decryptors, &options)
            .expect("it is for bob")
            .expect("it is encrypted")
            .message;
        let trust = house.store.lookup.trust();
        group.bench_function("sign", |b| b.iter(sign));
        group.bench_function("encrypt", |b| b.iter(seal));
        group.bench_function("decrypt", |b| {
            b.iter(|| smime::decrypt(&sealed, &house.decryptors, &options).unwrap());
        });
        group.bench_function("verify", |b| b.iter(|| smime::verify(&opened, &trust, now)));
        group.finish();
    }
    lookups(criterion, &house);
}

/// What a message asks for that was asked for before.
fn lookups(criterion: &mut Criterion, house: &House) {
    let bob = address(BOB);
    let House { runtime, store, .. } = house;
    criterion.bench_function("certificate lookup, warm (mark: 2 us)", |b| {
        b.iter(|| runtime.block_on(store.lookup.find(&bob, Purpose::Encryption)));
    });
    criterion.bench_function("decryption keys of a recipient, warm (mark: 5 us)", |b| {
        b.iter(|| runtime.block_on(store.vault.decryptors_for(&bob)));
    });
}

fn addresses(criterion: &mut Criterion) {
    for text in [BOB, "\"bob the builder\"@xn--bcher-kva.example"] {
        criterion.bench_function(&format!("address, {text}"), |b| {
            b.iter(|| Address::parse(black_box(text)));
        });
    }
}

/// One certificate, whose CRL is there, under `hard`: ours beside `openssl verify` with the same CRL. OpenSSL's start is
/// shared by the files of one run.
fn trust(criterion: &mut Criterion) {
    const FILES: usize = 500;
    let authority = Authority::new().expect("the authority");
    let points = Points {
        crl: true,
        ..Points::default()
    };
    let bob = authority.issue("bob", BOB, points).expect("bob");
    let group = format!(
        "fetch-private = [\"127.0.0.0/8\"]\n[[trust.group]]\nanchors = [{:?}]\nrevocation = \"hard\"",
        authority.file("ca.pem")
    );
    let gateway = Setup::default().tables(&group).write().expect("a folder");
    gateway
        .import_certificate(&bob.certificate)
        .expect("it is good");
    let runtime = Runtime::new().expect("a runtime");
    let (_, store) = open_store(&gateway, &runtime);
    let address = address(BOB);
    let found = runtime.block_on(store.lookup.find(&address, Purpose::Encryption));
    let chosen = found.expect("the CRL is there").chosen.clone();
    let certificate = chosen.expect("it is trusted").0.certificate().clone();
    let (trust, now) = (store.lookup.trust(), SystemTime::now());
    let mut group = criterion.benchmark_group("trust, warm CRL");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("postern", |b| {
        b.iter(|| {
            let purpose = Purpose::Encryption;
            trust
                .validate(&certificate, &[], purpose, &address, now)
                .expect("it is trusted")
        });
    });
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("openssl verify", |b| {
        b.iter(|| {
            let mut openssl = Command::new("openssl");
            openssl.args(["verify", "-crl_check", "-CAfile"]);
            openssl.arg(authority.file("ca.pem"));
            openssl.arg("-CRLfile").arg(authority.file("crl.pem"));
            openssl.args((0..FILES).map(|_| &bob.certificate));
            process::run(&mut openssl, b"").expect("it is good")
        });
    });
    group.finish();
}

fn data(criterion: &mut Criterion) {
    for size in SIZES {
        let mut wire = mails::large(ALICE, BOB, size).content;
        wire.extend_from_slice(b".\r\n");
        let mut group = sized(criterion, wire.len());
        group.bench_function("read DATA", |b| {
            b.iter_batched(|| BytesMut::from(&wire[..]), read, BatchSize::LargeInput);
        });
        group.finish();
    }
}

fn read(mut input: BytesMut) -> Bytes {
    let mut reader = DataReader::new(u64::MAX, None);
    loop {
        match reader.read(&mut input) {
            Progress::NeedsRoom => reader.make_room(),
            Progress::Whole => return reader.into_content(),
            other => panic!("{other:?}"),
        }
    }
}

fn evaluate(criterion: &mut Criterion) {
    let rule = |number: usize| {
        format!("[[rule]]\nname = \"{number}\"\nwhen = {{ recipient = \"*@{number}.example\" }}\n")
    };
    let rules: String = (0..1_000).map(rule).collect();
    let entries: Vec<String> = (0..100_000)
        .map(|n| format!("\"*@l{n}.example\""))
        .collect();
    let list = format!(
        "[lists]\nl = [{}]\n[[rule]]\nname = \"l\"\nwhen = {{ recipient = \"list:l\" }}\n",
        entries.join(",")
    );
    for (name, policy, recipient) in [
        (
            "decide, the last of 1000 rules (mark: 20 us)",
            rules,
            "bob@999.example",
        ),
        (
            "decide, a list of 100000 (mark: 20 us)",
            list,
            "bob@l99999.example",
        ),
    ] {
        let source = Source::new("policy.toml", policy);
        let compiled = Policy::compile(&[source], &CompileOptions::default());
        let (policy, _) = compiled.expect("it is right");
        let (sender, recipient) = (address(ALICE), address(recipient));
        let facts = Facts::of_envelope(Direction::Outbound, Some(&sender), &recipient);
        criterion.bench_function(name, |b| b.iter(|| policy.evaluate(black_box(&facts))));
    }
}

fn sized(criterion: &mut Criterion, bytes: usize) -> BenchmarkGroup<'_, WallTime> {
    let mut group = criterion.benchmark_group(format!("{} KiB", bytes / 1024));
    group
        .throughput(Throughput::Bytes(bytes as u64))
        .sample_size(20);
    group
}

criterion_group!(hot_paths, data, addresses, evaluate, smime, trust);
criterion_main!(hot_paths);
