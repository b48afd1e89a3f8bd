//! Password hashing with Argon2id, away from the threads that answer requests.

use std::{cell::RefCell, sync::Arc, time::Duration};

use anyhow::Context as _;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        PasswordHasher as _,
        phc::{Output, PasswordHash},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use tokio::{sync::Semaphore, time::timeout};

use super::patient::PatientThreads;
use crate::domain::password::Password;

/// How many may wait for each one that is computed. At the recommended cost that is two to four seconds: who would wait for longer is told
/// at once to come again.
const WAITING: usize = 128;
/// The longest wait, where hashes cost more than that or the machine has much to do: a request has no more than 10 seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(6);

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// Something broke.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// What one hash costs.
#[derive(Debug, Clone, Copy)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl HashCost {
    /// What takes about as long as this cost is dearer than a hash, if it is by a pass or more.
    fn rest_after(self, hash: &str) -> Option<Argon2<'static>> {
        let spent = params_of(hash)?;
        let work = |memory: u32, passes: u32| u64::from(memory) * u64::from(passes);
        let rest =
            work(self.memory_kib, self.passes).checked_sub(work(spent.m_cost(), spent.t_cost()))?;
        let passes = u32::try_from(rest / u64::from(self.memory_kib)).ok()?;
        let params = Params::new(self.memory_kib, passes, 1, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes and checks passwords. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    cost: HashCost,
    threads: PatientThreads,
    /// A flood of sign-ins queues here instead of taking every core and all memory. Who hangs up leaves the queue.
    turns: Arc<Semaphore>,
    /// Those that are computed, and those that wait.
    places: Arc<Semaphore>,
    /// Checked in place of an unknown person's, so that the answer takes as long.
    decoy: Arc<str>,
}

impl Passwords {
    /// A hasher that computes at most `at_once` hashes at a time.
    ///
    /// # Errors
    /// When Argon2 does not allow this cost, or the system gives no thread.
    pub fn new(cost: HashCost, at_once: usize) -> anyhow::Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|error| {
            anyhow::anyhow!("these password hashing costs are not possible: {error}")
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon2
            .hash_password(b"nobody's password")
            .map_err(|e| anyhow::anyhow!("{e}"))?;
        let at_once = at_once.max(1);
        Ok(Self {
            argon2,
            cost,
            threads: PatientThreads::start("passwords", at_once)
                .context("no thread to hash passwords on")?,
            turns: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once * (1 + WAITING))),
            decoy: decoy.to_string().into(),
        })
    }

    /// Hashes a new password into PHC string format.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait; otherwise when the system has no randomness or no memory.
    pub async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        let hash = self.in_turn(move || {
            let hash = argon2.hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
        });
        let hash = hash.await?;
        Ok(hash.map_err(|error| anyhow::anyhow!("hashing a password failed: {error}"))?)
    }

    /// A hash that no password is known to have, of someone who signs in no more. To check one against it takes as long as with any other.
    #[must_use]
    pub fn hash_of_none(&self) -> String {
        let made = self
            .decoy
            .rsplit_once('$')
            .and_then(|(rest, _)| rest.rsplit_once('$'));
        let head = made.map_or("", |(head, _)| head);
        let (salt, hash): ([u8; 16], [u8; 32]) = (rand::random(), rand::random());
        let [salt, hash] = [&salt[..], &hash].map(|bytes| BASE64_STANDARD_NO_PAD.encode(bytes));
        format!("{head}${salt}${hash}")
    }

    /// Whether the password is the one that was hashed. Without a hash (nobody has that address) it takes as long, and says no; so
    /// does a wrong one whose hash was made more cheaply than is configured now.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when too many wait; otherwise when a stored hash can't be read.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let cost = self.cost;
        let matches = self.in_turn(move || {
            let matches = matches(&password, &hash).map_err(|error| anyhow::anyhow!("{error}"))?;
            if !matches && let Some(rest) = cost.rest_after(&hash) {
                // Its outcome is of no use but for the time that it takes.
                let _ = rest.hash_password(password.as_bytes());
            }
            anyhow::Ok(matches)
        });
        let matches = matches
            .await?
            .context("a stored password hash can't be read")?;
        Ok(matches && known)
    }

    /// Whether a hash was made more cheaply than is configured now, in memory or in passes.
    #[must_use]
    pub fn is_cheaper(&self, hash: &str) -> bool {
        params_of(hash).is_some_and(|params| {
            params.m_cost() < self.cost.memory_kib || params.t_cost() < self.cost.passes
        })
    }

    /// Computes away from the threads that answer requests, when it is its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| PasswordError::Busy)?;
        let turn = timeout(LONGEST_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| PasswordError::Busy)?;
        let turn = turn.context("nobody closes this semaphore")?;
        let computed = self.threads.compute(move || {
            // Kept until it is computed, even when nobody waits for it any more.
            let _kept = (place, turn);
            compute()
        });
        Ok(computed.await.context("hashing a password broke off")?)
    }
}

