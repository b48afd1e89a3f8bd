//! What a host earned.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::Expr,
};

use super::Ledger;
use crate::{
    domain::{
        actor::Actor,
        ids::PropertyId,
        ledger::{Account, Movement},
        money::Money,
        stay::DateRange,
    },
    entity::ledger_entry::{Column, Entity},
    service::error::{Result, signed_in},
};

/// What was earned within some dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earnings {
    /// What guests paid.
    pub gross: Money,
    /// What of it the marketplace kept: its fee, and tax.
    pub fees: Money,
    /// What went back to guests.
    pub refunds: Money,
    /// What is left for the host. What is still to go back to a guest is in `gross` alone.
    pub net: Money,
}

/// The same of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfProperty {
    /// Which.
    pub property_id: PropertyId,
    /// What it earned.
    pub earnings: Earnings,
}

/// One sum, as it is read.
#[derive(Debug, FromQueryResult)]
struct Sum {
    property_id: PropertyId,
    movement: Movement,
    account: Account,
    amount: Money,
}

impl Ledger {
    /// What the caller's properties earned in `[from, to)`, by the dates (UTC) on which money moved, the property with the lowest key first.
    ///
    /// # Errors
    /// `INVALID` for a range that is empty or longer than 366 days.
    pub async fn earnings(
        &self,
        actor: &Actor,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<OfProperty>> {
        let host = signed_in(actor)?.user_id;
        let range = DateRange::parse(from, to)?;
        let midnight =
            |date: NaiveDate| -> DateTime<Utc> { date.and_time(NaiveTime::MIN).and_utc() };
        let sums = Entity::find()
            .select_only()
            .columns([Column::PropertyId, Column::Movement, Column::Account])
            .column_as(Expr::col(Column::Amount).sum(), "amount")
            .filter(Column::HostId.eq(host))
            .filter(Column::CreatedAt.gte(midnight(range.from)))
            .filter(Column::CreatedAt.lt(midnight(range.to)))
            .group_by(Column::PropertyId)
            .group_by(Column::Movement)
            .group_by(Column::Account)
            .order_by_asc(Column::PropertyId)
            .into_model::<Sum>()
            .all(self.0.db.read())
            .await?;
        let mut all: Vec<OfProperty> = vec![];
        for sum in sums {
            let property_id = sum.property_id;
            if all
                .last()
                .is_none_or(|last| last.property_id != property_id)
            {
                let earnings = Earnings::default();
                all.push(OfProperty {
                    property_id,
                    earnings,
                });
            }
            if let Some(last) = all.last_mut() {
                last.earnings.add(&sum);
            }
        }
        Ok(all)
    }
}

impl Earnings {
    fn add(&mut self, sum: &Sum) {
        let owed = Money::ZERO - sum.amount;
        match (sum.account, sum.movement) {
            (Account::Provider, Movement::Charge | Movement::Capture) => {
                self.gross = self.gross + sum.amount;
            }
            (Account::Provider, Movement::Refund) => self.refunds = self.refunds + owed,
            (Account::Fees | Account::Tax, _) => self.fees = self.fees + owed,
            (Account::Host, _) => self.net = self.net + owed,
            // It was never the host's.
            (Account::Guest, _) => {}
        }
    }

    /// Of all properties together.
    #[must_use]
    pub fn of_all(properties: &[OfProperty]) -> Self {
        properties.iter().fold(Self::default(), |all, one| Self {
            gross: all.gross + one.earnings.gross,
            fees: all.fees + one.earnings.fees,
            refunds: all.refunds + one.earnings.refunds,
            net: all.net + one.earnings.net,
        })
    }
}
