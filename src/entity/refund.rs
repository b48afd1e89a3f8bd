//! `refunds`: money that goes back to guests, one row a debt. Its key is what makes paying it back repeatable.

use sea_orm::entity::prelude::*;

use crate::domain::{
    ids::{PaymentId, RefundId},
    money::Money,
};

/// Something owed to a guest.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub refund_id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// Whether the booking went on, and only became cheaper, when it came to be owed.
    pub stands: bool,
    /// Since when it is owed.
    pub created_at: DateTimeUtc,
    /// When the provider gave it back.
    pub settled_at: Option<DateTimeUtc>,
    /// When it is tried next; none before the first time. Whoever tries it puts this off first, so that nobody else does.
    pub due_at: Option<DateTimeUtc>,
    /// How often it was tried.
    pub attempts: i32,
}

/// Relations are loaded in batches, never joined here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
