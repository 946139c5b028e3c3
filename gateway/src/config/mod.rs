//! What the operator configured: read from `postern.toml` with every mistake at once, and then used as it is.

mod checked;
mod delivery;
mod limits;
mod listener;
mod profile;
mod read;
mod trust;

pub use checked::{
    AnchorFiles, Config, DeliveryConfig, Destination, Form, Limits, ListenerConfig, ListenerTls,
    LogConfig, Network, Profile, RouteConfig, RouteTls, TrustConfig,
};
pub use read::expand;
