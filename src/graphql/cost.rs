//! What an operation costs, before it runs: an object 1, what a page or a list holds times its length, a mutation 10, scalars nothing.
//!
//! Objects that are values (`Money`, `PageInfo`: nothing but scalars and other values) come with what they are part of and cost nothing, and so do the
//! edges of a connection. A connection's length is what it is asked for, by `first` or `last`, given or in a variable. Of other lists
//! nobody knows the length before; they are taken to have [`ASSUMED`] entries, or as many as a list of ids in the arguments.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{
        Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, TypeDefinition, TypeKind,
    },
};

use super::definitions::{definitions, named};
use crate::domain::page::{DEFAULT_PAGE, MAX_PAGE};

/// What a mutation costs, beside what is selected of its payload.
const MUTATION: u64 = 10;
/// How many entries a list is taken to have whose length nobody knows.
const ASSUMED: u64 = 10;

/// What the fields of the schema cost. Made once.
#[derive(Debug)]
pub struct Costs(HashMap<String, HashMap<String, Priced>>);

/// A field that gives objects.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Priced {
    /// Of which type.
    object: String,
    /// What one of them costs.
    each: u64,
    length: Length,
}

/// How many objects a field gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    One,
    /// One, whose lists are as long as its page.
    Connection,
    /// A list of a connection.
    Page,
    /// Another list.
    Unknown,
}

impl Costs {
    /// What the fields of a schema cost that is written in the schema definition language. One that does not parse costs nothing.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let types = definitions(sdl);
        let values = values(&types);
        let fields = |definition: &TypeDefinition| match &definition.kind {
            TypeKind::Object(object) => Some(object.fields.clone()),
            TypeKind::Interface(interface) => Some(interface.fields.clone()),
            _ => None,
        };
        let mut priced = HashMap::new();
        for (name, definition) in &types {
            let mut objects = HashMap::new();
            for field in fields(definition).into_iter().flatten() {
                let (object, is_list) = named(&field.node.ty.node);
                let is_object = types.get(object).is_some_and(|of| {
                    matches!(
                        of.kind,
                        TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)
                    )
                });
                if !is_object || values.contains(object) {
                    continue;
                }
                let takes_page = field
                    .node
                    .arguments
                    .iter()
                    .any(|argument| argument.node.name.node == "first");
                let of_connection = name.ends_with("Connection");
                let length = match (takes_page, is_list) {
                    (true, false) => Length::Connection,
                    (_, true) if of_connection => Length::Page,
                    (_, true) => Length::Unknown,
                    (false, false) => Length::One,
                };
                let price = Priced {
                    object: object.to_owned(),
                    each: u64::from(!object.ends_with("Edge")),
                    length,
                };
                objects.insert(field.node.name.node.to_string(), price);
            }
            priced.insert(name.clone(), objects);
        }
        Self(priced)
    }

    /// What an operation costs with these variables; at least 1. Its fragments contain none of themselves.
    #[must_use]
    pub fn of_operation(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> u64 {
        let (root, of_root) = match operation.ty {
            OperationType::Query => ("Query", 0),
            OperationType::Mutation => ("Mutation", MUTATION),
            OperationType::Subscription => ("Subscription", 0),
        };
        let walk = Walk {
            costs: self,
            document,
            operation,
            variables,
        };
        let set = &operation.selection_set.node;
        walk.selection(root, set, 1, 1, of_root).max(1)
    }
}

/// The names of types that are values.
fn values(types: &HashMap<String, TypeDefinition>) -> HashSet<String> {
    let mut values = HashSet::new();
    loop {
        let before = values.len();
        for (name, definition) in types {
            let TypeKind::Object(object) = &definition.kind else {
                continue;
            };
            let is_plain = object.fields.iter().all(|field| {
                let (of, _) = named(&field.node.ty.node);
                let composite = types.get(of).is_some_and(|of| {
                    matches!(
                        of.kind,
                        TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)
                    )
                });
                field.node.arguments.is_empty() && (!composite || values.contains(of))
            });
            let is_entity = object.implements.iter().any(|of| of.node == "Node");
            if is_plain && !is_entity {
                values.insert(name.clone());
            }
        }
        if values.len() == before {
            return values;
        }
    }
}

/// What costs depend on of a value. Values themselves may be large, and stand in many places by one variable: they are never copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Boolean(bool),
    /// None for what is no length.
    Number(Option<u64>),
    List(usize),
    Other,
}

struct Walk<'a> {
    costs: &'a Costs,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
}

