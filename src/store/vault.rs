//! Secrets in columns: encrypted with AES-256-GCM, so that a copy of the database alone tells none of them.
//!
//! A secret is bound to its place, the row and the column that it stands in: moved elsewhere, it does not open. Keys have names and stand in
//! a ring; the first one seals, all of them open, and `staygate keys rotate` seals anew what older ones have sealed.

use std::{collections::HashMap, fmt, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};

use crate::domain::digest::sha256_hex;

/// How a sealed secret begins; no secret that is kept begins so by itself.
const SEALED: &str = "enc:";
/// How many bytes a key has.
pub const KEY_LEN: usize = 32;

/// Where a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// The row's key.
    pub row: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}:{}", self.table, self.column, self.row)
    }
}

/// A key of the ring, by its name.
#[derive(Clone)]
pub struct NamedKey {
    /// 1 to 32 small letters, digits, `-` and `_`.
    pub name: String,
    /// The key itself.
    pub key: [u8; KEY_LEN],
}

impl NamedKey {
    /// Reads `name:key` parts between commas, the keys in base64.
    ///
    /// # Errors
    /// When a part is none. What a key is stands in no message.
    pub fn read(list: &str) -> anyhow::Result<Vec<Self>> {
        let parts = list
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let keys: Vec<_> = parts.map(Self::read_one).collect::<anyhow::Result<_>>()?;
        ensure!(!keys.is_empty(), "there is no key");
        Ok(keys)
    }

    fn read_one(part: &str) -> anyhow::Result<Self> {
        let (name, key) = part.split_once(':').context("a key has no name")?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        ensure!(
            (1..=32).contains(&name.len()) && name.chars().all(good),
            "a name has 1 to 32 small letters, digits, - and _"
        );
        let bytes = STANDARD.decode(key).ok();
        let key = bytes.and_then(|bytes| bytes.try_into().ok());
        let key = key.with_context(|| format!("{name} is not 32 bytes in base64"))?;
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }
}

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Ring>);

struct Ring {
    current: String,
    keys: HashMap<String, LessSafeKey>,
    random: SystemRandom,
}

impl Vault {
    /// A vault with these keys; the first one seals.
    ///
    /// # Errors
    /// When there is none, or two have one name.
    pub fn new(keys: &[NamedKey]) -> anyhow::Result<Self> {
        let current = keys.first().context("a vault needs a key")?.name.clone();
        for (at, key) in keys.iter().enumerate() {
            let twice = keys[..at].iter().any(|other| other.name == key.name);
            ensure!(!twice, "two keys are called {}", key.name);
        }
        let key = |named: &NamedKey| {
            let key = UnboundKey::new(&AES_256_GCM, &named.key).ok()?;
            Some((named.name.clone(), LessSafeKey::new(key)))
        };
        let keys: Option<_> = keys.iter().map(key).collect();
        Ok(Self(Arc::new(Ring {
            current,
            keys: keys.context("a key can't be used")?,
            random: SystemRandom::new(),
        })))
    }

