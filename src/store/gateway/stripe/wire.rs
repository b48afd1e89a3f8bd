//! What Stripe sends, as far as it is looked at. Fields that nobody needs are not named, so that they may change.

use std::collections::HashMap;

use serde::{Deserialize, de::DeserializeOwned};

/// <https://docs.stripe.com/api/payment_intents/object>
#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) amount_received: Option<i64>,
    pub(super) currency: String,
    pub(super) status: Status,
    pub(super) client_secret: Option<String>,
    pub(super) last_payment_error: Option<PaymentError>,
}

/// How far an intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    #[serde(other)]
    Unknown,
}

/// Why the card was not charged.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentError {
    pub(super) message: Option<String>,
}

/// <https://docs.stripe.com/api/refunds/object>
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) created: i64,
    pub(super) currency: String,
    pub(super) payment_intent: Option<String>,
    pub(super) status: Option<RefundStatus>,
    #[serde(default)]
    pub(super) metadata: HashMap<String, String>,
}

impl Refund {
    /// Whether the guest will not have the money by it.
    pub(super) fn has_failed(&self) -> bool {
        matches!(
            self.status,
            Some(RefundStatus::Failed | RefundStatus::Canceled)
        )
    }
}

/// How far a refund has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Failed,
    Canceled,
    #[serde(other)]
    Other,
}

/// <https://docs.stripe.com/api/charges/object>
#[derive(Debug, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) amount_captured: Option<i64>,
    #[serde(default)]
    pub(super) amount_refunded: i64,
    pub(super) captured: bool,
    pub(super) currency: String,
    pub(super) payment_intent: Option<String>,
    pub(super) status: ChargeStatus,
}

/// What became of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChargeStatus {
    Succeeded,
    #[serde(other)]
    Other,
}

/// A page of a list (<https://docs.stripe.com/api/pagination>).
#[derive(Debug, Deserialize)]
#[serde(bound = "")]
pub(super) struct List<T: DeserializeOwned> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// What a list goes on after.
pub(super) trait Named: DeserializeOwned {
    fn id(&self) -> &str;
}

impl Named for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Named for Charge {
    fn id(&self) -> &str {
        &self.id
    }
}

/// <https://docs.stripe.com/api/errors>
#[derive(Debug, Deserialize)]
pub(super) struct Failed {
    pub(super) error: Error,
}

/// What went wrong with a call.
#[derive(Debug, Deserialize)]
pub(super) struct Error {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}
