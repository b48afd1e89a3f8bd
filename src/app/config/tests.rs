use super::*;

fn read(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
    Settings::read(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

#[test]
fn nothing_needs_to_be_set() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.database_url, "sqlite://staygate.db");
    assert!(settings.has_playground() && settings.provider().unwrap() == Provider::Sandbox);
    assert_eq!(settings.origins().unwrap(), crate::http::Origins::Any);
}

#[test]
fn a_wrong_setting_stops_the_start_with_a_line_that_names_it() {
    for (name, value, expected) in [
        ("STAYGATE_HOLD_TTL", "soon", "hold_ttl"),
        ("STAYGATE_HOLD_TTL", "0", "STAYGATE_HOLD_TTL"),
        ("STAYGATE_HODL_TTL", "900", "STAYGATE_HODL_TTL"),
        ("DATABASE_URL", "mysql://localhost", "DATABASE_URL"),
        (
            "DATABASE_REPLICA_URL",
            "postgres://replica/x",
            "DATABASE_REPLICA_URL",
        ),
        ("STAYGATE_REPLICA_MAX_LAG", "0", "STAYGATE_REPLICA_MAX_LAG"),
        ("STAYGATE_CURRENCY", "dollars", "STAYGATE_CURRENCY"),
        ("STAYGATE_TAX_PERCENT", "70", "STAYGATE_TAX_PERCENT"),
        (
            "STAYGATE_CORS_ORIGINS",
            "example.com",
            "STAYGATE_CORS_ORIGINS",
        ),
        (
            "STAYGATE_TRUSTED_PROXIES",
            "nginx",
            "STAYGATE_TRUSTED_PROXIES",
        ),
        ("STAYGATE_ENV", "staging", "env"),
        ("STAYGATE_MAX_DEPTH", "0", "STAYGATE_MAX_DEPTH"),
        ("STAYGATE_MAX_BODY_KIB", "1048577", "STAYGATE_MAX_BODY_KIB"),
        (
            "STAYGATE_TRUSTED_DOCUMENTS_ONLY",
            "everybody",
            "STAYGATE_TRUSTED_DOCUMENTS",
        ),
        ("STAYGATE_TRACES_SAMPLED", "1.5", "STAYGATE_TRACES_SAMPLED"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "collector:4318",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Bearer xyz",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ),
        ("STRIPE_SECRET_KEY", "sk_test_1", "STRIPE_WEBHOOK_SECRET"),
        ("STAYGATE_SANDBOX_PAYMENTS", "false", "STRIPE_SECRET_KEY"),
        (
            "STAYGATE_BACKUP_RECIPIENTS",
            "age1nobody",
            "STAYGATE_BACKUP_RECIPIENTS",
        ),
        (
            "STAYGATE_BACKUP_SCHEDULE",
            "daily",
            "STAYGATE_BACKUP_SCHEDULE",
        ),
        (
            "STAYGATE_BACKUP_SCHEDULE",
            "0 3 * * *",
            "STAYGATE_BACKUP_URL",
        ),
    ] {
        let message = format!("{:#}", read(&[(name, value)]).unwrap_err());
        assert!(message.contains(expected), "{name}={value}: {message}");
        assert!(!message.contains('\n'), "more than a line: {message}");
    }
}

#[test]
fn stripe_is_all_of_it_or_nothing() {
    let stripe = [
        ("STRIPE_SECRET_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1"),
    ];
    assert!(matches!(
        read(&stripe).unwrap().provider(),
        Ok(Provider::Stripe { .. })
    ));
    for more in [
        ("STAYGATE_SANDBOX_PAYMENTS", "true"),
        ("STRIPE_API_BASE", "https://api.stripe.com/v1"),
        ("STAYGATE_CURRENCY", "JPY"),
    ] {
        let message = read(&[stripe[0], stripe[1], more]).unwrap_err().to_string();
        assert!(message.contains(more.0), "{more:?}: {message}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_named_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staygate.toml");
    std::fs::write(&file, "stripe_secret_key = sk_live_1").unwrap();
    let error = read(&[("STAYGATE_CONFIG", file.to_str().unwrap())]).unwrap_err();
    let message = format!("{error:#}");
    assert!(
        message.contains("staygate.toml") && message.contains("line 1"),
        "{message}"
    );
    assert!(
        !message.contains("sk_live_1") && !message.contains('\n'),
        "{message}"
    );
}

#[test]
fn production_guesses_no_secret() {
    let message = read(&[("STAYGATE_ENV", "production")])
        .unwrap_err()
        .to_string();
    assert!(message.contains("STAYGATE_JWT_KEY"), "{message}");
    let key = ("STAYGATE_JWT_KEY", "-----BEGIN PRIVATE KEY-----");
    let message = read(&[("STAYGATE_ENV", "production"), key])
        .unwrap_err()
        .to_string();
    assert!(message.contains("SMTP_URL"), "{message}");
    let mail = ("SMTP_URL", "smtps://mail.example.com");
    let message = read(&[("STAYGATE_ENV", "production"), key, mail])
        .unwrap_err()
        .to_string();
    assert!(message.contains("STAYGATE_SITE_URL"), "{message}");
    let site = ("STAYGATE_SITE_URL", "https://www.example.com");
    let from = ("STAYGATE_MAIL_FROM", "no-reply@example.com");
    let message = read(&[("STAYGATE_ENV", "production"), key, mail, site, from])
        .unwrap_err()
        .to_string();
    assert!(message.contains("STAYGATE_ENCRYPTION_KEYS"), "{message}");
    let keys = ("STAYGATE_ENCRYPTION_KEYS", "a:key");
    let given = [("STAYGATE_ENV", "production"), key, mail, site, from, keys];
    let message = read(&given).unwrap_err().to_string();
    assert!(message.contains("STAYGATE_SANDBOX_PAYMENTS"), "{message}");
}

#[test]
fn the_example_file_explains_every_setting_and_has_its_default() {
    let example = include_str!("../../../staygate.example.toml");
    for Setting {
        key,
        variable,
        default,
        ..
    } in SETTINGS
    {
        assert!(
            example.contains(variable),
            "{variable} is not in the example"
        );
        let line = example.lines().find(|line| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{key} = "))
        });
        let line = line.unwrap_or_else(|| panic!("{key} is not in the example"));
        if let Some(default) = default {
            assert!(
                line.contains(*default),
                "{key}: the example does not show its default {default}"
            );
        }
    }
}
