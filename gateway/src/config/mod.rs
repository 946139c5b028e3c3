//! What the operator configured: read from `postern.toml` with every mistake at once, and then used as it is.

mod checked;
mod delivery;
mod directory;
mod limits;
mod listener;
mod profile;
mod publication;
mod read;
mod storage;
mod trust;

pub use policy::network::Network;

pub use checked::{
    AnchorFiles, Config, DeliveryConfig, Destination, Limits, ListenerConfig, ListenerTls,
    LogConfig, RouteConfig, RouteTls, TrustConfig,
};
pub use directory::{BindConfig, DirectoryConfig, DirectoryKind, LdapConfig};
pub use profile::{CipherChoice, Form, HeaderPolicy, HeaderProtection, Profile, Profiles};
pub use publication::PublicationConfig;
pub use read::expand;
pub use storage::{DatabaseConfig, HarvestConfig};
