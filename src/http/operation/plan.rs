//! Documents that were read before. Parsing one, and finding out whether it is valid, is done once and not for each request.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use async_graphql::{
    Request, ServerError, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use moka::sync::Cache;

use super::{refused, select};
use crate::http::{document, limits::Limits};

/// How many bytes of documents are kept. What is made of one takes some twenty times as much.
const CAPACITY: u64 = 1 << 20;

/// An operation of a document that has been parsed.
#[derive(Debug)]
pub(in crate::http) struct Plan {
    document: ExecutableDocument,
    name: Option<String>,
    /// What the operation is.
    pub(in crate::http) kind: OperationType,
    /// For how many seconds answers may be kept, once it is known to be small enough to be looked through.
    max_age: OnceLock<Option<u64>>,
    /// What it is called in figures, from the same moment on.
    title: OnceLock<Arc<str>>,
    /// Whether it only reads what everybody may see, from the same moment on.
    is_public: OnceLock<bool>,
    /// Whether it was found to be valid once. What depends on variables has to be looked at each time.
    is_valid: AtomicBool,
}

/// Plans by their documents. Cheap to clone.
#[derive(Clone)]
pub struct Plans(Cache<String, Arc<Plan>>);

impl Default for Plans {
    fn default() -> Self {
        let weigher = |key: &String, _: &_| u32::try_from(key.len()).unwrap_or(u32::MAX);
        Self(
            Cache::builder()
                .max_capacity(CAPACITY)
                .weigher(weigher)
                .build(),
        )
    }
}

impl Plans {
    /// The plan of the operation that is meant.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no document, or has no such operation; `QUERY_TOO_COMPLEX` for too long a one.
    pub(super) fn of(
        &self,
        limits: &Limits,
        document: &str,
        name: Option<&str>,
    ) -> Result<Arc<Plan>, ServerError> {
        let name = name.filter(|name| !name.is_empty());
        // With the length first, no name and document are taken for others.
        let length = name.map_or(0, str::len);
        let key = format!("{length} {}{document}", name.unwrap_or_default());
        if let Some(plan) = self.0.get(&key) {
            return Ok(plan);
        }
        let plan = Arc::new(Plan::read(limits, document, name)?);
        self.0.insert(key, Arc::clone(&plan));
        Ok(plan)
    }
}

impl Plan {
    fn read(limits: &Limits, document: &str, name: Option<&str>) -> Result<Self, ServerError> {
        let tokens = document::tokens(document).map_err(|why| refused("BAD_USER_INPUT", why))?;
        limits.check("tokens", tokens, limits.tokens)?;
        let document = async_graphql::parser::parse_query(document)?;
        let operation = select(&document, name).ok_or_else(|| {
            refused(
                "BAD_USER_INPUT",
                "Name one of the document's operations in `operationName`.",
            )
        })?;
        Ok(Self {
            kind: operation.ty,
            name: name.map(ToOwned::to_owned),
            max_age: OnceLock::new(),
            title: OnceLock::new(),
            is_public: OnceLock::new(),
            is_valid: AtomicBool::new(false),
            document,
        })
    }

    pub(super) const fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// The operation.
    pub(super) fn operation(&self) -> &OperationDefinition {
        let found = select(&self.document, self.name.as_deref());
        found.expect("it was there when the document was read")
    }

    /// A request of it, for the executor.
    pub(super) fn request(&self, variables: Variables) -> Request {
        let mut request = Request::new(String::new()).variables(variables);
        request.operation_name.clone_from(&self.name);
        request.set_parsed_query(self.document.clone());
        request
    }

    /// It is within the limits.
    pub(super) fn found_small(
        &self,
        max_age: impl FnOnce() -> Option<u64>,
        title: impl FnOnce() -> String,
        is_public: impl FnOnce() -> bool,
    ) {
        self.max_age.get_or_init(max_age);
        self.title.get_or_init(|| title().into());
        self.is_public.get_or_init(is_public);
    }

    /// Whether it only reads, and what everybody may see.
    pub(super) fn is_public(&self) -> bool {
        self.is_public.get().copied().unwrap_or_default()
    }

    /// What it is called in figures.
    pub(super) fn title(&self) -> Arc<str> {
        self.title.get().map_or_else(|| "other".into(), Arc::clone)
    }

    /// For how many seconds answers may be kept; none where they may not, and for what has never run.
    pub(super) fn max_age(&self) -> Option<u64> {
        self.max_age.get().copied().flatten()
    }

    pub(super) fn is_valid(&self) -> bool {
        self.is_valid.load(Relaxed)
    }

    pub(super) fn found_valid(&self) {
        self.is_valid.store(true, Relaxed);
    }
}
