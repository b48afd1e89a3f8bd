//! Staygate.
pub mod domain;
pub mod entity;
pub mod store;
