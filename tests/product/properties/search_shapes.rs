//! A page is the same in whichever way it is found: the bounds between the ways are moved until each of them is gone.

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus, seq::IndexedRandom as _};
use sea_orm::Statement;
use serde_json::{Value, json};
use staygate::{
    domain::{
        ids::{PropertyId, UserId},
        page::{Cursor, Direction, PageRequest},
    },
    entity::{
        part::{Row, read},
        property::Entity,
    },
    service::search::{BoundingBox, Bounds, Search, SearchInput, Sort},
};

use crate::support::{World, on_both_engines};

const PROPERTIES: usize = 200;
const SEARCHES: usize = 120;
const PAGE: u64 = 7;
const SORTS: [Sort; 4] = [
    Sort::Newest,
    Sort::PriceAscending,
    Sort::PriceDescending,
    Sort::RatingDescending,
];

/// Bounds, each with what they leave of a walk's first rows and of the drivers. The default walks over so few properties to the end.
const SHAPES: [(&str, Bounds); 4] = [
    (
        "a page of everything that is found by words, else of a walk",
        bounds(1, 0, 1),
    ),
    ("a page of the smallest driver", bounds(1, 0, 1_000)),
    ("a page of the first driver", bounds(1, 1_000, 1_001)),
    (
        "a page of a walk that ends in the middle, else of a driver",
        bounds(60, 0, 1_000),
    ),
];

const WORDS: [&str; 12] = [
    "amber", "ambition", "attic", "barn", "bay", "cabin", "cellar", "harbour", "harvest", "loft",
    "studio", "tower",
];
const PLACES: [&str; 6] = [
    "Lisbon",
    "Lisboa Norte",
    "Braga",
    "Porto",
    "Porto Alegre",
    "Port Moresby",
];
const AMENITIES: [&str; 4] = ["wifi", "kitchen", "sauna", "pool"];
const PRICES: [i64; 5] = [30, 50, 80, 80, 120];

type Rng = Xoshiro256PlusPlus;
/// The rows of one page.
type Rows = Vec<(Cursor, Row<Entity>)>;

const fn bounds(walked: u64, few: i64, counted: i64) -> Bounds {
    Bounds {
        walked,
        few,
        counted,
        glanced: 0,
        places: 0,
        of_place: 0,
    }
}

/// The lists of places first: so few rows of each that hardly one is read to its end, or all of them.
fn near(of_place: u64) -> Bounds {
    Bounds {
        of_place,
        ..Bounds::default()
    }
}

fn one<T: Copy>(of: &[T], rng: &mut Rng) -> T {
    *of.choose(rng).expect("one of several")
}

/// Some of all amenities.
fn amenities(least: usize, rng: &mut Rng) -> Vec<&'static str> {
    let count = rng.random_range(least..=2);
    AMENITIES.sample(rng, count).copied().collect()
}

/// Degrees east: most of them near the date line, some of them on it.
fn longitude(rng: &mut Rng) -> f64 {
    let degrees = rng.random_range(0..=6);
    f64::from(match rng.random_range(0..5) {
        0 | 1 => 180 - degrees,
        2 | 3 => degrees - 180,
        _ => degrees,
    })
}

fn a_property(rng: &mut Rng) -> Value {
    let mut property = json!({
        "title": format!("{} {}", one(&WORDS, rng), one(&WORDS, rng)), "location": one(&PLACES, rng),
        "latitude": f64::from(rng.random_range(-60..=60)), "longitude": longitude(rng),
        "pricePerNight": one(&PRICES, rng).to_string(), "maxGuests": rng.random_range(1..=6), "amenities": amenities(0, rng),
        "minNights": rng.random_range(1..=2), "status": if rng.random_ratio(1, 12) { "UNLISTED" } else { "LISTED" },
    });
    if rng.random_ratio(1, 12) {
        (property["latitude"], property["longitude"]) = (json!(null), json!(null));
    }
    property
}

/// Properties of two hosts. Many have the same price or rating; some of their nights are taken.
async fn many_properties(world: &World, rng: &mut Rng) {
    let hosts = [world.host("hana").await, world.host("olga").await];
    let mut nights = Vec::new();
    for number in 1..=PROPERTIES {
        let host = &hosts[usize::from(rng.random_ratio(1, 8))];
        host.lists(a_property(rng)).await;
        for day in 10..20 {
            if rng.random_ratio(1, 4) {
                nights.push(format!("({number}, '{}', 'BLOCK')", world.day(day)));
            }
        }
    }
    let nights = nights.join(", ");
    for sql in [
        "UPDATE properties SET rating_hundredths = CASE property_id % 7 WHEN 0 THEN 500 WHEN 1 THEN 450 WHEN 2 THEN 450 WHEN 3 THEN 400 ELSE 0 END",
        &format!("INSERT INTO nights (property_id, night, kind) VALUES {nights}"),
    ] {
        world.meddles(sql).await.expect("rows");
    }
}

