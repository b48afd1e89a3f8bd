//! The content of the demo marketplace: cities with their hosts and listings, the guests who
//! book, and the comments they leave.
//!
//! Pure data. Amenities come from one vocabulary: `air_conditioning`, `balcony`, `barbecue`,
//! `bicycle`, `breakfast`, `crib`, `elevator`, `fireplace`, `garden`, `heating`, `kitchen`,
//! `parking`, `pets_allowed`, `pool`, `sauna`, `sea_view`, `step_free`, `washer`, `wifi` and
//! `workspace`.

mod africa;
mod americas;
mod asia_pacific;
mod europe;
mod opinions;

/// A city of the marketplace, with the people who host there and what they let.
#[derive(Debug)]
pub(super) struct City {
    /// Name in English.
    pub(super) name: &'static str,
    /// Country, in English.
    pub(super) country: &'static str,
    /// IANA time zone, such as `Europe/Lisbon`.
    pub(super) time_zone: &'static str,
    /// Full names of the hosts; at least one.
    pub(super) hosts: &'static [&'static str],
    /// The places to stay.
    pub(super) listings: &'static [Listing],
}

/// A place to stay.
#[derive(Debug)]
pub(super) struct Listing {
    /// Headline of at most 80 characters, distinct across the catalogue.
    pub(super) title: &'static str,
    /// Two to four sentences on the place and its surroundings.
    pub(super) description: &'static str,
    /// Neighbourhood; the location shown is "area, city, country".
    pub(super) area: &'static str,
    /// Degrees north, negative in the south.
    pub(super) latitude: f64,
    /// Degrees east, negative in the west.
    pub(super) longitude: f64,
    /// Price of one night, in whole US dollars.
    pub(super) price_per_night: u32,
    /// Fee charged once per stay, in whole US dollars.
    pub(super) cleaning_fee: u32,
    /// The most guests the place takes.
    pub(super) max_guests: u32,
    /// Words of the amenity vocabulary, without repeats.
    pub(super) amenities: &'static [&'static str],
    /// Whether a booking is confirmed without the host's approval.
    pub(super) instant_book: bool,
    /// Terms on which a guest may cancel.
    pub(super) policy: Policy,
}

/// The cancellation terms of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// The most lenient terms.
    Flexible,
    /// The terms between the two.
    Moderate,
    /// The least lenient terms.
    Strict,
}

/// A review comment that suits any listing.
#[derive(Debug)]
pub(super) struct Opinion {
    /// Stars, from 1 to 5.
    pub(super) rating: u8,
    /// One to three sentences.
    pub(super) text: &'static str,
}

/// Every city. The first listing of the first one is instantly bookable, under
/// [`Policy::Flexible`], for four guests or more.
pub(super) static CITIES: &[City] = &[
    europe::LISBON,
    asia_pacific::KYOTO,
    americas::MEXICO_CITY,
    africa::CAPE_TOWN,
    europe::EDINBURGH,
    americas::MONTREAL,
    asia_pacific::MELBOURNE,
    africa::MARRAKESH,
    europe::HELSINKI,
    americas::BUENOS_AIRES,
    africa::NAIROBI,
    asia_pacific::HANOI,
];

/// Full names of the guests, none of whom is a host.
pub(super) static GUESTS: &[&str] = &[
    "Amara Nwosu",
    "Lukas Brandstetter",
    "Sofía Quintanilla",
    "Jun-ho Baek",
    "Priya Venkataraman",
    "Oluwaseun Adeyinka",
    "Ingrid Halvorsen",
    "Tomasz Wieczorek",
    "Leila Haddadian",
    "Marcus Whitfield",
    "Chiara Bonfanti",
    "Mehmet Aksoylu",
    "Ngoc Anh Phung",
    "Rafael Monteverde",
    "Siobhán Kearney",
    "Dimitra Papadakou",
    "Tāne Rangihuna",
    "Zanele Khoza",
    "Camille Aubertin",
    "Hiroshi Takamura",
    "Noa Shapira",
    "Farida Rahmanova",
    "Kwabena Ofosu",
    "Dana Kowalchuk",
];

/// The review comments, all distinct.
pub(super) static OPINIONS: &[Opinion] = opinions::ALL;

/// The homes in the order in which they were listed: the first of each city, the second of each city, and so on, so that the newest ones
/// are not all of one city. The first of the first city stands in front.
pub(super) fn in_order() -> impl Iterator<Item = (usize, usize, &'static City, &'static Listing)> {
    let most = CITIES
        .iter()
        .map(|city| city.listings.len())
        .max()
        .unwrap_or_default();
    (0..most).flat_map(|place| {
        CITIES.iter().enumerate().filter_map(move |(number, city)| {
            let listing = city.listings.get(place)?;
            Some((number, place, city, listing))
        })
    })
}

/// Where in that order a city's listing stands.
pub(super) fn place_of(city: usize, place: usize) -> usize {
    in_order()
        .position(|(c, p, ..)| (c, p) == (city, place))
        .unwrap_or_default()
}
