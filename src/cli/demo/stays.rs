//! Who stayed where in the demo, who is to come, and what they said.

use std::collections::HashSet;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use rand::{RngExt as _, rngs::Xoshiro256PlusPlus};

use super::{catalogue::OPINIONS, homes::OwnPrices};
use crate::{
    cli::seed::{
        rows::Rows,
        stays::{self, Outcome, Said, stays_between},
    },
    domain::{
        booking::CancellationReason,
        clock::local_date,
        ids::UserId,
        price::{Rates, Tariff, price_stay},
        stay::Stay,
    },
    entity::{
        night::{self, NightKind},
        property,
    },
};

/// The homes that were listed last: these have no guest yet, and as many before them have no review yet.
const NEW_HOMES: usize = 3;

/// Days ahead from which on the first home is free, so that whoever tries the API finds its nights open.
const FIRST_HOME_FREE_FROM: u64 = 28;

/// What hosts answer to kind words.
const THANKS: [&str; 6] = [
    "Thank you for the kind words, and for leaving everything so tidy. You are welcome any time.",
    "It was a pleasure to have you. I hope the journey home was easy.",
    "Thank you! I am glad that you felt at home.",
    "What a lovely message to read. See you next time.",
    "Thank you for staying and for writing. I have passed it on to the neighbours.",
    "Many thanks. Let me know before you come back, and I will keep the best dates for you.",
];

/// What hosts answer to the rest.
const REGRETS: [&str; 3] = [
    "Thank you for telling me so plainly. I have had it seen to, and it should not happen again.",
    "I am sorry that it was not what you hoped for. I have changed the description since.",
    "You are right, and I apologise. I would be glad to make up for it another time.",
];

/// A booking to make up, by days from the property's today.
pub(super) struct Plan {
    pub(super) home: usize,
    pub(super) guest: UserId,
    pub(super) days_ahead: i64,
    pub(super) nights: u64,
    pub(super) guests: i32,
    pub(super) at: DateTime<Utc>,
    pub(super) outcome: Outcome,
}

/// What a diary holds in the end.
pub(super) struct Booked {
    pub(super) bookings: Vec<stays::Booked>,
    pub(super) blocks: Vec<night::Model>,
}

/// Takes bookings down, and sees to it that no night is given twice and nobody is in two places.
pub(super) struct Diary<'a> {
    /// The present moment.
    pub(super) now: DateTime<Utc>,
    homes: &'a [property::Model],
    own_prices: &'a OwnPrices,
    guests: Vec<(UserId, DateTime<Utc>)>,
    rng: Xoshiro256PlusPlus,
    taken: HashSet<(usize, NaiveDate)>,
    away: HashSet<(UserId, NaiveDate)>,
    bookings: Vec<stays::Booked>,
    blocks: Vec<night::Model>,
}

