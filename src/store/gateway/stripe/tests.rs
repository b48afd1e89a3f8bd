//! Stripe's own examples (<https://docs.stripe.com/api/payment_intents/object>, <https://docs.stripe.com/api/errors>), shortened to a few of the fields that
//! nobody reads here.

use super::{super::State, *};

fn read(status: &str, more: &str) -> Standing {
    let object = format!(
        r#"{{"id":"pi_3MtwBwLkdIwHu7ix28a3tqPa","object":"payment_intent","amount":2000,"amount_capturable":0,"amount_details":{{"tip":{{}}}},
        "amount_received":{},"automatic_payment_methods":{{"enabled":true}},"canceled_at":null,"capture_method":"automatic",
        "client_secret":"pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH","confirmation_method":"automatic","created":1680800504,
        "currency":"usd","customer":null,"last_payment_error":null,"latest_charge":null,"livemode":false,"metadata":{{}},"next_action":null,
        "payment_method":null,"payment_method_types":["card","link"],"status":"{status}"{more}}}"#,
        if status == "succeeded" { 2000 } else { 0 },
    );
    let object = object.replace(
        r#""last_payment_error":null,"#,
        if more.contains("last_payment_error") {
            ""
        } else {
            r#""last_payment_error":null,"#
        },
    );
    standing(serde_json::from_str(&object).unwrap()).unwrap()
}

#[test]
fn every_status_of_stripes_means_something_here() {
    let declined = r#","last_payment_error":{"charge":"ch_1","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds.","type":"card_error"}"#;
    let bank = r#","next_action":{"redirect_to_url":{"return_url":"https://example.com","url":"https://hooks.stripe.com/redirect"},"type":"redirect_to_url"}"#;
    let message = "Your card has insufficient funds.".to_owned();
    for (status, more, state) in [
        ("requires_payment_method", "", State::NeedsAction),
        (
            "requires_payment_method",
            declined,
            State::Declined { message },
        ),
        ("requires_confirmation", "", State::Open),
        ("requires_action", bank, State::NeedsAction),
        ("processing", "", State::UnderWay),
        ("requires_capture", "", State::Authorized),
        ("canceled", "", State::Cancelled),
        ("succeeded", "", State::Succeeded),
    ] {
        let standing = read(status, more);
        assert_eq!(standing.state, state, "{status}");
        let sum = (
            crate::domain::money::Money::from_cents(2_000),
            "USD".to_owned(),
        );
        assert_eq!(standing.sum, Some(sum));
    }
    let unheard = r#"{"id":"pi_1","amount":1,"currency":"usd","status":"requires_dancing"}"#;
    let unheard = standing(serde_json::from_str(unheard).unwrap());
    assert!(
        matches!(unheard, Err(GatewayError::Unclear(_))),
        "it is asked again later"
    );
}
