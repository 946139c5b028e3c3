//! The queue against crashes, hostile bytes on disk, and several users.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use certstore::clock::FixedClock;
use policy::address::Address;
use tempfile::TempDir;

use super::*;
use crate::observe::QueueId;

const MARKER: &str = "attack at dawn";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_536_000)
}

fn open(folder: &Path, key: &VaultKey) -> Result<Spool, SpoolError> {
    Spool::open(folder, key, Arc::new(FixedClock(now())))
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn message(chance: u64) -> QueueId {
    QueueId::new(now(), chance)
}

pub(super) fn copy(chance: u64, number: u16, content: impl Into<Bytes>) -> NewCopy {
    NewCopy {
        id: CopyId {
            message: message(chance),
            number,
        },
        reverse_path: Some(address("marker-from@example.org")),
        recipients: vec![
            address("marker-one@example.com"),
            address("marker-two@example.com"),
        ],
        content: content.into(),
        smtputf8: false,
        transport: Transport::Any,
        original_headers: Bytes::from_static(b"Subject: attack at dawn\r\n"),
        message_id: Some("<marker-id@example.org>".to_owned()),
        subject: Some(MARKER.to_owned()),
    }
}

fn large() -> Vec<u8> {
    MARKER.as_bytes().repeat(20_000)
}

fn settlement(id: CopyId, fates: &[(usize, Fate)]) -> Settlement {
    Settlement {
        id,
        attempts: 1,
        retry_at: now() + Duration::from_secs(60),
        outcomes: fates
            .iter()
            .map(|&(recipient, fate)| Outcome {
                recipient,
                fate,
                reply: "250 2.0.0 whatever".to_owned(),
            })
            .collect(),
    }
}

async fn read(spool: &Spool, id: CopyId) -> Result<Bytes, SpoolError> {
    spool.content(id).await?.whole().await
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn content_files(folder: &Path) -> Vec<PathBuf> {
    files(&folder.join("spool"))
}

/// What a crash at this moment would leave: the files as they are, without any farewell.
fn crash_image(folder: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    for path in files(folder) {
        let target = image.path().join(path.strip_prefix(folder).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, target).unwrap();
    }
    image
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    let stored = spool
        .store(vec![copy(1, 1, "small"), copy(1, 2, large())])
        .await
        .unwrap();
    assert_eq!(stored.copies(), 2);

    let image = crash_image(folder.path());
    let reopened = open(image.path(), &key).unwrap();
    let entries = reopened.due(now(), 10).await.unwrap();
    assert_eq!(entries.len(), 2);
    for (entry, content) in entries.iter().zip([b"small".to_vec(), large()]) {
        assert_eq!(read(&reopened, entry.id).await.unwrap(), content);
        assert_eq!(
            reopened.original_headers(entry.id).await.unwrap(),
            copy(1, 1, "").original_headers
        );
        assert_eq!(entry.details.subject.as_deref(), Some(MARKER));
        assert_eq!(entry.details.recipients.len(), 2);
        assert_eq!((entry.stored, entry.attempts), (now(), 0));
        assert_eq!(entry.size, content.len() as u64);
    }
}

#[tokio::test]
async fn all_copies_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    spool
        .store(vec![copy(1, 2, "there already")])
        .await
        .unwrap();

    let copies = vec![copy(1, 1, "a"), copy(1, 3, large()), copy(1, 2, "again")];
    assert!(spool.store(copies).await.is_err());
    let queue = Queue::open(folder.path(), &key).unwrap();
    assert_eq!(queue.list(Which::All).unwrap().len(), 1);
    assert_eq!(content_files(folder.path()), Vec::<PathBuf>::new());

    // A caller that is at fault does not take others in the same transaction down with it.
    let (bad, good) = tokio::join!(
        spool.store(vec![copy(1, 2, "again")]),
        spool.store(vec![copy(2, 1, "b")])
    );
    assert!(bad.is_err());
    assert_eq!(good.unwrap().copies(), 1);
}

#[tokio::test]
async fn a_bounce_and_what_it_tells_of_commit_together() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    let first = copy(1, 1, "a").id;
    spool.store(vec![copy(1, 1, "a")]).await.unwrap();
    let gone = settlement(first, &[(0, Fate::Delivered), (1, Fate::Failed)]);

    // The bounce's id is taken: neither may happen.
    let refused = spool.commit(vec![copy(1, 1, "bounce")], vec![gone.clone()]);
    assert!(refused.await.is_err());
    let queue = Queue::open(folder.path(), &key).unwrap();
    assert_eq!(queue.list(Which::Copy(first)).unwrap().len(), 1);

    spool
        .commit(vec![copy(2, 1, "bounce")], vec![gone])
        .await
        .unwrap();
    assert_eq!(queue.list(Which::Copy(first)).unwrap().len(), 0);
    assert_eq!(queue.list(Which::Message(message(2))).unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_readable_rests_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    let id = copy(1, 1, "").id;
    spool
        .store(vec![copy(1, 1, MARKER), copy(1, 2, large())])
        .await
        .unwrap();
    spool
        .settle(vec![settlement(id, &[(0, Fate::Deferred)])])
        .await
        .unwrap();
    let mut bytes = 0;
    for path in files(folder.path()) {
        let content = std::fs::read(&path).unwrap();
        bytes += content.len();
        for marker in [MARKER, "marker", "example.", "2.0.0 whatever"] {
            let found = memchr::memmem::find(&content, marker.as_bytes());
            assert_eq!(found, None, "{marker} in {}", path.display());
        }
    }
    assert!(bytes > large().len());
}

#[tokio::test]
async fn files_are_ours_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let spool = open(&data_dir, &VaultKey::generate().unwrap()).unwrap();
    spool.store(vec![copy(1, 1, large())]).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    for path in files(&data_dir) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn each_recipient_is_settled_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), &VaultKey::generate().unwrap()).unwrap();
    let id = copy(1, 1, "").id;
    spool.store(vec![copy(1, 1, large())]).await.unwrap();
    drop(spool.arrived(10));

    let first = [(0, Fate::Delivered), (1, Fate::Deferred)];
    spool.settle(vec![settlement(id, &first)]).await.unwrap();
    assert!(spool.due(now(), 10).await.unwrap().is_empty());
    let later = now() + Duration::from_secs(60);
    let entries = spool.due(later, 10).await.unwrap();
    let states: Vec<_> = entries[0]
        .details
        .recipients
        .iter()
        .map(|recipient| recipient.state)
        .collect();
    assert_eq!(states, [RecipientState::Delivered, RecipientState::Waiting]);
    assert_eq!(entries[0].attempts, 1);

    let second = [(1, Fate::Delivered)];
    spool.settle(vec![settlement(id, &second)]).await.unwrap();
    drop(entries);
    assert!(spool.due(later, 10).await.unwrap().is_empty());
    assert_eq!(read(&spool, id).await, Err(SpoolError::Gone(id)));
    drop(spool);
    assert!(content_files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_copy_has_one_taker_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), &VaultKey::generate().unwrap()).unwrap();
    spool.store(vec![copy(1, 1, "a")]).await.unwrap();
    let taken = spool.due(now(), 10).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert!(spool.due(now(), 10).await.unwrap().is_empty());
    drop(taken);
    assert_eq!(spool.due(now(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn orphans_are_swept_and_strangers_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    spool.store(vec![copy(1, 1, large())]).await.unwrap();
    drop(spool);
    let owned = content_files(folder.path()).remove(0);
    let orphan = owned.with_file_name(copy(2, 1, "").id.to_string());
    std::fs::copy(&owned, &orphan).unwrap();
    let stranger = owned.with_file_name("lost+found");
    std::fs::copy(&owned, &stranger).unwrap();

    let spool = open(folder.path(), &key).unwrap();
    assert!(!orphan.exists());
    assert!(owned.exists() && stranger.exists());
    assert_eq!(read(&spool, copy(1, 1, "").id).await.unwrap(), large());
}

#[tokio::test]
async fn a_damaged_content_is_set_aside_and_the_rest_goes_on() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("cut", |bytes| bytes.truncate(bytes.len() - 1)),
        ("changed", |bytes| bytes[70_000] ^= 1),
        ("longer", |bytes| bytes.push(0)),
        ("empty", Vec::clear),
        ("swapped", |bytes| bytes[..131_128].rotate_left(65_564)),
    ];
    for (name, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let key = VaultKey::generate().unwrap();
        drop({
            let spool = open(folder.path(), &key).unwrap();
            spool.store(vec![copy(1, 1, large())]).await.unwrap();
            spool.store(vec![copy(2, 1, "fine")]).await.unwrap();
            spool
        });
        let file = content_files(folder.path()).remove(0);
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::remove_file(&file).unwrap();
        std::io::Write::write_all(&mut File::create(&file).unwrap(), &bytes).unwrap();

        let spool = open(folder.path(), &key).unwrap();
        let id = copy(1, 1, "").id;
        let error = read(&spool, id).await.unwrap_err();
        assert!(
            matches!(error, SpoolError::Corrupt { id: bad, .. } if bad == id),
            "{name}: {error}"
        );
        assert_eq!(spool.damaged(), 1, "{name}");
        let entries = spool.due(now(), 10).await.unwrap();
        assert_eq!(entries.len(), 1, "{name}");
        assert_eq!(entries[0].id, copy(2, 1, "").id, "{name}");
        let listed = Queue::open(folder.path(), &key).unwrap();
        assert_eq!(
            listed.list(Which::Copy(id)).unwrap()[0].details,
            None,
            "{name}"
        );
    }
}

