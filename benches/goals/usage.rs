//! What processes have used, from `/proc`: on another system than Linux all of it is 0.

use std::{fs, time::Duration};

/// How long one tick of the times in `/proc` is: the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// A process with all that it has started: PostgreSQL has one for each connection, the peer one for each core.
#[derive(Clone, Copy)]
pub(super) struct Tree(pub(super) u32);

impl Tree {
    /// The processor time that it has used so far, also in those of its processes that have ended.
    pub(super) fn processor(self) -> Duration {
        let processes: Vec<_> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| Stat::read(entry.ok()?.file_name().to_str()?.parse().ok()?))
            .collect();
        let (mut todo, mut ticks) = (vec![self.0], 0);
        while let Some(id) = todo.pop() {
            for process in &processes {
                if process.id == id {
                    ticks += process.ticks;
                }
                if process.parent == id {
                    todo.push(process.id);
                }
            }
        }
        TICK * ticks
    }

    /// The memory that its first process has, in MB.
    pub(super) fn memory(self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        f64::from(kib.unwrap_or_default()) * 1_024.0 / 1e6
    }
}

/// The processor time that the machine has used so far, whoever used it (`proc_stat(5)`).
pub(super) fn of_machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let times = stat.lines().next().unwrap_or_default().split_whitespace();
    // The fourth and fifth are idle; the last two are of guests, and in the first two as well.
    let busy = times.skip(1).zip([1, 1, 1, 0, 0, 1, 1, 1]);
    let ticks = busy.map(|(time, counts)| time.parse().unwrap_or(0) * counts);
    TICK * ticks.sum::<u32>()
}

/// A line of `/proc/<id>/stat` (`proc_pid_stat(5)`).
struct Stat {
    id: u32,
    parent: u32,
    /// User and system time, with that of children that have ended.
    ticks: u32,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before it may have anything in it.
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |place: usize| fields.get(place)?.parse::<u32>().ok();
        Some(Self {
            id,
            parent: number(1)?,
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        })
    }
}
