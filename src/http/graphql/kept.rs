//! Answers that are given again: those of queries by POST and GET of callers who are not signed in, as long as what they show is so.

use std::{sync::Arc, time::Duration};

use async_graphql::Response;
use bytes::Bytes;

use super::{caller::Caller, media::Media};
use crate::{
    graphql::context::RequestContext,
    http::{Edge, operation::Asked},
    store::answers::{Answer, Found, Reading},
};

/// What there is to a question.
pub(super) enum Kept {
    /// A good answer.
    Answer(Arc<Answer>),
    /// None; what is answered now is kept.
    NotYet(ToKeep),
    /// None, and there will be none.
    Never,
}

/// An answer that is to be kept when it is made.
pub(super) struct ToKeep {
    reading: Reading,
    max_age: Duration,
}

/// Looks whether there is an answer.
pub(super) async fn find(edge: &Edge, caller: &Caller, asked: &Asked, media: Media) -> Kept {
    if caller.admitted.is_some() || media == Media::Events {
        return Kept::Never;
    }
    let Some((key, max_age)) = asked.question(edge) else {
        return Kept::Never;
    };
    match edge.answers.find(key, edge.clock.now()).await {
        Found::Answer(answer) => Kept::Answer(answer),
        Found::Nothing(reading) => Kept::NotYet(ToKeep { reading, max_age }),
    }
}

impl ToKeep {
    /// Keeps an answer, if it is good for everybody. Gives its body where that was written for it.
    pub(super) fn keep(
        self,
        edge: &Edge,
        context: &RequestContext,
        response: &Response,
    ) -> Option<Bytes> {
        let tags = context.shown().take().filter(|_| response.is_ok())?;
        let body = Bytes::from(serde_json::to_vec(response).ok()?);
        let now = edge.clock.now();
        let reading = match context.moment() {
            Some(moment) => self.reading.as_of(moment),
            None => self.reading,
        };
        reading.keep(body.clone(), tags, self.max_age, now);
        Some(body)
    }
}
