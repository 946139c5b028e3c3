mod files;
mod operations;
mod post_quantum;

use encodify::pem;
use rcgen::KeyUsagePurpose;
use zeroize::Zeroizing;

use super::*;
use crate::certificate::{Certificate, Purpose};
use crate::clock::FixedClock;
use crate::cms::RecipientId;
use crate::database::{KeyOrigin, KeyPurpose};
use crate::lookup::{Lifetimes, Lookup};
use crate::samples::{DAY, Sample, SampleAuthority, address, now};
use crate::trust::{Anchor, AnchorScope};

const ALICE: &str = "alice@example.org";

struct Setting {
    folder: tempfile::TempDir,
    database: Database,
    vault: Vault,
}

impl Setting {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("postern.db"))
            .await
            .unwrap();
        let key = open_vault_key(&folder.path().join("vault.key"), &database)
            .await
            .unwrap();
        let vault = Vault::open(database.clone(), &key, Arc::new(FixedClock(now())));
        Self {
            folder,
            database,
            vault,
        }
    }

    async fn import(&self, owner: &str, file: &str) -> Result<Vec<ImportedKey>, ImportError> {
        let options = ImportOptions::default();
        self.vault
            .import(&address(owner), file.as_bytes(), "", options)
            .await
    }

    async fn signer(&self, owner: &str) -> Option<Arc<dyn Signer>> {
        self.vault.signer_for(&address(owner)).await.unwrap()
    }

    async fn decryptors(&self, owner: &str) -> Vec<Arc<dyn Decryptor>> {
        self.vault.decryptors_for(&address(owner)).await.unwrap()
    }
}

fn pem_pair((certificate, pkcs8): &(Certificate, Vec<u8>)) -> String {
    let certificate = pem::STANDARD.encode("CERTIFICATE", certificate.der());
    certificate + &pem::STANDARD.encode("PRIVATE KEY", pkcs8)
}

#[tokio::test]
async fn an_imported_key_signs_decrypts_and_is_there_once() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    let file = pem_pair(&pair);
    assert!(setting.signer(ALICE).await.is_none());
    let imported = setting.import("Alice@example.org", &file).await.unwrap();
    assert_eq!(imported.len(), 1);
    assert!(imported[0].new && imported[0].warnings.is_empty());
    assert_eq!(imported[0].purpose, KeyPurpose::Both);
    assert!(!setting.import(ALICE, &file).await.unwrap()[0].new);

    let signer = setting.signer("ALICE@EXAMPLE.ORG").await.unwrap();
    assert_eq!(signer.certificate(), pair.0.der());
    assert_eq!(signer.encryption_certificate(), None);
    let decryptors = setting.decryptors(ALICE).await;
    assert_eq!(decryptors.len(), 1);
    let named = RecipientId::IssuerAndSerial {
        issuer: pair.0.issuer_der().to_vec(),
        serial: pair.0.serial_octets().to_vec(),
    };
    assert!(decryptors[0].is_named_by(&named));
    assert!(setting.decryptors("bob@example.org").await.is_empty());
    let keys = setting.vault.keys(None).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(
        (keys[0].owner.as_str(), keys[0].origin),
        (ALICE, KeyOrigin::Imported)
    );
}

#[tokio::test]
async fn the_newest_valid_signing_key_signs_and_every_key_decrypts() {
    let setting = Setting::new().await;
    let signing = vec![KeyUsagePurpose::DigitalSignature];
    let agreement = vec![KeyUsagePurpose::KeyAgreement];
    let sample = |from: u32, to: u32, usages: &[KeyUsagePurpose]| Sample {
        not_before: now() - DAY * from,
        not_after: now() + DAY * to,
        usages: usages.to_vec(),
        ..Sample::ec(ALICE)
    };
    let both = [signing.clone(), agreement.clone()].concat();
    let old = sample(90, 30, &both).self_signed();
    let new = sample(9, 30, &signing).self_signed();
    let expired = Sample {
        not_after: now() - DAY,
        ..sample(60, 0, &both)
    }
    .self_signed();
    let future = Sample {
        not_before: now() + DAY,
        ..sample(0, 99, &signing)
    }
    .self_signed();
    let encryption = sample(3, 30, &agreement).self_signed();
    for pair in [&old, &new, &expired, &future, &encryption] {
        setting.import(ALICE, &pem_pair(pair)).await.unwrap();
    }
    let signer = setting.signer(ALICE).await.unwrap();
    assert_eq!(signer.certificate(), new.0.der());
    assert_eq!(signer.encryption_certificate(), Some(encryption.0.der()));
    let decryptors = setting.decryptors(ALICE).await;
    let decrypting: Vec<_> = decryptors.iter().map(|d| d.certificate()).collect();
    assert_eq!(
        decrypting,
        [encryption.0.der(), expired.0.der(), old.0.der()]
    );
}

