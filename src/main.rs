//! Starts the `staygate` command.
fn main() {}