impl<'a> Diary<'a> {
    /// An empty diary.
    pub(super) fn new(
        now: DateTime<Utc>,
        rows: &'a Rows,
        own_prices: &'a OwnPrices,
        guests: Vec<(UserId, DateTime<Utc>)>,
        rng: Xoshiro256PlusPlus,
    ) -> Self {
        Self {
            now,
            homes: &rows.properties,
            own_prices,
            guests,
            rng,
            taken: HashSet::new(),
            away: HashSet::new(),
            bookings: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// The homes.
    pub(super) fn homes(&self) -> &'a [property::Model] {
        self.homes
    }

    /// Books for everyone but the demo guest.
    pub(super) fn book_everyone(&mut self) {
        for home in 0..self.homes.len() {
            self.past(home);
            self.coming(home);
            if home % 7 == 3 {
                self.cancelled(home);
            }
            if home % 9 == 4 {
                self.block(home);
            }
        }
    }

    /// Everything that was taken down.
    pub(super) fn close(self) -> Booked {
        Booked {
            bookings: self.bookings,
            blocks: self.blocks,
        }
    }

    /// Takes a booking down. Says whether it could: not where a night is taken.
    pub(super) fn book(&mut self, plan: Plan) -> bool {
        let check_in = self.today(plan.home) + Duration::days(plan.days_ahead);
        let Ok(stay) = Stay::between(check_in, check_in + Days::new(plan.nights)) else {
            return false;
        };
        let free = stay
            .nights()
            .all(|night| !self.taken.contains(&(plan.home, night)));
        if free {
            self.put(
                plan.home,
                plan.guest,
                stay,
                plan.guests,
                plan.at,
                plan.outcome,
            );
        }
        free
    }

    /// Finished stays of the past year: two to seven, most of them with a review.
    fn past(&mut self, home: usize) {
        let newest_first = self.homes.len() - 1 - home;
        if newest_first < NEW_HOMES {
            return;
        }
        let today = self.today(home);
        let listed = local_date(self.homes[home].created_at, self.homes[home].time_zone.0);
        let from = (listed + Days::new(12)).max(today - Days::new(360));
        let count = self.rng.random_range(2..=7);
        let count = self.further(home, count, true);
        let stays = stays_between(&mut self.rng, from, today - Days::new(5), count, 6);
        let first = self.rng.random_range(0..OPINIONS.len());
        let mut opinions = opinions(first, STEPS[self.rng.random_range(0..STEPS.len())]);
        for (number, stay) in stays.into_iter().enumerate() {
            let lead = Duration::days(self.rng.random_range(5..=45));
            let earliest = self.homes[home].created_at + Duration::days(2);
            let at = self.booked_at(home, stay, lead).max(earliest);
            let quiet = newest_first < 2 * NEW_HOMES;
            let said = !quiet && (number == 0 || self.rng.random_bool(0.75));
            let said = opinions.next().filter(|_| said).map(|opinion| Said {
                rating: i32::from(opinion.rating),
                comment: opinion.text.to_owned(),
                response: self.response(opinion.rating),
                after: Duration::minutes(self.rng.random_range(300..4_000)),
            });
            self.book_somebody(home, stay, at, Outcome::Completed(said));
        }
    }

    /// Up to three stays of the next four months.
    fn coming(&mut self, home: usize) {
        let today = self.today(home);
        let (count, days) = if home == 0 {
            (2, FIRST_HOME_FREE_FROM)
        } else {
            (self.rng.random_range(0..=3), 120)
        };
        let count = self.further(home, count, false);
        let (from, to) = (today + Days::new(2), today + Days::new(days));
        for stay in stays_between(&mut self.rng, from, to, count, 7) {
            let at = self.now - Duration::minutes(self.rng.random_range(1_500..57_600));
            self.book_somebody(home, stay, at, Outcome::Confirmed);
        }
    }

    /// A booking that came to nothing, for one of the four reasons.
    fn cancelled(&mut self, home: usize) {
        use CancellationReason::{
            CancelledByGuest, CancelledByHost, DeclinedByHost, PaymentExpired,
        };

        let at = self.now - Duration::minutes(self.rng.random_range(20_000..60_000));
        let later = |hours| at + Duration::hours(hours);
        let outcome = match (home / 7 % 4, self.homes[home].instant_book) {
            (0, _) => Outcome::Cancelled(CancelledByHost, later(30)),
            (1, _) => Outcome::Cancelled(PaymentExpired, at + Duration::minutes(16)),
            (_, false) => Outcome::Cancelled(DeclinedByHost, later(5)),
            (_, true) => Outcome::Cancelled(CancelledByGuest, later(75)),
        };
        let (from, to) = (
            self.today(home) + Days::new(6),
            self.today(home) + Days::new(90),
        );
        let stay = stays_between(&mut self.rng, from, to, 1, 7).pop();
        if let Some(stay) = stay {
            self.book_somebody(home, stay, at, outcome);
        }
    }

    /// The host keeps a home closed for a while.
    fn block(&mut self, home: usize) {
        let from = self.today(home) + Days::new(self.rng.random_range(124..150));
        let nights = self.rng.random_range(4..=9);
        for night in from.iter_days().take(nights) {
            if self.taken.insert((home, night)) {
                self.blocks.push(night::Model {
                    property_id: self.homes[home].property_id,
                    night,
                    booking_id: None,
                    kind: NightKind::Block,
                });
            }
        }
    }

    /// Books for a guest who had an account by then and is nowhere else in these nights; for nobody where the home is taken.
    fn book_somebody(&mut self, home: usize, stay: Stay, at: DateTime<Utc>, outcome: Outcome) {
        let first = self.rng.random_range(0..self.guests.len());
        let guests = self.rng.random_range(1..=self.homes[home].max_guests);
        let (later, sooner) = self.guests.split_at(first);
        let guest = sooner
            .iter()
            .chain(later)
            .filter(|(_, joined)| *joined < at)
            .map(|(guest, _)| *guest)
            .find(|guest| {
                stay.nights()
                    .all(|night| !self.away.contains(&(*guest, night)))
            });
        let taken = stay
            .nights()
            .any(|night| self.taken.contains(&(home, night)));
        if let (Some(guest), false) = (guest, taken) {
            self.put(home, guest, stay, guests, at, outcome);
        }
    }

    fn put(
        &mut self,
        home: usize,
        guest_id: UserId,
        stay: Stay,
        guests: i32,
        at: DateTime<Utc>,
        outcome: Outcome,
    ) {
        if !matches!(outcome, Outcome::Cancelled(..)) {
            for night in stay.nights() {
                self.taken.insert((home, night));
                self.away.insert((guest_id, night));
            }
        }
        let tariff = Tariff {
            per_night: self.homes[home].price_per_night,
            cleaning_fee: self.homes[home].cleaning_fee,
            own_prices: &self.own_prices[home],
        };
        self.bookings.push(stays::Booked {
            property: home,
            guest_id,
            stay,
            guests,
            price: price_stay(stay, tariff, Rates::default()),
            at,
            outcome,
        });
    }

    /// `count` without the bookings that a home has already, of the past or to come.
    fn further(&self, home: usize, count: u32, past: bool) -> u32 {
        let today = self.today(home);
        self.bookings
            .iter()
            .filter(|booked| booked.property == home && (booked.stay.check_in() < today) == past)
            .fold(count, |left, _| left.saturating_sub(1))
    }

    /// Some days, and some part of a day, before check-in.
    fn booked_at(&mut self, home: usize, stay: Stay, lead: Duration) -> DateTime<Utc> {
        let part_of_day = Duration::seconds(self.rng.random_range(0..86_400));
        stay.begins_at(self.homes[home].time_zone.0) - lead - part_of_day
    }

    fn response(&mut self, rating: u8) -> Option<String> {
        let words: &[&str] = if rating >= 4 { &THANKS } else { &REGRETS };
        let word = words[self.rng.random_range(0..words.len())];
        self.rng.random_bool(0.35).then(|| word.to_owned())
    }

    fn today(&self, home: usize) -> NaiveDate {
        local_date(self.now, self.homes[home].time_zone.0)
    }
}

/// Steps that have no divisor in common with the number of opinions.
const STEPS: [usize; 8] = [5, 7, 11, 13, 17, 19, 23, 29];

/// Opinions from one of them on, none twice.
fn opinions(first: usize, step: usize) -> impl Iterator<Item = &'static super::catalogue::Opinion> {
    (0..OPINIONS.len()).map(move |number| &OPINIONS[(first + number * step) % OPINIONS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_home_is_told_the_same_twice() {
        for step in STEPS {
            let texts: HashSet<_> = opinions(5, step).map(|opinion| opinion.text).collect();
            assert_eq!(texts.len(), OPINIONS.len());
        }
    }
}
