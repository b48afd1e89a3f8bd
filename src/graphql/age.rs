//! For how long answers may be kept, by the schema's own word: `@cacheControl(maxAge: …)`, as Apollo's servers have it.
//!
//! An answer is as old as the strictest of its fields allows. A field at the root that says nothing allows nothing; below it, one that says nothing
//! leaves it to those above. What an answer shows is known only when it was made (see [`showing`](super::showing)): both have to allow it.

use std::collections::HashMap;

use async_graphql::{
    Positioned, TypeDirective, Value,
    parser::types::{
        ConstDirective, ExecutableDocument, OperationDefinition, OperationType, Selection,
        SelectionSet, TypeKind,
    },
};

use super::definitions::{definitions, named};

/// For how many seconds the answer may be given again to those who are not signed in, unless what it shows changes before. 0 for not at all.
#[TypeDirective(name = "cacheControl", location = "FieldDefinition")]
pub(super) fn cache_control(#[graphql(name = "maxAge", desc = "Seconds.")] max_age: i32) {}

/// What the fields of the schema say. Made once.
#[derive(Debug)]
pub struct Ages(HashMap<String, HashMap<String, Field>>);

#[derive(Debug)]
struct Field {
    of: String,
    max_age: Option<u64>,
}

impl Ages {
    /// What a schema says that is written in the schema definition language.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let types = definitions(sdl).into_iter().map(|(name, definition)| {
            let fields = match definition.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => vec![],
            };
            let fields = fields.into_iter().map(|field| {
                let field = field.node;
                let of = named(&field.ty.node).0.to_owned();
                let max_age = max_age(&field.directives);
                (field.name.node.to_string(), Field { of, max_age })
            });
            (name, fields.collect())
        });
        Self(types.collect())
    }

    /// For how many seconds an operation's answer may be kept; none where it may not.
    #[must_use]
    pub fn of_operation(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
    ) -> Option<u64> {
        if operation.ty != OperationType::Query {
            return None;
        }
        let set = &operation.selection_set.node;
        let max_age = self.selection(document, "Query", set, Some(0));
        max_age.filter(|seconds| *seconds > 0)
    }

    /// Whether an operation is a query whose fields at the root all lead to what everybody may see: those whose answers may be kept, for however long.
    #[must_use]
    pub fn is_public(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
    ) -> bool {
        operation.ty == OperationType::Query
            && self.is_public_at_root(document, &operation.selection_set.node)
    }

    fn is_public_at_root(&self, document: &ExecutableDocument, set: &SelectionSet) -> bool {
        set.items.iter().all(|item| match &item.node {
            Selection::Field(field) => {
                let field = self
                    .0
                    .get("Query")
                    .and_then(|root| root.get(field.node.name.node.as_str()));
                // What tells of the types is everybody's.
                field.is_none_or(|field| field.max_age.is_some())
            }
            Selection::InlineFragment(fragment) => {
                self.is_public_at_root(document, &fragment.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => document
                .fragments
                .get(&spread.node.fragment_name.node)
                .is_some_and(|fragment| {
                    self.is_public_at_root(document, &fragment.node.selection_set.node)
                }),
        })
    }

    /// The strictest of what is selected; none where nothing of it says anything.
    fn selection(
        &self,
        document: &ExecutableDocument,
        of: &str,
        set: &SelectionSet,
        unsaid: Option<u64>,
    ) -> Option<u64> {
        let ages = set.items.iter().filter_map(|item| match &item.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                // What tells of the types never changes.
                let field_of = self.0.get(of).and_then(|fields| fields.get(name));
                let Some(Field { of, max_age }) = field_of else {
                    return unsaid.map(|_| u64::MAX);
                };
                let own = max_age.or(unsaid);
                let below = self.selection(document, of, &field.node.selection_set.node, None);
                own.into_iter().chain(below).min()
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let of = condition.map_or(of, |condition| &condition.node.on.node);
                self.selection(document, of, &fragment.node.selection_set.node, unsaid)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
                let of = &fragment.node.type_condition.node.on.node;
                self.selection(document, of, &fragment.node.selection_set.node, unsaid)
            }
        });
        ages.min()
    }
}

fn max_age(directives: &[Positioned<ConstDirective>]) -> Option<u64> {
    let own = directives
        .iter()
        .find(|directive| directive.node.name.node == "cacheControl")?;
    match &own.node.get_argument("maxAge")?.node {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, types::DocumentOperations};

    use super::*;

    #[test]
    fn an_operation_is_public_when_all_of_its_roots_are() {
        let ages = Ages::of(&crate::graphql::sdl());
        for (document, expected) in [
            ("{ properties { totalCount } __typename }", true),
            (
                "{ property(id: 1) { quote(checkIn: 1, checkOut: 2) { available } } }",
                true,
            ),
            ("{ viewer { email } }", false),
            ("{ booking(id: 1) { id } }", false),
            ("{ properties { totalCount } viewer { email } }", false),
            ("{ ... { viewer { email } } }", false),
            (
                "{ ...all } fragment all on Query { properties { totalCount } }",
                true,
            ),
            (
                "{ ...all } fragment all on Query { properties { totalCount } ... on Query { viewer { email } } }",
                false,
            ),
            ("mutation { properties }", false),
            ("subscription { properties }", false),
        ] {
            let parsed = parse_query(document).expect("it parses");
            let DocumentOperations::Single(operation) = &parsed.operations else {
                panic!("one operation: {document}");
            };
            assert_eq!(
                ages.is_public(&parsed, &operation.node),
                expected,
                "{document}"
            );
        }
    }
}
