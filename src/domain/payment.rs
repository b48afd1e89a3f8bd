//! Paying for a booking.

use super::{card_number, problem::Problem};

/// How a guest pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentMethod {
    /// A card.
    Card,
    /// A `PayPal` wallet.
    Paypal,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// Not settled: waits for the provider, the guest's bank, or (authorized) the host.
    Pending,
    /// The money has moved.
    Paid,
    /// It did not and will not move.
    Failed,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
}

/// Where payments stand that were collected, whatever went back since.
pub const COLLECTED: [PaymentStatus; 3] = [
    PaymentStatus::Paid,
    PaymentStatus::PartiallyRefunded,
    PaymentStatus::Refunded,
];

impl PaymentStatus {
    /// Whether it is one of the [`COLLECTED`].
    #[must_use]
    pub fn is_collected(self) -> bool {
        COLLECTED.contains(&self)
    }
}

/// The provider's token for a card or wallet, such as `pm_card_visa` or `tok_visa`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentToken(String);

impl PaymentToken {
    /// Parses a token: 1 to 255 letters, digits, `_` and `-`.
    ///
    /// # Errors
    /// `INVALID` for anything else, and for what looks like a card number: those never enter.
    pub fn parse(field: &str, raw: &str) -> Result<Self, Problem> {
        let shape = (1..=255).contains(&raw.len())
            && raw
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if card_number::is_in(raw) {
            return Err(Problem::invalid(
                field,
                "Never send a card number; send the payment provider's token for it.",
            ));
        }
        if shape {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Problem::invalid(
                field,
                "Give the payment provider's token, such as pm_… or tok_visa.",
            ))
        }
    }

    /// The token's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_no_token() {
        for number in [
            "4242424242424242",
            "4242-4242-4242-4242",
            "4242 4242 4242 4242",
        ] {
            let refused = PaymentToken::parse("paymentToken", number).unwrap_err();
            assert!(refused.message.contains("Never send a card number"));
            assert!(!refused.message.contains("4242"));
        }
        assert!(PaymentToken::parse("paymentToken", "tok_visa").is_ok());
        assert!(PaymentToken::parse("paymentToken", "").is_err());
    }
}
