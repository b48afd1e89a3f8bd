//! One call to Stripe, and what its answer means.

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Client, Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
    redirect,
};
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded::Serializer};

use super::{
    super::GatewayError,
    wire::{Error, Failed},
};

/// The version of the API that these calls and answers are of (<https://docs.stripe.com/api/versioning>).
const VERSION: &str = "2025-09-30.clover";
/// How long a call may take. A guest who pays waits for two, and for ten seconds in all; whoever waits in vain asks for the truth afterwards.
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

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Unreachable(String),
    Refused(String),
}

impl From<Failure> for GatewayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(why) => Self::Unreachable(why),
            Failure::Refused(why) => Self::Refused(why),
        }
    }
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
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
        let (path, method) = match &call {
            Call::Get(path, _) => (path, Method::GET),
            Call::Post(path, ..) => (path, Method::POST),
        };
        let url = self.base.join(path).map_err(|error| unreachable(&error))?;
        let mut request = self.client.request(method, url.clone());
        match call {
            Call::Get(_, query) => {
                let mut url = url;
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                request = self.client.get(url);
            }
            Call::Post(_, form, key) => {
                let body = Serializer::new(String::new()).extend_pairs(form).finish();
                request = request
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body);
                if let Some(key) = key {
                    request = request.header("idempotency-key", key);
                }
            }
        }
        // Without the address: it names the payment.
        let sent = request.send().await;
        let mut response = sent.map_err(|error| unreachable(&error.without_url()))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unreachable(&error.without_url()))?
        {
            if body.len() + chunk.len() > LARGEST {
                return Err(Failure::Unreachable("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| unreachable(&error));
        }
        Err(failure(status, &body))
    }
}

/// What a refusal means (<https://docs.stripe.com/error-low-level>).
fn failure(status: StatusCode, body: &[u8]) -> Failure {
    let said = serde_json::from_slice::<Failed>(body).ok();
    let Error { code, message } = said.map_or(
        Error {
            code: None,
            message: None,
        },
        |failed| failed.error,
    );
    let why = format!(
        "{status} {} {}",
        code.unwrap_or_default(),
        message.unwrap_or_default()
    );
    match status {
        // A wrong key is the operator's to mend: no payment fails by it.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::CONFLICT
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS => Failure::Unreachable(why),
        status if status.is_client_error() => Failure::Refused(why),
        _ => Failure::Unreachable(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.stripe.com/error-low-level>
    #[test]
    fn what_stripe_says_no_to_did_not_happen_and_everything_else_is_asked_for() {
        let declined = br#"{"error":{"charge":"ch_1","code":"card_declined","decline_code":"generic_decline","doc_url":"https://docs.stripe.com/error-codes/card-declined","message":"Your card was declined.","type":"card_error"}}"#;
        let used = br#"{"error":{"message":"Keys for idempotent requests can only be used with the same parameters they were first used with.","type":"idempotency_error"}}"#;
        for (status, body) in [
            (402, &declined[..]),
            (400, used),
            (404, b"{}"),
            (400, b"<html>"),
        ] {
            let said = failure(StatusCode::from_u16(status).unwrap(), body);
            assert!(matches!(said, Failure::Refused(_)), "{status} {said:?}");
        }
        for status in [401, 403, 408, 409, 429, 500, 502, 503, 504] {
            let said = failure(StatusCode::from_u16(status).unwrap(), b"");
            assert!(matches!(said, Failure::Unreachable(_)), "{status} {said:?}");
        }
    }
}
