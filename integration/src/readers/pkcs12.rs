//! Files with private keys, taken into a vault that is thrown away at the end.

use std::sync::{Arc, LazyLock};

use certstore::clock::FixedClock;
use certstore::database::Database;
use certstore::vault::{ImportOptions, Vault, open_vault_key};
use policy::address::Address;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Opens what the corpus holds.
const PASSPHRASE: &str = "a";

struct Room {
    runtime: Runtime,
    vault: Vault,
    owner: Address,
    _folder: TempDir,
}

impl Room {
    fn new() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let vault = runtime.block_on(async {
            let database = Database::open(&folder.path().join("postern.db")).await?;
            let key = open_vault_key(&folder.path().join("vault.key"), &database).await?;
            let clock = Arc::new(FixedClock(super::now()));
            anyhow::Ok(Vault::open(database, &key, clock))
        })?;
        Ok(Self {
            runtime,
            vault,
            owner: Address::parse("alice@example.org")?,
            _folder: folder,
        })
    }
}

/// A PKCS#12 or PEM file with private keys, MAC or not.
#[must_use]
pub fn pkcs12(input: &[u8]) -> bool {
    static ROOM: LazyLock<Room> = LazyLock::new(|| Room::new().expect("a vault opens"));
    let options = ImportOptions {
        without_mac: true,
        ..ImportOptions::default()
    };
    let import = ROOM.vault.import(&ROOM.owner, input, PASSPHRASE, options);
    let imported = ROOM.runtime.block_on(import);
    imported.is_ok_and(|keys| {
        assert!((1..=input.len()).contains(&keys.len()));
        true
    })
}
