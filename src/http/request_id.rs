//! The name of a request, by which its answer, its lines in the log and what it left behind are found again.

use axum::{
    extract::Request,
    http::{self, HeaderName, HeaderValue},
};
use tower_http::request_id::{MakeRequestId, RequestId};

/// The header that bears it, in requests and in answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of one that comes from outside.
const LENGTH: usize = 64;

/// Takes a request's name away unless it is a good one, so that it gets a new one: the name is written into the log and kept, and must
/// not be whatever a client likes.
pub(super) async fn keep_only_a_good_one(mut request: Request) -> Request {
    let mut names = request.headers().get_all(HEADER).iter();
    let good = match (names.next(), names.next()) {
        (Some(name), None) => is_good(name.as_bytes()),
        _ => false,
    };
    if !good {
        request.headers_mut().remove(HEADER);
    }
    request
}

/// Makes a name for a request that has none: a random UUID, not drawn from the system for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let name = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        let name = HeaderValue::try_from(name.to_string());
        name.ok().map(RequestId::new)
    }
}

fn is_good(name: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=LENGTH).contains(&name.len()) && name.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_good;

    #[test]
    fn a_name_is_short_and_plain() {
        let long = "x".repeat(65);
        for good in ["a", "2f1c-7.b_Z", &long[1..]] {
            assert!(is_good(good.as_bytes()), "{good}");
        }
        for bad in ["", "a b", "a\tb", "a,b", "a\"b", "{}", "é", &long] {
            assert!(!is_good(bad.as_bytes()), "{bad}");
        }
    }
}
