//! Refresh tokens: random, kept only as hashes, and good for one use.
//!
//! A token has two parts. All tokens of a session share the first, its family; each has a second of its own. So one that was used before is
//! told from one that was made up: the first has been stolen, or copied, and ends the session; the second ends nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::domain::digest::sha256_hex;

/// A refresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    family: String,
    secret: String,
}

impl RefreshToken {
    /// The first token of a new session.
    #[must_use]
    pub fn first() -> Self {
        Self {
            family: random::<16>(),
            secret: random::<32>(),
        }
    }

    /// The token that takes this one's place.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self {
            family: self.family.clone(),
            secret: random::<32>(),
        }
    }

    /// Reads a token back. None for what can be none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (family, secret) = text.split_once('.')?;
        let is_one = family.len() == 22
            && secret.len() == 43
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        is_one.then(|| Self {
            family: family.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// The token's text, for its client.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}.{}", self.family, self.secret)
    }

    /// What is kept of its family: SHA-256 in hex. It has 128 random bits, so a slow hash would add nothing.
    #[must_use]
    pub fn family_hash(&self) -> String {
        sha256_hex(&self.family)
    }

    /// What is kept of the token itself: SHA-256 in hex. It has 256 random bits.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.secret)
    }

    /// Seals the token that takes this one's place, so that only who has this one can read it.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal(&self, successor: &Self) -> anyhow::Result<String> {
        let mut sealed = successor.secret.clone().into_bytes();
        self.key()?
            .seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed)
            .map_err(|_| anyhow::anyhow!("a refresh token can't be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what this token has sealed.
    #[must_use]
    pub fn unseal(&self, sealed: &str) -> Option<Self> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let secret = self
            .key()
            .ok()?
            .open_in_place(nonce(), Aad::empty(), &mut bytes)
            .ok()?;
        Some(Self {
            family: self.family.clone(),
            secret: String::from_utf8(secret.to_vec()).ok()?,
        })
    }

    fn key(&self) -> anyhow::Result<LessSafeKey> {
        let key = Sha256::new()
            .chain_update(b"staygate refresh token successor\0")
            .chain_update(&self.secret)
            .finalize();
        let key = UnboundKey::new(&AES_256_GCM, &key)
            .map_err(|_| anyhow::anyhow!("a hash is no key of AES-256"))?;
        Ok(LessSafeKey::new(key))
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// A secret to be mailed, and the hash that is kept of it.
#[must_use]
pub fn new_mailed_token() -> (String, String) {
    let token = random::<32>();
    let hash = hash_mailed_token(&token);
    (token, hash)
}

/// What is kept of a mailed secret: SHA-256 in hex.
#[must_use]
pub fn hash_mailed_token(token: &str) -> String {
    sha256_hex(token)
}

/// A secret of 256 random bits, of characters that a URL may hold.
#[must_use]
pub fn new_secret() -> String {
    random::<32>()
}

fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The same each time, as each key seals one thing only.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_a_token_reads_the_one_after_it() {
        let first = RefreshToken::first();
        let second = first.successor();
        let sealed = first.seal(&second).unwrap();
        assert_eq!(first.unseal(&sealed).as_ref(), Some(&second));
        assert_eq!(second.unseal(&sealed), None);
        assert_eq!(RefreshToken::first().unseal(&sealed), None);
        assert_eq!(first.unseal("garbage"), None);
        assert!(!sealed.contains(&second.secret));
    }

    #[test]
    fn a_token_reads_back_and_shares_its_family() {
        let first = RefreshToken::first();
        assert_eq!(RefreshToken::parse(&first.text()).as_ref(), Some(&first));
        let second = first.successor();
        assert_eq!(first.family_hash(), second.family_hash());
        assert_ne!(first.hash(), second.hash());
        for bad in ["", ".", "a.b", "\u{0}.\u{0}", &first.text()[1..]] {
            assert_eq!(RefreshToken::parse(bad), None, "{bad:?}");
        }
        assert_eq!(format!("{first:?}"), "RefreshToken(…)");
    }
}