#[tokio::test]
async fn damaged_rows_are_set_aside_and_the_rest_goes_on() {
    for sql in [
        "UPDATE copy SET details = x'00' WHERE id = ?1",
        "UPDATE copy SET key = x'' WHERE id = ?1",
        "UPDATE copy SET id = 'what is this' WHERE id = ?1",
        "UPDATE copy SET (key, details) = (SELECT key, details FROM copy WHERE id <> ?1) WHERE id = ?1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(folder.path(), &VaultKey::generate().unwrap()).unwrap();
        spool
            .store(vec![copy(1, 1, "a"), copy(2, 1, "b")])
            .await
            .unwrap();
        drop(spool.arrived(10));
        let id = copy(1, 1, "").id.to_string();
        let database = rusqlite::Connection::open(folder.path().join("spool.db")).unwrap();
        assert_eq!(database.execute(sql, [id]).unwrap(), 1);
        let entries = spool.due(now(), 10).await.unwrap();
        assert_eq!(entries.len(), 1, "{sql}");
        assert_eq!(spool.damaged(), 1, "{sql}");
        drop(entries);
        assert_eq!(spool.due(now(), 10).await.unwrap().len(), 1, "{sql}");
        assert_eq!(spool.damaged(), 1, "{sql}");
    }
}

