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

/// The sandbox. It keeps nothing: a charge's reference follows from its key, and whoever keeps the client secret knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sandbox;

/// What stands between a charge's reference and the secret itself.
const SECRET: &str = "_secret_";

impl Sandbox {
    /// The charge that a payment form with this client secret is for. Whether it is that charge's secret, who keeps it must look.
    #[must_use]
    pub fn reference_of(client_secret: &str) -> Option<&str> {
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (reference, secret) = client_secret.split_once(SECRET)?;
        let good = reference.strip_prefix("sandbox_").is_some_and(hex) && hex(secret);
        good.then_some(reference)
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
                client_secret: format!("{reference}{SECRET}{:032x}", rand::random::<u128>()),
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
