//! Who sent a request, and what is done in their name before anything runs.

use std::{net::SocketAddr, sync::Arc};

use async_graphql::{Response, ServerError};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse,
};

use super::{media::Media, too_many};
use crate::{
    domain::actor::{Actor, Client},
    graphql::finish,
    http::{
        Edge, auth,
        client::client,
        connections::Place,
        failed::failed,
        operation::{Asked, Operation, away},
        parameters::Parameters,
        rates::Charge,
    },
    service::{error::Error, sessions::Admitted},
};

/// Refuses a network that has nothing left, as far as that can be seen at no cost: whoever brings a token is looked at later.
pub(super) fn let_in_unread(
    edge: &Edge,
    headers: &HeaderMap,
    client: &Arc<Client>,
) -> Result<(), ServerError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(());
    }
    let network = client.network();
    let nobody = Actor::anonymous(Arc::clone(client));
    edge.rates
        .let_in(&nobody, network.as_deref(), edge.clock.now())
}

/// Who sent a request.
pub(in crate::http) struct Caller {
    pub(super) client: Arc<Client>,
    pub(super) admitted: Option<Admitted>,
}

impl FromRequestParts<Edge> for Caller {
    type Rejection = axum::response::Response;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Self::Rejection> {
        let address = ConnectInfo::<SocketAddr>::from_request_parts(parts, edge).await;
        let ConnectInfo(address) = address.map_err(IntoResponse::into_response)?;
        let client = Arc::new(client(&edge.proxies, &parts.headers, address));
        let media = Media::wanted_by(&parts.headers);
        Self::of(edge, &parts.headers, client, media).await
    }
}

impl Caller {
    /// Whoever the headers say. An access token that is not good refuses the whole request.
    pub(super) async fn of(
        edge: &Edge,
        headers: &HeaderMap,
        client: Arc<Client>,
        media: Media,
    ) -> Result<Self, axum::response::Response> {
        match auth::admitted(&edge.services, headers, &client).await {
            Ok(admitted) => {
                let caller = Self { client, admitted };
                let network = caller.client.network();
                let now = edge.clock.now();
                edge.rates
                    .let_in(&caller.actor(), network.as_deref(), now)
                    .map_err(|error| too_many(media, error))?;
                Ok(caller)
            }
            Err(Error::Unauthenticated) => {
                let refused = media.refuse_by(StatusCode::UNAUTHORIZED, auth::not_good());
                let why = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
                Err((why, refused).into_response())
            }
            Err(error) => {
                failed(&error, "could not check an access token");
                Err(media.refuse_by(StatusCode::SERVICE_UNAVAILABLE, away()))
            }
        }
    }

    pub(super) fn actor(&self) -> Actor {
        match &self.admitted {
            Some(admitted) => admitted.actor.clone(),
            None => Actor::anonymous(Arc::clone(&self.client)),
        }
    }

    /// Reads what is asked for, as [`may`](Self::may).
    pub(super) async fn asks(
        &self,
        edge: &Edge,
        parameters: Parameters,
        media: Media,
    ) -> Result<Asked, axum::response::Response> {
        let asked = Asked::read(edge, parameters, self.admitted.is_some()).await;
        self.may(edge, asked, media).await
    }

    /// Reads an operation, as [`may`](Self::may).
    pub(super) async fn reads(
        &self,
        edge: &Edge,
        parameters: Parameters,
        media: Media,
    ) -> Result<Operation, axum::response::Response> {
        let operation = Operation::read(edge, parameters, self.admitted.is_some()).await;
        self.may(edge, operation, media).await
    }

    /// Goes on with what is not refused. What is has cost a look.
    pub(super) async fn may<T>(
        &self,
        edge: &Edge,
        looked_at: Result<T, ServerError>,
        media: Media,
    ) -> Result<T, axum::response::Response> {
        match looked_at {
            Ok(good) => Ok(good),
            Err(error) => {
                let refused = media.answer(&finish(Response::from_errors(vec![error])));
                Err(self.pays_for_a_look(edge, media, refused).await)
            }
        }
    }

    /// Charges a look at what is refused, and gives the refusal; another one where nothing is left for the look.
    pub(super) async fn pays_for_a_look(
        &self,
        edge: &Edge,
        media: Media,
        refused: axum::response::Response,
    ) -> axum::response::Response {
        match self.is_charged(edge, 1).await {
            Ok(_) => refused,
            Err(error) => too_many(media, error),
        }
    }

    /// Takes a place for a connection that stays open.
    pub(super) fn enters(&self, edge: &Edge) -> Result<Place, ServerError> {
        let network = self.client.network();
        edge.connections
            .enter(&edge.limits, &self.actor(), network.as_deref())
    }

    /// Charges what operations cost.
    pub(super) async fn is_charged(
        &self,
        edge: &Edge,
        cost: u32,
    ) -> Result<Option<Charge>, ServerError> {
        let network = self.client.network();
        let now = edge.clock.now();
        edge.rates
            .charge(&self.actor(), network.as_deref(), cost, now)
            .await
    }
}
