//! How much each caller may ask for: by what operations cost, for each person, and for each network where nobody is signed in.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value, value};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Duration, Utc};
use moka::sync::Cache;

use super::operation::{is_request_error, refused};
use crate::{
    domain::{actor::Actor, rate::Quota},
    service::tries::RateLimits,
    store::limits::Limiter,
};

/// <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>
pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The same.
pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What callers may ask for.
#[derive(Clone)]
pub struct Rates {
    /// Where it is counted.
    pub limiter: Limiter,
    /// Whether it matters.
    pub mode: RateLimits,
    /// What may be asked for at once, after a rest.
    pub bucket: u32,
    /// How much of it comes back in a second, for who is signed in.
    pub signed_in: u32,
    /// And for a network, where nobody is.
    pub signed_out: u32,
    /// Who has nothing left at all.
    pub held: Held,
}

/// Callers who have nothing left at all, and until when: they are refused before anything is read.
#[derive(Debug, Clone)]
pub struct Held(Cache<String, DateTime<Utc>>);

impl Default for Held {
    fn default() -> Self {
        Self(Cache::new(100_000))
    }
}

/// What a request was charged.
#[derive(Debug)]
pub(super) struct Charge {
    key: String,
    quota: Quota,
    cost: u32,
    left: u32,
    whole_in: Duration,
}

impl Rates {
    /// Refuses a caller who has nothing left at all, at next to no cost.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the seconds to wait in `retryAfter`.
    pub(super) fn let_in(
        &self,
        actor: &Actor,
        network: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), ServerError> {
        if self.mode != RateLimits::On {
            return Ok(());
        }
        let (key, _) = self.bucket_of(actor, network);
        match self.held.0.get(&key) {
            Some(until) if until > now => Err(self.too_much(1, until - now)),
            _ => Ok(()),
        }
    }

    /// Whose bucket it is, and how much comes back into it in a second.
    fn bucket_of(&self, actor: &Actor, network: Option<&str>) -> (String, u32) {
        match actor.user_id() {
            Some(user) => (format!("cost:{user}"), self.signed_in),
            None => (
                format!("cost-of:{}", network.unwrap_or_default()),
                self.signed_out,
            ),
        }
    }

    /// Charges a caller. Nothing where rates are not limited.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with the seconds to wait in `retryAfter`.
    pub(super) async fn charge(
        &self,
        actor: &Actor,
        network: Option<&str>,
        cost: u32,
        now: DateTime<Utc>,
    ) -> Result<Option<Charge>, ServerError> {
        if self.mode == RateLimits::Off {
            return Ok(None);
        }
        let (key, a_second) = self.bucket_of(actor, network);
        let quota = Quota {
            burst: self.bucket,
            every: Duration::microseconds(1_000_000 / i64::from(a_second.max(1))),
        };
        match self.limiter.take_some(&key, quota, cost, now).await {
            Ok(taken) => Ok(Some(Charge {
                key,
                quota,
                cost,
                left: taken.left,
                whole_in: taken.whole_in,
            })),
            Err(wait) if self.mode == RateLimits::Measure => {
                tracing::warn!(cost, %wait, "over a rate limit that is only measured");
                Ok(None)
            }
            Err(wait) => {
                if cost == 1 {
                    self.held.0.insert(key, now + wait);
                }
                Err(self.too_much(cost, wait))
            }
        }
    }

    /// Gives back what was charged for an operation that did not come to run, and tells in its answer what it cost, where that was asked for.
    pub(super) async fn settle(
        &self,
        charge: &mut Charge,
        cost: u32,
        response: &mut Response,
        tells_cost: bool,
        now: DateTime<Utc>,
    ) {
        if is_request_error(response) {
            self.give_back(charge, cost, now).await;
        }
        if tells_cost {
            response.extensions.insert("cost".to_owned(), charge.told());
        }
    }

    /// Gives back what was charged for what did not run. Looking at it has cost something all the same.
    pub(super) async fn give_back(&self, charge: &mut Charge, cost: u32, now: DateTime<Utc>) {
        let places = cost.min(charge.cost).saturating_sub(1);
        if places > 0 {
            self.limiter
                .give_some_back(&charge.key, charge.quota, places, now)
                .await;
            charge.cost -= places;
            charge.left = charge.left.saturating_add(places).min(self.bucket);
            charge.whole_in -= Duration::microseconds(charge.quota.micros_of(places));
        }
    }

    fn too_much(&self, cost: u32, wait: Duration) -> ServerError {
        metrics::counter!("staygate_over_limit_total", "limit" => "rate").increment(1);
        let seconds = whole_seconds(wait);
        let message =
            format!("This costs {cost}, and there is not as much left. Wait {seconds} s.");
        let mut error = refused("RATE_LIMITED", message);
        let extensions = error
            .extensions
            .get_or_insert_with(ErrorExtensionValues::default);
        extensions.set("retryAfter", seconds);
        extensions.set(
            "limit",
            value!({ "name": "rate", "most": (self.bucket), "found": cost }),
        );
        error
    }
}

impl Charge {
    /// What is left, for the headers of an answer.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let (bucket, whole) = (self.quota.burst, self.quota.whole_micros() / 1_000_000);
        let left = self.left;
        let whole_in = whole_seconds(self.whole_in);
        for (name, text) in [
            (POLICY, format!("\"cost\";q={bucket};w={whole}")),
            (LIMIT, format!("\"cost\";r={left};t={whole_in}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }

    /// The same, for who asks for it in the answer itself.
    fn told(&self) -> Value {
        value!({
            "cost": (self.cost),
            "limit": (self.quota.burst),
            "remaining": (self.left),
            "resetSeconds": (whole_seconds(self.whole_in)),
        })
    }
}

/// Rounded up: who comes a moment early would be refused again.
fn whole_seconds(time: Duration) -> i64 {
    (time.num_milliseconds() + 999) / 1_000
}
