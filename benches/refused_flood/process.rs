//! What the system says of the server: its memory and its processor time. From `/proc`: on another system than Linux all of it is 0.

use std::{fs, path::PathBuf, time::Duration};

/// A running process.
pub(super) struct Process(PathBuf);

impl Process {
    pub(super) fn of(id: u32) -> Self {
        Self(format!("/proc/{id}").into())
    }

    /// The memory that it has, in MiB.
    pub(super) fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most that it had since the peak was forgotten, in MiB.
    pub(super) fn peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// Forgets the peak: at its start a server hashes passwords, and the demo is made.
    pub(super) fn forget_peak(&self) {
        // proc_pid_clear_refs(5). Where it can't be written the peak has the start in it, which makes the benchmark stricter.
        let _ = fs::write(self.0.join("clear_refs"), "5");
    }

    fn status(&self, name: &str) -> f64 {
        let status = fs::read_to_string(self.0.join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        f64::from(kib.unwrap_or_default()) / 1_024.0
    }

    /// For how long its threads have run, and for how long they have waited for a core that somebody else had.
    pub(super) fn ran(&self) -> Ran {
        let threads = fs::read_dir(self.0.join("task")).into_iter().flatten();
        let times = threads.flatten().filter_map(|thread| {
            let schedule = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let mut nanos = schedule
                .split_whitespace()
                .map_while(|word| word.parse::<u64>().ok());
            Some((nanos.next()?, nanos.next()?))
        });
        let (on, off) = times.fold((0_u64, 0_u64), |(on, off), (run, wait)| {
            (on + run, off + wait)
        });
        Ran {
            on: Duration::from_nanos(on),
            off: Duration::from_nanos(off),
        }
    }
}

/// What threads have done since they began.
#[derive(Clone, Copy)]
pub(super) struct Ran {
    on: Duration,
    off: Duration,
}

impl Ran {
    /// How many cores it was since another moment, this long ago, and for how many more there was work.
    pub(super) fn cores(self, before: Self, time: Duration) -> [f64; 2] {
        // Threads that have ended are not counted any more.
        let of = |now: Duration, before| now.saturating_sub(before).div_duration_f64(time);
        [of(self.on, before.on), of(self.off, before.off)]
    }
}
