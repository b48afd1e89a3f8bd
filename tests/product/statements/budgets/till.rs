//! Counting statements.

use std::{collections::BTreeMap, future::Future};

use serde_json::{Value, json};

use crate::support::{Client, World};

/// The counts of one operation after the other.
pub(super) struct Till<'a> {
    pub(super) world: &'a World,
    pub(super) counted: BTreeMap<&'static str, u64>,
}

impl Till<'_> {
    /// What a step costs; the dearest of one name counts.
    pub(super) async fn rings(
        &mut self,
        name: &'static str,
        step: impl Future<Output = Value>,
    ) -> Value {
        let before = self.world.app.db.statements_sent();
        let answer = step.await;
        let cost = self.world.app.db.statements_sent() - before;
        let counted = self.counted.entry(name).or_default();
        *counted = cost.max(*counted);
        answer
    }

    pub(super) async fn reads(
        &mut self,
        name: &'static str,
        who: &Client,
        query: &str,
        variables: Value,
    ) -> Value {
        let answer = self.rings(name, who.get(query, variables)).await;
        assert_ne!(answer, json!(null), "{name}");
        answer
    }

    pub(super) async fn does(
        &mut self,
        name: &'static str,
        who: &Client,
        input: Value,
        selection: &str,
    ) -> Value {
        let field = name.trim_start_matches("Mutation.");
        let kind = format!("{}{}Input!", field[..1].to_uppercase(), &field[1..]);
        let made = self
            .rings(name, who.mutate(field, &kind, input, selection))
            .await;
        assert_eq!(made["userErrors"], json!([]), "{name}");
        made
    }

    pub(super) async fn does_by_id(
        &mut self,
        name: &'static str,
        who: &Client,
        id: &str,
        selection: &str,
    ) -> Value {
        let field = name.trim_start_matches("Mutation.");
        let made = self
            .rings(name, who.mutate_by_id(field, id, selection))
            .await;
        assert_eq!(made["userErrors"], json!([]), "{name}");
        made
    }

    /// From the subscription to its first event, which `cause` brings about.
    pub(super) async fn hears(
        &mut self,
        name: &'static str,
        who: &Client,
        query: &str,
        variables: Value,
        cause: impl Future<Output = ()>,
    ) {
        let mut socket = who.opens_a_socket().await;
        let before = self.world.app.db.statements_sent();
        socket.subscribe("1", query, variables).await;
        // Nothing tells that a subscription has begun but its first event.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let begun = self.world.app.db.statements_sent();
        cause.await;
        let caused = self.world.app.db.statements_sent();
        socket.next_event().await;
        let told = self.world.app.db.statements_sent();
        let cost = (begun - before) + (told - caused);
        let counted = self.counted.entry(name).or_default();
        *counted = cost.max(*counted);
    }
}
