//! Searching: every filter, every order, page by page.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Client, World, on_both_engines};

const PAGE: &str = "query($sort: PropertySort!, $first: Int, $after: String, $last: Int, $before: String) {
    properties(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { title } } nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const FIND: &str = "query($filter: PropertyFilter) { properties(filter: $filter, first: 100) { totalCount nodes { title } } }";

/// The titles of all that a filter lets through, sorted.
async fn found(client: &Client, filter: Value) -> Vec<String> {
    let answer = client.get(FIND, json!({ "filter": filter })).await;
    let mut titles = titles(&answer["properties"]["nodes"]);
    assert_eq!(
        answer["properties"]["totalCount"],
        json!(titles.len()),
        "{filter}"
    );
    titles.sort();
    titles
}

fn titles(nodes: &Value) -> Vec<String> {
    let title = |node: &Value| node["title"].as_str().expect("a title").to_owned();
    nodes.as_array().expect("nodes").iter().map(title).collect()
}

async fn refused(client: &Client, filter: Value) {
    assert_eq!(
        client.refusal(FIND, json!({ "filter": filter })).await,
        "BAD_USER_INPUT",
        "{filter}"
    );
}

/// Stays once for each of these ratings, on the nights from tomorrow on, and reviews each stay once all are over.
async fn stays_and_rates(world: &World, guest: &Client, ratings: &[(&str, &[i32])]) {
    let mut stays = Vec::new();
    for (property, ratings) in ratings {
        for (day, rating) in (1..).zip(*ratings) {
            let booking = guest
                .books(property, &world.day(day), &world.day(day + 1))
                .await;
            guest.pays(&booking).await;
            stays.push(json!({ "bookingId": booking["id"], "rating": rating }));
        }
    }
    world.clock.advance(Duration::days(10));
    world.background_round().await;
    for input in stays {
        let written = guest
            .mutate("createReview", "CreateReviewInput!", input, "review { id }")
            .await;
        assert_eq!(written["userErrors"], json!([]));
    }
}

/// Twelve properties `00` to `11` with few prices and ratings between them. Gives each one's price in cents and rating in halves.
async fn twelve(world: &World) -> Vec<(i64, i64)> {
    let host = world.host("hana").await;
    let (mut ids, mut ranks) = (Vec::new(), Vec::new());
    for number in 0..12_usize {
        let price = ["33.33", "100.10", "33.33", "250.00", "100.10", "100.10"][number % 6];
        ids.push(
            host.lists(json!({ "title": format!("Property {number:02}"), "pricePerNight": price }))
                .await,
        );
        let cents: i64 = price.replace('.', "").parse().expect("a price");
        ranks.push((cents, [0, 8, 9, 8][number % 4]));
    }
    let ratings: Vec<(&str, &[i32])> = ids
        .iter()
        .zip(&ranks)
        .map(|(id, (_, halves))| {
            let ratings: &[i32] = match halves {
                8 => &[4],
                9 => &[4, 5],
                _ => &[],
            };
            (id.as_str(), ratings)
        })
        .collect();
    stays_and_rates(world, &world.guest("gus").await, &ratings).await;
    ranks
}

/// Titles in the order of a sort, worked out here.
fn expected(sort: &str, ranks: &[(i64, i64)]) -> Vec<String> {
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    match sort {
        "NEWEST" => order.reverse(),
        "PRICE_ASC" => order.sort_by_key(|&number| (ranks[number].0, number)),
        "PRICE_DESC" => order.sort_by_key(|&number| std::cmp::Reverse((ranks[number].0, number))),
        _ => order.sort_by_key(|&number| std::cmp::Reverse((ranks[number].1, number))),
    }
    order
        .into_iter()
        .map(|number| format!("Property {number:02}"))
        .collect()
}

async fn page(client: &Client, variables: Value) -> Value {
    let page = client.get(PAGE, variables).await["properties"].take();
    let edges = page["edges"].as_array().expect("edges");
    assert_eq!(
        page["pageInfo"]["startCursor"],
        edges
            .first()
            .map_or(json!(null), |edge| edge["cursor"].clone())
    );
    assert_eq!(
        page["pageInfo"]["endCursor"],
        edges
            .last()
            .map_or(json!(null), |edge| edge["cursor"].clone())
    );
    let nodes: Vec<_> = edges.iter().map(|edge| edge["node"].clone()).collect();
    assert_eq!(page["nodes"], json!(nodes));
    page
}

