//! Mail to people: over SMTP, or into a folder where a developer reads it.
//!
//! Nothing is queued here. Whoever sends keeps what is to be sent until it is taken, and asks again when it was not.

mod compose;
pub mod folder;
pub mod smtp;

use async_trait::async_trait;

/// A mail to one person. Both forms say the same; the receiver's program shows the one that it prefers.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Letters and digits that no other mail has. One that is handed over again has the same, so that receivers can drop the second copy.
    pub id: String,
    /// The address alone, without a name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The plain form.
    pub text: String,
    /// The same as a whole HTML document.
    pub html: String,
}

/// Without what it says: that may be a secret, such as the token of a link.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The receiver will never take it, so that trying again is of no use.
    #[error("the mail was refused: {0}")]
    Refused(String),
    /// It may be taken later: nobody answered, in time or at all, or the trouble is on our side of the receiver.
    #[error("the mail could not be handed over: {0}")]
    Unreachable(String),
}

/// Takes mail to people.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over to the next server on its way. That it was taken does not say that it arrives; and when the answer was lost, a
    /// mail that was taken is reported as [`MailError::Unreachable`], so that one which is sent again may arrive twice, with the same id.
    ///
    /// # Errors
    /// [`MailError::Refused`] when it will never be taken, [`MailError::Unreachable`] when it may be later.
    async fn send(&self, message: &Message) -> Result<(), MailError>;
}
