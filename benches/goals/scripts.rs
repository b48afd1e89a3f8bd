//! What pgbench runs in the place of a server: for each search and each home of the sample, the statements that an expert would write
//! who knows what comes next, with the keys in them that the statements before would give.
//!
//! They are made anew for each run, by asking the database once. They read the columns that are answered and no more, prepared, each kind
//! of row in one statement.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use staygate::domain::fold;

use super::data::Data;

const COLUMNS: &str = "p.property_id, p.host_id, p.title, p.location, p.price_per_night, p.rating_hundredths, p.review_count";
const ALL_COLUMNS: &str = "p.property_id, p.host_id, p.title, p.description, p.location, p.latitude, p.longitude, p.price_per_night, \
    p.cleaning_fee, p.max_guests, p.rating_hundredths, p.review_count";
const LISTED: &str = "p.status = 'LISTED' AND p.deleted_at IS NULL";

/// Makes the statement that gives these columns of the newest 20 of a place.
type Page = fn(&str, &str) -> String;

/// Which of them is quicker depends on how many there are.
const PAGES: [Page; 2] = [by_place, by_key];

/// Finds all in the index of places, and reads the newest.
fn by_place(place: &str, columns: &str) -> String {
    format!(
        "SELECT {columns} FROM (SELECT property_id FROM property_search WHERE place LIKE '%{place}%' \
         ORDER BY property_id DESC OFFSET 0) AS s \
         CROSS JOIN LATERAL (SELECT * FROM properties AS p WHERE p.property_id = s.property_id AND {LISTED}) AS p \
         ORDER BY s.property_id DESC LIMIT 20"
    )
}

/// Walks from the newest on until there are 20.
fn by_key(place: &str, columns: &str) -> String {
    format!(
        "SELECT {columns} FROM property_search AS s JOIN properties AS p USING (property_id) \
         WHERE s.place LIKE '%{place}%' AND {LISTED} ORDER BY p.property_id DESC LIMIT 20"
    )
}

/// Writes one for each search.
pub(super) fn of_searches(
    data: &Data,
    cities: &[String],
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let places: Vec<String> = cities
        .iter()
        .map(|city| fold::words(city).join(" "))
        .collect();
    let page = quickest(data, &places)?;
    let script = |(number, place): (usize, &String)| {
        let found: Vec<i32> = data.all(&page(place, "p.property_id"))?;
        ensure!(found.len() == 20, "{place} has no whole page");
        let rest = reviewed(data, &keys(&found), 3)?;
        write(folder, "search", number, &[page(place, COLUMNS), rest])
    };
    places.iter().enumerate().map(script).collect()
}

/// Writes one for each home.
pub(super) fn of_details(
    data: &Data,
    properties: &[i32],
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let script = |(number, property): (usize, &i32)| {
        let home = format!(
            "SELECT {ALL_COLUMNS} FROM properties AS p WHERE p.property_id = {property} AND {LISTED}"
        );
        let rest = reviewed(data, &property.to_string(), 10)?;
        write(folder, "detail", number, &[home, rest])
    };
    properties.iter().enumerate().map(script).collect()
}

/// The statements for the hosts of properties, their newest reviews, and the authors of these.
fn reviewed(data: &Data, properties: &str, newest: u32) -> anyhow::Result<String> {
    let reviews = |columns: &str| {
        format!(
            "SELECT {columns} FROM unnest('{{{properties}}}'::int[]) AS p (property_id) \
             CROSS JOIN LATERAL (SELECT r.review_id, r.property_id, r.guest_id, r.rating, r.comment, r.created_at FROM reviews AS r \
             WHERE r.property_id = p.property_id ORDER BY r.review_id DESC LIMIT {newest}) AS r"
        )
    };
    let people = |ids: Vec<i32>| {
        let ids = keys(&ids);
        format!("SELECT user_id, full_name FROM users WHERE user_id = ANY('{{{ids}}}'::int[])")
    };
    let hosts = data.all(&format!(
        "SELECT DISTINCT host_id FROM properties WHERE property_id IN ({properties})"
    ))?;
    let authors = data.all(&reviews("DISTINCT r.guest_id"))?;
    Ok([people(hosts), reviews("r.*"), people(authors)].join(";\n"))
}

/// Which way to find a page takes the least time, over all of these.
fn quickest(data: &Data, places: &[String]) -> anyhow::Result<Page> {
    let mut timed = Vec::new();
    for page in PAGES {
        let start = Instant::now();
        for place in places {
            data.all::<i32>(&page(place, "p.property_id"))?;
        }
        timed.push((start.elapsed(), page));
    }
    let quickest = timed.into_iter().min_by_key(|(took, _)| *took);
    Ok(quickest.context("there are ways")?.1)
}

fn keys(ids: &[i32]) -> String {
    let ids: Vec<String> = ids.iter().map(i32::to_string).collect();
    ids.join(",")
}

fn write(
    folder: &Path,
    name: &str,
    number: usize,
    statements: &[String],
) -> anyhow::Result<PathBuf> {
    let file = folder.join(format!("{name}-{number}.sql"));
    fs::write(&file, statements.join(";\n") + ";\n")?;
    Ok(file)
}
