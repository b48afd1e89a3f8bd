//! One call to Stripe, and what its answer means.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Client, StatusCode,
    header::{self, HeaderMap, HeaderValue},
    redirect,
};
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded::Serializer};

use super::{super::GatewayError, wire::Failed};
use crate::store::traces::{self, About, Span};

/// The version of the API that these calls and answers are of (<https://docs.stripe.com/api/versioning>).
const VERSION: &str = "2025-09-30.clover";
/// How long a call may take. A guest who pays waits for two, or for four where the card is declined, and for ten seconds in all; whoever waits in vain asks for the
/// truth afterwards.
const TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer, in bytes: a page of 100 charges has about half of it.
const LARGEST: usize = 2 << 20;

/// Makes calls.
#[derive(Debug)]
pub(super) struct Caller {
    client: Client,
    base: Url,
}

/// A call: its path below `/v1/`, and what is sent with it.
pub(super) enum Call<'a> {
    Get(&'a str, &'a [(&'a str, String)]),
    /// With an idempotency key (<https://docs.stripe.com/api/idempotent_requests>).
    Post(&'a str, &'a [(&'a str, &'a str)], Option<&'a str>),
}

impl Caller {
    pub(super) fn new(base: &Url, secret_key: &str) -> anyhow::Result<Self> {
        let credentials = STANDARD.encode(format!("{secret_key}:"));
        let mut authorization = HeaderValue::from_str(&format!("Basic {credentials}"))
            .context("STRIPE_SECRET_KEY is no key")?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, authorization),
            (
                header::HeaderName::from_static("stripe-version"),
                HeaderValue::from_static(VERSION),
            ),
        ]);
        let client = Client::builder()
            .default_headers(headers)
            .user_agent("Staygate")
            .redirect(redirect::Policy::none())
            // Whether a call is made again is decided where it is known what it was for.
            .retry(reqwest::retry::never())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .context("the client of the payment provider can't be built")?;
        let base = base.join("v1/").context("STRIPE_API_BASE is no address")?;
        Ok(Self { client, base })
    }

    /// Makes a call.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<T, GatewayError> {
        let began = Instant::now();
        let span = Span::here(|| self.told(&call));
        let answer = span.around(self.made(call)).await;
        let outcome = match &answer {
            Ok(_) => "ok",
            Err(GatewayError::Refused(_)) => "refused",
            Err(GatewayError::Unclear(_)) => "unclear",
        };
        if answer.is_err() {
            span.failed(outcome);
        }
        metrics::histogram!("staygate_provider_call_duration_seconds", "outcome" => outcome)
            .record(began.elapsed());
        answer
    }

    /// What traces are told of a call: not which payment it is about.
    fn told(&self, call: &Call<'_>) -> About {
        let (method, path) = match call {
            Call::Get(path, _) => ("GET", path),
            Call::Post(path, ..) => ("POST", path),
        };
        let template = template(path);
        About::asks(format!("{method} {template}"))
            .with("http.request.method", method)
            .with("url.template", template)
            .with(
                "server.address",
                self.base.host_str().unwrap_or_default().to_owned(),
            )
            .with(
                "server.port",
                i64::from(self.base.port_or_known_default().unwrap_or_default()),
            )
    }

    async fn made<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, GatewayError> {
        let unclear = |error: &dyn std::fmt::Display| GatewayError::Unclear(error.to_string());
        let address = |path: &str| self.base.join(path).map_err(|error| unclear(&error));
        let (request, only_looks) = match call {
            Call::Get(path, query) => {
                let mut url = address(path)?;
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                (self.client.get(url), true)
            }
            Call::Post(path, form, key) => {
                let body = Serializer::new(String::new()).extend_pairs(form).finish();
                let request = self
                    .client
                    .post(address(path)?)
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body);
                let keyed = match key {
                    Some(key) => request.header("idempotency-key", key),
                    None => request,
                };
                (keyed, false)
            }
        };
        let request = match traces::parent() {
            Some(parent) => request.header("traceparent", parent),
            None => request,
        };
        // Without the address: it names the payment.
        let sent = request.send().await;
        let mut response = sent.map_err(|error| unclear(&error.without_url()))?;
        let status = response.status();
        traces::note("http.response.status_code", i64::from(status.as_u16()));
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unclear(&error.without_url()))?
        {
            if body.len() + chunk.len() > LARGEST {
                return Err(GatewayError::Unclear("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| unclear(&error));
        }
        let refused = refusal(status, &body);
        Err(match refused {
            // What can't be looked at is not known to be one way or the other.
            GatewayError::Refused(why) if only_looks => GatewayError::Unclear(why),
            other => other,
        })
    }
}

/// The shape of a path: of what is asked for, without its name.
fn template(path: &str) -> String {
    let mut parts = path.split('/');
    let mut told = format!("/v1/{}", parts.next().unwrap_or_default());
    if parts.next().is_some() {
        told.push_str("/{id}");
    }
    for part in parts {
        told.push('/');
        told.push_str(part);
    }
    told
}

/// What a refusal means (<https://docs.stripe.com/error-low-level>).
fn refusal(status: StatusCode, body: &[u8]) -> GatewayError {
    let said = serde_json::from_slice::<Failed>(body).ok();
    let Some(Failed { error }) = said else {
        // Whoever answered was not Stripe.
        return GatewayError::Unclear(status.to_string());
    };
    let why = format!(
        "{status} {} {}",
        error.code.unwrap_or_default(),
        without_names(&error.message.unwrap_or_default())
    );
    match status {
        // A wrong key is the operator's to mend: no payment fails by it.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::error!(why, "Stripe does not take STRIPE_SECRET_KEY");
            GatewayError::Unclear(why)
        }
        StatusCode::CONFLICT | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            GatewayError::Unclear(why)
        }
        status if status.is_client_error() => GatewayError::Refused(why),
        _ => GatewayError::Unclear(why),
    }
}

