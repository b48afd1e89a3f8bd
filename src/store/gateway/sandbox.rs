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

use super::{Charge, ChargeState, Charged, GatewayError, PaymentGateway};
use crate::domain::{digest::sha256_hex, money::Money};

/// The sandbox. It keeps nothing: a charge's reference follows from its key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sandbox;

/// What a client secret ends with, after the reference.
const SECRET: &str = "_secret_sandbox";

impl Sandbox {
    /// The charge that a payment form with this client secret confirms.
    #[must_use]
    pub fn reference_of(client_secret: &str) -> Option<&str> {
        client_secret
            .strip_suffix(SECRET)
            .filter(|reference| reference.starts_with("sandbox_"))
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    async fn charge(&self, charge: Charge) -> Result<Charged, GatewayError> {
        let reference = format!("sandbox_{}", &sha256_hex(charge.idempotency_key)[..24]);
        let state = match charge
            .token
            .as_ref()
            .map(crate::domain::payment::PaymentToken::as_str)
        {
            Some("tok_visa") if charge.capture => ChargeState::Succeeded,
            Some("tok_visa") => ChargeState::Authorized,
            Some("tok_threeDSecure") | None => ChargeState::NeedsAction {
                client_secret: format!("{reference}{SECRET}"),
            },
            Some(_) => ChargeState::Declined {
                message: "The card was declined.".to_owned(),
            },
        };
        Ok(Charged { reference, state })
    }

    async fn capture(&self, _reference: &str, _key: &str) -> Result<(), GatewayError> {
        Ok(())
    }

    async fn void(&self, _reference: &str, _key: &str) -> Result<(), GatewayError> {
        Ok(())
    }

    async fn refund(
        &self,
        _reference: &str,
        _amount: Money,
        _key: &str,
    ) -> Result<(), GatewayError> {
        Ok(())
    }
}
