//! What a caller has seen of a thing before changing it.

use super::error::{Error, Result};

/// The version of a row that a caller has seen and would change. It is compared under the row's lock, in the transaction that changes it, so that of
/// two callers who have seen the same version one is refused.
#[derive(Clone, Copy)]
pub struct Seen<'a, T>(Option<&'a (dyn Fn(&T) -> bool + Send + Sync)>);

impl<'a, T> Seen<'a, T> {
    /// Whatever it is by now.
    #[must_use]
    pub const fn whatever() -> Self {
        Self(None)
    }

    /// A version of which this says that it is the one that was seen.
    #[must_use]
    pub const fn when(is_it: &'a (dyn Fn(&T) -> bool + Send + Sync)) -> Self {
        Self(Some(is_it))
    }

    /// Goes on with a row that is as it was seen.
    ///
    /// # Errors
    /// [`Error::Changed`] for another one.
    pub(super) fn must_be(self, row: &T) -> Result<()> {
        match self.0 {
            Some(is_it) if !is_it(row) => Err(Error::Changed),
            _ => Ok(()),
        }
    }
}
