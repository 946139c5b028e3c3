//! No input makes us panic, and no change to a message goes unnoticed.
