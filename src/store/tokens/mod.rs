//! Access tokens: JWTs signed with Ed25519 (RFC 8037), good for minutes, by a ring of keys. Refresh tokens are in [`refresh`].

mod provider;
pub mod refresh;

use anyhow::{Context as _, bail, ensure};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::provider::RING;
use crate::domain::ids::UserId;

/// Who issued a token, and for whom.
const ISSUER: &str = "staygate";
/// How far the clock of another instance may be ahead, in seconds.
const SKEW: i64 = 60;
/// What an Ed25519 public key begins with in DER (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key of the ring: the first one signs; all of them verify.
#[derive(Clone)]
pub struct Key {
    /// None for one that only verifies.
    signing: Option<EncodingKey>,
    public: Vec<u8>,
}

impl Key {
    /// A key pair in PKCS #8 (DER).
    ///
    /// # Errors
    /// When it is not one of Ed25519.
    pub fn pair(pkcs8: &[u8]) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
            .ok()
            .context("it is not an Ed25519 key in PKCS #8")?;
        Ok(Self {
            signing: Some(EncodingKey::from_ed_der(pkcs8)),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// Reads the keys of a PEM text, in its order: private ones (PKCS #8) and public ones.
    ///
    /// # Errors
    /// When a block is no Ed25519 key, or there is none.
    pub fn read_pem(pem: &str) -> anyhow::Result<Vec<Self>> {
        // An environment variable may carry its line breaks as \n.
        let pem = pem.replace("\\n", "\n");
        let mut keys = Vec::new();
        for block in pem.split("-----BEGIN ").skip(1) {
            let (label, rest) = block.split_once("-----").context("a key is cut off")?;
            let (body, _) = rest.split_once("-----END ").context("a key is cut off")?;
            let body: String = body.split_whitespace().collect();
            let der = STANDARD.decode(body).ok().context("a key is not base64")?;
            keys.push(match label {
                "PRIVATE KEY" => Self::pair(&der)?,
                "PUBLIC KEY" => {
                    let public = der.strip_prefix(&SPKI).filter(|key| key.len() == 32);
                    let public = public.context("it is not an Ed25519 public key")?;
                    Self {
                        signing: None,
                        public: public.to_vec(),
                    }
                }
                _ => bail!("it has a {label}, which is no key that is needed here"),
            });
        }
        ensure!(!keys.is_empty(), "there is no key in it");
        Ok(keys)
    }

    /// Its name: the same wherever it is configured.
    fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(&self.public)[..12])
    }
}

/// Signs and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    signing_id: String,
    verifying: Vec<(String, DecodingKey)>,
    /// What others verify with: a JSON Web Key Set (RFC 7517).
    jwks: serde_json::Value,
    ttl: Duration,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("signing_id", &self.signing_id)
            .finish_non_exhaustive()
    }
}

