//! GraphQL over HTTP, by its specification (<https://graphql.github.io/graphql-over-http/draft/>).
//!
//! POST runs queries and mutations, one or some in a list; GET queries alone; subscriptions run by both for clients that accept server-sent events (see
//! [`sse`]). An answer in the media type `application/graphql-response+json` has a status code that tells what became of the request; one in
//! `application/json` is 200 for every well-formed request.
//!
//! No page of another origin can make a browser send a mutation without asking first: those take `application/json` alone, which is never sent without a
//! preflight. A GET changes nothing, and no cookie signs anybody in.

mod caller;
mod conditional;
mod kept;
mod media;
pub(super) mod shared;

use std::{net::SocketAddr, sync::Arc};

use async_graphql::{Response, ServerError, parser::types::OperationType};
use axum::{
    body::Body,
    extract::{
        ConnectInfo, Query, State, WebSocketUpgrade, rejection::QueryRejection,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse as _,
};

use self::{caller::Caller, kept::Kept, media::Media};
use super::{
    Edge, card_numbers,
    client::client,
    cookie,
    operation::{self, Operation, refused, retry_after},
    parameters::{self, Parameters, Sent, UrlParameters},
    rates::Charge,
    socket, sse,
};
use crate::graphql::{context::RequestContext, finish};

/// What may be sent by POST.
const BY_POST: [OperationType; 2] = [OperationType::Query, OperationType::Mutation];
/// And by GET.
const BY_GET: [OperationType; 1] = [OperationType::Query];

pub(super) async fn post(
    State(edge): State<Edge>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> axum::response::Response {
    let media = Media::wanted_by(&headers);
    let bad = |message: &str| media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message);
    if !media::is_json(&headers) {
        return media.refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "BAD_USER_INPUT",
            "Send the request as application/json.",
        );
    }
    // A body costs memory, and a look at each of its bytes.
    let client = Arc::new(client(&edge.proxies, &headers, address));
    if let Err(error) = caller::let_in_unread(&edge, &headers, &client) {
        parameters::discard(body).await;
        return too_many(media, error);
    }
    let most = edge.limits.body;
    let body = parameters::body_of(body, most).await;
    // Not before: a session may end while a body comes.
    let caller = match Caller::of(&edge, &headers, client, media).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let token = sse::single::token_of(&headers, &uri);
    let mistake = match body {
        None => {
            let message = format!("A request has at most {most} bytes.");
            media.refuse(StatusCode::PAYLOAD_TOO_LARGE, "BAD_USER_INPUT", &message)
        }
        Some(body) if card_numbers::in_json(&body) => bad(card_numbers::MESSAGE),
        Some(body) => match (parameters::read(&body), token) {
            (Ok(Sent::One(parameters)), Some(token)) => {
                return shared::run(&edge, &headers, caller, parameters, media, &token).await;
            }
            (Ok(Sent::One(parameters)), None) => {
                return Box::pin(run(&edge, &headers, caller, parameters, media, &BY_POST)).await;
            }
            (Ok(Sent::Several(several)), _) if several.is_empty() => {
                bad("The list of operations is empty.")
            }
            (Ok(Sent::Several(_)), Some(_)) => bad("Operations are run on a stream one by one."),
            (Ok(Sent::Several(several)), None) => {
                return run_all(&edge, &headers, caller, several, media).await;
            }
            (Err(error), _) => bad(&format!(
                "The body is not a GraphQL request in JSON: {error}"
            )),
        },
    };
    caller.pays_for_a_look(&edge, media, mistake).await
}

pub(super) async fn get_or_socket(
    State(edge): State<Edge>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<UrlParameters>, QueryRejection>,
) -> axum::response::Response {
    let media = Media::wanted_by(&headers);
    let client = Arc::new(client(&edge.proxies, &headers, address));
    if let Ok(upgrade) = upgrade {
        return socket::accept(edge, upgrade, client)
            .unwrap_or_else(|error| too_many(media, error));
    }
    let caller = match Caller::of(&edge, &headers, client, media).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    if let Some(token) = sse::single::token_of(&headers, &uri)
        && Media::takes_events(&headers)
    {
        return shared::open(&edge, &caller, media, token).await;
    }
    match parameters
        .map_err(|error| error.body_text())
        .and_then(|Query(parameters)| parameters::read_url(parameters))
    {
        Ok(parameters) => Box::pin(run(&edge, &headers, caller, parameters, media, &BY_GET)).await,
        Err(message) => {
            let mistake = media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", &message);
            caller.pays_for_a_look(&edge, media, mistake).await
        }
    }
}

