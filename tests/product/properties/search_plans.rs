//! What a search costs at a million properties: whatever is looked for, in whatever order, it reads little.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait as _, Database, DbBackend, Statement,
    sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, sqlite::SqliteConnection},
};
use serde_json::Value;
use staygate::{
    domain::{
        ids::UserId,
        page::{Direction, PageRequest},
    },
    service::search::{BoundingBox, SearchInput, Sort},
};

use crate::support::{World, on_both_engines};

const PROPERTIES: i64 = 1_000_000;
/// How the names of searches begin whose filters go with the order, so that a walk along it finds nothing.
const WORST: &str = "worst";
const SORTS: [Sort; 4] = [
    Sort::Newest,
    Sort::PriceAscending,
    Sort::PriceDescending,
    Sort::RatingDescending,
];
/// The most pages of 8 KiB that all statements of one search touch, counted each time: the tables and indexes have more than 200,000.
const MOST_BUFFERS: u64 = 50_000;
/// The most steps that SQLite's machine takes for all statements of one search; a walk along the table takes tens of millions.
const MOST_STEPS: u64 = 1_000_000;
/// For all statements of one search, on a busy machine: less than one statement may take. What full-text tables do takes no steps.
const LONGEST: Duration = Duration::from_secs(2);

/// Properties whose numbers are spread by multiplication: every value is known, and none goes with another.
fn rows(postgres: bool) -> Vec<String> {
    let numbers = if postgres {
        format!("generate_series(1, {PROPERTIES}::bigint) AS numbers(g)")
    } else {
        format!(
            "(WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {PROPERTIES}) SELECT g FROM n) AS numbers"
        )
    };
    let properties = format!(
        "INSERT INTO properties (property_id, host_id, title, description, location, latitude, longitude, price_per_night, cleaning_fee, max_guests,
            status, instant_book, cancellation_policy, time_zone, rating_sum, review_count, rating_hundredths, created_at, updated_at)
         SELECT g, CASE WHEN g % 200000 = 0 THEN 2 ELSE 1 END, 'Title', 'A description of a home that is of some length, as they are, but not as long.', 'Somewhere',
            ((g * 104729) % 180000) / 1000.0 - 90, ((g * 15485863) % 360000) / 1000.0 - 180, 10 + ((g * 7919) % 99001) / 100.0, 0,
            CASE WHEN g % 20000 = 0 THEN 50 WHEN g % 300 = 0 THEN 20 ELSE 1 + (g * 13) % 12 END, 'LISTED', TRUE, 'FLEXIBLE', 'UTC', 0, 0,
            CASE WHEN g % 3 = 0 THEN 0 ELSE 300 + (g * 31) % 201 END, '2027-01-01T00:00:00+00:00', '2027-01-01T00:00:00+00:00'
         FROM {numbers}"
    );
    let terms = "' all w' || (g % 50000) || CASE WHEN g % 2 = 0 THEN ' half' ELSE '' END || CASE WHEN g % 20 = 7 THEN ' twentieth' ELSE '' END
        || CASE WHEN g % 300 = 0 THEN ' middling' ELSE '' END || CASE WHEN g % 100000 = 0 THEN ' rare' ELSE '' END
        || CASE WHEN g <= 40000 THEN ' oldest' ELSE '' END || CASE WHEN g % 3 = 0 THEN ' #unrated' ELSE '' END || CASE WHEN g % 7 < 3 THEN ' #wifi' ELSE '' END || CASE WHEN g % 400 = 0 THEN ' #sauna' ELSE '' END
        || CASE WHEN g % 50000 = 0 THEN ' #helipad' ELSE '' END || ' @city' || (g % 5000) || CASE WHEN g % 4 = 0 THEN ' @portugal' ELSE ' @spain' END || ' '";
    let place = "' city' || (g % 5000) || CASE WHEN g % 4 = 0 THEN ' portugal ' ELSE ' spain ' END";
    let words = format!(
        "INSERT INTO property_search (property_id, terms, name, place) SELECT g, {terms}, ' title' || {place}, {place} FROM {numbers}"
    );
    let date = if postgres { "DATE " } else { "" };
    let nights = [("2027-04-01", "g / 3 % 3 = 0"), ("2027-05-01", "g % 3 = 0")];
    let nights = nights.map(|(night, taken)| format!(
        "INSERT INTO nights (property_id, night, kind) SELECT g, {date}'{night}', 'BLOCK' FROM {numbers} WHERE {taken}"
    ));
    [vec![properties, words], nights.into()].concat()
}

