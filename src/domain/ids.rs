//! Integer keys as types, so that a property's key is never taken for a booking's.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// Key of a person.
    UserId(i32);
    /// Key of a listed home.
    PropertyId(i32);
    /// Key of a booking.
    BookingId(i32);
    /// Key of a payment.
    PaymentId(i32);
    /// Key of something owed to a guest.
    RefundId(i32);
    /// Key of a review.
    ReviewId(i32);
    /// Key of another platform's calendar that is imported.
    FeedId(i32);
    /// Key of one change of a booking's status. Larger is later.
    BookingEventId(i64);
}
