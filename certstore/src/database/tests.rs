use std::os::unix::fs::MetadataExt;

mod place;
#[expect(
    dead_code,
    clippy::print_stdout,
    unreachable_pub,
    reason = "shared with the stories, which stop it and start it again"
)]
#[path = "../../../integration/src/postgres.rs"]
mod postgres;

use super::*;
use crate::certificate::{Certificate, Fingerprint};
use crate::cms::RecipientId;
use crate::samples::{DAY, Sample, SampleAuthority, address, now};
use place::Place;

const ALL: [CertificateSource; 4] = [
    CertificateSource::Imported,
    CertificateSource::Issued,
    CertificateSource::Pinned,
    CertificateSource::Harvested,
];

fn new_key<'a>(owner: &'a policy::address::Address, certificate: &'a Certificate) -> NewKey<'a> {
    NewKey {
        owner,
        certificate,
        purpose: KeyPurpose::Both,
        origin: KeyOrigin::Imported,
        sealed: b"first".to_vec(),
    }
}

/// Runs each test on an empty SQLite file and on an empty PostgreSQL database.
macro_rules! on_each_database {
    ($($test:ident,)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                super::$test(Place::file()).await;
            })*
        }
        mod postgresql {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = Place::server() {
                    super::$test(place).await;
                }
            })*
        }
    };
}

mod harvesting;

on_each_database! {
    certificates_are_found_by_address_whatever_its_case,
    pages_go_over_all_certificates_once,
    a_key_is_never_overwritten,
    owners_are_found_by_what_a_recipient_info_says,
    each_change_is_polled_once_by_each_feed,
    old_changes_are_dropped_and_new_ones_stay,
    whoever_waits_is_woken_by_a_change,
    writers_do_not_overtake_each_other,
    authorities_are_found_by_name_and_the_newest_is_first,
    a_flood_of_harvested_certificates_hides_nothing,
    an_anchor_says_anew_how_strict_it_is,
    the_distrusted_come_and_go_and_are_noticed,
    a_newer_crl_takes_the_place_of_the_older_one,
}

#[tokio::test]
async fn a_new_file_is_private_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    for _ in 0..2 {
        let database = Database::open(&path).await.unwrap();
        assert!(database.certificates(None, 10).await.unwrap().is_empty());
        for name in ["postern.db", "postern.db-wal", "postern.db-shm"] {
            let mode = folder.path().join(name).metadata().unwrap().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        database.close().await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postern.db");
    let garbage = "no database, though long enough to look like one. ".repeat(100);
    std::io::Write::write_all(
        &mut std::fs::File::create(&path).unwrap(),
        garbage.as_bytes(),
    )
    .unwrap();
    for path in [path, folder.path().join("missing/postern.db")] {
        let error = Database::open(&path).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Open { .. }), "{error:?}");
    }
}

#[expect(clippy::cognitive_complexity, reason = "one step after the other")]
async fn certificates_are_found_by_address_whatever_its_case(place: Place) {
    let database = place.open().await;
    let (old, _) = Sample {
        not_before: now() - 9 * DAY,
        ..Sample::ec("Alice@example.org")
    }
    .self_signed();
    let (new, _) = Sample::ec("alice@Example.org").self_signed();
    let (other, _) = Sample::ec("bob@example.org").self_signed();
    let all = [old.clone(), new.clone(), other];
    let add = |source| database.add_certificates(&all, source, now());
    assert_eq!(add(CertificateSource::Harvested).await.unwrap(), 3);
    assert_eq!(add(CertificateSource::Harvested).await.unwrap(), 0);

    let alice = address("ALICE@example.org");
    let found = database.certificates_of(&alice, &ALL).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|stored| stored.certificate).collect();
    assert_eq!(found, [new, old], "newest first");
    let only = [CertificateSource::Imported];
    assert!(
        database
            .certificates_of(&alice, &only)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        add(CertificateSource::Imported).await.unwrap(),
        3,
        "a better source counts"
    );
    assert_eq!(
        database.certificates_of(&alice, &only).await.unwrap().len(),
        2
    );
    assert_eq!(
        add(CertificateSource::Harvested).await.unwrap(),
        0,
        "a worse one does not"
    );
}

async fn pages_go_over_all_certificates_once(place: Place) {
    let database = place.open().await;
    let all: Vec<_> = (0..7)
        .map(|_| Sample::ec("a@example.org").self_signed().0)
        .collect();
    database
        .add_certificates(&all, CertificateSource::Imported, now())
        .await
        .unwrap();
    let mut seen: Vec<Fingerprint> = Vec::new();
    loop {
        let page = database.certificates(seen.last(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|stored| stored.certificate.sha256()));
    }
    let mut expected: Vec<_> = all.iter().map(Certificate::sha256).collect();
    expected.sort();
    assert_eq!(seen, expected);
}

