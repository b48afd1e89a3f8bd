//! Notices that Stripe sends by itself (<https://docs.stripe.com/webhooks>): whether one is Stripe's, and what it is about.

use chrono::{DateTime, Duration, Utc};
use ring::hmac;
use serde::Deserialize;

use crate::store::gateway::Notice;

/// How old a notice may be, and how far ahead its clock: what is older may have been listened to and sent again.
const TOLERANCE: Duration = Duration::minutes(5);
/// The most signatures that are looked at: Stripe sends one for each secret in force.
const MOST_SIGNATURES: usize = 10;

/// The secrets that notices are signed with. More than one while they are being changed.
pub struct Secrets(Vec<hmac::Key>);

/// Why a notice is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// No secret in force has signed it.
    #[error("the signature is missing or not Stripe's")]
    Forged,
    /// It was signed too long ago, or not yet.
    #[error("the signature is too old")]
    Old,
    /// It is no event.
    #[error("the body is no event")]
    Unreadable,
}

impl Secrets {
    /// Secrets between commas.
    #[must_use]
    pub fn read(list: &str) -> Self {
        let secrets = list.split(',').map(str::trim).filter(|one| !one.is_empty());
        let key = |secret: &str| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self(secrets.map(key).collect())
    }

    /// Reads a notice, if it is Stripe's (<https://docs.stripe.com/webhooks/signature>). `signature` is the header `Stripe-Signature`,
    /// `body` as it came.
    ///
    /// # Errors
    /// [`NotTaken`] says why it is not taken.
    pub fn open(
        &self,
        signature: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Notice, NotTaken> {
        let parts = || {
            signature
                .split(',')
                .filter_map(|part| part.trim().split_once('='))
        };
        let signed_at = parts().find(|(name, _)| *name == "t").map(|(_, at)| at);
        let signed_at = signed_at.ok_or(NotTaken::Forged)?;
        let signed = [signed_at.as_bytes(), b".", body].concat();
        let is_good = parts()
            .filter(|(name, _)| *name == "v1")
            .take(MOST_SIGNATURES)
            .filter_map(|(_, hex)| from_hex(hex))
            .any(|tag| {
                self.0
                    .iter()
                    .any(|key| hmac::verify(key, &signed, &tag).is_ok())
            });
        if !is_good {
            return Err(NotTaken::Forged);
        }
        let at = signed_at.parse().ok();
        let at = at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        if at.is_none_or(|at| (now - at).abs() > TOLERANCE) {
            return Err(NotTaken::Old);
        }
        let event: Event = serde_json::from_slice(body).map_err(|_| NotTaken::Unreadable)?;
        let payment = match event.data.object {
            About {
                object: Some(what),
                id: Some(id),
                ..
            } if what == "payment_intent" => Some(id),
            About { payment_intent, .. } => payment_intent,
        };
        Ok(Notice {
            alarm: alarm(&event.kind),
            id: event.id,
            kind: event.kind,
            payment,
        })
    }
}

/// What somebody has to see to (<https://docs.stripe.com/refunds#failed-refunds>, <https://docs.stripe.com/disputes>).
fn alarm(kind: &str) -> Option<&'static str> {
    match kind {
        "refund.failed" => Some("a refund failed after it was taken on"),
        "charge.dispute.created" => Some("a charge is disputed"),
        _ => None,
    }
}

/// <https://docs.stripe.com/api/events/object>
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: About,
}

/// A payment, or a charge, refund or dispute of one.
#[derive(Deserialize)]
struct About {
    object: Option<String>,
    id: Option<String>,
    payment_intent: Option<String>,
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","object":"payment_intent","amount":1}}}"#;

    fn signed(secret: &str, at: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, &[at.to_string().as_bytes(), b".", body].concat());
        let hex = tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing into a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        format!("t={at},v1={hex},v0=00")
    }

    #[test]
    fn a_notice_is_taken_from_stripe_alone_and_not_for_long() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let now = |seconds| at + Duration::seconds(seconds);
        let secrets = Secrets::read("whsec_new, whsec_old");
        let seconds = at.timestamp();
        let notice = Notice {
            id: "evt_1".into(),
            kind: "payment_intent.succeeded".into(),
            payment: Some("pi_1".into()),
            alarm: None,
        };
        for secret in ["whsec_new", "whsec_old"] {
            let signature = signed(secret, seconds, BODY);
            assert_eq!(
                secrets.open(&signature, BODY, now(300)).as_ref(),
                Ok(&notice)
            );
            assert_eq!(
                secrets.open(&signature, BODY, now(-300)).as_ref(),
                Ok(&notice)
            );
            assert_eq!(secrets.open(&signature, BODY, now(301)), Err(NotTaken::Old));
            assert_eq!(
                secrets.open(&signature, BODY, now(-301)),
                Err(NotTaken::Old)
            );
            assert_eq!(secrets.open(&signature, b"{}", at), Err(NotTaken::Forged));
        }
        let other = signed("whsec_other", seconds, BODY);
        let moved = signed("whsec_new", seconds, BODY).replace("t=18", "t=19");
        for wrong in ["", "t=1", "v1=00", "t=,v1=", "t=x,v1=zz", &other, &moved] {
            assert_eq!(
                secrets.open(wrong, BODY, at),
                Err(NotTaken::Forged),
                "{wrong}"
            );
        }
        let none = Secrets::read("");
        assert_eq!(
            none.open(&signed("", seconds, BODY), BODY, at),
            Err(NotTaken::Forged)
        );
        let nothing = signed("whsec_new", seconds, b"[]");
        assert_eq!(secrets.open(&nothing, b"[]", at), Err(NotTaken::Unreadable));
    }

    #[test]
    fn a_notice_of_a_charge_is_about_its_payment() {
        let body = br#"{"id":"evt_2","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_2"}}}"#;
        let secrets = Secrets::read("whsec");
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let notice = secrets.open(&signed("whsec", at.timestamp(), body), body, at);
        let notice = notice.unwrap();
        assert_eq!(
            (notice.payment.as_deref(), notice.alarm),
            (Some("pi_2"), None)
        );
    }

    #[test]
    fn a_refund_that_failed_and_a_dispute_are_for_people_to_see_to() {
        for kind in ["refund.failed", "charge.dispute.created"] {
            assert!(alarm(kind).is_some(), "{kind}");
        }
        assert_eq!(alarm("refund.updated"), None);
    }
}
