//! Password hashing with Argon2id, away from the threads that answer requests.

use std::sync::Arc;

use anyhow::Context as _;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::domain::password::Password;

/// What one hash costs.
#[derive(Debug, Clone, Copy)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// Hashes and checks passwords. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A flood of sign-ins queues here instead of taking every core and all memory.
    turns: Arc<Semaphore>,
    /// Checked in place of an unknown person's, so that the answer takes as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// A hasher that computes at most `at_once` hashes at a time.
    ///
    /// # Errors
    /// When Argon2 does not allow this cost.
    pub fn new(cost: HashCost, at_once: usize) -> anyhow::Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|error| {
            anyhow::anyhow!("these password hashing costs are not possible: {error}")
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon2
            .hash_password(b"nobody's password")
            .map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            decoy: decoy.to_string().into(),
        })
    }

    /// Hashes a new password into PHC string format.
    ///
    /// # Errors
    /// When the system has no randomness or no memory.
    pub async fn hash(&self, password: Password) -> anyhow::Result<String> {
        // Kept until the hash is computed, even when nobody waits for it any more.
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let argon2 = self.argon2.clone();
        let hash = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            argon2
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
        });
        hash.await?
            .map_err(|error| anyhow::anyhow!("hashing a password failed: {error}"))
    }

    /// Whether the password is the one that was hashed. Without a hash (nobody has that address) it takes as long, and says no.
    ///
    /// # Errors
    /// When a stored hash can't be read.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> anyhow::Result<bool> {
        // Kept until the hash is computed, even when nobody waits for it any more.
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let argon2 = self.argon2.clone();
        let matches = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let hash = PasswordHash::new(&hash).map_err(|error| anyhow::anyhow!("{error}"))?;
            anyhow::Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches
            .await?
            .context("a stored password hash can't be read")?
            && known)
    }
}
