//! The words that seeded homes, people and opinions are made of.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt as _, seq::IndexedRandom as _};

const FIRST_NAMES: [&str; 40] = [
    "Ada", "Amir", "Ana", "Arjun", "Aya", "Ben", "Carla", "Chen", "Clara", "Daniel", "Diego",
    "Elif", "Emma", "Fatou", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia",
    "Kofi", "Laila", "Leo", "Lucia", "Malik", "Maria", "Mei", "Nadia", "Noah", "Olga", "Omar",
    "Paula", "Ravi", "Sara", "Tariq", "Tomas", "Yara", "Zoe",
];

const LAST_NAMES: [&str; 40] = [
    "Adeyemi", "Almeida", "Andersen", "Bakker", "Banerjee", "Bianchi", "Castillo", "Costa",
    "Diallo", "Dubois", "Eriksson", "Fischer", "Garcia", "Haddad", "Hansen", "Ito", "Jansen",
    "Kaya", "Khan", "Kim", "Kowalski", "Lopez", "Mensah", "Moreau", "Murphy", "Nakamura", "Nguyen",
    "Novak", "Okafor", "Patel", "Petrov", "Rossi", "Santos", "Schmidt", "Silva", "Singh", "Tanaka",
    "Torres", "Wang", "Weber",
];

/// What a home is, and how many it sleeps.
const KINDS: [(&str, RangeInclusive<i32>); 14] = [
    ("studio", 1..=2),
    ("room", 1..=2),
    ("loft", 2..=3),
    ("attic flat", 2..=3),
    ("one-bedroom flat", 2..=3),
    ("garden flat", 2..=4),
    ("two-bedroom flat", 3..=5),
    ("cottage", 2..=5),
    ("bungalow", 3..=6),
    ("townhouse", 4..=8),
    ("family house", 5..=9),
    ("penthouse", 2..=6),
    ("farmhouse", 6..=12),
    ("villa", 6..=14),
];

const MANNERS: [&str; 24] = [
    "Airy",
    "Bright",
    "Calm",
    "Charming",
    "Colourful",
    "Compact",
    "Cosy",
    "Elegant",
    "Freshly painted",
    "Handsome",
    "High-ceilinged",
    "Light",
    "Lovingly restored",
    "Modern",
    "Old-fashioned",
    "Peaceful",
    "Plain",
    "Quiet",
    "Roomy",
    "Simple",
    "Snug",
    "Stylish",
    "Sunny",
    "Whitewashed",
];

const FEATURES: [&str; 24] = [
    "with a balcony",
    "with a big table",
    "with a courtyard",
    "with a fireplace",
    "with a piano",
    "with a reading corner",
    "with a roof terrace",
    "with a view",
    "with a writing desk",
    "with bicycles",
    "with exposed beams",
    "with tall windows",
    "near the market",
    "near the museum",
    "near the park",
    "near the station",
    "by the canal",
    "by the river",
    "above a bakery",
    "above a bookshop",
    "behind the church",
    "on a quiet lane",
    "on the hill",
    "on the square",
];

const AREAS: [&str; 30] = [
    "Old Town",
    "New Town",
    "Riverside",
    "Harbour",
    "Cathedral Quarter",
    "University",
    "Market Square",
    "Botanic Garden",
    "Castle Hill",
    "Station District",
    "Theatre District",
    "Mill Lane",
    "East End",
    "West End",
    "North Gate",
    "South Bank",
    "Museum Quarter",
    "Chinatown",
    "Fishermen's Quay",
    "Artists' Quarter",
    "Opera",
    "Garden City",
    "Upper Town",
    "Lower Town",
    "Seafront",
    "Lakeside",
    "Brewery Yard",
    "Weavers' Row",
    "Embassy Quarter",
    "Citadel",
];

const AMENITIES: [&str; 20] = [
    "air_conditioning",
    "balcony",
    "barbecue",
    "bicycle",
    "breakfast",
    "crib",
    "elevator",
    "fireplace",
    "garden",
    "heating",
    "kitchen",
    "parking",
    "pets_allowed",
    "pool",
    "sauna",
    "sea_view",
    "step_free",
    "washer",
    "wifi",
    "workspace",
];

const SURROUNDINGS: [&str; 16] = [
    "A tram stops at the corner and takes you to the centre in ten minutes.",
    "The nearest bakery opens at six, and its bread is worth getting up for.",
    "The street is quiet at night, and the birds are loud in the morning.",
    "Two good restaurants and a small supermarket are within three minutes on foot.",
    "There is a playground across the road and a swimming pool two stops away.",
    "From the front door it is a short walk to the water.",
    "The market is held on Wednesdays and Saturdays, right around the corner.",
    "Buses to the airport leave from the square every half hour.",
    "The neighbours have lived here for years and are glad to help.",
    "Parking in the street is free after seven in the evening.",
    "The old walls keep the rooms cool in summer.",
    "A cycle path begins at the end of the lane and follows the river for miles.",
    "You will find a folder with our favourite walks, cafés and museums.",
    "The house was built a hundred years ago and renovated last spring.",
    "Everything that you see from the window can be reached on foot.",
    "In the evening the sun reaches the kitchen table.",
];