/// The beginnings of words, or what is inside of them.
fn a_text(rng: &mut Rng) -> String {
    let begins = rng.random_range(0..=1);
    let mut words = Vec::new();
    for _ in 0..one(&[1, 1, 2], rng) {
        let word = one(&WORDS, rng);
        let ends = begins + rng.random_range(1..=4);
        words.push(&word[begins..ends.min(word.len())]);
    }
    words.join(" ")
}

fn a_location(rng: &mut Rng) -> String {
    let place = one(&PLACES, rng);
    let begins = rng.random_range(0..=2);
    place[begins..(begins + rng.random_range(1..=7)).min(place.len())].to_owned()
}

/// Over the date line or beside it, flat or tall.
fn a_box(rng: &mut Rng) -> BoundingBox {
    let height = one(&[2, 5, 40, 90], rng);
    let south = rng.random_range(-60..=50);
    let (west, east) = match rng.random_range(0..4) {
        0 => (rng.random_range(0..=3), rng.random_range(3..=180)),
        1 => (-180, -180 + rng.random_range(0..=6)),
        _ => (180 - rng.random_range(0..=6), rng.random_range(0..=6) - 180),
    };
    BoundingBox {
        south: f64::from(south),
        north: f64::from((south + height).min(90)),
        west: f64::from(west),
        east: f64::from(east),
    }
}

/// Any of the filters, together.
fn an_input(world: &World, rng: &mut Rng) -> SearchInput {
    let mut input = SearchInput::default();
    if rng.random_ratio(1, 8) {
        input.host_id = Some(UserId(rng.random_range(1..=2)));
    } else if rng.random_ratio(1, 2) {
        // With a host there is no text: the list of all hosts may be one of whole words where the host's own is one of their parts.
        input.text = Some(a_text(rng));
    }
    if rng.random_ratio(1, 4) {
        input.location = Some(a_location(rng));
    }
    if rng.random_ratio(1, 4) {
        let (day, nights) = (rng.random_range(9..20), rng.random_range(1..=3));
        input.check_in = world.day(day).parse().ok();
        input.check_out = world.day(day + nights).parse().ok();
    }
    if rng.random_ratio(1, 4) {
        input.guests = Some(rng.random_range(1..=6));
    }
    if rng.random_ratio(1, 5) {
        input.min_price = Some(one(&PRICES, rng).into());
    }
    if rng.random_ratio(1, 5) {
        input.max_price = Some(one(&PRICES, rng).into());
    }
    if rng.random_ratio(1, 5) {
        input.min_rating = Some(one(&[0.0, 4.0, 4.1, 4.5, 5.0], rng));
    }
    if rng.random_ratio(1, 4) {
        let words = amenities(1, rng).into_iter();
        input.amenities = Some(words.map(str::to_owned).collect());
    }
    if rng.random_ratio(1, 3) {
        input.within = Some(a_box(rng));
    }
    input
}

fn request(direction: Direction) -> PageRequest {
    PageRequest {
        limit: PAGE,
        direction,
        after: None,
        before: None,
    }
}

/// All pages of a list, from one of its ends to the other.
async fn pages(
    world: &World,
    search: &Search,
    direction: Direction,
    sent: &mut Vec<Statement>,
) -> Vec<Rows> {
    let (mut request, mut pages) = (request(direction), Vec::new());
    // What turns in a circle is long enough then to be seen.
    while pages.len() < PROPERTIES {
        let properties = &world.app.services.properties;
        let page = properties.found_by(search, request, sent).await;
        let page = page.expect("a page");
        let more = match direction {
            Direction::Forward => {
                request.after = page.rows.last().map(|(cursor, _)| *cursor);
                page.has_next
            }
            Direction::Backward => {
                request.before = page.rows.first().map(|(cursor, _)| *cursor);
                page.has_previous
            }
        };
        pages.push(page.rows);
        if !more {
            break;
        }
    }
    pages
}

fn ids(rows: &[(Cursor, Row<Entity>)]) -> Vec<PropertyId> {
    let id = |(_, row): &(Cursor, Row<Entity>)| *read(&row.property_id).expect("a key");
    rows.iter().map(id).collect()
}

/// What the pages of a list are, in the order in which they are read.
fn cut(list: &Rows, direction: Direction) -> Vec<Vec<PropertyId>> {
    let page = usize::try_from(PAGE).expect("a few");
    let pages: Vec<_> = match direction {
        Direction::Forward => list.chunks(page).map(ids).collect(),
        Direction::Backward => list.rchunks(page).map(ids).collect(),
    };
    if pages.is_empty() {
        vec![Vec::new()]
    } else {
        pages
    }
}

