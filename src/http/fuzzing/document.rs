//! What is true of documents that are let through, found out without what lets them through.

use async_graphql::{
    Positioned, Value as Known,
    parser::{
        parse_query,
        types::{Directive, ExecutableDocument, Selection, SelectionSet},
    },
};
use async_graphql_value::Value;

use crate::http::{document::tokens, limits::Limits};

/// The most selections that the executor walks through: each field of a document within as many others as may be.
const STEPS: usize = 40_000;

/// Parses a text that has been looked at, and counts what was made of it.
pub(super) fn reads_no_more_than_its_tokens(text: &str) {
    let (Ok(tokens), Ok(document)) = (tokens(text), parse_query(text)) else {
        return;
    };
    let mut parts = 0;
    for fragment in document.fragments.values() {
        let directives = count_directives(&fragment.node.directives);
        parts += 3 + directives + count(&fragment.node.selection_set.node);
    }
    for (_, operation) in document.operations.iter() {
        let variables = operation.node.variable_definitions.iter();
        let variables: usize = variables
            .map(|variable| {
                let default = variable.node.default_value.as_ref();
                3 + default.map_or(0, |default| count_known(&default.node))
                    + count_directives(&variable.node.directives)
            })
            .sum();
        let directives = count_directives(&operation.node.directives);
        parts += variables + directives + count(&operation.node.selection_set.node);
    }
    assert!(parts <= tokens, "{parts} parts of {tokens} tokens: {text}");
}

fn count(set: &SelectionSet) -> usize {
    let items = set.items.iter().map(|item| {
        let own = match &item.node {
            Selection::Field(field) => {
                let arguments = field.node.arguments.iter();
                let arguments: usize = arguments
                    .map(|(_, value)| 2 + count_value(&value.node))
                    .sum();
                let alias = if field.node.alias.is_some() { 2 } else { 0 };
                1 + alias + arguments + count(&field.node.selection_set.node)
            }
            Selection::FragmentSpread(_) => 2,
            Selection::InlineFragment(fragment) => 1 + count(&fragment.node.selection_set.node),
        };
        own + count_directives(item.node.directives())
    });
    let items: usize = items.sum();
    // The braces.
    items + if set.items.is_empty() { 0 } else { 2 }
}

fn count_directives(directives: &[Positioned<Directive>]) -> usize {
    let each = directives.iter().map(|directive| {
        let arguments = directive.node.arguments.iter();
        2 + arguments
            .map(|(_, value)| 2 + count_value(&value.node))
            .sum::<usize>()
    });
    each.sum()
}

fn count_value(value: &Value) -> usize {
    match value {
        Value::List(list) => 2 + list.iter().map(count_value).sum::<usize>(),
        Value::Object(map) => 2 + map.values().map(count_value).sum::<usize>(),
        Value::Variable(_) => 2,
        _ => 1,
    }
}

fn count_known(value: &Known) -> usize {
    match value {
        Known::List(list) => 2 + list.iter().map(count_known).sum::<usize>(),
        Known::Object(map) => 2 + map.values().map(count_known).sum::<usize>(),
        _ => 1,
    }
}

/// Walks through an operation that is let through, and through all others of its document, as the executor does: with no memory of what it has seen.
pub(super) fn is_within_limits(text: &str, name: Option<&str>, limits: &Limits) {
    assert!(tokens(text).is_ok_and(|tokens| tokens <= limits.tokens));
    let document = parse_query(text).expect("it was parsed before");
    let name = name.filter(|name| !name.is_empty());
    let mut steps = 0;
    let mut is_there = false;
    for (own, operation) in document.operations.iter() {
        let mut walk = Walk {
            document: &document,
            steps,
            deepest: 0,
            aliases: 0,
            directives: operation.node.directives.len(),
            tells_schema: false,
        };
        let set = &operation.node.selection_set.node;
        walk.selection(set, 0);
        steps = walk.steps;
        if name.is_none_or(|name| own.is_some_and(|own| own == name)) {
            let deepest = if walk.tells_schema { 15 } else { limits.depth };
            assert!(walk.deepest <= deepest);
            assert!(walk.aliases <= limits.aliases);
            assert!(walk.directives <= limits.directives);
            is_there = true;
        }
    }
    assert!(is_there);
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    steps: usize,
    deepest: usize,
    aliases: usize,
    directives: usize,
    tells_schema: bool,
}

impl Walk<'_> {
    fn selection(&mut self, set: &SelectionSet, deep: usize) {
        self.deepest = self.deepest.max(deep);
        for item in &set.items {
            self.steps += 1;
            assert!(self.steps <= STEPS, "it is walked through for too long");
            self.directives += item.node.directives().len();
            match &item.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.tells_schema |= field.node.name.node.starts_with("__");
                    self.deepest = self.deepest.max(deep + 1);
                    self.selection(&field.node.selection_set.node, deep + 1);
                }
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node, deep);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.document.fragments.get(name);
                    let fragment = &fragment.expect("a fragment that is there").node;
                    self.directives += fragment.directives.len();
                    self.selection(&fragment.selection_set.node, deep);
                }
            }
        }
    }
}
