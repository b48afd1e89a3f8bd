//! What the person sees who runs it.

mod config;
mod doctor;
mod logs;
mod metrics;
mod outages;
mod redis_many;
mod replica;
mod tls;
mod traces;