#[tokio::test]
async fn retired_keys_decrypt_and_withdrawn_keys_do_nothing() {
    let setting = Setting::new().await;
    setting
        .import(ALICE, &pem_pair(&Sample::ec(ALICE).self_signed()))
        .await
        .unwrap();
    let id = setting.vault.keys(None).await.unwrap()[0].id;
    for (state, signs, decrypts) in [
        (KeyState::Active, true, true),
        (KeyState::Retired, false, true),
        (KeyState::Withdrawn, false, false),
        (KeyState::Active, true, true),
    ] {
        assert!(setting.vault.set_key_state(id, state).await.unwrap());
        assert_eq!(setting.signer(ALICE).await.is_some(), signs, "{state:?}");
        assert_eq!(
            !setting.decryptors(ALICE).await.is_empty(),
            decrypts,
            "{state:?}"
        );
    }
}

#[tokio::test]
async fn the_chain_is_completed_from_the_store_up_to_its_root() {
    let setting = Setting::new().await;
    let root = SampleAuthority::root("Root");
    let upper = root.below("Upper");
    let lower = upper.below("Lower");
    let pair = Sample::ec(ALICE).issued_by(&lower);
    let mut file = pem_pair(&pair);
    for authority in [&root, &upper, &lower] {
        file += &pem::STANDARD.encode("CERTIFICATE", authority.certificate().der());
    }
    setting.import(ALICE, &file).await.unwrap();
    let signer = setting.signer(ALICE).await.unwrap();
    let chain = [lower.certificate(), upper.certificate(), root.certificate()];
    assert_eq!(
        signer.chain(),
        chain.map(|certificate| certificate.der().to_vec())
    );
}

/// Law 5: neither the file of the database nor its log holds a key in clear.
#[tokio::test]
async fn keys_rest_sealed() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    let authority = SampleAuthority::root("Root");
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let authority_key = Zeroizing::new(authority.pkcs8());
    setting
        .vault
        .store_authority(&authority.certificate(), &authority_key)
        .await
        .unwrap();
    // Any 16 bytes out of the middle of a key would give it away.
    let ec_secret = &authority_key[authority_key.len() / 3..][..16];
    let rsa_secret = &pair.1[pair.1.len() / 2..][..16];
    let mut certificates = 0;
    for entry in setting.folder.path().read_dir().unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let holds = |piece: &[u8]| memchr::memmem::find(&bytes, piece).is_some();
        assert!(!holds(rsa_secret) && !holds(ec_secret));
        certificates += usize::from(holds(&pair.0.der()[100..200]));
    }
    assert_ne!(
        certificates, 0,
        "the certificate, which is no secret, should be found"
    );
}

#[tokio::test]
async fn a_sealed_key_does_not_open_for_another_owner() {
    let setting = Setting::new().await;
    let pair = Sample::ec(ALICE).self_signed();
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let stolen = setting
        .database
        .keys_of(&address(ALICE))
        .await
        .unwrap()
        .remove(0);
    let mallory = address("mallory@example.org");
    let moved = crate::database::NewKey {
        owner: &mallory,
        certificate: &pair.0,
        purpose: KeyPurpose::Both,
        origin: KeyOrigin::Imported,
        sealed: stolen.sealed,
    };
    setting
        .database
        .add_keys(&[moved], &[], now())
        .await
        .unwrap();
    let refused = setting.vault.decryptors_for(&mallory).await.unwrap_err();
    assert_eq!(refused, VaultError::Seal(SealError::Rejected));
}

