//! Staygate.
pub mod domain;
pub mod entity;
