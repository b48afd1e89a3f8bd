//! `ledger_entries`: the books, in double entry. Rows are written once; those of one movement are zero together.

use sea_orm::entity::prelude::*;

use crate::domain::{
    ids::{BookingId, PaymentId, PropertyId, RefundId, UserId},
    ledger::{Account, Movement},
    money::Money,
};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entries")]
pub struct Model {
    /// Key.
    #[sea_orm(primary_key)]
    pub entry_id: i64,
    /// Of which booking.
    pub booking_id: BookingId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// The refund that it is of, if it is.
    pub refund_id: Option<RefundId>,
    /// The booking's property.
    pub property_id: PropertyId,
    /// The booking's host.
    pub host_id: UserId,
    /// Why the money moved.
    pub movement: Movement,
    /// Whose it is.
    pub account: Account,
    /// How much; negative for what the marketplace owes.
    pub amount: Money,
    /// When it moved.
    pub created_at: DateTimeUtc,
}

/// It is read by its keys alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
