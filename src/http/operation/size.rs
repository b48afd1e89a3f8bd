//! How large an operation is, with its fragments written out. Each fragment is counted once: written out, a few of them can be more than any machine can do.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, ServerError, Value, Variables,
    parser::types::{
        Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection,
        SelectionSet,
    },
};
use async_graphql_value::Value as Written;

use super::refused;
use crate::http::limits::hold;

/// How many selections may stand within each other, those of fragments among them: whoever walks a document calls itself for each.
const LEVELS: usize = 32;

/// How large a selection is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::http) struct Size {
    /// Fields at all depths; of all operations of a document, since the executor walks through all of them.
    pub(in crate::http) fields: usize,
    /// Fields of the selection itself.
    pub(in crate::http) own: usize,
    /// Those of them that tell of the schema.
    pub(in crate::http) of_schema: usize,
    /// Those that tell of anything but the schema, and the type's name.
    pub(in crate::http) of_data: usize,
    /// Fields with another name, at all depths.
    pub(in crate::http) aliases: usize,
    /// Directives, at all depths.
    pub(in crate::http) directives: usize,
    /// How many fields stand within each other.
    pub(in crate::http) depth: usize,
    /// How many values the variables put into arguments, as [`weight`] counts them; of all operations of a document, as above.
    pub(in crate::http) values: usize,
    /// How many selections stand within each other, those of fragments among them.
    levels: usize,
}

/// Measures an operation of a document, and looks through all of the document.
///
/// # Errors
/// `BAD_USER_INPUT` for a fragment that is not there or contains itself, `QUERY_TOO_COMPLEX` for too many selections within each other.
pub(super) fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    given: &Variables,
) -> Result<Size, ServerError> {
    let mut measure = Measure {
        fragments: &document.fragments,
        variables: weights(document, given),
        sizes: HashMap::new(),
    };
    for name in document.fragments.keys() {
        measure.fragment(name, 0)?;
    }
    let (mut all, mut size) = (Size::default(), Size::default());
    for (_, each) in document.operations.iter() {
        let measured = measure.size_of(&each.node.selection_set.node, 0)?;
        if std::ptr::eq(&raw const each.node, operation) {
            size = measured;
        }
        all.add(measured);
    }
    size.directives += operation.directives.len();
    Ok(Size {
        fields: all.fields,
        values: all.values,
        ..size
    })
}

/// How much there is to copy of each variable, given or by default.
fn weights<'a>(document: &'a ExecutableDocument, given: &'a Variables) -> HashMap<&'a Name, usize> {
    let mut weights = HashMap::new();
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            let default = variable.node.default_value.as_ref();
            let default = default.map_or(0, |default| weight(&default.node));
            let most: &mut usize = weights.entry(&variable.node.name.node).or_default();
            *most = default.max(*most);
        }
    }
    weights.extend(given.iter().map(|(name, value)| (name, weight(value))));
    weights
}

/// How many values are in a value. 64 bytes of a text take as much room as one.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::List(list) => list.iter().map(weight).sum(),
        Value::Object(map) => map.values().map(weight).sum(),
        Value::String(text) => text.len() / 64,
        _ => 0,
    }
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.own = self.own.saturating_add(other.own);
        self.of_schema = self.of_schema.saturating_add(other.of_schema);
        self.of_data = self.of_data.saturating_add(other.of_data);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.values = self.values.saturating_add(other.values);
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: HashMap<&'a Name, usize>,
    /// None while it is being measured.
    sizes: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Measure<'a> {
    /// Measures a selection that stands within so many others.
    fn size_of(&mut self, selection: &'a SelectionSet, around: usize) -> Result<Size, ServerError> {
        let mut size = Size::default();
        if selection.items.is_empty() {
            return Ok(size);
        }
        let around = around + 1;
        hold("levels", around, LEVELS)?;
        for item in &selection.items {
            let (mut of_item, directives): (_, &[Positioned<Directive>]) = match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let inner = self.size_of(&field.selection_set.node, around)?;
                    let name = field.name.node.as_str();
                    let size = Size {
                        fields: inner.fields.saturating_add(1),
                        own: 1,
                        of_schema: usize::from(matches!(name, "__schema" | "__type")),
                        of_data: usize::from(!name.starts_with("__")),
                        aliases: inner.aliases + usize::from(field.alias.is_some()),
                        directives: inner.directives,
                        values: inner.values.saturating_add(self.put_into(&field.arguments)),
                        depth: inner.depth.saturating_add(1),
                        levels: inner.levels,
                    };
                    (size, &field.directives)
                }
                Selection::InlineFragment(fragment) => {
                    let inner = self.size_of(&fragment.node.selection_set.node, around)?;
                    (inner, &fragment.node.directives)
                }
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(&spread.node.fragment_name.node, around)?;
                    (inner, &spread.node.directives)
                }
            };
            of_item.directives = of_item.directives.saturating_add(directives.len());
            for directive in directives {
                let values = self.put_into(&directive.node.arguments);
                of_item.values = of_item.values.saturating_add(values);
            }
            size.add(of_item);
        }
        size.levels += 1;
        Ok(size)
    }

    /// How many values the variables put into some arguments.
    fn put_into(&self, arguments: &[(Positioned<Name>, Positioned<Written>)]) -> usize {
        let values = arguments
            .iter()
            .map(|(_, value)| self.put_into_value(&value.node));
        values.fold(0, usize::saturating_add)
    }

    fn put_into_value(&self, value: &Written) -> usize {
        let sum = |values: &mut dyn Iterator<Item = &Written>| {
            values.fold(0, |sum: usize, value| {
                sum.saturating_add(self.put_into_value(value))
            })
        };
        match value {
            Written::Variable(name) => self.variables.get(name).copied().unwrap_or_default(),
            Written::List(list) => sum(&mut list.iter()),
            Written::Object(map) => sum(&mut map.values()),
            _ => 0,
        }
    }

    fn fragment(&mut self, name: &'a Name, around: usize) -> Result<Size, ServerError> {
        match self.sizes.get(name) {
            Some(Some(size)) => {
                hold("levels", around + size.levels, LEVELS)?;
                return Ok(*size);
            }
            Some(None) => {
                return Err(refused(
                    "BAD_USER_INPUT",
                    format!("The fragment {name} contains itself."),
                ));
            }
            None => {}
        }
        // Those that spread it many times over would have no size, and be walked through all the same.
        let Some(fragment) = self.fragments.get(name) else {
            return Err(refused(
                "BAD_USER_INPUT",
                format!("There is no fragment {name}."),
            ));
        };
        self.sizes.insert(name, None);
        let mut size = self.size_of(&fragment.node.selection_set.node, around)?;
        size.directives += fragment.node.directives.len();
        self.sizes.insert(name, Some(size));
        Ok(size)
    }
}
