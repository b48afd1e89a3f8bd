//! `payments`: attempts to pay for a booking; at most one of a booking has not failed.

use sea_orm::entity::prelude::*;

use crate::domain::{
    ids::{BookingId, PaymentId},
    money::Money,
    payment::{PaymentMethod, PaymentStatus},
};

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub payment_id: PaymentId,
    /// For which booking.
    pub booking_id: BookingId,
    /// The booking's total when it was begun.
    pub amount: Money,
    /// How much of it went back.
    pub refunded_amount: Money,
    /// Card or wallet.
    pub payment_method: PaymentMethod,
    /// Where it stands.
    pub payment_status: PaymentStatus,
    /// When it was begun; once it is collected, when it was.
    pub transaction_date: DateTimeUtc,
    /// When the provider set the money aside, for a request that waits for its host.
    pub authorized_at: Option<DateTimeUtc>,
    /// Why it failed, for the guest.
    pub failure: Option<String>,
    /// The provider's name for it, sealed.
    pub provider_reference: Option<String>,
    /// What the reference is looked up by.
    pub reference_digest: Option<String>,
    /// What the guest's payment form needs to finish it, sealed.
    pub client_secret: Option<String>,
    /// The provider's token for the card, sealed, until it is known what became of it.
    pub token: Option<String>,
    /// While pending: when the provider is asked next where it stands.
    pub look_at: Option<DateTimeUtc>,
    /// How often a worker has looked after it, since it was begun or a notice came: the wait grows with it.
    pub looks: i32,
    /// When the provider was first asked to collect what is set aside: it may have done so since.
    pub capture_asked_at: Option<DateTimeUtc>,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
