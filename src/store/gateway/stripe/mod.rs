//! Stripe, by `PaymentIntents` (<https://docs.stripe.com/payments/paymentintents/lifecycle>): a thin client of the few calls that are needed.
//!
//! A call that gets no answer, a server's failure or "too many" is [`GatewayError::Unclear`]: the truth is asked for later. One that Stripe
//! refuses because the payment stands elsewhere than was thought is answered by where it stands.
//!
//! What makes something has an idempotency key. The steps of a payment have none: Stripe takes each once, by how the payment stands, and a key would repeat
//! a failure of Stripe's for a day (<https://docs.stripe.com/api/idempotent_requests>).

pub mod amounts;
mod call;
pub mod notice;
mod wire;

use std::ops::ControlFlow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;

use self::{
    amounts::{from_minor, to_minor},
    call::{Call, Caller},
    wire::{Charge, ChargeStatus, Intent, List, Status},
};
use super::{
    Books, GatewayError, Moved, OddRefund, Opened, Opening, PaymentGateway, Refund, Standing, State,
};
use crate::domain::payment::PaymentMethod;

/// How many entries a list has in one answer; Stripe gives no more.
const PAGE: usize = 100;
/// A list of so many pages is not read to its end.
const MOST_PAGES: usize = 1_000;
/// Where a refund has our name for it, among what Stripe keeps for us.
const OUR_NAME: &str = "refund";

/// Stripe.
#[derive(Debug)]
pub struct Stripe {
    caller: Caller,
    /// Where a wallet's own page sends the guest back to.
    return_url: String,
}

impl Stripe {
    /// A client with a secret key. `base` is where the API is, without `/v1`.
    ///
    /// # Errors
    /// When the key can't stand in a header, or TLS can't be set up.
    pub fn new(base: &Url, secret_key: &str, return_url: String) -> anyhow::Result<Self> {
        Ok(Self {
            caller: Caller::new(base, secret_key)?,
            return_url,
        })
    }

    /// Asks for a list of one payment, as a proof that the key is good.
    ///
    /// # Errors
    /// When Stripe can't be reached, or does not take the key.
    pub async fn greet(&self) -> Result<(), GatewayError> {
        let query = [("limit", "1".to_owned())];
        let list: List<Intent> = self
            .caller
            .call(Call::Get("payment_intents", &query))
            .await?;
        tracing::debug!(payments = list.data.len(), "greeted");
        Ok(())
    }

    /// Asks for a step of a payment; where it can't be taken, gives where the payment stands.
    async fn step(
        &self,
        reference: &str,
        step: &str,
        form: &[(&str, &str)],
    ) -> Result<Standing, GatewayError> {
        let path = format!("payment_intents/{reference}/{step}");
        let asked: Result<Intent, _> = self.caller.call(Call::Post(&path, form, None)).await;
        match asked {
            Ok(intent) => standing(intent),
            // Declined, or it has come further, or not so far: it says so itself.
            Err(GatewayError::Refused(why)) => {
                let stands = self.look(reference).await?;
                match stands.state {
                    State::Open => Err(GatewayError::Refused(why)),
                    _ => Ok(stands),
                }
            }
            Err(unclear) => Err(unclear),
        }
    }

    /// Whether a refund of this name was made.
    async fn was_refunded(&self, refund: &Refund) -> Result<bool, GatewayError> {
        let mut query = vec![("payment_intent", refund.reference.clone())];
        // https://docs.stripe.com/api/refunds/list
        let mut found = false;
        self.each("refunds", &mut query, |made: &wire::Refund| {
            let is_it = made
                .metadata
                .get(OUR_NAME)
                .is_some_and(|its| *its == refund.name);
            found |= is_it && !made.has_failed();
            ControlFlow::Continue(())
        })
        .await?;
        Ok(found)
    }

