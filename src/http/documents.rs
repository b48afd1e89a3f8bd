//! Documents that clients name instead of sending them: those that somebody sent before (automatic persisted queries,
//! <https://www.apollographql.com/docs/apollo-server/performance/apq>), and those that the operator trusts.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use async_graphql::ServerError;
use serde::Deserialize;

use super::{json::Object, operation::refused};
use crate::{domain::digest::sha256_hex, store::documents::Documents};

/// The documents of an application that its operator trusts, by their ids.
#[derive(Debug, Default)]
pub struct Manifest {
    by_id: HashMap<String, Arc<str>>,
    digests: HashSet<String>,
}

/// Who may run trusted documents alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum TrustedOnly {
    /// Nobody: whoever likes sends documents.
    #[default]
    Nobody,
    /// Who is not signed in.
    SignedOut,
    /// Everybody.
    Everybody,
}

/// What a client names a document by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Named<'a> {
    /// The document itself.
    pub(super) text: Option<&'a str>,
    /// Its id.
    pub(super) id: Option<&'a str>,
    /// Its digest, as automatic persisted queries have it.
    pub(super) digest: Option<&'a str>,
}

/// Where documents are looked for.
#[derive(Clone)]
pub struct Library {
    /// What was sent before; none where nothing is kept.
    pub sent: Option<Documents>,
    /// What is trusted.
    pub trusted: Arc<Manifest>,
    /// Who may run nothing else.
    pub only: TrustedOnly,
}

/// The extension of automatic persisted queries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersistedQuery {
    version: u32,
    pub(super) sha256_hash: String,
}

/// What clients say beside an operation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Extensions {
    persisted_query: Option<Object<PersistedQuery>>,
    /// Whether the answer is to say what it has cost.
    pub(super) cost: bool,
    /// How a client calls an operation on a stream that several share.
    pub(super) operation_id: Option<String>,
}

impl Extensions {
    /// Whether a document is named by its digest.
    pub(super) const fn names_document(&self) -> bool {
        self.persisted_query.is_some()
    }

    /// The digest of the document.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for another version of the protocol.
    pub(super) fn digest(&self) -> Result<Option<&str>, ServerError> {
        match &self.persisted_query {
            None => Ok(None),
            Some(Object(named)) if named.version == 1 => Ok(Some(&named.sha256_hash)),
            Some(_) => Err(refused(
                "BAD_USER_INPUT",
                "Persisted queries are spoken in version 1.",
            )),
        }
    }
}

impl Manifest {
    /// Reads a manifest: an object of texts by ids, as Relay's compiler writes it, or Apollo's `apollo-persisted-query-manifest`.
    ///
    /// # Errors
    /// When it is neither, or a document does not parse.
    pub fn read(json: &str) -> anyhow::Result<Self> {
        let by_id = match serde_json::from_str::<Apollos>(json) {
            Ok(apollos) => {
                ensure!(
                    apollos.format == "apollo-persisted-query-manifest" && apollos.version == 1,
                    "it is of another format, or version"
                );
                let operations = apollos.operations.into_iter();
                operations.map(|one| (one.id, one.body)).collect()
            }
            Err(_) => serde_json::from_str::<HashMap<String, String>>(json)
                .context("it is neither Relay's nor Apollo's")?,
        };
        let mut manifest = Self::default();
        for (id, text) in by_id {
            async_graphql::parser::parse_query(&text)
                .with_context(|| format!("the document {id} does not parse"))?;
            manifest.digests.insert(sha256_hex(&text));
            manifest.by_id.insert(id, text.into());
        }
        Ok(manifest)
    }
}

/// <https://www.npmjs.com/package/@apollo/generate-persisted-query-manifest>
#[derive(Deserialize)]
struct Apollos {
    format: String,
    version: u32,
    operations: Vec<ApollosOperation>,
}

#[derive(Deserialize)]
struct ApollosOperation {
    id: String,
    body: String,
}

impl Library {
    /// The document that is meant.
    ///
    /// # Errors
    /// `PERSISTED_QUERY_NOT_FOUND` for one that is not kept: the client sends it then; `BAD_USER_INPUT` for one that is not what its digest says, or
    /// for none; `FORBIDDEN` for one that is not trusted, where nothing else is run.
    pub(super) async fn find(
        &self,
        named: Named<'_>,
        is_signed_in: bool,
    ) -> Result<String, ServerError> {
        let id = named.id.or(named.digest);
        if let Some(document) = id.and_then(|id| self.trusted.by_id.get(id)) {
            return Ok(document.to_string());
        }
        let trusted_only = match self.only {
            TrustedOnly::Nobody => false,
            TrustedOnly::SignedOut => !is_signed_in,
            TrustedOnly::Everybody => true,
        };
        let digest = named.text.map(sha256_hex);
        if trusted_only
            && !digest
                .as_ref()
                .is_some_and(|own| self.trusted.digests.contains(own))
        {
            return Err(match named.text {
                None => not_found(),
                Some(_) => refused(
                    "FORBIDDEN",
                    "This server runs the operations of its own applications alone.",
                ),
            });
        }
        match (named.text, named.digest) {
            (Some(text), None) => Ok(text.to_owned()),
            (Some(text), Some(said)) => {
                if digest.is_none_or(|digest| !digest.eq_ignore_ascii_case(said)) {
                    let message = "The provided sha does not match the query.";
                    return Err(refused("BAD_USER_INPUT", message));
                }
                Ok(text.to_owned())
            }
            (None, Some(digest)) => self.sent(digest).await,
            (None, None) if named.id.is_some() => Err(not_found()),
            (None, None) => Err(refused(
                "BAD_USER_INPUT",
                "Give the operation in `query`, or name it.",
            )),
        }
    }

    /// Keeps a document that a client sent with its digest, once it is known to be a good one.
    pub(super) async fn keep(&self, named: Named<'_>) {
        if let (Some(sent), Some(text), Some(digest)) = (&self.sent, named.text, named.digest) {
            sent.keep(&digest.to_ascii_lowercase(), text).await;
        }
    }

    async fn sent(&self, digest: &str) -> Result<String, ServerError> {
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(sent) = self.sent.as_ref().filter(|_| is_digest) else {
            return Err(not_found());
        };
        let document = sent.get(&digest.to_ascii_lowercase()).await;
        document
            .map(|document| document.to_string())
            .ok_or_else(not_found)
    }
}

/// In the words that clients know.
fn not_found() -> ServerError {
    refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_of_relay_and_of_apollo_are_read() {
        let relays = r#"{"0f1e": "query A { __typename }"}"#;
        let apollos = r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"0f1e","body":"query A { __typename }","name":"A","type":"query"}]}"#;
        for manifest in [relays, apollos] {
            let manifest = Manifest::read(manifest).unwrap();
            assert_eq!(&*manifest.by_id["0f1e"], "query A { __typename }");
        }
        for wrong in [
            "",
            "[]",
            r#"{"a":"{"}"#,
            r#"{"format":"else","version":1,"operations":[]}"#,
            r#"{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}"#,
        ] {
            assert!(Manifest::read(wrong).is_err(), "{wrong}");
        }
    }
}