/// The list that a walk along the order finds.
async fn walked(world: &World, input: &SearchInput, sort: Sort) -> Rows {
    let everyones = SearchInput {
        host_id: None,
        ..input.clone()
    };
    let properties = &world.app.services.properties;
    let search = properties.search(everyones, sort).expect("a good search");
    let search = search.bounded(bounds(2_000, 1_000, 50_000));
    let mut sent = Vec::new();
    let mut list = pages(world, &search, Direction::Forward, &mut sent)
        .await
        .concat();
    assert!(!sent.iter().any(is_sorted), "{input:?} is walked");
    list.retain(|(_, row)| {
        input
            .host_id
            .is_none_or(|host| row.host_id.try_as_ref() == Some(&host))
    });
    list
}

/// Whether a statement makes a page of what it finds in any order.
fn is_sorted(statement: &Statement) -> bool {
    statement.sql.contains("matching")
}

/// Whether a statement makes a page of the lists of places.
fn is_by_place(statement: &Statement) -> bool {
    statement.sql.contains("near")
}

/// How many pages the lists of places answered: no other statement had to be asked after theirs.
fn answered(sent: &[Statement]) -> usize {
    let by_place: Vec<_> = sent.iter().map(is_by_place).collect();
    let ends = by_place.windows(2).filter(|pair| pair == &[true, true]);
    ends.count() + usize::from(by_place.last() == Some(&true))
}

on_both_engines! {
    async fn a_page_is_the_same_in_whichever_way_it_is_found(world: World) {
        let mut rng = Rng::seed_from_u64(20_270_310);
        many_properties(&world, &mut rng).await;
        let service = &world.app.services.properties;
        let (mut found, mut loose, mut sorted) = (0, 0, [0; SHAPES.len()]);
        let (mut by_place, mut alone) = ([0; 2], [0; 2]);
        for number in 0..SEARCHES {
            let (input, sort) = (an_input(&world, &mut rng), SORTS[number % SORTS.len()]);
            let search = service.search(input.clone(), sort).expect("a good search");
            let list = walked(&world, &input, sort).await;
            let count = service.count_found(&search, request(Direction::Forward)).await.expect("a count");
            assert_eq!(usize::try_from(count), Ok(list.len()), "{input:?} {sort:?}");
            found += usize::from(!list.is_empty());
            loose += usize::from(list.first().is_some_and(|(cursor, _)| cursor.order == sort.loose_mark()));
            let others = [("a page of a walk", bounds(2_000, 1_000, 50_000)), ("a page of cut lists", near(0)), ("a page of whole lists", near(100))];
            for (shape, (name, bounds)) in SHAPES.into_iter().chain(others).enumerate() {
                let said = || format!("{name}: {input:?} {sort:?}");
                let search = search.clone().bounded(bounds);
                let mut sent = Vec::new();
                for direction in [Direction::Forward, Direction::Backward] {
                    let pages = pages(&world, &search, direction, &mut sent).await;
                    let pages: Vec<_> = pages.iter().map(|rows| ids(rows)).collect();
                    assert_eq!(pages, cut(&list, direction), "{direction:?}, {}", said());
                    let [(start, _), between @ .., (end, _)] = &list[..] else { continue };
                    let request = PageRequest { after: Some(*start), before: Some(*end), ..request(direction) };
                    let page = service.found_by(&search, request, &mut sent).await.expect("a page");
                    assert_eq!(ids(&page.rows), cut(&between.to_vec(), direction)[0], "between two cursors, {direction:?}, {}", said());
                }
                if shape > SHAPES.len() {
                    by_place[shape - SHAPES.len() - 1] += usize::from(sent.iter().any(is_by_place));
                    alone[shape - SHAPES.len() - 1] += answered(&sent);
                }
                if let Some(sorted) = sorted.get_mut(shape) {
                    *sorted += usize::from(sent.iter().any(is_sorted));
                }
            }
        }
        assert!(found > SEARCHES / 2 && loose > 5, "{found} found something, {loose} by parts of words");
        assert!(sorted.iter().all(|sorted| *sorted > SEARCHES / 3), "each way was taken: {sorted:?}");
        for (place, guests) in [("lisb", None), ("port", None), ("port", Some(2)), ("moresby", Some(1))] {
            let input = SearchInput { location: Some(place.into()), guests, ..SearchInput::default() };
            let list = walked(&world, &input, Sort::Newest).await;
            let search = service.search(input, Sort::Newest).expect("a good search").bounded(near(0));
            for direction in [Direction::Forward, Direction::Backward] {
                let mut sent = Vec::new();
                let pages = pages(&world, &search, direction, &mut sent).await;
                let pages: Vec<_> = pages.iter().map(|rows| ids(rows)).collect();
                assert_eq!(pages, cut(&list, direction), "{place} {guests:?}");
                alone[0] += answered(&sent);
            }
        }
        let asked = if world.is_postgres() { SEARCHES / 8 } else { 0 };
        assert!(by_place.iter().all(|searches| *searches >= asked), "{by_place:?}");
        assert!(alone.iter().all(|pages| *pages >= asked), "pages that places answered: {alone:?}");
    }
}
