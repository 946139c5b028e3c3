//! What the operator configured: read from `postern.toml` with every mistake at once, and then used as it is.

mod checked;
mod delivery;
mod limits;
mod listener;
mod profile;
mod read;

pub use checked::{
    Config, DeliveryConfig, Destination, Limits, ListenerConfig, ListenerTls, LogConfig, Network,
    RouteConfig, RouteTls, TrustConfig,
};
pub use profile::{CipherChoice, Form, HeaderPolicy, HeaderProtection, Profile, Profiles};
