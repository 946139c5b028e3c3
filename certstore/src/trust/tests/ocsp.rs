//! OpenSSL's answers to our questions, and what is made of answers that are not what they should be.

use std::time::{Duration, Instant};

use policy::mutation::mutations;

use super::openssl::{Workshop, now};
use super::*;
use crate::trust::revocation::ocsp::{Answer, AnswerError, read_answer, request};

const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
const LEAF: &str = "keyUsage=digitalSignature\nsubjectAltName=email:a@example.org";
const RESPONDER: &str = "extendedKeyUsage=OCSPSigning";
const NONCE: [u8; 32] = [7; 32];

/// A root, a leaf, and an index in which the leaf has this status.
struct Scene {
    workshop: Workshop,
    root: Certificate,
    leaf: Certificate,
}

impl Scene {
    fn new(status: &str) -> Self {
        let workshop = Workshop::new();
        let root = workshop.make("root", "root", CA, &[]);
        let leaf = workshop.make("leaf", "root", LEAF, &[]);
        let serial = leaf.serial().to_uppercase();
        let line = match status {
            "V" => format!("V\t400101000000Z\t\t{serial}\tunknown\t/CN=leaf\n"),
            "R" => format!(
                "R\t400101000000Z\t250101000000Z,keyCompromise\t{serial}\tunknown\t/CN=leaf\n"
            ),
            _ => String::new(),
        };
        write(&workshop, "index.txt", line.as_bytes());
        Self {
            workshop,
            root,
            leaf,
        }
    }

    /// What OpenSSL answers in the name of `signer`, to a question with our nonce.
    fn response(&self, signer: &str) -> Vec<u8> {
        let question = request(&self.leaf, &self.root, Some(&NONCE)).unwrap();
        write(&self.workshop, "question.der", &question);
        let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        self.workshop.run(&[
            "ocsp",
            "-index",
            "index.txt",
            "-CA",
            "root.pem",
            "-rsigner",
            &pem,
            "-rkey",
            &key,
            "-reqin",
            "question.der",
            "-respout",
            "answer.der",
            "-ndays",
            "1",
        ]);
        std::fs::read(self.workshop.path().join("answer.der")).unwrap()
    }

    fn read(&self, response: &[u8]) -> Result<Answer, AnswerError> {
        read_answer(response, &self.leaf, &self.root, Some(&NONCE), now())
    }
}

fn write(workshop: &Workshop, name: &str, bytes: &[u8]) {
    let path = workshop.path().join(name);
    std::fs::File::create(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
        .unwrap();
}

fn status(answer: &Result<Answer, AnswerError>) -> String {
    match answer {
        Ok(answer) => format!("{:?}", answer.status)
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn openssl_answers_and_is_understood() {
    for (index, expected) in [("V", "Good"), ("R", "Revoked"), ("", "Unknown")] {
        let scene = Scene::new(index);
        let answer = scene.read(&scene.response("root"));
        assert_eq!(status(&answer), expected);
        assert!(answer.unwrap().next_update.is_some());
    }
}

#[test]
fn only_who_was_named_by_the_ca_may_answer() {
    let scene = Scene::new("V");
    let workshop = &scene.workshop;
    workshop.make("responder", "root", RESPONDER, &[]);
    workshop.make("person", "root", LEAF, &[]);
    workshop.make("other", "other", CA, &[]);
    workshop.make("stranger", "other", RESPONDER, &[]);
    for (signer, expected) in [
        ("root", "Good"),
        ("responder", "Good"),
        ("person", "Unauthorised"),
        ("other", "Unauthorised"),
        ("stranger", "Unauthorised"),
    ] {
        let answer = scene.read(&scene.response(signer));
        assert_eq!(status(&answer), expected, "{signer}");
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let scene = Scene::new("V");
    let response = scene.response("root");
    let other = scene.workshop.make("another", "root", LEAF, &[]);
    let about =
        |leaf, nonce: Option<&[u8]>| read_answer(&response, leaf, &scene.root, nonce, now());
    assert_eq!(about(&other, None).err(), Some(AnswerError::Other));
    assert_eq!(
        about(&scene.leaf, Some(&[8; 32])).err(),
        Some(AnswerError::Nonce)
    );
    assert!(about(&scene.leaf, None).is_ok());
}

#[test]
fn what_is_no_answer_is_refused() {
    let scene = Scene::new("V");
    for (bytes, expected) in [
        (&b""[..], AnswerError::Malformed),
        (b"<html>", AnswerError::Malformed),
        (&[0x30, 0], AnswerError::Malformed),
        (&[0x30, 3, 0x0a, 1, 0], AnswerError::Malformed),
        (&[0x30, 3, 0x0a, 1, 3], AnswerError::Declined("tryLater")),
        (
            &[0x30, 3, 0x0a, 1, 6],
            AnswerError::Declined("unauthorized"),
        ),
        (&[0x30, 3, 0x0a, 1, 4], AnswerError::Malformed),
    ] {
        assert_eq!(scene.read(bytes).err(), Some(expected), "{bytes:?}");
    }
    assert_eq!(
        scene.read(&vec![0; 1 << 20]).err(),
        Some(AnswerError::Malformed)
    );
}

#[test]
fn damage_never_changes_what_is_said() {
    let good = Scene::new("V");
    let seeds = [good.response("root")];
    let begun = Instant::now();
    for bytes in mutations(&seeds).take(20_000) {
        if begun.elapsed() > Duration::from_millis(1_500) {
            break;
        }
        if let Ok(answer) = good.read(&bytes) {
            assert_eq!(status(&Ok(answer)), "Good");
        }
    }
}
