//! Everything that is there before a message comes: keys and certificates of the test PKI, imported by the built program into
//! a data folder that is opened here.

use std::fs;
use std::sync::Arc;

use certstore::certificate::Purpose;
use certstore::clock::SystemClock;
use certstore::cms::{Decryptor, Signer};
use certstore::trust::TrustedCertificate;
use gateway::app::Store;
use gateway::config::Config;
use integration::gateway::{Gateway, Setup};
use integration::pki::pki;
use policy::address::Address;
use policy::diagnostic::Source;
use tokio::runtime::Runtime;

pub(crate) const ALICE: &str = "alice@example.org";
pub(crate) const BOB: &str = "bob@partner.example";

/// Alice, who signs, and Bob, who reads.
pub(crate) struct House {
    pub(crate) runtime: Runtime,
    // Keeps the data folder.
    _gateway: Gateway,
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) decryptors: Vec<Arc<dyn Decryptor>>,
    pub(crate) recipient: TrustedCertificate,
}

impl House {
    pub(crate) fn open() -> Self {
        let pki = pki().expect("the PKI");
        let gateway = Setup::default()
            .write()
            .expect("make bench builds the program");
        for person in [pki.alice(), pki.bob()] {
            gateway
                .import_key(&person, "both")
                .expect("the key is good");
        }
        let runtime = Runtime::new().expect("a runtime");
        let (config, store) = open_store(&gateway, &runtime);
        let (alice, bob) = (address(ALICE), address(BOB));
        let signer = runtime
            .block_on(store.vault.signer_for(&alice))
            .expect("the vault is open");
        let decryptors = runtime.block_on(store.vault.decryptors_for(&bob));
        let recipient = runtime.block_on(store.lookup.find(&bob, Purpose::Encryption));
        Self {
            _gateway: gateway,
            config,
            signer: signer.expect("alice has a key"),
            decryptors: decryptors.expect("the vault is open"),
            recipient: recipient
                .expect("no source fails")
                .chosen
                .clone()
                .expect("bob's is good")
                .0,
            store,
            runtime,
        }
    }
}

/// The store of a gateway that does not run.
pub(crate) fn open_store(gateway: &Gateway, runtime: &Runtime) -> (Config, Store) {
    let file = gateway.file("postern.toml");
    let text = fs::read_to_string(&file).expect("it was just written");
    let source = Source::new("postern.toml", text);
    let folder = file.parent().expect("it is in a folder");
    let config = Config::read(&source, folder).expect("it is right");
    let store = runtime.block_on(Store::open(&config, Arc::new(SystemClock)));
    (config, store.expect("the commands opened it too"))
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}
