//! Words that stand for one of a few things, as GraphQL writes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{booking, cancellation, listing, payment, people, price};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $rules:path { $($(#[$word_doc:meta])* $word:ident),* $(,)? })*) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        $(#[$doc])*
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub(super) enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl From<$rules> for $name {
            fn from(rule: $rules) -> Self {
                use $rules as Rule;
                match rule {
                    $(Rule::$word => Self::$word,)*
                }
            }
        }

        impl From<$name> for $rules {
            fn from(word: $name) -> Self {
                use $rules as Rule;
                match word {
                    $($name::$word => Rule::$word,)*
                }
            }
        }
    )*};
}

words! {
    /// What a person may do: a GUEST books and reviews, a HOST lists and manages own properties as well, an ADMIN sees and moderates everything.
    #[schema(example = "GUEST")]
    Role = people::Role { Guest, Host, Admin }

    /// Whether guests find a property: a DRAFT is seen by its host and admins alone, a LISTED one is in search and open for booking, an UNLISTED
    /// one is out of search, while standing bookings keep it.
    #[schema(example = "LISTED")]
    PropertyStatus = listing::PropertyStatus { Draft, Listed, Unlisted }

    /// What a host gives back to a guest who cancels. FLEXIBLE: all until 24 hours before check-in (15:00 local), after that all but the first
    /// night. MODERATE: all until 5 days before, after that half of the nights. STRICT: all within 48 hours of booking if check-in is 14 days or
    /// more away, else half of the nights until 7 days before, after that none. The cleaning fee comes back.
    #[schema(example = "FLEXIBLE")]
    CancellationPolicy = cancellation::CancellationPolicy { Flexible, Moderate, Strict }

    /// Where a booking stands: PENDING holds its nights and waits for payment or for the host, CONFIRMED is paid for, CANCELLED ended before the
    /// stay, COMPLETED is over.
    #[schema(example = "CONFIRMED")]
    BookingStatus = booking::BookingStatus { Pending, Confirmed, Cancelled, Completed }

    /// Why a booking was cancelled.
    #[schema(example = "CANCELLED_BY_GUEST")]
    CancellationReason = booking::CancellationReason { CancelledByGuest, CancelledByHost, DeclinedByHost, PaymentExpired }

    /// How a guest pays.
    #[schema(example = "CARD")]
    PaymentMethod = payment::PaymentMethod { Card, Paypal }

    /// Where a payment stands: PENDING waits for the provider, the guest's bank or the host; of a PAID one the money has moved; of a FAILED one it
    /// did not and will not; of the others some or all of it went back.
    #[schema(example = "PAID")]
    PaymentStatus = payment::PaymentStatus { Pending, Paid, Failed, PartiallyRefunded, Refunded }

    /// What a line of a price is for.
    #[schema(example = "NIGHTS")]
    LineItemKind = price::LineItemKind { Nights, CleaningFee, ServiceFee, Tax, Discount }
}