#[tokio::test]
async fn changes_of_another_process_count_at_once() {
    let setting = Setting::new().await;
    let root = SampleAuthority::root("Root");
    let source = crate::source::StoredCertificates::local(setting.database.clone());
    let clock = Arc::new(FixedClock(now()));
    let lookup = Lookup::open(
        setting.database.clone(),
        vec![Box::new(source)],
        Vec::new(),
        clock.clone(),
        Lifetimes::default(),
    )
    .await
    .unwrap();
    let mut feed = setting.database.changes().await.unwrap();
    let alice = address(ALICE);
    let find = || lookup.find(&alice, Purpose::Encryption);
    assert!(find().await.unwrap().chosen.is_none());
    assert!(setting.signer(ALICE).await.is_none());

    let path = setting.folder.path();
    let database = Database::open(&path.join("postern.db")).await.unwrap();
    let key = open_vault_key(&path.join("vault.key"), &database)
        .await
        .unwrap();
    let other_process = Vault::open(database.clone(), &key, clock);
    let file = pem_pair(&Sample::ec(ALICE).issued_by(&root));
    let options = ImportOptions::default();
    other_process
        .import(&alice, file.as_bytes(), "", options)
        .await
        .unwrap();
    let anchor = Anchor {
        certificate: root.certificate(),
        scope: AnchorScope::Everybody,
        revocation: None,
    };
    crate::lookup::add_anchor(&database, &anchor, now())
        .await
        .unwrap();
    assert!(setting.signer(ALICE).await.is_none(), "still what it knew");

    let changes = feed.poll().await.unwrap();
    apply_changes(&changes, &lookup, &setting.vault)
        .await
        .unwrap();
    assert!(setting.signer(ALICE).await.is_some());
    assert!(find().await.unwrap().chosen.is_some());
}

#[tokio::test]
async fn our_own_authority_issues_with_its_key_in_the_vault() {
    use crate::issue::{Authority, IssueRequest, KeyAlgorithm, Usage};
    let setting = Setting::new().await;
    assert!(setting.vault.authority().await.unwrap().is_none());
    let (certificate, key) =
        Authority::create("CN=Our CA", KeyAlgorithm::P256, DAY * 3650, now()).unwrap();
    assert!(
        setting
            .vault
            .store_authority(&certificate, &key)
            .await
            .unwrap()
    );
    assert!(
        !setting
            .vault
            .store_authority(&certificate, &key)
            .await
            .unwrap()
    );
    let signer = setting.vault.authority().await.unwrap().unwrap();
    let request = IssueRequest {
        address: address(ALICE),
        common_name: None,
        key: KeyAlgorithm::P256,
        usage: Usage::Both,
        validity: DAY * 365,
    };
    let (issued, key) = Authority::new(signer)
        .unwrap()
        .issue(&request, now())
        .unwrap();
    let alice = address(ALICE);
    assert!(
        setting
            .vault
            .keep_issued(&alice, &issued, &key)
            .await
            .unwrap()
    );
    assert!(
        !setting
            .vault
            .keep_issued(&alice, &issued, &key)
            .await
            .unwrap()
    );
    let (_, foreign) = Sample::ec(ALICE).self_signed();
    let foreign = setting
        .vault
        .keep_issued(&alice, &issued, &Zeroizing::new(foreign))
        .await;
    assert!(
        matches!(foreign, Err(ImportError::NoCertificate { .. })),
        "{foreign:?}"
    );
    assert!(setting.signer(ALICE).await.is_some());
    assert_eq!(
        setting.vault.keys(None).await.unwrap()[0].origin,
        KeyOrigin::Issued
    );
}

#[tokio::test]
async fn a_key_is_opened_once() {
    let setting = Setting::new().await;
    setting
        .import(ALICE, &pem_pair(&Sample::of(ALICE).self_signed()))
        .await
        .unwrap();
    let alice = address(ALICE);
    let first = setting.vault.signer_for(&alice).await.unwrap().unwrap();
    let again = setting.vault.signer_for(&alice).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again), "the key was opened again");
}
