//! The database: whether it answers, whether its tables are of this version, and whether the keys open what it keeps.

use std::{path::Path, time::Instant};

use anyhow::Context as _;

use super::{Finding, asked, compared};
use crate::{
    app::{config::Settings, db_options, vault},
    domain::clock::Clock,
    service::sealing::Secret,
    store::{db::Db, tokens::Key},
};

pub(super) async fn database(settings: &Settings, clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = vec![signing_keys(settings)];
    if let Some(file) = missing_file(&settings.database_url) {
        let seen = format!("{file} is not there yet; `staygate serve` makes it");
        findings.push(Finding::good("database", seen));
        return findings;
    }
    let began = Instant::now();
    let opened = asked(async {
        let db = Db::connect(&db_options(settings, 1, None)).await?;
        let about = db.about().await?;
        Ok((db, about))
    });
    let (db, (version, now)) = match opened.await {
        Ok(opened) => opened,
        Err(why) => {
            findings.push(Finding::bad(
                "database",
                why,
                "see that the server of DATABASE_URL runs, lets this user in, and that the database is there",
            ));
            return findings;
        }
    };
    let seen = format!("{version}, connected in {} ms", began.elapsed().as_millis());
    findings.push(Finding::good("database", seen));
    if let Some(now) = now {
        findings.push(compared("the database", now, clock.now()));
    }
    let (tables, are_there) = migrations(&db).await;
    findings.push(tables);
    if are_there {
        findings.push(secrets(settings, &db).await);
    }
    findings
}

/// The file of a database of SQLite, when there is none yet: looking must not make it.
fn missing_file(url: &str) -> Option<&str> {
    let file = url.strip_prefix("sqlite:")?.trim_start_matches("//");
    let file = file.split('?').next()?;
    (!file.contains(":memory:") && !Path::new(file).exists()).then_some(file)
}

/// How far the tables are, and whether all of them are there.
async fn migrations(db: &Db) -> (Finding, bool) {
    match asked(async { Ok(db.pending_migrations().await?) }).await {
        Ok(pending) if pending.is_empty() => (
            Finding::good("migrations", "the tables are of this version"),
            true,
        ),
        Ok(pending) => (
            Finding::doubtful(
                "migrations",
                format!("{} to be done, the first is {}", pending.len(), pending[0]),
                "`staygate migrate` does them, and so does `staygate serve` when it starts",
            ),
            false,
        ),
        Err(why) => (
            Finding::bad(
                "migrations",
                why,
                "a newer version of Staygate has changed the tables: run that version, or restore a backup of before",
            ),
            false,
        ),
    }
}

fn signing_keys(settings: &Settings) -> Finding {
    let subject = "signing keys";
    match settings.jwt_key.as_deref().map(Key::read_pem) {
        None => Finding::good(subject, "one that is kept in the database"),
        Some(Ok(keys)) => Finding::good(
            subject,
            format!("{} given; the first one signs", keys.len()),
        ),
        Some(Err(error)) => Finding::bad(
            subject,
            format!("STAYGATE_JWT_KEY: {error:#}"),
            "make one with `openssl genpkey -algorithm ed25519`",
        ),
    }
}

async fn secrets(settings: &Settings, db: &Db) -> Finding {
    let subject = "encryption keys";
    let looked = asked(async {
        let vault = vault::look(db, settings.encryption_keys.as_deref()).await?;
        let Some(vault) = vault else {
            return Ok(Finding::good(
                subject,
                "one will be made and kept in the database",
            ));
        };
        for secret in Secret::ALL {
            let unopened = secret
                .probe(db, &vault)
                .await
                .context("can't read secrets")?;
            if let Some(why) = unopened {
                return Ok(Finding::bad(
                    subject,
                    format!("{}: {why}", secret.name()),
                    "put the key that sealed it back behind the others in STAYGATE_ENCRYPTION_KEYS",
                ));
            }
        }
        Ok(Finding::good(
            subject,
            "they open the oldest and the newest secrets",
        ))
    });
    looked.await.unwrap_or_else(|why| {
        Finding::bad(
            subject,
            why,
            "give STAYGATE_ENCRYPTION_KEYS as name:key, the key 32 random bytes in base64 (`openssl rand -base64 32`)",
        )
    })
}
