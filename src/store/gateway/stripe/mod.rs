//! Stripe, by `PaymentIntents` (<https://docs.stripe.com/payments/paymentintents/lifecycle>): a thin client of the few calls that are needed.
//!
//! A call that gets no answer, a server's failure or "too many" is [`GatewayError::Unreachable`]: the truth is asked for later. One that Stripe
//! refuses because the payment stands elsewhere than was thought is answered by where it stands.

mod amounts;
mod call;
pub mod notice;
mod wire;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;

use self::{
    amounts::{from_minor, to_minor},
    call::{Call, Caller, Failure},
    wire::{Charge, Intent, List, Status},
};
use super::{GatewayError, Moved, Opened, Opening, PaymentGateway, Refund, Standing, State};
use crate::domain::payment::PaymentMethod;

/// How many entries a list has in one answer; Stripe gives no more.
const PAGE: usize = 100;
/// A list of so many pages is not read to its end.
const MOST_PAGES: usize = 1_000;

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

    /// Asks for a step of a payment; where it can't be taken, gives where the payment stands.
    async fn step(
        &self,
        reference: &str,
        step: &str,
        form: &[(&str, &str)],
        key: &str,
    ) -> Result<Standing, GatewayError> {
        let path = format!("payment_intents/{reference}/{step}");
        let asked: Result<Intent, _> = self.caller.call(Call::Post(&path, form, Some(key))).await;
        match asked {
            Ok(intent) => standing(intent),
            Err(Failure::Unreachable(why)) => Err(GatewayError::Unreachable(why)),
            // Declined, or it has come further, or not so far: it says so itself.
            Err(Failure::Refused(why)) => {
                let stands = self.look(reference).await?;
                match stands.state {
                    State::Open => Err(GatewayError::Refused(why)),
                    _ => Ok(stands),
                }
            }
        }
    }

    /// Whether a refund of this name was made.
    async fn was_refunded(&self, reference: &str, name: &str) -> Result<bool, GatewayError> {
        let mut query = vec![("payment_intent", reference.to_owned())];
        // https://docs.stripe.com/api/refunds/list
        let mut found = false;
        self.each("refunds", &mut query, |refund: &wire::Refund| {
            let is_it = refund.metadata.get("refund").is_some_and(|its| its == name);
            found |= is_it && !matches!(refund.status.as_deref(), Some("failed" | "canceled"));
        })
        .await?;
        Ok(found)
    }

    /// Reads a list to its end (<https://docs.stripe.com/api/pagination>).
    async fn each<T: wire::Named>(
        &self,
        path: &str,
        query: &mut Vec<(&str, String)>,
        mut see: impl FnMut(&T),
    ) -> Result<(), GatewayError> {
        query.push(("limit", PAGE.to_string()));
        let first = query.len();
        for _ in 0..MOST_PAGES {
            let page: List<T> = self.caller.call(Call::Get(path, query)).await?;
            page.data.iter().for_each(&mut see);
            let Some(last) = page.data.last().filter(|_| page.has_more) else {
                return Ok(());
            };
            query.truncate(first);
            query.push(("starting_after", last.id().to_owned()));
        }
        Err(GatewayError::Unreachable(format!("{path} has no end")))
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
        let client_secret = intent.client_secret.ok_or_else(|| {
            GatewayError::Unreachable("a payment without a client secret".to_owned())
        })?;
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
        key: &str,
    ) -> Result<Standing, GatewayError> {
        let back = [("return_url", self.return_url.as_str())];
        let form: &[_] = match method {
            PaymentMethod::Card => &[],
            PaymentMethod::Paypal => &back,
        };
        self.step(reference, "confirm", form, key).await
    }

    /// <https://docs.stripe.com/api/payment_intents/retrieve>
    async fn look(&self, reference: &str) -> Result<Standing, GatewayError> {
        let path = format!("payment_intents/{reference}");
        let intent: Intent = self.caller.call(Call::Get(&path, &[])).await?;
        standing(intent)
    }

    /// <https://docs.stripe.com/api/payment_intents/capture>
    async fn capture(&self, reference: &str, key: &str) -> Result<Standing, GatewayError> {
        self.step(reference, "capture", &[], key).await
    }

    /// <https://docs.stripe.com/api/payment_intents/cancel>
    async fn cancel(&self, reference: &str, key: &str) -> Result<Standing, GatewayError> {
        self.step(reference, "cancel", &[], key).await
    }

    /// <https://docs.stripe.com/api/refunds/create>. Keys are forgotten after a day, so who asks again looks first.
    async fn refund(&self, refund: &Refund) -> Result<(), GatewayError> {
        if refund.again && self.was_refunded(&refund.reference, &refund.name).await? {
            return Ok(());
        }
        let amount = to_minor(refund.amount, &refund.currency)
            .ok_or_else(|| GatewayError::Refused(format!("{} can't be refunded", refund.amount)))?
            .to_string();
        let form = [
            ("payment_intent", refund.reference.as_str()),
            ("amount", &amount),
            ("metadata[refund]", &refund.name),
        ];
        let call = Call::Post("refunds", &form, Some(&refund.name));
        let made: wire::Refund = self.caller.call(call).await?;
        match made.status.as_deref() {
            Some("failed" | "canceled") => Err(GatewayError::Refused(format!(
                "the refund {} was not made",
                made.id
            ))),
            _ => Ok(()),
        }
    }

    /// <https://docs.stripe.com/api/charges/list>
    async fn moved_since(&self, since: DateTime<Utc>) -> Result<Option<Vec<Moved>>, GatewayError> {
        let mut query = vec![("created[gt]", since.timestamp().to_string())];
        let mut moved = vec![];
        let mut unread = None;
        self.each("charges", &mut query, |charge: &Charge| {
            if charge.status != "succeeded" || !charge.captured {
                return;
            }
            let Some(reference) = charge.payment_intent.clone() else {
                return;
            };
            let sum = |minor| from_minor(minor, &charge.currency);
            let collected = charge.amount_captured.unwrap_or(charge.amount);
            match (sum(collected), sum(charge.amount_refunded)) {
                (Some(collected), Some(given_back)) => moved.push(Moved {
                    reference,
                    collected,
                    given_back,
                }),
                _ => unread = Some(charge.id.clone()),
            }
        })
        .await?;
        match unread {
            Some(id) => Err(GatewayError::Refused(format!(
                "the sums of {id} can't be read"
            ))),
            None => Ok(Some(moved)),
        }
    }
}

/// What Stripe's words for it mean here (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
fn standing(intent: Intent) -> Result<Standing, GatewayError> {
    let sum = from_minor(intent.amount, &intent.currency)
        .map(|amount| (amount, intent.currency.to_ascii_uppercase()))
        .ok_or_else(|| GatewayError::Unreachable("a sum that can't be read".to_owned()))?;
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
            return Err(GatewayError::Unreachable("an unknown status".to_owned()));
        }
    };
    Ok(Standing {
        state,
        sum: Some(sum),
    })
}

#[cfg(test)]
mod tests;
