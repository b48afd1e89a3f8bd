//! Global ids: opaque to clients, and each knows what it is an id of.

use async_graphql::ID;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::domain::{
    ids::{BookingId, FeedId, PaymentId, PropertyId, ReviewId, UserId},
    problem::Problem,
};

/// Anything that has a global id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GlobalId {
    User(UserId),
    Session(Uuid),
    Property(PropertyId),
    Booking(BookingId),
    Payment(PaymentId),
    Review(ReviewId),
    CalendarFeed(FeedId),
}

impl GlobalId {
    fn parts(self) -> (&'static str, String) {
        match self {
            Self::User(id) => ("User", id.0.to_string()),
            Self::Session(id) => ("Session", id.simple().to_string()),
            Self::Property(id) => ("Property", id.0.to_string()),
            Self::Booking(id) => ("Booking", id.0.to_string()),
            Self::Payment(id) => ("Payment", id.0.to_string()),
            Self::Review(id) => ("Review", id.0.to_string()),
            Self::CalendarFeed(id) => ("CalendarFeed", id.0.to_string()),
        }
    }

    /// Reads an id of any kind.
    pub(super) fn parse(field: &str, id: &ID) -> Result<Self, Problem> {
        let unreadable = || {
            Problem::invalid(
                field,
                "This is not an id; take it from the `id` of what you mean.",
            )
        };
        if id.len() > 100 {
            return Err(unreadable());
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(id.as_bytes())
            .map_err(|_| unreadable())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
        let (kind, key) = text.split_once(':').ok_or_else(unreadable)?;
        let number = || key.parse::<i32>().map_err(|_| unreadable());
        let found = match kind {
            "User" => Self::User(UserId(number()?)),
            "Session" => Self::Session(Uuid::try_parse(key).map_err(|_| unreadable())?),
            "Property" => Self::Property(PropertyId(number()?)),
            "Booking" => Self::Booking(BookingId(number()?)),
            "Payment" => Self::Payment(PaymentId(number()?)),
            "Review" => Self::Review(ReviewId(number()?)),
            "CalendarFeed" => Self::CalendarFeed(FeedId(number()?)),
            _ => return Err(unreadable()),
        };
        // One thing has one id: no leading zeros, plus signs or dashes.
        if found.parts().1 == key {
            Ok(found)
        } else {
            Err(unreadable())
        }
    }
}

impl From<GlobalId> for ID {
    fn from(id: GlobalId) -> Self {
        let (kind, key) = id.parts();
        Self(URL_SAFE_NO_PAD.encode([kind, ":", &key].concat()))
    }
}

/// An id of one kind of thing.
pub(super) trait Identifies: Sized {
    /// What it is an id of.
    const KIND: &'static str;
    /// The key, when the id is of this kind.
    fn of(id: GlobalId) -> Option<Self>;
}

macro_rules! identifies {
    ($($key:ident is $kind:ident),*) => {$(
        impl Identifies for $key {
            const KIND: &'static str = stringify!($kind);
            fn of(id: GlobalId) -> Option<Self> {
                if let GlobalId::$kind(key) = id { Some(key) } else { None }
            }
        }
    )*};
}

identifies!(
    UserId is User, PropertyId is Property, BookingId is Booking, PaymentId is Payment, ReviewId is Review,
    FeedId is CalendarFeed, Uuid is Session
);

/// Reads an id of one kind.
///
/// # Errors
/// `INVALID` for what is no id, or the id of something else.
pub(super) fn parse<T: Identifies>(field: &str, id: &ID) -> Result<T, Problem> {
    let found = GlobalId::parse(field, id)?;
    let kind = found.parts().0;
    T::of(found).ok_or_else(|| {
        Problem::invalid(
            field,
            format!("This is the id of a {kind}, not of a {}.", T::KIND),
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_of_another_type_says_so() {
        let id = GlobalId::User(UserId(3)).into();
        let problem = parse::<PropertyId>("id", &id).unwrap_err();
        assert_eq!(
            problem.message,
            "This is the id of a User, not of a Property."
        );
    }

    proptest! {
        #[test]
        fn an_id_comes_back_whole(key in any::<i32>()) {
            let id: ID = GlobalId::Booking(BookingId(key)).into();
            prop_assert_eq!(parse::<BookingId>("id", &id), Ok(BookingId(key)));
        }
    }
}
