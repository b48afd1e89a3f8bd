//! People: registered, shown, changed, erased.

use axum::{extract::State, http::Uri, response::IntoResponse as _};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::{self, Answer},
    asked::{Anyone, Body, Id, Nothing, Parameters, Public, Query, Somebody, present},
    conditional::{IfMatch, Versions},
    page::{self, List, Wanted},
    person::User,
    problem::Problem,
    sessions::Session,
};
use crate::{
    domain::{
        actor::Actor,
        ids::UserId,
        people::{self, NewPerson, ProfileChange},
    },
    entity::user,
    service::{Services, error::Error, people as service, seen::Seen},
};

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewUser {
    /// The name shown to everyone.
    #[schema(example = "Hana Novak", min_length = 1, max_length = 100)]
    full_name: String,
    /// What one signs in with. It is sent a link that verifies it.
    #[schema(example = "hana@example.com", format = "email", max_length = 254)]
    email: String,
    /// 8 to 128 characters, and none of those that are guessed first.
    #[schema(example = "a good long password", min_length = 8, max_length = 128)]
    password: String,
    /// GUEST or HOST; GUEST when left out. A guest may turn host later.
    #[serde(default = "guest")]
    role: NewRole,
}

/// What somebody signs up as.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "GUEST")]
pub(super) enum NewRole {
    /// Books and reviews.
    Guest,
    /// Lists and manages own properties as well.
    Host,
}

const fn guest() -> NewRole {
    NewRole::Guest
}

/// What is to change of an account (RFC 7396); what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserChange {
    /// The name shown to everyone.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Hana Novak", min_length = 1, max_length = 100)]
    full_name: Option<String>,
    /// Another mail address. It is sent a link, and takes the place of the old one once it is verified.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "hana@example.org", format = "email", max_length = 254)]
    email: Option<String>,
    /// Needed for another mail address, unless this device signed in within the last 15 minutes.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "a good long password", max_length = 128)]
    current_password: Option<String>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// How many rows.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Only rows after this cursor.
    #[param(example = "dTowOjQy", max_length = 200)]
    after: Option<String>,
    /// Only rows before this cursor.
    #[param(example = "dTowOjYx", max_length = 200)]
    before: Option<String>,
}

impl Parameters for Which {}

pub(super) fn routes() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(show_own))
        .routes(routes!(become_host))
        .routes(routes!(show, change, erase))
}

/// Makes an account
///
/// It is signed in at once: the answer holds the tokens.
#[utoipa::path(post, path = "/users/", operation_id = "registerUser", tag = "users", security(()), request_body = NewUser,
    responses((status = 201, description = "The account, signed in.", body = Session, headers(
        ("Location" = String, description = "Where the person is.")))))]
async fn register(
    State(services): State<Services>,
    asker: Anyone,
    Query(Nothing {}): Query<Nothing>,
    Body(new): Body<NewUser>,
) -> Answer {
    let role = match new.role {
        NewRole::Guest => people::Role::Guest,
        NewRole::Host => people::Role::Host,
    };
    let person =
        NewPerson::parse(&new.full_name, &new.email, new.password, role).map_err(Error::from)?;
    let client = asker.client();
    let user = services.people.sign_up(person, client).await?;
    let place = format!("/users/{}/", user.user_id);
    let grant = Box::pin(services.sessions.begin(user, client)).await?;
    answer::made(&place, &Session::of(grant), &place)
}

/// Lists people
///
/// Admins only. Newest first.
#[utoipa::path(get, path = "/users/", operation_id = "listUsers", tag = "users", params(Which),
    responses((status = 200, description = "A page of people.", body = List<User>)))]
async fn list(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(which): Query<Which>,
    uri: Uri,
) -> Answer {
    let wanted = Wanted {
        limit: which.limit,
        after: which.after,
        before: which.before,
    };
    let request = wanted.parse(&[service::NEWEST])?;
    let people = services.people.list(&actor, request).await?;
    page::list(&uri, people, |user| Ok(User::seen_by(&actor, user)))
}

/// Shows oneself
#[utoipa::path(get, path = "/users/me/", operation_id = "showOwnUser", tag = "users",
    responses((status = 200, description = "The signed-in person.", body = User)))]
async fn show_own(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let user = User::seen_by(&actor, services.people.own(&actor).await?);
    answer::thing(&user, &user)
}

/// Turns host
///
/// A guest may list properties from then on. For a host nothing changes.
#[utoipa::path(post, path = "/users/me/host/", operation_id = "becomeHost", tag = "users",
    responses((status = 200, description = "The person as a host.", body = User)))]
async fn become_host(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let user = User::seen_by(&actor, services.people.become_host(&actor).await?);
    answer::thing(&user, &user)
}

/// Shows a person
///
/// As everyone sees them; oneself, and anyone for admins, with what is private.
#[utoipa::path(get, path = "/users/{id}/", operation_id = "showUser", tag = "users", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The person's key.", minimum = 1, example = 7)),
    responses((status = 200, description = "The person.", body = User)))]
async fn show(
    Public(services): Public,
    Anyone(actor): Anyone,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    let found = services.people.show(&actor, UserId(id)).await?;
    let user = found.ok_or_else(|| Problem::not_found("person"))?;
    let user = User::seen_by(&actor, user);
    answer::thing(&user, &user)
}

/// Changes one's account
///
/// By JSON merge patch. Another mail address must be verified before it takes the place of the old one.
#[utoipa::path(patch, path = "/users/{id}/", operation_id = "updateUser", tag = "users",
    params(Versions, ("id" = i32, Path, description = "One's own key.", minimum = 1, example = 7)),
    request_body(content((UserChange = "application/json"), (UserChange = "application/merge-patch+json"))),
    responses((status = 200, description = "The account after the change.", body = User)))]
async fn change(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
    versions: IfMatch,
    Body(change): Body<UserChange>,
) -> Answer {
    must_be_own(&actor, id)?;
    let change = ProfileChange::parse(
        change.full_name.as_deref(),
        change.email.as_deref(),
        change.current_password,
    )
    .map_err(Error::from)?;
    let is_known = |user: &user::Model| versions.admits(&User::seen_by(&actor, user.clone()));
    let people = &services.people;
    let changed = people.update_profile(&actor, change, Seen::when(&is_known));
    let user = User::seen_by(&actor, changed.await?);
    answer::thing(&user, &user)
}

/// Erases one's account
///
/// Name, mail address and everything else that is personal goes; bookings, payments and the books stay, and show a former member. It takes a
/// session that signed in within the last 15 minutes. Refused while bookings stand.
#[utoipa::path(delete, path = "/users/{id}/", operation_id = "deleteUser", tag = "users",
    params(("id" = i32, Path, description = "One's own key.", minimum = 1, example = 7)),
    responses((status = 204, description = "It is erased.")))]
async fn erase(
    State(services): State<Services>,
    Somebody(actor): Somebody,
    Id(id): Id,
    Query(Nothing {}): Query<Nothing>,
) -> Answer {
    services.people.erase(&actor, UserId(id)).await?;
    Ok(answer::done().into_response())
}

/// Whose account is changed is somebody else's: it looks as if it did not exist.
fn must_be_own(actor: &Actor, id: i32) -> Result<(), Problem> {
    if actor.is(UserId(id)) {
        Ok(())
    } else {
        Err(Problem::not_found("account of yours"))
    }
}
