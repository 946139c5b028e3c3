use tempfile::TempDir;

use super::*;
use crate::certificate::Certificate;
use crate::database::{Acceptance, CertificateSource, Harvest, KeyOrigin, KeyPurpose, NewKey};
use crate::samples::{Sample, SampleAuthority, address, now};

const PASSPHRASE: ArchiveKey<'_> = ArchiveKey::Passphrase("open sesame");

async fn database(folder: &TempDir, name: &str) -> Database {
    Database::open(&folder.path().join(name)).await.unwrap()
}

/// A store with something in each table that has null columns, numbers or bytes.
async fn filled(folder: &TempDir) -> (Database, Vec<Certificate>) {
    let database = database(folder, "from.db").await;
    let root = SampleAuthority::root("Root").certificate();
    let (alice, _) = Sample::ec("alice@example.org").self_signed();
    let (bob, _) = Sample::ec("bob@example.org").self_signed();
    let owner = address("alice@example.org");
    let key = NewKey {
        owner: &owner,
        certificate: &alice,
        purpose: KeyPurpose::Both,
        origin: KeyOrigin::Imported,
        sealed: vec![0, 255, 1],
    };
    database.add_keys(&[key], &[], now()).await.unwrap();
    database.add_anchor(&root, "*", None, now()).await.unwrap();
    database
        .add_authority(&root, b"sealed", now())
        .await
        .unwrap();
    let harvest = Harvest {
        certificate: bob.clone(),
        address: address("bob@example.org"),
        chain: Vec::new(),
        message_id: "<ü@x>".to_owned(),
    };
    database
        .harvest(&[harvest], Acceptance::Any, now())
        .await
        .unwrap();
    let mut all = vec![root, alice, bob];
    all.sort_by_key(Certificate::sha256);
    (database, all)
}

async fn all(database: &Database) -> Vec<Certificate> {
    let page = database.certificates(None, 100).await.unwrap();
    page.into_iter().map(|stored| stored.certificate).collect()
}

#[tokio::test]
async fn a_store_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let (from, certificates) = filled(&folder).await;
    let vault = VaultKey::generate().unwrap();
    for (number, under) in [ArchiveKey::Vault, PASSPHRASE].into_iter().enumerate() {
        let mut file = Vec::new();
        let rows = export(&from, &vault, under, &mut file).await.unwrap();
        let to = database(&folder, &format!("to{number}.db")).await;
        assert_eq!(
            import(&to, &vault, "open sesame", &file[..]).await.unwrap(),
            rows
        );
        assert_eq!(all(&to).await, certificates);
        let keys = to.keys_of(&address("alice@example.org")).await.unwrap();
        assert_eq!(keys[0].sealed, [0, 255, 1]);
        assert_eq!(to.anchors().await.unwrap()[0].revocation, None);
        let bob = address("bob@example.org");
        let bob = to
            .certificates_of(&bob, CertificateSource::ALL)
            .await
            .unwrap();
        assert_eq!(bob[0].source, CertificateSource::Harvested);
        let again = import(&to, &vault, "open sesame", &file[..]).await;
        assert!(matches!(
            again,
            Err(ArchiveError::Transfer(TransferError::NotEmpty(_)))
        ));
    }
}

#[tokio::test]
async fn what_does_not_open_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _) = filled(&folder).await;
    let vault = VaultKey::generate().unwrap();
    let mut file = Vec::new();
    export(&from, &vault, PASSPHRASE, &mut file).await.unwrap();
    let to = database(&folder, "to.db").await;
    let open = async |file: &[u8], vault: &VaultKey, passphrase| {
        import(&to, vault, passphrase, file)
            .await
            .unwrap_err()
            .to_string()
    };
    let other = VaultKey::generate().unwrap();
    let sesame = "open sesame";
    let mut changed = file.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (error, expected) in [
        (open(&file, &vault, "").await, "another passphrase"),
        (open(&file, &other, sesame).await, "another vault key"),
        (open(&changed, &vault, sesame).await, "a chunk was changed"),
        (
            open(&file[..file.len() - 1], &vault, sesame).await,
            "failed to fill",
        ),
        (open(&file[..50], &vault, sesame).await, "no exported store"),
        (open(b"", &vault, sesame).await, "no exported store"),
    ] {
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    assert!(all(&to).await.is_empty());
}
