//! A running server, a clock to turn, and clients.

mod client;
mod collector;
mod dump;
mod elsewhere;
mod events;
mod line;
mod mailbox;
mod process;
mod redis;
mod redis_many;
mod replicated;
mod rest;
mod session;
mod socket;
mod stripe;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use staygate::{
    app::{App, Server, config::Settings},
    domain::clock::{Clock as _, ManualClock},
    jobs,
    store::db::{Db, DbOptions},
};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub use client::{BOOKING_FIELDS, Client, SESSION};
pub use collector::{Collector, Part};
pub use dump::{has_kept, tables_with};
pub use elsewhere::{Elsewhere, calendar};
pub use events::EventStream;
pub use line::Line;
pub use mailbox::{Mail, all_mails_in};
pub use process::{Process, command};
pub use redis::Redis;
pub use redis_many::{Cluster, Watched};
pub use replicated::Replicated;
pub use rest::Answer;
pub use session::says_unauthenticated;
pub use socket::Socket;
pub use stripe::{BadLine, Stripe, WEBHOOK_SECRET, settings as stripe_settings};

/// The moment at which every test begins: noon in London, and a Wednesday.
pub const START: &str = "2027-03-10T12:00:00Z";

/// Defines tests that run on both engines. Each is given a [`World`].
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[$attribute])*
        async fn $name($world: crate::support::World) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(crate::support::World::on_sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres_with_redis() {
                super::$name(crate::support::World::on_postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// One running server on a database of its own.
pub struct World {
    pub clock: ManualClock,
    pub app: App,
    settings: Vec<(String, String)>,
    base: String,
    stopping: Option<DropGuard>,
    directory: Arc<TempDir>,
}

impl World {
    pub async fn on_sqlite() -> Self {
        Self::on_sqlite_with(&[]).await
    }

    /// The same with settings of its own.
    pub async fn on_sqlite_with(settings: &[(&str, &str)]) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a directory for the database"));
        let url = format!(
            "sqlite://{}",
            directory.path().join("staygate.db").display()
        );
        let mut all = vec![("DATABASE_URL".into(), url)];
        for (name, value) in settings {
            all.push(((*name).into(), (*value).into()));
        }
        Self::start(all, ManualClock::starting_at(at(START)), directory).await
    }

    pub async fn on_postgres() -> Self {
        Self::on_postgres_with(&[]).await
    }

    /// The same with settings of its own.
    pub async fn on_postgres_with(own: &[(&str, &str)]) -> Self {
        let (url, name) = a_postgres_database().await;
        let mut settings = vec![
            ("DATABASE_URL".into(), url),
            ("REDIS_URL".into(), required("STAYGATE_TEST_REDIS")),
            ("SMTP_URL".into(), required("STAYGATE_TEST_SMTP")),
            ("STAYGATE_REDIS_PREFIX".into(), name),
        ];
        // What comes later counts.
        for (name, value) in own {
            settings.push(((*name).into(), (*value).into()));
        }
        let directory = Arc::new(tempfile::tempdir().expect("a directory"));
        Self::start(settings, ManualClock::starting_at(at(START)), directory).await
    }

    async fn start(
        settings: Vec<(String, String)>,
        clock: ManualClock,
        directory: Arc<TempDir>,
    ) -> Self {
        let mails = directory.path().join("mails").display().to_string();
        let mut all = vec![];
        for (name, value) in [
            ("STAYGATE_LISTEN", "127.0.0.1:0"),
            ("STAYGATE_ADMIN_LISTEN", "off"),
            ("STAYGATE_MAIL_DIR", mails.as_str()),
            ("STAYGATE_RATE_LIMITS", "off"),
            ("STAYGATE_WORKERS", "false"),
            ("STAYGATE_PASSWORD_MEMORY_KIB", "64"),
            ("STAYGATE_PASSWORD_PASSES", "1"),
            ("STAYGATE_FEEDS_FROM_PRIVATE_NETWORKS", "true"),
            ("STAYGATE_ACCESS_TOKEN_TTL", "2592000"),
        ] {
            all.push((name.to_owned(), value.to_owned()));
        }
        all.extend(settings.clone());
        let settings_in_force = Settings::read(all.into_iter()).expect("good settings");
        let app = App::build(settings_in_force, Arc::new(clock.clone()))
            .await
            .expect("the server can be built");
        let server = Server::bind(app.clone(), false).await.expect("a free port");
        let base = format!("http://{}", server.address().expect("an address"));
        let stopping = CancellationToken::new();
        tokio::spawn(server.run(stopping.clone()));
        Self {
            clock,
            app,
            settings,
            base,
            stopping: Some(stopping.drop_guard()),
            directory,
        }
    }

    /// A second server on the same database, and the same Redis.
    pub async fn another_instance(&self) -> Self {
        self.instance_with(&[]).await
    }

    /// The same with some settings of its own.
    pub async fn instance_with(&self, settings: &[(&str, &str)]) -> Self {
        let own = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let others = self.settings.iter().cloned();
        let others = others.filter(|(name, _)| settings.iter().all(|(own, _)| own != name));
        Self::start(
            others.chain(own).collect(),
            self.clock.clone(),
            Arc::clone(&self.directory),
        )
        .await
    }

    /// The settings that are this world's own, by name.
    pub fn settings(&self) -> HashMap<String, String> {
        self.settings.iter().cloned().collect()
    }

    /// Gives the disk back at the end of a test that fills it. A database of SQLite goes with its folder.
    pub async fn drops_its_database(self) {
        if !self.is_postgres() {
            return;
        }
        let url = self.settings()["DATABASE_URL"].clone();
        let (_, name) = url.rsplit_once('/').expect("a URL with a database");
        let options = DbOptions {
            url: required("STAYGATE_TEST_POSTGRES"),
            max_connections: 1,
            statement_timeout: None,
        };
        let db = Db::connect(&options).await.expect("PostgreSQL answers");
        db.read()
            .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .expect("it is dropped");
    }

    pub fn is_postgres(&self) -> bool {
        self.settings.iter().any(|(name, _)| name == "REDIS_URL")
    }

    /// What this world's notices are published under in Redis.
    pub fn channel(&self) -> String {
        format!("{}:notices", self.app.settings.redis_prefix)
    }

    /// The server is told to stop.
    pub fn stop(&mut self) {
        drop(self.stopping.take());
    }

    /// Somebody who is not signed in.
    pub fn stranger(&self) -> Client {
        Client::new(&self.base)
    }

    /// A new guest.
    pub async fn guest(&self, name: &str) -> Client {
        self.person(name, "GUEST").await
    }

    /// A new host.
    pub async fn host(&self, name: &str) -> Client {
        self.person(name, "HOST").await
    }

    /// The same, for many at once.
    pub async fn guest_owned(&self, name: String) -> Client {
        self.guest(&name).await
    }

    async fn person(&self, name: &str, role: &str) -> Client {
        let input = json!({
            "fullName": name, "email": format!("{name}@example.com"), "password": "a good password", "role": role,
        });
        self.stranger().sign_up(input).await
    }

    /// A new admin: nobody signs up as one.
    pub async fn admin(&self, name: &str) -> Client {
        let client = self.guest(name).await;
        let sql = format!("UPDATE users SET role = 'ADMIN' WHERE email = '{name}@example.com'");
        self.app
            .db
            .read()
            .execute_unprepared(&sql)
            .await
            .expect("a user becomes admin");
        client
    }

    /// The same person's client at another server.
    pub fn as_seen_by(&self, client: &Client) -> Client {
        client.at(&self.base)
    }

    /// A mail address that no other test writes to.
    pub fn address(&self, name: &str) -> String {
        let part = self.directory.path().file_name().expect("a name");
        let part = part.to_string_lossy().replace('.', "").to_lowercase();
        format!("{name}.{part}@example.com")
    }

    /// What has arrived at an address, oldest first, once all mail that is due is sent.
    pub async fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.background_round().await;
        let folder = if self.is_postgres() {
            required("STAYGATE_TEST_MAILS").into()
        } else {
            self.directory.path().join("mails")
        };
        mailbox::mails_in(&folder, address)
    }

    /// Where this world's files are.
    pub fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The binary, on this world's database.
    pub async fn runs(&self, arguments: &[&str], input: &str) -> (bool, String) {
        self.runs_with(&[], arguments, input).await
    }

    /// The same with some settings of its own.
    pub async fn runs_with(
        &self,
        settings: &[(&str, &str)],
        arguments: &[&str],
        input: &str,
    ) -> (bool, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_staygate"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(settings.iter().copied())
            .current_dir(self.directory.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut typed = child.stdin.take().expect("its input");
        typed
            .write_all(input.as_bytes())
            .await
            .expect("it is typed");
        drop(typed);
        let output = child.wait_with_output().await.expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("text");
        (output.status.success(), said)
    }

    /// Writes to the database behind the product's back.
    pub async fn meddles(&self, sql: &str) -> Result<(), sea_orm::DbErr> {
        self.app.db.read().execute_unprepared(sql).await.map(|_| ())
    }

    /// Whether a text stands anywhere in the database.
    pub async fn has_kept(&self, text: &str) -> bool {
        has_kept(&self.settings()["DATABASE_URL"], text).await
    }

    /// What the background work does in one round.
    pub async fn background_round(&self) {
        jobs::round(&self.app.services).await;
    }

    /// The single number that a query gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let statement = sea_orm::Statement::from_string(self.app.db.backend(), sql);
        let row = self
            .app
            .db
            .read()
            .query_one_raw(statement)
            .await
            .expect("the query runs")
            .expect("a row");
        row.try_get_by_index(0).expect("a number")
    }

    /// A date some days from the world's today.
    pub fn day(&self, ahead: i64) -> String {
        (self.today() + Duration::days(ahead)).to_string()
    }

    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }
}

