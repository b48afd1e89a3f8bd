//! The rows of a made-up marketplace, in memory until they are written.

use std::collections::HashMap;

use sea_orm::DbErr;

use super::bulk::insert;
use crate::{
    domain::ids::PropertyId,
    entity::{
        booking, booking_event, night, night_price, payment, property, property_amenity,
        property_search, review, user,
    },
    store::db::Tx,
};

/// The rows of each table; what they mean stands in [`crate::entity`].
#[derive(Debug, Default)]
pub(in crate::cli) struct Rows {
    pub(in crate::cli) users: Vec<user::Model>,
    pub(in crate::cli) properties: Vec<property::Model>,
    pub(in crate::cli) amenities: Vec<property_amenity::Model>,
    pub(in crate::cli) night_prices: Vec<night_price::Model>,
    pub(in crate::cli) bookings: Vec<booking::Model>,
    pub(in crate::cli) nights: Vec<night::Model>,
    pub(in crate::cli) events: Vec<booking_event::Model>,
    pub(in crate::cli) payments: Vec<payment::Model>,
    pub(in crate::cli) reviews: Vec<review::Model>,
}

impl Rows {
    /// Writes all of them, those that others refer to first.
    ///
    /// # Errors
    /// When the database fails or refuses a row.
    pub(in crate::cli) async fn write(&self, tx: &Tx) -> Result<(), DbErr> {
        insert(tx, &self.users).await?;
        insert(tx, &self.properties).await?;
        let mut amenities: HashMap<PropertyId, Vec<String>> = HashMap::new();
        for row in &self.amenities {
            let of = amenities.entry(row.property_id).or_default();
            of.push(row.amenity.clone());
        }
        let words = self.properties.iter().map(|property| {
            let amenities = amenities.remove(&property.property_id).unwrap_or_default();
            property_search::Model::of(property, &amenities)
        });
        let words: Vec<_> = words.collect();
        insert(tx, &words).await?;
        insert(tx, &self.amenities).await?;
        insert(tx, &self.night_prices).await?;
        insert(tx, &self.bookings).await?;
        insert(tx, &self.nights).await?;
        insert(tx, &self.events).await?;
        insert(tx, &self.payments).await?;
        insert(tx, &self.reviews).await
    }
}