async fn a_key_is_never_overwritten(place: Place) {
    let database = place.open().await;
    let alice = address("alice@example.org");
    let (certificate, _) = Sample::ec("alice@example.org").self_signed();
    let first = new_key(&alice, &certificate);
    let second = NewKey {
        sealed: b"second".to_vec(),
        ..new_key(&alice, &certificate)
    };
    assert_eq!(
        database.add_keys(&[first], &[], now()).await.unwrap(),
        [true]
    );
    assert_eq!(
        database.add_keys(&[second], &[], now()).await.unwrap(),
        [false]
    );
    let keys = database.keys_of(&alice).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].sealed, b"first");
}

async fn owners_are_found_by_what_a_recipient_info_says(place: Place) {
    let database = place.open().await;
    let (alice, bob) = (address("alice@example.org"), address("bob@example.org"));
    let (certificate, _) = Sample::ec("alice@example.org").self_signed();
    let keys = [new_key(&alice, &certificate), new_key(&bob, &certificate)];
    database.add_keys(&keys, &[], now()).await.unwrap();
    let serial = certificate.serial_octets().to_vec();
    let by_serial = |serial| RecipientId::IssuerAndSerial {
        issuer: certificate.issuer_der().to_vec(),
        serial,
    };
    let identifier = certificate.subject_key_identifier().unwrap().to_vec();
    for (recipient, expected) in [
        (by_serial(serial.clone()), 2),
        (by_serial([serial, vec![1]].concat()), 0),
        (RecipientId::SubjectKeyIdentifier(identifier), 2),
        (RecipientId::SubjectKeyIdentifier(Vec::new()), 0),
    ] {
        let owners = database.owners_named_by(&recipient).await.unwrap();
        assert_eq!(owners.len(), expected, "{recipient:?}: {owners:?}");
    }
}

#[expect(clippy::cognitive_complexity, reason = "one step after the other")]
async fn each_change_is_polled_once_by_each_feed(place: Place) {
    let database = place.open().await;
    let mut feed = database.changes().await.unwrap();
    let mut other_process = place.open().await.changes().await.unwrap();
    let alice = address("Alice@example.org");
    let (certificate, _) = Sample::ec("alice@example.org").self_signed();
    let authority = SampleAuthority::root("A root").certificate();
    database
        .add_keys(&[new_key(&alice, &certificate)], &[], now())
        .await
        .unwrap();
    let id = database.keys_of(&alice).await.unwrap()[0].entry.id;
    assert!(
        database
            .set_key_state(id, KeyState::Retired, now())
            .await
            .unwrap()
    );
    assert!(
        !database
            .set_key_state(id + 1, KeyState::Retired, now())
            .await
            .unwrap()
    );
    let add = || database.add_anchor(&authority, "*", None, now());
    assert!(add().await.unwrap());
    assert!(!add().await.unwrap());
    assert!(
        database
            .remove_anchor(&authority.sha256(), now())
            .await
            .unwrap()
    );
    assert!(
        !database
            .remove_anchor(&authority.sha256(), now())
            .await
            .unwrap()
    );

    let kinds = |changes: Vec<Change>| -> Vec<(ChangeKind, String)> {
        changes
            .into_iter()
            .map(|change| (change.kind, change.subject))
            .collect()
    };
    let root = authority.sha256().to_string();
    let expected = [
        (ChangeKind::Certificate, "alice@example.org".to_owned()),
        (ChangeKind::Key, "alice@example.org".to_owned()),
        (ChangeKind::Key, "alice@example.org".to_owned()),
        (ChangeKind::Trust, root.clone()),
        (ChangeKind::Trust, root),
    ];
    assert_eq!(kinds(feed.poll().await.unwrap()), expected);
    assert_eq!(kinds(other_process.poll().await.unwrap()), expected);
    assert_eq!(feed.poll().await.unwrap(), []);
}

async fn old_changes_are_dropped_and_new_ones_stay(place: Place) {
    let database = place.open().await;
    let mut feed = database.changes().await.unwrap();
    for days in [0, 3, 6] {
        let (certificate, _) = Sample::ec("a@example.org").self_signed();
        let (certificates, time) = ([certificate], now() + days * DAY);
        let added = database.add_certificates(&certificates, CertificateSource::Imported, time);
        assert_eq!(added.await.unwrap(), 1);
    }
    assert_eq!(feed.poll().await.unwrap().len(), 1);
}

