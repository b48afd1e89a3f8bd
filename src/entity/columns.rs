//! How the domain's types are kept in columns: keys as integers, money as `DECIMAL(10,2)`, choices as text, prices as JSON.

use std::str::FromStr;

use rust_decimal::Decimal;
use sea_orm::{
    ColIdx, DbErr, IntoActiveValue, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};

use crate::domain::{
    booking::{BookingStatus, CancellationReason},
    cancellation::CancellationPolicy,
    ids::{BookingEventId, BookingId, FeedId, PaymentId, PropertyId, RefundId, ReviewId, UserId},
    ledger::{Account, Movement},
    listing::PropertyStatus,
    money::Money,
    payment::{PaymentMethod, PaymentStatus},
    people::{MailedFor, Role},
    price::Price,
};

use super::night::NightKind;

/// Keeps `$type` as `$kept`, which has a column type of its own.
macro_rules! column {
    ($type:ty as $kept:ty, $out:expr, $into:expr) => {
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::from($out(value))
            }
        }

        impl TryGetable for $type {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let kept = <$kept as TryGetable>::try_get_by(row, index)?;
                $into(kept).ok_or_else(|| {
                    TryGetError::DbErr(DbErr::Type(concat!("not a ", stringify!($type)).to_owned()))
                })
            }
        }

        impl ValueType for $type {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                $into(<$kept as ValueType>::try_from(value)?).ok_or(ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($type).to_owned()
            }

            fn array_type() -> ArrayType {
                <$kept as ValueType>::array_type()
            }

            fn column_type() -> ColumnType {
                <$kept as ValueType>::column_type()
            }
        }

        impl Nullable for $type {
            fn null() -> Value {
                <$kept as Nullable>::null()
            }
        }

        impl IntoActiveValue<$type> for $type {
            fn into_active_value(self) -> sea_orm::ActiveValue<$type> {
                sea_orm::ActiveValue::Set(self)
            }
        }
    };
}

macro_rules! id_columns {
    ($($type:ident($kept:ty)),*) => {$(
        column!($type as $kept, |id: $type| id.0, |key| Some($type(key)));

        impl TryFromU64 for $type {
            fn try_from_u64(key: u64) -> Result<Self, DbErr> {
                <$kept as TryFromU64>::try_from_u64(key).map($type)
            }
        }
    )*};
}

macro_rules! text_columns {
    ($($type:ident { $($variant:ident = $text:literal),* })*) => {$(
        impl $type {
            /// The text that stands in the column.
            #[must_use]
            pub const fn as_column(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        column!(
            $type as String,
            |choice: $type| choice.as_column(),
            |text: String| match text.as_str() {
                $($text => Some($type::$variant),)*
                _ => None,
            }
        );
    )*};
}

id_columns!(
    UserId(i32),
    PropertyId(i32),
    BookingId(i32),
    PaymentId(i32),
    RefundId(i32),
    ReviewId(i32),
    FeedId(i32),
    BookingEventId(i64)
);

text_columns! {
    MailedFor { VerifyEmail = "VERIFY_EMAIL", ResetPassword = "RESET_PASSWORD" }
    Role { Guest = "GUEST", Host = "HOST", Admin = "ADMIN" }
    PropertyStatus { Draft = "DRAFT", Listed = "LISTED", Unlisted = "UNLISTED" }
    CancellationPolicy { Flexible = "FLEXIBLE", Moderate = "MODERATE", Strict = "STRICT" }
    BookingStatus { Pending = "PENDING", Confirmed = "CONFIRMED", Cancelled = "CANCELLED", Completed = "COMPLETED" }
    CancellationReason {
        CancelledByGuest = "CANCELLED_BY_GUEST",
        CancelledByHost = "CANCELLED_BY_HOST",
        DeclinedByHost = "DECLINED_BY_HOST",
        PaymentExpired = "PAYMENT_EXPIRED"
    }
    NightKind { Booking = "BOOKING", Block = "BLOCK", Feed = "FEED" }
    PaymentMethod { Card = "CARD", Paypal = "PAYPAL" }
    PaymentStatus {
        Pending = "PENDING",
        Paid = "PAID",
        Failed = "FAILED",
        PartiallyRefunded = "PARTIALLY_REFUNDED",
        Refunded = "REFUNDED"
    }
    Account {
        Provider = "PROVIDER",
        Guest = "GUEST",
        Host = "HOST",
        Fees = "FEES",
        Tax = "TAX"
    }
    Movement {
        Charge = "CHARGE",
        Capture = "CAPTURE",
        Refund = "REFUND"
    }
}

column!(Money as Decimal, Decimal::from, |kept: Decimal| {
    <Money as TryFrom<Decimal>>::try_from(kept).ok()
});

column!(
    Price as serde_json::Value,
    |price: Price| serde_json::to_value(price).unwrap_or_default(),
    |kept: serde_json::Value| serde_json::from_value(kept).ok()
);

/// An IANA time zone in a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(pub chrono_tz::Tz);

column!(
    TimeZone as String,
    |zone: TimeZone| zone.0.name(),
    |name: String| chrono_tz::Tz::from_str(&name).ok().map(TimeZone)
);
