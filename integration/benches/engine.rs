//! The engine alone: a message in memory in, a message in memory out, signed and encrypted with RSA-2048, on one core. Its
//! processor time stands beside the sum of the bare operations on as many bytes, measured in the same run by turns: one
//! RSA operation with a private key, one with a public key, SHA-256, AES, base64. And its peak memory, as a multiple of
//! the message's size, which is that of a process of its own.

#[expect(dead_code, reason = "the other benches need all of it")]
mod house;

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::rsa::{KeySize, Pkcs1PublicEncryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, rand};
use bytes::Bytes;
use certstore::cms::ContentCipher;
use encodify::base64;
use gateway::message::Message;
use gateway::smime::{self, EncryptTo};
use house::{ALICE, BOB, House};
use integration::{figures, mails, process};

/// A size on the wire in bytes, and the most that the engine may take, as a multiple of the bare operations.
const SIZES: [(&str, usize, f64); 3] = [
    ("10 KiB", 10 << 10, 1.3),
    ("100 KiB", 100 << 10, 1.5),
    ("5 MiB", 5 << 20, 1.5),
];
const CIPHERS: [ContentCipher; 2] = [ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm];

/// The most memory for a message, as a multiple of its size.
const MOST_MEMORY: f64 = 3.0;

/// Turns of each operation, of which the quickest counts: other programs only ever make it slower.
const TURNS: u32 = 15;
/// How long one turn takes, about.
const TURN: Duration = Duration::from_millis(40);

/// The argument before the file with a message of which the memory is to be measured.
const MEMORY_OF: &str = "--memory-of";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some([_, file]) = arguments
        .windows(2)
        .find(|pair| pair.first().is_some_and(|argument| argument == MEMORY_OF))
    {
        return print_memory(file);
    }
    let house = House::open();
    println!(
        "\nengine, sign + encrypt        bare us  engine us  times bare    mark  peak memory    mark"
    );
    for (name, bytes, mark) in SIZES {
        let mail = Bytes::from(mail(bytes));
        let memory = memory_of(&mail)?;
        for cipher in CIPHERS {
            let (bare, engine) = by_turns(&house, &mail, cipher)?;
            println!(
                "{name:8} {:12} {:15.1} {:10.1}  {:10.2}  <= {mark:3}  {memory:11.2}  <= {MOST_MEMORY:3}",
                cipher.name(),
                bare.as_secs_f64() * 1e6,
                engine.as_secs_f64() * 1e6,
                engine.as_secs_f64() / bare.as_secs_f64(),
            );
        }
    }
    Ok(())
}

/// Base64 makes 78 bytes on the wire of 57.
fn mail(bytes: usize) -> Vec<u8> {
    mails::large(ALICE, BOB, bytes.saturating_sub(900) * 57 / 78).content
}

/// Everything between the last byte of DATA and the first byte of the copy that is stored.
fn signed_and_encrypted(house: &House, mail: &Bytes, cipher: ContentCipher) -> Vec<u8> {
    let profile = house.config.profiles.named(None).expect("there is one");
    let message = Message::parse(mail.clone()).expect("a mail");
    let now = SystemTime::now();
    let entity = smime::sign_entity(&message, house.signer.as_ref(), profile, now);
    let to = EncryptTo {
        recipients: &[&house.recipient],
        cipher,
        profile,
    };
    smime::encrypt_message(b"", &message, &entity.expect("alice signs"), to).expect("bob reads")
}