    /// Reads a list, the newest first, until it ends or `see` has seen enough (<https://docs.stripe.com/api/pagination>).
    async fn each<T: wire::Named>(
        &self,
        path: &str,
        query: &mut Vec<(&str, String)>,
        mut see: impl FnMut(&T) -> ControlFlow<()>,
    ) -> Result<(), GatewayError> {
        query.push(("limit", PAGE.to_string()));
        let first = query.len();
        for _ in 0..MOST_PAGES {
            let page: List<T> = self.caller.call(Call::Get(path, query)).await?;
            if page.data.iter().try_for_each(&mut see).is_break() {
                return Ok(());
            }
            let Some(last) = page.data.last().filter(|_| page.has_more) else {
                return Ok(());
            };
            query.truncate(first);
            query.push(("starting_after", last.id().to_owned()));
        }
        Err(GatewayError::Unclear(format!("{path} has no end")))
    }
}

#[async_trait]
impl PaymentGateway for Stripe {
    /// <https://docs.stripe.com/api/payment_intents/create>
    async fn open(&self, opening: &Opening) -> Result<Opened, GatewayError> {
        let amount = to_minor(opening.amount, &opening.currency)
            .ok_or_else(|| {
                let what = format!("{} {} can't be charged", opening.amount, opening.currency);
                GatewayError::Refused(what)
            })?
            .to_string();
        let currency = opening.currency.to_ascii_lowercase();
        let method = match opening.method {
            PaymentMethod::Card => "card",
            PaymentMethod::Paypal => "paypal",
        };
        let mut form = vec![
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("payment_method_types[]", method),
            ("metadata[payment]", &opening.name),
            (
                "capture_method",
                if opening.capture {
                    "automatic"
                } else {
                    "manual"
                },
            ),
        ];
        if let Some(token) = &opening.token {
            let token = token.as_str();
            if token.starts_with("tok_") {
                // What Stripe.js made of a card in the older way: https://docs.stripe.com/api/tokens
                form.push(("payment_method_data[type]", method));
                form.push(("payment_method_data[card][token]", token));
            } else {
                form.push(("payment_method", token));
            }
        }
        let call = Call::Post("payment_intents", &form, Some(&opening.key));
        let intent: Intent = self.caller.call(call).await?;
        let client_secret = intent
            .client_secret
            .ok_or_else(|| GatewayError::Unclear("a payment without a client secret".to_owned()))?;
        Ok(Opened {
            reference: intent.id,
            client_secret,
        })
    }

    /// <https://docs.stripe.com/api/payment_intents/confirm>
    async fn confirm(
        &self,
        reference: &str,
        method: PaymentMethod,
    ) -> Result<Standing, GatewayError> {
        let back = [("return_url", self.return_url.as_str())];
        let form: &[_] = match method {
            PaymentMethod::Card => &[],
            PaymentMethod::Paypal => &back,
        };
        self.step(reference, "confirm", form).await
    }

    /// <https://docs.stripe.com/api/payment_intents/retrieve>
    async fn look(&self, reference: &str) -> Result<Standing, GatewayError> {
        let path = format!("payment_intents/{reference}");
        let intent: Intent = self.caller.call(Call::Get(&path, &[])).await?;
        standing(intent)
    }

    /// <https://docs.stripe.com/api/payment_intents/capture>
    async fn capture(&self, reference: &str) -> Result<Standing, GatewayError> {
        self.step(reference, "capture", &[]).await
    }

    /// <https://docs.stripe.com/api/payment_intents/cancel>
    async fn cancel(&self, reference: &str) -> Result<Standing, GatewayError> {
        self.step(reference, "cancel", &[]).await
    }

