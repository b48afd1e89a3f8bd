//! Those who ask over HTTP, and that all who are asked answer the same.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::{Number, Value};
use tokio::runtime::Runtime;

use super::{
    common::load::{Connection, Next, load, write_post},
    rows::{Contender, Measured, Meter},
};

/// Signed-out readers of a server.
pub(super) struct Readers {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) begins: &'static str,
    pub(super) next: Box<Next<'static>>,
    pub(super) meter: Meter,
}

impl Readers {
    /// They ask for these by turns.
    pub(super) fn of(bodies: &[String]) -> Box<Next<'static>> {
        let (bodies, mut number) = (bodies.to_vec(), 0_u64);
        Box::new(move |request| {
            let body = usize::try_from(number).unwrap_or_default() % bodies.len();
            write_post(request, number, None, &bodies[body]);
            number += 1;
        })
    }
}

impl Contender for Readers {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, time: Duration) -> anyhow::Result<Measured> {
        let before = self.meter.read();
        let loaded = load(self.address, time, self.begins, &mut *self.next)?;
        Ok(Measured::of(loaded, before, self.meter.read()))
    }
}

/// Where a URL leads.
pub(super) fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let address = url.split('/').nth(2).context("a URL has an address")?;
    Ok(address.parse()?)
}

/// Asks one server for all of these, each on its own.
pub(super) fn answers(
    runtime: &Runtime,
    address: SocketAddr,
    bodies: &[String],
) -> anyhow::Result<Vec<String>> {
    runtime.block_on(async {
        let mut connection = Connection::open(address).await?;
        let mut answers = Vec::new();
        for (number, body) in (0..).zip(bodies) {
            let mut request = Vec::new();
            write_post(&mut request, number, None, body);
            let (status, answer) = connection.ask(&request).await?;
            ensure!(status == 200, "{body} is answered with {status} {answer}");
            answers.push(answer.to_owned());
        }
        Ok(answers)
    })
}

/// Makes sure that two servers answer all of these alike.
pub(super) fn must_agree(
    runtime: &Runtime,
    one: SocketAddr,
    other: SocketAddr,
    bodies: &[String],
) -> anyhow::Result<()> {
    let (ours, theirs) = (
        answers(runtime, one, bodies)?,
        answers(runtime, other, bodies)?,
    );
    for ((body, ours), theirs) in bodies.iter().zip(&ours).zip(&theirs) {
        let same = plain(serde_json::from_str(ours)?) == plain(serde_json::from_str(theirs)?);
        ensure!(
            same,
            "{body} is answered\n{ours}\nand by the other\n{theirs}"
        );
    }
    Ok(())
}

/// With 5 and 5.0 as the same number.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_f64()
            .and_then(Number::from_f64)
            .map_or(Value::Null, Value::Number),
        Value::Array(values) => values.into_iter().map(plain).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, plain(value)))
            .collect(),
        other => other,
    }
}
