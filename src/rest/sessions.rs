//! Signing in and out, and staying signed in.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    answer::{self, Answer},
    asked::{Anyone, Body, Nothing, Query, Somebody, Text},
    person::User,
    problem::Problem,
};
use crate::{
    entity::session,
    service::{Services, sessions::Grant},
};

/// A signed-in device's tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// For the header `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.e30.c2ln")]
    access_token: String,
    /// When the access token lapses; take new ones before.
    #[schema(example = "2026-11-01T12:05:00Z")]
    access_token_expires_at: DateTime<Utc>,
    /// Good for one refresh.
    #[schema(example = "sgr_3v4p1l0f7mYf0h2Z")]
    refresh_token: String,
    /// Who is signed in.
    user: User,
}

impl Session {
    pub(super) fn of(grant: Grant) -> Self {
        Self {
            access_token: grant.access_token,
            access_token_expires_at: grant.access_token_expires_at,
            refresh_token: grant.refresh_token,
            user: User::seen_by(&grant.actor, grant.user),
        }
    }
}

/// A device that is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    /// The session's key.
    #[schema(example = "0f8e1c9a-3c1e-4c55-9d0c-2b1a7f0f6d11")]
    id: Uuid,
    /// Whether it is the one that asks.
    #[schema(example = true)]
    current: bool,
    /// What it calls itself.
    #[schema(required, example = "Mozilla/5.0")]
    user_agent: Option<String>,
    /// From where it was last used.
    #[schema(required, example = "203.0.113.7")]
    ip_address: Option<String>,
    /// When it was signed in.
    #[schema(example = "2026-11-01T12:00:00Z")]
    created_at: DateTime<Utc>,
    /// When its tokens were last renewed.
    #[schema(example = "2026-11-01T12:00:00Z")]
    last_used_at: DateTime<Utc>,
}

/// The signed-in devices.
#[derive(Serialize, ToSchema)]
pub(super) struct Devices {
    /// Newest first; at most 50.
    items: Vec<Device>,
}

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Credentials {
    /// The account's mail address.
    #[schema(example = "guest@example.com", max_length = 1000)]
    email: String,
    /// The account's password.
    #[schema(example = "demo-password", max_length = 1000)]
    password: String,
}

/// What keeps a device signed in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Refresh {
    /// The newest refresh token; each is good for one use.
    #[schema(example = "sgr_3v4p1l0f7mYf0h2Z", max_length = 1000)]
    refresh_token: String,
}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, list, sign_out_everywhere))
        .routes(routes!(refresh))
        .routes(routes!(sign_out))
        .routes(routes!(revoke))
}

/// Signs in
///
/// After many wrong passwords it is refused for a while.
#[utoipa::path(post, path = "/sessions/", operation_id = "signIn", tag = "sessions", security(()), request_body = Credentials,
    responses((status = 201, description = "The device's tokens.", body = Session, headers(
        ("Location" = String, description = "Where the session is.")))))]
async fn sign_in(
    State(services): State<Services>,
    asker: Anyone,
    Query(Nothing {}): Query<Nothing>,
    Body(who): Body<Credentials>,
) -> Answer {
    let sign_in = services
        .sessions
        .sign_in(&who.email, who.password, asker.client());
    let grant = Box::pin(sign_in).await?;
    let id = grant.actor.signed_in().map(|user| user.session_id);
    let place = format!("/sessions/{}/", id.unwrap_or_default());
    answer::made(&place, &Session::of(grant), &place)
}

/// Takes new tokens
///
/// The refresh token is rotated; one that is used twice ends its whole session.
#[utoipa::path(post, path = "/sessions/refresh/", operation_id = "refreshSession", tag = "sessions", security(()), request_body = Refresh,
    responses((status = 200, description = "The device's new tokens.", body = Session)))]
async fn refresh(
    State(services): State<Services>,
    asker: Anyone,
    Query(Nothing {}): Query<Nothing>,
    Body(held): Body<Refresh>,
) -> Answer {
    let refreshed = services
        .sessions
        .refresh(&held.refresh_token, asker.client());
    let session = Session::of(Box::pin(refreshed).await?);
    answer::thing(&session, &session.access_token)
}

/// Lists the devices that are signed in
#[utoipa::path(get, path = "/sessions/", operation_id = "listSessions", tag = "sessions",
    responses((status = 200, description = "One's devices.", body = Devices)))]
async fn list(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let current = actor.signed_in().map(|user| user.session_id);
    let show = |row: session::Model| Device {
        current: current == Some(row.session_id),
        id: row.session_id,
        user_agent: row.user_agent,
        ip_address: row.ip_address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    };
    let rows = services.sessions.list(&actor).await?;
    let devices = Devices {
        items: rows.into_iter().map(show).collect(),
    };
    answer::thing(&devices, &devices)
}

/// Signs out
#[utoipa::path(delete, path = "/sessions/current/", operation_id = "signOut", tag = "sessions",
    responses((status = 204, description = "This session has ended.")))]
async fn sign_out(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    services.sessions.sign_out(&actor, false).await?;
    Ok(answer::done())
}

/// Signs out everywhere
#[utoipa::path(delete, path = "/sessions/", operation_id = "signOutEverywhere", tag = "sessions",
    responses((status = 204, description = "Every session of the person has ended.")))]
async fn sign_out_everywhere(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    services.sessions.sign_out(&actor, true).await?;
    Ok(answer::done())
}

/// Ends one of one's sessions
///
/// Such as that of a lost phone.
#[utoipa::path(delete, path = "/sessions/{id}/", operation_id = "revokeSession", tag = "sessions",
    params(("id" = Uuid, Path, description = "The session's key.", example = "0f8e1c9a-3c1e-4c55-9d0c-2b1a7f0f6d11")),
    responses((status = 204, description = "It has ended.")))]
async fn revoke(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Text(id): Text,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let id = id
        .parse()
        .map_err(|_| Problem::bad("id", "INVALID", "A session's key is a UUID."))?;
    services.sessions.revoke(&actor, id).await?;
    Ok(answer::done())
}
