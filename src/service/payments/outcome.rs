//! What became of a payment: the provider's answers, written down.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, sea_query::Expr,
};

use super::{Payments, debts::owe, gone};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Outcome, Subject},
        booking::{BookingStatus, HOST_ANSWERS_WITHIN},
        ids::PaymentId,
        money::Money,
        payment::PaymentStatus,
        stay::Stay,
    },
    entity::{
        booking,
        payment::{ActiveModel, Column, Entity, Model},
    },
    service::{
        booking_rows::{self, advance, lapse, stay_of},
        changes::Changes,
        error::Result,
        ledger,
        mails::news::{self, News, Party},
        suspicion,
    },
    store::{
        db::Tx,
        gateway::{Standing, State},
    },
};

impl Payments {
    /// Writes down where a payment stands at the provider. May be repeated, in any order, by anyone who knows it.
    pub(super) async fn apply(
        &self,
        actor: &Actor,
        id: PaymentId,
        standing: Standing,
    ) -> Result<Model> {
        let payment = self.read_back(id).await?;
        if self.differs(&payment, &standing).await {
            return Ok(payment);
        }
        let news = match standing.state {
            State::Open | State::NeedsAction | State::UnderWay => return Ok(payment),
            State::Authorized if is_set_aside(&payment) => return self.rest(id).await,
            news => news,
        };
        let now = self.0.clock.now();
        let booking_id = payment.booking_id;
        let tx = self.0.db.begin().await?;
        let booking = booking_rows::lock(&tx, booking_id)
            .await?
            .ok_or_else(|| anyhow::anyhow!("booking {booking_id} of payment {id} is gone"))?;
        let payment = Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or_else(|| gone(id))?;
        if !is_news(&payment, &news) {
            return Ok(payment);
        }
        let mut changes = Changes::by(actor);
        let came_too_late = news == State::Authorized && booking.status != BookingStatus::Pending;
        let is_owed = match news {
            State::Succeeded => {
                let waited_for_host = payment.authorized_at.is_some();
                let collected = collect(&tx, &booking, payment, now, &mut changes).await?;
                if !collected.confirmed && !waited_for_host {
                    changes.tell([news::note(&booking, Party::Guest, News::PaidTooLate)]);
                }
                collected.owed > Money::ZERO
            }
            State::Authorized => {
                set_aside(&tx, &booking, payment, now, &mut changes).await?;
                false
            }
            State::Declined { message } => {
                fail(&tx, &booking, payment, Some(message), now, &mut changes).await?;
                false
            }
            _ => {
                fail(&tx, &booking, payment, None, now, &mut changes).await?;
                false
            }
        };
        changes.commit(tx, &self.0).await?;
        if is_owed {
            self.pay_back_of(booking_id).await;
        }
        if came_too_late {
            // Whoever pays is told the end of it, and not that it waits for the host.
            return Box::pin(self.pursue(actor, id)).await;
        }
        self.read_back(id).await
    }

    /// There is nothing to ask about a payment that waits for its host.
    async fn rest(&self, id: PaymentId) -> Result<Model> {
        let tx = self.0.db.begin().await?;
        Entity::update_many()
            .col_expr(Column::LookAt, Expr::val(None::<DateTime<Utc>>))
            .filter(Column::PaymentId.eq(id))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .filter(Column::CaptureAskedAt.is_null())
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        self.read_back(id).await
    }

    /// Whether money moved, or was set aside, over another sum at the provider than here. Then people are told, and nothing is written down.
    pub(super) async fn differs(&self, payment: &Model, standing: &Standing) -> bool {
        let (Some((amount, currency)), State::Authorized | State::Succeeded) =
            (&standing.sum, &standing.state)
        else {
            return false;
        };
        let ours = &self.0.terms.currency;
        let differs = *amount != payment.amount || currency != ours;
        if differs {
            let detail = format!(
                "payment {} is over {amount} {currency} at the provider, and over {} {ours} here",
                payment.payment_id, payment.amount
            );
            suspicion::alert(&self.0, "payments differ", &detail).await;
        }
        differs
    }
}

/// Whether a payment waits for its host alone.
fn is_set_aside(payment: &Model) -> bool {
    payment.payment_status == PaymentStatus::Pending && payment.authorized_at.is_some()
}