#[tokio::test]
async fn a_wrong_size_in_the_database_reserves_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    for (chance, size, content) in [
        (1, -1, "a".into()),
        (2, i64::MAX, "a".into()),
        (3, i64::MAX / 2, large()),
        (4, 0, large()),
    ] {
        let spool = open(folder.path(), &key).unwrap();
        spool.store(vec![copy(chance, 1, content)]).await.unwrap();
        drop(spool);
        let spool = open(folder.path(), &key).unwrap();
        let id = copy(chance, 1, "").id;
        let database = rusqlite::Connection::open(folder.path().join("spool.db")).unwrap();
        let changed = database.execute(
            "UPDATE copy SET size = ?1 WHERE id = ?2",
            rusqlite::params![size, id.to_string()],
        );
        assert_eq!(changed, Ok(1));
        let error = read(&spool, id).await.unwrap_err();
        assert!(matches!(error, SpoolError::Corrupt { .. }), "{size}");
    }
}

#[test]
fn opening_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    let locked = open(folder.path(), &key).unwrap_err();
    assert!(matches!(locked, SpoolError::Locked(_)), "{locked}");
    drop(spool);
    let other = open(folder.path(), &VaultKey::generate().unwrap()).unwrap_err();
    assert_eq!(other, SpoolError::WrongKey);
    assert!(open(folder.path(), &key).is_ok());

    let database = rusqlite::Connection::open(folder.path().join("spool.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert_eq!(
        open(folder.path(), &key).unwrap_err(),
        SpoolError::Format(99)
    );

    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("spool.db")).unwrap();
    std::io::Write::write_all(&mut file, &[b'x'; 5000]).unwrap();
    let damaged = open(folder.path(), &key).unwrap_err();
    let text = damaged.to_string();
    assert!(matches!(damaged, SpoolError::Damaged { .. }), "{text}");
    assert!(text.contains(folder.path().to_str().unwrap()), "{text}");
}

