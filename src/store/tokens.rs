//! Access tokens: JWTs signed with Ed25519 (RFC 8037), good for minutes. Refresh tokens: random, kept only as a hash.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature,
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::domain::{digest::sha256_hex, ids::UserId};

/// Who issued a token, and for whom.
const ISSUER: &str = "staygate";

/// Signs and reads access tokens.
#[derive(Clone)]
pub struct Tokens {
    key_id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    ttl: Duration,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("key_id", &self.key_id)
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
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Signs with an Ed25519 key pair in PKCS #8 (DER).
    ///
    /// # Errors
    /// When it is not such a key pair.
    pub fn new(pkcs8: &[u8], ttl: Duration) -> anyhow::Result<Self> {
        // Fails only when it was installed before, which is as good.
        let _ = RING.install_default();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
            .ok()
            .context("the key that signs access tokens must be an Ed25519 key in PKCS #8")?;
        let public = pair.public_key().as_ref();
        Ok(Self {
            key_id: key_id(public),
            signing: EncodingKey::from_ed_der(pkcs8),
            verifying: DecodingKey::from_ed_der(public),
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
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref())
            .ok()
            .context("a new key can't be read")?;
        Ok((key_id(pair.public_key().as_ref()), pkcs8.as_ref().to_vec()))
    }

    /// A new access token, and when it lapses.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(
        &self,
        token: AccessToken,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(String, DateTime<Utc>)> {
        let expires_at = now + self.ttl;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: token.user_id.to_string(),
            sid: token.session_id,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok((
            jsonwebtoken::encode(&header, &claims, &self.signing)?,
            expires_at,
        ))
    }

    /// Reads a token that is good at `now`: of this issuer, signed by its key with its algorithm, begun and not lapsed.
    #[must_use]
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Option<AccessToken> {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "sub", "exp"]);
        // The moment is checked below, by the clock that was passed in.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &rules)
            .ok()?
            .claims;
        let begun = claims.iat <= now.timestamp() + 60;
        (begun && claims.exp > now.timestamp())
            .then(|| claims.sub.parse().ok())
            .flatten()
            .map(|key| AccessToken {
                user_id: UserId(key),
                session_id: claims.sid,
            })
    }
}

fn key_id(public: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(public)[..12])
}

/// A new refresh token, and the hash that is kept of it.
#[must_use]
pub fn new_refresh_token() -> (String, String) {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let hash = hash_refresh_token(&token);
    (token, hash)
}

/// What is kept of a refresh token: SHA-256 in hex. It has 256 random bits, so a slow hash would add nothing.
#[must_use]
pub fn hash_refresh_token(token: &str) -> String {
    sha256_hex(token)
}

/// Ed25519 by ring alone: the stock providers bring RSA or a second TLS library.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
                .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))?;
            Ok(Box::new(RingSigner(pair)) as Box<dyn JwtSigner>)
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => {
            Ok(Box::new(RingVerifier(key.try_get_as_bytes()?.to_vec())) as Box<dyn JwtVerifier>)
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct RingSigner(Ed25519KeyPair);

impl signature::Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(Vec<u8>);

impl signature::Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(&Tokens::generate_key().unwrap().1, Duration::minutes(5)).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_time_and_for_its_key_alone() {
        let tokens = tokens();
        let whose = AccessToken {
            user_id: UserId(7),
            session_id: Uuid::new_v4(),
        };
        let (token, expires_at) = tokens.issue(whose, now()).unwrap();
        assert_eq!(tokens.read(&token, now()), Some(whose));
        assert_eq!(tokens.read(&token, expires_at), None);
        assert_eq!(
            tokens.read(&token, now() - Duration::minutes(5)),
            None,
            "it has not begun"
        );
        assert_eq!(
            super::tests::tokens().read(&token, now()),
            None,
            "another key"
        );
    }

    #[test]
    fn a_changed_or_unsigned_token_is_no_token() {
        let tokens = tokens();
        let whose = AccessToken {
            user_id: UserId(7),
            session_id: Uuid::new_v4(),
        };
        let (token, _) = tokens.issue(whose, now()).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let hmac = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        for bad in [
            format!("{none}.{rest}"),
            format!("{hmac}.{rest}"),
            format!("{token}x"),
            "a.b.c".into(),
            String::new(),
        ] {
            assert_eq!(tokens.read(&bad, now()), None);
        }
    }
}
