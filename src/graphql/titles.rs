//! What operations are called in figures: by the field at their root. Clients choose the names of operations and could make up one for each request; fields there
//! are as many as the schema has.

use std::collections::HashMap;

use async_graphql::parser::types::{OperationDefinition, OperationType, Selection, TypeKind};

use super::definitions::definitions;

/// Of an operation with several fields at its root.
const SEVERAL: &str = "several";
/// Of one that asks for the schema, or for no field of it by name.
const OTHER: &str = "other";

/// The fields at the roots of the schema. Made once.
#[derive(Debug)]
pub struct Titles(HashMap<&'static str, Vec<String>>);

impl Titles {
    /// Of a schema in the schema definition language.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let mut types = definitions(sdl);
        let roots = ["Query", "Mutation", "Subscription"].map(|root| {
            let fields = match types.remove(root).map(|definition| definition.kind) {
                Some(TypeKind::Object(object)) => object.fields,
                _ => vec![],
            };
            let names = fields
                .into_iter()
                .map(|field| field.node.name.node.to_string());
            (root, names.collect())
        });
        Self(HashMap::from(roots))
    }

    /// What an operation is called, whether or not it is valid.
    #[must_use]
    pub fn of_operation(&self, operation: &OperationDefinition) -> String {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let title = match operation.selection_set.node.items.as_slice() {
            [only] => match &only.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let is_known = self.0[root].iter().any(|known| known == name);
                    if is_known { name } else { OTHER }
                }
                _ => OTHER,
            },
            _ => SEVERAL,
        };
        title.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, types::DocumentOperations};

    use super::*;

    #[test]
    fn there_are_no_more_titles_than_fields_whatever_clients_call_things() {
        let titles = Titles::of("type Query { house(id: ID!): Int } type Mutation { sell: Int }");
        for (document, expected) in [
            ("query Mine { house(id: 1) }", "house"),
            ("{ mine: house(id: 1) }", "house"),
            ("mutation { sell }", "sell"),
            ("{ sell }", OTHER),
            ("{ made_up_27 }", OTHER),
            ("{ __schema { types { name } } }", OTHER),
            ("{ ... { house(id: 1) } }", OTHER),
            ("{ a: house(id: 1) b: house(id: 2) }", SEVERAL),
        ] {
            let parsed = parse_query(document).expect("it parses");
            let operation = match parsed.operations {
                DocumentOperations::Single(operation) => operation,
                DocumentOperations::Multiple(mut named) => {
                    let name = named.keys().next().expect("one").clone();
                    named.remove(&name).expect("it is there")
                }
            };
            assert_eq!(titles.of_operation(&operation.node), expected, "{document}");
        }
    }
}