/// A new database on the PostgreSQL of the tests: its address and its name.
pub async fn a_postgres_database() -> (String, String) {
    let server = required("STAYGATE_TEST_POSTGRES");
    let name = format!("test_{}", Uuid::new_v4().simple());
    let options = DbOptions {
        url: server.clone(),
        max_connections: 1,
        statement_timeout: None,
    };
    let db = Db::connect(&options)
        .await
        .expect("the PostgreSQL of the tests answers");
    db.read()
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .expect("a database for the test");
    db.close().await.expect("closes");
    let (server, _) = server.rsplit_once('/').expect("a URL with a database");
    (format!("{server}/{name}"), name)
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// What the environment says about the servers of the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "where the servers of the tests are, tests/run says in the environment"
)]
pub fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests by tests/run, which starts the servers")
    })
}

/// How many nights a booking has.
pub fn nights_of(booking: &Value) -> i64 {
    let date = |field: &str| {
        let date = booking[field]
            .as_str()
            .and_then(|text| text.parse::<NaiveDate>().ok());
        date.expect("a date")
    };
    (date("checkOut") - date("checkIn")).num_days()
}

/// What any property has, unless a test says otherwise.
pub fn a_property(changes: &Value) -> Value {
    let mut property = json!({
        "title": "A room with a view",
        "description": "Above the river, quiet at night, with a small balcony.",
        "location": "Alfama, Lisbon, Portugal",
        "latitude": 38.71, "longitude": -9.13,
        "pricePerNight": "100.00", "cleaningFee": "20.00", "maxGuests": 4,
        "amenities": ["wifi", "kitchen"],
    });
    for (key, value) in changes.as_object().expect("an object") {
        property[key] = value.clone();
    }
    property
}
