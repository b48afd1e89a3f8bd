//! What the tables keep sealed of a payment.

use super::Payments;
use crate::{
    domain::ids::PaymentId, entity::payment::Model, service::error::Result, store::vault::Place,
};

/// Where a secret of a payment stands.
pub(super) fn place(column: &'static str, id: PaymentId) -> Place {
    Place {
        table: "payments",
        column,
        row: id.0.into(),
    }
}

impl Payments {
    /// What the guest's payment form needs to finish a payment, while it needs it. Who may see it, the caller decides.
    ///
    /// # Errors
    /// When it was sealed with a key that is gone.
    pub fn client_secret(&self, payment: &Model) -> Result<Option<String>> {
        self.open("client_secret", payment, payment.client_secret.as_deref())
    }

    /// The provider's name for a payment; none while it has none.
    pub(super) fn reference(&self, payment: &Model) -> Result<Option<String>> {
        let sealed = payment.provider_reference.as_deref();
        self.open("provider_reference", payment, sealed)
    }

    /// The provider's token for the card that is to be charged.
    pub(super) fn token(&self, payment: &Model) -> Result<Option<String>> {
        self.open("token", payment, payment.token.as_deref())
    }

    fn open(
        &self,
        column: &'static str,
        payment: &Model,
        sealed: Option<&str>,
    ) -> Result<Option<String>> {
        let place = place(column, payment.payment_id);
        let opened = sealed.map(|sealed| self.0.vault.open(place, sealed));
        Ok(opened.transpose()?)
    }
}
