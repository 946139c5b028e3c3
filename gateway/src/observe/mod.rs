//! What the program says about itself: one typed function per event, one id through the whole way of a message.
//!
//! No other module writes to the log. An event's name is its `event` field; its message is for people.

pub mod delivery;
mod queue_id;
pub mod session;

pub use queue_id::{QueueId, QueueIdError};
