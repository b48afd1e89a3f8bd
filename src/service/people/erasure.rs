//! Deleting one's account. What says who somebody is goes; bookings, reviews and the books stay, and show a former member.
//!
//! The person's row is what everything here waits for: whoever makes a booking, a property, a session or a mailed secret of a person keeps
//! that row ([`crate::service::people_rows::keep`]) until it is there to be found, or finds that the person has gone. So nothing of a person comes to be after this.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, Query, SelectStatement},
};

use super::{People, mailed, profile};
use crate::{
    domain::{
        actor::Actor,
        audit::{Action, Subject},
        booking::BookingStatus,
        freshness::Tag,
        ids::{PropertyId, UserId},
        payment::PaymentStatus,
        people::{Email, FORMER_MEMBER, Role},
        problem::Problem,
    },
    entity::{
        booking, payment, property, refund, session,
        user::{Column, Entity, Model},
    },
    service::{
        booking_rows::lapse,
        changes::Changes,
        error::{Error, Result, signed_in},
        feeds,
        mails::{self, Mail},
        queue,
        sessions::{Which, end_sessions},
        tries,
    },
    store::db::Tx,
};

impl People {
    /// Deletes the caller's account for good: name, mail address, password, sessions, imported and published calendars, and all that is listed.
    /// A last mail tells the address so, which may then sign up anew.
    ///
    /// Bookings, payments, reviews, the books and the audit log stay.
    ///
    /// # Errors
    /// `NOT_FOUND` for an account that is not the caller's; `WRONG_STATE` for an admin, and while bookings stand or money moves;
    /// [`Error::Forbidden`] unless this device signed in within the last 15 minutes.
    pub async fn erase(&self, actor: &Actor, id: UserId) -> Result<UserId> {
        if signed_in(actor)?.user_id != id {
            return Err(Problem::not_found("id", "account of yours").into());
        }
        let now = self.0.clock.now();
        let mut changes = Changes::by(actor);
        let tx = self.0.db.begin().await?;
        let user = profile::lock(&tx, id).await?;
        let user = user.ok_or(Error::Unauthenticated)?;
        if user.role == Role::Admin {
            let message = "The account of an admin is not deleted here: the operator gives it another role first, by the command line.";
            return Err(Problem::wrong_state(message).into());
        }
        if !profile::signed_in_just_now(&tx, actor, now).await? {
            return Err(Error::Forbidden(
                "Sign in again, and delete the account within 15 minutes.",
            ));
        }
        let properties = properties_of(&tx, id).await?;
        must_have_no_bookings(&tx, id, now, &mut changes).await?;
        must_be_settled(&tx, id).await?;

        feeds::forget(&tx, &properties, now, &mut changes).await?;
        delete_properties(&tx, id, now, &mut changes).await?;
        self.blank(&tx, &user, now).await?;
        end_sessions(&tx, id, now, Which::All).await?;
        blank_sessions(&tx, id).await?;
        mailed::delete_all(&tx, id).await?;
        for address in [&user.email].into_iter().chain(&user.pending_email) {
            mails::take_back(&tx, address).await?;
        }
        let mail = Mail::Erased {
            to: user.email.clone(),
        };
        queue::enqueue(&tx, &mail, now).await?;
        changes.record(Action::Erased, Subject::User(id));
        changes.shown([Tag::Listings, Tag::Person(id)]);
        changes.sessions_of(id);
        changes.commit(tx, &self.0).await?;
        tries::clear(&self.0, &user.email).await;
        Ok(id)
    }

    async fn blank(&self, tx: &Tx, user: &Model, now: DateTime<Utc>) -> Result<()> {
        let nobody = Email::of_nobody(user.user_id);
        let hash = self.0.passwords.hash_of_none();
        Entity::update_many()
            .col_expr(Column::FullName, Expr::val(FORMER_MEMBER))
            .col_expr(Column::Email, Expr::val(nobody.as_str()))
            .col_expr(Column::PendingEmail, Expr::val(None::<String>))
            .col_expr(Column::EmailVerifiedAt, Expr::val(None::<DateTime<Utc>>))
            .col_expr(Column::PasswordHash, Expr::val(hash))
            .col_expr(Column::TokenVersion, Expr::col(Column::TokenVersion).add(1))
            .col_expr(Column::ErasedAt, Expr::val(now))
            .filter(Column::UserId.eq(user.user_id))
            .exec(&**tx)
            .await?;
        Ok(())
    }
}

