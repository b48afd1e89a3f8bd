//! Which columns an operation shows. Every loader and list of the operation reads these, and no others.
//!
//! A column is read where a field that needs it is selected anywhere in the operation, by its name: the same name on another type may read a
//! column too many, never one too few.

use std::collections::HashSet;

use async_graphql::{
    context::QueryEnv,
    parser::types::{Selection, SelectionSet},
};
use sea_orm::{ActiveValue, TryIntoModel, Value};

use super::{
    errors::fail,
    types::{person, property, review},
};
use crate::{
    entity::{
        part::{self, Columns, Part, Row},
        property as properties, review as reviews, user as users,
    },
    service::error::Error,
};

/// What a field needs of its row: the field's name, and columns.
pub(super) type Needs<C> = [(&'static str, &'static [C])];

/// The columns that are read, of each kind of thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected {
    pub(super) users: Columns<users::Entity>,
    pub(super) properties: Columns<properties::Entity>,
    pub(super) reviews: Columns<reviews::Entity>,
}

impl Selected {
    /// What an operation selects.
    pub(super) fn of(operation: &QueryEnv) -> Self {
        let mut names = HashSet::new();
        collect(&operation.operation.node.selection_set.node, &mut names);
        for fragment in operation.fragments.values() {
            collect(&fragment.node.selection_set.node, &mut names);
        }
        let whole = property::WHOLE.iter().any(|name| names.contains(name));
        let properties = if whole {
            Columns::all()
        } else {
            needed(property::NEEDS, &names)
        };
        let key = properties::Column::PropertyId;
        Self {
            users: needed(person::NEEDS, &names).and([users::Column::UserId]),
            properties: properties.and([key]),
            reviews: needed(review::NEEDS, &names).and([reviews::Column::ReviewId]),
        }
    }
}

fn collect<'a>(set: &'a SelectionSet, names: &mut HashSet<&'a str>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                names.insert(&field.node.name.node);
                collect(&field.node.selection_set.node, names);
            }
            Selection::InlineFragment(part) => collect(&part.node.selection_set.node, names),
            // All fragments are looked at beside the operation.
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn needed<E: Part>(needs: &Needs<E::Column>, names: &HashSet<&str>) -> Columns<E>
where
    E::Column: Copy,
{
    let needs = needs.iter().filter(|(name, _)| names.contains(name));
    needs.fold(Columns::none(), |all, (_, columns)| {
        all.and(columns.iter().copied())
    })
}

/// A column of a row, which its field's entry in the list of needs has had read.
pub(super) fn read<T: Into<Value>>(column: &ActiveValue<T>) -> async_graphql::Result<&T> {
    part::read(column).map_err(|error| fail(Error::from(error)))
}

/// A row of which every column was read: for rules, which look at all of it.
pub(super) fn whole<E: Part>(row: &Row<E>) -> async_graphql::Result<E::Model>
where
    E::ActiveModel: TryIntoModel<E::Model>,
{
    row.whole().map_err(|error| fail(Error::from(error)))
}
