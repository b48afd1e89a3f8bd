//! One cell of the table: one actor, about to try one thing.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::cast::{Cast, Stage, Who};
use crate::support::{Client, World};

/// One actor, about to try one thing.
pub struct Cell<'w> {
    pub world: &'w World,
    pub stage: &'w Stage,
    /// The stage's, or for what changes something a new one.
    pub cast: Cast,
    pub who: Who,
}

/// Tries it, and gives the whole answers. Where there are several they mean the same, and must say the same.
pub type Probe = for<'a> fn(&'a Cell<'a>) -> BoxFuture<'a, Vec<Value>>;

impl Cell<'_> {
    pub fn caller(&self) -> &Client {
        self.cast.client(self.who)
    }

    pub async fn ask(&self, document: &str, variables: Value) -> Vec<Value> {
        vec![self.caller().ask(document, variables).await]
    }

    /// Asks for one thing by its id.
    pub async fn ask_for(&self, field: &str, id: &str) -> Vec<Value> {
        let document = format!("query($id: ID!) {{ probe: {field}(id: $id) {{ id }} }}");
        self.ask(&document, json!({ "id": id })).await
    }

    /// Asks for anything by its id, in both ways.
    pub async fn ask_for_node(&self, id: &str) -> Vec<Value> {
        let one = self.ask_for("node", id).await;
        let several = "query($id: ID!) { nodes(ids: [$id]) { probe: id } }";
        [one, self.ask(several, json!({ "id": id })).await].concat()
    }

    /// Runs a mutation with one input object.
    pub async fn does(
        &self,
        name: &str,
        input_type: &str,
        input: Value,
        selection: &str,
    ) -> Vec<Value> {
        let document = format!(
            "mutation($input: {input_type}) {{ {name}(input: $input) {{ {selection} {REFUSAL} }} }}"
        );
        self.ask(&document, json!({ "input": input })).await
    }

    /// Runs a mutation without arguments.
    pub async fn does_alone(&self, name: &str, selection: &str) -> Vec<Value> {
        let document = format!("mutation {{ {name} {{ {selection} {REFUSAL} }} }}");
        self.ask(&document, json!({})).await
    }

    /// Runs a mutation of one thing by its id.
    pub async fn does_by_id(&self, name: &str, id: &str, selection: &str) -> Vec<Value> {
        let document =
            format!("mutation($id: ID!) {{ {name}(id: $id) {{ {selection} {REFUSAL} }} }}");
        self.ask(&document, json!({ "id": id })).await
    }
}

const REFUSAL: &str = "userErrors { field code }";
