//! What the tables keep sealed of a payment.

use super::Payments;
use crate::{
    entity::payment::Model,
    service::{error::Result, sealing::Secret},
};

impl Payments {
    /// What the guest's payment form needs to finish a payment, while it needs it. Who may see it, the caller decides.
    ///
    /// # Errors
    /// When it was sealed with a key that is gone.
    pub fn client_secret(&self, payment: &Model) -> Result<Option<String>> {
        let sealed = payment.client_secret.as_deref();
        self.open(Secret::ClientSecret, payment, sealed)
    }

    /// The provider's name for a payment; none while it has none.
    pub(super) fn reference(&self, payment: &Model) -> Result<Option<String>> {
        let sealed = payment.provider_reference.as_deref();
        self.open(Secret::PaymentReference, payment, sealed)
    }

    /// The provider's token for the card that is to be charged.
    pub(super) fn token(&self, payment: &Model) -> Result<Option<String>> {
        self.open(Secret::PaymentToken, payment, payment.token.as_deref())
    }

    fn open(
        &self,
        secret: Secret,
        payment: &Model,
        sealed: Option<&str>,
    ) -> Result<Option<String>> {
        let place = secret.place(payment.payment_id.0);
        let opened = sealed.map(|sealed| self.0.vault.open(place, sealed));
        Ok(opened.transpose()?)
    }
}