const PRAISE: [&str; 20] = [
    "Just as described, and very clean.",
    "The bed was comfortable and the room was dark and quiet.",
    "Our host met us at the door and had thought of everything.",
    "We cooked every evening; the kitchen has all that one needs.",
    "Perfect for a few days in the city.",
    "The children did not want to leave.",
    "Everything that we wanted to see was within walking distance.",
    "The view alone is worth the stay.",
    "Fast answers, easy check-in, a lovely home.",
    "We would come back at once.",
    "A calm place to work for a week, with a good desk and fast internet.",
    "The shower is excellent, and there are plenty of towels.",
    "Great value for the price.",
    "The photos do not do it justice.",
    "We felt at home from the first minute.",
    "The neighbourhood is lively by day and quiet by night.",
    "A very thoughtful welcome, with fruit and fresh bread.",
    "Spotless, well heated and well equipped.",
    "The tips for restaurants were all good ones.",
    "One of the nicest places we have stayed in.",
];

const CAVEATS: [&str; 10] = [
    "The stairs are steep, so travel light.",
    "The street was a little loud on Friday night.",
    "A second set of keys would have helped.",
    "The hot water takes a while to come.",
    "The sofa bed is better for children than for adults.",
    "The internet was slow on one evening.",
    "It was smaller than the photos made us think.",
    "Check-in took longer than planned.",
    "The bedroom gets the morning sun, and the curtains are thin.",
    "We missed a few things in the kitchen.",
];

const RESPONSES: [&str; 6] = [
    "Thank you, you are welcome any time.",
    "It was a pleasure to have you here.",
    "Many thanks for taking the time to write.",
    "Thank you for telling me; it has been seen to.",
    "Glad that you liked it. Come back soon!",
    "Thank you for leaving everything so tidy.",
];

/// One of some words.
fn one<T: Copy>(words: &[T], rng: &mut impl Rng) -> T {
    words[rng.random_range(0..words.len())]
}

pub(super) fn full_name(rng: &mut impl Rng) -> String {
    format!("{} {}", one(&FIRST_NAMES, rng), one(&LAST_NAMES, rng))
}

pub(super) fn kind(rng: &mut impl Rng) -> (&'static str, RangeInclusive<i32>) {
    KINDS[rng.random_range(0..KINDS.len())].clone()
}

pub(super) fn area(rng: &mut impl Rng) -> &'static str {
    one(&AREAS, rng)
}

pub(super) fn title(kind: &str, area: &str, rng: &mut impl Rng) -> String {
    let (manner, feature) = (one(&MANNERS, rng), one(&FEATURES, rng));
    format!("{manner} {kind} {feature}, {area}")
}

pub(super) fn description(
    kind: &str,
    city: &str,
    amenities: &[&str],
    rng: &mut impl Rng,
) -> String {
    let offers: Vec<_> = amenities
        .iter()
        .map(|word| word.replace('_', " "))
        .collect();
    let around: Vec<_> = SURROUNDINGS.sample(rng, 2).copied().collect();
    format!(
        "{} {kind} in {city}, with {}. {}",
        one(&MANNERS, rng),
        offers.join(", "),
        around.join(" ")
    )
}

/// Three to eight of them, sorted.
pub(super) fn amenities(rng: &mut impl Rng) -> Vec<&'static str> {
    let count = rng.random_range(3..=8);
    let mut words: Vec<_> = AMENITIES.sample(rng, count).copied().collect();
    words.sort_unstable();
    words
}

/// A rating, mostly 4 or 5, and a comment that goes with it.
pub(super) fn opinion(rng: &mut impl Rng) -> (i32, String) {
    let rating = match rng.random_range(0..100) {
        0..52 => 5,
        52..82 => 4,
        82..93 => 3,
        93..98 => 2,
        _ => 1,
    };
    let (praise, caveat) = (one(&PRAISE, rng), one(&CAVEATS, rng));
    let comment = match rating {
        5 => format!("{praise} {}", one(&PRAISE, rng)),
        4 => format!("{praise} {caveat}"),
        _ => format!("{caveat} {}", one(&CAVEATS, rng)),
    };
    (rating, comment)
}

pub(super) fn response(rng: &mut impl Rng) -> String {
    one(&RESPONSES, rng).to_owned()
}