/// A good access token's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessToken {
    /// Whose.
    pub user_id: UserId,
    /// Of which session.
    pub session_id: Uuid,
    /// Of which number of this person's tokens: with another number they are refused.
    pub version: i32,
    /// When it lapses.
    pub expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    sid: Uuid,
    ver: i32,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Signs with the first key of a ring, and takes tokens of all of them, for `ttl`.
    ///
    /// # Errors
    /// When the first one can't sign, or two are the same.
    pub fn new(ring: &[Key], ttl: Duration) -> anyhow::Result<Self> {
        // Fails only when it was installed before, which is as good.
        let _ = RING.install_default();
        let first = ring.first().context("there is no key")?;
        let signing = first.signing.clone();
        let mut verifying: Vec<(String, DecodingKey)> = Vec::new();
        for key in ring {
            let id = key.id();
            ensure!(
                verifying.iter().all(|(other, _)| *other != id),
                "the same key is there twice"
            );
            verifying.push((id, DecodingKey::from_ed_der(&key.public)));
        }
        let keys: Vec<_> = ring
            .iter()
            .map(|key| {
                let x = URL_SAFE_NO_PAD.encode(&key.public);
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id(), "x": x})
            })
            .collect();
        Ok(Self {
            signing: signing.context("the first key must be a private one: it signs")?,
            signing_id: first.id(),
            verifying,
            jwks: json!({ "keys": keys }),
            ttl,
        })
    }

    /// Makes a new key pair, in PKCS #8 (DER), and its id.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate_key() -> anyhow::Result<(String, Vec<u8>)> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new())
            .ok()
            .context("the system has no randomness")?;
        let key = Key::pair(pkcs8.as_ref()).context("a new key can't be read")?;
        Ok((key.id(), pkcs8.as_ref().to_vec()))
    }

    /// The public keys, as a JSON Web Key Set (RFC 7517, RFC 8037).
    #[must_use]
    pub const fn jwks(&self) -> &serde_json::Value {
        &self.jwks
    }

    /// When a token that is issued now lapses, unless its session does before.
    #[must_use]
    pub fn lapses_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.ttl
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(&self, token: AccessToken, now: DateTime<Utc>) -> anyhow::Result<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: token.user_id.to_string(),
            sid: token.session_id,
            ver: token.version,
            iat: now.timestamp(),
            exp: token.expires_at.timestamp(),
        };
        let header = Header {
            kid: Some(self.signing_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.signing)?)
    }

    /// Reads a token that is good at `now`: of this issuer, signed by a key of the ring with its algorithm, begun and not lapsed.
    #[must_use]
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Option<AccessToken> {
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let (_, key) = self.verifying.iter().find(|(id, _)| *id == key_id)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        // The moment is checked below, by the clock that was passed in.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules)
            .ok()?
            .claims;
        let begun = claims.iat <= now.timestamp() + SKEW;
        let lapsed = claims.exp <= now.timestamp();
        (begun && !lapsed).then_some(())?;
        Some(AccessToken {
            user_id: UserId(claims.sub.parse().ok()?),
            session_id: claims.sid,
            version: claims.ver,
            expires_at: DateTime::from_timestamp(claims.exp, 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::pair(&Tokens::generate_key().unwrap().1).unwrap()
    }

    fn tokens(ring: &[Key]) -> Tokens {
        Tokens::new(ring, Duration::minutes(5)).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn somebodys() -> AccessToken {
        AccessToken {
            user_id: UserId(7),
            session_id: Uuid::new_v4(),
            version: 3,
            expires_at: now() + Duration::minutes(5),
        }
    }

    #[test]
    fn a_token_is_good_for_its_time_and_for_its_key_alone() {
        let ours = tokens(&[key()]);
        let whose = somebodys();
        let token = ours.issue(whose, now()).unwrap();
        assert_eq!(ours.read(&token, now()), Some(whose));
        assert_eq!(ours.read(&token, whose.expires_at), None);
        let before = now() - Duration::minutes(5);
        assert_eq!(ours.read(&token, before), None, "it has not begun");
        assert_eq!(tokens(&[key()]).read(&token, now()), None, "another key");
    }

    #[test]
    fn a_ring_takes_the_tokens_of_the_key_that_signed_before() {
        let (old, new) = (key(), key());
        let whose = somebodys();
        let of_old = tokens(std::slice::from_ref(&old))
            .issue(whose, now())
            .unwrap();
        let of_new = tokens(std::slice::from_ref(&new))
            .issue(whose, now())
            .unwrap();
        let both = tokens(&[new.clone(), old]);
        assert_eq!(both.read(&of_old, now()), Some(whose));
        assert_eq!(both.read(&of_new, now()), Some(whose));
        assert_eq!(tokens(&[new]).read(&of_old, now()), None);
        assert_eq!(both.jwks()["keys"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_ring_is_read_from_pem_with_private_and_public_keys() {
        // By `openssl genpkey -algorithm ed25519`, and `openssl pkey -pubout` of another one.
        let pem = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\\n-----END PRIVATE KEY-----
            -----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA6xZsPLYd42GUwW9KlTLUQImPftT+a+0ehjDJaasanJA=\n-----END PUBLIC KEY-----";
        let ring = Key::read_pem(pem).unwrap();
        assert_eq!(ring.len(), 2);
        assert!(Tokens::new(&ring, Duration::minutes(5)).is_ok());
        let public_first: Vec<_> = ring.iter().rev().cloned().collect();
        for (ring, why) in [
            (public_first, "the first key must be a private one"),
            (vec![ring[0].clone(), ring[0].clone()], "twice"),
            (vec![], "no key"),
        ] {
            let error = Tokens::new(&ring, Duration::minutes(5)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        for bad in [
            "",
            "garbage",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert!(Key::read_pem(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_changed_or_unsigned_token_is_no_token() {
        let ours = tokens(&[key()]);
        let token = ours.issue(somebodys(), now()).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        let kid = &ours.signing_id;
        let header = |algorithm: &str| {
            let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{kid}"}}"#);
            URL_SAFE_NO_PAD.encode(header)
        };
        let nameless = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
        for bad in [
            format!("{}.{rest}", header("none")),
            format!("{}.{rest}", header("HS256")),
            format!("{}.{rest}", header("RS256")),
            format!("{nameless}.{rest}"),
            format!("{token}x"),
            "a.b.c".into(),
            String::new(),
        ] {
            assert_eq!(ours.read(&bad, now()), None, "{bad}");
        }
    }
}