/// Fills the tables as bulk loads do: without their indexes, which are built when the rows are there.
async fn fill(world: &World) {
    world.host("hana").await;
    world.host("olga").await;
    let settings = world.settings();
    if !world.is_postgres() {
        let path = settings["DATABASE_URL"].trim_start_matches("sqlite://");
        let mut connection = SqliteConnection::connect(path).await.expect("opens");
        let indexes: Vec<(String, String)> = sqlx::query_as(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'properties' AND sql IS NOT NULL",
        )
        .fetch_all(&mut connection)
        .await
        .expect("indexes");
        let mut script = vec![
            "PRAGMA synchronous = OFF".to_owned(),
            "PRAGMA cache_size = -400000".into(),
            "DROP TRIGGER property_search_inserted".into(),
        ];
        script.extend(indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")));
        script.extend(rows(false));
        script.extend(indexes.into_iter().map(|(_, sql)| sql));
        script.extend(
            ["property_terms", "property_trigrams"]
                .map(|table| format!("INSERT INTO {table} ({table}) VALUES ('rebuild')")),
        );
        run(&mut connection, script).await;
        return;
    }
    let mut connection = sqlx::PgConnection::connect(&settings["DATABASE_URL"])
        .await
        .expect("opens");
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('properties', 'property_search') AND indexname NOT LIKE '%_pkey'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("indexes");
    let mut script = vec![
        "SET maintenance_work_mem = '512MB'".to_owned(),
        "SET synchronous_commit = off".into(),
    ];
    script.extend(indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")));
    script.extend(rows(true));
    script.extend(indexes.into_iter().map(|(_, sql)| sql));
    script.extend(
        [
            "VACUUM (ANALYZE) properties",
            "VACUUM (ANALYZE) property_search",
            "VACUUM (ANALYZE) nights",
        ]
        .map(Into::into),
    );
    run(&mut connection, script).await;
}

async fn run<C>(connection: &mut C, script: Vec<String>)
where
    for<'c> &'c mut C: sqlx::Executor<'c>,
{
    for sql in script {
        let began = Instant::now();
        let ran = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone())));
        ran.await.expect("fills");
        eprintln!("{:?} {sql:.60}", began.elapsed());
    }
}

