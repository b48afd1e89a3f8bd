//! Accounts: verified mail addresses, other passwords, other names, and what operators do to them.

mod addresses;
mod erasure;
mod letters;
mod operators;
mod passwords;

use serde_json::{Value, json};

use crate::support::{Client, Mail, SESSION, World};

const VIEWER: &str = "viewer { email emailVerified pendingEmail user { fullName } }";

/// A new guest with an address of this world's own.
async fn joins(world: &World, name: &str) -> Client {
    let input = json!({
        "fullName": name, "email": world.address(name), "password": "a good password",
    });
    world.stranger().sign_up(input).await
}

async fn viewer(client: &Client) -> Value {
    let query = format!("{{ {VIEWER} }}");
    client.get(&query, json!({})).await["viewer"].take()
}

async fn verifies(client: &Client, token: &str) -> Value {
    let input = json!({ "token": token });
    client
        .mutate("verifyEmail", "VerifyEmailInput!", input, VIEWER)
        .await
}

async fn updates(client: &Client, change: Value) -> Value {
    client
        .mutate("updateProfile", "UpdateProfileInput!", change, VIEWER)
        .await
}

async fn asks_for_a_reset(client: &Client, email: &str) {
    let input = json!({ "email": email });
    let asked = client
        .mutate(
            "requestPasswordReset",
            "RequestPasswordResetInput!",
            input,
            "",
        )
        .await;
    assert_eq!(asked, json!({ "userErrors": [] }), "whoever it is");
}

async fn resets(client: &Client, token: &str, password: &str) -> Value {
    let input = json!({ "token": token, "newPassword": password });
    client
        .mutate("resetPassword", "ResetPasswordInput!", input, SESSION)
        .await
}

async fn changes_password(client: &Client, current: &str, new: &str) -> Value {
    let input = json!({ "currentPassword": current, "newPassword": new });
    client
        .mutate("changePassword", "ChangePasswordInput!", input, VIEWER)
        .await
}

/// The secrets of the links to a new password that arrived at an address, oldest first.
async fn reset_links(world: &World, address: &str) -> Vec<String> {
    let mails = world.mails_to(address).await;
    let resets = mails
        .iter()
        .filter(|mail| mail.text.contains("/reset-password#token="));
    resets.map(Mail::token).collect()
}

/// The codes and fields of the mistakes in a payload.
fn mistakes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().expect("a list");
    errors
        .iter()
        .map(|error| format!("{} {}", error["code"], error["field"]).replace('"', ""))
        .collect()
}