on_both_engines! {
    async fn text_is_found_by_the_beginnings_of_its_words_in_title_description_and_location(world: World) {
        let host = world.host("hana").await;
        for (title, description, location) in [
            ("100% cotton", "Sheets from the mill.", "Braga"), ("1000 cotton", "Sheets from the mill.", "Faro"),
            ("snake_case", "A terrarium stands in it.", "Faro"), ("Fishermen's quay", "No terrarium, but a view of the sea.", "São Tomé, Straße 7"),
            (r"back\slash", "A studio for writers.", "Braga by the BASILICA"),
        ] {
            host.lists(json!({ "title": title, "description": description, "location": location, "amenities": ["sea_view"] })).await;
        }
        let find = async |text: &str| found(&world.stranger(), json!({ "text": text })).await;
        for (text, titles) in [
            ("COTTON", &["100% cotton", "1000 cotton"][..]), ("cotton 1000", &["1000 cotton"]), ("100", &["100% cotton", "1000 cotton"]),
            ("terra", &["Fishermen's quay", "snake_case"]), ("basil", &[r"back\slash"]), ("braga studio", &[r"back\slash"]),
            ("studio mill", &[]), ("snake_case", &["snake_case"]), ("case", &["snake_case"]), ("fishermen's", &["Fishermen's quay"]),
            ("sao tome", &["Fishermen's quay"]), ("STRASSE", &["Fishermen's quay"]), ("Tomé SÃO", &["Fishermen's quay"]),
            ("sea_view", &["Fishermen's quay"]), ("#sea_view", &["Fishermen's quay"]), ("@braga", &["100% cotton", r"back\slash"]),
        ] {
            assert_eq!(find(text).await, titles, "{text}");
        }
        for nothing in ["  ", "%", "_", r"\", "'", "\"\"", "* -- (", "🏠"] {
            assert_eq!(find(nothing).await.len(), 5, "without a word nothing is narrowed: {nothing}");
        }
        let place = async |location: &str| found(&world.stranger(), json!({ "location": location })).await;
        assert_eq!(place("BRAGA").await, ["100% cotton", r"back\slash"]);
        assert_eq!(place("rag").await, ["100% cotton", r"back\slash"], "inside of a word");
        assert_eq!(place("o tomé, str").await, ["Fishermen's quay"], "over words");
        assert_eq!(place("tome sao").await, [""; 0], "in its order");
        assert_eq!(place("br").await, ["100% cotton", r"back\slash"], "two letters begin a word");
        assert_eq!(place("ra").await, [""; 0]);
        assert_eq!(place("?!").await.len(), 5);
        assert_eq!(place("cotton").await, [""; 0], "a title is no location");
        assert_eq!(found(&world.stranger(), json!({ "location": "faro", "text": "snake" })).await, ["snake_case"]);
    }

    async fn words_that_begin_no_word_are_found_inside_of_title_and_location(world: World) {
        let host = world.host("hana").await;
        for (title, location) in [("Attic", "Lisbon"), ("Cellar", "Lisbon"), ("Isbjorn cabin", "Tromsø"), ("Loft", "Porto")] {
            host.lists(json!({ "title": title, "location": location, "description": "Embarks on a barge." })).await;
        }
        let find = async |filter: Value| found(&world.stranger(), filter).await;
        assert_eq!(find(json!({ "text": "isb" })).await, ["Isbjorn cabin"], "what begins a word comes alone");
        assert_eq!(find(json!({ "text": "isbo" })).await, ["Attic", "Cellar"]);
        assert_eq!(find(json!({ "text": "sbo on" })).await, ["Attic", "Cellar"], "each of the words");
        assert_eq!(find(json!({ "text": "sbo ttic" })).await, ["Attic"]);
        assert_eq!(find(json!({ "text": "isb", "location": "lisb" })).await, ["Attic", "Cellar"], "of what else is asked for");
        assert_eq!(find(json!({ "text": "arge" })).await, [""; 0], "not inside of the description");
        assert_eq!(find(json!({ "text": "tt" })).await, [""; 0], "not by two letters");
    }

    async fn a_list_of_parts_of_words_goes_on_as_it_began(world: World) {
        let host = world.host("hana").await;
        for number in 0..4 {
            host.lists(json!({ "title": format!("Number {number}"), "location": "Lisbon" })).await;
        }
        let query = "query($after: String, $before: String) { properties(filter: { text: \"isbo\" }, first: 2, after: $after, before: $before) {
            totalCount nodes { title } pageInfo { hasNextPage endCursor } } }";
        let client = world.stranger();
        let first = client.get(query, json!({})).await["properties"].take();
        assert_eq!(titles(&first["nodes"]), ["Number 3", "Number 2"]);
        host.lists(json!({ "title": "Isbo itself" })).await;
        let after = first["pageInfo"]["endCursor"].clone();
        let second = client.get(query, json!({ "after": after })).await["properties"].take();
        assert_eq!((titles(&second["nodes"]), second["totalCount"].clone()), (vec!["Number 1".into(), "Number 0".into()], json!(5)));
        let anew = client.get(query, json!({})).await["properties"].take();
        assert_eq!((titles(&anew["nodes"]), anew["totalCount"].clone()), (vec!["Isbo itself".into()], json!(1)));
        let before = anew["pageInfo"]["endCursor"].clone();
        assert_eq!(client.refusal(query, json!({ "after": after, "before": before })).await, "BAD_USER_INPUT", "cursors of two lists");
    }

    async fn no_text_is_ever_a_mistake_of_syntax(world: World) {
        let host = world.host("hana").await;
        host.lists(json!({})).await;
        let long = "ab1 ".repeat(50);
        for text in [
            "'; DROP TABLE properties; --", "\"alfama", "alfama\"", "a* OR b*", "NEAR(a b, 2)", "name : x", "-alfama", "^alfama", "{a b} : c", "a AND",
            "NOT", "a + b", "a:*", "!a & (b | c) <-> d", "'' ''", r"\\", "%_%", "$1", "?", "{}", "مرحبا بالعالم", "שלום", "京都の町家", "🏠🏡", "\u{fdfa}",
            "हिन्दी", "a\u{301}\u{301}", "\u{202e}abc", "ﬀ", long.trim(), &"x".repeat(200), &"京".repeat(200), &"\u{fdfa}".repeat(200), &"\u{301}".repeat(200),
        ] {
            for filter in [json!({ "text": text }), json!({ "location": text }), json!({ "text": text, "location": text, "amenities": ["wifi"] })] {
                found(&world.stranger(), filter).await;
            }
        }
        refused(&world.stranger(), json!({ "text": "x".repeat(201) })).await;
        refused(&world.stranger(), json!({ "text": "a\u{0}b" })).await;
        for (title, location) in [("x".repeat(120), "y".repeat(200)), ("\u{fdfa}".repeat(120), "\u{fdfa}".repeat(200)), ("!!!".into(), "??".into())] {
            host.lists(json!({ "title": title, "location": location, "description": "z".repeat(8000) })).await;
        }
        assert_eq!(found(&world.stranger(), json!({ "text": "z".repeat(200) })).await.len(), 3, "the longest words are found too");
    }

    async fn what_a_host_changes_is_found_by_its_new_words_alone(world: World) {
        let host = world.host("hana").await;
        let id = host.lists(json!({ "title": "Attic", "location": "Braga" })).await;
        for change in [json!({ "id": id, "title": "Cellar", "amenities": ["sauna"] }), json!({ "id": id, "location": "Faro" })] {
            host.mutate("updateProperty", "UpdatePropertyInput!", change, "property { id }").await;
        }
        let find = async |filter: Value| found(&world.stranger(), filter).await;
        for old in [json!({ "text": "attic" }), json!({ "text": "ttic" }), json!({ "location": "brag" }), json!({ "amenities": ["wifi"] })] {
            assert_eq!(find(old).await, [""; 0]);
        }
        for new in [json!({ "text": "cellar" }), json!({ "text": "ellar" }), json!({ "location": "faro" }), json!({ "amenities": ["sauna"] })] {
            assert_eq!(find(new).await, ["Cellar"]);
        }
    }

    async fn text_is_found_whatever_its_case_in_any_script(world: World) {
        let host = world.host("hana").await;
        for title in ["Évora ÉLÉGANTE", "żółty dom", "ΑΘΗΝΑ", "дом у моря", "京都の町家"] {
            host.lists(json!({ "title": title, "location": title })).await;
        }
        for (text, title) in [
            ("Évora", "Évora ÉLÉGANTE"), ("evora", "Évora ÉLÉGANTE"), ("élégante", "Évora ÉLÉGANTE"), ("ŻÓŁTY", "żółty dom"), ("zolty", "żółty dom"),
            ("αθηνα", "ΑΘΗΝΑ"), ("ДОМ У", "дом у моря"), ("京都", "京都の町家"), ("町家", "京都の町家"),
        ] {
            assert_eq!(found(&world.stranger(), json!({ "text": text })).await, [title], "{text}");
            assert_eq!(found(&world.stranger(), json!({ "location": text })).await, [title], "{text}");
        }
    }

    async fn each_number_narrows_the_search_and_bounds_are_included(world: World) {
        let (hana, olga) = (world.host("hana").await, world.host("olga").await);
        hana.lists(json!({ "title": "Small", "pricePerNight": "50.00", "maxGuests": 1, "amenities": ["wifi"] })).await;
        hana.lists(json!({ "title": "Middle", "pricePerNight": "100.10", "maxGuests": 4, "amenities": ["wifi", "sauna"] })).await;
        olga.lists(json!({ "title": "Palace", "pricePerNight": "900.00", "maxGuests": 20, "amenities": ["sauna", "pool", "wifi"] })).await;
        let find = async |filter| found(&world.stranger(), filter).await;
        assert_eq!(find(json!({ "hostId": hana.id })).await, ["Middle", "Small"]);
        assert_eq!(find(json!({ "hostId": world.guest("gus").await.id })).await, [""; 0]);
        assert_eq!(find(json!({ "guests": 4 })).await, ["Middle", "Palace"]);
        assert_eq!(find(json!({ "guests": 21 })).await, [""; 0]);
        assert_eq!(find(json!({ "minPrice": "100.10" })).await, ["Middle", "Palace"]);
        assert_eq!(find(json!({ "minPrice": "100.11" })).await, ["Palace"]);
        assert_eq!(find(json!({ "maxPrice": "100.10" })).await, ["Middle", "Small"]);
        assert_eq!(find(json!({ "maxPrice": "100.09" })).await, ["Small"]);
        assert_eq!(find(json!({ "minPrice": 50, "maxPrice": 100.1 })).await, ["Middle", "Small"], "plain numbers too");
        assert_eq!(find(json!({ "minPrice": "200", "maxPrice": "100" })).await, [""; 0]);
        assert_eq!(find(json!({ "amenities": ["wifi", "sauna"] })).await, ["Middle", "Palace"], "all of them");
        assert_eq!(find(json!({ "amenities": ["wifi", "sauna", "pool"] })).await, ["Palace"]);
        assert_eq!(find(json!({ "amenities": [] })).await.len(), 3);
        assert_eq!(find(json!({ "amenities": ["helipad"] })).await, [""; 0]);
        assert_eq!(find(json!({ "hostId": hana.id, "guests": 2, "maxPrice": "500", "amenities": ["sauna"], "text": "view" })).await, [""; 0]);
        for wrong in [json!({ "guests": 0 }), json!({ "minPrice": "-1" }), json!({ "minRating": 5.1 }), json!({ "amenities": ["Hot Tub"] })] {
            refused(&world.stranger(), wrong).await;
        }
    }

    async fn the_least_rating_is_included(world: World) {
        let host = world.host("hana").await;
        let good = host.lists(json!({ "title": "Good" })).await;
        let best = host.lists(json!({ "title": "Best" })).await;
        host.lists(json!({ "title": "New" })).await;
        stays_and_rates(&world, &world.guest("gus").await, &[(&good, &[5, 5, 4, 4, 4]), (&best, &[5])]).await;
        let find = async |rating: f64| found(&world.stranger(), json!({ "minRating": rating })).await;
        assert_eq!(find(4.39).await, ["Best", "Good"]);
        assert_eq!(find(4.4).await, ["Best", "Good"], "4.4 is what it has");
        assert_eq!(find(4.41).await, ["Best"]);
        assert_eq!(find(5.0).await, ["Best"]);
        assert_eq!(find(0.0).await, ["Best", "Good", "New"]);
    }

    async fn a_box_on_the_map_may_cross_the_date_line(world: World) {
        let host = world.host("hana").await;
        for (title, latitude, longitude) in [
            ("Lisbon", 38.71, -9.13), ("Suva", -18.14, 178.44), ("Apia", -13.83, -171.77), ("Date line", -15.0, 180.0),
        ] {
            host.lists(json!({ "title": title, "latitude": latitude, "longitude": longitude })).await;
        }
        host.lists(json!({ "title": "Somewhere", "latitude": null, "longitude": null })).await;
        let inside = |south: f64, west: f64, north: f64, east: f64| json!({ "within": { "south": south, "west": west, "north": north, "east": east } });
        let find = async |filter| found(&world.stranger(), filter).await;
        assert_eq!(find(inside(38.0, -10.0, 39.0, -9.0)).await, ["Lisbon"]);
        assert_eq!(find(inside(38.71, -9.13, 38.71, -9.13)).await, ["Lisbon"], "the edges are inside");
        assert_eq!(find(inside(-20.0, 175.0, -10.0, -170.0)).await, ["Apia", "Date line", "Suva"], "across the date line");
        assert_eq!(find(inside(-20.0, -170.0, -10.0, 175.0)).await, [""; 0], "the other way round");
        assert_eq!(find(inside(-90.0, -180.0, 90.0, 180.0)).await, ["Apia", "Date line", "Lisbon", "Suva"]);
        for wrong in [inside(1.0, 0.0, -1.0, 1.0), inside(-91.0, 0.0, 0.0, 1.0), inside(0.0, 0.0, 1.0, 180.5)] {
            refused(&world.stranger(), wrong).await;
        }
    }

    async fn dates_leave_what_is_free_on_every_night_of_the_stay(world: World) {
        let host = world.host("hana").await;
        let held = host.lists(json!({ "title": "Held" })).await;
        let sold = host.lists(json!({ "title": "Sold" })).await;
        host.lists(json!({ "title": "Free" })).await;
        let guest = world.guest("gus").await;
        let find = async |from, to| found(&world.stranger(), json!({ "checkIn": world.day(from), "checkOut": world.day(to) })).await;
        guest.books(&held, &world.day(10), &world.day(12)).await;
        guest.pays(&guest.books(&sold, &world.day(10), &world.day(12)).await).await;
        assert_eq!(find(10, 12).await, ["Free"]);
        assert_eq!(find(11, 15).await, ["Free"], "the last night is taken");
        assert_eq!(find(5, 11).await, ["Free"], "the first night is taken");
        assert_eq!(find(5, 20).await, ["Free"], "nights in the middle are taken");
        assert_eq!(find(12, 14).await, ["Free", "Held", "Sold"], "the check-out day is free");
        assert_eq!(find(8, 10).await, ["Free", "Held", "Sold"]);
        world.clock.advance(Duration::minutes(15));
        assert_eq!(find(10, 12).await, ["Free", "Held"], "a lapsed hold is free before any job has run");
        for (from, to) in [(Some(10), None), (None, Some(12)), (Some(12), Some(10)), (Some(10), Some(10)), (Some(-2), Some(1)), (Some(1), Some(367)), (Some(730), Some(732))] {
            refused(&world.stranger(), json!({ "checkIn": from.map(|day| world.day(day)), "checkOut": to.map(|day| world.day(day)) })).await;
        }
    }

    async fn every_order_visits_each_property_once_forward_and_backward(world: World) {
        let ranks = twelve(&world).await;
        let client = world.stranger();
        for sort in ["NEWEST", "PRICE_ASC", "PRICE_DESC", "RATING_DESC"] {
            let expected = expected(sort, &ranks);
            let (mut forward, mut flags, mut after) = (Vec::new(), Vec::new(), json!(null));
            for _ in 0..3 {
                let page = page(&client, json!({ "sort": sort, "first": 5, "after": after })).await;
                forward.extend(titles(&page["nodes"]));
                flags.push((page["pageInfo"]["hasPreviousPage"] == true, page["pageInfo"]["hasNextPage"] == true));
                after = page["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(forward, expected, "{sort}");
            assert_eq!(flags, [(false, true), (true, true), (true, false)], "{sort}");
            let end = page(&client, json!({ "sort": sort, "first": 5, "after": after })).await;
            assert_eq!((&end["nodes"], &end["pageInfo"]["hasNextPage"]), (&json!([]), &json!(false)), "{sort}");

            let (mut backward, mut flags, mut before) = (Vec::new(), Vec::new(), json!(null));
            for _ in 0..3 {
                let page = page(&client, json!({ "sort": sort, "last": 5, "before": before })).await;
                backward.splice(0..0, titles(&page["nodes"]));
                flags.push((page["pageInfo"]["hasPreviousPage"] == true, page["pageInfo"]["hasNextPage"] == true));
                before = page["pageInfo"]["startCursor"].clone();
            }
            assert_eq!(backward, expected, "{sort}");
            assert_eq!(flags, [(true, false), (true, true), (false, true)], "{sort}");
        }
    }

    async fn exactly_full_pages_know_their_end_and_cursors_bound_from_both_sides(world: World) {
        let ranks = twelve(&world).await;
        let client = world.stranger();
        let expected = expected("PRICE_ASC", &ranks);
        let all = page(&client, json!({ "sort": "PRICE_ASC", "first": 12 })).await;
        assert_eq!(titles(&all["nodes"]), expected);
        assert_eq!((&all["pageInfo"]["hasNextPage"], &all["pageInfo"]["hasPreviousPage"]), (&json!(false), &json!(false)));
        let most = page(&client, json!({ "sort": "PRICE_ASC", "first": 11 })).await;
        assert_eq!(most["pageInfo"]["hasNextPage"], true);
        let cursor = |row: usize| all["edges"][row]["cursor"].clone();
        let between = page(&client, json!({ "sort": "PRICE_ASC", "first": 5, "after": cursor(2), "before": cursor(6) })).await;
        assert_eq!(titles(&between["nodes"]), expected[3..6]);
        let between = page(&client, json!({ "sort": "PRICE_ASC", "last": 2, "after": cursor(2), "before": cursor(6) })).await;
        assert_eq!(titles(&between["nodes"]), expected[4..6]);
        let none = page(&client, json!({ "sort": "PRICE_ASC", "first": 0 })).await;
        assert_eq!((&none["nodes"], &none["pageInfo"]["startCursor"]), (&json!([]), &json!(null)));
    }

    async fn a_cursor_of_one_order_is_refused_in_another(world: World) {
        let host = world.host("hana").await;
        host.lists(json!({})).await;
        let client = world.stranger();
        let sorts = ["NEWEST", "PRICE_ASC", "PRICE_DESC", "RATING_DESC"];
        for own in sorts {
            let cursor = page(&client, json!({ "sort": own, "first": 1 })).await["pageInfo"]["endCursor"].take();
            for sort in sorts {
                for side in ["after", "before"] {
                    let answer = client.ask(PAGE, json!({ "sort": sort, side: cursor })).await;
                    let code = &answer["errors"][0]["extensions"]["code"];
                    let expected = if sort == own { json!(null) } else { json!("BAD_USER_INPUT") };
                    assert_eq!(*code, expected, "a cursor of {own} as {side} in {sort}");
                }
            }
        }
    }

    async fn what_is_listed_while_somebody_pages_moves_nothing(world: World) {
        let host = world.host("hana").await;
        for number in 0..4 {
            host.lists(json!({ "title": format!("Property {number}") })).await;
        }
        let client = world.stranger();
        let first = page(&client, json!({ "sort": "NEWEST", "first": 2 })).await;
        host.lists(json!({ "title": "Newcomer" })).await;
        let second = page(&client, json!({ "sort": "NEWEST", "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
        assert_eq!(titles(&first["nodes"]), ["Property 3", "Property 2"]);
        assert_eq!(titles(&second["nodes"]), ["Property 1", "Property 0"]);
    }
}