    /// <https://docs.stripe.com/api/refunds/create>. Keys are forgotten after a day, so who asks again looks first.
    async fn refund(&self, refund: &Refund) -> Result<(), GatewayError> {
        if refund.again && self.was_refunded(refund).await? {
            return Ok(());
        }
        let amount = to_minor(refund.amount, &refund.currency)
            .ok_or_else(|| GatewayError::Refused(format!("{} can't be refunded", refund.amount)))?
            .to_string();
        let our_name = format!("metadata[{OUR_NAME}]");
        let form = [
            ("payment_intent", refund.reference.as_str()),
            ("amount", &amount),
            (&our_name, &refund.name),
        ];
        let call = Call::Post("refunds", &form, Some(&refund.key));
        let made: wire::Refund = self.caller.call(call).await?;
        if made.has_failed() {
            let why = format!("the refund {} was not made", refund.name);
            return Err(GatewayError::Refused(why));
        }
        Ok(())
    }

    /// <https://docs.stripe.com/api/charges/list>, <https://docs.stripe.com/api/refunds/list>
    async fn books_since(&self, since: DateTime<Utc>) -> Result<Option<Books>, GatewayError> {
        let since = since.timestamp();
        let mut books = Books::default();
        let mut unread = 0;
        let mut query = vec![("created[gt]", since.to_string())];
        self.each("charges", &mut query, |charge: &Charge| {
            if charge.status != ChargeStatus::Succeeded || !charge.captured {
                return ControlFlow::Continue(());
            }
            let Some(reference) = charge.payment_intent.clone() else {
                return ControlFlow::Continue(());
            };
            let sum = |minor| from_minor(minor, &charge.currency);
            let collected = charge.amount_captured.unwrap_or(charge.amount);
            match (sum(collected), sum(charge.amount_refunded)) {
                (Some(collected), Some(given_back)) => books.collected.push(Moved {
                    reference,
                    collected,
                    given_back,
                }),
                _ => unread += 1,
            }
            ControlFlow::Continue(())
        })
        .await?;
        self.each("refunds", &mut vec![], |refund: &wire::Refund| {
            if refund.created <= since {
                return ControlFlow::Break(());
            }
            let is_ours = refund.metadata.contains_key(OUR_NAME);
            let sum = from_minor(refund.amount, &refund.currency);
            match (refund.payment_intent.clone(), sum) {
                (Some(_), None) => unread += 1,
                (Some(reference), Some(sum)) if refund.has_failed() => {
                    books.odd_refunds.push((reference, OddRefund::Failed(sum)));
                }
                (Some(reference), Some(sum)) if !is_ours => {
                    books.odd_refunds.push((reference, OddRefund::Foreign(sum)));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .await?;
        if unread > 0 {
            let why = format!("{unread} sums can't be read");
            return Err(GatewayError::Unclear(why));
        }
        Ok(Some(books))
    }
}

/// What Stripe's words for it mean here (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
fn standing(intent: Intent) -> Result<Standing, GatewayError> {
    let received = intent
        .amount_received
        .filter(|_| intent.status == Status::Succeeded);
    let minor = received.unwrap_or(intent.amount);
    let sum = from_minor(minor, &intent.currency)
        .map(|amount| (amount, intent.currency.to_ascii_uppercase()))
        .ok_or_else(|| GatewayError::Unclear("a sum that can't be read".to_owned()))?;
    let state = match (intent.status, intent.last_payment_error) {
        (Status::RequiresConfirmation, _) => State::Open,
        (Status::RequiresPaymentMethod, Some(error)) => State::Declined {
            message: error
                .message
                .unwrap_or_else(|| "The card was declined.".to_owned()),
        },
        (Status::RequiresPaymentMethod, None) | (Status::RequiresAction, _) => State::NeedsAction,
        (Status::Processing, _) => State::UnderWay,
        (Status::RequiresCapture, _) => State::Authorized,
        (Status::Succeeded, _) => State::Succeeded,
        (Status::Canceled, _) => State::Cancelled,
        (Status::Unknown, _) => {
            return Err(GatewayError::Unclear("an unknown status".to_owned()));
        }
    };
    Ok(Standing {
        state,
        sum: Some(sum),
    })
}

#[cfg(test)]
mod tests;