/// A message with the ends alone of Stripe's names for things, such as `pi_…3a3t`: it goes into logs and letters, and the names are secrets here.
fn without_names(message: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut told = String::new();
    for piece in message.split_inclusive(|c| !is_part(c)) {
        let name = piece.trim_end_matches(|c| !is_part(c));
        match name.split_once('_') {
            Some((kind, rest))
                if kind.len() <= 5
                    && rest.len() >= 8
                    && rest.contains(|c: char| c.is_ascii_digit()) =>
            {
                let end = &rest[rest.len() - 4..];
                told.extend([kind, "_…", end, &piece[name.len()..]]);
            }
            _ => told.push_str(piece),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.stripe.com/error-low-level>
    #[test]
    fn what_stripe_says_no_to_did_not_happen_and_everything_else_is_asked_for() {
        let declined = br#"{"error":{"charge":"ch_1","code":"card_declined","decline_code":"generic_decline","doc_url":"https://docs.stripe.com/error-codes/card-declined","message":"Your card was declined.","type":"card_error"}}"#;
        let used = br#"{"error":{"message":"Keys for idempotent requests can only be used with the same parameters they were first used with.","type":"idempotency_error"}}"#;
        for (status, body) in [(402, &declined[..]), (400, used), (404, used)] {
            let said = refusal(StatusCode::from_u16(status).unwrap(), body);
            assert!(
                matches!(said, GatewayError::Refused(_)),
                "{status} {said:?}"
            );
        }
        for (status, body) in [
            (401, &used[..]),
            (403, used),
            (408, used),
            (409, used),
            (429, used),
            (500, used),
            (502, b""),
            (503, b""),
            (504, b""),
            (400, b"<html>"),
            (404, b"{}"),
            (407, b""),
        ] {
            let said = refusal(StatusCode::from_u16(status).unwrap(), body);
            assert!(
                matches!(said, GatewayError::Unclear(_)),
                "{status} {said:?}"
            );
        }
    }

    #[test]
    fn the_shape_of_a_path_names_nothing() {
        for (path, expected) in [
            ("refunds", "/v1/refunds"),
            (
                "payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa",
                "/v1/payment_intents/{id}",
            ),
            (
                "payment_intents/pi_1/capture",
                "/v1/payment_intents/{id}/capture",
            ),
        ] {
            assert_eq!(template(path), expected);
        }
    }

    #[test]
    fn what_stripe_says_names_nothing() {
        for (said, told) in [
            (
                "No such payment_intent: 'pi_3MtwBwLkdIwHu7ix28a3tqPa'",
                "No such payment_intent: 'pi_…tqPa'",
            ),
            (
                "Charge ch_3MmlLrLkdIwHu7ix0snN0B15 has already been refunded.",
                "Charge ch_…0B15 has already been refunded.",
            ),
            ("Your card was declined.", "Your card was declined."),
        ] {
            assert_eq!(without_names(said), told);
        }
    }
}