/// Refuses a request whose sender has made a mistake.
pub(super) fn refuse(headers: &HeaderMap, message: &str) -> axum::response::Response {
    Media::wanted_by(headers).refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
}

/// Runs one operation.
async fn run(
    edge: &Edge,
    headers: &HeaderMap,
    caller: Caller,
    parameters: Parameters,
    media: Media,
    allowed: &[OperationType],
) -> axum::response::Response {
    let asked = match caller.asks(edge, parameters, media).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let by_get = allowed == BY_GET;
    let to_keep = match kept::find(edge, &caller, &asked, media).await {
        Kept::Answer(answer) => {
            // It was made before: giving it costs a look.
            return match caller.is_charged(edge, 1).await {
                Ok(charge) => {
                    let sent = media.answer_in(answer.body.clone());
                    let sent = sent_again(headers, sent, by_get, true).await;
                    with_headers(edge, sent, &[], &[], charge.as_ref())
                }
                Err(error) => too_many(media, error),
            };
        }
        Kept::NotYet(to_keep) => Some(to_keep),
        Kept::Never => None,
    };
    let operation = match caller.may(edge, asked.check(edge).await, media).await {
        Ok(operation) => operation,
        Err(refused) => return refused,
    };
    let kind = operation.kind;
    let subscribes = kind == OperationType::Subscription;
    if subscribes && !Media::takes_events(headers) {
        let message = "Subscriptions run at this same address over WebSocket, by graphql-transport-ws, and as server-sent events \
                       for clients that accept text/event-stream.";
        let refused = media.refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message);
        return caller.pays_for_a_look(edge, media, refused).await;
    }
    if !subscribes && !allowed.contains(&kind) {
        let refused = media.refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_USER_INPUT",
            "Send mutations by POST.",
        );
        let refused = ([(header::ALLOW, "POST")], refused).into_response();
        return caller.pays_for_a_look(edge, media, refused).await;
    }
    let place = match subscribes.then(|| caller.enters(edge)).transpose() {
        Ok(place) => place,
        Err(error) => {
            let refused = too_many(media, error);
            return caller.pays_for_a_look(edge, media, refused).await;
        }
    };
    let mut charge = match caller.is_charged(edge, operation.cost).await {
        Ok(charge) => charge,
        Err(error) => return too_many(media, error),
    };
    if let Some(place) = place {
        let context = RequestContext::new(edge.services.clone(), caller.actor(), None)
            .resuming_after(sse::last_event_id(headers));
        return sse::distinct::subscribe(edge, caller.admitted, operation, context, place);
    }
    let context = match &to_keep {
        Some(_) => {
            let services = operation.services(edge, &caller.actor()).await;
            let client = Arc::clone(&caller.client);
            Arc::new(RequestContext::for_everybody(services, client))
        }
        None => context_of(edge, headers, &caller, &operation).await,
    };
    let response = execute(edge, operation, &context, &mut charge).await;
    let body = to_keep.and_then(|to_keep| to_keep.keep(edge, &context, &response));
    let answer = match body {
        Some(body) => media.answer_in(body),
        None => media.answer(&response),
    };
    let again = kind == OperationType::Query && by_get && response.errors.is_empty();
    let answer = sent_again(headers, answer, again, caller.admitted.is_none()).await;
    with_headers(edge, answer, &[response], &[context], charge.as_ref())
}

/// Says of an answer whether it may be kept on its way.
async fn sent_again(
    headers: &HeaderMap,
    mut answer: axum::response::Response,
    may_be_kept: bool,
    is_public: bool,
) -> axum::response::Response {
    if may_be_kept {
        return conditional::answer(headers, answer, is_public).await;
    }
    conditional::never_stored(&mut answer);
    answer
}

