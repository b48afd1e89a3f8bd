//! Another platform's server, with one calendar.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What it answers.
#[derive(Clone)]
enum Answer {
    /// A calendar of this media type, and what it is called.
    File {
        body: String,
        kind: &'static str,
        tag: Option<String>,
    },
    /// Nothing but a status.
    Status(u16),
    Redirect(String),
    /// A hundred megabytes, without saying so.
    Endless,
    /// A byte now and then.
    Drip,
}

/// The answer, and the headers of what has asked.
type Shared = Arc<Mutex<(Answer, Vec<HeaderMap>)>>;

/// Another platform's server. It goes down with this handle.
pub struct Elsewhere {
    address: String,
    shared: Shared,
    _stopping: DropGuard,
}

impl Elsewhere {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Mutex::new((Answer::Status(404), vec![])));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let stopping = CancellationToken::new();
        let stopped = stopping.clone().cancelled_owned();
        tokio::spawn(async {
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.expect("it serves"),
                () = stopped => {}
            }
        });
        Self {
            address,
            shared,
            _stopping: stopping.drop_guard(),
        }
    }

    /// Where a calendar is.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// From now on it has these stays `(from, to)`, by date.
    pub fn has(&self, stays: &[(String, String)]) {
        self.sends(&calendar(stays));
    }

    pub fn sends(&self, body: &str) {
        self.sends_as("text/calendar", body, None);
    }

    pub fn sends_as(&self, kind: &'static str, body: &str, tag: Option<&str>) {
        self.answers(Answer::File {
            body: body.to_owned(),
            kind,
            tag: tag.map(str::to_owned),
        });
    }

    pub fn fails_with(&self, status: u16) {
        self.answers(Answer::Status(status));
    }

    pub fn redirects_to(&self, url: &str) {
        self.answers(Answer::Redirect(url.to_owned()));
    }

    pub fn never_ends(&self) {
        self.answers(Answer::Endless);
    }

    pub fn drips(&self) {
        self.answers(Answer::Drip);
    }

    /// The headers of all requests that came.
    pub fn requests(&self) -> Vec<HeaderMap> {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clone()
    }

    fn answers(&self, answer: Answer) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).0 = answer;
    }
}

/// A calendar with these stays `(from, to)`.
pub fn calendar(stays: &[(String, String)]) -> String {
    let events = stays.iter().map(|(from, to)| {
        let (from, to) = (from.replace('-', ""), to.replace('-', ""));
        format!(
            "BEGIN:VEVENT\r\nUID:{from}@elsewhere\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;VALUE=DATE:{from}\r\n\
             DTEND;VALUE=DATE:{to}\r\nSUMMARY:Somebody\r\nEND:VEVENT\r\n"
        )
    });
    let events: String = events.collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Elsewhere//EN\r\n{events}END:VCALENDAR\r\n"
    )
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let answer = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.1.push(headers.clone());
        shared.0.clone()
    };
    match answer {
        Answer::File { body, kind, tag } => {
            let known = headers.get(header::IF_NONE_MATCH);
            if tag.is_some() && known.map(|known| known.to_str().ok()) == Some(tag.as_deref()) {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
            if let Some(tag) = tag {
                let tag = tag.parse().expect("a header");
                response.headers_mut().insert(header::ETAG, tag);
            }
            response
        }
        Answer::Status(status) => StatusCode::from_u16(status)
            .expect("a status")
            .into_response(),
        Answer::Redirect(url) => (StatusCode::FOUND, [(header::LOCATION, url)], "").into_response(),
        Answer::Endless => {
            let megabyte = Bytes::from(vec![b'x'; 1 << 20]);
            let parts =
                stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(megabyte.clone())));
            Body::from_stream(parts).into_response()
        }
        Answer::Drip => {
            let parts = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(b"\n")), ()))
            });
            Body::from_stream(parts).into_response()
        }
    }
}
