//! The places of the schema where something is taken.

use std::collections::HashMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Map, Value, json};

/// The scalars that are sent as texts.
const TEXTS: [&str; 5] = ["String", "ID", "Date", "DateTime", "Decimal"];

/// The schema, as far as it takes something: the fields of its roots by the kind of their operations, and what they take.
pub struct Schema {
    pub roots: Vec<(&'static str, String, Vec<InputValueDefinition>)>,
    inputs: HashMap<String, Vec<InputValueDefinition>>,
    enums: HashMap<String, String>,
}

impl Schema {
    pub fn served() -> Self {
        let mut schema = Self {
            roots: vec![],
            inputs: HashMap::new(),
            enums: HashMap::new(),
        };
        for definition in parse_schema(staygate::graphql::sdl())
            .expect("a schema")
            .definitions
        {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => {
                    let Some(kind) = [("Query", "query"), ("Mutation", "mutation")]
                        .into_iter()
                        .find(|(root, _)| *root == name)
                    else {
                        continue;
                    };
                    for field in object.fields {
                        let arguments = field
                            .node
                            .arguments
                            .into_iter()
                            .map(|argument| argument.node);
                        schema.roots.push((
                            kind.1,
                            field.node.name.node.to_string(),
                            arguments.collect(),
                        ));
                    }
                }
                TypeKind::InputObject(input) => {
                    let fields = input.fields.into_iter().map(|field| field.node);
                    schema.inputs.insert(name, fields.collect());
                }
                TypeKind::Enum(one) => {
                    let first = one.values.first().expect("a value");
                    schema.enums.insert(name, first.node.value.node.to_string());
                }
                _ => {}
            }
        }
        schema
    }

    /// The ways to every text in these arguments.
    pub fn places(&self, arguments: &[InputValueDefinition]) -> Vec<Vec<String>> {
        let of = |argument: &InputValueDefinition| {
            let name = argument.name.node.to_string();
            let kind = named(&argument.ty.node);
            if TEXTS.contains(&kind) {
                return vec![vec![name]];
            }
            let within = self.inputs.get(kind).map(|fields| self.places(fields));
            within
                .into_iter()
                .flatten()
                .map(|way| [vec![name.clone()], way].concat())
                .collect()
        };
        arguments.iter().flat_map(of).collect()
    }

    /// What is needed of these arguments, with a text at one place.
    pub fn filled(
        &self,
        good: &dyn Fn(&str, &str) -> Value,
        arguments: &[InputValueDefinition],
        place: &[String],
        text: &Value,
    ) -> Value {
        let mut values = Map::new();
        for argument in arguments {
            let name = argument.name.node.as_str();
            let on_the_way = place.first().is_some_and(|next| next == name);
            let needed = !argument.ty.node.nullable && argument.default_value.is_none();
            if !on_the_way && !needed {
                continue;
            }
            let kind = named(&argument.ty.node);
            let value = match self.inputs.get(kind) {
                Some(fields) => {
                    let rest = if on_the_way { &place[1..] } else { &[] };
                    self.filled(good, fields, rest, text)
                }
                None if on_the_way => text.clone(),
                None => self
                    .enums
                    .get(kind)
                    .map_or_else(|| good(name, kind), |value| json!(value)),
            };
            let is_list = matches!(argument.ty.node.base, BaseType::List(_));
            values.insert(
                name.to_owned(),
                if is_list { json!([value]) } else { value },
            );
        }
        Value::Object(values)
    }
}

fn named(kind: &Type) -> &str {
    match &kind.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}
