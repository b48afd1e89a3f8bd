//! Staygate.
pub mod domain;