/// Runs several operations, one after the other, as a client's batch has them.
async fn run_all(
    edge: &Edge,
    headers: &HeaderMap,
    caller: Caller,
    several: Vec<Parameters>,
    media: Media,
) -> axum::response::Response {
    if let Err(error) = edge.limits.check("batch", several.len(), edge.limits.batch) {
        let refused = media.refuse_by(StatusCode::BAD_REQUEST, error);
        return caller.pays_for_a_look(edge, media, refused).await;
    }
    let (mut operations, mut cost) = (vec![], 0_u32);
    for parameters in several {
        let operation = Operation::read(edge, parameters, caller.admitted.is_some()).await;
        let operation = operation.and_then(|operation| match operation.kind {
            OperationType::Subscription => Err(refused(
                "BAD_USER_INPUT",
                "Subscriptions do not run in a list of operations.",
            )),
            _ => Ok(operation),
        });
        // One that is refused has cost a look.
        cost = cost.saturating_add(operation.as_ref().map_or(1, |operation| operation.cost));
        operations.push(operation);
    }
    if let Err(error) = edge.limits.check_cost(cost) {
        let refused = media.refuse_by(StatusCode::BAD_REQUEST, error);
        return caller.pays_for_a_look(edge, media, refused).await;
    }
    let mut charge = match caller.is_charged(edge, cost).await {
        Ok(charge) => charge,
        Err(error) => return too_many(media, error),
    };
    let (mut responses, mut contexts) = (vec![], vec![]);
    for operation in operations {
        responses.push(match operation {
            Ok(operation) => {
                // One of its own: what an operation before it has loaded may have changed by it.
                let context = context_of(edge, headers, &caller, &operation).await;
                contexts.push(Arc::clone(&context));
                execute(edge, operation, &context, &mut charge).await
            }
            Err(error) => finish(Response::from_errors(vec![error])),
        });
    }
    let mut answer = media.answer_all(&responses);
    conditional::never_stored(&mut answer);
    with_headers(edge, answer, &responses, &contexts, charge.as_ref())
}

async fn context_of(
    edge: &Edge,
    headers: &HeaderMap,
    caller: &Caller,
    operation: &Operation,
) -> Arc<RequestContext> {
    let browser = cookie::browser(headers, &edge.origins);
    let actor = caller.actor();
    let services = operation.services(edge, &actor).await;
    let context = RequestContext::new(services, actor, Some(browser));
    Arc::new(context.with_idempotency_key(idempotency_key(headers)))
}

/// Runs a query or a mutation, and gives back what was charged if it did not come to that.
async fn execute(
    edge: &Edge,
    mut operation: Operation,
    context: &Arc<RequestContext>,
    charge: &mut Option<Charge>,
) -> Response {
    let (cost, tells_cost) = (operation.cost, operation.tells_cost);
    operation.request = operation.request.data(Arc::clone(context));
    let mut response = finish(operation.execute(edge).await);
    operation::note_refusals(edge, context.actor(), &response).await;
    if let Some(charge) = charge {
        let now = edge.clock.now();
        edge.rates
            .settle(charge, cost, &mut response, tells_cost, now)
            .await;
    }
    response
}

/// Adds to an answer what stands in its headers.
fn with_headers(
    edge: &Edge,
    mut answer: axum::response::Response,
    responses: &[Response],
    contexts: &[Arc<RequestContext>],
    charge: Option<&Charge>,
) -> axum::response::Response {
    let headers = answer.headers_mut();
    for cookie in contexts
        .iter()
        .filter_map(|context| context.refresh_cookie())
    {
        if let Some(value) = cookie::set(cookie, edge.clock.now()) {
            headers.insert(header::SET_COOKIE, value);
        }
    }
    if let Some(seconds) = responses.iter().filter_map(retry_after).max() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(charge) = charge {
        charge.write(headers);
    }
    answer
}

/// Refuses a caller who has asked for too much.
fn too_many(media: Media, error: ServerError) -> axum::response::Response {
    let response = Response::from_errors(vec![error.clone()]);
    let mut answer = media.refuse_by(StatusCode::TOO_MANY_REQUESTS, error);
    if let Some(seconds) = retry_after(&response) {
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// What the header `Idempotency-Key` says, as the IETF draft of that name has it: a string, with or without its quotes.
fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("idempotency-key")?;
    // What is no text is refused by whoever looks at the key.
    let text = String::from_utf8_lossy(value.as_bytes());
    let unquoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    Some(unquoted.unwrap_or(&text).to_owned())
}
