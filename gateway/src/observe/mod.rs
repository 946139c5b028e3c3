//! What the program says about itself: one typed function per event, one id through the whole way of a message.
//!
//! No other module writes to the log. An event's name is its `event` field; its message is for people.

mod figures;
mod queue_id;
mod setup;
pub mod session;
mod message;
pub mod delivery;

pub use figures::{cache_size, describe, queue_length};
pub use message::{
    capabilities_forgotten, capabilities_remembered, capabilities_unknown, crl_files_read,
    crl_files_unreadable, decided, directory_passed_over, harvest_failed, harvest_left, harvested,
    judged, no_own_certificate, not_opened, policy_warning, publication_accept_failed,
    publication_listening, refused, started, stopped, stopping, store_changed, store_readable,
    store_unreadable, stored,
};
pub use queue_id::{QueueId, QueueIdError};
pub use setup::{LogFormat, LogLevel, start};
