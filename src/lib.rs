//! Staygate.
pub mod domain;
pub mod entity;
pub mod store;
pub mod service;
pub mod graphql;
