//! What properties are looked for, in the parameters of an address.

use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::ids::UserId,
    rest::{
        asked::Parameters,
        money::{Amount, LocalDate},
        page::Wanted,
        problem::Problem,
    },
    service::search::{self, BoundingBox, SearchInput},
};

/// What is looked for; every part narrows it.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Matches title, description and location: each of its words begins one of theirs, in any order. Where nothing is found so, each occurs
    /// somewhere in title or location. Case and accents make no difference.
    #[param(example = "river view", max_length = 200)]
    text: Option<String>,
    /// Matches the location: occurs in it; one or two letters begin one of its words. Case and accents make no difference.
    #[param(example = "lisbon", max_length = 200)]
    location: Option<String>,
    /// Of this host.
    #[param(example = 7, minimum = 1)]
    host_id: Option<i32>,
    /// With `checkOut`: only properties at which this stay could be booked now, by this number of guests.
    #[param(value_type = Option<String>, format = Date, example = "2027-03-28")]
    check_in: Option<LocalDate>,
    /// With `checkIn`.
    #[param(value_type = Option<String>, format = Date, example = "2027-03-31")]
    check_out: Option<LocalDate>,
    /// Sleeps at least so many.
    #[param(example = 2, minimum = 1)]
    guests: Option<i32>,
    /// Costs at least this a night.
    #[param(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,2})?$", example = "50.00")]
    min_price: Option<Amount>,
    /// Costs at most this a night.
    #[param(value_type = Option<String>, pattern = r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,2})?$", example = "150.00")]
    max_price: Option<Amount>,
    /// Rated at least this.
    #[param(example = 4.5, minimum = 0, maximum = 5)]
    min_rating: Option<f64>,
    /// Has all of these.
    #[param(value_type = Option<Vec<String>>, example = json!(["wifi", "kitchen"]), max_items = 50)]
    amenities: Option<Words>,
    /// Lies in this box on the map: the southern, western, northern and eastern edge in degrees. It crosses the date line
    /// where west is greater than east.
    #[param(value_type = Option<Vec<f64>>, example = json!([38.6, -9.3, 38.8, -9.0]), min_items = 4, max_items = 4)]
    within: Option<Edges>,
    /// In which order; NEWEST when left out.
    #[param(inline)]
    sort: Option<Sort>,
    /// How many rows.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Only rows after this cursor.
    #[param(example = "bjowOjQy", max_length = 200)]
    after: Option<String>,
    /// Only rows before this cursor.
    #[param(example = "bjowOjYx", max_length = 200)]
    before: Option<String>,
}

impl Parameters for Filter {
    const LISTS: &'static [&'static str] = &["amenities", "within"];
}

/// How found properties are ordered: the newest, the cheapest, the dearest or the best rated first.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "NEWEST")]
pub(super) enum Sort {
    Newest,
    PriceAsc,
    PriceDesc,
    RatingDesc,
}

impl From<Sort> for search::Sort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Newest,
            Sort::PriceAsc => Self::PriceAscending,
            Sort::PriceDesc => Self::PriceDescending,
            Sort::RatingDesc => Self::RatingDescending,
        }
    }
}

/// Words, with commas between.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = String::deserialize(given)?;
        let words = text.split(',').filter(|word| !word.is_empty());
        Ok(Self(words.map(str::to_owned).collect()))
    }
}

/// The edges of a box.
struct Edges(BoundingBox);

impl<'de> Deserialize<'de> for Edges {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = String::deserialize(given)?;
        let edges: Option<Vec<f64>> = text.split(',').map(|edge| edge.parse().ok()).collect();
        match edges.as_deref() {
            Some(&[south, west, north, east])
                if [south, west, north, east]
                    .iter()
                    .all(|edge| edge.is_finite()) =>
            {
                Ok(Self(BoundingBox {
                    south,
                    west,
                    north,
                    east,
                }))
            }
            _ => Err(D::Error::custom(
                "give four numbers with commas between: south, west, north and east",
            )),
        }
    }
}

impl Filter {
    pub(super) fn into_search(self) -> Result<(SearchInput, search::Sort, Wanted), Problem> {
        if self.host_id.is_some_and(|id| id < 1) {
            let message = "A key is a whole number from 1 to 2147483647.";
            return Err(Problem::bad("hostId", "INVALID", message));
        }
        if self.min_rating.is_some_and(|rating| !rating.is_finite()) {
            let message = "Give a number from 0 to 5.";
            return Err(Problem::bad("minRating", "INVALID", message));
        }
        let input = SearchInput {
            text: self.text,
            location: self.location,
            host_id: self.host_id.map(UserId),
            check_in: self.check_in.map(|date| date.0),
            check_out: self.check_out.map(|date| date.0),
            guests: self.guests,
            min_price: self.min_price.map(|price| price.0),
            max_price: self.max_price.map(|price| price.0),
            min_rating: self.min_rating,
            amenities: self.amenities.map(|words| words.0),
            within: self.within.map(|edges| edges.0),
        };
        let wanted = Wanted {
            limit: self.limit,
            after: self.after,
            before: self.before,
        };
        let sort = self.sort.map_or(search::Sort::Newest, Into::into);
        Ok((input, sort, wanted))
    }
}
