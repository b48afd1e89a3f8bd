//! Bulk data for load: as many properties as wanted, with hosts, guests, stays, payments and reviews, fast.
//!
//! The same seed makes the same rows; only their dates follow the clock. Rows are added to what is there, 2,000 properties with everything
//! around them in one transaction. What is stopped half-way leaves whole transactions: fewer properties than asked for, each complete. As a
//! seed is never used twice on one database, whoever wants the rest asks for it with another seed.

pub(super) mod bulk;
mod cities;
mod homes;
pub(super) mod rows;
pub(super) mod stays;
mod words;

use std::fmt;

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use crate::{
    domain::{clock::Clock, password::Password},
    entity::user,
    store::{db::Db, passwords::Passwords},
};
use bulk::Keys;
use rows::Rows;

/// The password of everybody that is seeded.
pub const PASSWORD: &str = "demo-password";

/// Properties of one transaction. It bounds memory, and how long other writers wait.
const CHUNK: u32 = 2_000;

/// How many rows were added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Hosts and guests.
    pub users: u64,
    /// Properties.
    pub properties: u64,
    /// Bookings.
    pub bookings: u64,
    /// Taken nights.
    pub nights: u64,
    /// Reviews.
    pub reviews: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            users,
            properties,
            bookings,
            nights,
            reviews,
        } = self;
        write!(
            f,
            "added {properties} properties, {users} users, {bookings} bookings, {nights} nights and {reviews} reviews"
        )
    }
}

/// Seeds behind a progress bar on standard error; hidden where that is no terminal.
///
/// # Errors
/// As [`seed`].
pub async fn run(
    db: &Db,
    passwords: &Passwords,
    clock: &dyn Clock,
    properties: u32,
    number: u64,
) -> anyhow::Result<Summary> {
    let bar = progress_bar(u64::from(properties))?;
    let summary = seed(db, passwords, clock, properties, number, |done, _| {
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    summary
}

fn progress_bar(properties: u64) -> anyhow::Result<ProgressBar> {
    let style = "{elapsed_precise} {wide_bar} {pos}/{len} properties, {eta} to go";
    Ok(ProgressBar::new(properties).with_style(ProgressStyle::with_template(style)?))
}

/// Adds `properties` properties, about a host for ten of them and a guest for four, about five bookings for each, and reviews of most
/// finished stays. Everybody's password is [`PASSWORD`]; their addresses are `seed-<seed>-h1@example.com` and `seed-<seed>-g1@example.com`
/// with the numbers that follow.
///
/// `progress` is told how many properties are done, of how many, after each transaction.
///
/// # Errors
/// When this seed has been used on this database; when the database or the hashing fails, which leaves what was done before.
pub async fn seed(
    db: &Db,
    passwords: &Passwords,
    clock: &dyn Clock,
    properties: u32,
    seed: u64,
    mut progress: impl FnMut(u64, u64),
) -> anyhow::Result<Summary> {
    let first = homes::email(seed, 'h', 1);
    let used = user::Entity::find()
        .filter(user::Column::Email.eq(first))
        .count(db.read())
        .await?;
    anyhow::ensure!(
        used == 0,
        "seed {seed} has been used on this database; give another one"
    );
    let password = Password::parse("password", PASSWORD.to_owned())
        .map_err(|problem| anyhow::anyhow!("{}", problem.message))?;
    let batch = Batch {
        password_hash: passwords.hash(password).await?,
        now: clock.now().trunc_subsecs(0),
        seed,
        properties,
    };
    let mut summary = Summary::default();
    for start in (0..properties).step_by(CHUNK as usize) {
        let end = properties.min(start.saturating_add(CHUNK));
        let tx = db.begin().await?;
        let keys = Keys::reserve(&tx).await?;
        let rows = batch.compose(start, end, keys);
        rows.write(&tx).await?;
        bulk::number_on(&tx).await?;
        tx.commit().await?;
        summary.add(&rows);
        progress(u64::from(end), u64::from(properties));
    }
    bulk::analyze(db).await?;
    Ok(summary)
}

impl Summary {
    fn add(&mut self, rows: &Rows) {
        self.users += rows.users.len() as u64;
        self.properties += rows.properties.len() as u64;
        self.bookings += rows.bookings.len() as u64;
        self.nights += rows.nights.len() as u64;
        self.reviews += rows.reviews.len() as u64;
    }
}

/// What all transactions of one seed have in common.
struct Batch {
    password_hash: String,
    now: DateTime<Utc>,
    seed: u64,
    properties: u32,
}

impl Batch {
    /// Makes up the properties `start` to `end` with everything around them, in memory.
    fn compose(&self, start: u32, end: u32, keys: Keys) -> Rows {
        // Each transaction has a generator of its own.
        let own = self.seed ^ (u64::from(start) << 32);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(own);
        let mut rows = Rows::default();
        let people = homes::people(self, start, end, keys, &mut rows, &mut rng);
        homes::furnish(self, start, end, keys, &people, &mut rows, &mut rng);
        let booked = homes::bookings(self, &people, &rows, &mut rng);
        rows.book(booked, keys);
        rows
    }

    /// A moment of the year that ended so many days ago, the later the higher the number of the property.
    fn moment(&self, year_ended_days_ago: i64, number: u32) -> DateTime<Utc> {
        let part = 365 * 86_400 * i64::from(number) / i64::from(self.properties);
        self.now - Duration::days(365 + year_ended_days_ago) + Duration::seconds(part)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn compose(seed: u64) -> Rows {
        let batch = Batch {
            password_hash: "hash".to_owned(),
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            seed,
            properties: 400,
        };
        batch.compose(0, 400, Keys::default())
    }

    #[test]
    fn the_same_seed_makes_the_same_rows() {
        let (one, same, other) = (compose(1), compose(1), compose(2));
        assert_eq!(one.properties, same.properties);
        assert_eq!(one.bookings, same.bookings);
        assert_eq!(one.reviews, same.reviews);
        assert_ne!(one.properties, other.properties);
    }

    #[test]
    fn a_seeded_night_is_taken_once() {
        let rows = compose(3);
        let nights: HashSet<_> = rows
            .nights
            .iter()
            .map(|n| (n.property_id, n.night))
            .collect();
        assert_eq!(nights.len(), rows.nights.len());
        assert!(
            rows.bookings
                .iter()
                .all(|b| b.total_price == b.price.total())
        );
    }
}
