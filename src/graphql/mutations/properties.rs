//! Listing, changing and deleting properties.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::{
    domain::{ids::PropertyId, listing::ListingInput, people::Role},
    entity::property,
    graphql::{
        context::ContextExt as _,
        errors::{UserError, outcome},
        global_id::{self, GlobalId},
        guards::{Has, SignedIn},
        scalars::Decimal,
        types::property::{CancellationPolicy, Property, PropertyStatus},
    },
    service::seen::Seen,
};

/// A property to list.
#[derive(InputObject)]
pub(in crate::graphql) struct CreatePropertyInput {
    /// One line of 3 to 120 characters.
    title: String,
    /// 10 to 8,000 characters.
    description: String,
    /// Where it is, in words; 2 to 200 characters.
    location: String,
    /// Degrees north; goes with `longitude`.
    latitude: Option<f64>,
    /// Degrees east; goes with `latitude`.
    longitude: Option<f64>,
    /// From 1.00 to 100,000.00.
    price_per_night: Decimal,
    /// Once a stay, up to 100,000.00; nothing when left out.
    cleaning_fee: Option<Decimal>,
    /// 1 to 50.
    max_guests: i32,
    /// The fewest nights of a stay.
    #[graphql(default = 1)]
    min_nights: i32,
    /// The most nights of a stay, up to 365.
    #[graphql(default = 365)]
    max_nights: i32,
    /// How many days before check-in a stay must be booked, up to 365; 0 allows today.
    #[graphql(default = 0)]
    advance_notice_days: i32,
    /// How many nights stay free between two bookings, up to 30.
    #[graphql(default = 0)]
    preparation_days: i32,
    /// At most 50 lower-case words such as `wifi`.
    amenities: Option<Vec<String>>,
    /// Whether a paid booking is confirmed at once; otherwise the host accepts or declines it.
    #[graphql(default = true)]
    instant_book: bool,
    /// What comes back when a guest cancels.
    #[graphql(default_with = "CancellationPolicy::Flexible")]
    cancellation_policy: CancellationPolicy,
    /// IANA name; dates of a stay are local to it.
    #[graphql(default = "UTC")]
    time_zone: String,
    /// Whether guests find it.
    #[graphql(default_with = "PropertyStatus::Listed")]
    status: PropertyStatus,
}

/// A change to a property; what is left out, or null, stays as it is.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdatePropertyInput {
    /// Which property.
    id: ID,
    /// One line of 3 to 120 characters.
    title: Option<String>,
    /// 10 to 8,000 characters.
    description: Option<String>,
    /// Where it is, in words; 2 to 200 characters.
    location: Option<String>,
    /// Degrees north; goes with `longitude`.
    latitude: Option<f64>,
    /// Degrees east; goes with `latitude`.
    longitude: Option<f64>,
    /// From 1.00 to 100,000.00.
    price_per_night: Option<Decimal>,
    /// Once a stay, up to 100,000.00.
    cleaning_fee: Option<Decimal>,
    /// 1 to 50.
    max_guests: Option<i32>,
    /// The fewest nights of a stay.
    min_nights: Option<i32>,
    /// The most nights of a stay, up to 365.
    max_nights: Option<i32>,
    /// How many days before check-in a stay must be booked, up to 365; 0 allows today.
    advance_notice_days: Option<i32>,
    /// How many nights stay free between two bookings, up to 30; between standing ones too, as far as they are free.
    preparation_days: Option<i32>,
    /// All of them: at most 50 lower-case words such as `wifi`.
    amenities: Option<Vec<String>>,
    /// Whether a paid booking is confirmed at once; otherwise the host accepts or declines it.
    instant_book: Option<bool>,
    /// What comes back when a guest cancels; standing bookings keep theirs.
    cancellation_policy: Option<CancellationPolicy>,
    /// IANA name; standing bookings keep theirs.
    time_zone: Option<String>,
    /// Whether guests find it.
    status: Option<PropertyStatus>,
}

