//! A box on the map.

use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait as _},
};

use crate::{domain::problem::Problem, entity::property::Column};

/// A box on the map, in degrees. It crosses the date line where `west` is greater than `east`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the compass's")]
pub struct BoundingBox {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

impl BoundingBox {
    pub(super) fn check(self) -> std::result::Result<Self, Problem> {
        let degrees = |value: f64, most: f64| (-most..=most).contains(&value);
        if degrees(self.south, 90.0)
            && degrees(self.north, 90.0)
            && degrees(self.west, 180.0)
            && degrees(self.east, 180.0)
            && self.south <= self.north
        {
            return Ok(self);
        }
        Err(Problem::invalid(
            "within",
            "South and north lie between -90 and 90, south first; west and east between -180 and 180.",
        ))
    }

    /// Whether it is narrower from south to north than from west to east, as parts of the world.
    pub(super) fn is_flat(self) -> bool {
        let wide = if self.west <= self.east {
            self.east - self.west
        } else {
            360.0 - self.west + self.east
        };
        (self.north - self.south) / 180.0 <= wide / 360.0
    }

    /// One box, or both sides of the date line.
    pub(super) fn parts(self) -> [Option<Self>; 2] {
        if self.west <= self.east {
            return [Some(self), None];
        }
        let (west, east) = (
            Self {
                east: 180.0,
                ..self
            },
            Self {
                west: -180.0,
                ..self
            },
        );
        [Some(west), Some(east)]
    }

    /// That a property lies in it. Each axis is compared through a function of its own.
    pub(super) fn condition(
        self,
        latitude: fn(Column) -> Expr,
        longitude: fn(Column) -> Expr,
    ) -> Condition {
        let (latitude, longitude) = (latitude(Column::Latitude), longitude(Column::Longitude));
        let (after_west, before_east) =
            (longitude.clone().gte(self.west), longitude.lte(self.east));
        let longitudes = if self.west <= self.east {
            Condition::all()
        } else {
            Condition::any()
        };
        Condition::all()
            .add(latitude.clone().gte(self.south))
            .add(latitude.lte(self.north))
            .add(longitudes.add(after_west).add(before_east))
    }
}
