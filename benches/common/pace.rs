//! Sending when it is due.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Calls `send` with a number and when it is due, `rate` times a second, as long as it goes on. It takes its thread: the timer of a
/// runtime is too coarse, and late when the runtime is busy.
pub(crate) fn at_rate(rate: u32, goes_on: impl Fn() -> bool, mut send: impl FnMut(usize, Instant)) {
    let start = Instant::now();
    for number in 0.. {
        let due = start + Duration::from_secs(1) / rate * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if !goes_on() {
            return;
        }
        send(number as usize, due);
    }
}
