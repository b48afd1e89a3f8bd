//! Bookings: by signed-in guests over the server, and by pgbench with the statements of the server's transaction.

use std::{net::SocketAddr, path::PathBuf, rc::Rc, time::Duration};

use anyhow::{Context as _, ensure};
use chrono::{Days, NaiveDate};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    common::load::{CONNECTIONS, load, write_post},
    data::Data,
    operations::{self, begins},
    pgbench::Pgbench,
    readers::answers,
    rows::{Contender, Measured, Meter},
};

/// Days ahead on which nobody was seeded, of which the server takes the first and pgbench the last. A stay ends at most 730 days ahead.
const SERVER_DAYS: [u32; 2] = [200, 450];
const PGBENCH_DAYS: [u32; 2] = [460, 710];

/// Which nights there are to book: one of each property, then the next of each.
#[derive(Clone, Copy)]
pub(super) struct Nights {
    /// The least key of a property.
    first: i32,
    /// How many properties there are; their keys have no gap.
    properties: i32,
    base: NaiveDate,
}

impl Nights {
    /// From the first of these days on that nobody has a night of.
    fn free(data: &Data, [from, to]: [u32; 2]) -> anyhow::Result<Self> {
        let (first, last): (i32, i32) = (
            data.one("SELECT min(property_id) FROM properties")?,
            data.one("SELECT max(property_id) FROM properties")?,
        );
        let properties: i64 = data.one("SELECT count(*) FROM properties")?;
        let properties = i32::try_from(properties)?;
        ensure!(
            last - first + 1 == properties,
            "the keys of the properties have gaps: give a database that is empty"
        );
        let base: Option<NaiveDate> = data.one(&format!(
            "SELECT CASE WHEN base < current_date + {to} THEN base END FROM (SELECT greatest(current_date + {from}, max(night) + 1) AS base \
             FROM nights WHERE night >= current_date + {from} AND night < current_date + {to}) AS free"
        ))?;
        let base = base.context("all nights are booked: give a database that is empty")?;
        Ok(Self {
            first,
            properties,
            base,
        })
    }

    /// The operation that books one of them.
    pub(super) fn booking(self, slot: u32) -> String {
        let slot = i32::try_from(slot).unwrap_or_default();
        let days = u64::try_from(slot / self.properties).unwrap_or_default();
        let check_in = self.base + Days::new(days);
        let check_out = check_in + Days::new(1);
        operations::booking(
            self.first + slot % self.properties,
            &check_in.to_string(),
            &check_out.to_string(),
        )
    }

    /// Those that are the server's.
    pub(super) fn of_server(data: &Data) -> anyhow::Result<Self> {
        Self::free(data, SERVER_DAYS)
    }
}

/// Signed-in guests who book.
pub(super) struct Guests {
    pub(super) data: Rc<Data>,
    pub(super) address: SocketAddr,
    pub(super) tokens: Vec<String>,
    pub(super) meter: Meter,
}

impl Contender for Guests {
    fn name(&self) -> &'static str {
        "staygate"
    }

    fn run(&mut self, time: Duration) -> anyhow::Result<Measured> {
        let nights = Nights::of_server(&self.data)?;
        let mut slot = 0;
        let mut next = |request: &mut Vec<u8>| {
            let token = &self.tokens[slot as usize % self.tokens.len()];
            write_post(request, slot.into(), Some(token), &nights.booking(slot));
            slot += 1;
        };
        let before = self.meter.read();
        let loaded = load(self.address, time, begins::BOOKING, &mut next)?;
        Ok(Measured::of(loaded, before, self.meter.read()))
    }
}

/// The first guests, signed in: their keys, which have no gap, and their tokens.
pub(super) fn sign_in(
    data: &Data,
    runtime: &Runtime,
    address: SocketAddr,
    guests: u32,
) -> anyhow::Result<(Vec<i32>, Vec<String>)> {
    let of_guests = format!("FROM users WHERE role = 'GUEST' ORDER BY user_id LIMIT {guests}");
    let keys: Vec<i32> = data.all(&format!("SELECT user_id {of_guests}"))?;
    let emails: Vec<String> = data.all(&format!("SELECT email {of_guests}"))?;
    let bodies: Vec<String> = emails
        .iter()
        .map(|email| operations::sign_in(email))
        .collect();
    let tokens = answers(runtime, address, &bodies)?
        .into_iter()
        .map(|answer| {
            let answer: Value = serde_json::from_str(&answer)?;
            let token = answer
                .pointer("/data/signIn/accessToken")
                .and_then(Value::as_str);
            Ok(token
                .with_context(|| format!("nobody is signed in: {answer}"))?
                .to_owned())
        });
    Ok((keys, tokens.collect::<anyhow::Result<_>>()?))
}

/// The same number of guests, by pgbench.
pub(super) fn pgbench(data: &Rc<Data>, guests: &[i32], meter: Meter) -> anyhow::Result<Pgbench> {
    let guest = *guests.first().context("there are guests")?;
    let last = guest + i32::try_from(CONNECTIONS)? - 1;
    ensure!(
        guests.get(CONNECTIONS as usize - 1) == Some(&last),
        "the keys of the first guests have gaps: give a database that is empty"
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/goals/booking.sql");
    let theirs = Rc::clone(data);
    Ok(Pgbench {
        url: data.url.clone(),
        files: vec![PathBuf::from(script)],
        variables: Box::new(move || {
            let Nights {
                first,
                properties,
                base,
            } = Nights::free(&theirs, PGBENCH_DAYS)?;
            Ok(vec![
                "n=0".to_owned(),
                format!("base={base}"),
                format!("first={first}"),
                format!("properties={properties}"),
                format!("guest={guest}"),
            ])
        }),
        meter,
    })
}
