//! Going on with a payment from wherever it stands: opening it at the provider, asking the card, asking where it stands, letting go of it.
//!
//! Any number of instances may pursue one payment at once: each step has one key, and what came of it is written by compare-and-swap.

use chrono::{DateTime, Duration, Utc};
use futures_util::StreamExt as _;
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _},
};

use super::{Payments, gone};
use crate::{
    domain::{
        actor::Actor,
        booking::BookingStatus,
        ids::PaymentId,
        payment::{PaymentStatus, PaymentToken},
    },
    entity::{
        booking,
        payment::{ActiveModel, Column, Entity, Model},
    },
    service::{
        error::{Error, Result},
        sealing::Secret,
    },
    store::{
        gateway::{GatewayError, Opened, Opening, Standing, State},
        traces::{About, Span},
        vault::fingerprint,
    },
};

/// When it is first asked where a payment stands, after it was begun: whoever began it may still be at it.
pub(super) const FIRST_LOOK: Duration = Duration::seconds(15);
/// The longest wait between two looks: somebody may be looking at a payment that does not end.
const LONGEST_WAIT: Duration = Duration::minutes(1);
/// How many payments are looked after at a time.
const AT_ONCE: usize = 8;
/// How many are taken on in one go.
const ROUND: u64 = 200;

impl Payments {
    /// Goes on with payments whose truth has not been heard for a while, and with those that a notice of the provider's has called up. Any number of instances may do it at once.
    /// Gives how many it looked at.
    ///
    /// # Errors
    /// When the database fails. A provider that can't be reached is asked again later.
    pub async fn look_after_due(&self) -> Result<usize> {
        let now = self.0.clock.now();
        let due = Entity::find()
            // Spelled out rather than bound, because the partial index is chosen by it.
            .filter(Expr::cust("payment_status = 'PENDING'"))
            .filter(Column::LookAt.lte(now))
            .order_by_asc(Column::LookAt)
            .limit(ROUND);
        let due = due.all(self.0.db.read()).await?;
        let looked = futures_util::stream::iter(due)
            .map(|payment| self.look_after(payment))
            .buffer_unordered(AT_ONCE);
        Ok(looked
            .filter(|looked| std::future::ready(*looked))
            .count()
            .await)
    }

    /// Goes on with one payment that is due, unless somebody else does.
    async fn look_after(&self, payment: Model) -> bool {
        let id = payment.payment_id;
        let looked = async {
            if self.claim(&payment).await? {
                self.pursue(&Actor::nobody(), id).await?;
                return Ok(true);
            }
            Ok::<_, Error>(false)
        };
        let span = Span::here(|| About::left("payment look"));
        span.around(looked).await.unwrap_or_else(|error| {
            span.failed("later");
            tracing::warn!(payment_id = %id, ?error, "a payment is looked after later");
            false
        })
    }

    /// Puts the next look off, so that nobody else looks meanwhile; but not beyond the end of the hold, which is then let go of.
    async fn claim(&self, payment: &Model) -> Result<bool> {
        let now = self.0.clock.now();
        let holds_until = booking::Entity::find_by_id(payment.booking_id)
            .select_only()
            .column(booking::Column::ExpiresAt)
            .into_tuple::<Option<DateTime<Utc>>>()
            .one(self.0.db.read())
            .await?;
        let mut next = now + wait_after(payment.looks);
        if let Some(end) = holds_until.flatten().filter(|end| *end > now) {
            next = std::cmp::min(next, end);
        }
        let tx = self.0.db.begin().await?;
        let claimed = Entity::update_many()
            .col_expr(Column::LookAt, Expr::val(Some(next)))
            .col_expr(Column::Looks, Expr::col(Column::Looks).add(1))
            .filter(Column::PaymentId.eq(payment.payment_id))
            .filter(Column::LookAt.eq(payment.look_at))
            .filter(Column::PaymentStatus.eq(PaymentStatus::Pending))
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        Ok(claimed.rows_affected == 1)
    }

    /// Goes on with a payment, as far as it goes now. A provider that can't be reached leaves it as it is.
    pub(super) async fn pursue(&self, actor: &Actor, id: PaymentId) -> Result<Model> {
        let payment = self.read_back(id).await?;
        if payment.payment_status != PaymentStatus::Pending {
            return Ok(payment);
        }
        let booking = booking::Entity::find_by_id(payment.booking_id)
            .one(self.0.db.read())
            .await?
            .ok_or_else(|| gone(id))?;
        match self.go_on(&payment, &booking).await {
            Ok(Some(standing)) => self.apply(actor, id, standing).await,
            Ok(None) => self.read_back(id).await,
            Err(Stopped::Provider(GatewayError::Refused(why)))
                if payment.provider_reference.is_none() =>
            {
                // It was never opened, so nothing can move any more.
                tracing::warn!(payment_id = %id, why, "a payment was refused");
                self.apply(actor, id, refused().into()).await
            }
            Err(Stopped::Provider(error)) => {
                tracing::warn!(payment_id = %id, %error, "a payment is left pending");
                self.read_back(id).await
            }
            Err(Stopped::Here(error)) => Err(error),
        }
    }

