//! The schema that is served: which fields its objects have, and of which types they are.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition},
};

/// Object types with their fields, and the type of each without its lists.
pub struct Schema(BTreeMap<String, BTreeMap<String, String>>);

impl Schema {
    pub fn served() -> Self {
        let document = parse_schema(staygate::graphql::sdl()).expect("a schema");
        let mut objects = BTreeMap::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            if let TypeKind::Object(object) = &definition.node.kind {
                let fields = object.fields.iter().map(|field| named(&field.node));
                objects.insert(definition.node.name.node.to_string(), fields.collect());
            }
        }
        let schema = Self(objects);
        assert!(schema.0.len() > 20, "the schema was not read");
        schema
    }

    pub fn objects(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Every field of an object type, such as `Query.viewer`.
    pub fn fields_of(&self, object: &str) -> Vec<String> {
        let fields = self.0.get(object).into_iter().flat_map(BTreeMap::keys);
        fields.map(|field| format!("{object}.{field}")).collect()
    }

    /// The fields of which a row speaks: itself, or all of a type's.
    pub fn meant_by(&self, name: &str) -> Vec<String> {
        match name.strip_suffix(".*") {
            Some(object) => self.fields_of(object),
            None => vec![name.to_owned()],
        }
    }

    /// Whether a field gives an object, of which something must be selected.
    pub fn gives_object(&self, object: &str, field: &str) -> bool {
        let kind = self.0.get(object).and_then(|fields| fields.get(field));
        kind.is_some_and(|kind| self.0.contains_key(kind) || kind == "Node")
    }

    /// What mutations give: it is theirs, and has no rows of its own.
    pub fn payloads(&self) -> BTreeSet<&str> {
        self.0["Mutation"].values().map(String::as_str).collect()
    }

    /// Every field that leads to one of some types.
    pub fn ways_to(&self, types: &BTreeSet<&str>) -> BTreeSet<String> {
        let fields = self.0.iter().flat_map(|(object, fields)| {
            let found = fields
                .iter()
                .filter(|(_, kind)| types.contains(kind.as_str()));
            found.map(move |(field, _)| format!("{object}.{field}"))
        });
        fields.collect()
    }
}

fn named(field: &FieldDefinition) -> (String, String) {
    fn base(kind: &Type) -> String {
        match &kind.base {
            BaseType::Named(name) => name.to_string(),
            BaseType::List(inner) => base(inner),
        }
    }
    (field.name.node.to_string(), base(&field.ty.node))
}