    /// Seals a secret for its place.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn seal(&self, place: Place, secret: &str) -> anyhow::Result<String> {
        let Ring {
            current,
            keys,
            random,
        } = &*self.0;
        // Random ones of 96 bits: good for four billion secrets under one key (NIST SP 800-38D, section 8.3).
        let mut nonce = [0; NONCE_LEN];
        let mut sealed = secret.as_bytes().to_vec();
        let done = random.fill(&mut nonce).and_then(|()| {
            let aad = Aad::from(place.to_string());
            let nonce = Nonce::assume_unique_for_key(nonce);
            keys[current].seal_in_place_append_tag(nonce, aad, &mut sealed)
        });
        done.map_err(|_| anyhow::anyhow!("{place} can't be sealed"))?;
        let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        Ok(format!("{SEALED}{current}:{sealed}"))
    }

    /// Opens what stands in a place.
    ///
    /// # Errors
    /// When it is not sealed, its key is not in the ring, or it was not sealed for this place.
    pub fn open(&self, place: Place, kept: &str) -> anyhow::Result<String> {
        let sealed = kept.strip_prefix(SEALED);
        let sealed = sealed.with_context(|| format!("{place} is not sealed"))?;
        let (name, sealed) = sealed.split_once(':').context("a seal without a key")?;
        let Some(key) = self.0.keys.get(name) else {
            bail!("{place} is sealed with the key {name}, which is not in the ring");
        };
        let opened = URL_SAFE_NO_PAD.decode(sealed).ok().and_then(|mut bytes| {
            let mut sealed = bytes.split_off(NONCE_LEN.min(bytes.len()));
            let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
            let aad = Aad::from(place.to_string());
            let secret = key.open_in_place(nonce, aad, &mut sealed).ok()?;
            String::from_utf8(secret.to_vec()).ok()
        });
        opened.with_context(|| format!("{place} was not sealed for this place"))
    }

    /// The same, but that what was kept there before secrets were sealed is given as it is.
    ///
    /// # Errors
    /// As [`open`](Self::open), for what is sealed.
    pub fn open_or_unsealed(&self, place: Place, kept: &str) -> anyhow::Result<String> {
        if kept.starts_with(SEALED) {
            self.open(place, kept)
        } else {
            Ok(kept.to_owned())
        }
    }

    /// How everything begins that the current key has sealed.
    #[must_use]
    pub fn current_prefix(&self) -> String {
        format!("{SEALED}{}:", self.0.current)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.0.current)
    }
}

/// What a sealed secret is looked up by: a fingerprint that only who knows the secret can make. Only for secrets that nobody can guess.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    sha256_hex(format!("staygate {secret}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        table: "payments",
        column: "token",
        row: 7,
    };

    fn vault(names: &[&str]) -> Vault {
        let key = |name: &&str| NamedKey {
            name: (*name).to_owned(),
            key: [name.as_bytes()[0]; KEY_LEN],
        };
        Vault::new(&names.iter().map(key).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_secret_opens_in_its_place_with_its_key_and_nowhere_else() {
        let old = vault(&["a"]);
        let sealed = old.seal(PLACE, "pm_1").unwrap();
        assert!(sealed.starts_with("enc:a:") && !sealed.contains("pm_1"));
        assert_ne!(sealed, old.seal(PLACE, "pm_1").unwrap(), "each time anew");
        let rotated = vault(&["b", "a"]);
        assert_eq!(rotated.open(PLACE, &sealed).unwrap(), "pm_1");
        for elsewhere in [
            Place { row: 8, ..PLACE },
            Place {
                column: "client_secret",
                ..PLACE
            },
            Place {
                table: "refunds",
                ..PLACE
            },
        ] {
            assert!(old.open(elsewhere, &sealed).is_err(), "{elsewhere}");
        }
        assert!(vault(&["b"]).open(PLACE, &sealed).is_err());
        for broken in [
            "enc:a:",
            "enc:a:AAAA",
            "enc:a",
            "enc:",
            &sealed[..sealed.len() - 2],
        ] {
            assert!(old.open(PLACE, broken).is_err(), "{broken}");
        }
        assert!(old.open(PLACE, "kept before").is_err());
        let before = old.open_or_unsealed(PLACE, "kept before");
        assert_eq!(before.unwrap(), "kept before");
        assert!(old.open_or_unsealed(PLACE, "enc:a:AAAA").is_err());
    }

    #[test]
    fn keys_are_read_with_their_names_and_never_told() {
        let key = STANDARD.encode([1; KEY_LEN]);
        let keys = NamedKey::read(&format!("2027:{key}, 2026:{key}")).unwrap();
        assert_eq!(
            (keys[0].name.as_str(), keys[1].name.as_str()),
            ("2027", "2026")
        );
        let twice = NamedKey::read(&format!("a:{key},a:{key}")).unwrap();
        assert!(
            Vault::new(&twice).is_err(),
            "nobody knows which one is meant"
        );
        for wrong in ["", "2027", "2027:short", &format!("A:{key}")] {
            let error = format!("{:#}", NamedKey::read(wrong).err().unwrap());
            assert!(!error.contains(&key), "{error}");
        }
    }
}
