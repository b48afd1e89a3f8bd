//! The settings in force as operators see them: in the form of the file, where each came from behind it, and no secret among them.

use std::fmt;

use url::Url;

use super::{
    names::{Kind, SETTINGS},
    sources::Sources,
};
use crate::store::redis;

/// What stands in the place of a secret.
const MASK: &str = "***";

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for setting in SETTINGS {
            match self.value(setting) {
                None => writeln!(f, "# {} is not set", setting.key)?,
                Some(value) => writeln!(
                    f,
                    "{} = {}  # {}",
                    setting.key,
                    shown(&value, setting.kind),
                    self.origin(setting)
                )?,
            }
        }
        Ok(())
    }
}

/// A value of TOML (<https://toml.io/en/v1.0.0#string>) without what is secret in it.
fn shown(value: &str, kind: Kind) -> String {
    let text = match kind {
        Kind::Secret => MASK.to_owned(),
        Kind::Address => without_password(value),
        Kind::Plain if value.parse::<bool>().is_ok() || value.parse::<i64>().is_ok() => {
            return value.to_owned();
        }
        Kind::Plain => value.to_owned(),
    };
    // The escapes of JSON are among those of TOML.
    serde_json::Value::from(text).to_string()
}

/// A URL but for its password, wherever it stands; nothing of one that can't be taken apart. Several may stand between commas.
fn without_password(list: &str) -> String {
    // One URL with commas in it.
    if let Some(masked) = redis::without_passwords(list) {
        return masked;
    }
    let masked = list.split(',').map(|address| {
        let Ok(mut url) = Url::parse(address) else {
            return MASK.to_owned();
        };
        if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
            return MASK.to_owned();
        }
        let secret = |name: &str| name.contains("password") || name.contains("key");
        if url.query_pairs().any(|(name, _)| secret(&name)) {
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(pairs.into_iter().map(|(name, value)| {
                    let value = if secret(&name) {
                        MASK.to_owned()
                    } else {
                        value
                    };
                    (name, value)
                }));
        }
        url.to_string()
    });
    masked.collect::<Vec<_>>().join(",")
}