#[expect(clippy::too_many_lines, reason = "it is one list")]
fn searches() -> Vec<(&'static str, SearchInput)> {
    let none = SearchInput::default;
    let text = |text: &str| SearchInput {
        text: Some(text.into()),
        ..none()
    };
    let location = |location: &str| SearchInput {
        location: Some(location.into()),
        ..none()
    };
    let guests = |guests| SearchInput {
        guests: Some(guests),
        ..none()
    };
    let prices = |min: i64, max: i64| SearchInput {
        min_price: Some(min.into()),
        max_price: Some(max.into()),
        ..none()
    };
    let rating = |rating| SearchInput {
        min_rating: Some(rating),
        ..none()
    };
    let amenities = |words: &[&str]| SearchInput {
        amenities: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        ..none()
    };
    let within = |south, west, north, east| SearchInput {
        within: Some(BoundingBox {
            south,
            west,
            north,
            east,
        }),
        ..none()
    };
    let dates = |from: &str, to: &str| SearchInput {
        check_in: from.parse().ok(),
        check_out: to.parse().ok(),
        ..none()
    };
    vec![
        ("nothing", none()),
        ("guests: nearly all", guests(2)),
        ("guests: one in 300", guests(13)),
        ("guests: few", guests(50)),
        ("price: half", prices(10, 500)),
        ("price: one in 300", prices(500, 503)),
        ("price: few", prices(500, 500)),
        ("price: none", prices(2000, 3000)),
        ("rating: half", rating(3.2)),
        ("rating: one in 300", rating(5.0)),
        (
            "host: few",
            SearchInput {
                host_id: Some(UserId(2)),
                ..none()
            },
        ),
        ("amenities: nearly half", amenities(&["wifi"])),
        ("amenities: one in 400", amenities(&["sauna"])),
        ("amenities: one in 900", amenities(&["wifi", "sauna"])),
        ("amenities: few", amenities(&["helipad"])),
        ("amenities: none", amenities(&["moat"])),
        ("box: the north", within(0.0, -180.0, 90.0, 180.0)),
        ("box: a country", within(40.0, -10.0, 45.0, 5.0)),
        ("box: a town", within(40.0, -10.0, 40.5, -9.5)),
        ("box: narrow and tall", within(-90.0, 10.0, 90.0, 10.05)),
        ("box: flat and wide", within(10.0, -180.0, 10.03, 180.0)),
        (
            "box: over the date line",
            within(-20.0, 179.9, 20.0, -179.9),
        ),
        ("text: all", text("all")),
        ("text: one letter", text("a")),
        ("text: half", text("half")),
        ("text: a twentieth", text("twentieth")),
        ("text: one in 300", text("middling")),
        ("text: few", text("rare")),
        ("text: none", text("unheard")),
        ("text: part of a word", text("ity4999")),
        ("worst: the oldest", text("oldest")),
        ("worst: what the unrated have", amenities(&["unrated"])),
        ("text: two halves of nothing", text("half twentieth")),
        ("location: a quarter", location("portugal")),
        ("location: a town", location("ity499")),
        ("location: two letters", location("ci")),
        ("location: none", location("atlantis")),
        ("dates: two thirds", dates("2027-03-30", "2027-04-03")),
        ("dates: all", dates("2027-06-01", "2027-06-03")),
        (
            "worst: dates of the rated",
            dates("2027-05-01", "2027-05-02"),
        ),
        (
            "everything: each of many",
            SearchInput {
                guests: Some(2),
                min_rating: Some(3.2),
                location: Some("portugal".into()),
                min_price: Some(10.into()),
                max_price: Some(500.into()),
                text: Some("half".into()),
                ..within(0.0, -180.0, 90.0, 180.0)
            },
        ),
        (
            "worst: each of some",
            SearchInput {
                guests: Some(9),
                min_rating: Some(4.8),
                location: Some("portugal".into()),
                min_price: Some(500.into()),
                max_price: Some(600.into()),
                text: Some("half".into()),
                ..within(30.0, -180.0, 48.0, 180.0)
            },
        ),
        (
            "worst: all at once",
            SearchInput {
                guests: Some(4),
                min_rating: Some(4.0),
                ..SearchInput {
                    amenities: Some(vec!["wifi".into()]),
                    location: Some("portugal".into()),
                    min_price: Some(100.into()),
                    max_price: Some(400.into()),
                    ..dates("2027-03-30", "2027-04-03")
                }
            },
        ),
        (
            "a rare word with much else",
            SearchInput {
                guests: Some(2),
                amenities: Some(vec!["wifi".into()]),
                ..text("w4242")
            },
        ),
        (
            "a town with a common word",
            SearchInput {
                location: Some("city499".into()),
                ..text("all")
            },
        ),
    ]
}

/// Whether a plan reads more than a tenth of `properties` row by row. To count some of what nearly all are, it may read the first rows.
fn walks_the_table(plan: &Value) -> bool {
    let rows = |name: &str| plan[name].as_f64().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let many = rows("Actual Rows") + rows("Rows Removed by Filter") > PROPERTIES as f64 / 10.0;
    let here = plan["Node Type"] == "Seq Scan" && plan["Relation Name"] == "properties" && many;
    let below = plan["Plans"].as_array().map(Vec::as_slice);
    here || below.unwrap_or_default().iter().any(walks_the_table)
}

