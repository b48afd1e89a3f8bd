//! The life of a booking.

use chrono::Duration;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BookingStatus {
    /// Its nights are held; waits for payment or, unless the property is instant book, for the host.
    Pending,
    /// Paid for.
    Confirmed,
    /// Ended before the stay, for a reason.
    Cancelled,
    /// The stay is over.
    Completed,
}

/// Why a booking was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancellationReason {
    /// The guest changed plans.
    CancelledByGuest,
    /// The host, or an admin, took it back.
    CancelledByHost,
    /// The host declined the request, or did not answer it in time.
    DeclinedByHost,
    /// The hold lapsed unpaid.
    PaymentExpired,
}

/// How long a host has to answer a paid request.
pub const HOST_ANSWERS_WITHIN: Duration = Duration::hours(24);

impl BookingStatus {
    /// The one table of legal moves.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Confirmed | Self::Cancelled)
                | (Self::Confirmed, Self::Completed | Self::Cancelled)
        )
    }

    /// Whether its nights are taken.
    #[must_use]
    pub const fn holds_nights(self) -> bool {
        !matches!(self, Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::BookingStatus::{self, Cancelled, Completed, Confirmed, Pending};

    const ALL: [BookingStatus; 4] = [Pending, Confirmed, Cancelled, Completed];

    #[test]
    fn only_the_four_legal_moves_are_allowed() {
        let legal: Vec<_> = ALL
            .into_iter()
            .flat_map(|from| ALL.map(|to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        assert_eq!(
            legal,
            [
                (Pending, Confirmed),
                (Pending, Cancelled),
                (Confirmed, Cancelled),
                (Confirmed, Completed)
            ]
        );
    }

    proptest! {
        #[test]
        fn an_ended_booking_never_moves_again(wishes in proptest::collection::vec(0_usize..4, 0..12)) {
            let mut status = Pending;
            let mut ended = None;
            for wish in wishes.into_iter().map(|i| ALL[i]) {
                if status.may_become(wish) {
                    prop_assert!(ended.is_none());
                    status = wish;
                }
                if matches!(status, Cancelled | Completed) {
                    ended = Some(status);
                }
            }
            prop_assert!(ended.is_none_or(|ended| ended == status));
        }
    }
}