/// The processor time of all bare operations together, and that of the engine.
fn by_turns(house: &House, mail: &Bytes, cipher: ContentCipher) -> Result<(Duration, Duration)> {
    let private = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let public = PrivateDecryptingKey::generate(KeySize::Rsa2048)?.public_key();
    let public = Pkcs1PublicEncryptingKey::new(public)?;
    let mut signature = vec![0; private.public_modulus_len()];
    let mut encrypted_key = vec![0; 256];
    let mut content = mail.to_vec();
    content.reserve(64);
    let mut text = Vec::with_capacity(base64::MIME.encoded_len(mail.len()));
    let random = rand::SystemRandom::new();

    let mut sign = || {
        private
            .sign(&RSA_PKCS1_SHA256, &random, b"attributes", &mut signature)
            .expect("it signs");
    };
    let mut wrap = || {
        let key = [0; 32];
        public
            .encrypt(&key, &mut encrypted_key)
            .expect("it encrypts");
    };
    let mut hash = || {
        black_box(digest::digest(&digest::SHA256, mail));
    };
    let mut encrypt = || match cipher {
        ContentCipher::Aes256Gcm => seal(&mut content),
        _ => encrypt_cbc(&mut content),
    };
    let mut encode = || {
        text.clear();
        base64::MIME.encode_append(mail, &mut text);
    };
    let mut engine = || {
        black_box(signed_and_encrypted(house, mail, cipher));
    };
    let mut works: [&mut dyn FnMut(); 6] = [
        &mut engine,
        &mut sign,
        &mut wrap,
        &mut hash,
        &mut encrypt,
        &mut encode,
    ];
    let mut quickest = [Duration::MAX; 6];
    let repetitions: Vec<u32> = works.iter_mut().map(|work| repetitions(work)).collect();
    for _ in 0..TURNS {
        for ((work, best), times) in works.iter_mut().zip(&mut quickest).zip(&repetitions) {
            *best = turn(work, *times).min(*best);
        }
    }
    let [engine, bare @ ..] = quickest;
    Ok((bare.iter().sum(), engine))
}

fn encrypt_cbc(content: &mut Vec<u8>) {
    let length = content.len();
    let key = UnboundCipherKey::new(&AES_256, &[7; 32]).expect("32 bytes");
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).expect("a key");
    key.encrypt(content).expect("it encrypts");
    content.truncate(length);
}

fn seal(content: &mut [u8]) {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes"));
    let nonce = Nonce::assume_unique_for_key([9; 12]);
    key.seal_in_place_separate_tag(nonce, Aad::empty(), content)
        .map(|tag| drop(black_box(tag)))
        .expect("it encrypts");
}

/// How often `work` fits into a turn.
fn repetitions(work: &mut dyn FnMut()) -> u32 {
    work();
    let once = turn(work, 1).max(Duration::from_nanos(100));
    (TURN.as_nanos() / once.as_nanos()).clamp(1, 100_000) as u32
}

/// The processor time of one repetition.
fn turn(work: &mut dyn FnMut(), times: u32) -> Duration {
    let start = figures::own_processor_time();
    for _ in 0..times {
        work();
    }
    (figures::own_processor_time() - start) / times
}

/// The peak memory for this message, its own bytes included, as a multiple of its size.
fn memory_of(mail: &Bytes) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mail");
    fs::write(&file, mail)?;
    let mut child = Command::new(std::env::current_exe()?);
    let printed = String::from_utf8(process::run(child.arg(MEMORY_OF).arg(file), b"")?)?;
    let peak = printed.lines().last().context("it prints a number")?;
    Ok(1.0 + peak.parse::<f64>()? / mail.len() as f64)
}

/// Prints how many bytes of memory the engine takes beside the message in this file. The process has freed nothing as large
/// before, which it might use once more.
fn print_memory(file: &str) -> Result<()> {
    let house = House::open();
    let first = Bytes::from(mail(4 << 10));
    let mail = Bytes::from(fs::read(file)?);
    let [cipher, _] = CIPHERS;
    black_box(signed_and_encrypted(&house, &first, cipher));
    let (sealed, growth) = figures::growth_during(|| signed_and_encrypted(&house, &mail, cipher))?;
    ensure!(sealed.len() > mail.len(), "it is signed and encrypted");
    println!("{growth}");
    Ok(())
}
