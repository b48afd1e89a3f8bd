//! How large an operation is, with its fragments written out. Each fragment is counted once: written out, a few of them can be more than any machine can do.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{
        Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection,
        SelectionSet,
    },
};

use super::refused;

/// How large a selection is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::http) struct Size {
    /// Fields at all depths.
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
}

/// Measures an operation.
///
/// # Errors
/// `BAD_USER_INPUT` for a fragment that contains itself.
pub(super) fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<Size, ServerError> {
    let mut measure = Measure {
        fragments: &document.fragments,
        sizes: HashMap::new(),
    };
    let mut size = measure.size_of(&operation.selection_set.node)?;
    size.directives += operation.directives.len();
    Ok(size)
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.own = self.own.saturating_add(other.own);
        self.of_schema = self.of_schema.saturating_add(other.of_schema);
        self.of_data = self.of_data.saturating_add(other.of_data);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// None while it is being measured.
    sizes: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Measure<'a> {
    fn size_of(&mut self, selection: &'a SelectionSet) -> Result<Size, ServerError> {
        let mut size = Size::default();
        for item in &selection.items {
            let (mut of_item, directives): (_, &[Positioned<Directive>]) = match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let inner = self.size_of(&field.selection_set.node)?;
                    let name = field.name.node.as_str();
                    let size = Size {
                        fields: inner.fields.saturating_add(1),
                        own: 1,
                        of_schema: usize::from(matches!(name, "__schema" | "__type")),
                        of_data: usize::from(!name.starts_with("__")),
                        aliases: inner.aliases + usize::from(field.alias.is_some()),
                        directives: inner.directives,
                        depth: inner.depth.saturating_add(1),
                    };
                    (size, &field.directives)
                }
                Selection::InlineFragment(fragment) => {
                    let inner = self.size_of(&fragment.node.selection_set.node)?;
                    (inner, &fragment.node.directives)
                }
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(&spread.node.fragment_name.node)?;
                    (inner, &spread.node.directives)
                }
            };
            of_item.directives = of_item.directives.saturating_add(directives.len());
            size.add(of_item);
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Size, ServerError> {
        match self.sizes.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(refused(
                    "BAD_USER_INPUT",
                    format!("The fragment {name} contains itself."),
                ));
            }
            None => {}
        }
        // One that is not there is told by the executor.
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.sizes.insert(name, None);
        let mut size = self.size_of(&fragment.node.selection_set.node)?;
        size.directives += fragment.node.directives.len();
        self.sizes.insert(name, Some(size));
        Ok(size)
    }
}
