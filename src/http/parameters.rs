//! What a client asks for, in JSON over every transport, or in a URL.

use axum::body::Body;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    documents::{Extensions, Named},
    json::Object,
};

/// How much of a body that is too large is still read, so that its sender reads the answer: a connection that is closed while the
/// client writes is reset, and the answer is lost with it.
const DISCARDED: usize = 16 << 20;

/// What a client asks for. It names a document, one way or another.
#[derive(Deserialize)]
#[serde(try_from = "Given")]
pub(super) struct Parameters(Given);

/// What a client gave.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    query: Option<String>,
    /// <https://github.com/graphql/graphql-over-http/blob/main/rfcs/Persisted%20Operations.md>
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Object<Extensions>>,
}

impl TryFrom<Given> for Parameters {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let extensions = given.extensions.as_ref();
        let by_digest = extensions.is_some_and(|Object(extensions)| extensions.names_document());
        if given.query.is_some() || given.document_id.is_some() || by_digest {
            Ok(Self(given))
        } else {
            Err("it has no `query`")
        }
    }
}

/// What came in one body.
pub(super) enum Sent {
    One(Parameters),
    Several(Vec<Parameters>),
}

/// The same in a URL.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrlParameters {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl Parameters {
    /// Which of the document's operations is meant.
    pub(super) fn operation_name(&self) -> Option<&str> {
        self.0.operation_name.as_deref()
    }

    /// The values of its variables.
    pub(super) const fn variables(&self) -> Option<&Map<String, Value>> {
        self.0.variables.as_ref()
    }

    /// What it says beside the operation.
    pub(super) fn extensions(&self) -> Option<&Extensions> {
        self.0
            .extensions
            .as_ref()
            .map(|Object(extensions)| extensions)
    }

    /// How the client calls the operation on a stream that several share.
    pub(super) fn operation_id(&self) -> Option<&str> {
        self.extensions()?.operation_id.as_deref()
    }

    /// How it names its document.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what can't be understood.
    pub(super) fn named(&self) -> Result<Named<'_>, async_graphql::ServerError> {
        let digest = self.extensions().map(Extensions::digest).transpose()?;
        Ok(Named {
            text: self.0.query.as_deref(),
            id: self.0.document_id.as_deref(),
            digest: digest.flatten(),
        })
    }
}

/// Reads a body of JSON.
///
/// # Errors
/// When it is neither one request nor a list of some.
pub(super) fn read(body: &[u8]) -> serde_json::Result<Sent> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let several: Vec<Object<Parameters>> = serde_json::from_slice(body)?;
        return Ok(Sent::Several(
            several.into_iter().map(|Object(one)| one).collect(),
        ));
    }
    serde_json::from_slice(body).map(|Object(one)| Sent::One(one))
}

/// Reads the parameters of a URL.
///
/// # Errors
/// A sentence that says what is wrong with them.
pub(super) fn read_url(parameters: UrlParameters) -> Result<Parameters, String> {
    fn object<T: for<'de> Deserialize<'de>>(
        name: &str,
        text: Option<String>,
    ) -> Result<Option<T>, String> {
        let text = text.filter(|text| !text.is_empty());
        let object = text.map(|text| serde_json::from_str::<Option<T>>(&text));
        object
            .transpose()
            .map(Option::flatten)
            .map_err(|error| format!("`{name}` is not a JSON object: {error}"))
    }
    let given = Given {
        query: parameters.query,
        document_id: parameters.document_id,
        operation_name: parameters.operation_name,
        variables: object("variables", parameters.variables)?,
        extensions: object("extensions", parameters.extensions)?,
    };
    Parameters::try_from(given)
        .map_err(|_| "Give the operation in the parameter `query`, or send it by POST.".to_owned())
}

/// Reads a body of a request that is refused, for the sake of its sender, and keeps nothing.
pub(super) async fn discard(body: Body) {
    body_of(body, 0).await;
}

/// A body, unless it has more bytes than these, or breaks off.
pub(super) async fn body_of(body: Body, most: usize) -> Option<Vec<u8>> {
    let (mut chunks, mut read, mut total) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        total += chunk.len();
        if total <= most {
            read.extend_from_slice(&chunk);
        } else if total > DISCARDED {
            return None;
        }
    }
    (total <= most).then_some(read)
}
