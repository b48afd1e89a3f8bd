//! What the parts of an answer take that are neither the database nor the executor: in their order, for the search of the goals.
//!
//! `cargo bench --bench parts -- cursor` measures those with this in their names.

use std::hint::black_box;

use async_graphql::{
    Response, Value, Variables,
    parser::{parse_query, types::DocumentOperations},
};
use chrono::{DateTime, Duration};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use staygate::{
    domain::{card_number, page::Cursor, rate::Quota},
    graphql::{Costs, sdl},
};

const SEARCH: &str = "query($city: String!) { properties(filter: { location: $city }, first: 20) { nodes { \
    id title location pricePerNight { amount currency } averageRating reviewCount host { id fullName } \
    reviews(first: 3) { nodes { id rating comment createdAt author { id fullName } } } } } }";

/// A body is looked through before it is parsed.
fn card_numbers(criterion: &mut Criterion) {
    let body = json!({ "query": SEARCH, "variables": { "city": "Porto" } }).to_string();
    criterion.bench_function("card numbers in a request", |bencher| {
        bencher.iter(|| card_number::is_in(black_box(&body)));
    });
    // The worst are digits that might be one.
    let digits = "4111 1111 1111 1112, ".repeat(400);
    criterion.bench_function("card numbers in 8 KB of digits", |bencher| {
        bencher.iter(|| card_number::is_in(black_box(&digits)));
    });
}

fn costs(criterion: &mut Criterion) {
    criterion.bench_function("parsing the search", |bencher| {
        bencher.iter(|| parse_query(black_box(SEARCH)));
    });
    let costs = Costs::of(&sdl());
    let document = parse_query(SEARCH).expect("the search parses");
    let DocumentOperations::Single(operation) = &document.operations else {
        panic!("it is one operation");
    };
    let variables = Variables::from_json(json!({ "city": "Porto" }));
    criterion.bench_function("the cost of the search", |bencher| {
        bencher.iter(|| costs.of_operation(black_box(&document), &operation.node, &variables));
    });
}

fn rates(criterion: &mut Criterion) {
    let quota = Quota {
        burst: 1_000,
        every: Duration::milliseconds(100),
    };
    let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
    let taken = quota.take_some(181, None, now).expect("there are as many");
    criterion.bench_function("taking from a quota", |bencher| {
        bencher.iter(|| quota.take_some(181, black_box(Some(taken.arrival)), now));
    });
}

fn cursors(criterion: &mut Criterion) {
    let cursor = Cursor {
        order: 'n',
        rank: 1_764_000_000_000_000,
        id: 123_456,
    };
    criterion.bench_function("writing a cursor", |bencher| {
        bencher.iter(|| black_box(cursor).encode());
    });
    let text = cursor.encode();
    criterion.bench_function("reading a cursor", |bencher| {
        bencher.iter(|| Cursor::decode("after", black_box(&text), 'n'));
    });
}

fn answers(criterion: &mut Criterion) {
    let person = json!({ "id": "VXNlcjozMjIz", "fullName": "Yara Hansen" });
    let review = json!({
        "id": "UmV2aWV3OjI1Mjgy", "rating": 5, "createdAt": "2026-10-03T04:19:00Z", "author": person,
        "comment": "Spotless, well heated and well equipped. Perfect for a few days in the city."
    });
    let property = json!({
        "id": "UHJvcGVydHk6OTk5OA", "title": "Quiet penthouse with a reading corner, South Bank",
        "location": "South Bank, Porto, Portugal", "pricePerNight": { "amount": "246.00", "currency": "USD" },
        "averageRating": 4.67, "reviewCount": 3, "host": person, "reviews": { "nodes": vec![review; 3] }
    });
    let answer = json!({ "properties": { "nodes": vec![property; 20] } });
    let answer = Response::new(Value::from_json(answer).expect("it is a value"));
    criterion.bench_function("writing the answer to the search", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&answer)));
    });
}

criterion_group!(parts, card_numbers, costs, rates, cursors, answers);
criterion_main!(parts);
