//! Whether values are of the types that variables are declared with, by the schema's definition.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Value, Variables,
    parser::types::{BaseType, OperationDefinition, Type, TypeKind},
};

use super::{definitions::definitions, scalars};

/// The types that variables may have. Made once.
#[derive(Debug)]
pub struct Inputs(HashMap<String, Input>);

#[derive(Debug)]
enum Input {
    /// A scalar of the schema's own: all of them are written as texts.
    Scalar,
    Enum(HashSet<String>),
    Object(HashMap<String, Field>),
}

#[derive(Debug)]
struct Field {
    ty: Type,
    has_default: bool,
}

impl Inputs {
    /// The types of a schema that is written in the schema definition language.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let inputs = definitions(sdl)
            .into_iter()
            .filter_map(|(name, definition)| {
                let input = match definition.kind {
                    TypeKind::Scalar => Input::Scalar,
                    TypeKind::Enum(of) => {
                        let names = of.values.into_iter();
                        Input::Enum(
                            names
                                .map(|value| value.node.value.node.to_string())
                                .collect(),
                        )
                    }
                    TypeKind::InputObject(of) => {
                        let fields = of.fields.into_iter().map(|field| {
                            let has_default = field.node.default_value.is_some();
                            let ty = field.node.ty.node;
                            (field.node.name.node.to_string(), Field { ty, has_default })
                        });
                        Input::Object(fields.collect())
                    }
                    _ => return None,
                };
                Some((name, input))
            });
        Self(inputs.collect())
    }

    /// Whether these are surely good values for the variables of an operation. Of some good ones it is not sure: nulls, and single values where a
    /// list is meant.
    #[must_use]
    pub fn fit(&self, operation: &OperationDefinition, given: &Variables) -> bool {
        let declared = &operation.variable_definitions;
        let fits = |(name, value): (&Name, &Value)| {
            let variable = declared
                .iter()
                .find(|variable| variable.node.name.node == *name);
            variable.is_some_and(|variable| self.fits(&variable.node.var_type.node, value))
        };
        let is_there = |name: &Name| given.contains_key(name);
        given.iter().all(fits)
            && declared.iter().all(|variable| {
                let variable = &variable.node;
                variable.var_type.node.nullable
                    || variable.default_value.is_some()
                    || is_there(&variable.name.node)
            })
    }

    fn fits(&self, ty: &Type, value: &Value) -> bool {
        match (&ty.base, value) {
            (BaseType::List(of), Value::List(values)) => {
                values.iter().all(|value| self.fits(of, value))
            }
            (BaseType::Named(name), value) => self.is_of(name, value),
            _ => false,
        }
    }

    fn is_of(&self, name: &str, value: &Value) -> bool {
        match (name, value) {
            ("Int", Value::Number(number)) => number
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()),
            ("Float", Value::Number(_))
            | ("Boolean", Value::Boolean(_))
            | ("String" | "ID", Value::String(_)) => true,
            ("Int" | "Float" | "Boolean" | "String" | "ID", _) => false,
            _ => match (self.0.get(name), value) {
                (Some(Input::Scalar), Value::String(_)) => scalars::is_good(name, value),
                (Some(Input::Enum(names)), Value::String(name)) => names.contains(name),
                (Some(Input::Object(fields)), Value::Object(values)) => {
                    let is_good = |(name, value): (&Name, &Value)| {
                        let field = fields.get(name.as_str());
                        field.is_some_and(|field| self.fits(&field.ty, value))
                    };
                    let is_needed = |field: &Field| !field.ty.nullable && !field.has_default;
                    values.iter().all(is_good)
                        && fields.iter().all(|(name, field)| {
                            !is_needed(field) || values.contains_key(name.as_str())
                        })
                }
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_the_types_that_they_are_declared_with_and_no_others() {
        let inputs = Inputs::of(&crate::graphql::sdl());
        let fit = |declared: &str, value: serde_json::Value| {
            let document = parse_query(format!("query Q({declared}) {{ __typename }}")).unwrap();
            let (_, operation) = document.operations.iter().next().unwrap();
            inputs.fit(
                &operation.node,
                &Variables::from_json(json!({ "v": value })),
            )
        };
        for (ty, good, bad) in [
            ("Int", json!(3), json!(3.5)),
            ("Int", json!(-2_147_483_648_i64), json!(2_147_483_648_i64)),
            ("Float!", json!(3.5), json!("3.5")),
            ("Boolean!", json!(true), json!(1)),
            ("ID!", json!("a"), json!({})),
            ("[ID!]!", json!(["a", "b"]), json!(["a", null])),
            ("[ID!]!", json!([]), json!("a")),
            ("Date", json!("2026-01-01"), json!(2026)),
            ("Date", json!("2028-02-29"), json!("2027-02-29")),
            (
                "PropertyFilter",
                json!({ "checkIn": "2027-02-28" }),
                json!({ "checkIn": "2027-02-30" }),
            ),
            ("PropertySort", json!("PRICE_ASC"), json!("PRICE")),
            (
                "PropertyFilter",
                json!({ "location": "Oslo", "guests": 2 }),
                json!({ "place": "Oslo" }),
            ),
            ("PropertyFilter", json!({}), json!({ "guests": "2" })),
            (
                "CreateReviewInput!",
                json!({ "bookingId": "a", "rating": 5 }),
                json!({ "rating": 5 }),
            ),
            ("String", json!(""), json!(null)),
        ] {
            let declared = format!("$v: {ty}");
            assert!(fit(&declared, good.clone()), "{ty} {good}");
            assert!(!fit(&declared, bad.clone()), "{ty} {bad}");
        }
        assert!(!fit("$w: Int", json!(3)), "it is not declared");
        assert!(!fit("$v: Int, $w: Int!", json!(3)), "one is missing");
        assert!(fit("$v: Int, $w: Int! = 3", json!(3)));
        assert!(!fit("$v: Property", json!({})), "it is no input");
    }
}
