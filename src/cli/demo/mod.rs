//! The demo: a small believable marketplace, so that whoever tries Staygate finds homes to book, stays to review and a calendar that is
//! partly taken.
//!
//! What it holds is always the same ([`catalogue`] and a fixed seed); only the dates follow the clock.

mod catalogue;
mod guest;
mod homes;
mod people;
mod stays;

use anyhow::Context as _;
use chrono::{Duration, SubsecRound as _};
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};
use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait as _, QuerySelect as _};

use super::seed::{
    bulk::{self, Keys},
    rows::Rows,
};
use crate::{
    domain::{clock::Clock, password::Password},
    entity::user,
    store::{
        db::{Db, Tx},
        passwords::Passwords,
    },
};

/// The password of everybody in the demo.
pub const PASSWORD: &str = "demo-password";

/// Fills an empty database with the demo marketplace, in one transaction. Says whether it did: where anybody has an account it writes
/// nothing. Any number of instances may do it at once; one fills.
///
/// # Errors
/// When the database or the hashing fails; nothing is written then.
pub async fn fill(db: &Db, passwords: &Passwords, clock: &dyn Clock) -> anyhow::Result<bool> {
    let tx = db.begin().await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        // Released at commit. The key is this application's own. On `SQLite` a write is alone anyway.
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(7829872)")
            .await?;
    }
    if has_people(&tx).await? {
        return Ok(false);
    }
    let password = Password::parse("password", PASSWORD.to_owned())
        .map_err(|problem| anyhow::anyhow!("{}", problem.message))?;
    let hash = passwords.hash(password).await?;
    // Keys of our own rather than the database's: the rows refer to each other before any is written, and the first property is
    // number 1 even where numbers were drawn before.
    let keys = Keys::reserve(&tx).await?;
    let rows = compose(&hash, clock, keys).context("the demo marketplace is not consistent")?;
    rows.write(&tx).await?;
    bulk::number_on(&tx).await?;
    tx.commit().await?;
    Ok(true)
}

async fn has_people(tx: &Tx) -> Result<bool, sea_orm::DbErr> {
    let anyone = user::Entity::find()
        .select_only()
        .column(user::Column::UserId)
        .into_tuple::<i32>()
        .one(&**tx)
        .await?;
    Ok(anyone.is_some())
}

/// Makes the whole marketplace up, in memory.
fn compose(password_hash: &str, clock: &dyn Clock, keys: Keys) -> anyhow::Result<Rows> {
    let now = clock.now().trunc_subsecs(0);
    let mut rows = Rows::default();
    let cast = people::cast(&mut rows, password_hash, now, keys);
    let own_prices = homes::furnish(&mut rows, &cast, now, keys);
    // Any number would do; this one is kept so that the demo stays as it is.
    let rng = Xoshiro256PlusPlus::seed_from_u64(7_829);
    let mut diary = stays::Diary::new(now, &rows, &own_prices, cast.guests.clone(), rng);
    guest::book(&mut diary, &cast)?;
    diary.book_everyone();
    let stays::Booked { bookings, blocks } = diary.close();
    rows.book(bookings, keys);
    rows.nights.extend(blocks);
    Ok(rows)
}

/// When the `place`th home of the catalogue was listed: the first two years ago, the last some weeks ago.
fn listed_before(place: usize) -> Duration {
    let place = i64::try_from(place).unwrap_or_default();
    Duration::hours(24 * 700 - place * 24 * 620 / homes::COUNT)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::DateTime;

    use super::*;
    use crate::domain::{
        booking::BookingStatus::{Cancelled, Completed, Confirmed, Pending},
        clock::ManualClock,
    };

    fn demo() -> Rows {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        compose("hash", &ManualClock::starting_at(now), Keys::default()).unwrap()
    }

    #[test]
    fn the_demo_guest_has_one_booking_of_each_kind() {
        let rows = demo();
        let guest = rows
            .users
            .iter()
            .find(|u| u.email == "guest@example.com")
            .unwrap();
        let reviewed: HashSet<_> = rows.reviews.iter().map(|r| r.booking_id).collect();
        let mut kinds: Vec<_> = rows
            .bookings
            .iter()
            .filter(|b| b.guest_id == guest.user_id)
            .map(|b| {
                format!(
                    "{} {}",
                    b.status.as_column(),
                    reviewed.contains(&b.booking_id)
                )
            })
            .collect();
        kinds.sort();
        let expected = [
            "CANCELLED false",
            "COMPLETED false",
            "COMPLETED true",
            "CONFIRMED false",
            "PENDING false",
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn the_demo_host_has_the_first_home_and_one_that_asks() {
        let rows = demo();
        let host = rows
            .users
            .iter()
            .find(|u| u.email == "host@example.com")
            .unwrap();
        assert_eq!(rows.properties[0].host_id, host.user_id);
        assert_eq!(rows.properties[0].property_id.0, 1);
        assert!(rows.properties[0].instant_book);
        assert!(
            rows.properties
                .iter()
                .any(|p| p.host_id == host.user_id && !p.instant_book)
        );
    }

    #[test]
    fn every_night_is_taken_once_and_keys_ascend_with_time() {
        let rows = demo();
        let nights: HashSet<_> = rows
            .nights
            .iter()
            .map(|n| (n.property_id, n.night))
            .collect();
        assert_eq!(nights.len(), rows.nights.len());
        assert!(rows.users.is_sorted_by_key(|u| u.created_at));
        assert!(rows.properties.is_sorted_by_key(|p| p.created_at));
        assert!(rows.bookings.is_sorted_by_key(|b| b.created_at));
        assert!(rows.events.is_sorted_by_key(|e| e.created_at));
        assert!(rows.reviews.is_sorted_by_key(|r| r.created_at));
        for status in [Pending, Confirmed, Completed, Cancelled] {
            assert!(rows.bookings.iter().any(|b| b.status == status));
        }
    }

    #[test]
    fn the_first_home_is_free_from_four_weeks_on() {
        let rows = demo();
        let free_from = DateTime::from_timestamp(1_800_000_000, 0)
            .unwrap()
            .date_naive()
            + chrono::Days::new(28);
        assert!(
            rows.nights
                .iter()
                .all(|n| n.property_id.0 != 1 || n.night < free_from)
        );
    }
}
