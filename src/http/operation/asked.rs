//! What a client has asked for, before it is looked at whether that may be run: there may be an answer to it already.

use std::{sync::Arc, time::Duration};

use async_graphql::ServerError;
use sha2::{Digest as _, Sha256};

use super::{Edge, Operation, Parameters, plan::Plan};
use crate::store::answers::Key;

/// What a client has asked for.
pub(in crate::http) struct Asked {
    parameters: Parameters,
    document: String,
    plan: Arc<Plan>,
}

impl Asked {
    /// Finds the document that a client means, and the operation of it.
    ///
    /// # Errors
    /// For one that is not there, not trusted, or none at all.
    pub(in crate::http) async fn read(
        edge: &Edge,
        parameters: Parameters,
        is_signed_in: bool,
    ) -> Result<Self, ServerError> {
        let document = edge.library.find(parameters.named()?, is_signed_in).await?;
        let name = parameters.operation_name();
        let plan = edge.plans.of(&edge.limits, &document, name)?;
        Ok(Self {
            parameters,
            document,
            plan,
        })
    }

    /// Under which key an answer to it is kept that everybody may be given, and for how long; none where there is no such answer. The first time that
    /// an operation is asked for, it is not known yet.
    pub(in crate::http) fn question(&self, edge: &Edge) -> Option<(Key, Duration)> {
        let max_age = self.plan.max_age()?;
        if !edge.answers.are_kept() || self.tells_cost() {
            return None;
        }
        let mut digest = Sha256::new();
        // Each part with its length, so that no two questions are one.
        let name = self.parameters.operation_name().unwrap_or_default();
        let variables = serde_json::to_vec(&self.parameters.variables()).ok()?;
        for part in [
            edge.edition.as_bytes(),
            name.as_bytes(),
            self.document.as_bytes(),
            &variables,
        ] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        Some((digest.finalize().into(), Duration::from_secs(max_age)))
    }

    /// Looks whether it may be run.
    ///
    /// # Errors
    /// For what is over a limit.
    pub(in crate::http) async fn check(self, edge: &Edge) -> Result<Operation, ServerError> {
        let tells_cost = self.tells_cost();
        let variables = self.parameters.variables();
        let mut operation = Operation::check(&edge.limits, &edge.rules, self.plan, variables)?;
        edge.library.keep(self.parameters.named()?).await;
        operation.tells_cost = tells_cost;
        Ok(operation)
    }

    fn tells_cost(&self) -> bool {
        let extensions = self.parameters.extensions();
        extensions.is_some_and(|extensions| extensions.cost)
    }
}