/// What a person ever listed, locked against bookings.
async fn properties_of(tx: &Tx, id: UserId) -> Result<Vec<property::Model>> {
    Ok(property::Entity::find()
        .filter(property::Column::HostId.eq(id))
        .order_by_asc(property::Column::PropertyId)
        .lock_exclusive()
        .all(&**tx)
        .await?)
}

/// A hold whose time is over is ended on the way, so that nobody pays for it after all.
async fn must_have_no_bookings(
    tx: &Tx,
    id: UserId,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    let found = booking::Entity::find()
        .filter(has_part(id))
        .filter(booking::Column::Status.is_in([BookingStatus::Pending, BookingStatus::Confirmed]))
        .order_by_asc(booking::Column::BookingId)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let mut standing = 0;
    for booking in found {
        if !lapse(tx, &booking, now, changes).await? {
            standing += 1;
        }
    }
    if standing > 0 {
        let message = format!(
            "Bookings stand in which you are guest or host: {standing}. Cancel them, or wait until they are over."
        );
        return Err(Problem::wrong_state(message).into());
    }
    Ok(())
}

/// Whether all money of a person's bookings is where it belongs: no payment is under way, and nothing is to go back.
async fn must_be_settled(tx: &Tx, id: UserId) -> Result<()> {
    let under_way = payment::Entity::find()
        .filter(payment::Column::BookingId.in_subquery(bookings_of(id)))
        .filter(payment::Column::PaymentStatus.eq(PaymentStatus::Pending))
        .count(&**tx)
        .await?;
    let payments = Query::select()
        .column(payment::Column::PaymentId)
        .from(payment::Entity)
        .and_where(payment::Column::BookingId.in_subquery(bookings_of(id)))
        .to_owned();
    let owed = refund::Entity::find()
        .filter(refund::Column::SettledAt.is_null())
        .filter(refund::Column::PaymentId.in_subquery(payments))
        .count(&**tx)
        .await?;
    if under_way + owed > 0 {
        let message =
            "Money of your bookings is still on its way. Delete the account once it has arrived.";
        return Err(Problem::wrong_state(message).into());
    }
    Ok(())
}

/// Bookings in which a person is guest or host.
fn has_part(id: UserId) -> Condition {
    Condition::any()
        .add(booking::Column::GuestId.eq(id))
        .add(booking::Column::HostId.eq(id))
}

fn bookings_of(id: UserId) -> SelectStatement {
    Query::select()
        .column(booking::Column::BookingId)
        .from(booking::Entity)
        .cond_where(has_part(id))
        .to_owned()
}

async fn delete_properties(
    tx: &Tx,
    host: UserId,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<()> {
    let deleted = property::Entity::update_many()
        .col_expr(property::Column::DeletedAt, Expr::val(now))
        .filter(property::Column::HostId.eq(host))
        .filter(property::Column::DeletedAt.is_null())
        .exec_with_returning(&**tx)
        .await?;
    let mut ids: Vec<PropertyId> = deleted.iter().map(|row| row.property_id).collect();
    ids.sort_unstable();
    for id in ids {
        changes.record(Action::PropertyDeleted, Subject::Property(id));
        changes.shown([Tag::Property(id)]);
    }
    Ok(())
}

/// Where a person was signed in from is of no more use to anybody.
async fn blank_sessions(tx: &Tx, id: UserId) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::IpAddress, Expr::val(None::<String>))
        .col_expr(session::Column::UserAgent, Expr::val(None::<String>))
        .filter(session::Column::UserId.eq(id))
        .exec(&**tx)
        .await?;
    Ok(())
}