impl From<CreatePropertyInput> for ListingInput {
    fn from(input: CreatePropertyInput) -> Self {
        Self {
            title: Some(input.title),
            description: Some(input.description),
            location: Some(input.location),
            latitude: input.latitude,
            longitude: input.longitude,
            price_per_night: Some(input.price_per_night.0),
            cleaning_fee: input.cleaning_fee.map(|fee| fee.0),
            max_guests: Some(input.max_guests),
            min_nights: Some(input.min_nights),
            max_nights: Some(input.max_nights),
            advance_notice_days: Some(input.advance_notice_days),
            preparation_days: Some(input.preparation_days),
            amenities: input.amenities,
            instant_book: Some(input.instant_book),
            cancellation_policy: Some(input.cancellation_policy.into()),
            time_zone: Some(input.time_zone),
            status: Some(input.status.into()),
        }
    }
}

impl From<UpdatePropertyInput> for ListingInput {
    fn from(input: UpdatePropertyInput) -> Self {
        Self {
            title: input.title,
            description: input.description,
            location: input.location,
            latitude: input.latitude,
            longitude: input.longitude,
            price_per_night: input.price_per_night.map(|price| price.0),
            cleaning_fee: input.cleaning_fee.map(|fee| fee.0),
            max_guests: input.max_guests,
            min_nights: input.min_nights,
            max_nights: input.max_nights,
            advance_notice_days: input.advance_notice_days,
            preparation_days: input.preparation_days,
            amenities: input.amenities,
            instant_book: input.instant_book,
            cancellation_policy: input.cancellation_policy.map(Into::into),
            time_zone: input.time_zone,
            status: input.status.map(Into::into),
        }
    }
}

/// The property after the change.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PropertyPayload {
    /// None when it was not done.
    property: Option<Property>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(in crate::graphql) struct DeletedPayload {
    /// None when it was not done.
    deleted_id: Option<ID>,
    /// What the caller can mend; empty when it was done.
    user_errors: Vec<UserError>,
}

impl PropertyPayload {
    pub(super) fn of(property: Option<property::Model>, user_errors: Vec<UserError>) -> Self {
        Self {
            property: property.map(Into::into),
            user_errors,
        }
    }
}

impl DeletedPayload {
    pub(super) fn of(deleted: Option<GlobalId>, user_errors: Vec<UserError>) -> Self {
        Self {
            deleted_id: deleted.map(Into::into),
            user_errors,
        }
    }
}

/// Listing, changing and deleting properties.
#[derive(Default)]
pub(in crate::graphql) struct PropertyMutations;

#[Object]
impl PropertyMutations {
    /// Lists a property. For hosts; a guest turns host by `becomeHost`.
    #[graphql(guard = "Has(Role::Host)")]
    async fn create_property(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The property.")] input: CreatePropertyInput,
    ) -> Result<PropertyPayload> {
        let made = ctx
            .services()
            .properties
            .create(ctx.actor(), input.into())
            .await;
        let (property, user_errors) = outcome(made)?;
        Ok(PropertyPayload::of(property, user_errors))
    }

    /// Changes a property of one's own. An admin may change the status of any.
    #[graphql(guard = "SignedIn")]
    async fn update_property(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdatePropertyInput,
    ) -> Result<PropertyPayload> {
        let changed = async {
            let id: PropertyId = global_id::parse("id", &input.id)?;
            ctx.services()
                .properties
                .update(ctx.actor(), id, input.into(), Seen::whatever())
                .await
        };
        let (property, user_errors) = outcome(changed.await)?;
        Ok(PropertyPayload::of(property, user_errors))
    }

    /// Refused while bookings to come stand on it. Past bookings, reviews and payments keep showing it.
    #[graphql(guard = "SignedIn")]
    async fn delete_property(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which property.")] id: ID,
    ) -> Result<DeletedPayload> {
        let deleted = async {
            let id: PropertyId = global_id::parse("id", &id)?;
            let properties = &ctx.services().properties;
            properties.delete(ctx.actor(), id, Seen::whatever()).await
        };
        let (deleted, user_errors) = outcome(deleted.await)?;
        Ok(DeletedPayload::of(
            deleted.map(GlobalId::Property),
            user_errors,
        ))
    }
}
