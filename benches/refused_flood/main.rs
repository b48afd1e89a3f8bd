//! Does a flood of what is refused slow down those who ask in good faith, or fill the server's memory?
//!
//! Starts the built server on a fresh demo and sends a public query at a fixed rate, by turns in quiet and while requests of every kind that
//! is refused come in ([`kinds`]); once with rates unlimited, so that each is refused for its own reason, and once as a server is by
//! default. Then 64 uploads that are too large are held half-way. Fails when
//!
//! - the 99th percentile under the flood is more than [`ALLOWED`] times the quiet one, in the median of the rounds,
//! - the server's memory is larger by more than [`GROWTH`] after the floods than before them, or was by more than [`PEAK`] at any time,
//! - any request was not answered as it should have been, or
//! - the server logged more than [`LINES`] lines: who is refused must not fill a disk.
//!
//! A bare axum route of this process that sends the bytes of the good answer is asked at the same rate in the same windows: it shows what
//! the machine itself does then.

#[path = "../common/mod.rs"]
mod common;
mod figures;
mod flood;
mod kinds;
mod process;
mod sockets;
mod uploads;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio_util::task::TaskTracker;

use self::{
    common::{
        asking::{Askers, RATE, WINDOW, database},
        compared::Compared,
        figures::Latencies,
        pace::at_rate,
        server::{Server, setting},
    },
    figures::{HEAD, Round},
    flood::{Flood, NETWORKS},
    process::Process,
};

/// How many times the quiet 99th percentile the one under the flood may be.
const ALLOWED: f64 = 2.0;
/// How much memory the server may have more after the floods than before them, in MiB. The allocator keeps what their worst moment took;
/// a kilobyte that were kept of each refused request would be 30 of these.
const GROWTH: f64 = 48.0;
/// And at any time, with 64 uploads in it, of 255 KiB each.
const PEAK: f64 = 96.0;
/// How many lines it may log.
const LINES: usize = 20;
/// Each is a quiet window and one under the flood; of every second one the flood comes first.
const ROUNDS: usize = 6;
/// How much is refused each second.
const FLOOD: u32 = 500;
/// How long the flood runs before its window.
const FLOODING: Duration = Duration::from_secs(2);
/// How long it runs for the first time: its networks have no rate left after it.
const FIRST: Duration = Duration::from_secs(10);

fn main() -> anyhow::Result<ExitCode> {
    // The client asks for one, although it speaks no TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut good = true;
    for rates in ["off", "on"] {
        good &= is_borne(rates)?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether a server with this setting of its rates bears the flood.
fn is_borne(rates: &str) -> anyhow::Result<bool> {
    let folder = tempfile::tempdir()?;
    let (database, redis) = (database(), setting("STAYGATE_BENCH_REDIS"));
    let mut settings = vec![
        ("STAYGATE_RATE_LIMITS", rates),
        // What is sent says where it comes from, as if through a proxy.
        ("STAYGATE_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    settings.extend(redis.as_deref().map(|url| ("REDIS_URL", url)));
    let server = Server::start(folder.path(), &database, &["serve", "--demo"], &settings)?;
    let askers = Askers::of(&server.url)?;
    let flood = askers.runtime.block_on(Flood::of(&server, rates))?;
    let bench = Bench {
        process: Process::of(server.process.id()),
        askers,
        flood: Arc::new(flood),
    };

    let engine = database.split(':').next().unwrap_or_default();
    let beside = redis.map_or("", |_| " and Redis");
    println!(
        "\n{engine}{beside}, rates {rates}: {RATE} queries and {RATE} requests to the bare route a second, \
         {FLOOD} from {NETWORKS} networks to be refused, times in ms, memory in MiB{HEAD}"
    );
    // Connections are opened and caches filled; then the networks of the flood use up their rates.
    bench.askers.window();
    let quiet = bench.process.memory();
    bench.process.forget_peak();
    bench.flood(FIRST, || {});
    let first = bench.process.memory();
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        let round = bench.round(number.is_multiple_of(2));
        println!("{number:<6} {round}");
        rounds.push(round);
    }
    let median = Round::median(&rounds);
    println!("median {median}");
    let last = bench.process.memory();
    let most = bench.process.peak();
    let held = uploads::hold(&bench.askers.runtime, &server.url, &bench.process)?;
    let peak = bench.process.peak();

    println!("\n{}", bench.flood);
    println!(
        "The flood makes the 99th percentile {:.2} times as long; {ALLOWED} are allowed. {} wrong answers.",
        median.public.ratio,
        median.wrong + held.wrong
    );
    println!(
        "Memory: {quiet:.1} MiB in quiet, {first:.1} after the first flood, {last:.1} after the last one, {most:.1} at most; {:.1} with {} \
         uploads half-way, {peak:.1} at most. {GROWTH} more than in quiet are allowed after the floods, and {PEAK} at any time.",
        held.memory,
        uploads::UPLOADS
    );
    println!("{}", server.log);
    Ok(median.public.ratio <= ALLOWED
        && median.wrong + held.wrong == 0
        && bench.flood.is_answered()
        && last <= quiet + GROWTH
        && peak <= quiet + PEAK
        && server.log.lines() <= LINES)
}

/// All that sends, and what is looked at.
struct Bench {
    process: Process,
    askers: Askers,
    flood: Arc<Flood>,
}

/// What came of a window.
struct Window {
    public: Latencies,
    bare: Latencies,
    /// How many cores the server had, and for how many more it had work.
    cores: [f64; 2],
}

impl Bench {
    fn window(&self) -> Window {
        let before = self.process.ran();
        let (public, bare) = self.askers.window();
        Window {
            public,
            bare,
            cores: self.process.ran().cores(before, WINDOW),
        }
    }

    /// Floods the server: for a while, then for as long as `work` takes. Everything is answered when it returns.
    fn flood<T>(&self, before: Duration, work: impl FnOnce() -> T) -> T {
        let ending = AtomicBool::new(false);
        let unanswered = TaskTracker::new();
        let result = thread::scope(|scope| {
            scope.spawn(|| {
                at_rate(
                    FLOOD,
                    || !ending.load(Ordering::Relaxed),
                    |number, due| {
                        self.flood.is_sent(due);
                        let flood = Arc::clone(&self.flood);
                        let sending = async move { flood.send(number).await };
                        unanswered.spawn_on(sending, self.askers.runtime.handle());
                    },
                );
            });
            thread::sleep(before);
            let result = work();
            ending.store(true, Ordering::Relaxed);
            result
        });
        unanswered.close();
        self.askers.runtime.block_on(unanswered.wait());
        result
    }

    /// A quiet window and one under the flood.
    fn round(&self, flood_first: bool) -> Round {
        let wrong = self.flood.wrong();
        let under = || {
            self.flood(FLOODING, || {
                self.flood.sending();
                let window = self.window();
                let sending = self.flood.sending();
                (window, sending, self.process.memory())
            })
        };
        let (quiet, (flooded, sending, memory)) = if flood_first {
            let flooded = under();
            (self.window(), flooded)
        } else {
            (self.window(), under())
        };
        let windows = [&quiet.public, &quiet.bare, &flooded.public, &flooded.bare];
        Round {
            wrong: windows.map(|window| window.wrong).iter().sum::<u32>() + self.flood.wrong()
                - wrong,
            public: Compared::of(&quiet.public, &flooded.public),
            bare: Compared::of(&quiet.bare, &flooded.bare),
            quiet: quiet.cores,
            flooded: flooded.cores,
            sent: f64::from(sending.sent) / WINDOW.as_secs_f64(),
            late: sending.late,
            memory,
        }
    }
}