/// Whether it is news that a payment stands so.
pub(super) fn is_news(payment: &Model, state: &State) -> bool {
    let went_through = matches!(state, State::Authorized | State::Succeeded);
    match payment.payment_status {
        PaymentStatus::Pending => payment.authorized_at.is_none() || *state != State::Authorized,
        // Given up by us, and now the provider says that it went through after all.
        PaymentStatus::Failed => payment.failure.is_none() && went_through,
        _ => false,
    }
}

/// What became of a booking whose payment was collected.
pub(super) struct Collected {
    /// Whether it is confirmed by it.
    pub(super) confirmed: bool,
    /// What its guest is owed: all of it, where the booking is not confirmed.
    pub(super) owed: Money,
}

/// Writes down that a payment was collected. That confirms its booking, if it still waits and its stay is not over.
pub(super) async fn collect(
    tx: &Tx,
    booking: &booking::Model,
    payment: Model,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<Collected> {
    let id = payment.payment_id;
    changes.record(Action::PaymentPaid, Subject::Payment(id));
    let is_over = now >= stay_of(booking).ends_at(booking.time_zone.0);
    let confirmed = if is_over {
        lapse(tx, booking, now, changes).await?;
        false
    } else {
        advance(tx, booking, BookingStatus::Confirmed, None, changes).await?
    };
    // A request may have become a cheaper stay since its guest paid.
    let due = if confirmed {
        booking.total_price
    } else {
        Money::ZERO
    };
    let owed = payment.amount - due;
    ledger::collected(tx, booking, &payment, confirmed, now).await?;
    owe(tx, id, owed, confirmed, now).await?;
    let mut row = at_rest(payment);
    row.payment_status = Set(PaymentStatus::Paid);
    row.transaction_date = Set(now);
    row.update(&**tx).await?;
    Ok(Collected { confirmed, owed })
}

/// Writes down that the money is set aside. Where the booking has ended meanwhile it is let go of again at once.
async fn set_aside(
    tx: &Tx,
    booking: &booking::Model,
    payment: Model,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    changes.record(
        Action::PaymentAuthorized,
        Subject::Payment(payment.payment_id),
    );
    let waits = booking.status == BookingStatus::Pending;
    if waits {
        changes.tell(news::both(booking, News::Requested));
        wait_for_host(tx, booking, now).await?;
    }
    let mut row = at_rest(payment);
    row.payment_status = Set(PaymentStatus::Pending);
    row.authorized_at = Set(Some(now));
    row.look_at = Set((!waits).then_some(now));
    row.update(&**tx).await?;
    Ok(())
}

/// Writes down that no money will move; `failure` says why, where that is the card's doing.
async fn fail(
    tx: &Tx,
    booking: &booking::Model,
    payment: Model,
    failure: Option<String>,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    let subject = Subject::Payment(payment.payment_id);
    let outcome = if failure.is_some() {
        Outcome::Refused
    } else {
        Outcome::Done
    };
    changes.note(Action::PaymentFailed, subject, outcome, None);
    // The hold may have lapsed while its payment was under way.
    lapse(tx, booking, now, changes).await?;
    let mut row = at_rest(payment);
    row.payment_status = Set(PaymentStatus::Failed);
    row.failure = Set(failure);
    row.update(&**tx).await?;
    Ok(())
}

/// A payment's row without what is needed only while the provider is asked.
fn at_rest(payment: Model) -> ActiveModel {
    let mut row: ActiveModel = payment.into();
    row.client_secret = Set(None);
    row.token = Set(None);
    row.look_at = Set(None);
    row
}

/// From now on the host has a day to answer, and no longer than until the stay begins.
async fn wait_for_host(tx: &Tx, booking: &booking::Model, now: DateTime<Utc>) -> Result<()> {
    let answer_by = answer_by(stay_of(booking), booking.time_zone.0, now);
    booking::Entity::update_many()
        .col_expr(booking::Column::ExpiresAt, Expr::val(answer_by))
        .filter(booking::Column::BookingId.eq(booking.booking_id))
        .filter(booking::Column::Status.eq(BookingStatus::Pending))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Until when a host may answer a request for a stay that is paid now.
pub(in crate::service) fn answer_by(stay: Stay, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let begins = stay.begins_at(zone);
    // A guest who pays after check-in time still gives the host that evening.
    let latest = if begins > now {
        begins
    } else {
        stay.ends_at(zone)
    };
    (now + HOST_ANSWERS_WITHIN).min(latest)
}
