//! The outside world behind small faces: the database, the bus between instances, the payment provider, calendars of other platforms, mail, limits on tries, password
//! hashing and token signing, dumps of the database and where backups are put, the collector of traces. Each has a home inside the process, so that nothing needs to be installed.

pub mod answers;
pub mod archive;
pub mod blobs;
pub mod bus;
pub mod db;
pub mod documents;
pub mod dump;
pub mod feeds;
pub mod flow;
pub mod gateway;
pub mod limits;
pub mod mail;
pub mod passwords;
mod patient;
pub mod redis;
pub mod tokens;
pub mod traces;
pub mod vault;
