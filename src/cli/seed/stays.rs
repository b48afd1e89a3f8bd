//! What a booking leaves behind in every table: its nights, its history, its payment and its review.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use rand::{Rng, RngExt as _};

use super::{bulk::Keys, rows::Rows};
use crate::{
    domain::{
        booking::{BookingStatus, CancellationReason, HOST_ANSWERS_WITHIN},
        cancellation::{self, CancelledBy},
        ids::{BookingEventId, BookingId, PaymentId, ReviewId, UserId},
        money::Money,
        payment::{PaymentMethod, PaymentStatus},
        price::Price,
        stay::Stay,
    },
    entity::{
        booking, booking_event,
        night::{self, NightKind},
        payment, property, review,
    },
};

/// A booking as it is made up.
#[derive(Debug)]
pub(in crate::cli) struct Booked {
    /// The place of its property in [`Rows::properties`].
    pub(in crate::cli) property: usize,
    /// Who stays.
    pub(in crate::cli) guest_id: UserId,
    /// When.
    pub(in crate::cli) stay: Stay,
    /// How many.
    pub(in crate::cli) guests: i32,
    /// What it costs.
    pub(in crate::cli) price: Price,
    /// When it was made; paid within 15 minutes, and accepted within a day where the host is asked.
    pub(in crate::cli) at: DateTime<Utc>,
    /// What became of it.
    pub(in crate::cli) outcome: Outcome,
}

/// What became of a booking.
#[derive(Debug)]
pub(in crate::cli) enum Outcome {
    /// Paid (authorized) at this moment, it waits for its host.
    Requested(DateTime<Utc>),
    /// Paid.
    Confirmed,
    /// The stay is over.
    Completed(Option<Said>),
    /// Cancelled at this moment.
    Cancelled(CancellationReason, DateTime<Utc>),
}

/// A review.
#[derive(Debug)]
pub(in crate::cli) struct Said {
    /// 1 to 5.
    pub(in crate::cli) rating: i32,
    /// What the guest says.
    pub(in crate::cli) comment: String,
    /// What the host answers.
    pub(in crate::cli) response: Option<String>,
    /// How long after the stay.
    pub(in crate::cli) after: Duration,
}

impl Rows {
    /// Adds bookings of the properties that are there. Keys of bookings, events, payments and reviews follow on `keys`, and ascend with
    /// time; ratings are kept with the properties.
    pub(in crate::cli) fn book(&mut self, mut booked: Vec<Booked>, keys: Keys) {
        booked.sort_by_key(|booked| (booked.at, booked.property, booked.stay.check_in()));
        let mut payment_key = keys.payment;
        for (key, booked) in (keys.booking + 1..).zip(booked) {
            let home = &mut self.properties[booked.property];
            let row = row_of(&booked, BookingId(key), home);
            let life = Life::of(&booked, home);
            self.events.extend(life.events(&row));
            if let Some(payment) = life.payment(&booked, &row, PaymentId(payment_key + 1)) {
                payment_key += 1;
                self.payments.push(payment);
            }
            if row.status.holds_nights() {
                self.nights
                    .extend(booked.stay.nights().map(|night| night::Model {
                        property_id: row.property_id,
                        night,
                        booking_id: Some(row.booking_id),
                        kind: NightKind::Booking,
                    }));
            }
            if let Outcome::Completed(Some(said)) = booked.outcome {
                rate(home, said.rating);
                self.reviews
                    .push(review_of(said, &row, life.ended.unwrap_or(row.created_at)));
            }
            self.bookings.push(row);
        }
        self.events
            .sort_by_key(|event| (event.created_at, event.booking_id));
        for (key, event) in (keys.event + 1..).zip(&mut self.events) {
            event.event_id = BookingEventId(key);
        }
        self.reviews
            .sort_by_key(|review| (review.created_at, review.booking_id));
        for (key, review) in (keys.review + 1..).zip(&mut self.reviews) {
            review.review_id = ReviewId(key);
        }
    }
}

/// At most `count` stays of 2 nights to `longest` between two dates, each in its own part of that time, so that none meets another.
pub(in crate::cli) fn stays_between(
    rng: &mut impl Rng,
    from: NaiveDate,
    to: NaiveDate,
    count: u32,
    longest: u32,
) -> Vec<Stay> {
    let days = u32::try_from((to - from).num_days()).unwrap_or_default();
    let count = count.min(days / (longest + 1));
    (0..count)
        .filter_map(|part| {
            let length = days / count;
            let nights = rng.random_range(2..=longest);
            let start = part * length + rng.random_range(0..=length - nights);
            let check_in = from + Days::new(u64::from(start));
            Stay::between(check_in, check_in + Days::new(u64::from(nights))).ok()
        })
        .collect()
}

