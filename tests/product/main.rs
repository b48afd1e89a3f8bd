//! What the product does, seen by its clients: each test starts the whole server on a database of its own, once on SQLite and once on
//! PostgreSQL with Redis, and talks to it over HTTP and WebSocket.
//!
//! `tests/run` starts the servers that this needs.

#![expect(unreachable_pub, reason = "everything of a test binary is its own")]

mod support;

mod accounts;
mod audit;
mod backups;
mod booking;
mod caching;
mod calendars;
mod card_numbers;
mod concurrency;
mod demo;
mod edge;
mod guessing;
mod hostile;
mod house;
mod input;
mod limits;
mod mail;
mod main_way;
mod notifications;
mod operating;
mod payments;
mod people;
mod permissions;
mod properties;
mod protocol;
mod proxies;
mod queue;
mod rest;
mod resuming;
mod reviews;
mod schema;
mod sessions;
mod statements;
mod storage;
mod storms;
mod streams;
mod watching;