/// What the statements of one search cost: pages touched, or steps of the machine. Unless it is one of the worst, none of them walks
/// the table.
async fn cost(world: &World, name: &str, sent: &[Statement]) -> u64 {
    let mut cost = 0;
    let settings = world.settings();
    if world.is_postgres() {
        // The product's own connections stop what takes long, and to be explained takes longer.
        let patient = Database::connect(&settings["DATABASE_URL"]).await;
        let patient = patient.expect("opens");
        for statement in sent {
            let explain = Statement {
                sql: format!(
                    "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {}",
                    statement.sql
                ),
                ..statement.clone()
            };
            let row = patient.query_one_raw(explain).await.expect("explains");
            let row = row.expect("a plan");
            let plan: Value = row.try_get_by_index(0).expect("json");
            let plan = &plan[0]["Plan"];
            let buffers = |name: &str| plan[name].as_u64().unwrap_or_default();
            cost += buffers("Shared Hit Blocks") + buffers("Shared Read Blocks");
            assert!(
                name.starts_with(WORST) || !walks_the_table(plan),
                "{name}: {statement}\n{plan:#}"
            );
        }
        patient.close().await.expect("closes");
        return cost;
    }
    let path = settings["DATABASE_URL"].trim_start_matches("sqlite://");
    let mut connection = SqliteConnection::connect(path).await.expect("opens");
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    connection
        .lock_handle()
        .await
        .expect("a handle")
        .set_progress_handler(100, move || {
            counted.fetch_add(100, Ordering::Relaxed);
            true
        });
    for statement in sent {
        assert_eq!(statement.db_backend, DbBackend::Sqlite);
        sqlx::query(AssertSqlSafe(statement.to_string()))
            .fetch_all(&mut connection)
            .await
            .expect("runs");
    }
    steps.load(Ordering::Relaxed)
}

on_both_engines! {
    async fn no_search_walks_a_million_properties_whatever_it_looks_for(world: World) {
        fill(&world).await;
        let service = &world.app.services.properties;
        let most = if world.is_postgres() { MOST_BUFFERS } else { MOST_STEPS };
        let mut wrong = BTreeMap::new();
        for (name, input) in searches() {
            for sort in SORTS {
                let search = service.search(input.clone(), sort).expect("a good search");
                let mut request = PageRequest { limit: 20, direction: Direction::Forward, after: None, before: None };
                for page in ["first", "second", "last"] {
                    if page == "last" {
                        request = PageRequest { direction: Direction::Backward, after: None, ..request };
                    }
                    let mut sent = Vec::new();
                    let began = Instant::now();
                    let found = service.found_by(&search, request, &mut sent).await.expect("found in time");
                    let took = began.elapsed();
                    let cost = cost(&world, name, &sent).await;
                    eprintln!("{name:30} {sort:16?} {page:6} {:3} rows {cost:9} {took:10.1?} {} statements", found.rows.len(), sent.len());
                    // What all stands at the other end of the order costs more; it is found before a statement's time is over, and no more.
                    if (cost > most || took > LONGEST) && !name.starts_with(WORST) {
                        wrong.insert(format!("{name} {sort:?} {page}"), (cost, took));
                    }
                    request.after = found.rows.last().map(|(cursor, _)| *cursor);
                }
            }
        }
        for (name, input) in searches() {
            let search = service.search(input.clone(), Sort::Newest).expect("a good search");
            let began = Instant::now();
            let request = PageRequest { limit: 20, direction: Direction::Forward, after: None, before: None };
            let count = service.count_found(&search, request).await.expect("counted before a statement's time is over");
            eprintln!("{name:30} {count} counted in {:.1?}", began.elapsed());
        }
        world.drops_its_database().await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
