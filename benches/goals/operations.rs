//! What is asked.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

/// The search of the goals: 20 properties with host, rating, and the three newest reviews with their authors.
const SEARCH: &str = "query($city: String!) { properties(filter: { location: $city }, first: 20) { nodes { \
    id title location pricePerNight { amount currency } averageRating reviewCount host { id fullName } \
    reviews(first: 3) { nodes { id rating comment createdAt author { id fullName } } } } } }";

/// A home with its host and the ten newest reviews with their authors.
const DETAIL: &str = "query($id: ID!) { property(id: $id) { \
    id title description location latitude longitude pricePerNight { amount currency } cleaningFee { amount currency } maxGuests \
    averageRating reviewCount host { id fullName } \
    reviews(first: 10) { nodes { id rating comment createdAt author { id fullName } } } } }";

const BOOKING: &str = "mutation($input: CreateBookingInput!) { createBooking(input: $input) { \
    booking { id status totalPrice { amount } } userErrors { code message } } }";

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken } }";

/// How the right answer to an operation begins.
pub(super) mod begins {
    pub(in super::super) const SEARCH: &str = r#"{"data":{"properties":{"nodes":[{"id":"#;
    pub(in super::super) const DETAIL: &str = r#"{"data":{"property":{"id":"#;
    pub(in super::super) const BOOKING: &str = r#"{"data":{"createBooking":{"booking":{"id":"#;
}

/// The search in a city.
pub(super) fn search(city: &str) -> String {
    json!({ "query": SEARCH, "variables": { "city": city } }).to_string()
}

/// A look at a property.
pub(super) fn detail(property: i32) -> String {
    json!({ "query": DETAIL, "variables": { "id": property_id(property) } }).to_string()
}

/// A booking of one night.
pub(super) fn booking(property: i32, check_in: &str, check_out: &str) -> String {
    let input =
        json!({ "propertyId": property_id(property), "checkIn": check_in, "checkOut": check_out });
    json!({ "query": BOOKING, "variables": { "input": input } }).to_string()
}

/// A sign-in of somebody who was seeded.
pub(super) fn sign_in(email: &str) -> String {
    let input = json!({ "email": email, "password": staygate::cli::seed::PASSWORD });
    json!({ "query": SIGN_IN, "variables": { "input": input } }).to_string()
}

/// The global id of a property.
pub(super) fn property_id(key: i32) -> String {
    URL_SAFE_NO_PAD.encode(format!("Property:{key}"))
}
