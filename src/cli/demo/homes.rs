//! The demo's homes, what they offer, and their weekends.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;

use super::{
    catalogue::{Listing, Policy, in_order},
    listed_before,
    people::Cast,
};
use crate::{
    cli::seed::{bulk::Keys, rows::Rows},
    domain::{
        cancellation::CancellationPolicy, clock::local_date, ids::PropertyId,
        listing::PropertyStatus, money::Money,
    },
    entity::{
        night_price,
        property::{self, TimeZone},
        property_amenity,
    },
};

/// How many homes the catalogue has.
pub(super) const COUNT: i64 = 72;

/// How many days ahead weekends have their own price.
const WEEKENDS_AHEAD: usize = 180;

/// The own prices of each home's nights, in the order of [`Rows::properties`].
pub(super) type OwnPrices = Vec<HashMap<NaiveDate, Money>>;

/// Adds every home, shared out among its city's hosts.
pub(super) fn furnish(rows: &mut Rows, cast: &Cast, now: DateTime<Utc>, keys: Keys) -> OwnPrices {
    let mut own_prices = Vec::new();
    for (home, (city, place, entry, listing)) in in_order().enumerate() {
        let hosts = &cast.hosts[city];
        // As many homes as the catalogue has fit a key.
        let number = i32::try_from(home).unwrap_or_default();
        let property_id = PropertyId(keys.property + 1 + number);
        let created_at = now - listed_before(home);
        let zone: Tz = entry.time_zone.parse().unwrap_or_default();
        rows.properties.push(property::Model {
            property_id,
            host_id: hosts[place % hosts.len()],
            title: listing.title.to_owned(),
            description: listing.description.to_owned(),
            location: format!("{}, {}, {}", listing.area, entry.name, entry.country),
            latitude: Some(listing.latitude),
            longitude: Some(listing.longitude),
            price_per_night: dollars(listing.price_per_night),
            cleaning_fee: dollars(listing.cleaning_fee),
            max_guests: i32::try_from(listing.max_guests).unwrap_or(1),
            min_nights: 1,
            max_nights: 365,
            advance_notice_days: 0,
            preparation_days: 0,
            status: PropertyStatus::Listed,
            instant_book: listing.instant_book,
            cancellation_policy: match listing.policy {
                Policy::Flexible => CancellationPolicy::Flexible,
                Policy::Moderate => CancellationPolicy::Moderate,
                Policy::Strict => CancellationPolicy::Strict,
            },
            time_zone: TimeZone(zone),
            rating_sum: 0,
            review_count: 0,
            rating_hundredths: 0,
            created_at,
            updated_at: created_at,
            deleted_at: None,
        });
        rows.amenities.extend(
            listing
                .amenities
                .iter()
                .map(|word| property_amenity::Model {
                    property_id,
                    amenity: (*word).to_owned(),
                }),
        );
        let weekends = weekends(home, listing, local_date(now, zone));
        rows.night_prices
            .extend(weekends.iter().map(|(night, price)| night_price::Model {
                property_id,
                night: *night,
                price: *price,
            }));
        own_prices.push(weekends.into_iter().collect());
    }
    own_prices
}

/// Friday and Saturday nights at two homes of three cost 15 to 25 percent more, in whole dollars. The first home always costs the same,
/// so that its examples add up in the head.
fn weekends(home: usize, listing: &Listing, today: NaiveDate) -> Vec<(NaiveDate, Money)> {
    if home.is_multiple_of(3) {
        return Vec::new();
    }
    let percent = [116, 118, 120, 122, 124][home % 5];
    let price = dollars((listing.price_per_night * percent + 50) / 100);
    today
        .iter_days()
        .take(WEEKENDS_AHEAD)
        .filter(|night| matches!(night.weekday(), Weekday::Fri | Weekday::Sat))
        .map(|night| (night, price))
        .collect()
}

fn dollars(dollars: u32) -> Money {
    Money::from_cents(i64::from(dollars) * 100)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::catalogue::CITIES, *};

    #[test]
    fn every_home_is_listed_once_and_its_city_has_a_time_zone() {
        let titles: HashSet<_> = in_order().map(|(_, _, _, listing)| listing.title).collect();
        assert_eq!(i64::try_from(titles.len()), Ok(COUNT));
        assert_eq!(i64::try_from(in_order().count()), Ok(COUNT));
        for city in CITIES {
            assert!(city.time_zone.parse::<Tz>().is_ok(), "{}", city.time_zone);
        }
        let (city, place, ..) = in_order().next().unwrap();
        assert_eq!((city, place), (0, 0));
    }
}
