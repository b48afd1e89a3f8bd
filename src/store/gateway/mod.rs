//! The payment provider. Card numbers never come here: a client hands the provider's own token on.

pub mod sandbox;

use async_trait::async_trait;

use crate::domain::{
    money::Money,
    payment::{PaymentMethod, PaymentToken},
};

/// A charge to make.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The same key makes the same charge only once, however often it is sent.
    pub idempotency_key: String,
    /// How much, in the marketplace's currency.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// Card or wallet.
    pub method: PaymentMethod,
    /// The provider's token; without one the guest's payment form brings it.
    pub token: Option<PaymentToken>,
    /// Move the money at once, or only set it aside.
    pub capture: bool,
}

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The provider's name for it.
    pub reference: String,
    /// Where it stands.
    pub state: ChargeState,
}

/// Where a charge stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeState {
    /// The money has moved.
    Succeeded,
    /// The money is set aside.
    Authorized,
    /// The guest must do something in the payment form, such as 3-D Secure.
    NeedsAction {
        /// What the form needs.
        client_secret: String,
    },
    /// The card or wallet said no.
    Declined {
        /// A sentence for the guest.
        message: String,
    },
}

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It could not be reached, or did not say what became of the call: the truth has to be asked for.
    #[error("the payment provider could not be reached: {0}")]
    Unreachable(String),
    /// It understood, and refused.
    #[error("the payment provider refused: {0}")]
    Refused(String),
}

/// A payment provider. Each call may be repeated with the same key, and is never made inside of a database transaction.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// Charges, or sets aside.
    async fn charge(&self, charge: Charge) -> Result<Charged, GatewayError>;

    /// Moves money that was set aside.
    async fn capture(&self, reference: &str, key: &str) -> Result<(), GatewayError>;

    /// Lets go of money that was set aside.
    async fn void(&self, reference: &str, key: &str) -> Result<(), GatewayError>;

    /// Gives money back.
    async fn refund(&self, reference: &str, amount: Money, key: &str) -> Result<(), GatewayError>;
}
