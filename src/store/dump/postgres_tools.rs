//! `pg_dump` and `pg_restore` as child processes. They are given the password by their environment, so that no list of processes shows it.

use std::{io, process::Stdio};

use anyhow::{Context as _, anyhow, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStderr, Command},
};
use url::Url;

use crate::store::flow::{Inlet, Outlet};

/// How much is kept of what a tool says, in bytes.
const SAID: usize = 4_000;

/// The major version of a tool.
pub(super) async fn major(program: &str) -> anyhow::Result<u32> {
    let output = Command::new(program).arg("--version").output().await;
    let output = output.map_err(|why| missing(program, &why))?;
    let said = String::from_utf8_lossy(&output.stdout);
    // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    let number = said.split_whitespace().nth(2).and_then(|version| {
        let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    number.ok_or_else(|| anyhow!("{program} does not tell its version: {}", said.trim()))
}

fn missing(program: &str, why: &io::Error) -> anyhow::Error {
    if why.kind() == io::ErrorKind::NotFound {
        anyhow!(
            "{program} is missing: install PostgreSQL's client programs (on Debian and Ubuntu: apt-get install postgresql-client), not older than the server, and put them into PATH"
        )
    } else {
        anyhow!("{program} can't be run: {why}")
    }
}

/// Looks whether a tool is new enough.
pub(super) async fn must_reach(program: &str, other: &str, version: u32) -> anyhow::Result<()> {
    let own = major(program).await?;
    ensure!(
        own >= version,
        "{program} is of version {own} and {other} of version {version}: install version {version} or newer of PostgreSQL's client programs (on Debian and Ubuntu: postgresql-client-{version}; apt.postgresql.org has all of them)"
    );
    Ok(())
}

/// A tool on the database of a URL.
fn on(program: &str, url: &str) -> anyhow::Result<Command> {
    let (address, password) = apart(url)?;
    let mut command = Command::new(program);
    command
        .arg(format!("--dbname={address}"))
        .arg("--no-password")
        .kill_on_drop(true);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

/// A URL in the words of libpq, without its password; and the password.
fn apart(url: &str) -> anyhow::Result<(Url, Option<String>)> {
    let mut url = Url::parse(url).context("DATABASE_URL can't be read")?;
    let mut password = url.password().map(decoded);
    let mut known = vec![];
    for (name, value) in url.query_pairs() {
        let name = match &*name {
            "ssl-mode" => "sslmode",
            "ssl-root-cert" | "ssl-ca" => "sslrootcert",
            "ssl-cert" => "sslcert",
            "ssl-key" => "sslkey",
            "password" => {
                password = Some(value.into_owned());
                continue;
            }
            "sslmode" | "sslrootcert" | "sslcert" | "sslkey" | "host" | "hostaddr" | "port"
            | "dbname" | "user" | "application_name" | "options" => &name,
            // Settings of our own driver.
            _ => continue,
        };
        known.push((name.to_owned(), value.into_owned()));
    }
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(known);
    }
    let _ = url.set_password(None);
    Ok((url, password))
}

fn decoded(text: &str) -> String {
    // A name without a value is what this reads; `+` is itself in a password.
    let text = text.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    let first = pairs.next();
    // `=` and `&` may stand in a password as they are.
    match first {
        Some((name, value))
            if value.is_empty() && pairs.next().is_none() && !text.contains('=') =>
        {
            name.into_owned()
        }
        _ => text.replace("%2B", "+"),
    }
}

/// Writes what `pg_dump` says of a snapshot.
pub(super) async fn dump(url: &str, snapshot: &str, mut into: Inlet) -> anyhow::Result<()> {
    let mut command = on("pg_dump", url)?;
    command
        .args(["--format=custom", "--compress=0"])
        // The roles of another server are others.
        .args(["--no-owner", "--no-privileges"])
        .arg(format!("--snapshot={snapshot}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| missing("pg_dump", &why))?;
    let mut said = child.stderr.take().context("its errors")?;
    let mut from = child.stdout.take().context("its output")?;
    let sends = &mut into;
    // Where nobody reads any more, its output goes with this, which ends it.
    let copies = async move {
        let mut step = vec![0; 128 << 10];
        loop {
            match from.read(&mut step).await? {
                0 => return anyhow::Ok(()),
                length => sends.send(&step[..length]).await?,
            }
        }
    };
    let (sent, words) = tokio::join!(copies, tail(&mut said));
    sent?;
    ended("pg_dump", &mut child, &words).await?;
    Ok(into.finish().await?)
}

/// Lets `pg_restore` write all that flows in, in one transaction: nothing is written where it breaks.
pub(super) async fn restore(url: &str, from: Outlet) -> anyhow::Result<()> {
    let mut command = on("pg_restore", url)?;
    command
        .args(["--single-transaction", "--exit-on-error"])
        .args(["--no-owner", "--no-privileges"])
        // Whoever restores need not own what the server brings itself.
        .arg("--no-comments");
    fed(command, from).await
}

/// Lets `pg_restore` read all that flows in, as if it were to be restored, and throws that away.
pub(super) async fn look_through(from: Outlet) -> anyhow::Result<()> {
    let mut command = Command::new("pg_restore");
    command.arg("--file=/dev/null").kill_on_drop(true);
    fed(command, from).await
}

async fn fed(mut command: Command, mut from: Outlet) -> anyhow::Result<()> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| missing("pg_restore", &why))?;
    let mut said = child.stderr.take().context("its errors")?;
    let mut into = child.stdin.take().context("its input")?;
    let feeds = async {
        while let Some(piece) = from.next().await? {
            if into.write_all(&piece).await.is_err() {
                // It has read enough, or its own words say why it did not.
                return from.drain().await;
            }
        }
        drop(into);
        io::Result::Ok(())
    };
    let listens = tail(&mut said);
    tokio::pin!(listens);
    let feeds = async {
        let fed = feeds.await;
        if fed.is_err() {
            // Before it takes the end of its input for the end of the backup.
            let _ = child.start_kill();
        }
        (fed, child)
    };
    let ((fed, mut child), words) = tokio::join!(feeds, listens);
    match fed {
        Ok(()) => ended("pg_restore", &mut child, &words).await,
        Err(error) => {
            let _ = child.wait().await;
            Err(error.into())
        }
    }
}

async fn ended(program: &str, child: &mut Child, said: &str) -> anyhow::Result<()> {
    let status = child.wait().await?;
    if !status.success() {
        bail!("{program} failed ({status}): {}", said.trim());
    }
    Ok(())
}

/// The end of what a tool says, which names the reason; on one line.
async fn tail(from: &mut ChildStderr) -> String {
    let mut said = vec![];
    let mut step = [0; 1_024];
    while let Ok(length @ 1..) = from.read(&mut step).await {
        said.extend_from_slice(&step[..length]);
        let surplus = said.len().saturating_sub(SAID);
        said.drain(..surplus);
    }
    let said = String::from_utf8_lossy(&said);
    said.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stands_on_no_command_line() {
        for (url, address, password) in [
            (
                "postgres://ada:s%40fe+1@db:5433/stay?sslmode=require&statement-cache-capacity=9",
                "postgres://ada@db:5433/stay?sslmode=require",
                Some("s@fe+1"),
            ),
            (
                "postgresql:///stay?host=/run/postgresql&password=safe",
                "postgresql:///stay?host=%2Frun%2Fpostgresql",
                Some("safe"),
            ),
            ("postgres://db/stay", "postgres://db/stay", None),
        ] {
            let (apart, secret) = apart(url).unwrap();
            assert_eq!((apart.as_str(), secret.as_deref()), (address, password));
        }
    }
}