    /// Asks for the next steps of a pending payment. Gives where it then stands; none when somebody else has it.
    async fn go_on(
        &self,
        payment: &Model,
        booking: &booking::Model,
    ) -> std::result::Result<Option<Standing>, Stopped> {
        let gateway = &self.0.gateway;
        let is_wanted = booking.status == BookingStatus::Pending
            && booking.expires_at.is_some_and(|at| at > self.0.clock.now());
        let (reference, is_new) = match self.reference(payment)? {
            Some(reference) => (reference, false),
            None if is_wanted => match self.open_at_provider(payment, booking).await? {
                Some(reference) => (reference, true),
                None => return Ok(None),
            },
            // It was never opened; whoever opens it now finds that it has failed.
            None => return Ok(Some(State::Cancelled.into())),
        };
        // Each step is taken from where the payment stands, so that none is asked for twice, whatever became of the one before.
        let mut standing = match (is_new, payment.token.is_some()) {
            (true, true) => State::Open.into(),
            (true, false) => State::NeedsAction.into(),
            (false, _) => gateway.look(&reference).await?,
        };
        if !is_wanted {
            if !standing.state.is_final() {
                standing = gateway.cancel(&reference).await?;
            }
            return Ok(Some(standing));
        }
        if standing.state == State::Open {
            let confirmed = gateway.confirm(&reference, payment.payment_method).await;
            standing = match confirmed {
                Err(GatewayError::Refused(why)) => {
                    tracing::warn!(payment_id = %payment.payment_id, why, "a card was refused");
                    refused().into()
                }
                confirmed => confirmed?,
            };
        }
        if standing.state == State::Authorized && payment.capture_asked_at.is_some() {
            standing = gateway.capture(&reference).await?;
        }
        if matches!(standing.state, State::Declined { .. }) {
            if payment.token.is_none() {
                // The guest is at the payment form, and may take another card there.
                return Ok(Some(State::NeedsAction.into()));
            }
            // From now on nobody can pay it in a form that is still open somewhere: another payment may be begun.
            let cancelled = gateway.cancel(&reference).await?;
            if cancelled.state != State::Cancelled {
                return Ok(Some(cancelled));
            }
        }
        Ok(Some(standing))
    }

    /// Opens a payment at the provider and keeps its name. Gives the name that is kept; none when the payment has failed meanwhile.
    async fn open_at_provider(
        &self,
        payment: &Model,
        booking: &booking::Model,
    ) -> std::result::Result<Option<String>, Stopped> {
        let id = payment.payment_id;
        let token = self.token(payment)?;
        let token = token.map(|token| PaymentToken::parse("paymentToken", &token));
        let opening = Opening {
            // A key of its own each time, as one would repeat a failure of the provider's for a day. What was opened and is not kept is never confirmed.
            key: format!("payment-{id}-{}-{}", micros(payment), payment.looks),
            name: id.to_string(),
            amount: payment.amount,
            currency: self.0.terms.currency.clone(),
            method: payment.payment_method,
            token: token.transpose().map_err(Error::from)?,
            capture: booking.instant_book,
        };
        let opened = self.0.gateway.open(&opening).await?;
        Ok(self.keep(id, &opened).await?)
    }

    async fn keep(&self, id: PaymentId, opened: &Opened) -> Result<Option<String>> {
        let tx = self.0.db.begin().await?;
        let payment = Entity::find_by_id(id)
            .lock_exclusive()
            .one(&*tx)
            .await?
            .ok_or_else(|| gone(id))?;
        if payment.payment_status != PaymentStatus::Pending {
            return Ok(None);
        }
        if payment.provider_reference.is_some() {
            return self.reference(&payment);
        }
        let seal = |which: Secret, secret: &str| self.0.vault.seal(which.place(id.0), secret);
        let reference = seal(Secret::PaymentReference, &opened.reference)?;
        let client_secret = seal(Secret::ClientSecret, &opened.client_secret)?;
        let mut row: ActiveModel = payment.into();
        row.provider_reference = Set(Some(reference));
        row.client_secret = Set(Some(client_secret));
        row.reference_digest = Set(Some(fingerprint(&opened.reference)));
        row.update(&*tx).await?;
        tx.commit().await?;
        Ok(Some(opened.reference.clone()))
    }
}

/// Why a payment does not go on.
enum Stopped {
    Provider(GatewayError),
    Here(Error),
}

impl From<GatewayError> for Stopped {
    fn from(error: GatewayError) -> Self {
        Self::Provider(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}

/// The provider would not hear of it.
fn refused() -> State {
    State::Declined {
        message: "The payment provider refused this payment.".to_owned(),
    }
}

/// When a pending payment was begun. No two payments with one key share it, be it that one of them was lost with the end of a database.
fn micros(payment: &Model) -> i64 {
    payment.transaction_date.timestamp_micros()
}

/// Ten seconds for the first minute, then twice as long each time, up to a minute. Whoever looked last may still be at it: that does no harm.
fn wait_after(looks: i32) -> Duration {
    let doublings = (looks - 5).clamp(0, 3).unsigned_abs();
    (Duration::seconds(10) * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}
