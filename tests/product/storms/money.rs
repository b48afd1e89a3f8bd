//! Whether what was paid for a booking is kept, owed and given back as it should be.

use chrono::{DateTime, Duration, Utc};
use staygate::{
    domain::{
        booking::{
            BookingStatus::{Cancelled, Completed, Confirmed, Pending},
            CancellationReason::CancelledByGuest,
        },
        cancellation::{self, CancelledBy},
        money::Money,
        payment::PaymentStatus,
        stay::Stay,
    },
    entity::{booking, booking_event, payment, refund},
};

use super::ledger::Rest;

/// A payment, and what was ever owed of it.
pub type WithDebts<'a> = (&'a payment::Model, Vec<refund::Model>);

/// Looks at all payments of a booking. `now` and `turned` are as for [`super::ledger::check`]. Says whether one of them was left between two steps.
pub fn is_right(
    booking: &booking::Model,
    history: &[&booking_event::Model],
    payments: &[WithDebts<'_>],
    now: DateTime<Utc>,
    turned: Duration,
    rest: Rest,
) -> bool {
    let was_confirmed = history.iter().any(|event| event.to_status == Confirmed);
    let mut standing = vec![];
    for (payment, debts) in payments {
        let owed = owed(payment, debts, rest);
        if payment.payment_status != PaymentStatus::Failed {
            standing.push((payment, owed));
            continue;
        }
        assert!(owed == Money::ZERO, "{payment:?} is owed {debts:?}");
        // Where nobody said no it was let go, and only what has ended is.
        let is_right = payment.failure.is_some() || booking.status == Cancelled;
        assert!(is_right, "{payment:?} was let go: {booking:?}");
    }
    assert!(
        standing.len() <= 1,
        "{booking:?} is paid twice: {standing:?}"
    );
    let Some((payment, owed)) = standing.pop() else {
        assert!(!was_confirmed, "{booking:?} was confirmed unpaid");
        return false;
    };
    if payment.payment_status == PaymentStatus::Pending {
        assert!(
            !was_confirmed,
            "{booking:?} was confirmed before {payment:?} was paid"
        );
        return waits_rightly(booking, payment, now, rest);
    }
    let kept = payment.amount - owed;
    let (least, more) = match booking.status {
        Pending => panic!("{booking:?} waits though {payment:?}"),
        Confirmed | Completed => (vec![booking.total_price], unreturned(booking, payment)),
        Cancelled if was_confirmed && booking.cancellation_reason == Some(CancelledByGuest) => {
            let least = kept_by_policy(booking, history, turned);
            (least, unreturned(booking, payment))
        }
        Cancelled => (vec![Money::ZERO], Money::ZERO),
    };
    assert!(
        least
            .iter()
            .any(|least| (*least..=*least + more).contains(&kept)),
        "{kept} is kept, and not {least:?} or at most {more} more: {booking:?} {payment:?}"
    );
    false
}

/// What was ever owed of a payment; and what was given back of that is written on it.
fn owed(payment: &payment::Model, debts: &[refund::Model], rest: Rest) -> Money {
    let settled = debts.iter().filter(|debt| debt.settled_at.is_some());
    let given_back: Money = settled.map(|debt| debt.amount).sum();
    let owed: Money = debts.iter().map(|debt| debt.amount).sum();
    // One transaction writes both.
    assert_eq!(payment.refunded_amount, given_back, "{payment:?} {debts:?}");
    // A debt is written with what gave rise to it, and paid back in a later step: that one may not have come to pass.
    if rest != Rest::Killed {
        assert_eq!(given_back, owed, "{payment:?} {debts:?}");
    }
    let is_said = match payment.payment_status {
        PaymentStatus::Pending | PaymentStatus::Failed | PaymentStatus::Paid => {
            given_back == Money::ZERO
        }
        PaymentStatus::PartiallyRefunded => Money::ZERO < given_back && given_back < payment.amount,
        PaymentStatus::Refunded => given_back == payment.amount,
    };
    assert!(is_said, "{payment:?} {debts:?}");
    owed
}

/// Whether a payment that is neither made nor refused may be so. Says whether it was left between two steps.
fn waits_rightly(
    booking: &booking::Model,
    payment: &payment::Model,
    now: DateTime<Utc>,
    rest: Rest,
) -> bool {
    if payment.provider_reference.is_none() {
        // It was begun, and the process was killed before it wrote what the provider said. Whoever comes next goes on with it once the
        // first one can't be at it any more.
        let may_be_under_way = match rest {
            Rest::Settled => false,
            Rest::Killed => true,
            Rest::Recovered => payment.look_at.is_some_and(|at| at > now),
        };
        assert!(may_be_under_way, "{payment:?} was left between two steps");
        return true;
    }
    // What was set aside for a booking that ended is let go of in a step after that: it may not have come to pass.
    let is_right = booking.status == Pending || rest == Rest::Killed;
    assert!(is_right, "{payment:?} was not let go: {booking:?}");
    false
}

/// What stays with the host, at least, of a confirmed stay that its guest took back.
fn kept_by_policy(
    booking: &booking::Model,
    history: &[&booking_event::Model],
    turned: Duration,
) -> Vec<Money> {
    let terms = cancellation::Terms {
        policy: booking.cancellation_policy,
        stay: Stay::between(booking.check_in_date, booking.check_out_date).expect("a stay"),
        limit: booking.refund_limit,
        zone: booking.time_zone.0,
        booked_at: booking.created_at,
        price: &booking.price,
    };
    let last = history.last().expect("a last event");
    // The clock may have gone on between the look at it and the event.
    [last.created_at, last.created_at - turned]
        .into_iter()
        .filter_map(|at| cancellation::refund(terms, CancelledBy::Guest, at).ok())
        .map(|back| booking.total_price - back)
        .collect()
}

/// How much a change to a cheaper stay may have left with the host beyond the price of that stay: nothing, while cancelling would still have
/// given everything back. The limit then stands at the whole price, and for ever below it from the first later change on.
fn unreturned(booking: &booking::Model, payment: &payment::Model) -> Money {
    match booking.refund_limit {
        Some(limit) if limit < booking.total_price => payment.amount - booking.total_price,
        _ => Money::ZERO,
    }
}
