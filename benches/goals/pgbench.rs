//! The limit: the same statements without a server before the database, by pgbench.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{
    common::{load::CONNECTIONS, server::setting},
    rows::{Contender, Measured, Meter},
};

/// It connects and prepares its statements before it is measured, in seconds.
const WARM_UP: u32 = 4;

/// A run of pgbench for each measurement.
pub(super) struct Pgbench {
    pub(super) url: String,
    /// Each transaction is one of these, at random.
    pub(super) files: Vec<PathBuf>,
    /// Its variables, such as `n=0`, anew for each run.
    pub(super) variables: Box<dyn FnMut() -> anyhow::Result<Vec<String>>>,
    pub(super) meter: Meter,
}

impl Contender for Pgbench {
    fn name(&self) -> &'static str {
        "pgbench"
    }

    fn run(&mut self, time: Duration) -> anyhow::Result<Measured> {
        let program = setting("STAYGATE_BENCH_PGBENCH").unwrap_or_else(|| "pgbench".to_owned());
        let mut command = Command::new(&program);
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1"]);
        // Every second it says how many there were.
        command.arg("--progress=1");
        command.arg(format!("--client={CONNECTIONS}"));
        command.arg(format!("--time={}", time.as_secs() + u64::from(WARM_UP)));
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        for variable in (self.variables)()? {
            command.arg("--define").arg(variable);
        }
        let running = command
            .arg(&self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {program} (STAYGATE_BENCH_PGBENCH)"))?;
        thread::sleep(Duration::from_secs(WARM_UP.into()));
        let (before, start) = (self.meter.read(), Instant::now());
        // Processes are counted while they run: those that are just ending belong to nobody.
        thread::sleep(time * 3 / 4);
        let (used, took) = (self.meter.read(), start.elapsed());
        let ended = running.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        let summary = String::from_utf8_lossy(&ended.stdout);
        ensure!(
            ended.status.success() && summary.contains("number of failed transactions: 0 "),
            "pgbench failed: {said}{summary}"
        );
        let seconds: Vec<f64> = said.lines().filter_map(transactions).collect();
        let measured = seconds.get(WARM_UP as usize..).unwrap_or_default();
        ensure!(!measured.is_empty(), "pgbench told of no second: {said}");
        let rate = measured.iter().sum::<f64>() / f64::from(u32::try_from(measured.len())?);
        Ok(Measured {
            rate,
            used: used.since(before, rate * took.as_secs_f64()),
            wrong: 0,
        })
    }
}

/// Those of a second, from a line such as `progress: 2.0 s, 1234.5 tps, lat …`.
fn transactions(line: &str) -> Option<f64> {
    let (_, rest) = line.strip_prefix("progress: ")?.split_once(" s, ")?;
    rest.split_once(" tps")?.0.parse().ok()
}
