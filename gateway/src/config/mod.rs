//! What the operator configured: `raw` is the file as written, `checked` is what the program uses.

mod checked;

pub use checked::{
    Config, DeliveryConfig, Destination, Form, Limits, ListenerConfig, ListenerTls, Network,
    Profile, RouteConfig, RouteTls, TrustConfig,
};
