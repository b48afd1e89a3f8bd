//! A payment provider inside of the process, for trying things out: every test token always does the same.
//!
//! | token | what happens |
//! |---|---|
//! | `tok_visa` | the money moves (or is set aside) at once |
//! | `tok_chargeDeclined` | declined |
//! | `tok_threeDSecure`, or none | waits until the guest confirms in the payment form |
//!
//! The names are Stripe's (<https://docs.stripe.com/testing>). Any other token is declined.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Books, GatewayError, Opened, Opening, PaymentGateway, Refund, Standing, State};
use crate::domain::{
    digest::sha256_hex,
    payment::{PaymentMethod, PaymentToken},
};

/// The sandbox. It keeps nothing: a payment's reference follows from its key and says what becomes of it, and whoever keeps the client secret
/// knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sandbox;

/// What stands between a payment's reference and the secret itself.
const SECRET: &str = "_secret_";

/// How references end, by what becomes of the payment.
const PAYS: &str = "_pays";
const HOLDS: &str = "_holds";
const DECLINES: &str = "_declines";
const ASKS: &str = "_asks";

impl Sandbox {
    /// The payment that a payment form with this client secret is for. Whether it is that payment's secret, who keeps it must look.
    #[must_use]
    pub fn reference_of(client_secret: &str) -> Option<&str> {
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (reference, secret) = client_secret.split_once(SECRET)?;
        (reference.starts_with("sandbox_") && hex(secret)).then_some(reference)
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    async fn open(&self, opening: &Opening) -> Result<Opened, GatewayError> {
        let end = match opening.token.as_ref().map(PaymentToken::as_str) {
            Some("tok_visa") if opening.capture => PAYS,
            Some("tok_visa") => HOLDS,
            Some("tok_threeDSecure") | None => ASKS,
            Some(_) => DECLINES,
        };
        let name = sha256_hex(&opening.key);
        let reference = format!("sandbox_{}{end}", &name[..24]);
        let client_secret = format!("{reference}{SECRET}{:032x}", rand::random::<u128>());
        Ok(Opened {
            reference,
            client_secret,
        })
    }

    async fn confirm(
        &self,
        reference: &str,
        _method: PaymentMethod,
    ) -> Result<Standing, GatewayError> {
        Ok(Standing::from(if reference.ends_with(PAYS) {
            State::Succeeded
        } else if reference.ends_with(HOLDS) {
            State::Authorized
        } else if reference.ends_with(DECLINES) {
            State::Declined {
                message: "The card was declined.".to_owned(),
            }
        } else {
            State::NeedsAction
        }))
    }

    /// What was not written down was not done: nothing has moved anywhere.
    async fn look(&self, reference: &str) -> Result<Standing, GatewayError> {
        Ok(Standing::from(if reference.ends_with(ASKS) {
            State::NeedsAction
        } else {
            State::Open
        }))
    }

    async fn capture(&self, _reference: &str) -> Result<Standing, GatewayError> {
        Ok(State::Succeeded.into())
    }

    async fn cancel(&self, _reference: &str) -> Result<Standing, GatewayError> {
        Ok(State::Cancelled.into())
    }

    async fn refund(&self, _refund: &Refund) -> Result<(), GatewayError> {
        Ok(())
    }

    async fn books_since(&self, _since: DateTime<Utc>) -> Result<Option<Books>, GatewayError> {
        Ok(None)
    }
}