impl Walk<'_> {
    /// What is selected of `times` objects of a type, whose lists have `page` entries where it is a connection. Each field costs `extra` besides.
    fn selection(&self, of: &str, set: &SelectionSet, times: u64, page: u64, extra: u64) -> u64 {
        let costs = set.items.iter().map(|item| match &item.node {
            item if self.is_left_out(item.directives()) => 0,
            Selection::Field(field) => {
                extra.saturating_add(self.field(of, &field.node, times, page))
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let of = condition.map_or(of, |condition| &condition.node.on.node);
                self.selection(of, &fragment.node.selection_set.node, times, page, extra)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                fragment.map_or(0, |fragment| {
                    let of = &fragment.node.type_condition.node.on.node;
                    self.selection(of, &fragment.node.selection_set.node, times, page, extra)
                })
            }
        });
        costs.fold(0, u64::saturating_add)
    }

    fn field(&self, of: &str, field: &Field, times: u64, page: u64) -> u64 {
        let fields = self.costs.0.get(of);
        let Some(priced) = fields.and_then(|fields| fields.get(field.name.node.as_str())) else {
            return 0;
        };
        let times = match priced.length {
            Length::One | Length::Connection => times,
            Length::Page => times.saturating_mul(page),
            Length::Unknown => times.saturating_mul(self.entries(field)),
        };
        let page = match priced.length {
            Length::Connection => self.page(field),
            _ => 1,
        };
        let own = priced.each.saturating_mul(times);
        own.saturating_add(self.selection(
            &priced.object,
            &field.selection_set.node,
            times,
            page,
            0,
        ))
    }

    /// How long a page is asked for. What is no length is refused later, and costs as the longest.
    fn page(&self, field: &Field) -> u64 {
        let asked = ["first", "last"]
            .iter()
            .map(|name| self.shape(&field.get_argument(name)?.node))
            .find(Option::is_some);
        match asked.flatten() {
            None => DEFAULT_PAGE,
            Some(Shape::Number(length)) => length.unwrap_or(MAX_PAGE).min(MAX_PAGE),
            Some(_) => MAX_PAGE,
        }
    }

    /// How many entries a list is taken to have.
    fn entries(&self, field: &Field) -> u64 {
        let lists = field.arguments.iter().filter_map(|(_, argument)| {
            match self.shape(&argument.node)? {
                Shape::List(length) => u64::try_from(length).ok(),
                _ => None,
            }
        });
        lists.max().unwrap_or(ASSUMED)
    }

    fn is_left_out(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let leaves_out = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => return false,
            };
            let condition = directive.node.get_argument("if");
            let condition = condition.and_then(|condition| self.shape(&condition.node));
            condition == Some(Shape::Boolean(leaves_out))
        })
    }

    /// What an argument's value is like; none for null.
    fn shape(&self, value: &async_graphql_value::Value) -> Option<Shape> {
        use async_graphql_value::Value::{Boolean, List, Null, Number, Variable};
        match value {
            Variable(name) => self.variable(name).and_then(Shape::of),
            Null => None,
            Boolean(value) => Some(Shape::Boolean(*value)),
            Number(number) => Some(Shape::Number(number.as_u64())),
            List(list) => Some(Shape::List(list.len())),
            _ => Some(Shape::Other),
        }
    }

    fn variable(&self, name: &Name) -> Option<&Value> {
        let default = || {
            let definitions = self.operation.variable_definitions.iter();
            let definition = definitions.map(|definition| &definition.node);
            definition
                .filter(|definition| definition.name.node == *name)
                .find_map(|definition| Some(&definition.default_value.as_ref()?.node))
        };
        self.variables.get(name).or_else(default)
    }
}

impl Shape {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Number(number) => Some(Self::Number(number.as_u64())),
            Value::List(list) => Some(Self::List(list.len())),
            _ => Some(Self::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, parser::types::DocumentOperations};

    use super::*;

    /// What the only operation of a document costs.
    fn cost(query: &str, variables: serde_json::Value) -> u64 {
        let costs = Costs::of(&crate::graphql::sdl());
        let variables = Variables::from_json(variables);
        let mut request = Request::new(query);
        let document = request.parsed_query().unwrap();
        let operation = match &document.operations {
            DocumentOperations::Single(operation) => operation,
            DocumentOperations::Multiple(several) => several.values().next().unwrap(),
        };
        costs.of_operation(document, &operation.node, &variables)
    }

    #[test]
    fn objects_cost_one_each_and_pages_their_length() {
        let page = |selection: &str| format!("{{ properties(first: 3) {{ {selection} }} }}");
        for (query, expected) in [
            ("{ __typename }".to_owned(), 1),
            (page("totalCount pageInfo { endCursor }"), 1),
            (page("edges { cursor }"), 1),
            (page("edges { node { id title pricePerNight { amount } } }"), 4),
            (page("edges { node { host { fullName } } }"), 7),
            (page("edges { node { reviews(first: 2) { edges { node { rating } } } } }"), 13),
            ("{ properties { edges { node { id } } } }".to_owned(), 21),
            ("{ properties(last: 5) { edges { node { id } } } }".to_owned(), 6),
            ("{ properties(first: 5000) { edges { node { id } } } }".to_owned(), 101),
            ("{ properties(first: -1) { edges { node { id } } } }".to_owned(), 101),
            (r#"{ nodes(ids: ["a", "b", "c"]) { id } }"#.to_owned(), 3),
            (r#"{ a: node(id: "a") { id } b: node(id: "b") { ... on Property { host { id } } } }"#.to_owned(), 3),
            ("mutation { signOut { userErrors { code } } }".to_owned(), 10),
        ] {
            assert_eq!(cost(&query, serde_json::json!({})), expected, "{query}");
        }
    }

    #[test]
    fn variables_fragments_and_what_is_left_out_are_counted_as_they_are() {
        let query = "query Q($n: Int = 4, $with: Boolean!) { properties(first: $n) { ...P @include(if: $with) } }
            fragment P on PropertyConnection { edges { node { id } } }";
        for (variables, expected) in [
            (serde_json::json!({ "with": true }), 5),
            (serde_json::json!({ "with": true, "n": 7 }), 8),
            (serde_json::json!({ "with": true, "n": null }), 21),
            (serde_json::json!({ "with": true, "n": "many" }), 101),
            (serde_json::json!({ "with": false }), 1),
        ] {
            assert_eq!(cost(query, variables.clone()), expected, "{variables}");
        }
    }

    #[test]
    fn the_largest_sensible_search_fits() {
        let search = "{ properties(first: 20) { totalCount pageInfo { endCursor hasNextPage } edges { cursor node {
            id title location pricePerNight { amount currency } averageRating reviewCount host { id fullName }
            reviews(first: 3) { edges { node { id rating comment author { id fullName } } } } } } } }";
        assert_eq!(
            cost(search, serde_json::json!({})),
            1 + 20 * (1 + 1 + 1 + 3 * 2)
        );
    }
}