/// What a hash cost, if it can be read.
fn params_of(hash: &str) -> Option<Params> {
    Params::try_from(&PasswordHash::new(hash).ok()?).ok()
}

/// Whether this is the password that was hashed.
///
/// What `verify_password` does, in memory that the thread keeps: to be given 19 MiB of cleared pages for each hash, and to hand them back,
/// took a third of the time.
fn matches(password: &Password, hash: &str) -> argon2::password_hash::Result<bool> {
    thread_local! {
        static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(vec![]) };
    }
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Ok(false);
    };
    let params = Params::try_from(&hash)?;
    let blocks = params.block_count();
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?;
    let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(memory.len().max(blocks), Block::new());
        let mut out = vec![0; expected.len()];
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, memory)?;
        // Takes as long wherever they differ.
        Ok(Output::new(&out)? == *expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(memory_kib: u32, passes: u32) -> Passwords {
        Passwords::new(HashCost { memory_kib, passes }, 1).unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::typed(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = passwords(64, 1);
        let hash = passwords.hash(typed("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        let is = |password, hash| passwords.verify(typed(password), hash);
        assert!(is("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!is("wrong horse", Some(hash)).await.unwrap());
        assert!(!is("nobody's password", None).await.unwrap(), "the decoy's");
    }

    #[tokio::test]
    async fn the_hash_of_none_is_as_dear_as_any_and_another_each_time() {
        let passwords = passwords(64, 1);
        let none = passwords.hash_of_none();
        assert!(none.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{none}");
        assert_ne!(none, passwords.hash_of_none());
        let verified = passwords.verify(typed("nobody's password"), Some(none));
        assert!(!verified.await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_that_was_cheaper_is_known_as_one() {
        let before = passwords(64, 1).hash(typed("a password")).await.unwrap();
        assert!(!passwords(64, 1).is_cheaper(&before));
        assert!(passwords(128, 1).is_cheaper(&before));
        assert!(passwords(64, 2).is_cheaper(&before));
        assert!(!passwords(32, 1).is_cheaper(&before));
        assert!(
            passwords(128, 1)
                .verify(typed("a password"), Some(before))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_wrong_password_takes_as_long_whenever_its_hash_was_made() {
        let cheap = passwords(64, 1).hash(typed("a password")).await.unwrap();
        let now = HashCost {
            memory_kib: 64,
            passes: 5,
        };
        let rest = |hash: &str| {
            let rest = now.rest_after(hash);
            rest.map(|argon2| (argon2.params().m_cost(), argon2.params().t_cost()))
        };
        assert_eq!(rest(&cheap), Some((64, 4)));
        let as_dear = passwords(64, 5).hash(typed("a password")).await.unwrap();
        assert_eq!(rest(&as_dear), None);
        let dearer = passwords(128, 5).hash(typed("a password")).await.unwrap();
        assert_eq!(rest(&dearer), None);
    }

    #[tokio::test]
    async fn what_another_hash_left_in_the_memory_does_not_matter() {
        let (small, large) = (passwords(64, 1), passwords(256, 3));
        let hashes = [
            small.hash(typed("a password")).await.unwrap(),
            large.hash(typed("a password")).await.unwrap(),
        ];
        for _ in 0..3 {
            for hash in &hashes {
                // All of them on the one thread of `small`.
                let is = |password| small.verify(typed(password), Some(hash.clone()));
                assert!(is("a password").await.unwrap());
                assert!(!is("another one").await.unwrap());
            }
        }
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_an_error() {
        let passwords = passwords(64, 1);
        for hash in [
            "",
            "plain",
            "$argon2id$v=19$m=1,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        ] {
            let verified = passwords.verify(typed("a password"), Some(hash.to_owned()));
            assert!(
                matches!(verified.await, Err(PasswordError::Failed(_))),
                "{hash}"
            );
        }
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_told_at_once() {
        let passwords = passwords(64, 1);
        let all = passwords.places.available_permits();
        let taken = passwords
            .places
            .try_acquire_many(u32::try_from(all).unwrap())
            .unwrap();
        let refused = passwords.hash(typed("a password")).await;
        assert!(matches!(refused, Err(PasswordError::Busy)));
        drop(taken);
        assert!(passwords.hash(typed("a password")).await.is_ok());
    }
}