#[tokio::test]
async fn an_operator_sees_and_orders_while_a_gateway_runs() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let spool = open(folder.path(), &key).unwrap();
    spool
        .store(vec![copy(1, 1, "a"), copy(1, 2, large()), copy(2, 1, "c")])
        .await
        .unwrap();
    let entries = spool.arrived(10);
    let settlements = entries
        .iter()
        .map(|entry| settlement(entry.id, &[(0, Fate::Delivered), (1, Fate::Deferred)]))
        .collect();
    spool.settle(settlements).await.unwrap();
    drop(entries);
    assert!(spool.due(now(), 10).await.unwrap().is_empty());

    let mut queue = Queue::open(folder.path(), &key).unwrap();
    let listed = queue.list(Which::Message(message(1))).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].due, now() + Duration::from_secs(60));
    let details = listed[0].details.as_ref().unwrap();
    assert_eq!(details.subject.as_deref(), Some(MARKER));
    assert_eq!(
        details.recipients[1].reply.as_deref(),
        Some("250 2.0.0 whatever")
    );

    assert_eq!(queue.retry(Which::Copy(copy(1, 1, "").id)), Ok(1));
    let due = spool.due(now(), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(due[0].urgent);
    drop(due);

    assert_eq!(queue.drop(Which::Message(message(1))).unwrap().len(), 2);
    assert!(content_files(folder.path()).is_empty());
    let id = copy(1, 2, "").id;
    spool
        .settle(vec![settlement(id, &[(1, Fate::Delivered)])])
        .await
        .unwrap();
    assert_eq!(queue.list(Which::All).unwrap().len(), 1);
    assert_eq!(queue.retry(Which::All), Ok(1));
}

#[tokio::test]
async fn trouble_with_the_disk_is_told_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), &VaultKey::generate().unwrap()).unwrap();
    assert_eq!(spool.health(), Ok(()));
    // A file where the folder of content files should be.
    let blocked = folder.path().join("spool");
    std::fs::remove_dir(&blocked).unwrap();
    File::create(&blocked).unwrap();
    let error = spool.store(vec![copy(1, 1, large())]).await.unwrap_err();
    assert!(matches!(error, SpoolError::Unavailable(_)), "{error}");
    assert!(spool.health().is_err());
    spool.store(vec![copy(2, 1, "small")]).await.unwrap();
    assert_eq!(spool.health(), Ok(()));
}

#[tokio::test]
async fn a_store_whose_caller_went_away_is_delivered_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), &VaultKey::generate().unwrap()).unwrap();
    let impatient = tokio::time::timeout(Duration::ZERO, spool.store(vec![copy(1, 1, "a")]));
    assert!(impatient.await.is_err());
    tokio::time::timeout(Duration::from_secs(5), spool.arrival())
        .await
        .unwrap();
    assert_eq!(spool.arrived(10).len(), 1);
}
