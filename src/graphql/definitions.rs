//! The types of the schema, read from its definition language.

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{BaseType, Type, TypeDefinition, TypeSystemDefinition},
    },
};

/// The types by their names; none of a schema that does not parse.
pub(super) fn definitions(sdl: &str) -> HashMap<String, TypeDefinition> {
    let mut types = HashMap::new();
    let document = parse_schema(sdl);
    for definition in document
        .into_iter()
        .flat_map(|document| document.definitions)
    {
        if let TypeSystemDefinition::Type(Positioned { node, .. }) = definition {
            types.insert(node.name.node.to_string(), node);
        }
    }
    types
}

/// The name of a type without its wrappers, and whether one of them is a list.
pub(super) fn named(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(inner) => (named(inner).0, true),
    }
}
