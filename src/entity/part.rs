//! Rows of which some columns are read: those that an answer shows. An active model has a place for each column, and knows which of them it has.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use sea_orm::{
    ActiveValue, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryResult, QuerySelect as _,
    QueryTrait as _, Select, Statement, TryGetable, TryIntoModel, Value,
};

/// Some columns of an entity.
pub struct Columns<E: Part>(u64, std::marker::PhantomData<E>);

/// What was read of a row. Cheap to clone.
pub struct Row<E: EntityTrait>(Arc<E::ActiveModel>);

/// An entity of which some columns can be read.
pub trait Part: EntityTrait {
    /// The column's place among its entity's.
    fn place(column: Self::Column) -> u32;

    /// Reads these columns, which stand in a row one after the other from `first` on.
    ///
    /// # Errors
    /// When one is not there or of another type.
    fn decode(
        row: &QueryResult,
        first: usize,
        columns: Columns<Self>,
    ) -> Result<Self::ActiveModel, DbErr>;
}

impl<E: Part> Columns<E> {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::none().and(E::Column::iter())
    }

    /// None of them.
    #[must_use]
    pub const fn none() -> Self {
        Self(0, std::marker::PhantomData)
    }

    /// These too.
    #[must_use]
    pub fn and(self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        let bits = columns.into_iter().map(|column| 1 << E::place(column));
        Self(bits.fold(self.0, |all, bit: u64| all | bit), self.1)
    }

    /// The columns, in the order in which they stand in a row.
    pub fn iter(self) -> impl Iterator<Item = E::Column> {
        E::Column::iter().filter(move |column| self.position(*column).is_some())
    }

    /// Where a column stands in a row; none where it is not read.
    #[must_use]
    pub fn position(self, column: E::Column) -> Option<usize> {
        let bit = 1 << E::place(column);
        let before = self.0 & (bit - 1);
        (self.0 & bit != 0).then_some(before.count_ones() as usize)
    }

    /// These columns of a row, in which they stand one after the other from `first` on.
    ///
    /// # Errors
    /// When one is not there or of another type.
    pub fn row(self, row: &QueryResult, first: usize) -> Result<Row<E>, DbErr> {
        Ok(Row(Arc::new(E::decode(row, first, self)?)))
    }

    /// One of these columns of a row, in which they stand one after the other.
    ///
    /// # Errors
    /// When it is not there or of another type.
    pub fn key<K: TryGetable>(self, column: E::Column, row: &QueryResult) -> Result<K, DbErr> {
        let position = self.position(column).ok_or_else(|| unread(column))?;
        row.try_get_by_index(position)
    }

    /// These columns of what a statement finds that reads them and no others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(
        self,
        statement: Statement,
        connection: &impl ConnectionTrait,
    ) -> Result<Vec<Row<E>>, DbErr> {
        let rows = connection.query_all_raw(statement).await?;
        rows.iter().map(|row| self.row(row, 0)).collect()
    }

    /// These columns of what a query finds, by a column that tells its rows apart.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by<K: TryGetable + Eq + Hash>(
        self,
        key: E::Column,
        find: Select<E>,
        connection: &impl ConnectionTrait,
    ) -> Result<HashMap<K, Row<E>>, DbErr> {
        let columns = self.and([key]);
        let find = find.select_only().columns(columns.iter());
        let statement = connection.get_database_backend().build(find.as_query());
        let rows = connection.query_all_raw(statement).await?;
        let rows = rows
            .iter()
            .map(|row| Ok((columns.key(key, row)?, columns.row(row, 0)?)));
        rows.collect()
    }
}

impl<E: EntityTrait> Row<E> {
    pub(super) fn new(row: E::ActiveModel) -> Self {
        Self(Arc::new(row))
    }
}

impl<E: EntityTrait> From<Arc<Self>> for Row<E> {
    fn from(row: Arc<Self>) -> Self {
        (*row).clone()
    }
}

impl<E: EntityTrait> Row<E>
where
    E::Model: Clone,
    E::ActiveModel: TryIntoModel<E::Model> + Clone,
{
    /// The row with all of its columns.
    ///
    /// # Errors
    /// When one of them was not read.
    pub fn whole(&self) -> Result<E::Model, DbErr> {
        (*self.0).clone().try_into_model()
    }
}

/// A column of a row.
///
/// # Errors
/// When it was not read.
pub fn read<T: Into<Value>>(column: &ActiveValue<T>) -> Result<&T, DbErr> {
    column.try_as_ref().ok_or_else(|| unread("it"))
}

fn unread(column: impl fmt::Debug) -> DbErr {
    DbErr::Custom(format!("a column was not read: {column:?}"))
}

impl<E: EntityTrait> Clone for Row<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: EntityTrait> Deref for Row<E> {
    type Target = E::ActiveModel;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<E: EntityTrait> fmt::Debug for Row<E>
where
    E::ActiveModel: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[expect(
    clippy::expl_impl_clone_on_copy,
    reason = "deriving it would ask it of the entity"
)]
impl<E: Part> Clone for Columns<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Part> Copy for Columns<E> {}

impl<E: Part> PartialEq for Columns<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<E: Part> Eq for Columns<E> {}

impl<E: Part> Hash for Columns<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<E: Part> fmt::Debug for Columns<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A row of which all columns were read.
macro_rules! whole {
    () => {
        impl From<Model> for $crate::entity::part::Row<Entity> {
            fn from(row: Model) -> Self {
                $crate::entity::part::Row::new(sea_orm::IntoActiveModel::into_active_model(row))
            }
        }
    };
}
pub(super) use whole;

/// Says of each field which column it is, so that some of them can be read.
macro_rules! part {
    ($($field:ident: $column:ident),* $(,)?) => {
        $crate::entity::part::whole!();

        impl $crate::entity::part::Part for Entity {
            fn place(column: Column) -> u32 {
                column as u32
            }

            fn decode(
                row: &sea_orm::QueryResult,
                first: usize,
                columns: $crate::entity::part::Columns<Self>,
            ) -> Result<ActiveModel, sea_orm::DbErr> {
                Ok(ActiveModel {
                    $($field: match columns.position(Column::$column) {
                        Some(position) => sea_orm::ActiveValue::Unchanged(row.try_get_by_index(first + position)?),
                        None => sea_orm::ActiveValue::NotSet,
                    },)*
                })
            }
        }
    };
}
pub(super) use part;
