//! placeholder
mod invalidations;
pub(crate) use invalidations::Invalidations;
