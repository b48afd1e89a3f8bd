//! The payment provider. Card numbers never come here: a client hands the provider's own token on.
//!
//! A payment goes in steps that each may be repeated: it is *opened*, which moves nothing and gives it a name; *confirmed*, which asks the
//! card; and perhaps *captured* or *cancelled*. Whoever does not know whether a step was done asks where the payment [`stands`](Standing): the provider
//! knows. No call is made inside of a database transaction.

pub mod sandbox;
pub mod stripe;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    money::Money,
    payment::{PaymentMethod, PaymentToken},
};

/// A payment to open.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The same key opens the same payment, however often it is sent.
    pub key: String,
    /// What we call it, for people who look at it over there.
    pub name: String,
    /// How much, in the marketplace's currency.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// Card or wallet.
    pub method: PaymentMethod,
    /// The provider's token; without one the guest's payment form brings it.
    pub token: Option<PaymentToken>,
    /// Move the money once it is confirmed, or only set it aside.
    pub capture: bool,
}

/// A payment that the provider knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The provider's name for it.
    pub reference: String,
    /// What the guest's payment form needs to finish it.
    pub client_secret: String,
}

/// Where a payment stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come.
    pub state: State,
    /// How much it is over, and in which currency (ISO 4217); none where the provider does not say.
    pub sum: Option<(Money, String)>,
}

impl From<State> for Standing {
    /// Where a payment stands whose sum nobody has told.
    fn from(state: State) -> Self {
        Self { state, sum: None }
    }
}

/// How far a payment has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The card has not been asked; confirming does.
    Open,
    /// The guest must do something in the payment form: give a card, or prove who they are to their bank.
    NeedsAction,
    /// The bank takes its time.
    UnderWay,
    /// The money is set aside.
    Authorized,
    /// The money has moved.
    Succeeded,
    /// The card or wallet said no.
    Declined {
        /// A sentence for the guest.
        message: String,
    },
    /// It was let go of, and can't move any more.
    Cancelled,
}

impl State {
    /// Whether it stays so.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Cancelled)
    }
}

/// Money to give back.
#[derive(Debug, Clone)]
pub struct Refund {
    /// The provider's name for the payment.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// What we call it, for good: the same name is given back once.
    pub name: String,
    /// The same key gives one answer for a day, be it a failure. It is another one only when no call with the one before can still be on its way.
    pub key: String,
    /// Whether it may have been asked for before. The provider is then asked first whether it was done.
    pub again: bool,
}

/// A refund of the provider's that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OddRefund {
    /// It was made over there, and not by us.
    Foreign(Money),
    /// It failed after it was taken on: the guest does not have the money.
    Failed(Money),
}

/// The provider's books of some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// The payments that were collected in it.
    pub collected: Vec<Moved>,
    /// The refunds of it that are not as they should be, by the provider's names of their payments.
    pub odd_refunds: Vec<(String, OddRefund)>,
}

/// A payment that moved money, as the provider's books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The provider's name for it.
    pub reference: String,
    /// How much was collected.
    pub collected: Money,
    /// How much of it went back.
    pub given_back: Money,
}

/// What the provider tells of itself. What it says of a payment is not believed: it may be old. Who has it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for the same event, however often it is sent.
    pub id: String,
    /// In the provider's words, such as `payment_intent.succeeded`.
    pub kind: String,
    /// The payment that it is about, by the provider's name; none when it is about something else.
    pub payment: Option<String>,
    /// What somebody has to see to: a refund that failed after all, a charge that is disputed.
    pub alarm: Option<&'static str>,
}

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It could not be reached, or did not say what became of the call: the truth has to be asked for.
    #[error("it is not known what became of the call to the payment provider: {0}")]
    Unclear(String),
    /// It understood, and refused; nothing moved.
    #[error("the payment provider refused: {0}")]
    Refused(String),
}

/// A payment provider.
///
/// Every method may be repeated. Each gives [`GatewayError::Unclear`] when it is not known what became of the call, and
/// [`GatewayError::Refused`] when it is known that nothing did.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// Opens a payment. Nothing moves, and one that nobody knows of never does.
    async fn open(&self, opening: &Opening) -> Result<Opened, GatewayError>;

    /// Asks the card of an open payment, and says where the payment stands then.
    async fn confirm(
        &self,
        reference: &str,
        method: PaymentMethod,
    ) -> Result<Standing, GatewayError>;

    /// Where a payment stands.
    async fn look(&self, reference: &str) -> Result<Standing, GatewayError>;

    /// Moves money that is set aside, if it still is, and says where the payment stands then.
    async fn capture(&self, reference: &str) -> Result<Standing, GatewayError>;

    /// Lets go of a payment, if its money has not moved, and says where it stands then.
    async fn cancel(&self, reference: &str) -> Result<Standing, GatewayError>;

    /// Gives money back, once for each name.
    async fn refund(&self, refund: &Refund) -> Result<(), GatewayError>;

    /// The books since a moment; none where the provider keeps none.
    async fn books_since(&self, since: DateTime<Utc>) -> Result<Option<Books>, GatewayError>;
}
