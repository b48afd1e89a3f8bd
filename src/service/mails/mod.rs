//! Mail that Staygate writes to people.

pub mod letter;
mod page;
