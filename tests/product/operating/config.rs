//! `staygate config`: what is in force, and who said so.

use std::{fs, path::Path};

use tempfile::tempdir;

use crate::support::command;

fn line<'a>(printed: &'a str, key: &str) -> &'a str {
    printed
        .lines()
        .find(|line| line.contains(&format!("{key} ")))
        .unwrap_or_else(|| panic!("{key} is not in {printed}"))
}

fn a_file(folder: &Path, text: &str) {
    fs::write(folder.join("staygate.toml"), text).expect("a file");
}

#[tokio::test]
async fn a_flag_weighs_more_than_a_variable_and_that_more_than_the_file() {
    let folder = tempdir().expect("a folder");
    a_file(
        folder.path(),
        "hold_ttl = 100\nlisten = '127.0.0.1:1'\ncurrency = 'EUR'",
    );
    let settings = [
        ("STAYGATE_HOLD_TTL", "200"),
        ("STAYGATE_LISTEN", "127.0.0.1:2"),
    ];
    let arguments = ["config", "--listen", "127.0.0.1:3"];
    let (good, printed) = command(folder.path(), &arguments, &settings).await;
    assert!(good, "{printed}");
    assert_eq!(
        line(&printed, "listen"),
        "listen = \"127.0.0.1:3\"  # --listen"
    );
    assert_eq!(
        line(&printed, "hold_ttl"),
        "hold_ttl = 200  # STAYGATE_HOLD_TTL"
    );
    assert_eq!(
        line(&printed, "currency"),
        "currency = \"EUR\"  # staygate.toml"
    );
    assert_eq!(line(&printed, "max_depth"), "max_depth = 10  # default");
    assert_eq!(line(&printed, "redis_url"), "# redis_url is not set");
}

#[tokio::test]
async fn the_file_is_the_one_that_the_flag_names() {
    let folder = tempdir().expect("a folder");
    a_file(folder.path(), "hold_ttl = 100");
    fs::write(folder.path().join("other.toml"), "hold_ttl = 300").expect("a file");
    let settings = [("STAYGATE_CONFIG", "nowhere.toml")];
    let arguments = ["--config", "other.toml", "config"];
    let (good, printed) = command(folder.path(), &arguments, &settings).await;
    assert!(good, "{printed}");
    assert_eq!(line(&printed, "hold_ttl"), "hold_ttl = 300  # other.toml");
    let (good, printed) = command(folder.path(), &["config"], &settings).await;
    assert!(!good && printed.contains("nowhere.toml"), "{printed}");
}

#[tokio::test]
async fn no_secret_is_printed_wherever_it_came_from() {
    let folder = tempdir().expect("a folder");
    a_file(
        folder.path(),
        "stripe_secret_key = 'sk_geheim'\nstripe_webhook_secret = 'whsec_geheim'",
    );
    fs::write(
        folder.path().join("redis"),
        "rediss://:geheim@redis.example:6380\n",
    )
    .expect("a file");
    let settings = [
        (
            "DATABASE_URL",
            "postgres://me:geheim@db.example/x?sslpassword=geheim",
        ),
        ("REDIS_URL_FILE", "redis"),
        ("SMTP_URL", "smtps://me:geheim@mail.example"),
        ("STAYGATE_JWT_KEY", "geheim"),
        ("STAYGATE_ENCRYPTION_KEYS", "a:geheim"),
    ];
    let (good, printed) = command(folder.path(), &["config"], &settings).await;
    assert!(good && !printed.contains("geheim"), "{printed}");
    for shown in [
        "database_url = \"postgres://me:***@db.example/x?sslpassword=***\"  # DATABASE_URL",
        "redis_url = \"rediss://:***@redis.example:6380\"  # REDIS_URL_FILE",
        "jwt_key = \"***\"  # STAYGATE_JWT_KEY",
        "stripe_secret_key = \"***\"  # staygate.toml",
    ] {
        assert!(printed.contains(shown), "{shown}: {printed}");
    }
    let (good, said) = command(folder.path(), &["config", "--jwt-key", "geheim"], &[]).await;
    assert!(
        !good && !said.contains("geheim"),
        "a secret is no flag: {said}"
    );
}

#[tokio::test]
async fn what_it_prints_is_a_file_that_says_the_same() {
    let folder = tempdir().expect("a folder");
    let settings = [
        ("STAYGATE_SITE_NAME", "Stays \"by the sea\" \\ # 1"),
        ("STAYGATE_TAX_PERCENT", "7.5"),
        (
            "STAYGATE_CORS_ORIGINS",
            "https://a.example,https://b.example",
        ),
    ];
    let (_, printed) = command(folder.path(), &["config"], &settings).await;
    a_file(folder.path(), &printed);
    let (good, again) = command(folder.path(), &["config"], &[]).await;
    assert!(good, "{again}");
    let values = |text: &str| -> Vec<String> {
        let value = |line: &str| line.rsplit_once("  # ").unwrap_or((line, "")).0.to_owned();
        text.lines().map(value).collect()
    };
    assert_eq!(values(&printed), values(&again));
}

#[tokio::test]
async fn a_wrong_setting_is_printed_too_and_then_refused() {
    let folder = tempdir().expect("a folder");
    let (good, said) = command(folder.path(), &["config", "--hold-ttl", "0"], &[]).await;
    assert!(
        !good && said.contains("hold_ttl = 0  # --hold-ttl"),
        "{said}"
    );
    assert!(
        said.contains("staygate: STAYGATE_HOLD_TTL must be"),
        "{said}"
    );
    let both = [
        ("STAYGATE_JWT_KEY", "a"),
        ("STAYGATE_JWT_KEY_FILE", "/dev/null"),
    ];
    let (good, said) = command(folder.path(), &["config"], &both).await;
    assert!(!good && said.contains("give one"), "{said}");
}