async fn whoever_waits_is_woken_by_a_change(place: Place) {
    let (database, other) = (place.open().await, place.open().await);
    let mut feed = database.changes().await.unwrap();
    // The first wait connects, where there is something to connect to.
    feed.wait().await;
    let begun = std::time::Instant::now();
    let (certificate, _) = Sample::ec("a@example.org").self_signed();
    let certificates = [certificate];
    let adding = other.add_certificates(&certificates, CertificateSource::Imported, now());
    let (added, ()) = tokio::join!(adding, feed.wait());
    assert_eq!(added.unwrap(), 1);
    let mut changes = feed.poll().await.unwrap();
    while changes.is_empty() {
        feed.wait().await;
        changes = feed.poll().await.unwrap();
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

async fn writers_do_not_overtake_each_other(place: Place) {
    let database = place.open().await;
    let mut feed = database.changes().await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let (certificate, _) = Sample::ec("a@example.org").self_signed();
                    let certificates = [certificate];
                    let added = database.add_certificates(
                        &certificates,
                        CertificateSource::Imported,
                        now(),
                    );
                    added.await.unwrap();
                }
            })
        })
        .collect();
    let mut seen = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        seen += feed.poll().await.unwrap().len();
        tokio::task::yield_now().await;
    }
    seen += feed.poll().await.unwrap().len();
    assert_eq!(seen, 40);
}

async fn authorities_are_found_by_name_and_the_newest_is_first(place: Place) {
    let database = place.open().await;
    let (first, second) = (
        SampleAuthority::root("First"),
        SampleAuthority::root("Second"),
    );
    for authority in [&first, &second] {
        let certificate = authority.certificate();
        assert!(
            database
                .add_authority(&certificate, b"sealed", now())
                .await
                .unwrap()
        );
        assert!(
            !database
                .add_authority(&certificate, b"other", now())
                .await
                .unwrap()
        );
    }
    let stored = database.authorities().await.unwrap();
    let stored: Vec<_> = stored
        .into_iter()
        .map(|a| (a.certificate, a.sealed))
        .collect();
    let sealed = b"sealed".to_vec();
    let expected = [
        (second.certificate(), sealed.clone()),
        (first.certificate(), sealed),
    ];
    assert_eq!(stored, expected);
    let name = first.certificate().subject_der().to_vec();
    assert_eq!(
        database.authorities_named(&name).await.unwrap(),
        [first.certificate()]
    );
    assert_eq!(database.intermediates().await.unwrap().len(), 2);
}

async fn a_flood_of_harvested_certificates_hides_nothing(place: Place) {
    let database = place.open().await;
    let (imported, _) = Sample {
        not_before: now() - 9 * DAY,
        ..Sample::ec("a@example.org")
    }
    .self_signed();
    let flood: Vec<_> = (0..300)
        .map(|_| Sample::ec("a@example.org").self_signed().0)
        .collect();
    for (certificates, source) in [
        (&[imported.clone()][..], CertificateSource::Imported),
        (&flood, CertificateSource::Harvested),
    ] {
        let added = database.add_certificates(certificates, source, now());
        assert_eq!(added.await.unwrap(), certificates.len());
    }
    let address = address("a@example.org");
    let only = [CertificateSource::Imported];
    let found = database.certificates_of(&address, &only).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].certificate, imported);
}

async fn an_anchor_says_anew_how_strict_it_is(place: Place) {
    let database = place.open().await;
    let authority = SampleAuthority::root("A root").certificate();
    for (mode, is_new) in [
        (None, true),
        (Some("hard"), true),
        (Some("hard"), false),
        (None, true),
    ] {
        let added = database.add_anchor(&authority, "*", mode, now()).await;
        assert_eq!(added, Ok(is_new), "{mode:?}");
        let stored = database.anchors().await.unwrap();
        let [only] = &stored[..] else {
            panic!("{stored:?}");
        };
        assert_eq!(only.revocation.as_deref(), mode);
    }
}

async fn the_distrusted_come_and_go_and_are_noticed(place: Place) {
    let database = place.open().await;
    let mut feed = database.changes().await.unwrap();
    let fingerprint = Fingerprint::of(b"somebody");
    assert_eq!(database.add_distrusted(&fingerprint, now()).await, Ok(true));
    assert_eq!(
        database.add_distrusted(&fingerprint, now()).await,
        Ok(false)
    );
    assert_eq!(database.distrusted().await, Ok(vec![fingerprint]));
    let removed = database.remove_distrusted(&fingerprint, now()).await;
    assert_eq!(removed, Ok(true));
    assert_eq!(database.distrusted().await, Ok(vec![]));
    assert_eq!(feed.poll().await.unwrap().len(), 2);
}

async fn a_newer_crl_takes_the_place_of_the_older_one(place: Place) {
    let database = place.open().await;
    for (url, der) in [("http://a", "old"), ("http://b", "b"), ("http://a", "new")] {
        let kept = database.keep_revocation_list(url, der.as_bytes(), now());
        assert_eq!(kept.await, Ok(()));
    }
    let stored = database.revocation_lists().await.unwrap();
    let stored: Vec<_> = stored
        .iter()
        .map(|one| (one.url.as_str(), &one.der[..]))
        .collect();
    assert_eq!(stored, [("http://a", &b"new"[..]), ("http://b", b"b")]);
}
