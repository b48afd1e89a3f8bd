//! Why a use case did not happen.

use chrono::Duration;
use sea_orm::DbErr;

use crate::{
    domain::{
        actor::{Actor, SignedIn},
        problem::Problem,
    },
    store::{db::is_unavailable, passwords::PasswordError},
};

/// Why a use case did not happen. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can mend it.
    #[error("the input can't be used: {0:?}")]
    Refused(Vec<Problem>),
    /// It needs somebody who is signed in.
    #[error("not signed in")]
    Unauthenticated,
    /// It needs another role; the sentence says which.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// What is to be changed is not as the caller has seen it any more.
    #[error("it changed in the meantime")]
    Changed,
    /// It was tried too often.
    #[error("too many tries; the next in {retry_after}")]
    TooMany {
        /// When it may be tried again, from now.
        retry_after: Duration,
    },
    /// The database is away, or has no room: it may go well in a moment. The cause is for the log alone.
    #[error("{0}")]
    Unavailable(anyhow::Error),
    /// Something broke. The cause is for the log alone.
    #[error(transparent)]
    Internal(anyhow::Error),
}

/// In how many seconds it is worth trying again what was [`Error::Unavailable`]: a database that is started again is there by then.
pub const TRY_AGAIN_IN: i64 = 2;

/// What a use case gives.
pub type Result<T> = std::result::Result<T, Error>;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        let of_the_database = error.chain().find_map(|cause| cause.downcast_ref());
        if of_the_database.is_some_and(is_unavailable) {
            Self::Unavailable(error)
        } else {
            Self::Internal(error)
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::TooMany {
                retry_after: Duration::seconds(1),
            },
            PasswordError::Failed(cause) => Self::Internal(cause),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }
}

impl From<Vec<Problem>> for Error {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Refused(problems)
    }
}

/// The signed-in person who is asking.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in.
pub fn signed_in(actor: &Actor) -> Result<&SignedIn> {
    actor.signed_in().ok_or(Error::Unauthenticated)
}

/// That an admin is asking.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`], with this sentence, for anyone but an admin.
pub fn must_be_admin(actor: &Actor, why: &'static str) -> Result<()> {
    signed_in(actor)?;
    if actor.is_admin() {
        Ok(())
    } else {
        Err(Error::Forbidden(why))
    }
}

/// The signed-in person who is asking, in an own name: an admin oversees, and does not act as a guest.
///
/// # Errors
/// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] for an admin.
pub fn as_guest(actor: &Actor) -> Result<&SignedIn> {
    let user = signed_in(actor)?;
    if actor.is_admin() {
        return Err(Error::Forbidden("An admin does not book, pay or review."));
    }
    Ok(user)
}

impl AsRef<Self> for Error {
    fn as_ref(&self) -> &Self {
        self
    }
}