fn row_of(booked: &Booked, booking_id: BookingId, home: &property::Model) -> booking::Model {
    let (status, cancellation_reason) = match booked.outcome {
        Outcome::Requested(_) => (BookingStatus::Pending, None),
        Outcome::Confirmed => (BookingStatus::Confirmed, None),
        Outcome::Completed(_) => (BookingStatus::Completed, None),
        Outcome::Cancelled(reason, _) => (BookingStatus::Cancelled, Some(reason)),
    };
    let expires_at = match booked.outcome {
        Outcome::Requested(at) => Some(at + HOST_ANSWERS_WITHIN),
        _ => None,
    };
    booking::Model {
        booking_id,
        property_id: home.property_id,
        guest_id: booked.guest_id,
        host_id: home.host_id,
        check_in_date: booked.stay.check_in(),
        check_out_date: booked.stay.check_out(),
        guests: booked.guests,
        total_price: booked.price.total(),
        price: booked.price.clone(),
        status,
        cancellation_reason,
        instant_book: home.instant_book,
        cancellation_policy: home.cancellation_policy,
        time_zone: home.time_zone,
        expires_at,
        refund_limit: None,
        review_removed_at: None,
        created_at: booked.at,
    }
}

/// The moments of a booking's life.
struct Life {
    paid: Option<DateTime<Utc>>,
    confirmed: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
}

impl Life {
    fn of(booked: &Booked, home: &property::Model) -> Self {
        use CancellationReason::{DeclinedByHost, PaymentExpired};

        // Whatever seems random follows from the moment of booking.
        let some = booked.at.timestamp();
        let paid = match booked.outcome {
            Outcome::Cancelled(PaymentExpired, _) => None,
            Outcome::Requested(at) => Some(at),
            _ => Some(booked.at + Duration::minutes(2 + some % 9)),
        };
        let confirmed = match booked.outcome {
            Outcome::Requested(_) | Outcome::Cancelled(PaymentExpired | DeclinedByHost, _) => None,
            _ if home.instant_book => paid,
            _ => paid.map(|at| at + Duration::minutes(20 + some % 1_200)),
        };
        let ended = match booked.outcome {
            Outcome::Cancelled(_, at) => Some(at),
            Outcome::Completed(_) => {
                Some(booked.stay.ends_at(home.time_zone.0) + Duration::minutes(1))
            }
            Outcome::Requested(_) | Outcome::Confirmed => None,
        };
        Self {
            paid,
            confirmed,
            ended,
        }
    }

    /// Its history; the keys are given later, once everybody's is in the order of time.
    fn events(&self, row: &booking::Model) -> impl Iterator<Item = booking_event::Model> + use<> {
        let moves = [
            Some((BookingStatus::Pending, row.created_at)),
            self.confirmed.map(|at| (BookingStatus::Confirmed, at)),
            self.ended.map(|at| (row.status, at)),
        ];
        let (booking_id, guest_id, host_id) = (row.booking_id, row.guest_id, row.host_id);
        let mut from_status = None;
        moves
            .into_iter()
            .flatten()
            .map(move |(to_status, created_at)| booking_event::Model {
                event_id: BookingEventId(0),
                booking_id,
                guest_id,
                host_id,
                from_status: from_status.replace(to_status),
                to_status,
                created_at,
            })
    }

    fn payment(
        &self,
        booked: &Booked,
        row: &booking::Model,
        payment_id: PaymentId,
    ) -> Option<payment::Model> {
        let paid = self.paid?;
        let refunded_amount = match booked.outcome {
            Outcome::Cancelled(CancellationReason::CancelledByHost, _) => row.total_price,
            Outcome::Cancelled(CancellationReason::CancelledByGuest, at) => refund(booked, row, at),
            _ => Money::ZERO,
        };
        let payment_status = match booked.outcome {
            Outcome::Requested(_) => PaymentStatus::Pending,
            Outcome::Cancelled(CancellationReason::DeclinedByHost, _) => PaymentStatus::Failed,
            _ if refunded_amount == Money::ZERO => PaymentStatus::Paid,
            _ if refunded_amount < row.total_price => PaymentStatus::PartiallyRefunded,
            _ => PaymentStatus::Refunded,
        };
        Some(payment::Model {
            payment_id,
            booking_id: row.booking_id,
            amount: row.total_price,
            refunded_amount,
            payment_method: if row.booking_id.0 % 5 == 0 {
                PaymentMethod::Paypal
            } else {
                PaymentMethod::Card
            },
            payment_status,
            transaction_date: self.confirmed.unwrap_or(paid),
            authorized_at: (!row.instant_book).then_some(paid),
            failure: None,
            provider_reference: None,
            reference_digest: None,
            client_secret: None,
            token: None,
            look_at: None,
            looks: 0,
            capture_asked_at: None,
        })
    }
}

fn refund(booked: &Booked, row: &booking::Model, at: DateTime<Utc>) -> Money {
    let terms = cancellation::Terms {
        policy: row.cancellation_policy,
        stay: booked.stay,
        limit: None,
        zone: row.time_zone.0,
        booked_at: booked.at,
        price: &booked.price,
    };
    cancellation::refund(terms, CancelledBy::Guest, at).unwrap_or_default()
}

fn review_of(said: Said, row: &booking::Model, ended: DateTime<Utc>) -> review::Model {
    review::Model {
        review_id: ReviewId(0),
        property_id: row.property_id,
        guest_id: row.guest_id,
        booking_id: row.booking_id,
        rating: said.rating,
        comment: Some(said.comment),
        host_response: said.response,
        created_at: ended + said.after,
    }
}

/// Adds a rating to a property's average, rounded to the nearest hundredth as the service of reviews does.
fn rate(home: &mut property::Model, rating: i32) {
    home.rating_sum += rating;
    home.review_count += 1;
    home.rating_hundredths = (100 * home.rating_sum + home.review_count / 2) / home.review_count;
}
